//! A table of measurements as text: a column of times, and one for each observable.

use std::collections::HashSet;

use crate::error::{ModelError, TableError};
use crate::expr::nearest;
use crate::model::observable::place;

/// The name of the column of times.
const TIMES: &str = "t";

/// Numbers under a header. What was not measured is `None`.
pub(super) struct Table {
    path: String,
    header_line: usize,
    /// The line of each row in the file, from 1.
    lines: Vec<usize>,
    times: Vec<f64>,
    columns: Vec<Column>,
}

struct Column {
    name: String,
    cells: Vec<Option<f64>>,
}

/// What a column holds, without the rows where nothing was measured.
pub(super) struct Measured {
    pub lines: Vec<usize>,
    pub times: Vec<f64>,
    pub data: Vec<f64>,
    /// One for each time, where the table has them.
    pub sigma: Option<Vec<f64>>,
}

impl Table {
    /// Reads a header, whose first separator is that of all lines, and a row a line. Lines that
    /// are blank or begin with `#` are no rows.
    pub fn parse(path: &str, text: &str) -> Result<Self, ModelError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut rows = (1..).zip(text.lines()).filter(|(_, line)| is_row(line));
        let at = |line: usize| format!("{path}, line {line}");
        let (header_line, header) =
            rows.next().ok_or_else(|| failed(path.to_owned(), TableError::NoHeader))?;
        let separator = separator(header);
        let cells = |line: usize, text: &str| {
            split(text, separator).ok_or_else(|| failed(at(line), TableError::Quote))
        };
        let names = cells(header_line, header)?;
        check_names(&names).map_err(|error| failed(at(header_line), error))?;
        let column = |name: &String| Column { name: name.clone(), cells: Vec::new() };
        let columns = names[1..].iter().map(column).collect();
        let path = path.to_owned();
        let mut table = Table { path, header_line, lines: vec![], times: vec![], columns };
        for (line, text) in rows {
            table.push(line, &cells(line, text)?)?;
        }
        Ok(table)
    }

    fn push(&mut self, line: usize, cells: &[String]) -> Result<(), ModelError> {
        let (expected, found) = (self.columns.len() + 1, cells.len());
        if expected != found {
            let path = format!("{}, line {line}", self.path);
            return Err(failed(path, TableError::Cells { expected, found }));
        }
        let at = |name: &str| place(&self.path, line, name);
        let time = number(&cells[0], || at(TIMES))?;
        self.times.push(time.ok_or_else(|| failed(at(TIMES), TableError::NoTime))?);
        self.lines.push(line);
        for (column, cell) in self.columns.iter_mut().zip(&cells[1..]) {
            column.cells.push(number(cell, || place(&self.path, line, &column.name))?);
        }
        Ok(())
    }

    /// The columns that are no standard deviations.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let names = self.columns.iter().map(|column| column.name.as_str());
        names.filter(|name| sigma_of(name).is_none())
    }

    pub fn path(&self) -> &str {
        &self.path
    }

    /// Where a column is named, for messages.
    pub fn header(&self, name: &str) -> String {
        place(&self.path, self.header_line, name)
    }

    /// The measurements in the column called `name`.
    pub fn column(&self, name: &str) -> Result<Measured, ModelError> {
        let Some(column) = self.columns.iter().find(|column| column.name == name) else {
            let suggestion = nearest(name, self.names());
            let path = format!("{}, line {}", self.path, self.header_line);
            return Err(failed(path, TableError::MissingColumn { name: name.into(), suggestion }));
        };
        let sigma = self.columns.iter().find(|column| sigma_of(&column.name) == Some(name));
        let mut measured = Measured {
            lines: Vec::new(),
            times: Vec::new(),
            data: Vec::new(),
            sigma: sigma.map(|_| Vec::new()),
        };
        for (row, cell) in column.cells.iter().enumerate() {
            let Some(value) = cell else { continue };
            measured.lines.push(self.lines[row]);
            measured.times.push(self.times[row]);
            measured.data.push(*value);
            if let (Some(column), Some(list)) = (sigma, &mut measured.sigma) {
                let missing = || {
                    failed(place(&self.path, self.lines[row], &column.name), TableError::NoSigma)
                };
                list.push(column.cells[row].ok_or_else(missing)?);
            }
        }
        Ok(measured)
    }
}

/// Whose standard deviations the column called `name` holds, if any are.
fn sigma_of(name: &str) -> Option<&str> {
    Some(name.strip_prefix("sigma(")?.strip_suffix(')')?.trim())
}

fn failed(path: String, error: TableError) -> ModelError {
    ModelError::Table { path, error }
}

/// Spreadsheets leave lines of separators alone below a table.
fn is_row(line: &str) -> bool {
    let is_blank = line.chars().all(|c| c.is_whitespace() || ",;".contains(c));
    !is_blank && !line.trim_start().starts_with('#')
}

/// The first of a header's commas, semicolons and tabs that is not quoted.
fn separator(header: &str) -> char {
    let mut quoted = false;
    let found = header.chars().find(|&c| {
        quoted ^= c == '"';
        !quoted && ",;\t".contains(c)
    });
    found.unwrap_or(',')
}

/// The cells of a line, without the quotation marks around them; `None` where one is not closed.
fn split(line: &str, separator: char) -> Option<Vec<String>> {
    let mut cells = Vec::new();
    let (mut cell, mut quoted) = (String::new(), false);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => cell.extend(chars.next()),
            '"' => quoted = !quoted,
            c if c == separator && !quoted => {
                cells.push(cell.trim().to_owned());
                cell.clear();
            }
            c => cell.push(c),
        }
    }
    cells.push(cell.trim().to_owned());
    (!quoted).then_some(cells)
}

fn check_names(names: &[String]) -> Result<(), TableError> {
    if names[0] != TIMES {
        return Err(TableError::NoTimes { name: names[0].clone() });
    }
    if let Some(k) = names.iter().position(String::is_empty) {
        return Err(TableError::NoName { column: k + 1 });
    }
    let mut seen = HashSet::new();
    if let Some(name) = names.iter().find(|name| !seen.insert(name.as_str())) {
        return Err(TableError::Duplicate { name: name.clone() });
    }
    let of_nothing = |name: &&String| {
        sigma_of(name).is_some_and(|of| of == TIMES || sigma_of(of).is_some() || !seen.contains(of))
    };
    if let Some(name) = names.iter().find(of_nothing) {
        return Err(TableError::SigmaOfNothing { name: name.clone() });
    }
    match names.len() {
        1 => Err(TableError::NoColumns),
        _ => Ok(()),
    }
}

/// The number in a cell, if something was measured.
fn number(cell: &str, at: impl Fn() -> String) -> Result<Option<f64>, ModelError> {
    if cell.is_empty() || cell == "NA" {
        return Ok(None);
    }
    match cell.parse::<f64>() {
        Ok(value) if value.is_nan() => Ok(None),
        Ok(value) if value.is_infinite() => Err(ModelError::NotFinite { path: at(), value }),
        Ok(value) => Ok(Some(value)),
        Err(_) => Err(failed(at(), TableError::NotANumber { text: cell.to_owned() })),
    }
}
