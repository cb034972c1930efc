//! A gradient whose position is noted in a directory, so that it can go on after its process was
//! killed.

use std::path::Path;

use super::{PlanSummary, Problem};
use crate::adjoint::{self, Gradient, NOTE_COPIES, Noted, gradient_noted, gradient_online_noted};
use crate::budget::{Disk, Measured, Plan, Planned, Resources, measure, sweep_bytes};
use crate::error::{Error, JournalError, SnapshotError};
use crate::journal::{Identity, Journal, Phase, hash};
use crate::method::{AdjointKind, Method};
use crate::objective::Objective;
use crate::ode::{Initial, Vjp};
use crate::recurrence::{Adaptive, Frontier, Recurrence};
use crate::schedule::{Kept, Online, Periodic, Resumed, Schedule, ScheduleKind};
use crate::snapshot::{TieredStore, measure_disk};
use crate::stepper::AdjointStepper;

/// What is kept where.
struct Tiers {
    /// Slots in memory.
    fast: usize,
    /// Slots in all.
    slots: usize,
    /// For a known number of steps, where bytes were given.
    schedule: Option<Periodic>,
    summary: Option<PlanSummary>,
}

/// A run that has begun or is gone on with.
struct Begun {
    journal: Journal,
    /// Where it stood when it was killed.
    from: Option<Phase>,
    store: TieredStore<f64>,
    /// The states that are still there.
    kept: Vec<Kept>,
    tiers: Tiers,
}

impl<'a, O: Vjp, I: Initial, J: Objective, M: Method<O>> Problem<'a, O, I, J, M> {
    pub(super) fn durable_gradient_by<N: AdjointStepper<O>>(
        &self,
        stepper: N,
        stop_if_stiff: bool,
        directory: &Path,
    ) -> Result<(Gradient, Option<PlanSummary>), Error> {
        let method = stepper.name();
        let (result, begun) = match self.options.fixed_steps {
            Some(steps) => {
                let chain = self.fixed(stepper, steps)?;
                let tiers = self.fixed_tiers(&chain, directory)?;
                let mut begun = self.begin(method, stop_if_stiff, directory, tiers)?;
                (self.fixed_gradient(&chain, &mut begun), begun)
            }
            None => {
                let mut frontier = self.adaptive(stepper, stop_if_stiff)?;
                let tiers = self.controlled_tiers(&mut frontier)?;
                let mut begun = self.begin(method, stop_if_stiff, directory, tiers)?;
                let result = self.controlled_gradient(&mut frontier, &mut begun);
                let within =
                    |gradient: &Gradient| self.within_budget(&gradient.stats, frontier.chain());
                let result = result.and_then(|gradient| within(&gradient).map(|()| gradient));
                (result, begun)
            }
        };
        let Begun { journal, from, store, tiers, .. } = begun;
        // No file is written any more.
        drop(store);
        match result {
            Ok(mut gradient) => {
                gradient.stats.resumed_at_step = from.as_ref().map(Phase::step);
                journal.finish();
                Ok((gradient, tiers.summary))
            }
            Err(error @ Error::StepLimit { stiff: true, .. }) if stop_if_stiff => {
                journal.give_up()?;
                Err(error)
            }
            Err(error @ (Error::Snapshot(_) | Error::Journal(_))) => Err(error),
            // It would come to the same again.
            Err(error) => {
                journal.finish();
                Err(error)
            }
        }
    }

    fn fixed_tiers<R: Recurrence<Scalar = f64>>(
        &self,
        chain: &R,
        directory: &Path,
    ) -> Result<Tiers, Error> {
        let steps = chain.num_steps();
        let on_disk = self.all_on_disk(chain.dim())?;
        let Some(memory) = self.options.budget else { return Ok(on_disk) };
        self.check_budget_beside_files(chain, 0, steps)?;
        let bandwidth = measure_disk(directory)?;
        let bytes = self.options.disk_budget.unwrap_or(u64::MAX);
        let disk = Some(Disk { bytes, bandwidth });
        let measured = measure(chain, self.p, memory.saturating_sub(sweep_bytes(chain)))?;
        let measured = Measured { sweep_bytes: measured.sweep_bytes + self.notes(), ..measured };
        let plan = Plan::new(steps, &measured, &Resources { memory, disk, threads: 1 })?;
        let summary = Some(self.summary(plan.name(), 1, plan.seconds));
        let Planned::Periodic(periodic) = plan.planned else { return Ok(on_disk) };
        let (fast, slots) = (periodic.fast_slots(), periodic.num_slots());
        Ok(Tiers { fast, slots, schedule: Some(periodic), summary })
    }

