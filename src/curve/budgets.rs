//! The work of one gradient against the bytes that it may hold.

use std::path::PathBuf;

use super::{Curve, CurvePoint, bits, timed};
use crate::adjoint::Gradient;
use crate::budget::{Disk, Measured, Plan, Resources, measure_whole};
use crate::error::{Error, ScheduleError};
use crate::recurrence::Recurrence;
use crate::schedule::{Costs, optimum};
use crate::snapshot::{MemoryStore, measure_disk};

/// Which gradients a curve over bytes is made of.
#[derive(Clone, Debug, Default)]
pub struct Budgets {
    /// Bytes of memory; where there are none, [`budget_sizes`].
    pub bytes: Vec<u64>,
    /// Numbers of threads; one where there are none.
    pub threads: Vec<usize>,
    /// Where states may be kept in files, too, in gradients of their own.
    pub directory: Option<PathBuf>,
    /// Bytes of files.
    pub disk_bytes: Option<u64>,
}

/// Bytes from the `least` to the `most` that are of use, two to each doubling.
///
/// ```
/// assert_eq!(costate::curve::budget_sizes(1000, 3000), [1000, 1414, 2000, 2828, 3000]);
/// ```
pub fn budget_sizes(least: u64, most: u64) -> Vec<u64> {
    let halves = (0..2 * u64::BITS).map(|k| 0.5 * f64::from(k));
    let mut sizes: Vec<u64> = halves.map(|k| (k.exp2() * least as f64) as u64).collect();
    sizes.retain(|&size| size < most);
    sizes.push(most.max(least));
    sizes
}

/// Takes the gradient of `chain` in each of `budgets`, from the largest down, as
/// [`Problem::budget`](crate::problem::Problem::budget) does, for each number of threads, then with
/// files, and tells `observe` of each, with what part is done. Budgets in which a plan is that of a
/// larger one are left out, but for those given. A short gradient is repeated.
///
/// # Errors
/// As [`gradient`](crate::adjoint::gradient), and where a budget cannot hold a state beside the
/// sweep's own.
pub fn measure_budgets<R: Recurrence<Scalar = f64>>(
    chain: &R,
    p: &[f64],
    budgets: &Budgets,
    observe: &dyn Fn(&CurvePoint, f64),
) -> Result<Curve, Error> {
    let mut sweep = Sweep::new(chain, p, budgets)?;
    let tiers = budgets.tiers()?;
    let mut points = Vec::new();
    for (k, tier) in tiers.iter().enumerate() {
        let mut of_tier = Vec::new();
        for (i, &bytes) in sweep.bytes.clone().iter().rev().enumerate() {
            if let Some(point) = sweep.point(bytes, tier, of_tier.last())? {
                let done =
                    (k as f64 + (i + 1) as f64 / sweep.bytes.len() as f64) / tiers.len() as f64;
                observe(&point, done);
                of_tier.push(point);
            }
        }
        points.extend(of_tier.into_iter().rev());
    }
    Ok(Curve { steps: chain.num_steps() as u64, points })
}

/// What gradients may use beside memory.
struct Tier {
    threads: usize,
    disk: Option<Disk>,
    /// Those on one thread are taken anyway.
    is_extra: bool,
}

impl Budgets {
    fn tiers(&self) -> Result<Vec<Tier>, Error> {
        let alone = [1];
        let threads = if self.threads.is_empty() { &alone[..] } else { &self.threads };
        let extra = threads.contains(&1);
        let tier = |&threads| Tier { threads, disk: None, is_extra: extra && threads > 1 };
        let mut tiers: Vec<Tier> = threads.iter().map(tier).collect();
        if let Some(directory) = &self.directory {
            let bytes = self.disk_bytes.unwrap_or(u64::MAX);
            let disk = Some(Disk { bytes, bandwidth: measure_disk(directory)? });
            tiers.push(Tier { threads: 1, disk, is_extra: false });
        }
        Ok(tiers)
    }
}

struct Sweep<'a, R: Recurrence> {
    chain: &'a R,
    p: &'a [f64],
    budgets: &'a Budgets,
    measured: Measured,
    /// In ascending order.
    bytes: Vec<u64>,
    /// What is held whatever the plan: the times of the steps.
    grid: u64,
    reference: Option<Gradient>,
}

impl<'a, R: Recurrence<Scalar = f64>> Sweep<'a, R> {
    fn new(chain: &'a R, p: &'a [f64], budgets: &'a Budgets) -> Result<Self, Error> {
        let mut bytes = budgets.bytes.clone();
        bytes.sort_unstable();
        bytes.dedup();
        let most = bytes.last().copied().unwrap_or(u64::MAX);
        let measured = measure_whole(chain, p, most, &mut MemoryStore::new())?;
        let grid = chain.grid_bytes() as u64;
        if bytes.is_empty() {
            let (sizes, steps) = (measured.sizes, chain.num_steps() as u64);
            let own = measured.sweep_bytes + grid;
            let tape = sizes.tape.filter(|_| measured.costs.tapes_pay());
            let all = steps.saturating_sub(1).saturating_mul(tape.unwrap_or(sizes.state));
            bytes = budget_sizes(own + sizes.state, own + all.max(sizes.state));
        }
        Ok(Sweep { chain, p, budgets, measured, bytes, grid, reference: None })
    }

    /// Whether the budgets were not given.
    fn swept(&self) -> bool {
        self.budgets.bytes.is_empty()
    }

    fn point(
        &mut self,
        budget: u64,
        tier: &Tier,
        before: Option<&CurvePoint>,
    ) -> Result<Option<CurvePoint>, Error> {
        let Sweep { chain, p, measured, grid, .. } = *self;
        let steps = chain.num_steps();
        let needed = grid + measured.sweep_bytes + measured.sizes.state;
        if budget < needed {
            return Err(ScheduleError::Budget { bytes: budget, needed }.into());
        }
        let memory = budget - grid;
        let resources = Resources { memory, disk: tier.disk, threads: tier.threads };
        let plan = match Plan::new(steps, &measured, &resources) {
            // States on their way to the disk need more than the least.
            Err(ScheduleError::Budget { .. }) if tier.disk.is_some() && self.swept() => {
                return Ok(None);
            }
            plan => plan?,
        };
        let same = before.is_some_and(|before| {
            before.predicted_seconds == plan.seconds && before.schedule == plan.name()
        });
        if tier.is_extra && plan.threads == 1 || same && self.swept() {
            return Ok(None);
        }
        let directory = self.budgets.directory.as_deref();
        let (found, seconds) = timed(|| plan.gradient(chain, p, directory, &|_| {}))?;
        let slots = memory.saturating_sub(measured.sweep_bytes);
        let least = optimum::mixed_bound(steps, slots, measured.sizes, Costs::STEPS);
        let point = CurvePoint {
            snapshots: found.stats.snapshots_peak,
            budget_bytes: Some(budget),
            schedule: plan.name(),
            threads: plan.threads,
            snapshot_bytes_peak: found.stats.snapshot_bytes_peak,
            peak_bytes: found.stats.peak_bytes,
            disk_bytes_peak: found.stats.disk_bytes_peak,
            seconds,
            predicted_seconds: plan.seconds,
            lower_bound_seconds: plan.lower_bound,
            recomputed_steps: found.stats.recomputed_steps,
            optimum: (least - steps as f64).max(0.0).round() as u64,
            bits_equal: self.reference.as_ref().is_none_or(|first| bits(first).eq(bits(&found))),
        };
        self.reference.get_or_insert(found);
        Ok(Some(point))
    }
}
