//! costate computes gradients of functions of an ODE's solution: exactly, fast, and in as much
//! memory as the caller allows.
//!
//! ```
//! use costate::{Model, Problem};
//!
//! let oscillator = Model::trace(2, 1, |_t, y, p| [y[1].clone(), -(&p[0] * &y[0])])
//!     .initial(|_p| [1.0.into(), 0.0.into()])
//!     .terminal(|y, _p| y[0].clone())
//!     .build()?;
//! let g = Problem::new(&oscillator, (0.0, 1.0), &[4.0])
//!     .rtol(1e-9)
//!     .snapshots(5)
//!     .gradient()?;
//! assert!((g.wrt_params[0] + 0.25 * 2f64.sin()).abs() < 1e-8); // J = cos(√p)
//! # Ok::<(), costate::Error>(())
//! ```
//!
//! Start with the [tutorial](guide::tutorial); then [which method](guide::methods), [how the adjoint
//! is taken](guide::adjoints), [which states are kept](guide::checkpointing), [memory as a
//! budget](guide::budgets), [files and resuming](guide::disk), [a second core](guide::workers),
//! [model files](model) and [the design](guide::design).
//!
//! The order of the modules below is the architecture: a module uses only those above it.

#![warn(missing_docs)]

pub mod error;
pub mod numbers;
pub mod ode;
pub mod expr;
pub mod model;
pub mod method;
pub mod recurrence;
pub mod schedule;
pub mod snapshot;
pub mod adjoint;
pub mod plan;
pub mod verify;
pub mod problem;
#[cfg(feature = "diffsol")]
pub mod diffsol;
#[cfg(feature = "nalgebra")]
pub mod nalgebra;
#[cfg(feature = "plot")]
pub mod plot;
#[cfg(any(doc, doctest))]
pub mod guide;

pub use adjoint::Gradient;
pub use error::Error;
pub use method::Method;
pub use model::Model;
pub use problem::Problem;
