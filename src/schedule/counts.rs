//! An interpreter of schedules over integers.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::coverage::Coverage;
use super::{Action, Costs, Keep, OnlineSchedule, Schedule};
use crate::error::ScheduleError;

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
    /// Where the schedule acts on another state than the current one, restores what a slot does
    /// not hold, or does not reverse each of the steps N−1, …, 0 once in this order.
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
        let mut follower = Follower::new(bytes);
        for action in schedule {
            follower.apply(action)?;
        }
        follower.finish()
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
        let mut follower = Follower::new(&|_, _| 0);
        while follower.current < num_steps {
            match schedule.next() {
                Some(action @ Action::Advance { from, to }) if to != from.saturating_add(1) => {
                    return Err(follower.misled(action));
                }
                Some(action @ (Action::Advance { .. } | Action::Store { .. })) => {
                    follower.apply(action)?;
                }
                Some(action) => return Err(follower.misled(action)),
                None => return Err(ScheduleError::Unfinished { left: num_steps }),
            }
        }
        schedule.end(num_steps);
        follower.current = num_steps.saturating_sub(1);
        follower.left = Some(num_steps);
        for action in schedule {
            follower.apply(action)?;
        }
        follower.finish()
    }
}

/// What a slot in use holds.
#[derive(Clone, Copy)]
struct Held {
    step: usize,
    keep: Keep,
}

/// A slot that has memory.
struct Slot {
    /// None once its step is reversed.
    held: Option<Held>,
    bytes: u64,
}

/// Slots are numbered by schedules, which need no defence against their own numbers.
#[derive(Default)]
struct SlotHasher(u64);

impl Hasher for SlotHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_usize(usize::from(byte));
        }
    }

    fn write_usize(&mut self, slot: usize) {
        // 2^64 over the golden ratio sends blocks of 16 far apart; in a block, neighbours stay so.
        let slot = self.0 ^ slot as u64;
        let (block, place) = ((slot >> 4).wrapping_mul(0x9E37_79B9_7F4A_7C15), slot & 15);
        self.0 = (block.rotate_right(32) & !15 | place) ^ (place << 60);
    }
}

struct Follower<'a> {
    bytes: &'a dyn Fn(usize, Keep) -> u64,
    counts: Counts,
    current: usize,
    /// The step on the sweep's own tape.
    on_tape: Option<usize>,
    /// The step whose kept tape the last action restored.
    loaded: Option<usize>,
    /// Steps not yet reversed, once known.
    left: Option<usize>,
    slots: HashMap<usize, Slot, BuildHasherDefault<SlotHasher>>,
    /// (step, slot) of the slots in use, in ascending order.
    in_use: Vec<(usize, usize)>,
    bytes_held: u64,
    advanced: Coverage,
}

impl<'a> Follower<'a> {
    fn new(bytes: &'a dyn Fn(usize, Keep) -> u64) -> Self {
        Follower {
            bytes,
            counts: Counts::default(),
            current: 0,
            on_tape: None,
            loaded: None,
            left: None,
            slots: HashMap::default(),
            in_use: Vec::new(),
            bytes_held: 0,
            advanced: Coverage::default(),
        }
    }

    fn apply(&mut self, action: Action) -> Result<(), ScheduleError> {
        let loaded = self.loaded.take();
        match action {
            Action::Store { step, slot, keep: Keep::State } if step == self.current => {
                self.store(slot, Held { step, keep: Keep::State });
            }
            Action::Store { step, slot, keep: Keep::Tape }
                if self.on_tape == Some(step) && self.current.checked_sub(1) == Some(step) =>
            {
                self.store(slot, Held { step, keep: Keep::Tape });
                self.counts.tapes += 1;
                self.on_tape = None;
            }
            Action::Restore { step, slot } => {
                let held = self.slots.get(&slot).and_then(|slot| slot.held);
                let found = held.map(|held| held.step);
                if found != Some(step) {
                    return Err(ScheduleError::NotKept { slot, step, found });
                }
                self.counts.restores += 1;
                self.current = step;
                self.loaded = held.filter(|held| held.keep == Keep::Tape).map(|held| held.step);
            }
            Action::Advance { from, to } if from == self.current && from < to => {
                self.advance(from, to);
            }
            Action::Reverse { step }
                if step == self.current
                    && self.left.is_none_or(|left| step + 1 == left)
                    && (loaded.is_none() || self.on_tape == step.checked_add(1)) =>
            {
                self.counts.from_tape += u64::from(loaded.is_some());
                self.reverse(step);
            }
            Action::Free { slot } if self.slots.contains_key(&slot) => self.free(slot),
            _ => return Err(self.misled(action)),
        }
        Ok(())
    }

    fn store(&mut self, slot: usize, held: Held) {
        let bytes = (self.bytes)(held.step, held.keep);
        let before = self.slots.insert(slot, Slot { held: Some(held), bytes });
        self.give_up(slot, before);
        self.in_use.insert(self.place(held.step, slot), (held.step, slot));
        self.bytes_held += bytes;
        self.counts.stores += 1;
        self.counts.snapshots_peak = self.counts.snapshots_peak.max(self.in_use.len() as u64);
        self.counts.bytes_peak = self.counts.bytes_peak.max(self.bytes_held);
    }

    fn free(&mut self, slot: usize) {
        let before = self.slots.remove(&slot);
        self.give_up(slot, before);
    }

    fn give_up(&mut self, slot: usize, before: Option<Slot>) {
        if let Some(Slot { held, bytes }) = before {
            self.bytes_held -= bytes;
            if let Some(held) = held {
                self.in_use.remove(self.place(held.step, slot));
            }
        }
    }

    fn advance(&mut self, from: usize, to: usize) {
        self.counts.advances = self.counts.advances.saturating_add((to - from) as u64);
        self.current = to;
        self.on_tape = Some(to - 1);
        self.advanced.add(from, to);
    }

    fn reverse(&mut self, step: usize) {
        self.counts.reverses += 1;
        self.advanced.end_at(step);
        self.left = Some(step);
        self.current = step.saturating_add(1);
        self.on_tape = Some(step);
        while let Some((_, slot)) = self.in_use.pop_if(|(kept, _)| *kept >= step) {
            if let Some(slot) = self.slots.get_mut(&slot) {
                slot.held = None;
            }
        }
    }

    /// Where (step, slot) is in `in_use`, or would be.
    fn place(&self, step: usize, slot: usize) -> usize {
        self.in_use.partition_point(|&kept| kept < (step, slot))
    }

    fn finish(mut self) -> Result<Counts, ScheduleError> {
        let acted = self.counts.stores > 0 || self.counts.advances > 0;
        match self.left {
            None if acted => return Err(ScheduleError::Unfinished { left: self.current }),
            Some(left) if left > 0 => return Err(ScheduleError::Unfinished { left }),
            _ => {}
        }
        self.advanced.end_at(0);
        self.counts.max_repetition = self.advanced.most;
        Ok(self.counts)
    }

    fn misled(&self, action: Action) -> ScheduleError {
        let (action, current) = (format!("{action:?}"), self.current);
        ScheduleError::Misled { action, current, left: self.left }
    }
}
