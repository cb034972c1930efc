//! Schedules for a budget of bytes: chains whose steps differ.

mod table;
mod groups;
mod heterogeneous;
mod prediction;

pub use heterogeneous::Heterogeneous;
pub use prediction::Prediction;
