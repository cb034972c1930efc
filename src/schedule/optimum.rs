//! The least work of reversing a chain in bounded memory.

pub use super::binomial::optimum::{binomial, repetition, t};
pub use super::budgeted::optimum::{mixed, mixed_bound};
