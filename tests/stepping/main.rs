//! Where a run's steps look, and what they see: laws over every method.

#[path = "../common/mod.rs"]
mod common;

mod stage_times;
mod stiffness;
