//! A look at the actions to come, so that a store can read ahead.

use std::collections::VecDeque;

use crate::schedule::{Action, Schedule};

/// How many actions are looked ahead.
const DISTANCE: usize = 32;

/// What is done now, or will be soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// The next action.
    Now(Action),
    /// The next action is to restore this slot, and the one after it reverses that step.
    Last { step: usize, slot: usize },
    /// This slot will be restored, and holds what will be restored now.
    Ahead { step: usize, slot: usize },
}

/// A schedule's actions, each restore announced before its turn.
pub(super) struct LookAhead<'a> {
    schedule: &'a mut dyn Schedule,
    queue: VecDeque<Action>,
}

impl<'a> LookAhead<'a> {
    pub fn new(schedule: &'a mut dyn Schedule) -> Self {
        LookAhead { schedule, queue: VecDeque::with_capacity(DISTANCE + 1) }
    }

    pub fn schedule(&self) -> &dyn Schedule {
        self.schedule
    }

    /// Whether an action in the queue changes what the slot holds.
    fn will_change(&self, slot: usize) -> bool {
        self.queue.iter().any(|action| match *action {
            Action::Store { slot: other, .. } | Action::Free { slot: other } => other == slot,
            _ => false,
        })
    }
}

impl Iterator for LookAhead<'_> {
    type Item = Look;

    fn next(&mut self) -> Option<Look> {
        while self.queue.len() <= DISTANCE
            && let Some(action) = self.schedule.next()
        {
            let restored = match action {
                Action::Restore { step, slot } if !self.will_change(slot) => Some((step, slot)),
                _ => None,
            };
            self.queue.push_back(action);
            if let Some((step, slot)) = restored {
                return Some(Look::Ahead { step, slot });
            }
        }
        let action = self.queue.pop_front()?;
        Some(match (action, self.queue.front()) {
            (Action::Restore { step, slot }, Some(&Action::Reverse { step: next }))
                if next == step =>
            {
                Look::Last { step, slot }
            }
            _ => Look::Now(action),
        })
    }
}
