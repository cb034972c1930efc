//! Measurements of a function of the state.

use crate::expr::Expr;

/// Adds Σ_i ((g(t_i, y(t_i), p) − data_i)/σ_i)² to the objective.
#[derive(Clone, Debug)]
pub(super) struct Observable {
    /// Where it was defined, for messages.
    pub path: String,
    pub expression: Expr,
    pub times: Vec<f64>,
    pub data: Vec<f64>,
    pub sigma: Sigma,
}

/// The standard deviation of the measurements.
#[derive(Clone, Debug)]
pub(super) enum Sigma {
    Expression(Expr),
    /// One for each time.
    List(Vec<f64>),
}
