//! A gradient in a budget of bytes, or on several threads.

use std::path::Path;

use super::Problem;
use crate::adjoint::{self, Gradient, Stats, gradient_online, gradient_online_on_lanes};
use crate::budget::{
    Disk, Measured, Plan, Resources, Way, file_buffers, measure, measure_whole, slots_beside,
    times_left,
};
use crate::error::{Error, SnapshotError};
use crate::method::Method;
use crate::objective::Objective;
use crate::ode::{Initial, Vjp};
use crate::recurrence::{Adaptive, Frontier, Recurrence};
use crate::schedule::{Counts, LaneCounts, MixedOnline, Pair, PairOnline};
use crate::snapshot::{MemoryStore, measure_disk};
use crate::stepper::AdjointStepper;

/// What was planned for a gradient.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlanSummary {
    /// The schedule's name.
    pub schedule: &'static str,
    /// Bytes of memory that were allowed.
    pub budget_bytes: Option<u64>,
    /// Threads that take steps.
    pub threads: usize,
    /// Seconds that the gradient was to take, by what a few of its steps cost; where error control
    /// chooses the steps, as soon as their number was known.
    pub predicted_seconds: Option<f64>,
}

/// What a run whose steps error control chooses holds beside its slots and the times of its steps.
#[derive(Clone, Copy)]
pub(super) struct Beside {
    /// The sweeps' own.
    pub own: u64,
    /// States on their way to files and back.
    pub files: u64,
    /// The bytes of a state.
    pub state: u64,
}

impl Beside {
    pub(super) fn lanes(lanes: usize, measured: &Measured) -> Self {
        let own = lanes as u64 * measured.sweep_bytes;
        Beside { own, files: 0, state: measured.sizes.state }
    }
}

/// Steps of error control that are tried to learn what they cost.
const PROBED: usize = 16;

impl<'a, O: Vjp, I: Initial, J: Objective, M: Method<O>> Problem<'a, O, I, J, M> {
    pub(super) fn planned_gradient_by<N: AdjointStepper<O>>(
        &self,
        stepper: N,
        stop_if_stiff: bool,
    ) -> Result<(Gradient, PlanSummary), Error> {
        match self.options.fixed_steps {
            Some(steps) => self.planned_fixed(stepper, steps),
            None => self.planned_controlled(stepper, stop_if_stiff),
        }
    }

    fn planned_fixed<N: AdjointStepper<O>>(
        &self,
        stepper: N,
        steps: usize,
    ) -> Result<(Gradient, PlanSummary), Error> {
        let (chain, p) = (self.fixed(stepper, steps)?, self.p);
        let measured = measure(&chain, p, self.options.budget.unwrap_or(u64::MAX))?;
        let resources = self.resources(&measured, steps, None);
        let plan = match (self.options.budget, measured.lanes(&resources)) {
            (Some(_), _) => Plan::new(steps, &measured, &resources)?,
            (None, Some(bytes)) => Plan::on_two_cores(steps, &measured, &resources, bytes)?,
            (None, None) => return Ok((self.gradient_of_chain(&chain)?, self.unplanned())),
        };
        let summary = self.summary(plan.name(), plan.threads, plan.seconds);
        let gradient = plan.gradient(&chain, p, None, self.options.on_progress)?;
        Ok((gradient, summary))
    }

    fn planned_controlled<N: AdjointStepper<O>>(
        &self,
        stepper: N,
        stop_if_stiff: bool,
    ) -> Result<(Gradient, PlanSummary), Error> {
        let (p, progress) = (self.p, self.options.on_progress);
        let mut frontier = self.adaptive(stepper, stop_if_stiff)?;
        let measured = self.probed(&mut frontier)?;
        let resources = self.resources(&measured, usize::MAX, None);
        let way = match (self.options.budget, measured.lanes(&resources)) {
            (Some(_), _) => measured.way_online(&resources)?,
            (None, Some(bytes)) => Way::Lanes(bytes),
            (None, None) => return Ok((self.gradient_of_run(frontier)?, self.unplanned())),
        };
        if let Way::Lanes(bytes) = way {
            return self.on_two_cores(&mut frontier, &measured, bytes);
        }
        let slots = times_left(measured.slot_bytes(resources.memory)?, measured.sizes.state);
        let schedule = MixedOnline::new(slots, measured.sizes, measured.costs)?;
        let mut store = MemoryStore::new();
        let gradient = gradient_online(&mut frontier, p, schedule.clone(), &mut store, progress)?;
        let counts = Counts::of_online(schedule, frontier.chain().num_steps())?;
        self.within_budget(
            &gradient.stats,
            frontier.chain().grid_bytes(),
            Beside::lanes(1, &measured),
        )?;
        Ok((gradient, self.summary("mixed", 1, counts.seconds(&measured.costs))))
    }

