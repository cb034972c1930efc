//! Models whose right-hand side is learned.

pub mod neural_ode;
