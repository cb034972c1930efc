//! Schedules for slots of two tiers, memory and disk.

mod costs;
mod table;
mod multistage;
mod periodic;
mod makespan;

pub use costs::{SlotCosts, TierCosts, Transfer};
pub use makespan::makespan;
pub use multistage::Multistage;
pub use periodic::Periodic;
