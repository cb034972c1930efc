//! costate computes gradients of functions of an ODE's solution: exactly, fast, and in as much
//! memory as the caller allows.
//!
//! ```
//! use costate::model::Model;
//! use costate::problem::Problem;
//!
//! let oscillator = Model::trace(2, 1, |_t, y, p| [y[1].clone(), -(&p[0] * &y[0])])
//!     .initial(|_p| [1.0.into(), 0.0.into()])
//!     .terminal(|y, _p| y[0].clone())
//!     .build()?;
//! let g = Problem::new(&oscillator, &oscillator, &oscillator, (0.0, 1.0), &[4.0])
//!     .rtol(1e-9)
//!     .snapshots(5)
//!     .gradient()?;
//! assert!((g.wrt_params[0] + 0.25 * 2f64.sin()).abs() < 1e-8); // J = cos(√p)
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Start with the [tutorial](guide::tutorial); then [how the adjoint is taken](guide::adjoints),
//! [what is kept](guide::checkpointing), [which method](guide::methods), [model files](model) and
//! [the design](guide::design).
//!
//! The order of the modules below is the architecture: a module uses only those above it.

#![warn(missing_docs)]

pub mod error;
pub mod scalar;
pub(crate) mod bytes;
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
pub mod journal;
pub mod adjoint;
pub mod backsolve;
pub mod budget;
pub mod curve;
pub mod verify;
pub mod solve;
pub mod method;
pub mod problem;
pub mod ensemble;
#[cfg(feature = "diffsol")]
pub mod diffsol;
#[cfg(feature = "plot")]
pub mod plot;
#[cfg(any(doc, doctest))]
pub mod guide;
