//! The reverse sweep that all schedules with few slots share.

use std::ops::Range;

use crate::error::ScheduleError;
use crate::numbers::bytes::grown;
use crate::schedule::{Action, Keep, KeptState, Schedule, check_slots, useful_slots};

/// Where the next snapshot goes.
pub trait Placement: Send {
    /// For a chain of `steps` steps and so many slots, no more than are of use.
    fn of_chain(steps: usize, slots: usize) -> Self;
    /// The step of the next snapshot when the steps `from`, …, `end`−1 are to be reversed, y_`from`
    /// is kept, end − from > 1, and `free` > 0 more slots are free. Lies in (from, end).
    fn next_snapshot(&self, from: usize, end: usize, free: usize) -> usize;
}

/// Reverses the steps below `end` from the last snapshot before them, and gives the slots that
/// become free to the steps before.
#[derive(Clone, Debug)]
pub struct Reversal<P> {
    placement: P,
    /// In ascending order of steps.
    kept: Vec<KeptState>,
    free: Vec<usize>,
    /// Slots that were never used.
    unused: Range<usize>,
    current: Option<usize>,
    /// Steps not yet reversed.
    end: usize,
    num_slots: usize,
}

impl<P: Placement> Reversal<P> {
    /// Reverses `steps` steps with at most `slots` snapshots, the one of step 0 among them.
    ///
    /// # Errors
    /// Where `slots` is zero.
    pub fn new(steps: usize, slots: usize) -> Result<Self, ScheduleError> {
        check_slots(slots)?;
        let num_slots = useful_slots(steps, slots);
        let (placement, unused) = (P::of_chain(steps, num_slots), 0..num_slots);
        let (kept, free, current, end) = (Vec::new(), Vec::new(), Some(0), steps);
        Ok(Reversal { placement, kept, free, unused, current, end, num_slots })
    }

    /// Of the steps below `end`, from the state of the step `current`; `kept` are the snapshots
    /// there are, none of a later step.
    pub(in crate::schedule) fn resume(
        placement: P,
        end: usize,
        current: Option<usize>,
        kept: Vec<KeptState>,
        free: Vec<usize>,
    ) -> Self {
        let num_slots = kept.len() + free.len();
        Reversal { placement, kept, free, unused: 0..0, current, end, num_slots }
    }

    fn reverse(&mut self) -> Action {
        self.end -= 1;
        self.current = None;
        if let Some(kept) = self.kept.pop_if(|kept| kept.step == self.end) {
            self.free.push(kept.slot);
        }
        Action::Reverse { step: self.end }
    }

    /// Keeps the current state y_`from`, which is not that of the last step, or advances from it.
    fn keep_or_advance(&mut self, from: usize) -> Action {
        let is_kept = self.kept.last().is_some_and(|kept| kept.step == from);
        if !is_kept && let Some(slot) = self.free.pop().or_else(|| self.unused.next()) {
            self.kept.push(KeptState { step: from, slot });
            return Action::Store { step: from, slot, keep: Keep::State };
        }
        let to = match self.free.len() + self.unused.len() {
            0 => self.end - 1,
            free => self.placement.next_snapshot(from, self.end, free),
        };
        self.current = Some(to);
        Action::Advance { from, to }
    }
}

impl<P: Placement> Iterator for Reversal<P> {
    type Item = Action;

    fn next(&mut self) -> Option<Action> {
        if self.end == 0 {
            return None;
        }
        match self.current {
            Some(step) if step + 1 == self.end => Some(self.reverse()),
            Some(step) => Some(self.keep_or_advance(step)),
            None => {
                let &KeptState { step, slot } = self.kept.last()?;
                self.current = Some(step);
                Some(Action::Restore { step, slot })
            }
        }
    }
}

impl<P: Placement> Schedule for Reversal<P> {
    fn num_slots(&self) -> usize {
        self.num_slots
    }

    fn bytes(&self) -> usize {
        grown::<KeptState>(self.kept.capacity()) + grown::<usize>(self.free.capacity())
    }
}
