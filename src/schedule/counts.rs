//! An interpreter of schedules over integers.

use std::collections::HashMap;

use super::{Action, OnlineSchedule, Schedule};
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
    /// The most slots in use at once: a slot is, from its `Store` until its state's step is
    /// reversed.
    pub snapshots_peak: u64,
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
        let mut follower = Follower::default();
        for action in schedule {
            follower.apply(action)?;
        }
        follower.finish()
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
        let mut follower = Follower::default();
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

#[derive(Default)]
struct Follower {
    counts: Counts,
    current: usize,
    /// Steps not yet reversed, once known.
    left: Option<usize>,
    /// The step whose state each slot in use holds.
    slots: HashMap<usize, usize>,
    /// The same as (step, slot), in ascending order.
    in_use: Vec<(usize, usize)>,
    /// Ranges of steps advanced over.
    advanced: Vec<(usize, usize)>,
}

impl Follower {
    fn apply(&mut self, action: Action) -> Result<(), ScheduleError> {
        match action {
            Action::Store { step, slot } if step == self.current => self.store(step, slot),
            Action::Restore { step, slot } => {
                let found = self.slots.get(&slot).copied();
                if found != Some(step) {
                    return Err(ScheduleError::NotKept { slot, step, found });
                }
                self.counts.restores += 1;
                self.current = step;
            }
            Action::Advance { from, to } if from == self.current && from < to => {
                self.advance(from, to);
            }
            Action::Reverse { step }
                if step == self.current && self.left.is_none_or(|left| step + 1 == left) =>
            {
                self.reverse(step);
            }
            _ => return Err(self.misled(action)),
        }
        Ok(())
    }

    fn store(&mut self, step: usize, slot: usize) {
        if let Some(before) = self.slots.insert(slot, step) {
            self.in_use.remove(self.place(before, slot));
        }
        self.in_use.insert(self.place(step, slot), (step, slot));
        self.counts.stores += 1;
        self.counts.snapshots_peak = self.counts.snapshots_peak.max(self.in_use.len() as u64);
    }

    fn advance(&mut self, from: usize, to: usize) {
        self.counts.advances = self.counts.advances.saturating_add((to - from) as u64);
        self.current = to;
        match self.advanced.last_mut() {
            Some((_, end)) if *end == from => *end = to,
            _ => self.advanced.push((from, to)),
        }
    }

    fn reverse(&mut self, step: usize) {
        self.counts.reverses += 1;
        self.left = Some(step);
        self.current = step.saturating_add(1);
        for (_, slot) in self.in_use.drain(self.in_use.partition_point(|&(kept, _)| kept < step)..)
        {
            self.slots.remove(&slot);
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
        self.counts.max_repetition = most_covered(&self.advanced);
        Ok(self.counts)
    }

    fn misled(&self, action: Action) -> ScheduleError {
        let (action, current) = (format!("{action:?}"), self.current);
        ScheduleError::Misled { action, current, left: self.left }
    }
}

/// The largest number of ranges [from, to) that share an integer.
fn most_covered(ranges: &[(usize, usize)]) -> u64 {
    let mut starts: Vec<usize> = ranges.iter().map(|range| range.0).collect();
    let mut ends: Vec<usize> = ranges.iter().map(|range| range.1).collect();
    starts.sort_unstable();
    ends.sort_unstable();
    let (mut most, mut ended) = (0, 0);
    for (i, &start) in starts.iter().enumerate() {
        while ends[ended] <= start {
            ended += 1;
        }
        most = most.max(i + 1 - ended);
    }
    most as u64
}
