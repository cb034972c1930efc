//! Partial differential equations by the method of lines.

pub mod brusselator;
pub mod burgers;
