//! Measurements of a function of the state.

use crate::expr::Expr;

/// A function g of the state, and what was measured of it: adds
/// Σ_i ((g(t_i, y(t_i), p) − data_i)/σ_i)² to the objective.
#[derive(Clone, Debug)]
pub struct Observable {
    /// Name: the one given, or the expression as it was written.
    pub name: String,
    /// Times t_i, as given.
    pub times: Vec<f64>,
    /// Measured numbers, one for each time.
    pub data: Vec<f64>,
    /// Where it was defined, for messages.
    pub(super) path: String,
    pub(super) expression: Expr,
    pub(super) sigma: Sigma,
    pub(super) column: Option<TableColumn>,
}

/// The standard deviation of the measurements.
#[derive(Clone, Debug)]
pub(super) enum Sigma {
    Expression(Expr),
    /// One for each time.
    List(Vec<f64>),
}

/// Where measurements stand in a table.
#[derive(Clone, Debug)]
pub(super) struct TableColumn {
    pub path: String,
    /// Of each number, from 1.
    pub lines: Vec<usize>,
}

impl Observable {
    /// Whether the measurements stand in a table beside the model.
    pub fn is_from_table(&self) -> bool {
        self.column.is_some()
    }

    /// Standard deviations σ_i, where there is a list of them.
    pub fn listed_sigma(&self) -> Option<&[f64]> {
        match &self.sigma {
            Sigma::List(list) => Some(list),
            Sigma::Expression(_) => None,
        }
    }

    /// Where the i-th number of the list `times`, `data` or `sigma` stands, for messages.
    pub(super) fn place(&self, list: &str, i: usize) -> String {
        let Some(TableColumn { path, lines }) = &self.column else {
            return format!("{}.{list}[{i}]", self.path);
        };
        match list {
            "times" => place(path, lines[i], "t"),
            "sigma" => place(path, lines[i], &sigma_column(&self.name)),
            _ => place(path, lines[i], &self.name),
        }
    }
}

/// A cell of a table, for messages.
pub(super) fn place(path: &str, line: usize, column: &str) -> String {
    format!("{path}, line {line}, column `{}`", crate::error::shown(column))
}

/// The column of the standard deviations of the observable called `name`.
pub(super) fn sigma_column(name: &str) -> String {
    format!("sigma({name})")
}