    fn controlled_tiers<N: AdjointStepper<O>>(
        &self,
        frontier: &mut Adaptive<'a, O, I, J, N>,
    ) -> Result<Tiers, Error> {
        let on_disk = self.all_on_disk(self.ode.dim())?;
        let Some(memory) = self.options.budget else { return Ok(on_disk) };
        self.check_run_beside_files(frontier)?;
        let measured = self.probed(frontier)?;
        let measured = Measured { sweep_bytes: measured.sweep_bytes + self.notes(), ..measured };
        let (fast, slow) = measured.tiers_beside_times(memory)?;
        let (budget_bytes, threads) = (self.options.budget, 1);
        let summary =
            PlanSummary { schedule: "online", budget_bytes, threads, predicted_seconds: None };
        let slots = fast.saturating_add(on_disk.slots.min(slow));
        Ok(Tiers { fast, slots, schedule: None, summary: Some(summary) })
    }

    /// Bytes of a note while it is written.
    pub(super) fn notes(&self) -> u64 {
        (NOTE_COPIES * size_of::<f64>() * (self.ode.dim() + self.ode.num_params())) as u64
    }

    fn all_on_disk(&self, dim: usize) -> Result<Tiers, SnapshotError> {
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
        Ok(Tiers { fast: 0, slots, schedule: None, summary: None })
    }

    fn begin(
        &self,
        method: &'static str,
        stop_if_stiff: bool,
        directory: &Path,
        mut tiers: Tiers,
    ) -> Result<Begun, Error> {
        let problem = self.hash();
        let new = || {
            let (tag, note) = (self.options.tag.clone(), self.options.note.clone());
            let (method, fast) = (Some(method.into()), tiers.fast);
            let identity = Identity { problem, method, fast, tag, note };
            Journal::create(directory, identity)
        };
        let (journal, from) = match self.options.resume {
            false => (new()?, None),
            true => match Journal::open(directory, problem)? {
                (given_up, position) if position.identity.method.is_none() => {
                    let journal = new()?;
                    given_up.finish();
                    (journal, None)
                }
                (journal, position) => match position.identity.method {
                    Some(kept) if kept != method => {
                        return Err(other_method(method, kept, stop_if_stiff));
                    }
                    _ => {
                        // The files are numbered from there.
                        tiers.fast = position.identity.fast;
                        (journal, Some(position.phase))
                    }
                },
            },
        };
        let mut store = TieredStore::open(tiers.fast, directory, journal.run())?.keep_files();
        if let Some(bytes) = self.options.disk_budget {
            store = store.disk_budget(usize::try_from(bytes).unwrap_or(usize::MAX));
        }
        let mut kept = Vec::new();
        for slot in store.found()? {
            kept.push(Kept { step: store.adopt(slot)?.0, slot });
        }
        kept.sort_by_key(|kept| kept.step);
        // What cannot be gone on from is begun again.
        let has_start = kept.first().is_some_and(|kept| kept.step == 0);
        let from = from.filter(|phase| !matches!(phase, Phase::Forward { .. }) || has_start);
        Ok(Begun { journal, from, store, kept, tiers })
    }

    fn fixed_gradient<R: Recurrence<Scalar = f64>>(
        &self,
        chain: &R,
        begun: &mut Begun,
    ) -> Result<Gradient, Error> {
        let schedule = self.offline(chain.num_steps(), begun)?;
        self.gradient_of(chain, schedule, Vec::new(), Vec::new(), begun)
    }

