//! The reverse sweep that all schedules for a budget of bytes share.

use std::collections::VecDeque;

use super::pool::Pool;
use crate::numbers::bytes::grown;
use crate::schedule::{Action, Keep};

/// What a slot keeps of a step.
#[derive(Clone, Copy, Debug)]
pub struct KeptItem {
    pub step: usize,
    pub slot: usize,
    pub keep: Keep,
}

/// Where a sweep stands: the steps below `end` are to be reversed.
#[derive(Clone, Copy, Debug)]
pub struct Position {
    /// The last kept step and how it is kept. None before anything is.
    pub anchor: Option<(usize, Keep)>,
    pub end: usize,
    /// Bytes for the anchor and all that is kept behind it.
    pub bytes: u64,
}

/// What to do there: take the steps up to `to`, and keep y_`to` or the tape of the step before it;
/// or keep nothing and reverse the step `to` = end − 1.
#[derive(Clone, Copy, Debug)]
pub struct Move {
    pub to: usize,
    pub keep: Option<Keep>,
}

/// Decides what is kept.
pub trait Policy: Send {
    /// What keeping takes of the budget.
    fn bytes(&self, step: usize, keep: Keep) -> u64;
    /// What is kept next.
    fn next(&self, at: &Position) -> Move;
}

/// Reverses the steps below `end` from what was last kept before them.
#[derive(Clone, Debug)]
pub struct Budgeted<P> {
    policy: P,
    budget: u64,
    pool: Pool,
    /// In ascending order of steps.
    kept: Vec<KeptItem>,
    kept_bytes: u64,
    current: Option<usize>,
    /// Steps not yet reversed.
    end: usize,
    /// Actions decided on.
    queue: VecDeque<Action>,
}

impl<P: Policy> Budgeted<P> {
    /// Of a chain of `steps` steps from its start. Tapes are kept in the slots from `first_tape`.
    pub fn new(policy: P, steps: usize, budget: u64, first_tape: usize) -> Self {
        Budgeted {
            policy,
            budget,
            pool: Pool::new(budget, first_tape),
            kept: Vec::new(),
            kept_bytes: 0,
            current: Some(0),
            end: steps,
            queue: VecDeque::new(),
        }
    }

    /// Goes on where `kept` is kept, in ascending order of steps; y_`current` is of use where it is
    /// that of the last step.
    pub fn resume(mut self, kept: Vec<KeptItem>, current: Option<usize>) -> Self {
        for item in &kept {
            let bytes = self.policy.bytes(item.step, item.keep);
            self.kept_bytes += bytes;
            self.pool.occupy(item.slot, item.keep, bytes);
        }
        self.current = current.filter(|current| current.checked_add(1) == Some(self.end));
        self.kept = kept;
        self
    }

    pub fn policy(&self) -> &P {
        &self.policy
    }

    /// Bytes of its lists.
    pub fn bytes(&self) -> usize {
        let lists =
            grown::<KeptItem>(self.kept.capacity()) + grown::<Action>(self.queue.capacity());
        lists + self.pool.bytes()
    }

    fn reverse(&mut self) -> Action {
        self.end -= 1;
        self.current = None;
        if self.kept.last().is_some_and(|item| item.step >= self.end) {
            self.drop_last();
        }
        Action::Reverse { step: self.end }
    }

    fn drop_last(&mut self) {
        if let Some(item) = self.kept.pop() {
            let bytes = self.policy.bytes(item.step, item.keep);
            self.kept_bytes -= bytes;
            self.pool.give_back(item.slot, item.keep, bytes);
        }
    }

    /// Decides what to do with the current state y_`from`, which is not that of the last step.
    fn advance_from(&mut self, from: usize) {
        let anchor = self.kept.last().map(|item| (item.step, item.keep));
        let anchor_bytes = anchor.map_or(0, |(step, keep)| self.policy.bytes(step, keep));
        let bytes = self.budget.saturating_add(anchor_bytes).saturating_sub(self.kept_bytes);
        let Move { to, keep } = self.policy.next(&Position { anchor, end: self.end, bytes });
        if to > from {
            self.queue.push_back(Action::Advance { from, to });
        }
        self.current = Some(to);
        if let Some(keep) = keep {
            let step = if keep == Keep::Tape { to - 1 } else { to };
            if keep == Keep::Tape && anchor == Some((step, Keep::State)) {
                self.drop_last();
            }
            self.keep(step, keep);
        }
    }

    fn keep(&mut self, step: usize, keep: Keep) {
        let bytes = self.policy.bytes(step, keep);
        let slot = self.pool.take(keep, bytes, &mut self.queue);
        self.kept.push(KeptItem { step, slot, keep });
        self.kept_bytes += bytes;
        self.queue.push_back(Action::Store { step, slot, keep });
    }
}

impl<P: Policy> Iterator for Budgeted<P> {
    type Item = Action;

    fn next(&mut self) -> Option<Action> {
        loop {
            if let Some(action) = self.queue.pop_front() {
                return Some(action);
            }
            if self.end == 0 {
                return None;
            }
            match self.current {
                Some(step) if step + 1 == self.end => return Some(self.reverse()),
                Some(step) => self.advance_from(step),
                None => {
                    let &KeptItem { step, slot, .. } = self.kept.last()?;
                    self.current = Some(step);
                    return Some(Action::Restore { step, slot });
                }
            }
        }
    }
}
