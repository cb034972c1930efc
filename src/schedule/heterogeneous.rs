//! Chains whose steps differ in cost and size.

use super::budgeted::{At, Budgeted, Move, Policy};
use super::chain_table::{ChainTable, Link, Step};
use super::mixed::{MOST_WORK, Uniform};
use super::{Action, Costs, Keep, Place, Schedule, Sizes};
use crate::error::ScheduleError;

/// Chains up to this length are planned step by step.
const MOST_LINKS: usize = 200;

/// Longer ones are planned in as many groups.
const GROUPS: usize = 128;

/// Memory is planned in at most as many levels.
const MOST_LEVELS: usize = 500;

/// Operations for the table of a group of steps.
const GROUP_WORK: usize = 1 << 18;

/// States and tapes of a chain whose steps differ, kept so that a budget of bytes buys the most time.
///
/// For up to 200 places it is the optimum among schedules that keep what they keep until its step is
/// reversed, by dynamic programming, with sizes rounded up to levels of memory (at most 500, at
/// such a distance that rounding wastes least). A longer chain is planned in at most 128 groups of
/// neighbouring places; a group is reversed by [`Mixed`](super::Mixed)'s rules for its mean costs and
/// its largest sizes. Planning takes up to 80 MB for about a second, the plan itself little.
///
/// O. Beaumont, L. Eyraud-Dubois, J. Herrmann, A. Joly and A. Shilova, Optimal re-materialization
/// strategies for heterogeneous chains, ACM Trans. Math. Softw. 50 (2024), doi 10.1145/3648633.
///
/// ```
/// use costate::schedule::{Costs, Heterogeneous, Place, Prediction, Sizes};
/// let place = |step| Place {
///     costs: Costs { step, ..Costs::STEPS },
///     sizes: Sizes { state: 1, tape: Some(4) },
/// };
/// // Room for one tape beside the first state: the dear step is not taken again.
/// let places = [1.0, 10.0, 1.0].map(place);
/// let plan = Prediction::heterogeneous(Heterogeneous::new(&places, 5)?, 5, &places)?;
/// assert_eq!(plan.seconds, 13.0);
/// assert!(plan.counts.bytes_peak <= 5);
/// # Ok::<(), costate::error::ScheduleError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Heterogeneous {
    actions: std::vec::IntoIter<Action>,
    num_slots: usize,
    bytes: usize,
}

impl Heterogeneous {
    /// Reverses the steps of `places` with at most `budget` bytes of what is kept. States are in
    /// lower slots than tapes.
    ///
    /// # Errors
    /// Where the budget cannot hold the largest state, or a cost is negative or not finite.
    pub fn new(places: &[Place], budget: u64) -> Result<Self, ScheduleError> {
        for place in places {
            place.costs.check()?;
        }
        let places: Vec<Place> =
            places.iter().map(|place| Place { sizes: place.sizes.normal(), ..*place }).collect();
        let needed = places.iter().map(|place| place.sizes.state).max().unwrap_or(0);
        if places.len() > 1 && budget < needed {
            return Err(ScheduleError::Budget { bytes: budget, needed });
        }
        let n = places.len();
        let first_tape = n;
        let actions: Vec<Action> = match Grouped::new(&places, budget)? {
            Some(policy) => {
                let levels = policy.levels as u64;
                Budgeted::new(policy, n, levels, first_tape).collect()
            }
            None => {
                let (costs, sizes) = mean(&places);
                let policy = Uniform::new(n, budget, sizes, costs, MOST_WORK)?;
                Budgeted::new(policy, n, budget, first_tape).collect()
            }
        };
        let bytes = actions.capacity() * size_of::<Action>();
        Ok(Heterogeneous { actions: actions.into_iter(), num_slots: 2 * n, bytes })
    }
}

impl Iterator for Heterogeneous {
    type Item = Action;

    fn next(&mut self) -> Option<Action> {
        self.actions.next()
    }
}

impl Schedule for Heterogeneous {
    fn num_slots(&self) -> usize {
        self.num_slots
    }

    /// Without what it was planned with, which is gone.
    fn bytes(&self) -> usize {
        self.bytes
    }
}

