//! States and tapes in a budget of bytes.

use super::budgeted::{At, Budgeted, Item, Move, Policy};
use super::mixed_reach::Reach;
use super::mixed_table::{Choice, MOST_STEPS, MixedTable};
use super::{Action, Costs, Keep, Kept, Schedule, Sizes};
use crate::error::ScheduleError;

/// States and tapes of a uniform chain, kept so that a budget of bytes buys the most time.
///
/// What is kept stays until its step is reversed, but for a state whose step's tape takes its
/// place. For chains of up to about a hundred steps (up to 1024 where few slots fit) the cost is
/// the least possible, [`optimum::mixed`](super::optimum::mixed). A longer chain
/// is cut by how far memory reaches, as in [`Revolve`](super::Revolve), and its pieces are reversed
/// at the optimum: within 2 % of it where storing costs less than half a step, within 15 % where it
/// costs three. A plan takes less than 1 MB. [`optimum::mixed_bound`](super::optimum::mixed_bound) is
/// what no such schedule can beat.
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
    sweep: Budgeted<Uniform>,
    num_slots: usize,
}

impl Mixed {
    /// Reverses `steps` steps with at most `budget` bytes of what is kept. States are in lower slots
    /// than tapes.
    ///
    /// # Errors
    /// Where the budget cannot hold a state, or a cost is negative or not finite.
    pub fn new(
        steps: usize,
        budget: u64,
        sizes: Sizes,
        costs: Costs,
    ) -> Result<Self, ScheduleError> {
        Self::from_slot(steps, budget, sizes, costs, (0, MOST_CELLS))
    }

    /// [`new`](Self::new), with a table of at most this many cells: beyond it, an estimate decides.
    pub(crate) fn with_table(
        steps: usize,
        budget: u64,
        sizes: Sizes,
        costs: Costs,
        cells: usize,
    ) -> Result<Self, ScheduleError> {
        Self::from_slot(steps, budget, sizes, costs, (0, cells))
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
        kept: &[Kept],
        current: Option<usize>,
    ) -> Result<Self, ScheduleError> {
        Self::resume_with_table(steps, budget, sizes, costs, kept, current, MOST_CELLS)
    }

    #[allow(clippy::too_many_arguments)]
    pub(super) fn resume_with_table(
        steps: usize,
        budget: u64,
        sizes: Sizes,
        costs: Costs,
        kept: &[Kept],
        current: Option<usize>,
        cells: usize,
    ) -> Result<Self, ScheduleError> {
        let ascending = kept.windows(2).all(|pair| pair[0].step < pair[1].step);
        let mut slots: Vec<usize> = kept.iter().map(|kept| kept.slot).collect();
        slots.sort_unstable();
        let apart = slots.windows(2).all(|pair| pair[0] < pair[1]);
        let starts = steps == 0 || kept.first().is_some_and(|kept| kept.step == 0);
        let ends = kept.last().is_none_or(|kept| kept.step < steps);
        if !(ascending && apart && starts && ends) {
            return Err(ScheduleError::Kept { steps, kept: format!("{kept:?}") });
        }
        let needed = sizes.normal().state.saturating_mul(kept.len() as u64);
        if needed > budget {
            return Err(ScheduleError::Budget { bytes: budget, needed });
        }
        let unused = slots.last().map_or(0, |slot| slot.saturating_add(1));
        let mut mixed = Self::from_slot(steps, budget, sizes, costs, (unused, cells))?;
        let item = |&Kept { step, slot }: &Kept| Item { step, slot, keep: Keep::State };
        mixed.sweep = mixed.sweep.resume(kept.iter().map(item).collect(), current);
        Ok(mixed)
    }

    /// With `used` slots that are known to keep states.
    fn from_slot(
        steps: usize,
        budget: u64,
        sizes: Sizes,
        costs: Costs,
        (used, cells): (usize, usize),
    ) -> Result<Self, ScheduleError> {
        let policy = Uniform::with_table(steps, budget, sizes, costs, (MOST_WORK, cells))?;
        let slots = |size: u64| usize::try_from(budget / size).unwrap_or(usize::MAX).min(steps);
        let states = used.saturating_add(slots(policy.sizes.state));
        let tapes = policy.sizes.tape.map_or(0, slots);
        let sweep = Budgeted::new(policy, steps, budget, states);
        Ok(Mixed { sweep, num_slots: states.saturating_add(tapes) })
    }
}

/// Decides for equal steps.
#[derive(Clone, Debug)]
pub(super) struct Uniform {
    sizes: Sizes,
    /// For what the table does not reach.
    reach: Reach,
    table: MixedTable,
    /// How the chain begins.
    first: Keep,
}

impl Uniform {
    /// With about `most_work` operations for the table.
    pub fn new(
        steps: usize,
        budget: u64,
        sizes: Sizes,
        costs: Costs,
        most_work: usize,
    ) -> Result<Self, ScheduleError> {
        Self::with_table(steps, budget, sizes, costs, (most_work, MOST_CELLS))
    }

