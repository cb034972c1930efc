//! A schedule that keeps everything, some steps with their stages.

use costate::schedule::{Action, Keep, Schedule};

use crate::common::listed::Listed;

/// Keeps a tape of each `every`th step and the states of the others; gives some of them back early.
pub fn tapes_and_states(steps: usize, every: usize) -> Box<dyn Schedule> {
    let mut actions = Vec::new();
    for step in 0..steps - 1 {
        let advance = Action::Advance { from: step, to: step + 1 };
        match step % every {
            0 => actions.extend([advance, Action::Store { step, slot: step, keep: Keep::Tape }]),
            _ => actions.extend([Action::Store { step, slot: step, keep: Keep::State }, advance]),
        }
    }
    actions.push(Action::Reverse { step: steps - 1 });
    for step in (0..steps - 1).rev() {
        actions.extend([Action::Restore { step, slot: step }, Action::Reverse { step }]);
        if step % 2 == 0 {
            actions.push(Action::Free { slot: step });
        }
    }
    Box::new(Listed::new(steps, actions))
}
