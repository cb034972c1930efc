//! Partial differential equations by the method of lines.

pub mod advected_fisher;
pub mod brusselator;
pub mod burgers;
