//! Models written for [diffsol](https://docs.rs/diffsol) 0.18, and this library's models given to
//! diffsol (feature `diffsol`).
//!
//! [`Adapter`] makes the equations of a diffsol problem a model here. [`to_problem`] goes the
//! other way: diffsol's solvers can then check what is computed here.
//!
//! diffsol's transposed closures write −Jᵀv; the adapter undoes the sign. What a diffsol problem
//! says about tolerances and outputs stays there: tolerances and objective are given here.

mod equations;
mod error;
mod problem;
mod work;
mod adapter;
mod initial;

pub use adapter::Adapter;
pub use equations::{AdjointEquations, Equations, ImplicitEquations};
pub use error::AdapterError;
pub use problem::to_problem;
pub use work::AdapterWork;
