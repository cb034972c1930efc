//! What is wrong with a model.

use thiserror::Error;

use super::expr::did_you_mean;
use super::{ParseError, TableError, number, shown};

/// A model that cannot be read or built. The message is one line: where, what, and what to try.
#[derive(Clone, Debug, PartialEq, Error)]
#[allow(missing_docs, reason = "the messages say what the fields are")]
pub enum ModelError {
    /// An error in a file, with its path.
    #[error("{path}: {error}")]
    InFile { path: String, error: Box<ModelError> },
    /// The file cannot be read.
    #[error("cannot be read ({reason}); check the path")]
    Unreadable { reason: String },
    /// The file is no text.
    #[error("not UTF-8 text; check the path, or save the file in this encoding")]
    NotUtf8,
    /// The file is empty.
    #[error("the file is empty; a model is a JSON object, see docs/model-format.md")]
    Empty,
    /// The text is not JSON.
    #[error("not JSON: {reason}; check brackets, commas, quotes and numbers there")]
    NotJson { reason: String },
    /// A value of another type than the key takes.
    #[error("{path}: expected {expected}, found {found}")]
    WrongType { path: String, expected: &'static str, found: &'static str },
    /// A key that the format does not have.
    #[error(
        "{path}: unknown key `{key}`{}",
        did_you_mean_or_list(suggestion, known), key = shown(.key)
    )]
    UnknownKey { path: String, key: String, suggestion: Option<String>, known: String },
    /// A key that must be there.
    #[error("{path}: the key `{key}` is missing; add it")]
    MissingKey { path: String, key: &'static str },
    /// A name or a key given twice.
    #[error("{path}: `{name}` is given twice; remove or rename one of them", name = shown(.name))]
    Duplicate { path: String, name: String },
    /// A name that two things share.
    #[error(
        "{path}: `{name}` is already the name of {taken_by}; rename one of them",
        name = shown(.name)
    )]
    NameTaken { path: String, name: String, taken_by: &'static str },
    /// The name of a function, or of the time.
    #[error(
        "{path}: `{name}` has a meaning of its own in formulas; choose another name",
        name = shown(.name)
    )]
    ReservedName { path: String, name: String },
    /// A text that cannot be a name.
    #[error(
        "{path}: `{name}` cannot be a name; use a letter or _, then letters, digits and _",
        name = shown(.name)
    )]
    BadName { path: String, name: String },
    /// A formula that cannot be read.
    #[error("{path}: {error}")]
    Formula { path: String, error: ParseError },
    /// Expressions that depend on each other in a circle.
    #[error("{path}: depends on itself: {}; break this circle", circle(cycle))]
    Cycle { path: String, cycle: Vec<String> },
    /// An initial value that depends on a state.
    #[error("{path}: an initial value may depend on parameters only, not on states")]
    InitialUsesState { path: String },
    /// A model without states.
    #[error("{path}: there are none; a model needs at least one")]
    NoStates { path: String },
    /// A state without a rate.
    #[error(
        "{path}: no rate for the state `{state}`; add one (0 if it is constant)",
        state = shown(.state)
    )]
    MissingRate { path: String, state: String },
    /// A rate of something that is no state.
    #[error("{path}: `{name}` is no state{}", did_you_mean(suggestion), name = shown(.name))]
    RateOfUnknownState { path: String, name: String, suggestion: Option<String> },
    /// A scale other than lin and log10.
    #[error("{path}: unknown scale `{scale}`; use `lin` or `log10`", scale = shown(.scale))]
    UnknownScale { path: String, scale: String },
    /// A value without a logarithm on the scale log10.
    #[error(
        "{path}: {value} has no logarithm; use a positive value or the scale `lin`",
        value = number(.value)
    )]
    NotPositive { path: String, value: f64 },
    /// Bounds in the wrong order.
    #[error(
        "{path}: the lower bound {lower} is not below the upper bound {upper}; swap them",
        lower = number(.lower), upper = number(.upper)
    )]
    Bounds { path: String, lower: f64, upper: f64 },
    /// A nominal value outside its bounds.
    #[error(
        "{path}: {value} lies outside the bounds {lower} to {upper}; move it or widen them",
        value = number(.value), lower = number(.lower), upper = number(.upper)
    )]
    OutsideBounds { path: String, value: f64, lower: f64, upper: f64 },
    /// A time span that does not go forward.
    #[error(
        "{path}: the end {end} is not after the start {start}; give a later end",
        start = number(.start), end = number(.end)
    )]
    Span { path: String, start: f64, end: f64 },
    /// A time span that is longer than a number can say.
    #[error(
        "{path}: from {start} to {end} is too long; bring start and end closer together",
        start = number(.start), end = number(.end)
    )]
    LongSpan { path: String, start: f64, end: f64 },
    /// A table of measurements that cannot be used, and where in it.
    #[error("{path}: {error}")]
    Table { path: String, error: TableError },
    /// A table where no directory is known in which it could lie.
    #[error(
        "{path}: names the file `{name}`, but this model is a text without a directory; read the \
         model from a file, or write the numbers here",
        name = shown(.name)
    )]
    NoDirectory { path: String, name: String },
    /// Times beside a table that has them.
    #[error("{path}: the times are in the table; leave `times` out, or write the data as a list")]
    TimesTwice { path: String },
    /// An observation outside the time span.
    #[error(
        "{path}: {time} lies outside the time span {start} to {end}; remove it or extend the span",
        time = number(.time), start = number(.start), end = number(.end)
    )]
    OutsideSpan { path: String, time: f64, start: f64, end: f64 },
    /// A list of another length than is needed.
    #[error("{path}: {found} {things} where {expected} are needed; give one for each")]
    Length { path: String, things: &'static str, expected: usize, found: usize },
    /// An observation entry without times.
    #[error("{path}: there are no observations; give at least one time or remove the entry")]
    NoObservations { path: String },
    /// A standard deviation that is not positive.
    #[error(
        "{path}: {value} is no standard deviation; use a positive number",
        value = number(.value)
    )]
    Sigma { path: String, value: f64 },
    /// A number that is infinite or NaN.
    #[error("{path}: {value} is not finite; give a finite number", value = number(.value))]
    NotFinite { path: String, value: f64 },
    /// A value at the start that is infinite or NaN.
    #[error(
        "{path}: is {value} at t = {time}; check for a division by zero or a negative root",
        value = number(.value), time = number(.time)
    )]
    StartNotFinite { path: String, value: f64, time: f64 },
    /// A parameter that the model does not have.
    #[error(
        "there is no parameter `{name}`{}",
        did_you_mean_or_these(suggestion, known), name = shown(.name)
    )]
    UnknownParameter { name: String, suggestion: Option<String>, known: String },
    /// A model without an objective where one is needed.
    #[error("there is no objective to differentiate; add `objective` to the model")]
    NoObjective,
    /// A variable whose index is out of range.
    #[error("{path}: uses {variable}, which the model does not have; check the index")]
    UnknownVariable { path: String, variable: String },
    /// A part of a traced model that was left out.
    #[error("{path}: not given; call `{call}` before `build`")]
    NotGiven { path: String, call: &'static str },
}

fn did_you_mean_or_these(suggestion: &Option<String>, known: &str) -> String {
    match suggestion {
        Some(_) => did_you_mean(suggestion),
        None if known.is_empty() => "; the model has none".into(),
        None => format!("; the model has {known}"),
    }
}

fn did_you_mean_or_list(suggestion: &Option<String>, known: &str) -> String {
    match suggestion {
        Some(_) => did_you_mean(suggestion),
        None => format!("; the keys here are {known}"),
    }
}

/// The names in a circle, or the first and the last of many.
fn circle(cycle: &[String]) -> String {
    const MOST: usize = 12;
    let mut names: Vec<_> = cycle.iter().map(|name| shown(name)).collect();
    if names.len() > MOST {
        names.splice(MOST - 2..names.len() - 1, ["…".into()]);
    }
    names.join(" -> ")
}
