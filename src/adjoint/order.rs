//! An action for one of several workers.

use crate::schedule::Effect;

/// An action, and when it may be done.
#[derive(Clone, Copy, Debug)]
pub(super) struct Order {
    pub effect: Effect,
    /// How many actions meet the slot before this one.
    pub turn: u64,
    /// The worker's next action overwrites its current state.
    pub is_last_use_of_state: bool,
    /// The slot is freed next, by the same worker.
    pub is_last_use_of_slot: bool,
}

/// The workers were stopped while one waited.
pub(super) struct Stopped;
