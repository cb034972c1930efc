//! The names that formulas of a model may use, and the formulas behind them.

use std::collections::{HashMap, HashSet};

use super::cursor::Cursor;
use super::tree::Json;
use crate::error::{ModelError, ParseError, ParseProblem};
use crate::expr::{Expr, nearest, parse};

/// What each name stands for.
pub(super) struct Formulas<'a> {
    known: HashMap<&'a str, Expr>,
}

impl<'a> Formulas<'a> {
    /// States and parameters.
    pub fn new(symbols: impl IntoIterator<Item = (&'a str, Expr)>) -> Self {
        Formulas { known: symbols.into_iter().collect() }
    }

    /// A number, or a text that is a formula.
    pub fn read(&self, at: &Cursor) -> Result<Expr, ModelError> {
        let text = match at.json() {
            Json::Number(x) => return Ok(Expr::from(*x)),
            Json::Text(text) => text,
            _ => return Err(at.wrong_type("a number or a formula in quotes")),
        };
        self.read_text(text, at.path())
    }

    /// The formula in a text that stands at `path`.
    pub fn read_text(&self, text: &str, path: String) -> Result<Expr, ModelError> {
        parse(text, &mut |name| self.known.get(name).cloned())
            .map_err(|error| self.explain(path, error, []))
    }

    /// Whether a name stands for something.
    pub fn knows(&self, name: &str) -> bool {
        self.known.contains_key(name)
    }

    /// What these names stand for, where they stand for something.
    pub fn named(&self, names: impl Iterator<Item = &'a str>) -> Vec<(String, Expr)> {
        names.filter_map(|name| Some((name.to_owned(), self.known.get(name)?.clone()))).collect()
    }

    /// Adds named formulas, which may use each other in any order.
    pub fn define(&mut self, entries: &[(&'a str, Cursor<'a>)]) -> Result<(), ModelError> {
        let index: HashMap<&str, usize> =
            entries.iter().enumerate().map(|(i, &(name, _))| (name, i)).collect();
        let mut uses = Vec::with_capacity(entries.len());
        for (_, at) in entries {
            uses.push(self.names_in(at, &index)?);
        }
        for i in in_order(entries, &uses)? {
            let (name, at) = &entries[i];
            let expr = self.read(at)?;
            self.known.insert(name, expr);
        }
        Ok(())
    }

    /// Which of the named formulas this one uses.
    fn names_in<'b>(
        &'b self,
        at: &Cursor,
        index: &'b HashMap<&str, usize>,
    ) -> Result<Vec<usize>, ModelError> {
        let Json::Text(text) = at.json() else { return Ok(Vec::new()) };
        let mut used = Vec::new();
        let placeholder = Expr::from(0.0);
        let outcome = parse(text, &mut |name| match index.get(name) {
            Some(&i) => {
                used.push(i);
                Some(placeholder.clone())
            }
            None => self.known.contains_key(name).then(|| placeholder.clone()),
        });
        outcome.map_err(|error| self.explain(at.path(), error, index.keys().copied()))?;
        Ok(used)
    }

    /// Adds the name that may have been meant.
    fn explain<'b>(
        &'b self,
        path: String,
        mut error: ParseError,
        others: impl IntoIterator<Item = &'b str>,
    ) -> ModelError {
        if let ParseProblem::UnknownName { name, suggestion } = &mut error.problem {
            let known = self.known.keys().copied();
            let mut candidates: Vec<&str> = known.chain(others).collect();
            candidates.sort_unstable();
            *suggestion = nearest(name, candidates);
        }
        ModelError::Formula { path, error }
    }
}

/// The formulas, each behind those it uses. The walk keeps its own stack.
fn in_order(entries: &[(&str, Cursor)], uses: &[Vec<usize>]) -> Result<Vec<usize>, ModelError> {
    let mut order = Vec::with_capacity(uses.len());
    let (mut done, mut open) = (vec![false; uses.len()], HashSet::new());
    for root in 0..uses.len() {
        let mut path: Vec<(usize, usize)> = Vec::new();
        if !done[root] {
            path.push((root, 0));
            open.insert(root);
        }
        while let Some((i, next)) = path.last_mut() {
            let Some(&used) = uses[*i].get(*next) else {
                done[*i] = true;
                open.remove(i);
                order.push(*i);
                path.pop();
                continue;
            };
            *next += 1;
            if open.contains(&used) {
                let start = path.iter().position(|&(i, _)| i == used).unwrap_or(0);
                let circle = path[start..].iter().map(|&(i, _)| i).chain([used]);
                let cycle = circle.map(|i| entries[i].0.to_owned()).collect();
                return Err(ModelError::Cycle { path: entries[used].1.path(), cycle });
            }
            if !done[used] {
                open.insert(used);
                path.push((used, 0));
            }
        }
    }
    Ok(order)
}
