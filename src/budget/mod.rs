//! Memory as a budget: what a chain costs, measured, and the plan that makes the most of what there
//! is.

mod measure;
mod plan;

pub use measure::{Measured, measure, measure_places};
pub use plan::{Disk, Plan, Planned, Resources};
