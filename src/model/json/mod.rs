//! Reads the model format of docs/model-format.md.

mod tree;
mod cursor;
mod formulas;
mod table;
mod observations;

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use self::cursor::Cursor;
use self::formulas::Formulas;
use self::observations::observations;
use self::tree::Json;
use super::build::Definition;
use super::names::Names;
use super::{Model, Parameter, Scale};
use crate::error::ModelError;
use crate::expr::{Expr, nearest};

/// `$schema` is for editors.
const KEYS: [&str; 9] = [
    "name",
    "source",
    "time",
    "states",
    "parameters",
    "expressions",
    "rates",
    "objective",
    "$schema",
];

impl Model {
    /// Reads a model from the text of a model file.
    ///
    /// ```
    /// use costate::model::Model;
    /// let model = Model::from_json(
    ///     r#"{ "name": "decay", "time": { "start": 0, "end": 1 },
    ///          "states": { "x": 1 }, "parameters": { "k": 0.5 }, "rates": { "x": "-k * x" } }"#,
    /// )?;
    /// assert_eq!(model.nominal(), [0.5]);
    /// # Ok::<(), costate::error::ModelError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// What is wrong, where, and what to try, in one line; also where the text names tables of
    /// measurements, for which [`from_json_in`](Self::from_json_in) knows a directory.
    pub fn from_json(text: &str) -> Result<Model, ModelError> {
        Self::read(text, None)
    }

    /// Reads a model from the text of a model file whose tables lie in `directory`.
    ///
    /// # Errors
    ///
    /// As [`from_json`](Self::from_json), and what is wrong with a table, with file, line and
    /// column.
    pub fn from_json_in(text: &str, directory: impl AsRef<Path>) -> Result<Model, ModelError> {
        Self::read(text, Some(directory.as_ref()))
    }

    fn read(text: &str, directory: Option<&Path>) -> Result<Model, ModelError> {
        if text.trim().is_empty() {
            return Err(ModelError::Empty);
        }
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let json: Json = serde_json::from_str(text)
            .map_err(|error| ModelError::NotJson { reason: error.to_string() })?;
        definition(&Cursor::root(&json), directory)?.build()
    }

    /// Reads a model file, and the tables it names, which lie in its directory.
    ///
    /// # Errors
    ///
    /// As [`from_json_in`](Self::from_json_in), with the file's path in front.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Model, ModelError> {
        let path = path.as_ref();
        let directory = path.parent().unwrap_or(Path::new(""));
        let model = read_text_file(path).and_then(|text| Model::from_json_in(&text, directory));
        model.map_err(|error| ModelError::InFile {
            path: path.display().to_string(),
            error: Box::new(error),
        })
    }
}

/// Bytes of the longest text that is read: a device may have no end.
const LONGEST_TEXT: u64 = 256 << 20;

/// The text of a model from whatever can be read, to its end.
///
/// # Errors
///
/// Where reading fails, where there is no end in sight, and where it is not UTF-8.
pub fn read_text(from: impl Read) -> Result<String, ModelError> {
    let mut text = String::new();
    let read = from.take(LONGEST_TEXT + 1).read_to_string(&mut text);
    match read.map_err(unreadable)? as u64 {
        0..=LONGEST_TEXT => Ok(text),
        _ => Err(ModelError::Unreadable { reason: format!("more than {LONGEST_TEXT} bytes") }),
    }
}

/// The text of a model file, as [`read_text`].
///
/// # Errors
///
/// As [`read_text`], and where the file cannot be opened.
pub fn read_text_file(path: impl AsRef<Path>) -> Result<String, ModelError> {
    read_text(File::open(path).map_err(unreadable)?)
}

fn unreadable(error: std::io::Error) -> ModelError {
    match error.kind() {
        ErrorKind::InvalidData => ModelError::NotUtf8,
        _ => ModelError::Unreadable { reason: error.to_string() },
    }
}

