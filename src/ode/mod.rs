//! What a user writes by hand: the right-hand side of an ODE and its derivative products.
//!
//! y'(t) = f(t, y, p), y(t₀) = y₀(p), with y ∈ ℝᵈ (`dim`) and p ∈ ℝᵐ (`num_params`).

mod point;
mod dynamics;
mod jacobian;
mod initial;
mod shared;

pub mod grid;

pub mod objective;

pub use dynamics::{Jvp, Ode, Vjp};
pub use initial::Initial;
pub(crate) use jacobian::check_jacobian;
pub use jacobian::{Jacobian, MAX_DENSE, jacobian_at};
pub use point::{At, Bars, Dots, Rows};
