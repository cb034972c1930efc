//! Reaction kinetics.

pub mod robertson;
