//! Which states to keep and which to recompute: iterators over integer actions.

mod costs;
mod machine;
mod counts;
mod binomial;
mod online;
mod kind;
mod budgeted;
mod unequal;
mod tiers;
mod workers;
pub mod optimum;

pub use binomial::{Bisection, Resumed, Revolve, Uniform};
pub use budgeted::{Mixed, MixedOnline};
pub use costs::{Costs, Sizes, StepCost};
pub use counts::Counts;
pub use kind::ScheduleKind;
pub use machine::{Content, Effect, Machine};
pub use online::{Ended, Online, StoreAll, StoreAllOnline};
pub use tiers::{Multistage, Periodic, SlotCosts, TierCosts, Transfer, makespan};
pub use unequal::{Heterogeneous, Prediction};
pub use workers::{
    OnWorker, OneWorker, OnlineWorkerSchedule, TwoProcessor, TwoProcessorOnline, WorkerCosts,
    WorkerCounts, WorkerSchedule,
};

use crate::error::ScheduleError;

/// What a slot keeps of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Keep {
    /// Its state y_n.
    State,
    /// Its state and its stages: all that its adjoint needs, so that it is not taken again.
    Tape,
}

/// A state kept in a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptState {
    /// n of the state y_n.
    pub step: usize,
    /// Where it is.
    pub slot: usize,
}

/// One action of a reverse sweep over the steps 0, 1, …, N−1 of a chain y_{n+1} = Φ_n(y_n).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Keep the current state y_`step`, or the tape of the step `step` that was just taken and led
    /// to the current state, in `slot`, overwriting what was there. The tape of the last step of
    /// the chain is not kept.
    Store {
        /// n of what is kept.
        step: usize,
        /// Where it is kept.
        slot: usize,
        /// The state, or the state with its stages.
        keep: Keep,
    },
    /// Make the state y_`step` kept in `slot`, alone or on a tape, the current one. The slot stays
    /// valid.
    Restore {
        /// n of the state y_n that the slot holds.
        step: usize,
        /// Where it was kept.
        slot: usize,
    },
    /// Take the steps `from`, …, `to`−1 from the current state y_`from`; y_`to` is then current.
    Advance {
        /// The first step taken.
        from: usize,
        /// The first step not taken.
        to: usize,
    },
    /// Take step `step` from the current state y_`step` with a tape, and apply its adjoint. Where
    /// the last action restored y_`step` from a tape, the step is not taken again.
    Reverse {
        /// n of the current state y_n.
        step: usize,
    },
    /// Give back the memory of a slot. What it held is lost.
    Free {
        /// Whose memory.
        slot: usize,
    },
}

/// An iterator over the actions that reverse a chain; its last action is `Reverse { step: 0 }`.
///
/// ```
/// use costate::schedule::Action::{Advance, Restore, Reverse, Store};
/// use costate::schedule::{Keep, Revolve};
///
/// let actions: Vec<_> = Revolve::new(3, 1)?.collect();
/// let restore = Restore { step: 0, slot: 0 };
/// assert_eq!(actions[..3], [
///     Store { step: 0, slot: 0, keep: Keep::State },
///     Advance { from: 0, to: 2 },
///     Reverse { step: 2 },
/// ]);
/// assert_eq!(actions[3..6], [restore, Advance { from: 0, to: 1 }, Reverse { step: 1 }]);
/// assert_eq!(actions[6..], [restore, Reverse { step: 0 }]);
/// # Ok::<(), costate::error::ScheduleError>(())
/// ```
pub trait Schedule: Iterator<Item = Action> + Send {
    /// An upper bound on the slots that are in use at once.
    fn num_slots(&self) -> usize;
    /// Bytes that its own lists and tables have taken so far at most, what they held while they
    /// grew included. They count in [`peak_bytes`](crate::adjoint::Stats::peak_bytes).
    fn bytes(&self) -> usize;
}

/// A schedule whose chain ends when the driver says so.
pub trait OnlineSchedule: Schedule {
    /// Says that the chain has `num_steps` steps, right after its last one was taken. The driver
    /// holds y_{N−1} as the current state; what follows is the reverse sweep.
    fn end(&mut self, num_steps: usize);
}

impl<T: Schedule + ?Sized> Schedule for Box<T> {
    fn num_slots(&self) -> usize {
        (**self).num_slots()
    }

    fn bytes(&self) -> usize {
        (**self).bytes()
    }
}

impl<T: OnlineSchedule + ?Sized> OnlineSchedule for Box<T> {
    fn end(&mut self, num_steps: usize) {
        (**self).end(num_steps);
    }
}

fn check_slots(slots: usize) -> Result<(), ScheduleError> {
    if slots == 0 { Err(ScheduleError::NoSlots) } else { Ok(()) }
}

/// Slots beyond those that `steps` can use are not asked for: y_{N−1} is current when needed.
fn useful_slots(steps: usize, slots: usize) -> usize {
    slots.min(steps.saturating_sub(1))
}
