//! Schedules for a budget of bytes: states and tapes of a chain of equal steps.

mod pool;
pub mod sweep;
pub mod table;
mod longest_chain;
pub mod optimum;
pub mod equal_steps;
mod mixed;
mod mixed_online;

pub use mixed::Mixed;
pub use mixed_online::MixedOnline;
