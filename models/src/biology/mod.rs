//! Populations and reactions of living things.

pub mod lotka_volterra;
