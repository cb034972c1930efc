//! Reversal with the help of another core: actions that name the lane that does them.

mod counts;
mod online;
mod pair;
mod pace;

pub use counts::LaneCounts;
pub use online::PairOnline;
pub use pair::Pair;

use super::Action;

/// An action, and the lane that does it.
///
/// Each lane has a current state and a tape of its own, beside the slots, which all lanes share.
/// Lane 0 alone reverses. The other lanes may keep tapes, which lane 0 alone restores; a tape that
/// is restored leaves its slot. Its step is reversed without being taken again where lane 0's own
/// tape before is that of the step after it, and so has y_{n+1}. A lane does its actions in their order, and each slot meets its `Store`s,
/// `Restore`s and `Free`s in their order over all lanes: a lane waits until it is the slot's turn.
/// So every list can be followed to its end without a deadlock, at any speeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnLane {
    /// Who does it.
    pub lane: usize,
    /// What is done.
    pub action: Action,
}

/// An iterator over the actions of several lanes that reverse a chain together; lane 0 begins with
/// y_0 as its current state, the others with none.
pub trait LaneSchedule: Iterator<Item = OnLane> + Send {
    /// An upper bound on the slots that are in use at once; all are numbered below it.
    fn num_slots(&self) -> usize;
    /// How many lanes there are.
    fn num_lanes(&self) -> usize;
    /// As [`Schedule::bytes`](super::Schedule::bytes).
    fn bytes(&self) -> usize;
}

/// A schedule for lanes whose chain ends when the driver says so. Until then all actions are those
/// of lane 0.
pub trait OnlineLaneSchedule: LaneSchedule {
    /// Says that the chain has `num_steps` steps, right after its last one was taken. Lane 0 holds
    /// y_{N−1} as its current state.
    fn end(&mut self, num_steps: usize);
}

/// What a step and its adjoint cost, in any unit; their ratio is what matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneCosts {
    /// F: a step.
    pub step: u64,
    /// A: its adjoint, without the step that leaves the tape.
    pub adjoint: u64,
}

impl LaneCosts {
    /// An adjoint twice as dear as its step, as with explicit methods.
    pub const USUAL: LaneCosts = LaneCosts { step: 1, adjoint: 2 };
}
