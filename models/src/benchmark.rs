//! A model with everything that a run needs.

use costate::ode::objective::Terminal;

/// An objective φ(y(T)) of plain functions.
pub type TerminalCost =
    Terminal<fn(&[f64], &[f64]) -> f64, fn(&[f64], &[f64], &mut [f64], &mut [f64])>;

/// A model M, what is differentiated (J), and the nominal run.
#[derive(Clone, Debug)]
pub struct Benchmark<M, J> {
    /// The problem's short name, p1a for instance.
    pub id: &'static str,
    /// The model.
    pub ode: M,
    /// What is differentiated by the parameters.
    pub objective: J,
    /// The initial state, which does not depend on the parameters.
    pub y0: Vec<f64>,
    /// The nominal parameters.
    pub p: Vec<f64>,
    /// Start and end.
    pub span: (f64, f64),
    /// N of a problem that is defined by N equal steps of a method; else it is solved to a
    /// tolerance.
    pub fixed_steps: Option<usize>,
}
