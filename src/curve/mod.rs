//! The work of one gradient against the memory it may hold.

use std::time::Instant;

use crate::adjoint::{Gradient, gradient};
use crate::budget::{Measured, measure_whole};
use crate::error::Error;
use crate::recurrence::Recurrence;
use crate::scalar::Scalar;
use crate::schedule::{Counts, Schedule, Sizes, StoreAll, optimum};
use crate::snapshot::SnapshotStore;

mod budgets;

pub use budgets::{Budgets, budget_sizes, measure_budgets};

/// One gradient, with a number of snapshots or a budget.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CurvePoint {
    /// s, the snapshots that were allowed; with a budget, the most slots that were in use.
    pub snapshots: u64,
    /// Bytes of memory that were allowed, where bytes were.
    pub budget_bytes: Option<u64>,
    /// The schedule's name.
    pub schedule: &'static str,
    /// Threads that took steps.
    pub threads: usize,
    /// The most bytes of states that the store held at once.
    pub snapshot_bytes_peak: u64,
    /// The most bytes of memory: states, tapes, the sweep's own.
    pub peak_bytes: u64,
    /// The most bytes of files.
    pub disk_bytes_peak: u64,
    /// The time of the gradient, the least of the repetitions that were made.
    pub seconds: f64,
    /// What it was to be by the costs of a few steps.
    pub predicted_seconds: f64,
    /// What no schedule can beat at these costs: see [`Plan`](crate::budget::Plan).
    pub lower_bound_seconds: f64,
    /// Steps taken beyond the N of the run, measured.
    pub recomputed_steps: u64,
    /// The least number of them: t(N, s) for s snapshots; with a budget, the least for schedules that
    /// hold what they keep until it is used, on one core and without a disk.
    pub optimum: u64,
    /// Whether J and its derivatives equal in every bit those with all states kept, or of the
    /// largest budget.
    pub bits_equal: bool,
}

/// A gradient's work against its memory, from the fewest snapshots to all states kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// N, the steps of the run.
    pub steps: u64,
    /// In ascending order of snapshots, of which the last keeps all states; or of bytes, for each of
    /// the numbers of threads, then with the disk.
    pub points: Vec<CurvePoint>,
}

/// Numbers of snapshots from `fewest` to the `steps` − 1 that keep all states, two to each doubling.
///
/// ```
/// assert_eq!(costate::curve::snapshot_counts(20, 1), [1, 2, 3, 4, 6, 8, 11, 16, 19]);
/// ```
pub fn snapshot_counts(steps: usize, fewest: usize) -> Vec<usize> {
    let all = steps.saturating_sub(1).max(1);
    let halves = (0..2 * usize::BITS).map(|k| 0.5 * f64::from(k));
    let mut counts: Vec<usize> = halves.map(|k| k.exp2().round() as usize).collect();
    counts.retain(|&count| count > fewest && count < all);
    counts.extend([fewest.clamp(1, all), all]);
    counts.sort_unstable();
    counts.dedup();
    counts
}

/// Takes the gradient of `chain` by a schedule of this name once with all states kept, then with each of
/// [`snapshot_counts`]`(N, fewest)`, and tells `observe` of each. `schedule` makes the schedule
/// for a number of snapshots, `store` an empty store. A short gradient is repeated.
///
/// # Errors
/// As [`gradient`], and those of `schedule` and `store`.
pub fn measure<R: Recurrence>(
    chain: &R,
    p: &[R::Scalar],
    fewest: usize,
    name: &'static str,
    schedule: impl Fn(usize) -> Result<Box<dyn Schedule>, Error>,
    store: impl Fn() -> Result<Box<dyn SnapshotStore<R::Scalar>>, Error>,
    observe: &dyn Fn(&CurvePoint),
) -> Result<Curve, Error> {
    let steps = chain.num_steps();
    let Measured { sizes: Sizes { state, .. }, costs, touch_state, .. } =
        measure_whole(chain, p, u64::MAX, &mut *store()?)?;
    let sizes = Sizes { state, tape: None };
    let counts = snapshot_counts(steps, fewest);
    let reference = gradient(chain, p, StoreAll::new(steps), &mut *store()?)?;
    let mut points = Vec::with_capacity(counts.len());
    let all = counts[counts.len() - 1];
    for &snapshots in counts.iter().rev() {
        let once = || match snapshots == all {
            true => gradient(chain, p, StoreAll::new(steps), &mut *store()?),
            false => gradient(chain, p, schedule(snapshots)?, &mut *store()?),
        };
        let (found, seconds) = timed(once)?;
        let counts = match snapshots == all {
            true => Counts::of(StoreAll::new(steps))?,
            false => Counts::of(schedule(snapshots)?)?,
        };
        let bytes = (snapshots as u64).saturating_mul(state);
        let point = CurvePoint {
            snapshots: snapshots as u64,
            budget_bytes: None,
            schedule: if snapshots == all { "store-all" } else { name },
            threads: 1,
            snapshot_bytes_peak: found.stats.snapshot_bytes_peak,
            peak_bytes: found.stats.peak_bytes,
            disk_bytes_peak: found.stats.disk_bytes_peak,
            seconds,
            predicted_seconds: counts.seconds(&costs) + counts.snapshots_peak as f64 * touch_state,
            lower_bound_seconds: optimum::mixed_bound(steps, bytes, sizes, costs),
            recomputed_steps: found.stats.recomputed_steps,
            optimum: optimum::t(steps as u64, snapshots as u64),
            bits_equal: bits(&found).eq(bits(&reference)),
        };
        observe(&point);
        points.push(point);
    }
    points.reverse();
    Ok(Curve { steps: steps as u64, points })
}

/// The result, and the least time of as many repetitions as fit in a fifth of a second, nine at most:
/// the others waited for what else the machine does.
fn timed<T>(once: impl Fn() -> Result<T, Error>) -> Result<(T, f64), Error> {
    const ENOUGH: f64 = 0.2;
    let begun = Instant::now();
    let result = once()?;
    let mut least = begun.elapsed().as_secs_f64();
    for _ in 1..9 {
        if begun.elapsed().as_secs_f64() >= ENOUGH {
            break;
        }
        let again = Instant::now();
        once()?;
        least = least.min(again.elapsed().as_secs_f64());
    }
    Ok((result, least))
}

fn bits<S: Scalar>(gradient: &Gradient<S>) -> impl Iterator<Item = u64> {
    let Gradient { value, wrt_y0, wrt_params, wrt_end_time, .. } = gradient;
    let alone = [value, wrt_end_time].into_iter();
    alone.chain(wrt_y0).chain(wrt_params).map(|number| number.bits())
}
