//! The reverse sweep that all schedules with few slots share.

use std::ops::Range;

use super::{Action, Keep};
use crate::bytes::grown;

/// Where the next snapshot goes.
pub(super) trait Placement: Send {
    /// The step of the next snapshot when the steps `from`, …, `end`−1 are to be reversed, y_`from`
    /// is kept, end − from > 1, and `free` > 0 more slots are free. Lies in (from, end).
    fn next_snapshot(&self, from: usize, end: usize, free: usize) -> usize;
}

/// A state kept in a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// n of the state y_n.
    pub step: usize,
    /// Where it is.
    pub slot: usize,
}

/// Reverses the steps below `end` from the last snapshot before them, and gives the slots that
/// become free to the steps before.
#[derive(Clone, Debug)]
pub(super) struct Reversal<P> {
    placement: P,
    /// In ascending order of steps.
    kept: Vec<Kept>,
    free: Vec<usize>,
    /// Slots that were never used.
    unused: Range<usize>,
    current: Option<usize>,
    /// Steps not yet reversed.
    end: usize,
    num_slots: usize,
}

impl<P: Placement> Reversal<P> {
    /// Of a chain of `steps` steps, from its start.
    pub fn new(placement: P, steps: usize, num_slots: usize) -> Self {
        let (kept, free, unused) = (Vec::new(), Vec::new(), 0..num_slots);
        Reversal { placement, kept, free, unused, current: Some(0), end: steps, num_slots }
    }

    /// Of the steps below `end`, from the state of the step `current`; `kept` are the snapshots
    /// there are, none of a later step.
    pub fn resume(
        placement: P,
        end: usize,
        current: Option<usize>,
        kept: Vec<Kept>,
        free: Vec<usize>,
    ) -> Self {
        let num_slots = kept.len() + free.len();
        Reversal { placement, kept, free, unused: 0..0, current, end, num_slots }
    }

    pub fn num_slots(&self) -> usize {
        self.num_slots
    }

    pub fn bytes(&self) -> usize {
        grown::<Kept>(self.kept.capacity()) + grown::<usize>(self.free.capacity())
    }

    fn reverse(&mut self) -> Action {
        self.end -= 1;
        self.current = None;
        if let Some(kept) = self.kept.pop_if(|kept| kept.step == self.end) {
            self.free.push(kept.slot);
        }
        Action::Reverse { step: self.end }
    }

    /// Goes on from the current state y_`from`, which is not that of the last step.
    fn go_on(&mut self, from: usize) -> Action {
        let is_kept = self.kept.last().is_some_and(|kept| kept.step == from);
        if !is_kept && let Some(slot) = self.free.pop().or_else(|| self.unused.next()) {
            self.kept.push(Kept { step: from, slot });
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
            Some(step) => Some(self.go_on(step)),
            None => {
                let &Kept { step, slot } = self.kept.last()?;
                self.current = Some(step);
                Some(Action::Restore { step, slot })
            }
        }
    }
}
