//! What is wrong with a table of measurements.

use thiserror::Error;

use super::expr::did_you_mean;
use super::shown;

/// What is wrong at a place of a table, and what to try.
#[derive(Clone, Debug, PartialEq, Error)]
#[allow(missing_docs, reason = "the messages say what the fields are")]
pub enum TableError {
    /// No line but comments.
    #[error("there is no header; write one, such as t,x,y, and a line for each time below it")]
    NoHeader,
    /// A first column of another name.
    #[error("the first column is `{name}`; call it `t` and put the times there", name = shown(.name))]
    NoTimes { name: String },
    /// Times alone.
    #[error("there is no column but `t`; add one for each observable, with commas between them")]
    NoColumns,
    /// A column that has no name in the header.
    #[error("column {column} has no name; name it in the header or remove it")]
    NoName { column: usize },
    /// Two columns of one name.
    #[error("two columns are named `{name}`; rename or remove one of them", name = shown(.name))]
    Duplicate { name: String },
    /// σ of what is not in the table.
    #[error("`{name}` belongs to no column; name the column between its brackets", name = shown(.name))]
    SigmaOfNothing { name: String },
    /// σ in the table and in the model.
    #[error("gives sigma, as the model's observation does; leave one of them out")]
    SigmaTwice,
    /// A column that is asked for and is not there.
    #[error("there is no column `{name}`{}", did_you_mean(suggestion), name = shown(.name))]
    MissingColumn { name: String, suggestion: Option<String> },
    /// A line that is longer or shorter than the header.
    #[error(
        "{found} cells under a header of {expected}; leave a cell empty where nothing was measured"
    )]
    Cells { expected: usize, found: usize },
    /// A quotation mark without its other half.
    #[error("a quotation mark is not closed; close it on the same line")]
    Quote,
    /// A cell that holds no number.
    #[error("`{text}` is not a number; {}", advice(text), text = shown(.text))]
    NotANumber { text: String },
    /// A line without its time.
    #[error("the time is missing; write it, or remove the line")]
    NoTime,
    /// A measurement without its standard deviation.
    #[error("the standard deviation of a measurement is missing; write a positive number")]
    NoSigma,
}

fn advice(text: &str) -> &'static str {
    let with_point = text.replace(',', ".");
    match with_point != text && with_point.parse::<f64>().is_ok() {
        true => "write a point, not a comma, before the decimals",
        false => "write one, or leave the cell empty where nothing was measured",
    }
}
