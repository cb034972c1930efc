//! Memory as a budget: what a chain costs, measured, and the plan that makes the most of what there
//! is.

mod assumed;
mod best;
mod follow;
mod measure;
mod on_lanes;
mod online;
mod plan;
mod size;

pub use assumed::Assumed;
pub use best::Candidate;
pub use measure::{Measured, measure, measure_places, measure_whole};
pub(crate) use measure::{slot_bytes_of, sweep_bytes};
pub(crate) use online::{file_buffers, times_left, times_with_slots};
pub(crate) use plan::Way;
pub use plan::{Disk, Plan, Planned, Resources};
pub use size::parse_bytes;
