//! costate computes gradients of functions of an ODE's solution: exactly, fast, and in as much
//! memory as the caller allows.
//!
//! The order of the modules below is the architecture: a module uses only those above it.

pub mod error;
pub mod scalar;
pub mod linalg;
pub mod expr;
pub mod ode;
pub mod grid;
pub mod objective;
pub mod model;
pub mod tableau;
pub mod stepper;
pub mod control;
pub mod continuous;
pub mod recurrence;
pub mod schedule;
pub mod snapshot;
pub mod adjoint;
pub mod curve;
pub mod verify;
pub mod solve;
pub mod method;
pub mod problem;
pub mod ensemble;
#[cfg(feature = "plot")]
pub mod plot;