    fn with_table(
        steps: usize,
        budget: u64,
        sizes: Sizes,
        costs: Costs,
        most: (usize, usize),
    ) -> Result<Self, ScheduleError> {
        costs.check()?;
        let mut sizes = sizes.normal();
        sizes.tape = sizes.tape.filter(|_| costs.tapes_pay());
        if steps > 1 && budget < sizes.state {
            return Err(ScheduleError::Budget { bytes: budget, needed: sizes.state });
        }
        if all_fits(steps, budget, &sizes, &costs) {
            let reach = Reach::new(sizes);
            let first = if sizes.tape.is_some() { Keep::Tape } else { Keep::State };
            let (table, ..) = MixedTable::new(1, vec![sizes.state], &sizes, &costs);
            return Ok(Uniform { sizes, reach, table, first });
        }
        let (longest, levels) = table_size(steps, budget, &sizes, most);
        let (table, state, tape) = MixedTable::new(longest, levels, &sizes, &costs);
        let begin = |cell: usize| {
            let on_tape = costs.step + costs.keep_tape + tape[cell] < costs.store + state[cell];
            if on_tape { Keep::Tape } else { Keep::State }
        };
        let first = table.cell(steps.min(longest), budget).map_or(Keep::State, begin);
        Ok(Uniform { sizes, reach: best_reach(steps, budget, sizes, &costs), table, first })
    }

    /// What to do about the `steps` > 1 steps behind an anchor.
    pub fn choice(&self, anchor: Keep, steps: usize, bytes: u64) -> Choice {
        if steps <= self.table.longest() {
            self.table.choice(anchor, steps, bytes)
        } else {
            self.far_choice(anchor, steps, bytes)
        }
    }

    /// About what reversing `steps` steps from a kept state costs.
    pub fn cost(&self, steps: usize, bytes: u64, costs: &Costs) -> f64 {
        if bytes < self.sizes.state {
            return f64::INFINITY;
        }
        steps as f64 * costs.adjoint + self.reach.estimate(steps as u64, bytes, costs)
    }

    /// Bytes of its table.
    fn table_bytes(&self) -> usize {
        self.table.bytes()
    }

    /// Near the optimum, for what the table does not reach.
    fn far_choice(&self, anchor: Keep, steps: usize, bytes: u64) -> Choice {
        let l = steps as u64;
        if l <= self.reach.on_tape(bytes) {
            // Without tapes the last steps are reversed one by one from the same state.
            return match self.reach.sizes.tape {
                None => Choice { distance: steps - 1, keep: None },
                Some(_) if anchor == Keep::State => Choice { distance: 1, keep: Some(Keep::Tape) },
                Some(_) => Choice { distance: 2, keep: Some(Keep::Tape) },
            };
        }
        let Some(left) = bytes.checked_sub(self.sizes.of(anchor)) else {
            return Choice { distance: steps - 1, keep: None };
        };
        if left < self.sizes.state || l == 2 {
            return Choice { distance: steps - 1, keep: None };
        }
        let r = self.reach.repetition(l, bytes);
        let before = self.reach.of(bytes, r - 1);
        let behind = self.reach.of(left, r - 1).min((l - 1) as f64);
        let distance = before.min(l as f64 - behind).round().clamp(1.0, (l - 2) as f64) as usize;
        if let Some(tape) = self.reach.sizes.tape
            && l - distance as u64 <= self.reach.on_tape(left)
            && left >= tape
        {
            Choice { distance: distance + 1, keep: Some(Keep::Tape) }
        } else {
            Choice { distance, keep: Some(Keep::State) }
        }
    }
}

/// Whether there is nothing to choose: all that is worth keeping has room.
fn all_fits(steps: usize, budget: u64, sizes: &Sizes, costs: &Costs) -> bool {
    let (each, worth) = match sizes.tape {
        Some(tape) => (tape, costs.keep_tape < costs.step),
        None => (sizes.state, costs.store + costs.restore < costs.step),
    };
    worth && steps > 2 && budget / each >= steps as u64
}

/// The reach with tapes, without, or with leaves, that promises to cost least.
fn best_reach(steps: usize, budget: u64, sizes: Sizes, costs: &Costs) -> Reach {
    let without = Sizes { tape: None, ..sizes };
    // With a single state k C(r, r) reaches nowhere.
    let longest_leaf = if budget / sizes.state < 2 { 1 } else { 16 };
    let others = (1..=longest_leaf).map(|leaf| Reach { sizes: without, leaf });
    let cost = |reach: &Reach| reach.estimate(steps as u64, budget, costs);
    let all = std::iter::once(Reach::new(sizes)).chain(others);
    all.min_by(|a, b| cost(a).total_cmp(&cost(b))).unwrap_or(Reach::new(sizes))
}

/// The longest chain and the levels that are worth a table.
fn table_size(
    steps: usize,
    budget: u64,
    sizes: &Sizes,
    (most_work, most_cells): (usize, usize),
) -> (usize, Vec<u64>) {
    let mut longest = steps.clamp(1, LONGEST);
    loop {
        let most = (most_cells / longest).min(most_work / (longest * longest));
        if let Some(levels) = MixedTable::levels(longest, budget, sizes, most) {
            return (longest, levels);
        }
        if longest == 1 {
            return (1, vec![sizes.state]);
        }
        longest = (longest * 3 / 4).max(1);
    }
}

/// Longer chains are cut first.
const LONGEST: usize = 1024;

const _: () = assert!(LONGEST < MOST_STEPS);

/// Cells of 4 bytes.
pub(super) const MOST_CELLS: usize = 1 << 17;

pub(super) const MOST_WORK: usize = 1 << 25;

impl Policy for Uniform {
    fn bytes(&self, _: usize, keep: Keep) -> u64 {
        self.sizes.of(keep)
    }

    fn next(&self, at: &At) -> Move {
        let Some((anchor, keep)) = at.anchor else {
            return Move {
                to: if self.first == Keep::Tape { 1 } else { 0 },
                keep: Some(self.first),
            };
        };
        let choice = self.choice(keep, at.end - anchor, at.bytes);
        Move { to: anchor + choice.distance, keep: choice.keep }
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
                for cells in [0, 1, 7, 100, MOST_CELLS] {
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
