//! A schedule by hand.

use std::vec::IntoIter;

use costate::schedule::{Action, Schedule};

/// Any list of actions as a schedule.
pub struct Listed {
    slots: usize,
    actions: IntoIter<Action>,
}

impl Listed {
    pub fn new(slots: usize, actions: Vec<Action>) -> Self {
        Listed { slots, actions: actions.into_iter() }
    }
}

impl Iterator for Listed {
    type Item = Action;

    fn next(&mut self) -> Option<Action> {
        self.actions.next()
    }
}

impl Schedule for Listed {
    fn num_slots(&self) -> usize {
        self.slots
    }
    fn bytes(&self) -> usize {
        0
    }
}
