//! Benchmark and example models of costate, one file a model.

pub mod aerodynamics;
pub mod benchmark;
pub mod biology;
pub mod chemistry;
pub mod learning;
pub mod oscillators;
pub mod pde;
mod simd;

pub use benchmark::Benchmark;

#[cfg(test)]
mod check;
