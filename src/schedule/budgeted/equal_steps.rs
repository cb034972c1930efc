//! What to keep next of a chain of equal steps.

use super::longest_chain::LongestChain;
use super::sweep::{Move, Policy, Position};
use super::table::{Choice, MOST_STEPS, MixedTable};
use crate::error::ScheduleError;
use crate::schedule::{Costs, Keep, Sizes};

/// Bytes for what is kept of a chain of equal steps, and what its table of the optimum may take.
#[derive(Clone, Copy, Debug)]
pub struct ByteBudget {
    pub bytes: u64,
    pub sizes: Sizes,
    pub costs: Costs,
    /// About how many operations the table may take.
    pub work: usize,
    /// Cells of 4 bytes; for what they do not hold, an estimate decides.
    pub cells: usize,
}

impl ByteBudget {
    /// With a table of 512 KiB at most, which is made in about 0.05 s.
    pub fn new(bytes: u64, sizes: Sizes, costs: Costs) -> Self {
        ByteBudget { bytes, sizes, costs, work: MOST_WORK, cells: 1 << 17 }
    }
}

/// Decides for equal steps.
#[derive(Clone, Debug)]
pub struct EqualSteps {
    sizes: Sizes,
    /// For chains longer than those of the table.
    chain: LongestChain,
    table: MixedTable,
    /// How the chain begins.
    first: Keep,
}

impl EqualSteps {
    /// # Errors
    /// Where the budget cannot hold a state, or a cost is negative or not finite.
    pub fn new(steps: usize, budget: &ByteBudget) -> Result<Self, ScheduleError> {
        let ByteBudget { bytes, sizes, costs, .. } = *budget;
        costs.check()?;
        let mut sizes = sizes.normal();
        sizes.tape = sizes.tape.filter(|_| costs.tapes_pay());
        if steps > 1 && bytes < sizes.state {
            return Err(ScheduleError::Budget { bytes, needed: sizes.state });
        }
        if all_fits(steps, bytes, &sizes, &costs) {
            let chain = LongestChain::new(sizes);
            let first = if sizes.tape.is_some() { Keep::Tape } else { Keep::State };
            let (table, ..) = MixedTable::new(1, vec![sizes.state], &sizes, &costs);
            return Ok(EqualSteps { sizes, chain, table, first });
        }
        let budget = ByteBudget { sizes, ..*budget };
        let (longest, levels) = table_size(steps, &budget);
        let (table, state, tape) = MixedTable::new(longest, levels, &sizes, &costs);
        let begin = |cell: usize| {
            let on_tape = costs.step + costs.keep_tape + tape[cell] < costs.store + state[cell];
            if on_tape { Keep::Tape } else { Keep::State }
        };
        let first = table.cell(steps.min(longest), bytes).map_or(Keep::State, begin);
        Ok(EqualSteps { sizes, chain: cheapest_chain(steps, &budget), table, first })
    }

    /// The sizes, without tapes where they do not pay.
    pub fn sizes(&self) -> Sizes {
        self.sizes
    }

    /// What to do about the `steps` > 1 steps behind an anchor.
    pub fn choice(&self, anchor: Keep, steps: usize, bytes: u64) -> Choice {
        if steps <= self.table.longest() {
            self.table.choice(anchor, steps, bytes)
        } else {
            self.estimated_choice(anchor, steps, bytes)
        }
    }

    /// About what reversing `steps` steps from a kept state costs.
    pub fn cost(&self, steps: usize, bytes: u64, costs: &Costs) -> f64 {
        if bytes < self.sizes.state {
            return f64::INFINITY;
        }
        steps as f64 * costs.adjoint + self.chain.estimate(steps as u64, bytes, costs)
    }

    /// Bytes of its table.
    pub fn table_bytes(&self) -> usize {
        self.table.bytes()
    }

    /// Near the optimum, for chains longer than those of the table.
    fn estimated_choice(&self, anchor: Keep, steps: usize, bytes: u64) -> Choice {
        let l = steps as u64;
        if l <= self.chain.on_tape(bytes) {
            // Without tapes the last steps are reversed one by one from the same state.
            return match self.chain.sizes.tape {
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
        let r = self.chain.repetition(l, bytes);
        let before = self.chain.of(bytes, r - 1);
        let behind = self.chain.of(left, r - 1).min((l - 1) as f64);
        let distance = before.min(l as f64 - behind).round().clamp(1.0, (l - 2) as f64) as usize;
        if let Some(tape) = self.chain.sizes.tape
            && l - distance as u64 <= self.chain.on_tape(left)
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

/// The kind of schedule, with tapes, without, or with leaves, that promises to cost least.
fn cheapest_chain(steps: usize, budget: &ByteBudget) -> LongestChain {
    let ByteBudget { bytes, sizes, costs, .. } = budget;
    let without = Sizes { tape: None, ..*sizes };
    // With a single state, k C(r, r) steps is all that any r leads to.
    let longest_leaf = if bytes / sizes.state < 2 { 1 } else { 16 };
    let others = (1..=longest_leaf).map(|leaf| LongestChain { sizes: without, leaf });
    let cost = |chain: &LongestChain| chain.estimate(steps as u64, *bytes, costs);
    let all = std::iter::once(LongestChain::new(*sizes)).chain(others);
    all.min_by(|a, b| cost(a).total_cmp(&cost(b))).unwrap_or(LongestChain::new(*sizes))
}

/// The longest chain and the levels that are worth a table.
fn table_size(steps: usize, budget: &ByteBudget) -> (usize, Vec<u64>) {
    let ByteBudget { bytes, sizes, work, cells, .. } = budget;
    let mut longest = steps.clamp(1, LONGEST);
    loop {
        let most = (cells / longest).min(work / (longest * longest));
        if let Some(levels) = MixedTable::levels(longest, *bytes, sizes, most) {
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

const MOST_WORK: usize = 1 << 25;

impl Policy for EqualSteps {
    fn bytes(&self, _: usize, keep: Keep) -> u64 {
        self.sizes.of(keep)
    }

    fn next(&self, at: &Position) -> Move {
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
