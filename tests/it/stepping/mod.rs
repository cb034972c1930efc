//! Where a run's steps look, and what they see: laws over every method.

mod stage_times;
mod stiffness;
