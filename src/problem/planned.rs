//! A gradient in a budget of bytes, or on several threads.

use std::path::Path;
use std::time::Instant;

use super::{Attempt, Problem};
use crate::adjoint::{Gradient, Halt, NOTE_COPIES, Progress, Reversal, Stats};
use crate::error::{Error, Need, SnapshotError};
use crate::method::stepper::Counts;
use crate::ode::grid::TimeGrid;
use crate::plan::budget::{
    Disk, Measured, Plan, Resources, Way, file_buffers, measure, measure_whole, slot_bytes_of,
    sweep_bytes, times_left, times_with_slots,
};
use crate::recurrence::{Chain, OnlineChain, Pass};
use crate::schedule::{
    Counts as ScheduleCounts, MixedOnline, TwoProcessor, TwoProcessorOnline, WorkerCounts,
};
use crate::snapshot::{MemoryStore, measure_disk};

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

/// Steps of error control that are tried to learn what they cost.
const PROBED: usize = 16;

impl Problem<'_> {
    pub(super) fn planned_gradient(
        &self,
        attempt: Attempt,
    ) -> Result<(Gradient, PlanSummary), Halt> {
        let mut run = self.run(attempt)?;
        match run.is_known() {
            true => Ok(self.planned_known(run.chain(), attempt)?),
            false => self.planned_controlled(&mut *run, attempt),
        }
    }

    fn planned_known(
        &self,
        chain: &dyn Chain,
        attempt: Attempt,
    ) -> Result<(Gradient, PlanSummary), Error> {
        let (steps, p) = (chain.num_steps(), &self.p);
        self.check_budget(chain, 0, steps)?;
        let measured = measure(chain, p, self.room_to_measure(chain, steps))?;
        let resources = self.resources(&measured, steps, None);
        let plan = match (self.options.budget, measured.two_workers(&resources)) {
            (Some(_), _) => Plan::new(steps, &measured, &resources)?,
            (None, Some(bytes)) => Plan::on_two_cores(steps, &measured, &resources, bytes)?,
            (None, None) => return Ok((self.gradient_of_chain(chain, attempt)?, self.unplanned())),
        };
        let summary = self.summary(plan.name(), plan.threads, plan.seconds);
        let mut observer = self.options.on_progress;
        let gradient = plan.gradient(chain, p, None, &mut observer)?;
        Ok((gradient, summary))
    }

    fn planned_controlled(
        &self,
        run: &mut dyn OnlineChain,
        attempt: Attempt,
    ) -> Result<(Gradient, PlanSummary), Halt> {
        if self.check_budget(run.chain(), 0, 0).is_err() {
            // It cannot do, and how far it is from that shows at the end.
            return self.gradient_behind_a_pass(run, None);
        }
        let measured = self.probed(run)?;
        let resources = self.resources(&measured, usize::MAX, None);
        let way = match (self.options.budget, measured.two_workers(&resources)) {
            (Some(_), _) => measured.way_online(&resources)?,
            (None, Some(bytes)) => Way::TwoWorkers(bytes),
            (None, None) => return Ok((self.gradient_of_run(run, attempt)?, self.unplanned())),
        };
        match self.gradient_in_one_go(run, &measured, &resources, way) {
            Err(Halt::Failed(Error::TimesFull { .. })) => {
                self.gradient_behind_a_pass(run, Some(&measured))
            }
            result => result,
        }
    }

    /// Keeps states while error control finds the steps, whose times may take a part of the memory.
    fn gradient_in_one_go(
        &self,
        run: &mut dyn OnlineChain,
        measured: &Measured,
        resources: &Resources,
        way: Way,
    ) -> Result<(Gradient, PlanSummary), Halt> {
        let mut observer = self.options.on_progress;
        let reversal = Reversal::new(&self.p).observer(&mut observer);
        let on_workers = match way {
            Way::TwoWorkers(bytes) => Some(bytes),
            _ => None,
        };
        let bytes = on_workers.map_or_else(|| measured.slot_bytes(resources.memory), Ok)?;
        let slots = times_left(bytes, measured.sizes.state);
        if self.options.budget.is_some() {
            run.limit_bytes(usize::try_from(bytes - slots).unwrap_or(usize::MAX));
        }
        if on_workers.is_some() {
            let (costs, tapes) = (measured.worker_costs(), measured.tapes_on_workers(slots));
            let slots = measured.slots_beside_tapes(slots, tapes).unwrap_or(1);
            let mut pair = TwoProcessorOnline::with_tapes(slots, tapes, costs)?;
            let gradient = reversal.gradient_online_by_workers(run, &mut pair)?;
            let steps = run.chain().num_steps();
            let pair = TwoProcessor::with_tapes(steps, slots, tapes, costs)?;
            let seconds = WorkerCounts::of(pair, costs)?.makespan as f64 * 1e-9;
            return Ok((gradient, self.summary("pair", 2, seconds)));
        }
        let (slots, cells) = measured.beside_table(slots);
        let schedule = MixedOnline::with_table(slots, measured.sizes, measured.costs, cells)?;
        let mut followed = schedule.clone();
        let gradient = reversal.gradient_online(run, &mut followed, &mut MemoryStore::new())?;
        drop(followed);
        let counts = ScheduleCounts::of_online(schedule, run.chain().num_steps())?;
        Ok((gradient, self.summary("mixed", 1, counts.seconds(&measured.costs))))
    }

    /// Where the memory is so little that the times of the steps would take it from the states: the
    /// steps are found first, and what is left then is known.
    fn gradient_behind_a_pass(
        &self,
        run: &mut dyn OnlineChain,
        measured: Option<&Measured>,
    ) -> Result<(Gradient, PlanSummary), Halt> {
        let (p, mut observer) = (&self.p, self.options.on_progress);
        let memory = self.options.budget.unwrap_or(u64::MAX);
        let least = self.need(run.chain(), 0, 0).bytes();
        let room = usize::try_from(memory.saturating_sub(least)).unwrap_or(usize::MAX);
        run.limit_bytes(room);
        let begun = Instant::now();
        let (steps, counts) = passed(run, p, self.options.on_progress)?;
        let times = TimeGrid::bytes_of(steps) as u64;
        self.check_budget(run.chain(), times, steps)?;
        let pass = Stats {
            steps: steps as u64,
            rejected: run.rejected(),
            rhs: counts.rhs,
            jacobians: counts.jacobians,
            factorizations: counts.factorizations,
            seconds_forward: begun.elapsed().as_secs_f64(),
            ..Stats::default()
        };
        let chain = run.chain();
        let measured = match measured {
            Some(measured) => *measured,
            None => measure(chain, p, 0)?,
        };
        let resources =
            Resources { memory: memory - times, ..self.resources(&measured, steps, None) };
        let plan = Plan::new(steps, &measured, &resources)?;
        let summary = self.summary(plan.name(), plan.threads, plan.seconds);
        let mut gradient = plan.gradient(chain, p, None, &mut observer)?;
        gradient.stats.add_pass(&pass);
        Ok((gradient, summary))
    }

    /// What a gradient of `steps` steps, whose times take this many bytes, cannot do without.
    fn need(&self, chain: &dyn Chain, times: u64, steps: usize) -> Need {
        let tape = (chain.largest_tape_bytes() + chain.scratch_bytes()) as u64;
        let own = sweep_bytes(chain);
        let (vectors, kept) = (own - tape, slot_bytes_of(chain.dim()));
        Need { tape, vectors, times, steps: steps as u64, files: 0, kept }
    }

    /// Fails where the budget is less than that.
    fn check_budget(&self, chain: &dyn Chain, times: u64, steps: usize) -> Result<(), Error> {
        let need = self.need(chain, times, steps);
        match self.options.budget {
            Some(budget) if budget < need.bytes() => Err(Error::OverBudget { budget, need }),
            _ => Ok(()),
        }
    }

    /// Bytes that may be tried out beside a sweep's own before it begins.
    fn room_to_measure(&self, chain: &dyn Chain, steps: usize) -> u64 {
        const FEW: usize = 16;
        let slots = self.options.snapshots.unwrap_or(FEW.min(steps)) as u64;
        let states = slots.saturating_mul(slot_bytes_of(chain.dim()));
        self.options.budget.map_or(states, |budget| budget.saturating_sub(sweep_bytes(chain)))
    }

    /// What [`solved`](Self::solved) would do.
    pub(super) fn plan_by(&self, attempt: Attempt) -> Result<Plan, Halt> {
        let memory = self.options.budget.unwrap_or(u64::MAX);
        let disk = self.options.directory.as_deref().map(|path| self.disk(path)).transpose()?;
        let resources = |measured: &Measured, steps| self.resources(measured, steps, disk);
        let mut run = self.run(attempt)?;
        let pass = if run.is_known() { None } else { Some(self.value_of(&mut *run)?.1) };
        let (chain, steps) = (run.chain(), run.chain().num_steps());
        let times = pass.map_or(0, |_| TimeGrid::bytes_of(steps) as u64);
        match disk {
            Some(_) => self.check_budget_beside_files(chain, times, steps)?,
            None => self.check_budget(chain, times, steps)?,
        }
        let measured = self.measured_whole(chain, disk.is_some())?;
        let resources = resources(&measured, steps);
        let Some(pass) = pass else { return Ok(Plan::new(steps, &measured, &resources)?) };
        // As the gradient does: states are kept in the first sweep where the times leave room.
        let mut plan = match Plan::online(steps, &measured, &resources) {
            Ok(plan) if plan.memory_bytes <= memory => plan,
            _ if disk.is_none() => {
                let left = Resources { memory: memory - times, ..resources };
                let mut plan = Plan::new(steps, &measured, &left)?;
                plan.memory_bytes += times;
                plan.recomputed_steps += steps as u64;
                plan
            }
            Ok(_) => {
                let need = self.need_beside_files(chain, times, steps);
                return Err(Error::OverBudget { budget: memory, need }.into());
            }
            Err(error) => return Err(error.into()),
        };
        // Error control costs more than the steps it accepts.
        let accepted = steps as f64 * measured.costs.step;
        plan.seconds += (pass.seconds_forward - accepted).max(0.0);
        Ok(plan)
    }

    /// What the steps of a chain cost, of which notes are written or not.
    fn measured_whole(&self, chain: &dyn Chain, noted: bool) -> Result<Measured, Error> {
        let own = sweep_bytes(chain);
        let room = self.options.budget.map_or(u64::MAX, |budget| budget.saturating_sub(own));
        let measured = measure_whole(chain, &self.p, room, &mut MemoryStore::new())?;
        let notes = if noted { self.notes() } else { 0 };
        Ok(Measured { sweep_bytes: measured.sweep_bytes + notes, ..measured })
    }

    /// What the first steps of a run cost, which then begins again.
    pub(super) fn probed(&self, run: &mut dyn OnlineChain) -> Result<Measured, Error> {
        run.probe(&self.p, PROBED)?;
        let room = self.room_to_measure(run.chain(), usize::MAX);
        let measured = measure(run.chain(), &self.p, room)?;
        run.restart();
        Ok(measured)
    }

    /// How fast the directory is, and what may be in it.
    pub(super) fn disk(&self, directory: &Path) -> Result<Disk, SnapshotError> {
        let bytes = self.options.disk_budget.unwrap_or(u64::MAX);
        Ok(Disk { bytes, bandwidth: measure_disk(directory)? })
    }

    /// What was allowed: bytes, or a number of snapshots for each of which there is room. A run that
    /// notes in a directory where it stands takes its steps on one core.
    pub(super) fn resources(
        &self,
        measured: &Measured,
        steps: usize,
        disk: Option<Disk>,
    ) -> Resources {
        let snapshots = self.options.snapshots.unwrap_or(steps) as u64;
        let room = snapshots.saturating_mul(measured.sizes.state);
        let threads = if disk.is_some() || steps < 2 { 1 } else { self.options.threads };
        let own = measured.sweep_bytes * threads.min(2) as u64;
        let memory = self.options.budget.unwrap_or(room.saturating_add(own));
        Resources { memory, disk, threads }
    }

    /// Bytes of a note while it is written.
    pub(super) fn notes(&self) -> u64 {
        (NOTE_COPIES * size_of::<f64>() * (self.system.dim() + self.system.num_params())) as u64
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

    /// Fails where a run beside files held more than the budget, of which the `times` of its steps
    /// are so many bytes; without them it has this `need`.
    pub(super) fn within_budget(
        &self,
        need: Need,
        stats: &Stats,
        times: usize,
    ) -> Result<(), Error> {
        match self.options.budget {
            Some(budget) if stats.peak_bytes > budget => {
                let need = need_with_times(need, times as u64, stats.steps);
                // A run that is gone on with has the lists of all states that are there, too.
                let more = stats.peak_bytes.saturating_sub(need.bytes());
                let need = Need { kept: need.kept + more, ..need };
                Err(Error::OverBudget { budget, need })
            }
            _ => Ok(()),
        }
    }

    /// What a gradient cannot do without whose states are in files.
    pub(super) fn need_beside_files(&self, chain: &dyn Chain, times: u64, steps: usize) -> Need {
        let need = self.need(chain, 0, 0);
        let (vectors, files) = (need.vectors + self.notes(), file_buffers(need.kept));
        need_with_times(Need { vectors, files, ..need }, times, steps as u64)
    }

    /// Fails where the budget is less than what a gradient needs whose states are in files.
    pub(super) fn check_budget_beside_files(
        &self,
        chain: &dyn Chain,
        times: u64,
        steps: usize,
    ) -> Result<(), Error> {
        let need = self.need_beside_files(chain, times, steps);
        match self.options.budget {
            Some(budget) if budget < need.bytes() => Err(Error::OverBudget { budget, need }),
            _ => Ok(()),
        }
    }

    /// The same of a run whose steps error control finds: where they are not enough, a pass over its
    /// steps tells what is.
    pub(super) fn check_run_beside_files(&self, run: &mut dyn OnlineChain) -> Result<(), Halt> {
        let Err(error) = self.check_budget_beside_files(run.chain(), 0, 0) else {
            return Ok(());
        };
        let Error::OverBudget { budget, .. } = error else { return Err(error.into()) };
        run.limit_bytes(0);
        let (steps, _) = passed(run, &self.p, &|_| {})?;
        let times = TimeGrid::bytes_of(steps) as u64;
        let need = self.need_beside_files(run.chain(), times, steps);
        Err(Error::OverBudget { budget, need }.into())
    }
}

/// With more for the times of the steps, slots in memory take more, too.
fn need_with_times(need: Need, times: u64, steps: u64) -> Need {
    let kept = need.kept + times_with_slots(times, need.kept) - times;
    Need { times, steps, kept, ..need }
}

/// The number of steps of a run, and what they cost.
fn passed(
    run: &mut dyn OnlineChain,
    p: &[f64],
    progress: &dyn Fn(Progress),
) -> Result<(usize, Counts), Halt> {
    let report = |forward| progress(Progress { forward, reversed: 0 });
    let Pass { steps, counts, is_stiff, t } = run.pass(p, &report)?;
    match is_stiff {
        true => Err(Halt::Stiff { steps: steps as u64 + run.rejected(), t }),
        false => Ok((steps, counts)),
    }
}
