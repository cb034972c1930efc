//! Observations: lists of numbers in the model, or columns of a table beside it.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::cursor::{Cursor, Object};
use super::formulas::Formulas;
use super::read_text_file;
use super::table::{Measured, Table};
use super::tree::Json;
use crate::error::{ModelError, TableError, number};
use crate::expr::Expr;
use crate::model::observable::sigma_column;
use crate::model::observable::{Observable, Sigma, TableColumn};

const KEYS: [&str; 5] = ["name", "expression", "times", "data", "sigma"];

/// Reads observations; tables lie in `directory`.
pub(super) fn observations(
    at: &Cursor,
    formulas: &Formulas,
    directory: Option<&Path>,
) -> Result<Vec<Observable>, ModelError> {
    let mut tables = Tables { directory, read: BTreeMap::new() };
    let (mut list, mut labels) = (Vec::new(), Labels::default());
    for at in at.items()? {
        let object = at.object(&KEYS)?;
        let found = match object.need("data")?.json() {
            Json::Text(name) => in_table(&at, &object, tables.get(&at, name)?, formulas)?,
            _ => vec![listed(&at, &object, formulas)?],
        };
        for (text, observable) in found {
            labels.claim(&observable, text, formulas)?;
            list.push(observable);
        }
    }
    Ok(list)
}

/// An observable, and what is observed as it is written.
type Written = (String, Observable);

fn listed(at: &Cursor, object: &Object, formulas: &Formulas) -> Result<Written, ModelError> {
    let sigma = match object.get("sigma") {
        Some(at) if matches!(at.json(), Json::Array(_)) => Sigma::List(at.numbers()?),
        sigma => sigma_formula(sigma, formulas)?,
    };
    let expression = object.need("expression")?;
    let text = written(expression)?;
    let observable = Observable {
        name: name(object)?.unwrap_or_else(|| text.clone()),
        path: at.path(),
        expression: formulas.read(expression)?,
        times: object.need("times")?.numbers()?,
        data: object.need("data")?.numbers()?,
        sigma,
        column: None,
    };
    Ok((text, observable))
}

/// One column where the object names it or what is observed, otherwise all of them.
fn in_table(
    at: &Cursor,
    object: &Object,
    table: &Table,
    formulas: &Formulas,
) -> Result<Vec<Written>, ModelError> {
    if object.get("times").is_some() {
        return Err(ModelError::TimesTwice { path: at.path() });
    }
    if let Some(sigma) = object.get("sigma").filter(|at| matches!(at.json(), Json::Array(_))) {
        return Err(sigma.wrong_type("a number or a formula, as the data are in a table"));
    }
    let given = object.get("expression");
    let text = given.map(written).transpose()?;
    let names = match name(object)?.or_else(|| text.clone()) {
        Some(name) => vec![name],
        None => table.names().map(str::to_owned).collect(),
    };
    let column = |name: String| {
        let measured = table.column(&name)?;
        let sigma = sigma_formula(object.get("sigma"), formulas)?;
        let (text, expression) = match given {
            Some(given) => (text.clone().unwrap_or_default(), formulas.read(given)?),
            None => (name.clone(), formulas.read_text(&name, table.header(&name))?),
        };
        if object.get("sigma").is_some() && measured.sigma.is_some() {
            let path = table.header(&sigma_column(&name));
            return Err(ModelError::Table { path, error: TableError::SigmaTwice });
        }
        Ok((text, in_column(table, name, measured, expression, sigma)))
    };
    names.into_iter().map(column).collect()
}

fn in_column(
    table: &Table,
    name: String,
    measured: Measured,
    expression: Expr,
    sigma: Sigma,
) -> Observable {
    let Measured { lines, times, data, sigma: listed } = measured;
    let sigma = listed.map_or(sigma, Sigma::List);
    let column = Some(TableColumn { path: table.path().to_owned(), lines });
    Observable { path: table.header(&name), name, expression, times, data, sigma, column }
}

fn sigma_formula(at: Option<&Cursor>, formulas: &Formulas) -> Result<Sigma, ModelError> {
    Ok(Sigma::Expression(match at {
        Some(at) => formulas.read(at)?,
        None => 1.0.into(),
    }))
}

fn name(object: &Object) -> Result<Option<String>, ModelError> {
    let text = object.get("name").map(Cursor::text).transpose()?;
    Ok(text.map(one_line))
}

/// A formula as it is written, on one line.
fn written(at: &Cursor) -> Result<String, ModelError> {
    match at.json() {
        Json::Number(x) => Ok(number(x)),
        Json::Text(text) => Ok(one_line(text)),
        _ => Err(at.wrong_type("a number or a formula in quotes")),
    }
}

/// With one blank for each stretch of blanks and line breaks.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Tables in the directory of the model, each read once.
struct Tables<'a> {
    directory: Option<&'a Path>,
    read: BTreeMap<String, Table>,
}

impl Tables<'_> {
    fn get(&mut self, at: &Cursor, name: &str) -> Result<&Table, ModelError> {
        let Some(directory) = self.directory else {
            return Err(ModelError::NoDirectory { path: at.path(), name: name.to_owned() });
        };
        if !self.read.contains_key(name) {
            let path = directory.join(name);
            let shown = path.display().to_string();
            let in_file =
                |error| ModelError::InFile { path: shown.clone(), error: Box::new(error) };
            let table = Table::parse(&shown, &read_text_file(&path).map_err(in_file)?)?;
            self.read.insert(name.to_owned(), table);
        }
        Ok(&self.read[name])
    }
}

/// What each observable is called: a name has one meaning.
#[derive(Default)]
struct Labels(HashMap<String, String>);

impl Labels {
    fn claim(
        &mut self,
        observable: &Observable,
        text: String,
        formulas: &Formulas,
    ) -> Result<(), ModelError> {
        let (path, name) = (observable.path.clone(), observable.name.clone());
        if name != text && formulas.knows(&name) {
            let taken_by = "a state, a parameter or an expression";
            return Err(ModelError::NameTaken { path, name, taken_by });
        }
        match self.0.get(&name) {
            Some(other) if *other != text => Err(ModelError::Duplicate { path, name }),
            Some(_) => Ok(()),
            None => {
                self.0.insert(name, text);
                Ok(())
            }
        }
    }
}
