//! A first sweep of unknown length that need not be repeated.

use std::collections::VecDeque;

use super::reversal::{Kept, Reversal};
use super::revolve::Binomial;
use super::{Action, OnlineSchedule, Schedule, check_slots};
use crate::error::ScheduleError;

/// Keeps states while the number of steps is unknown, so that whenever the chain ends no step is
/// advanced over more often than the [optimum](super::optimum::repetition) for that length asks
/// for; the reverse sweep gives freed slots to each segment before at the [optimum](super::Revolve)
/// for it.
///
/// In all it advances over at most 1.44 t(l, s) steps (1.02 to 1.09 on average) for l ≤ 2000 and
/// 2 ≤ s ≤ 40, not counting the last step, which shows the end.
///
/// Every state that is passed has a level. Once the slots are full, a kept state is dispensable
/// when a later one has a higher level, and its slot goes to the next state, of level 0; where none
/// is dispensable, the last state is not kept and the next one gets a level above it.
///
/// Q. Wang, P. Moin and G. Iaccarino, Minimal repetition dynamic checkpointing algorithm for
/// unsteady adjoint calculation, SIAM J. Sci. Comput. 31 (2009) 2549–2567,
/// doi 10.1137/080727890.
///
/// ```
/// use costate::schedule::{Counts, Online, optimum};
/// let counts = Counts::of_online(Online::new(10)?, 1000)?;
/// assert_eq!(counts.max_repetition, optimum::repetition(1000, 10));
/// # Ok::<(), costate::error::ScheduleError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Online {
    slots: usize,
    sweep: Sweep,
}

#[derive(Clone, Debug)]
enum Sweep {
    Forward(Forward),
    Back(Reversal<Binomial>),
}

impl Online {
    /// Keeps at most `slots` snapshots, the one of step 0 among them.
    ///
    /// # Errors
    /// Where `slots` is zero.
    pub fn new(slots: usize) -> Result<Self, ScheduleError> {
        check_slots(slots)?;
        Ok(Online { slots, sweep: Sweep::Forward(Forward::default()) })
    }
}

/// The kept states of the first sweep and the current one.
#[derive(Clone, Debug, Default)]
struct Forward {
    /// Kept states none of which is dispensable, in ascending order of steps; their levels do not
    /// ascend.
    needed: Vec<Levelled>,
    /// In descending order: the latest are the nearest together, and cost least to do without.
    dispensable: VecDeque<Kept>,
    step: usize,
    level: u64,
    /// What becomes of the current state is decided.
    decided: bool,
    /// The current state has no slot.
    dropped: bool,
}

#[derive(Clone, Copy, Debug)]
struct Levelled {
    kept: Kept,
    level: u64,
}

impl Forward {
    fn next(&mut self, slots: usize) -> Action {
        if !self.decided {
            self.decided = true;
            if let Some(slot) = self.take_slot(slots) {
                let (step, level) = (self.step, self.level);
                self.needed.push(Levelled { kept: Kept { step, slot }, level });
                return Action::Store { step, slot };
            }
            self.dropped = true;
        }
        self.advance()
    }

    /// A slot for the current state: an unused one, or that of a dispensable state.
    fn take_slot(&mut self, slots: usize) -> Option<usize> {
        let used = self.needed.len() + self.dispensable.len();
        if used < slots { Some(used) } else { self.dispensable.pop_front().map(|kept| kept.slot) }
    }

    fn advance(&mut self) -> Action {
        let from = self.step;
        self.step += 1;
        self.level = if self.dropped { self.level + 1 } else { 0 };
        self.decided = false;
        self.dropped = false;
        // Step 0 is needed whatever comes.
        while let Some(lower) =
            self.needed.pop_if(|state| state.kept.step > 0 && state.level < self.level)
        {
            self.dispensable.push_back(lower.kept);
        }
        Action::Advance { from, to: self.step }
    }

    /// The reverse sweep of `steps` steps, from y_{N−1}.
    fn turn(self, steps: usize, slots: usize) -> Reversal<Binomial> {
        let needed = self.needed.into_iter().map(|state| state.kept);
        let mut kept: Vec<Kept> = needed.chain(self.dispensable).collect();
        kept.sort_unstable_by_key(|kept| kept.step);
        let useful = slots.min(steps.max(kept.len()));
        let free = (kept.len()..useful).rev().collect();
        Reversal::resume(Binomial, steps, kept, free)
    }
}

impl Iterator for Online {
    type Item = Action;

    fn next(&mut self) -> Option<Action> {
        match &mut self.sweep {
            Sweep::Forward(forward) => Some(forward.next(self.slots)),
            Sweep::Back(reversal) => reversal.next(),
        }
    }
}

impl Schedule for Online {
    fn num_slots(&self) -> usize {
        self.slots
    }
}

impl OnlineSchedule for Online {
    fn end(&mut self, num_steps: usize) {
        let forward = match &mut self.sweep {
            Sweep::Forward(forward) => std::mem::take(forward),
            Sweep::Back(_) => return,
        };
        self.sweep = Sweep::Back(forward.turn(num_steps, self.slots));
    }
}
