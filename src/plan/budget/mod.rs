//! Memory as a budget: what a chain costs, measured, and the plan that makes the most of what there
//! is.

mod measure;

mod assumed;
mod plan;

mod on_workers;

mod best;

mod offline;
mod online;

mod follow;

pub use assumed::Assumed;
pub use measure::{Measured, measure, measure_places, measure_whole};
pub(crate) use measure::{slot_bytes_of, sweep_bytes};
pub(crate) use online::{file_buffers, times_left, times_with_slots};
pub(crate) use plan::Way;
pub use plan::{Candidate, Disk, Plan, Planned, Resources};