    fn controlled_gradient<N: AdjointStepper<O>>(
        &self,
        frontier: &mut Adaptive<'a, O, I, J, N>,
        begun: &mut Begun,
    ) -> Result<Gradient, Error> {
        let log = begun.journal.words()?;
        if log.is_empty() || begun.from.is_none() {
            // Nothing is lost by beginning again.
            begun.from = None;
            begun.journal.rewind();
        }
        if let Some(phase) = &begun.from
            && !frontier.go_on(&log, phase.control())
        {
            return Err(JournalError::DoesNotFit.into());
        }
        let all_known = frontier.chain().grid().end() == self.span.end;
        let slots = begun.tiers.slots;
        let online = match self.schedule_kind() {
            ScheduleKind::StoreAll if slots < usize::MAX => ScheduleKind::Online,
            kind => kind,
        };
        let online = online.online(Some(slots))?;
        if !all_known && let Some(fresh) = online {
            let schedule = match &begun.from {
                Some(phase) => Box::new(Online::resume(slots, phase.step() as usize, &begun.kept)?),
                None => fresh,
            };
            let noted = Noted {
                journal: &mut begun.journal,
                from: begun.from.as_ref(),
                log: Vec::new(),
                control: Vec::new(),
            };
            let (p, progress) = (self.p, self.options.on_progress);
            return gradient_online_noted(frontier, p, schedule, &mut begun.store, progress, noted);
        }
        let mut pass = None;
        if !all_known {
            begun.from = None;
            begun.journal.rewind();
            pass = Some(adjoint::value_online(frontier, self.p, self.options.on_progress)?.1);
        }
        let (log, control) = (frontier.log(begun.journal.num_words()), frontier.control());
        let schedule = self.offline(frontier.chain().num_steps(), begun)?;
        let mut gradient = self.gradient_of(frontier.chain(), schedule, log, control, begun)?;
        gradient.stats.rejected = frontier.rejected();
        if let Some(pass) = pass {
            gradient.stats.rejected = 0;
            gradient.stats.add_pass(&pass);
        }
        Ok(gradient)
    }

    fn gradient_of<R: Recurrence<Scalar = f64>>(
        &self,
        chain: &R,
        schedule: Box<dyn Schedule>,
        log: Vec<u64>,
        control: Vec<u64>,
        begun: &mut Begun,
    ) -> Result<Gradient, Error> {
        let Begun { journal, from, store, .. } = begun;
        let noted = Noted { journal, from: from.as_ref(), log, control };
        gradient_noted(chain, self.p, schedule, store, self.options.on_progress, noted)
    }

    /// The schedule of a chain of `steps` steps, or the rest of it.
    fn offline(&self, steps: usize, begun: &Begun) -> Result<Box<dyn Schedule>, Error> {
        let (kept, slots) = (&begun.kept, begun.tiers.slots);
        Ok(match &begun.from {
            None => match (&begun.tiers.schedule, self.schedule_kind()) {
                (Some(periodic), _) => Box::new(periodic.clone()),
                // Where not all have room, as many as have.
                (None, ScheduleKind::StoreAll) if slots < steps => {
                    ScheduleKind::Revolve.offline(steps, Some(slots))?
                }
                (None, kind) => kind.offline(steps, Some(slots.min(steps.max(1))))?,
            },
            Some(Phase::Forward { step, .. }) => {
                Box::new(Resumed::forward(steps, *step, kept, slots)?)
            }
            Some(Phase::Reverse { left, .. }) => Box::new(Resumed::reverse(*left, kept, slots)?),
        })
    }

    /// A hash of everything but the method that the gradient's bits depend on, as far as numbers
    /// tell: of the model, what it gives at the start.
    fn hash(&self) -> u64 {
        let (ode, options) = (self.ode, &self.options);
        let (dim, start) = (ode.dim(), self.span.start);
        let (mut y, mut dy) = (vec![0.0; dim], vec![0.0; dim]);
        self.initial.initial(self.p, &mut y);
        ode.rhs(start, &y, self.p, &mut dy, &mut ode.work());
        let counts = [
            dim,
            ode.num_params(),
            options.fixed_steps.unwrap_or(0),
            options.max_steps,
            usize::from(options.adjoint == AdjointKind::Continuous),
            usize::from(self.objective.has_integrand()),
            self.objective.times().len(),
        ];
        let numbers = [start, self.span.end, options.tolerances.rtol];
        let numbers = numbers.iter().chain(&options.tolerances.atol).chain(self.p);
        let numbers = numbers.chain(&y).chain(&dy).chain(self.objective.times());
        let words = counts.iter().map(|&count| count as u64).chain([hash(options.tag.bytes())]);
        hash(words.chain(numbers.map(|x| x.to_bits())).flat_map(u64::to_le_bytes))
    }
}

/// The explicit attempt of an automatic choice steps aside for the implicit method that the run was
/// by.
fn other_method(given: &'static str, kept: String, stop_if_stiff: bool) -> Error {
    match stop_if_stiff {
        true => Error::StepLimit { steps: 0, t: 0.0, end: 0.0, stiff: true },
        false => JournalError::OtherMethod { given, kept }.into(),
    }
}
