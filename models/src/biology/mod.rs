//! Populations and reactions of living things.

pub mod gene_expression;
pub mod hare_lynx;
pub mod lotka_volterra;
