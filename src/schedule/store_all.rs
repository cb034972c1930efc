//! Every state kept.

use super::{Action, Keep, OnlineSchedule, Schedule};

/// Keeps every state but the last step's, which is current when the reverse sweep begins: l − 1
/// advances, and no step is recomputed but by its own reversal.
#[derive(Clone, Debug)]
pub struct StoreAll {
    steps: usize,
    sweep: Sweep,
}

impl StoreAll {
    /// Reverses `steps` steps.
    pub fn new(steps: usize) -> Self {
        let sweep = if steps < 2 {
            Sweep::Back { end: steps, current: true }
        } else {
            Sweep::Forward { step: 0, stored: false }
        };
        StoreAll { steps, sweep }
    }
}

/// Keeps every state of a chain whose length shows at its end.
#[derive(Clone, Debug)]
pub struct StoreAllOnline {
    steps: Option<usize>,
    sweep: Sweep,
}

impl StoreAllOnline {
    /// For any number of steps.
    pub fn new() -> Self {
        StoreAllOnline { steps: None, sweep: Sweep::Forward { step: 0, stored: false } }
    }
}

impl Default for StoreAllOnline {
    fn default() -> Self {
        Self::new()
    }
}

/// y_n is kept in slot n.
#[derive(Clone, Debug)]
enum Sweep {
    Forward {
        step: usize,
        stored: bool,
    },
    /// `current`: the state of step `end`−1 is.
    Back {
        end: usize,
        current: bool,
    },
}

impl Sweep {
    fn next(&mut self) -> Option<Action> {
        match self {
            Sweep::Forward { step, stored: stored @ false } => {
                *stored = true;
                Some(Action::Store { step: *step, slot: *step, keep: Keep::State })
            }
            Sweep::Forward { step, stored } => {
                let from = *step;
                *step += 1;
                *stored = false;
                Some(Action::Advance { from, to: from + 1 })
            }
            Sweep::Back { end: 0, .. } => None,
            Sweep::Back { end, current: current @ false } => {
                *current = true;
                Some(Action::Restore { step: *end - 1, slot: *end - 1 })
            }
            Sweep::Back { end, current } => {
                *end -= 1;
                *current = false;
                Some(Action::Reverse { step: *end })
            }
        }
    }
}

impl Iterator for StoreAll {
    type Item = Action;

    fn next(&mut self) -> Option<Action> {
        let action = self.sweep.next();
        if matches!(self.sweep, Sweep::Forward { step, .. } if step + 1 == self.steps) {
            self.sweep = Sweep::Back { end: self.steps, current: true };
        }
        action
    }
}

impl Schedule for StoreAll {
    fn num_slots(&self) -> usize {
        self.steps.saturating_sub(1)
    }

    fn bytes(&self) -> usize {
        0
    }
}

impl Iterator for StoreAllOnline {
    type Item = Action;

    fn next(&mut self) -> Option<Action> {
        self.sweep.next()
    }
}

impl Schedule for StoreAllOnline {
    /// The number of steps; unbounded until that is known.
    fn num_slots(&self) -> usize {
        self.steps.unwrap_or(usize::MAX)
    }

    fn bytes(&self) -> usize {
        0
    }
}

impl OnlineSchedule for StoreAllOnline {
    fn end(&mut self, num_steps: usize) {
        self.steps = Some(num_steps);
        self.sweep = Sweep::Back { end: num_steps, current: true };
    }
}