/// The mean costs and the largest sizes; no tapes where one of the places has none.
fn mean(places: &[Place]) -> (Costs, Sizes) {
    let n = places.len().max(1) as f64;
    let mean = |of: &dyn Fn(&Costs) -> f64| places.iter().map(|p| of(&p.costs)).sum::<f64>() / n;
    let costs = Costs {
        step: mean(&|costs| costs.step),
        adjoint: mean(&|costs| costs.adjoint),
        store: mean(&|costs| costs.store),
        restore: mean(&|costs| costs.restore),
        keep_tape: mean(&|costs| costs.keep_tape),
    };
    let state = places.iter().map(|place| place.sizes.state).max().unwrap_or(1);
    let tape = places.iter().map(|place| place.sizes.tape).reduce(|a, b| Some(a?.max(b?)));
    (costs, Sizes { state, tape: tape.flatten() })
}

/// Decides by the optimum of the chain of groups, and inside a group as for equal steps.
struct Grouped {
    places: Vec<Place>,
    /// Steps in a group; the last may have fewer.
    group: usize,
    /// Bytes of a level.
    unit: u64,
    levels: usize,
    table: ChainTable,
    inside: Vec<Option<Uniform>>,
}

impl Grouped {
    /// None where not even one state beside the first can be kept between groups.
    fn new(places: &[Place], budget: u64) -> Result<Option<Self>, ScheduleError> {
        let group = if places.len() > MOST_LINKS { places.len().div_ceil(GROUPS) } else { 1 };
        let Some((unit, levels)) = best_unit(places, budget) else { return Ok(None) };
        let (mut links, mut inside) = (Vec::new(), Vec::new());
        for places in places.chunks(group) {
            if let [place] = places {
                links.push(Link::single(place, unit, levels));
                inside.push(None);
            } else {
                let (link, rules) = grouped(places, unit, levels)?;
                links.push(link);
                inside.push(Some(rules));
            }
        }
        if links.is_empty() {
            return Ok(None);
        }
        let table = ChainTable::new(links, levels);
        let places = places.to_vec();
        let grouped = Grouped { places, group, unit, levels, table, inside };
        Ok(grouped.table.cost().is_finite().then_some(grouped))
    }
}

/// Several places as one link, and the rules inside it.
fn grouped(places: &[Place], unit: u64, levels: usize) -> Result<(Link, Uniform), ScheduleError> {
    let (mean, largest) = mean(places);
    let size = |bytes: u64| bytes.div_ceil(unit).max(1);
    let sizes = Sizes { state: size(largest.state), tape: largest.tape.map(size) };
    let n = places.len();
    let rules = Uniform::new(n, (levels as u64).max(sizes.state), sizes, mean, GROUP_WORK)?;
    let alone = (0..=levels).map(|m| rules.cost(n, m as u64, &mean) as f32).collect();
    let count = |size: u64| usize::try_from(size).unwrap_or(usize::MAX);
    let costs = Costs {
        step: n as f64 * mean.step,
        adjoint: n as f64 * mean.adjoint,
        keep_tape: n as f64 * mean.keep_tape,
        store: places[0].costs.store,
        restore: places[0].costs.restore,
    };
    let tape = sizes.tape.map(|tape| count(tape).saturating_mul(n));
    Ok((Link { costs, state: count(sizes.state), tape, single: false, alone }, rules))
}

/// Bytes of a level and the number of levels: that which rounding wastes least with. None where
/// there is no budget.
fn best_unit(places: &[Place], budget: u64) -> Option<(u64, usize)> {
    let sizes = |place: &Place| [Some(place.sizes.state), place.sizes.tape];
    let all: Vec<u64> = places.iter().flat_map(sizes).flatten().collect();
    // What all tapes take is enough.
    let useful = places.iter().map(|p| p.sizes.tape.unwrap_or(0).max(p.sizes.state));
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
        let bytes = self.places.get(step).map_or(u64::MAX, |place| place.sizes.of(keep));
        bytes.div_ceil(self.unit).max(1)
    }

    fn next(&self, at: &At) -> Move {
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
        let start = |link: usize| link * self.group;
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
            Step::ToLast => Move { to: at.end - 1, keep: None },
            Step::Keep(link, Keep::State) => Move { to: start(link), keep: Some(Keep::State) },
            Step::Keep(link, Keep::Tape) => Move { to: start(link) + 1, keep: Some(Keep::Tape) },
        }
    }
}
