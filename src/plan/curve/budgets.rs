//! The work of one gradient against the bytes that it may hold.

use std::path::PathBuf;

use super::course::Course;
use super::{Curve, CurveNews, CurvePoint, LeftOut, Reason, timed};
use crate::adjoint::{Gradient, Progress};
use crate::error::{Error, ScheduleError};
use crate::plan::budget::{Disk, Measured, Plan, Resources, measure_whole};
use crate::recurrence::Chain;
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
/// assert_eq!(costate::plan::curve::budget_sizes(1000, 3000), [1000, 1414, 2000, 2828, 3000]);
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
/// files, and tells `observe` of each. Of budgets that are not given those are left out in which a
/// plan is that of a larger one, and those that are predicted to take over 20 times as long as the
/// fastest. A short gradient is repeated.
///
/// # Errors
/// As [`gradient`](crate::adjoint::gradient), and where a budget cannot hold a state beside the
/// sweep's own.
pub fn measure_budgets(
    chain: &dyn Chain,
    p: &[f64],
    budgets: &Budgets,
    observe: &(dyn Fn(CurveNews) + Sync),
) -> Result<Curve, Error> {
    let sweep = Sweep::new(chain, p, budgets)?;
    let tiers = budgets.tiers()?;
    let mut course = Course::new(observe);
    for number in 0..tiers.len() {
        sweep.plan(&tiers, number, &mut course)?;
    }
    if sweep.swept() {
        course.leave_slow_out(|planned, predicted_seconds| LeftOut {
            predicted_seconds,
            ..planned.left_out(Reason::Slow)
        });
    }
    let found = course.measured(|planned, _, observe| sweep.point(planned, observe))?;
    let tiers = course.ahead().map(|planned| planned.tier);
    let mut points: Vec<(usize, CurvePoint)> = tiers.zip(found).collect();
    points.reverse();
    points.sort_by_key(|point| point.0);
    let points = points.into_iter().map(|point| point.1).collect();
    Ok(Curve { steps: chain.num_steps() as u64, points, left_out: course.left_out() })
}

/// What gradients may use beside memory.
struct Tier {
    threads: usize,
    disk: Option<Disk>,
    /// Plans without it are taken anyway.
    is_extra: bool,
}

impl Budgets {
    fn tiers(&self) -> Result<Vec<Tier>, Error> {
        let alone = [1];
        let threads = if self.threads.is_empty() { &alone[..] } else { &self.threads };
        let has_one = threads.contains(&1);
        let tier = |&threads| Tier { threads, disk: None, is_extra: has_one && threads > 1 };
        let mut tiers: Vec<Tier> = threads.iter().map(tier).collect();
        if let Some(directory) = &self.directory {
            let bytes = self.disk_bytes.unwrap_or(u64::MAX);
            let disk = Some(Disk { bytes, bandwidth: measure_disk(directory)? });
            tiers.push(Tier { threads: 1, disk, is_extra: has_one });
        }
        Ok(tiers)
    }
}

/// A gradient in a budget.
struct InBudget {
    /// Number of its tier.
    tier: usize,
    budget: u64,
    plan: Plan,
}

impl InBudget {
    fn left_out(&self, reason: Reason) -> LeftOut {
        let InBudget { budget, plan, .. } = self;
        LeftOut {
            snapshots: None,
            budget_bytes: Some(*budget),
            schedule: plan.name(),
            threads: plan.resources.threads,
            on_disk: plan.resources.disk.is_some(),
            predicted_seconds: plan.seconds,
            reason,
        }
    }
}

struct Sweep<'a> {
    chain: &'a dyn Chain,
    p: &'a [f64],
    budgets: &'a Budgets,
    measured: Measured,
    /// In ascending order.
    bytes: Vec<u64>,
    /// What is held whatever the plan: the times of the steps.
    grid: u64,
}

impl<'a> Sweep<'a> {
    fn new(chain: &'a dyn Chain, p: &'a [f64], budgets: &'a Budgets) -> Result<Self, Error> {
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
        Ok(Sweep { chain, p, budgets, measured, bytes, grid })
    }

    /// Whether the budgets were not given.
    fn swept(&self) -> bool {
        self.budgets.bytes.is_empty()
    }

    /// Plans in each budget, from the largest down.
    fn plan(
        &self,
        tiers: &[Tier],
        number: usize,
        course: &mut Course<InBudget>,
    ) -> Result<(), Error> {
        let tier = &tiers[number];
        let mut before: Option<Plan> = None;
        for &budget in self.bytes.iter().rev() {
            let needed = self.grid + self.measured.sweep_bytes + self.measured.sizes.state;
            if budget < needed {
                return Err(ScheduleError::Budget { bytes: budget, needed }.into());
            }
            let memory = budget - self.grid;
            let resources = Resources { memory, disk: tier.disk, threads: tier.threads };
            let plan = Plan::new(self.chain.num_steps(), &self.measured, &resources)?;
            let same = before.replace(plan.clone()).is_some_and(|before| {
                before.seconds == plan.seconds && before.name() == plan.name()
            });
            let planned = InBudget { tier: number, budget, plan };
            let uses_extra = planned.plan.threads > 1 || planned.plan.uses_disk();
            if tier.is_extra && !uses_extra {
                if !self.swept() {
                    course.leave_out(planned.left_out(Reason::NoOtherPlan));
                }
            } else if !(same && self.swept()) {
                let seconds = planned.plan.seconds;
                course.add(planned, seconds);
            }
        }
        Ok(())
    }

    fn point(
        &self,
        InBudget { budget, plan, .. }: &InBudget,
        observe: &(dyn Fn(Progress) + Sync),
    ) -> Result<(CurvePoint, Gradient), Error> {
        let Sweep { chain, p, measured, .. } = *self;
        let directory = self.budgets.directory.as_deref();
        let (found, seconds) =
            timed(|mut observe| plan.gradient(chain, p, directory, &mut observe), observe)?;
        let (steps, Measured { sizes, sweep_bytes, .. }) = (chain.num_steps(), measured);
        let slots = plan.resources.memory.saturating_sub(sweep_bytes);
        let least = optimum::mixed_bound(steps, slots, sizes, Costs::STEPS);
        let point = CurvePoint {
            snapshots: found.stats.snapshots_peak,
            budget_bytes: Some(*budget),
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
            bits_equal: false,
        };
        Ok((point, found))
    }
}
