//! Error control: from a tolerance to the times of the steps.
//!
//! A step whose error norm is at most 1 is accepted; the next is longer by
//! 0.9 err_n^{−0.7/k} err_{n−1}^{0.4/k}, k = embedded order + 1 (the PI controller of Gustafsson,
//! ACM TOMS 17 (1991), doi 10.1145/210232.210242), within [0.2, 10].

mod settings;
mod state;
mod stops;

mod first_step;
mod growth;

mod controller;

#[cfg(test)]
mod stiff_tests;

pub use controller::{Controlled, ErrorBeside, StepController};
pub use settings::{Control, StepReport};
pub use state::ControlState;
pub use stops::Stops;
