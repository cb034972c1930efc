//! Reaction kinetics.

pub mod hires;
pub mod robertson;
