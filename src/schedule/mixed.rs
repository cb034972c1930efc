//! States and tapes in a budget of bytes.

use super::budgeted::{At, Budgeted, Item, Move, Policy};
use super::mixed_reach::Reach;
use super::mixed_table::{Choice, MOST_STEPS, MixedTable};
use super::{Action, Costs, Keep, Schedule, Sizes};
use crate::error::ScheduleError;

#[derive(Clone, Debug)]
pub struct Mixed {
    sweep: Budgeted<Uniform>,
    num_slots: usize,
}

impl Mixed {
    pub fn new(
        steps: usize,
        budget: u64,
        sizes: Sizes,
        costs: Costs,
    ) -> Result<Self, ScheduleError> {
        let policy = Uniform::new(steps, budget, sizes, costs)?;
        let slots = |size: u64| usize::try_from(budget / size).unwrap_or(usize::MAX).min(steps);
        let states = slots(policy.sizes.state);
        let tapes = policy.sizes.tape.map_or(0, slots);
        let sweep = Budgeted::new(policy, steps, budget, states);
        Ok(Mixed { sweep, num_slots: states + tapes })
    }
}

#[derive(Clone, Debug)]
struct Uniform {
    sizes: Sizes,
    reach: Reach,
    table: MixedTable,
    /// How the chain begins.
    first: Keep,
}

impl Uniform {
    fn new(steps: usize, budget: u64, sizes: Sizes, costs: Costs) -> Result<Self, ScheduleError> {
        costs.check()?;
        let mut sizes = sizes.normal();
        sizes.tape = sizes.tape.filter(|_| costs.tapes_pay());
        if steps > 1 && budget < sizes.state {
            return Err(ScheduleError::Budget { bytes: budget, needed: sizes.state });
        }
        let (longest, levels) = table_size(steps, budget, &sizes);
        let (table, state, tape) = MixedTable::new(longest, levels, &sizes, &costs);
        let begin = |cell: usize| {
            let on_tape = costs.step + costs.keep_tape + tape[cell] < costs.store + state[cell];
            if on_tape { Keep::Tape } else { Keep::State }
        };
        let first = table.cell(steps.min(longest), budget).map_or(Keep::State, begin);
        Ok(Uniform { sizes, reach: best_reach(steps, budget, sizes, &costs), table, first })
    }

    fn choice(&self, anchor: Keep, steps: usize, bytes: u64) -> Choice {
        if steps <= self.table.longest() {
            self.table.choice(anchor, steps, bytes)
        } else {
            self.far_choice(anchor, steps, bytes)
        }
    }

    /// Near the optimum, for what the table does not reach.
    fn far_choice(&self, anchor: Keep, steps: usize, bytes: u64) -> Choice {
        let l = steps as u64;
        if l <= self.reach.on_tape(bytes) {
            let distance = if anchor == Keep::State { 1 } else { 2 };
            let keep = self.reach.sizes.tape.map(|_| Keep::Tape);
            return Choice { distance, keep };
        }
        let Some(left) = bytes.checked_sub(self.sizes.of(anchor)) else {
            return Choice { distance: steps - 1, keep: None };
        };
        if left < self.sizes.state {
            return Choice { distance: steps - 1, keep: None };
        }
        let r = self.reach.repetition(l, bytes);
        let before = self.reach.of(bytes, r - 1);
        let behind = self.reach.of(left, r - 1).min((l - 1) as f64);
        let distance = before.min(l as f64 - behind).round().clamp(1.0, (l - 2) as f64) as usize;
        if l - distance as u64 <= self.reach.on_tape(left) && left >= self.reach.sizes.of(Keep::Tape) {
            Choice { distance: distance + 1, keep: Some(Keep::Tape) }
        } else {
            Choice { distance, keep: Some(Keep::State) }
        }
    }
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
fn table_size(steps: usize, budget: u64, sizes: &Sizes) -> (usize, Vec<u64>) {
    let mut longest = steps.clamp(1, 256.min(MOST_STEPS - 1));
    loop {
        let most = (MOST_CELLS / longest).min(MOST_WORK / (longest * longest));
        if let Some(levels) = MixedTable::levels(longest, budget, sizes, most) {
            return (longest, levels);
        }
        if longest == 1 {
            return (1, vec![sizes.state]);
        }
        longest = (longest * 3 / 4).max(1);
    }
}

/// Cells of 4 bytes.
const MOST_CELLS: usize = 1 << 15;

const MOST_WORK: usize = 1 << 23;

impl Policy for Uniform {
    fn bytes(&self, _: usize, keep: Keep) -> u64 {
        self.sizes.of(keep)
    }

    fn next(&self, at: &At) -> Move {
        let Some((anchor, keep)) = at.anchor else {
            return Move { to: if self.first == Keep::Tape { 1 } else { 0 }, keep: Some(self.first) };
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
}
