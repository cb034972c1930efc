//! Schedules for a known number of steps and a number of slots, by the binomial optimum.

pub mod optimum;
mod reversal;
mod revolve;
mod bisection;
mod uniform;
mod resumed;

pub use bisection::Bisection;
pub use resumed::Resumed;
pub use reversal::Reversal;
pub use revolve::{Binomial, Revolve};
pub use uniform::Uniform;
