//! What to keep next of a chain whose steps differ: by the optimum of a chain of groups of steps.

use super::table::{ChainTable, FirstMove, Segment};
use crate::error::ScheduleError;
use crate::schedule::budgeted::equal_steps::{ByteBudget, EqualSteps};
use crate::schedule::budgeted::sweep::{Move, Policy, Position};
use crate::schedule::{Costs, Keep, Sizes, StepCost};

/// Chains up to this length are planned step by step.
const MOST_SEGMENTS: usize = 200;

/// Longer ones are planned in as many groups.
const GROUPS: usize = 128;

/// Memory is planned in at most as many levels.
const MOST_LEVELS: usize = 500;

/// Operations for the table of a group of steps.
const GROUP_WORK: usize = 1 << 18;
/// The mean costs and the largest sizes; no tapes where one of the steps has none.
pub(super) fn mean(steps: &[StepCost]) -> (Costs, Sizes) {
    let n = steps.len().max(1) as f64;
    let mean = |of: &dyn Fn(&Costs) -> f64| steps.iter().map(|p| of(&p.costs)).sum::<f64>() / n;
    let costs = Costs {
        step: mean(&|costs| costs.step),
        adjoint: mean(&|costs| costs.adjoint),
        store: mean(&|costs| costs.store),
        restore: mean(&|costs| costs.restore),
        keep_tape: mean(&|costs| costs.keep_tape),
    };
    let state = steps.iter().map(|step| step.sizes.state).max().unwrap_or(1);
    let tape = steps.iter().map(|step| step.sizes.tape).reduce(|a, b| Some(a?.max(b?)));
    (costs, Sizes { state, tape: tape.flatten() })
}

/// Decides by the optimum of the chain of groups, and inside a group as for equal steps.
pub(super) struct Grouped {
    steps: Vec<StepCost>,
    /// Steps in a group; the last may have fewer.
    group: usize,
    /// Bytes of a level.
    unit: u64,
    levels: usize,
    table: ChainTable,
    inside: Vec<Option<EqualSteps>>,
}

impl Grouped {
    /// None where not even one state beside the first can be kept between groups.
    pub fn new(steps: &[StepCost], budget: u64) -> Result<Option<Self>, ScheduleError> {
        let group = if steps.len() > MOST_SEGMENTS { steps.len().div_ceil(GROUPS) } else { 1 };
        let Some((unit, levels)) = best_unit(steps, budget) else { return Ok(None) };
        let (mut segments, mut inside) = (Vec::new(), Vec::new());
        for steps in steps.chunks(group) {
            if let [step] = steps {
                segments.push(Segment::single(step, unit, levels));
                inside.push(None);
            } else {
                let (segment, rules) = grouped(steps, unit, levels)?;
                segments.push(segment);
                inside.push(Some(rules));
            }
        }
        if segments.is_empty() {
            return Ok(None);
        }
        let table = ChainTable::new(segments, levels);
        let steps = steps.to_vec();
        let grouped = Grouped { steps, group, unit, levels, table, inside };
        Ok(grouped.table.cost().is_finite().then_some(grouped))
    }

    pub fn levels(&self) -> usize {
        self.levels
    }
}

/// Several steps as one segment, and the rules inside it.
fn grouped(
    steps: &[StepCost],
    unit: u64,
    levels: usize,
) -> Result<(Segment, EqualSteps), ScheduleError> {
    let (mean, largest) = mean(steps);
    let size = |bytes: u64| bytes.div_ceil(unit).max(1);
    let sizes = Sizes { state: size(largest.state), tape: largest.tape.map(size) };
    let n = steps.len();
    let bytes = (levels as u64).max(sizes.state);
    let budget = ByteBudget { work: GROUP_WORK, ..ByteBudget::new(bytes, sizes, mean) };
    let rules = EqualSteps::new(n, &budget)?;
    let alone = (0..=levels).map(|m| rules.cost(n, m as u64, &mean) as f32).collect();
    let count = |size: u64| usize::try_from(size).unwrap_or(usize::MAX);
    let costs = Costs {
        step: n as f64 * mean.step,
        adjoint: n as f64 * mean.adjoint,
        keep_tape: n as f64 * mean.keep_tape,
        store: steps[0].costs.store,
        restore: steps[0].costs.restore,
    };
    let tape = sizes.tape.map(|tape| count(tape).saturating_mul(n));
    Ok((Segment { costs, state: count(sizes.state), tape, single: false, alone }, rules))
}

/// Bytes of a level and the number of levels: that which rounding wastes least with. None where
/// there is no budget.
fn best_unit(steps: &[StepCost], budget: u64) -> Option<(u64, usize)> {
    let sizes = |step: &StepCost| [Some(step.sizes.state), step.sizes.tape];
    let all: Vec<u64> = steps.iter().flat_map(sizes).flatten().collect();
    // What all tapes take is enough.
    let useful = steps.iter().map(|p| p.sizes.tape.unwrap_or(0).max(p.sizes.state));
    let budget = budget.min(useful.fold(0, u64::saturating_add).saturating_mul(2));
    let waste = |unit: u64| {
        let rounded = |&size: &u64| (size.div_ceil(unit) as f64) * unit as f64 / size as f64;
        let lost = budget as f64 / (budget / unit * unit) as f64;
        all.iter().map(rounded).sum::<f64>() / all.len() as f64 * lost
    };
    let units = (MOST_LEVELS / 2..=MOST_LEVELS).map(|levels| budget.div_ceil(levels as u64));
    let sizes =
        all.iter().copied().min().into_iter().flat_map(|size| (1..=4).map(move |k| size / k));
    let coarse = units.chain(sizes).filter(|&unit| unit > 0 && budget / unit <= MOST_LEVELS as u64);
    let unit =
        coarse.filter(|&unit| budget >= unit).min_by(|&a, &b| waste(a).total_cmp(&waste(b)))?;
    Some((unit, (budget / unit) as usize))
}

impl Policy for Grouped {
    fn bytes(&self, step: usize, keep: Keep) -> u64 {
        let bytes = self.steps.get(step).map_or(u64::MAX, |step| step.sizes.of(keep));
        bytes.div_ceil(self.unit).max(1)
    }

    fn next(&self, at: &Position) -> Move {
        let Some((anchor, keep)) = at.anchor else {
            let first = self.table.first();
            return Move { to: usize::from(first == Keep::Tape), keep: Some(first) };
        };
        let (index, last) = (anchor / self.group, (at.end - 1) / self.group);
        if let Some(rules) = &self.inside[index]
            && index == last
        {
            let choice = rules.choice(keep, at.end - anchor, at.bytes);
            return Move { to: anchor + choice.distance, keep: choice.keep };
        }
        let start = |segment: usize| segment * self.group;
        if keep == Keep::Tape && anchor + 1 < start(index + 1) {
            // The tapes of a group are kept together.
            return Move { to: anchor + 2, keep: Some(Keep::Tape) };
        }
        let bytes = match keep {
            Keep::State => at.bytes,
            // Those of the group's other tapes.
            Keep::Tape => {
                at.bytes + (start(index)..anchor).map(|n| self.bytes(n, keep)).sum::<u64>()
            }
        };
        match self.table.best(index, last + 1, keep, bytes as usize) {
            FirstMove::ToLast => Move { to: at.end - 1, keep: None },
            FirstMove::Keep(segment, Keep::State) => {
                Move { to: start(segment), keep: Some(Keep::State) }
            }
            FirstMove::Keep(segment, Keep::Tape) => {
                Move { to: start(segment) + 1, keep: Some(Keep::Tape) }
            }
        }
    }
}
