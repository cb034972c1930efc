//! The least cost of reversing a chain of equal steps in a budget of bytes, and a bound on it.

use super::longest_chain::LongestChain;
use super::table::MixedTable;
use crate::error::ScheduleError;
use crate::schedule::{Costs, Sizes};

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
/// where tapes pay; the proof is in the source beside N_r (`longest_chain.rs`). Without tapes the
/// last term is min(c_s, F) (min(l, N_1) − 2)⁺, and for [`Costs::STEPS`] it is l +
/// [`t`](crate::schedule::optimum::t)`(l, s)`.
pub fn mixed_bound(steps: usize, budget: u64, sizes: Sizes, costs: Costs) -> f64 {
    LongestChain::new(sizes.normal()).least_cost(steps as u64, budget, &costs)
}
