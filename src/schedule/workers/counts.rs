//! What a schedule for several workers does, counted, and its virtual time.

use super::clock::Clock;
use super::{OnWorker, WorkerCosts, WorkerSchedule};
use crate::error::ScheduleError;
use crate::schedule::counts::InUse;
use crate::schedule::{Content, Effect, Keep, KeptState, Machine};

/// What a schedule for several workers does, counted, and when it would be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkerCounts {
    /// Steps that each worker takes by `Advance`.
    pub advances: Vec<u64>,
    /// `Reverse` actions: N.
    pub reverses: u64,
    /// `Store` actions.
    pub stores: u64,
    /// `Restore` actions.
    pub restores: u64,
    /// Steps reversed from a kept tape.
    pub from_tape: u64,
    /// The most states in slots at once, in the order of the list: one is, from its `Store` until
    /// it is freed or its step is reversed.
    pub snapshots_peak: u64,
    /// The most tapes in slots at once: one is, from its `Store` until it is restored or freed.
    pub tapes_peak: u64,
    /// When step 0 is reversed, where steps and adjoints take what they cost, copies nothing, and
    /// each worker has a core.
    pub makespan: u64,
}

impl WorkerCounts {
    /// Follows a schedule and counts.
    ///
    /// # Errors
    /// Where the [`Machine`] refuses an action, or not each of the steps N−1, …, 0 is reversed.
    pub fn of(
        schedule: impl WorkerSchedule,
        costs: WorkerCosts,
    ) -> Result<WorkerCounts, ScheduleError> {
        let machine = Machine::new(schedule.num_workers());
        Counter::new(&schedule, costs, machine).follow(schedule)
    }

    /// Follows the reverse sweep of a chain of `steps` steps that a first sweep has left with
    /// y_{N−1} and `kept`.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub fn of_resumed(
        schedule: impl WorkerSchedule,
        costs: WorkerCosts,
        steps: usize,
        kept: &[KeptState],
    ) -> Result<WorkerCounts, ScheduleError> {
        let machine = Machine::new(schedule.num_workers()).of_chain(steps, steps);
        let machine = machine.resume(steps.checked_sub(1), kept);
        let mut counter = Counter::new(&schedule, costs, machine);
        kept.iter().for_each(|kept| counter.states.add(kept.step));
        counter.follow(schedule)
    }
}

struct Counter {
    counts: WorkerCounts,
    costs: WorkerCosts,
    machine: Machine,
    clock: Clock,
    states: InUse,
    tapes: InUse,
}

impl Counter {
    fn new(schedule: &impl WorkerSchedule, costs: WorkerCosts, machine: Machine) -> Self {
        let workers = schedule.num_workers();
        let counts = WorkerCounts { advances: vec![0; workers], ..WorkerCounts::default() };
        let (states, tapes) = (InUse::default(), InUse::default());
        Counter { counts, costs, machine, clock: Clock::new(workers), states, tapes }
    }

    fn follow(mut self, schedule: impl WorkerSchedule) -> Result<WorkerCounts, ScheduleError> {
        for on_worker in schedule {
            self.apply(on_worker)?;
        }
        self.machine.check_end()?;
        (self.counts.snapshots_peak, self.counts.tapes_peak) = (self.states.peak, self.tapes.peak);
        Ok(self.counts)
    }

    fn apply(&mut self, OnWorker { worker, action }: OnWorker) -> Result<(), ScheduleError> {
        let effect = self.machine.apply(worker, action)?;
        if let Effect::Stored { slot, .. }
        | Effect::Restored { slot, .. }
        | Effect::Freed { slot, .. } = effect
        {
            self.clock.synchronise(worker, slot);
        }
        let counts = &mut self.counts;
        match effect {
            Effect::Stored { step, keep, replaced, .. } => {
                counts.stores += 1;
                replaced.into_iter().for_each(|content| self.give_up(content));
                self.in_use(keep).add(step);
            }
            Effect::Restored { step, keep, is_taken, .. } => {
                counts.restores += 1;
                if is_taken {
                    self.in_use(keep).remove(step);
                }
            }
            Effect::Advanced { from, to } => {
                let steps = (to - from) as u64;
                counts.advances[worker] += steps;
                self.clock.spend(worker, steps.saturating_mul(self.costs.step));
            }
            Effect::Reversed { step, from_tape } => {
                counts.reverses += 1;
                counts.from_tape += u64::from(from_tape.is_some());
                let taken = if from_tape.is_none() { self.costs.step } else { 0 };
                self.clock.spend(worker, taken.saturating_add(self.costs.adjoint));
                counts.makespan = self.clock.of(worker);
                self.states.end_at(step);
                self.tapes.end_at(step);
            }
            Effect::Freed { content, .. } => self.give_up(content),
        }
        Ok(())
    }

    fn in_use(&mut self, keep: Keep) -> &mut InUse {
        match keep {
            Keep::State => &mut self.states,
            Keep::Tape => &mut self.tapes,
        }
    }

    fn give_up(&mut self, Content { step, keep, is_held }: Content) {
        if is_held {
            self.in_use(keep).remove(step);
        }
    }
}
