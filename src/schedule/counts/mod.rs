//! What a schedule for one worker does, counted.

mod coverage;
mod in_use;

pub use in_use::InUse;

use super::machine::{Content, Effect, Machine};
use super::{Action, Costs, Keep, OnlineSchedule, Schedule};
use crate::error::ScheduleError;
use coverage::Coverage;

/// What a schedule does, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Steps taken by `Advance`.
    pub advances: u64,
    /// `Reverse` actions: N.
    pub reverses: u64,
    /// `Store` actions.
    pub stores: u64,
    /// `Restore` actions.
    pub restores: u64,
    /// Those of them that kept a tape.
    pub tapes: u64,
    /// `Reverse` actions that used a kept tape; the others took their step again.
    pub from_tape: u64,
    /// The most slots in use at once: a slot is, from its `Store` until it is freed or its step is
    /// reversed.
    pub snapshots_peak: u64,
    /// The most bytes at once, where sizes were given: a slot has those of what was stored last in
    /// it until it is freed.
    pub bytes_peak: u64,
    /// The most often that `Advance` takes any one step.
    pub max_repetition: u64,
}

impl Counts {
    /// Follows a schedule and counts.
    ///
    /// # Errors
    /// Where the [`Machine`] refuses an action, or not each of the steps N−1, …, 0 is reversed.
    pub fn of(schedule: impl Schedule) -> Result<Counts, ScheduleError> {
        Counts::of_sized(schedule, &|_, _| 0)
    }

    /// As [`of`](Self::of), with the bytes that keeping a step's state or tape takes.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub fn of_sized(
        schedule: impl Schedule,
        bytes: &dyn Fn(usize, Keep) -> u64,
    ) -> Result<Counts, ScheduleError> {
        Counts::observed(schedule, bytes, &mut |_| {})
    }

    /// As [`of_sized`](Self::of_sized), with a look at what each action does.
    pub(super) fn observed(
        schedule: impl Schedule,
        bytes: &dyn Fn(usize, Keep) -> u64,
        observe: &mut dyn FnMut(Effect),
    ) -> Result<Counts, ScheduleError> {
        let mut counter = Counter::new(bytes);
        for action in schedule {
            observe(counter.apply(action)?);
        }
        counter.finish()
    }

    /// What the actions cost on a uniform chain.
    pub fn seconds(&self, costs: &Costs) -> f64 {
        let states = (self.stores - self.tapes) as f64 * costs.store
            + (self.restores - self.from_tape) as f64 * costs.restore;
        let tapes = self.tapes as f64 * costs.keep_tape;
        self.steps_taken() as f64 * costs.step
            + self.reverses as f64 * costs.adjoint
            + states
            + tapes
    }

    /// Steps taken by `Advance` and by `Reverse`.
    pub fn steps_taken(&self) -> u64 {
        self.advances.saturating_add(self.reverses - self.from_tape)
    }

    /// Follows a schedule that is told after step `num_steps` − 1 that the chain has ended. The
    /// `Advance` over that step counts.
    ///
    /// # Errors
    /// As [`of`](Self::of), and where the schedule takes several steps at once or stops before
    /// the chain ends.
    pub fn of_online(
        mut schedule: impl OnlineSchedule,
        num_steps: usize,
    ) -> Result<Counts, ScheduleError> {
        let mut counter = Counter::new(&|_, _| 0);
        while counter.machine.current(0).is_some_and(|n| n < num_steps) {
            match schedule.next() {
                Some(action @ Action::Store { .. }) => counter.apply(action)?,
                Some(action @ Action::Advance { from, to }) if to == from.saturating_add(1) => {
                    counter.apply(action)?
                }
                Some(action) => return Err(counter.machine.unexpected(0, action)),
                None => return Err(ScheduleError::Unfinished { left: num_steps }),
            };
        }
        schedule.end(num_steps);
        counter.machine.end(num_steps);
        for action in schedule {
            counter.apply(action)?;
        }
        counter.finish()
    }
}

struct Counter<'a> {
    bytes: &'a dyn Fn(usize, Keep) -> u64,
    machine: Machine,
    counts: Counts,
    in_use: InUse,
    bytes_held: u64,
    advanced: Coverage,
}

impl<'a> Counter<'a> {
    fn new(bytes: &'a dyn Fn(usize, Keep) -> u64) -> Self {
        Counter {
            bytes,
            machine: Machine::new(1),
            counts: Counts::default(),
            in_use: InUse::default(),
            bytes_held: 0,
            advanced: Coverage::default(),
        }
    }

    fn apply(&mut self, action: Action) -> Result<Effect, ScheduleError> {
        let effect = self.machine.apply(0, action)?;
        let counts = &mut self.counts;
        match effect {
            Effect::Stored { step, keep, replaced, .. } => {
                counts.stores += 1;
                counts.tapes += u64::from(keep == Keep::Tape);
                replaced.into_iter().for_each(|content| self.give_up(content));
                self.in_use.add(step);
                self.bytes_held += (self.bytes)(step, keep);
                self.counts.bytes_peak = self.counts.bytes_peak.max(self.bytes_held);
            }
            Effect::Restored { .. } => counts.restores += 1,
            Effect::Advanced { from, to } => {
                counts.advances = counts.advances.saturating_add((to - from) as u64);
                self.advanced.add(from, to);
            }
            Effect::Reversed { step, from_tape } => {
                counts.reverses += 1;
                counts.from_tape += u64::from(from_tape.is_some());
                self.advanced.end_at(step);
                self.in_use.end_at(step);
            }
            Effect::Freed { content, .. } => self.give_up(content),
        }
        Ok(effect)
    }

    fn give_up(&mut self, Content { step, keep, is_held }: Content) {
        self.bytes_held -= (self.bytes)(step, keep);
        if is_held {
            self.in_use.remove(step);
        }
    }

    fn finish(mut self) -> Result<Counts, ScheduleError> {
        self.machine.check_end()?;
        self.advanced.end_at(0);
        self.counts.max_repetition = self.advanced.most;
        self.counts.snapshots_peak = self.in_use.peak;
        Ok(self.counts)
    }
}
