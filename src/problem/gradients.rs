//! A gradient: which of the ways to it is taken, and the plain ones.

use super::{Attempt, Problem, Solved};
use crate::adjoint::backsolve::{Backsolve, Backsolved};
use crate::adjoint::{Gradient, Halt, Reversal};
use crate::error::Error;
use crate::method::stepper::ExplicitRk;
use crate::method::{AdjointKind, backsolve_by};
use crate::recurrence::{Chain, OnlineChain};
use crate::schedule::{OnlineSchedule, StoreAll, StoreAllOnline};
use crate::snapshot::MemoryStore;

/// Bytes of tapes of an explicit method that are kept where nothing is said: beyond what caches hold
/// memory costs as much as the steps. `cargo bench --bench peers` for p1a and p6 shows both sides.
const MOST_IN_CACHE: usize = 512 << 10;
/// The same of an implicit method, whose steps have factors to make.
const MOST_FOR_FACTORS: usize = 256 << 20;

impl Problem<'_> {
    pub(super) fn solved_by(&self, attempt: Attempt) -> Result<Solved, Halt> {
        let (options, method) = (&self.options, attempt.tableau.name);
        let plans = options.budget.is_some() || options.threads > 1;
        let kind = self.schedule_kind().name();
        let (gradient, schedule, plan) = match &options.directory {
            _ if options.adjoint == AdjointKind::Backsolve => {
                let Backsolved { gradient, replays } = self.backsolved(attempt)?;
                let schedule = Backsolve::SCHEDULE;
                return Ok(Solved { gradient, method, schedule, plan: None, replays });
            }
            Some(directory) => {
                let durable = self.durable_gradient(attempt, directory)?;
                (durable.gradient, durable.schedule, durable.plan)
            }
            None if plans => {
                let (gradient, plan) = self.planned_gradient(attempt)?;
                (gradient, plan.schedule, Some(plan))
            }
            None => {
                let mut run = self.run(attempt)?;
                let keeps_tapes = self.first_tapes(run.chain(), attempt) > 0;
                let name = if keeps_tapes { StoreAll::TAPES } else { kind };
                (self.gradient_of_run(&mut *run, attempt)?, name, None)
            }
        };
        Ok(Solved { gradient, method, schedule, plan, replays: Vec::new() })
    }

    /// Number of the first steps that are kept with their tapes, where nothing is said of what to
    /// keep: to take a step again costs more, as long as the memory is at hand.
    pub(super) fn first_tapes(&self, chain: &dyn Chain, Attempt { tableau, .. }: Attempt) -> usize {
        let is_said = self.options.schedule.is_some() || self.options.snapshots.is_some();
        if is_said || !chain.keeps_tapes() {
            return 0;
        }
        let most = if tableau.is_explicit() { MOST_IN_CACHE } else { MOST_FOR_FACTORS };
        most / chain.largest_tape_bytes().max(1)
    }

    pub(super) fn gradient_of_chain(
        &self,
        chain: &dyn Chain,
        attempt: Attempt,
    ) -> Result<Gradient, Error> {
        let (kind, slots) = (self.schedule_kind(), self.options.snapshots);
        let mut schedule = match self.first_tapes(chain, attempt) {
            0 => kind.offline(chain.num_steps(), slots)?,
            tapes => Box::new(StoreAll::with_tapes(chain.num_steps(), tapes)),
        };
        let mut observer = self.options.on_progress;
        let reversal = Reversal::new(&self.p).observer(&mut observer);
        reversal.gradient(chain, &mut *schedule, &mut MemoryStore::new())
    }

    pub(super) fn gradient_of_run(
        &self,
        run: &mut dyn OnlineChain,
        attempt: Attempt,
    ) -> Result<Gradient, Halt> {
        if run.is_known() {
            return Ok(self.gradient_of_chain(run.chain(), attempt)?);
        }
        let schedule: Option<Box<dyn OnlineSchedule>> = match self.first_tapes(run.chain(), attempt)
        {
            0 => self.schedule_kind().online(self.options.snapshots)?,
            tapes => Some(Box::new(StoreAllOnline::with_tapes(tapes))),
        };
        if let Some(mut schedule) = schedule {
            let mut observer = self.options.on_progress;
            let reversal = Reversal::new(&self.p).observer(&mut observer);
            return reversal.gradient_online(run, &mut *schedule, &mut MemoryStore::new());
        }
        let (_, pass) = self.value_of(run)?;
        let mut gradient = self.gradient_of_chain(run.chain(), attempt)?;
        gradient.stats.add_pass(&pass);
        Ok(gradient)
    }

    pub(super) fn backsolved(&self, attempt: Attempt) -> Result<Backsolved, Halt> {
        let (options, mut run) = (&self.options, self.run(attempt)?);
        let snapshots = options.snapshots.unwrap_or(Backsolve::SNAPSHOTS);
        let method = ExplicitRk::new(backsolve_by(attempt.tableau, &options.tolerances));
        let back =
            Backsolve::new(method.map_err(Error::from)?, options.tolerances.clone(), snapshots)?;
        let (objective, observe) = (self.objective_or_none(), options.on_progress);
        self.system.backsolve(&back, objective, &mut *run, &self.p, &mut *self.store()?, observe)
    }
}
