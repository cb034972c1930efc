//! Populations and reactions of living things.

pub mod gene_expression;
pub mod lotka_volterra;
