//! The work of one gradient against the memory it may hold.

use std::time::Instant;

use serde::Serialize;

use crate::adjoint::{Gradient, Progress, Reversal};
use crate::error::Error;
use crate::numbers::scalar::Scalar;
use crate::plan::budget::{Measured, measure_whole};
use crate::recurrence::Chain;
use crate::schedule::{Counts, Schedule, Sizes, StoreAll, optimum};
use crate::snapshot::SnapshotStore;

mod course;

mod budgets;

pub use budgets::{Budgets, budget_sizes, measure_budgets};
use course::Course;
pub use course::{CurveNews, LeftOut, Reason};

/// One gradient, with a number of snapshots or a budget.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
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
    /// What no schedule can beat at these costs: see [`Plan`](crate::plan::budget::Plan).
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
    /// What was not measured.
    pub left_out: Vec<LeftOut>,
}

/// Numbers of snapshots from `fewest` to the `steps` − 1 that keep all states, two to each doubling.
///
/// ```
/// assert_eq!(costate::plan::curve::snapshot_counts(20, 1), [1, 2, 3, 4, 6, 8, 11, 16, 19]);
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

/// Takes the gradient of `chain` by a schedule of this name with all states kept, then with each of
/// [`snapshot_counts`] down to `fewest`, and tells `observe` of each. Without a `fewest` the counts
/// go down to 1, and those that are predicted to take over 20 times as long as the fastest are left
/// out. `schedule` makes the schedule for a number of snapshots, `store` an empty store. A short
/// gradient is repeated.
///
/// # Errors
/// As [`gradient`](crate::adjoint::gradient), and those of `schedule` and `store`.
pub fn measure<S: Scalar>(
    chain: &dyn Chain<S>,
    p: &[S],
    fewest: Option<usize>,
    name: &'static str,
    schedule: impl Fn(usize) -> Result<Box<dyn Schedule>, Error>,
    store: impl Fn() -> Result<Box<dyn SnapshotStore<S>>, Error>,
    observe: &(dyn Fn(CurveNews) + Sync),
) -> Result<Curve, Error> {
    let steps = chain.num_steps();
    let measured = measure_whole(chain, p, u64::MAX, &mut *store()?)?;
    let counts = snapshot_counts(steps, fewest.unwrap_or(1));
    let all = counts[counts.len() - 1];
    let schedule = |snapshots| -> Result<Box<dyn Schedule>, Error> {
        if snapshots == all { Ok(Box::new(StoreAll::new(steps))) } else { schedule(snapshots) }
    };
    let mut course = Course::new(observe);
    for &snapshots in counts.iter().rev() {
        let counts = Counts::of(schedule(snapshots)?)?;
        let touching = counts.snapshots_peak as f64 * measured.touch_state;
        course.add(snapshots, counts.seconds(&measured.costs) + touching);
    }
    if fewest.is_none() {
        course.leave_slow_out(|snapshots, predicted_seconds| LeftOut {
            snapshots: Some(*snapshots as u64),
            budget_bytes: None,
            schedule: name,
            threads: 1,
            on_disk: false,
            predicted_seconds,
            reason: Reason::Slow,
        });
    }
    let mut points = course.measured(|&snapshots, predicted_seconds, observe| {
        let once = |observe: &(dyn Fn(Progress) + Sync)| {
            let (mut observer, mut schedule) = (observe, schedule(snapshots)?);
            let reversal = Reversal::new(p).observer(&mut observer);
            reversal.gradient(chain, &mut *schedule, &mut *store()?)
        };
        let (found, seconds) = timed(once, observe)?;
        let name = if snapshots == all { "store-all" } else { name };
        let point = point_of(chain, &measured, snapshots as u64, &found);
        let point = CurvePoint { schedule: name, seconds, predicted_seconds, ..point };
        Ok((point, found))
    })?;
    points.reverse();
    Ok(Curve { steps: steps as u64, points, left_out: course.left_out() })
}

/// Of so many snapshots; what is measured is not in it yet.
fn point_of<S: Scalar>(
    chain: &dyn Chain<S>,
    measured: &Measured,
    snapshots: u64,
    found: &Gradient<S>,
) -> CurvePoint {
    let (steps, Sizes { state, .. }) = (chain.num_steps(), measured.sizes);
    let (bytes, sizes) = (snapshots.saturating_mul(state), Sizes { state, tape: None });
    CurvePoint {
        snapshots,
        budget_bytes: None,
        schedule: "",
        threads: 1,
        snapshot_bytes_peak: found.stats.snapshot_bytes_peak,
        peak_bytes: found.stats.peak_bytes,
        disk_bytes_peak: found.stats.disk_bytes_peak,
        seconds: 0.0,
        predicted_seconds: 0.0,
        lower_bound_seconds: optimum::mixed_bound(steps, bytes, sizes, measured.costs),
        recomputed_steps: found.stats.recomputed_steps,
        optimum: optimum::t(steps as u64, snapshots),
        bits_equal: false,
    }
}

/// The result, and the least time of as many repetitions as fit in a fifth of a second, nine at most:
/// the others waited for what else the machine does. `observe` is told of the first.
fn timed<T>(
    once: impl Fn(&(dyn Fn(Progress) + Sync)) -> Result<T, Error>,
    observe: &(dyn Fn(Progress) + Sync),
) -> Result<(T, f64), Error> {
    const ENOUGH: f64 = 0.2;
    let begun = Instant::now();
    let result = once(observe)?;
    let mut least = begun.elapsed().as_secs_f64();
    for _ in 1..9 {
        if begun.elapsed().as_secs_f64() >= ENOUGH {
            break;
        }
        let again = Instant::now();
        once(&|_| {})?;
        least = least.min(again.elapsed().as_secs_f64());
    }
    Ok((result, least))
}

fn bits<S: Scalar>(gradient: &Gradient<S>) -> impl Iterator<Item = u64> {
    let Gradient { value, wrt_y0, wrt_params, wrt_end_time, .. } = gradient;
    let alone = [value, wrt_end_time].into_iter();
    alone.chain(wrt_y0).chain(wrt_params).map(|number| number.bits())
}
