//! Reversal by several workers, one a core: actions that name the worker that does them.

mod clock;
mod counts;
mod two_processor;
mod two_processor_online;

pub use counts::WorkerCounts;
pub use two_processor::TwoProcessor;
pub use two_processor_online::TwoProcessorOnline;

use super::{Action, OnlineSchedule, Schedule};

/// An action, and the worker that does it.
///
/// What the workers may do is said by [`Machine`](super::Machine). Worker 0's tape of a step that
/// was handed over is used where its own tape before is that of the step after it, and so has
/// y_{n+1}. A worker does its actions in their order, and each slot is used by its `Store`s,
/// `Restore`s and `Free`s in their order over all workers: a worker waits until it is the slot's
/// turn. So every list can be followed to its end without a deadlock, at any speeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnWorker {
    /// Number of the worker, from 0.
    pub worker: usize,
    /// What it does.
    pub action: Action,
}

/// An iterator over the actions of several workers that reverse a chain together; worker 0 begins
/// with y_0 as its current state, the others with none.
pub trait WorkerSchedule: Iterator<Item = OnWorker> + Send {
    /// An upper bound on the slots that are in use at once; where there are several workers, all
    /// are numbered below it.
    fn num_slots(&self) -> usize;
    /// Number of workers.
    fn num_workers(&self) -> usize;
    /// As [`Schedule::bytes`].
    fn bytes(&self) -> usize;
}

/// A schedule for workers whose chain ends when the driver says so. Until then all actions are
/// those of worker 0.
pub trait OnlineWorkerSchedule: WorkerSchedule {
    /// As [`OnlineSchedule::end`], for worker 0.
    fn end(&mut self, num_steps: usize);
}

/// A schedule whose actions are all those of worker 0.
///
/// ```
/// use costate::schedule::{Counts, OneWorker, Revolve, WorkerCosts, WorkerCounts};
/// let alone = WorkerCounts::of(OneWorker(Revolve::new(50, 4)?), WorkerCosts::USUAL)?;
/// assert_eq!(alone.advances, [Counts::of(Revolve::new(50, 4)?)?.advances]);
/// # Ok::<(), costate::error::ScheduleError>(())
/// ```
#[derive(Clone, Debug)]
pub struct OneWorker<T>(pub T);

impl<T: Schedule> Iterator for OneWorker<T> {
    type Item = OnWorker;

    fn next(&mut self) -> Option<OnWorker> {
        self.0.next().map(|action| OnWorker { worker: 0, action })
    }
}

impl<T: Schedule> WorkerSchedule for OneWorker<T> {
    fn num_slots(&self) -> usize {
        self.0.num_slots()
    }

    fn num_workers(&self) -> usize {
        1
    }

    fn bytes(&self) -> usize {
        self.0.bytes()
    }
}

impl<T: OnlineSchedule> OnlineWorkerSchedule for OneWorker<T> {
    fn end(&mut self, num_steps: usize) {
        self.0.end(num_steps);
    }
}

impl<T: WorkerSchedule + ?Sized> WorkerSchedule for Box<T> {
    fn num_slots(&self) -> usize {
        (**self).num_slots()
    }

    fn num_workers(&self) -> usize {
        (**self).num_workers()
    }

    fn bytes(&self) -> usize {
        (**self).bytes()
    }
}

impl<T: OnlineWorkerSchedule + ?Sized> OnlineWorkerSchedule for Box<T> {
    fn end(&mut self, num_steps: usize) {
        (**self).end(num_steps);
    }
}

/// What a step and its adjoint cost, in any unit; their ratio is what matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkerCosts {
    /// F: a step.
    pub step: u64,
    /// A: its adjoint, without the step that leaves the tape.
    pub adjoint: u64,
}

impl WorkerCosts {
    /// An adjoint twice as dear as its step, as with explicit methods.
    pub const USUAL: WorkerCosts = WorkerCosts { step: 1, adjoint: 2 };
}