fn definition(root: &Cursor, directory: Option<&Path>) -> Result<Definition, ModelError> {
    let model = root.object(&KEYS)?;
    model.get("$schema").map(Cursor::text).transpose()?;
    let name = model.need("name")?.text()?.to_owned();
    let source = model.get("source").map(Cursor::text).transpose()?.map(str::to_owned);
    let span = span(model.need("time")?)?;
    let states = model.need("states")?.entries()?;
    if states.is_empty() {
        return Err(ModelError::NoStates { path: "states".into() });
    }
    let parameters = model.get("parameters").map_or_else(|| Ok(Vec::new()), Cursor::entries)?;
    let expressions = model.get("expressions").map_or_else(|| Ok(Vec::new()), Cursor::entries)?;
    check_names(&[
        ("states", "a state", &states),
        ("parameters", "a parameter", &parameters),
        ("expressions", "an expression", &expressions),
    ])?;

    let mut scaled = Vec::with_capacity(parameters.len());
    for (name, at) in &parameters {
        scaled.push(parameter(name, at)?);
    }
    let state_symbols = (0..).zip(&states).map(|(i, (name, _))| (*name, Expr::state(i)));
    let param_symbols = (0..).zip(&parameters).zip(&scaled);
    let param_symbols = param_symbols.map(|((i, (name, _)), p)| (*name, symbol(i, p.scale)));
    let mut formulas = Formulas::new(state_symbols.chain(param_symbols));
    formulas.define(&expressions)?;

    let mut definition = Definition {
        name,
        source,
        span: Some(span),
        states: states.iter().map(|(name, _)| (*name).to_owned()).collect(),
        initial: states.iter().map(|(_, at)| formulas.read(at)).collect::<Result<_, _>>()?,
        rates: rates(model.need("rates")?, &states, &formulas)?,
        parameters: scaled,
        expressions: formulas.named(expressions.iter().map(|&(name, _)| name)),
        ..Definition::default()
    };
    if let Some(at) = model.get("objective") {
        let object = at.object(&["terminal", "observations", "running"])?;
        definition.terminal = object.get("terminal").map(|at| formulas.read(at)).transpose()?;
        definition.running = object.get("running").map(|at| formulas.read(at)).transpose()?;
        if let Some(list) = object.get("observations") {
            definition.observables = observations(list, &formulas, directory)?;
        }
    }
    Ok(definition)
}

/// A name and what is written for it.
type Entry<'a> = (&'a str, Cursor<'a>);

fn check_names(sections: &[(&str, &'static str, &[Entry])]) -> Result<(), ModelError> {
    let mut names = Names::default();
    for &(section, what, entries) in sections {
        for (name, _) in entries {
            names.claim(section, name, what)?;
        }
    }
    Ok(())
}

/// The value that a formula sees, where the parameter vector holds θ.
fn symbol(i: u32, scale: Scale) -> Expr {
    match scale {
        Scale::Linear => Expr::param(i),
        Scale::Log10 => Expr::from(10.0).pow(Expr::param(i)),
    }
}

fn span(at: &Cursor) -> Result<(f64, f64), ModelError> {
    let time = at.object(&["start", "end"])?;
    Ok((time.need("start")?.number()?, time.need("end")?.number()?))
}

fn parameter(name: &str, at: &Cursor) -> Result<Parameter, ModelError> {
    if let Json::Number(value) = at.json() {
        return Ok(Parameter::new(name, *value));
    }
    if !matches!(at.json(), Json::Object(_)) {
        return Err(at.wrong_type("a number or an object with `value`"));
    }
    let object = at.object(&["value", "unit", "scale", "bounds"])?;
    let value = object.need("value")?.number()?;
    let unit = object.get("unit").map(Cursor::text).transpose()?.map(str::to_owned);
    let scale = object.get("scale").map_or(Ok(Scale::Linear), scale)?;
    let bounds = object.get("bounds").map(bounds).transpose()?;
    let smallest = bounds.map_or(value, |(lower, _)| lower.min(value));
    if scale == Scale::Log10 && smallest <= 0.0 {
        return Err(ModelError::NotPositive { path: at.path(), value: smallest });
    }
    if let Some((lower, upper)) = bounds
        && !(lower <= value && value <= upper)
    {
        return Err(ModelError::OutsideBounds { path: at.path(), value, lower, upper });
    }
    Ok(Parameter { name: name.to_owned(), value, unit, scale, bounds })
}

fn scale(at: &Cursor) -> Result<Scale, ModelError> {
    match at.text()? {
        "lin" => Ok(Scale::Linear),
        "log10" => Ok(Scale::Log10),
        other => Err(ModelError::UnknownScale { path: at.path(), scale: other.to_owned() }),
    }
}

fn bounds(at: &Cursor) -> Result<(f64, f64), ModelError> {
    match at.numbers()?.as_slice() {
        &[lower, upper] if lower < upper => Ok((lower, upper)),
        &[lower, upper] => Err(ModelError::Bounds { path: at.path(), lower, upper }),
        other => Err(ModelError::Length {
            path: at.path(),
            things: "numbers",
            expected: 2,
            found: other.len(),
        }),
    }
}

/// One rate for each state, in the order of the states.
fn rates(at: &Cursor, states: &[Entry], formulas: &Formulas) -> Result<Vec<Expr>, ModelError> {
    let entries = at.entries()?;
    let known: HashSet<&str> = states.iter().map(|&(state, _)| state).collect();
    for &(name, _) in &entries {
        if !known.contains(name) {
            let suggestion = nearest(name, states.iter().map(|&(state, _)| state));
            let (path, name) = (at.path(), name.to_owned());
            return Err(ModelError::RateOfUnknownState { path, name, suggestion });
        }
    }
    let by_name: HashMap<_, _> = entries.into_iter().collect();
    let rate = |&(state, _): &Entry| match by_name.get(state) {
        Some(rate) => formulas.read(rate),
        None => Err(ModelError::MissingRate { path: at.path(), state: state.to_owned() }),
    };
    states.iter().map(rate).collect()
}
