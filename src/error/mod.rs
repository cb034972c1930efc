//! Why a solve stopped: step, time, component, and what to try.

mod expr;
mod model;

pub use expr::{ParseError, ParseProblem, Position};
pub use model::ModelError;