    /// A run whose steps error control chooses, in `bytes` for slots.
    pub(super) fn on_two_cores<N: AdjointStepper<O>>(
        &self,
        frontier: &mut Adaptive<'a, O, I, J, N>,
        measured: &Measured,
        bytes: u64,
    ) -> Result<(Gradient, PlanSummary), Error> {
        let (p, progress) = (self.p, self.options.on_progress);
        let bytes = times_left(bytes, measured.sizes.state);
        let (costs, tapes) = (measured.lane_costs(), measured.tapes_on_lanes(bytes));
        let slots = measured.slots_beside_tapes(bytes, tapes).unwrap_or(1);
        let pair = PairOnline::with_tapes(slots, tapes, costs)?;
        let gradient = gradient_online_on_lanes(frontier, p, pair, progress)?;
        let steps = frontier.chain().num_steps();
        let pair = Pair::with_tapes(steps, slots, tapes, costs)?;
        let seconds = LaneCounts::of(pair, costs)?.makespan as f64 * 1e-9;
        let (grid, lanes) = (frontier.chain().grid_bytes(), Beside::lanes(2, measured));
        self.within_budget(&gradient.stats, grid, lanes)?;
        Ok((gradient, self.summary("pair", 2, seconds)))
    }

    /// What [`solved`](Self::solved) would do.
    pub(super) fn plan_by<N: AdjointStepper<O>>(
        &self,
        stepper: N,
        stop_if_stiff: bool,
    ) -> Result<Plan, Error> {
        let memory = self.options.budget.unwrap_or(u64::MAX);
        let disk = self.options.directory.as_deref().map(|path| self.disk(path)).transpose()?;
        let resources = |measured: &Measured, steps| self.resources(measured, steps, disk);
        let Some(steps) = self.options.fixed_steps else {
            let mut frontier = self.adaptive(stepper, stop_if_stiff)?;
            let (_, pass) = adjoint::value_online(&mut frontier, self.p, self.options.on_progress)?;
            let chain = frontier.into_discretization();
            let steps = chain.num_steps();
            let measured = measure_whole(&chain, self.p, memory, &mut MemoryStore::new())?;
            let mut plan = Plan::online(steps, &measured, &resources(&measured, steps))?;
            // Error control costs more than the steps it accepts.
            let accepted = steps as f64 * measured.costs.step;
            plan.seconds += (pass.seconds_forward - accepted).max(0.0);
            let lanes = Beside::lanes(plan.threads, &measured);
            let files = if plan.uses_disk() { file_buffers(lanes.state) } else { 0 };
            let beside = Beside { files, ..lanes };
            let held =
                Stats { peak_bytes: plan.memory_bytes, steps: plan.steps, ..Stats::default() };
            self.within_budget(&held, chain.grid_bytes(), beside)?;
            return Ok(plan);
        };
        let chain = self.fixed(stepper, steps)?;
        let measured = measure_whole(&chain, self.p, memory, &mut MemoryStore::new())?;
        Ok(Plan::new(steps, &measured, &resources(&measured, steps))?)
    }

    /// What the first steps of a run cost, which then begins again.
    pub(super) fn probed<N: AdjointStepper<O>>(
        &self,
        frontier: &mut Adaptive<'a, O, I, J, N>,
    ) -> Result<Measured, Error> {
        frontier.probe(self.p, PROBED)?;
        let memory = self.options.budget.unwrap_or(u64::MAX);
        let measured = measure(frontier.chain(), self.p, memory)?;
        frontier.restart();
        Ok(measured)
    }

    /// How fast the directory is, and what may be in it.
    pub(super) fn disk(&self, directory: &Path) -> Result<Disk, SnapshotError> {
        let bytes = self.options.disk_budget.unwrap_or(u64::MAX);
        Ok(Disk { bytes, bandwidth: measure_disk(directory)? })
    }

    /// What was allowed: bytes, or a number of snapshots for each of which there is room.
    pub(super) fn resources(
        &self,
        measured: &Measured,
        steps: usize,
        disk: Option<Disk>,
    ) -> Resources {
        let snapshots = self.options.snapshots.unwrap_or(steps) as u64;
        let room = snapshots.saturating_mul(measured.sizes.state);
        let own = measured.sweep_bytes * self.options.threads.min(2) as u64;
        let memory = self.options.budget.unwrap_or(room.saturating_add(own));
        Resources { memory, disk, threads: self.options.threads }
    }

    pub(super) fn summary(
        &self,
        schedule: &'static str,
        threads: usize,
        seconds: f64,
    ) -> PlanSummary {
        let budget_bytes = self.options.budget;
        PlanSummary { schedule, budget_bytes, threads, predicted_seconds: Some(seconds) }
    }

    /// Of threads alone, for which steps are too short.
    fn unplanned(&self) -> PlanSummary {
        let schedule = self.schedule_kind().name();
        PlanSummary { schedule, budget_bytes: None, threads: 1, predicted_seconds: None }
    }

    /// Fails where a run held more than the budget, of which the times of its steps are `grid` bytes.
    pub(super) fn within_budget(
        &self,
        stats: &Stats,
        grid: usize,
        Beside { own, files, state }: Beside,
    ) -> Result<(), Error> {
        let (held, steps, grid) = (stats.peak_bytes, stats.steps, grid as u64);
        match self.options.budget {
            Some(budget) if held > budget => {
                // With more bytes the slots take more, too.
                let needed = own.saturating_add(slots_beside(grid.saturating_add(files), state));
                Err(Error::OverBudget { budget, held, steps, grid, needed })
            }
            _ => Ok(()),
        }
    }
}
