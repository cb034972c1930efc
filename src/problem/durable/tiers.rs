//! What of a run with a directory is kept in memory and what in files.

use std::path::Path;

use crate::adjoint::Halt;
use crate::error::{Error, Need, SnapshotError};
use crate::plan::budget::{Measured, Plan, Planned, Way, measure, sweep_bytes, times_left};
use crate::problem::{PlanSummary, Problem};
use crate::recurrence::{Chain, OnlineChain};
use crate::schedule::{MixedOnline, OnlineSchedule, Schedule, ScheduleKind};
use crate::snapshot::TieredStore;

/// What is kept where.
pub(super) struct Tiers {
    /// Slots in memory.
    pub fast: usize,
    /// Slots in all.
    pub slots: usize,
    /// For a known number of steps, where bytes were given.
    pub schedule: Option<Box<dyn Schedule>>,
    /// For an unknown number of steps, where bytes were given that are better used without files.
    pub online: Option<Box<dyn OnlineSchedule>>,
    /// What a run of an unknown number of steps needs, where bytes were given.
    pub need: Option<Need>,
    pub summary: Option<PlanSummary>,
}

impl Tiers {
    /// The name of the schedule that was planned.
    pub fn planned(&self) -> &'static str {
        self.summary.map_or(ScheduleKind::StoreAll.name(), |summary| summary.schedule)
    }
}

impl Problem<'_> {
    pub(super) fn fixed_tiers(&self, chain: &dyn Chain, directory: &Path) -> Result<Tiers, Error> {
        let steps = chain.num_steps();
        let on_disk = self.all_on_disk(chain.dim())?;
        let Some(memory) = self.options.budget else { return Ok(on_disk) };
        self.check_budget_beside_files(chain, 0, steps)?;
        let disk = self.disk(directory)?;
        let measured = measure(chain, &self.p, memory.saturating_sub(sweep_bytes(chain)))?;
        let measured = Measured { sweep_bytes: measured.sweep_bytes + self.notes(), ..measured };
        let plan = Plan::new(steps, &measured, &self.resources(&measured, steps, Some(disk)))?;
        let summary = Some(self.summary(plan.name(), plan.threads, plan.seconds));
        let in_memory = measured.states(memory)?;
        let (fast, slots, schedule): (_, _, Box<dyn Schedule>) = match plan.planned {
            Planned::Periodic(periodic) => {
                (periodic.fast_slots(), periodic.num_slots(), Box::new(periodic))
            }
            Planned::Online { schedule, fast } => (fast, schedule.num_slots(), Box::new(schedule)),
            Planned::Mixed(mixed) => (usize::MAX, in_memory, Box::new(mixed)),
            Planned::MixedOnline(mixed) => (usize::MAX, in_memory, mixed),
            Planned::TwoProcessor(_) => return Ok(on_disk),
        };
        Ok(Tiers { fast, slots, schedule: Some(schedule), online: None, need: None, summary })
    }

    pub(super) fn controlled_tiers(
        &self,
        run: &mut dyn OnlineChain,
        directory: &Path,
    ) -> Result<Tiers, Halt> {
        let on_disk = self.all_on_disk(self.system.dim())?;
        let Some(memory) = self.options.budget else { return Ok(on_disk) };
        self.check_run_beside_files(run)?;
        let need = Some(self.need_beside_files(run.chain(), 0, 0));
        let measured = self.probed(run)?;
        let measured = Measured { sweep_bytes: measured.sweep_bytes + self.notes(), ..measured };
        let resources = self.resources(&measured, usize::MAX, Some(self.disk(directory)?));
        let (budget_bytes, threads) = (self.options.budget, 1);
        let summary = |schedule| {
            Some(PlanSummary { schedule, budget_bytes, threads, predicted_seconds: None })
        };
        Ok(match measured.way_online(&resources)? {
            Way::Disk(_) => {
                let (fast, slow) = measured.tiers_beside_times(memory)?;
                let slots = fast.saturating_add(on_disk.slots.min(slow));
                Tiers { fast, slots, need, summary: summary("online"), ..on_disk }
            }
            Way::Memory | Way::TwoWorkers(_) => {
                let state = measured.sizes.state;
                let bytes = times_left(measured.slot_bytes(memory)?, state);
                let slots = usize::try_from(bytes / state).unwrap_or(usize::MAX);
                let (bytes, cells) = measured.beside_table(bytes);
                let Measured { sizes, costs, .. } = measured;
                let mixed = MixedOnline::with_table(bytes, sizes, costs, cells)?;
                let (fast, online) = (usize::MAX, Some(Box::new(mixed) as Box<_>));
                Tiers { fast, slots, schedule: None, online, need, summary: summary("mixed") }
            }
        })
    }

    pub(super) fn all_on_disk(&self, dim: usize) -> Result<Tiers, SnapshotError> {
        let within = |bytes: u64| {
            let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
            TieredStore::<f64>::slots_within(bytes, dim)
        };
        let room = self.options.disk_budget.map_or(usize::MAX, within);
        if let (0, Some(budget)) = (room, self.options.disk_budget) {
            let needed = TieredStore::<f64>::bytes_for(1, dim);
            let budget = usize::try_from(budget).unwrap_or(usize::MAX);
            return Err(SnapshotError::DiskBudget { needed, budget });
        }
        let slots = self.options.snapshots.unwrap_or(room).min(room);
        Ok(Tiers { fast: 0, slots, schedule: None, online: None, need: None, summary: None })
    }
}
