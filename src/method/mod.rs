//! Methods: coefficients, one step, error control, the adjoint equation, and which one is taken.

pub mod tableau;

pub mod stepper;

pub mod control;

pub mod continuous;
pub mod solve;

mod choice;

pub use choice::{AdjointKind, Method};
pub(crate) use choice::{adjoint_equation_by, backsolve_by};
