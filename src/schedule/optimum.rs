//! The least work of reversing a chain in bounded memory.
//!
//! A. Griewank and A. Walther, Algorithm 799: revolve, ACM Trans. Math. Softw. 26 (2000) 19–45,
//! doi 10.1145/347837.347846.

use super::mixed_reach::Reach;
use super::mixed_table::MixedTable;
use super::{Costs, Sizes};
use crate::error::ScheduleError;

/// C(n, k), or `u64::MAX` where it is larger.
pub fn binomial(n: u64, k: u64) -> u64 {
    if k > n {
        return 0;
    }
    let mut value: u128 = 1;
    for i in 1..=k.min(n - k) {
        value = value * u128::from(n - k.min(n - k) + i) / u128::from(i);
        if value > u128::from(u64::MAX) {
            return u64::MAX;
        }
    }
    value as u64
}

/// β(s, r) = C(s + r, s): the longest chain that s snapshots reverse with no step advanced over
/// more than r times.
pub(crate) fn reach(slots: u64, repetition: u64) -> u64 {
    // Where s + r is no number, fewer slots reach as far as a number says.
    let slots = slots.min(u64::MAX - repetition);
    binomial(slots + repetition, slots)
}

/// More slots are of no use, and C(s + r, s) of the largest would saturate.
fn of_use(steps: u64, slots: u64) -> u64 {
    slots.min(steps).min(u64::MAX / 4)
}

/// The least r with C(s + r, s) ≥ l: how often some step has to be advanced over when l steps are
/// reversed with s snapshots, the one of step 0 among them. `u64::MAX` where it cannot be done
/// (s = 0 and l > 1).
pub fn repetition(steps: u64, slots: u64) -> u64 {
    let slots = of_use(steps, slots);
    match (steps, slots) {
        (0 | 1, _) => return 0,
        (_, 0) => return u64::MAX,
        (_, 1) => return steps - 1,
        _ => {}
    }
    let mut high = 1;
    while reach(slots, high) < steps {
        high = high.saturating_mul(2);
    }
    let mut low = high / 2;
    // reach(low) < steps ≤ reach(high)
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if reach(slots, middle) < steps {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// t(l, s) = r l − C(s + r, r − 1) with r = [`repetition`]`(l, s)`: the least number of steps
/// advanced over when l steps are reversed with s snapshots, the one of step 0 among them; the
/// steps taken by the reversals themselves are not counted. `u64::MAX` where it is larger or
/// cannot be done (s = 0 and l > 1).
///
/// ```
/// use costate::schedule::optimum;
/// assert_eq!(optimum::t(50, 7), 105);
/// ```
pub fn t(steps: u64, slots: u64) -> u64 {
    let slots = of_use(steps, slots);
    let r = repetition(steps, slots);
    match r {
        0 => 0,
        u64::MAX => u64::MAX,
        _ => {
            let saved = binomial(slots.saturating_add(r), r - 1);
            let least = u128::from(r) * u128::from(steps) - u128::from(saved);
            u64::try_from(least).unwrap_or(u64::MAX)
        }
    }
}

/// The number m of steps between a snapshot and the next one when `steps` > 1 steps are reversed
/// with `slots` > 1 snapshots, the one at their start among them: of the distances with the fewest
/// advances one that stores least.
///
/// With r the [`repetition`] of l steps in s snapshots, the advances are fewest where neither part
/// needs more than its share of repetitions, nor leaves some of it unused:
///
/// ```text
/// max(β(s, r−2), l − β(s−1, r)) ≤ m ≤ min(β(s, r−1), l − β(s−1, r−1))
/// ```
///
/// Of these, the stores σ(l, s) = min_m [l − m > 1] + σ(l − m, s − 1) + σ(m, s) do not grow with l
/// from β(s, r−1) to λ(s, r) = β(s, r−1) + β(s−1, r−1), and by one with each step from there to β(s, r).
/// So m is λ(s, r−1), or as near to it as they allow: what comes before the next snapshot then
/// stores as little as its repetitions permit.
pub(crate) fn split(steps: usize, slots: usize) -> usize {
    let (l, s) = (steps as u64, slots as u64);
    let r = repetition(l, s);
    let reach = |slots, r: Option<u64>| r.map_or(0, |r| reach(slots, r));
    let twice = r.checked_sub(2);
    let least = reach(s, twice).max(l.saturating_sub(reach(s - 1, Some(r)))).max(1);
    let most = farthest(l, s, r);
    let cheapest = reach(s, twice).saturating_add(reach(s - 1, twice));
    cheapest.min(most).max(least) as usize
}

/// The longest of the distances that [`split`] chooses from: for two lanes, the second of which takes
/// the steps behind it.
pub(crate) fn longest(steps: usize, slots: usize) -> usize {
    let (l, s) = (steps as u64, slots as u64);
    farthest(l, s, repetition(l, s)) as usize
}

/// What follows the next snapshot must not need more than r repetitions with one slot less, what comes
/// before it no more than r − 1.
fn farthest(l: u64, s: u64, r: u64) -> u64 {
    reach(s, r - 1).min(l - reach(s - 1, r - 1).min(l - 1))
}

/// The least cost of reversing `steps` steps in `budget` bytes where a slot may keep a state or a
/// tape, by dynamic programming: l² operations for each sum of sizes within the budget.
///
/// # Errors
/// Where the budget cannot hold a state, or a cost is negative or not finite.
///
/// ```
/// use costate::schedule::{Costs, Sizes, optimum};
/// let sizes = Sizes { state: 1, tape: Some(4) };
/// // Four tapes and the sweep's own: no step is taken twice.
/// assert_eq!(optimum::mixed(5, 16, sizes, Costs::STEPS)?, 5.0);
/// assert_eq!(optimum::mixed_bound(5, 16, sizes, Costs::STEPS), 5.0);
/// # Ok::<(), costate::error::ScheduleError>(())
/// ```
pub fn mixed(steps: usize, budget: u64, sizes: Sizes, costs: Costs) -> Result<f64, ScheduleError> {
    costs.check()?;
    let sizes = sizes.normal();
    match steps {
        0 => return Ok(0.0),
        1 => return Ok(costs.step + costs.adjoint),
        _ if budget < sizes.state => {
            return Err(ScheduleError::Budget { bytes: budget, needed: sizes.state });
        }
        _ => {}
    }
    let levels = MixedTable::levels(steps, budget, &sizes, usize::MAX / 8).unwrap_or_default();
    let (table, state, tape) = MixedTable::new(steps, levels, &sizes, &costs);
    Ok(table.cell(steps, budget).map_or(f64::INFINITY, |cell| {
        (costs.store + state[cell]).min(costs.step + costs.keep_tape + tape[cell])
    }))
}

/// A bound from below on what any persistent schedule (one that holds what it keeps until its step
/// is reversed) costs for `steps` steps in `budget` bytes: with N_r the most steps that these
/// bytes reverse when no step is taken more than r times beyond its first,
///
/// ```text
/// l (F + A) + (l − 1) min(r, c_t) + F Σ_r (l − N_r)⁺ + min(c_t − r, F)⁺ min(l − 1, N_0 − 1)
/// ```
///
/// where tapes pay; the proof is in the source beside N_r (`mixed_reach.rs`). Without tapes the last
/// term is min(c_s, F) (min(l, N_1) − 2)⁺, and for [`Costs::STEPS`] it is l + [`t`]`(l, s)`.
pub fn mixed_bound(steps: usize, budget: u64, sizes: Sizes, costs: Costs) -> f64 {
    Reach::new(sizes.normal()).least_cost(steps as u64, budget, &costs)
}
