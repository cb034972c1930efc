//! States and tapes in a budget of bytes.

use super::equal_steps::{ByteBudget, EqualSteps};
use super::sweep::{Budgeted, KeptItem};
use crate::error::ScheduleError;
use crate::schedule::{Action, Costs, Keep, KeptState, Schedule, Sizes};

/// States and tapes of a uniform chain, kept so that a budget of bytes buys the most time.
///
/// What is kept stays until its step is reversed, but for a state whose step's tape takes its
/// place. For chains of up to about a hundred steps (up to 1024 where few slots fit) the cost is
/// the least possible, [`optimum::mixed`](crate::schedule::optimum::mixed). A longer chain is cut
/// by how many steps memory reverses, as in [`Revolve`](crate::schedule::Revolve), and its pieces
/// are reversed at the optimum: within 2 % of it where storing costs less than half a step, within
/// 15 % where it costs three. Its table takes at most 512 KiB.
/// [`optimum::mixed_bound`](crate::schedule::optimum::mixed_bound) is what no such schedule can
/// beat.
///
/// ```
/// use costate::schedule::{Costs, Counts, Mixed, Sizes, optimum};
/// let sizes = Sizes { state: 800, tape: Some(6400) };
/// let costs = Costs { step: 1.0, adjoint: 1.5, store: 0.1, restore: 0.1, keep_tape: 0.1 };
/// let counts = Counts::of_sized(Mixed::new(10_000, 80_000, sizes, costs)?, &|_, keep| sizes.of(keep))?;
/// assert!(counts.bytes_peak <= 80_000);
/// assert!(counts.seconds(&costs) < 1.05 * optimum::mixed_bound(10_000, 80_000, sizes, costs));
/// # Ok::<(), costate::error::ScheduleError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Mixed {
    sweep: Budgeted<EqualSteps>,
    num_slots: usize,
}

impl Mixed {
    /// Reverses `steps` steps with at most `budget` bytes of what is kept. States are in lower
    /// slots than tapes.
    ///
    /// # Errors
    /// Where the budget cannot hold a state, or a cost is negative or not finite.
    pub fn new(
        steps: usize,
        budget: u64,
        sizes: Sizes,
        costs: Costs,
    ) -> Result<Self, ScheduleError> {
        Self::within(steps, &ByteBudget::new(budget, sizes, costs), 0)
    }

    /// [`new`](Self::new), with a table of at most this many cells: beyond it, an estimate decides.
    pub(crate) fn with_table(
        steps: usize,
        budget: u64,
        sizes: Sizes,
        costs: Costs,
        cells: usize,
    ) -> Result<Self, ScheduleError> {
        Self::within(steps, &ByteBudget { cells, ..ByteBudget::new(budget, sizes, costs) }, 0)
    }

    /// Reverses the steps below `steps` where the states `kept`, in ascending order, are kept
    /// already: those that a first sweep of unknown length kept, or that a stopped
    /// gradient has left. y_`current` is current; it is of use where it is that of the last step.
    /// `budget` counts what is kept and what is free.
    ///
    /// # Errors
    /// As [`new`](Self::new), where the budget cannot hold `kept`, and where `kept` is not such.
    pub fn resume(
        steps: usize,
        budget: u64,
        sizes: Sizes,
        costs: Costs,
        kept: &[KeptState],
        current: Option<usize>,
    ) -> Result<Self, ScheduleError> {
        Self::resume_within(steps, &ByteBudget::new(budget, sizes, costs), kept, current)
    }

    pub(super) fn resume_within(
        steps: usize,
        budget: &ByteBudget,
        kept: &[KeptState],
        current: Option<usize>,
    ) -> Result<Self, ScheduleError> {
        let ascending = kept.windows(2).all(|pair| pair[0].step < pair[1].step);
        let mut slots: Vec<usize> = kept.iter().map(|kept| kept.slot).collect();
        slots.sort_unstable();
        let apart = slots.windows(2).all(|pair| pair[0] < pair[1]);
        let starts = steps == 0 || kept.first().is_some_and(|kept| kept.step == 0);
        let ends = kept.last().is_none_or(|kept| kept.step < steps);
        if !(ascending && apart && starts && ends) {
            return Err(ScheduleError::KeptStates { steps, kept: format!("{kept:?}") });
        }
        let needed = budget.sizes.normal().state.saturating_mul(kept.len() as u64);
        if needed > budget.bytes {
            return Err(ScheduleError::Budget { bytes: budget.bytes, needed });
        }
        let unused = slots.last().map_or(0, |slot| slot.saturating_add(1));
        let mut mixed = Self::within(steps, budget, unused)?;
        let item = |&KeptState { step, slot }: &_| KeptItem { step, slot, keep: Keep::State };
        mixed.sweep = mixed.sweep.resume(kept.iter().map(item).collect(), current);
        Ok(mixed)
    }

    /// With `used` slots that are known to keep states.
    fn within(steps: usize, budget: &ByteBudget, used: usize) -> Result<Self, ScheduleError> {
        let (policy, bytes) = (EqualSteps::new(steps, budget)?, budget.bytes);
        let slots = |size: u64| usize::try_from(bytes / size).unwrap_or(usize::MAX).min(steps);
        let states = used.saturating_add(slots(policy.sizes().state));
        let tapes = policy.sizes().tape.map_or(0, slots);
        let sweep = Budgeted::new(policy, steps, bytes, states);
        Ok(Mixed { sweep, num_slots: states.saturating_add(tapes) })
    }
}

impl Iterator for Mixed {
    type Item = Action;

    fn next(&mut self) -> Option<Action> {
        self.sweep.next()
    }
}

impl Schedule for Mixed {
    fn num_slots(&self) -> usize {
        self.num_slots
    }

    fn bytes(&self) -> usize {
        self.sweep.bytes() + self.sweep.policy().table_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::Counts;

    /// However small the table, each step is reversed once, in the bytes that were given.
    #[test]
    fn every_table_leads_to_the_end() {
        let costs =
            Costs { adjoint: 2.0, store: 0.1, restore: 0.1, keep_tape: 0.2, ..Costs::STEPS };
        for tape in [None, Some(3), Some(20)] {
            let sizes = Sizes { state: 2, tape };
            for (steps, budget) in (1..40).flat_map(|steps| [2, 5, 9, 40].map(|b| (steps, b))) {
                for cells in [0, 1, 7, 100, 1 << 17] {
                    let mixed = Mixed::with_table(steps, budget, sizes, costs, cells).unwrap();
                    let most = 2 * steps * steps + 10;
                    assert!(
                        mixed.clone().take(most).count() < most,
                        "{tape:?} {steps} {budget} {cells}"
                    );
                    let counts = Counts::of_sized(mixed, &|_, keep| sizes.of(keep)).unwrap();
                    assert_eq!(counts.reverses, steps as u64);
                    assert!(counts.bytes_peak <= budget, "{tape:?} {steps} {budget} {cells}");
                }
            }
        }
    }
}
