//! The rest of a sweep that was interrupted.

use std::collections::HashSet;

use super::reversal::Reversal;
use super::revolve::Binomial;
use crate::error::ScheduleError;
use crate::schedule::{Action, Keep, KeptState, Schedule, check_slots};

/// Reverses the steps below an end from whatever states are still there, optimally for each segment
/// between two of them with the slots that are free by then.
///
/// ```
/// use costate::schedule::{Action, KeptState, Resumed};
///
/// let kept = [KeptState { step: 0, slot: 0 }, KeptState { step: 60, slot: 2 }];
/// let mut rest = Resumed::reverse(100, &kept, 3)?;
/// assert_eq!(rest.next(), Some(Action::Restore { step: 60, slot: 2 }));
/// assert_eq!(rest.last(), Some(Action::Reverse { step: 0 }));
/// # Ok::<(), costate::error::ScheduleError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Resumed {
    first: Option<Action>,
    rest: Reversal<Binomial>,
}

impl Resumed {
    /// The name in reports.
    pub(crate) const NAME: &'static str = "resumed";

    /// Of a first sweep over `steps` steps that has come to `step` and holds y_`step`; `kept` are
    /// in ascending order.
    ///
    /// # Errors
    /// Where `slots` is zero.
    pub fn forward(
        steps: usize,
        step: usize,
        kept: &[KeptState],
        slots: usize,
    ) -> Result<Self, ScheduleError> {
        check_slots(slots)?;
        let kept = usable(kept, |at| at <= step);
        let free = free(&kept, slots.min(steps.max(kept.len())));
        let rest = Reversal::resume(Binomial, steps, Some(step), kept, free);
        Ok(Resumed { first: None, rest })
    }

    /// Of a reverse sweep that has `left` steps to reverse and holds y_0; `kept` are in ascending
    /// order.
    ///
    /// # Errors
    /// Where `slots` is zero.
    pub fn reverse(left: usize, kept: &[KeptState], slots: usize) -> Result<Self, ScheduleError> {
        check_slots(slots)?;
        let mut kept = usable(kept, |at| at < left);
        let mut free = free(&kept, slots.min(left.max(kept.len())));
        if kept.first().is_some_and(|first| first.step == 0) || left == 0 {
            let rest = Reversal::resume(Binomial, left, None, kept, free);
            return Ok(Resumed { first: None, rest });
        }
        // y_0 is needed again after the steps behind it, more than the state after it is.
        let slot = free.pop().unwrap_or_else(|| kept.remove(0).slot);
        kept.insert(0, KeptState { step: 0, slot });
        let first = Some(Action::Store { step: 0, slot, keep: Keep::State });
        let rest = Reversal::resume(Binomial, left, None, kept, free);
        Ok(Resumed { first, rest })
    }
}

/// The states of steps that are wanted; one slot each, though a file may still hold what its slot
/// held before.
fn usable(kept: &[KeptState], wanted: impl Fn(usize) -> bool) -> Vec<KeptState> {
    let mut kept: Vec<KeptState> = kept.iter().copied().filter(|kept| wanted(kept.step)).collect();
    kept.dedup_by_key(|kept| kept.step);
    kept
}

/// The numbers of as many slots as are missing to `slots`, the lowest last.
fn free(kept: &[KeptState], slots: usize) -> Vec<usize> {
    let taken: HashSet<usize> = kept.iter().map(|kept| kept.slot).collect();
    let missing = slots.saturating_sub(kept.len());
    let mut free: Vec<usize> = (0..).filter(|slot| !taken.contains(slot)).take(missing).collect();
    free.reverse();
    free
}

impl Iterator for Resumed {
    type Item = Action;

    fn next(&mut self) -> Option<Action> {
        self.first.take().or_else(|| self.rest.next())
    }
}

impl Schedule for Resumed {
    fn num_slots(&self) -> usize {
        self.rest.num_slots()
    }

    fn bytes(&self) -> usize {
        self.rest.bytes()
    }
}
