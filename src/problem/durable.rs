//! A gradient whose position is noted in a directory, so that it can go on after its process was
//! killed.

use std::path::Path;

use super::{PlanSummary, Problem};
use crate::adjoint::{
    self, Gradient, NOTE_COPIES, Noted, Stats, gradient_noted, gradient_online_noted,
};
use crate::budget::{Measured, Plan, Planned, Way, measure, sweep_bytes, times_left};
use crate::error::{Error, JournalError, Need, SnapshotError};
use crate::journal::{Identity, Journal, Phase, Position, hash};
use crate::method::AdjointKind;
use crate::objective::Objective;
use crate::ode::{Initial, Vjp};
use crate::recurrence::{Adaptive, Frontier, Recurrence};
use crate::scalar::Scalar;
use crate::schedule::{Kept, MixedOnline, Online, OnlineSchedule, Resumed, Schedule, ScheduleKind};
use crate::snapshot::{NotedStore, SnapshotStore, TieredStore};
use crate::stepper::AdjointStepper;

/// What came of a run with a directory.
pub(super) struct Durable {
    pub gradient: Gradient,
    /// The schedule that was followed, by its name.
    pub schedule: &'static str,
    pub plan: Option<PlanSummary>,
}

/// What is kept where.
struct Tiers {
    /// Slots in memory.
    fast: usize,
    /// Slots in all.
    slots: usize,
    /// For a known number of steps, where bytes were given.
    schedule: Option<Box<dyn Schedule>>,
    /// For an unknown number of steps, where bytes were given that are better used without files.
    online: Option<Box<dyn OnlineSchedule>>,
    /// What a run of an unknown number of steps needs, where bytes were given.
    need: Option<Need>,
    summary: Option<PlanSummary>,
}

impl Tiers {
    /// The name of the schedule that was planned.
    fn planned(&self) -> &'static str {
        self.summary.map_or(ScheduleKind::StoreAll.name(), |summary| summary.schedule)
    }
}

/// A run that has begun or is gone on with.
struct Begun {
    journal: Journal,
    /// Where it stood when it was killed.
    from: Option<Phase>,
    store: Box<dyn SnapshotStore<f64>>,
    /// The states that are still there.
    kept: Vec<Kept>,
    tiers: Tiers,
    /// The schedule that is followed, by its name.
    followed: &'static str,
}

/// The store of a run, and the states that it holds.
struct Opened {
    store: Box<dyn SnapshotStore<f64>>,
    kept: Vec<Kept>,
}

/// Bytes of small states that are in memory as well, and written when the run is noted, where no
/// budget says what memory there is.
const ROOM: usize = 32 << 20;

impl<'a, O: Vjp, I: Initial, J: Objective> Problem<'a, O, I, J> {
    pub(super) fn durable_gradient_by<N: AdjointStepper<O>>(
        &self,
        stepper: N,
        stop_if_stiff: bool,
        directory: &Path,
    ) -> Result<Durable, Error> {
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
                let tiers = self.controlled_tiers(&mut frontier, directory)?;
                let mut begun = self.begin(method, stop_if_stiff, directory, tiers)?;
                let result = self.controlled_gradient(&mut frontier, &mut begun);
                let grid = frontier.chain().grid_bytes();
                let result = result.and_then(|gradient| {
                    self.within(begun.tiers.need, &gradient.stats, grid).map(|()| gradient)
                });
                (result, begun)
            }
        };
        let Begun { journal, from, store, tiers, followed, .. } = begun;
        // No file is written any more.
        drop(store);
        match result {
            Ok(mut gradient) => {
                gradient.stats.resumed_at_step = from.as_ref().map(Phase::step);
                journal.finish();
                let schedule = followed;
                Ok(Durable { gradient, schedule, plan: tiers.summary })
            }
            Err(error @ Error::StepLimit { stiff: true, .. }) if stop_if_stiff => {
                journal.give_up()?;
                Err(error)
            }
            // Even one that would come again is soon met from there.
            Err(error) => {
                journal.leave();
                Err(error)
            }
        }
    }

    fn within(&self, need: Option<Need>, stats: &Stats, times: usize) -> Result<(), Error> {
        need.map_or(Ok(()), |need| self.within_budget(need, stats, times))
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
        let disk = self.disk(directory)?;
        let measured = measure(chain, self.p, memory.saturating_sub(sweep_bytes(chain)))?;
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
            Planned::Pair(_) => return Ok(on_disk),
        };
        Ok(Tiers { fast, slots, schedule: Some(schedule), online: None, need: None, summary })
    }

    fn controlled_tiers<N: AdjointStepper<O>>(
        &self,
        frontier: &mut Adaptive<'a, O, I, J, N>,
        directory: &Path,
    ) -> Result<Tiers, Error> {
        let on_disk = self.all_on_disk(self.ode.dim())?;
        let Some(memory) = self.options.budget else { return Ok(on_disk) };
        self.check_run_beside_files(frontier)?;
        let need = Some(self.need_beside_files(frontier.chain(), 0, 0));
        let measured = self.probed(frontier)?;
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
            Way::Memory | Way::Lanes(_) => {
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
        Ok(Tiers { fast: 0, slots, schedule: None, online: None, need: None, summary: None })
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
        let resumed = match self.options.resume {
            true => Journal::open(directory, problem)?,
            false => None,
        };
        let (mut journal, from) = match resumed {
            // What was given up is known until the end: nobody needs to find it again.
            None | Some((_, Position { identity: Identity { method: None, .. }, .. })) => {
                (new()?, None)
            }
            Some((_, Position { identity: Identity { method: Some(kept), .. }, .. }))
                if kept != method =>
            {
                return Err(other_method(method, kept, stop_if_stiff));
            }
            Some((journal, position)) => (journal, Some(position.phase)),
        };
        // What is there is numbered from where it was.
        let numbered = journal.fast();
        let Opened { mut store, mut kept } = self.open_store(numbered, &mut journal)?;
        if kept.is_empty() && numbered != tiers.fast {
            journal.number_from(tiers.fast);
            drop(store);
            Opened { store, kept } = self.open_store(tiers.fast, &mut journal)?;
        } else if numbered > tiers.fast && self.options.budget.is_some() {
            let given = self.options.budget.unwrap_or(u64::MAX).to_string();
            let required = "what the run was begun with, or more";
            return Err(Error::BadSetting { what: "the budget to go on with", given, required });
        } else {
            tiers.fast = numbered;
        }
        kept.sort_by_key(|kept| kept.step);
        // What cannot be gone on from is begun again.
        let has_start = kept.first().is_some_and(|kept| kept.step == 0);
        let from = from.filter(|phase| !matches!(phase, Phase::Forward { .. }) || has_start);
        let followed = self.schedule_kind().name();
        Ok(Begun { journal, from, store, kept, tiers, followed })
    }

    fn open_store(&self, fast: usize, journal: &mut Journal) -> Result<Opened, Error> {
        let (dim, options) = (self.ode.dim(), &self.options);
        let budget = options
            .disk_budget
            .map_or(usize::MAX, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
        let small = dim.saturating_mul(f64::BYTES) <= NotedStore::<f64>::SMALL;
        let room = if options.budget.is_some() { 0 } else { ROOM };
        if !small || room == 0 {
            journal.hold()?;
        }
        let (directory, run) = (journal.directory(), journal.run());
        if small {
            let store = NotedStore::open(directory, run, dim, fast, room)?;
            let mut store = store.disk_budget(budget);
            let kept = store.adopt()?;
            return Ok(Opened { store: Box::new(store), kept });
        }
        let mut store = TieredStore::open(fast, directory, run)?.keep_files().disk_budget(budget);
        let mut kept = Vec::new();
        for slot in store.found()? {
            kept.push(Kept { step: store.adopt(slot)?.0, slot });
        }
        Ok(Opened { store: Box::new(store), kept })
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
        let online_kind = match self.schedule_kind() {
            ScheduleKind::StoreAll if slots < usize::MAX => ScheduleKind::Online,
            kind => kind,
        };
        let fresh = online_kind.online(Some(slots))?;
        let in_memory = begun.tiers.online.take();
        let name = if in_memory.is_some() { "mixed" } else { online_kind.name() };
        if !all_known && let Some(fresh) = in_memory.or(fresh) {
            let schedule = match &begun.from {
                Some(phase) => Box::new(Online::resume(slots, phase.step() as usize, &begun.kept)?),
                None => fresh,
            };
            let Begun { journal, from, store, tiers: Tiers { need, .. }, followed, .. } = begun;
            let need = *need;
            *followed = if from.is_some() { Resumed::NAME } else { name };
            let noted = Noted {
                journal,
                from: from.as_ref(),
                log: Vec::new(),
                control: Vec::new(),
                limit: &|stats, times| self.within(need, stats, times),
                stop: self.options.stop_or_never(),
            };
            let (p, progress) = (self.p, self.options.on_progress);
            return gradient_online_noted(frontier, p, schedule, &mut **store, progress, noted);
        }
        let mut pass = None;
        if !all_known {
            begun.from = None;
            begun.journal.rewind();
            let (progress, stop) = (self.options.on_progress, self.options.stop_or_never());
            pass = Some(adjoint::value_online_until(frontier, self.p, progress, stop)?.1);
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
        let Begun { journal, from, store, tiers: Tiers { need, .. }, .. } = begun;
        let need = *need;
        let noted = Noted {
            journal,
            from: from.as_ref(),
            log,
            control,
            limit: &|stats, times| self.within(need, stats, times),
            stop: self.options.stop_or_never(),
        };
        gradient_noted(chain, self.p, schedule, &mut **store, self.options.on_progress, noted)
    }

    /// The schedule of a chain of `steps` steps, or the rest of it.
    fn offline(&self, steps: usize, begun: &mut Begun) -> Result<Box<dyn Schedule>, Error> {
        let (kept, slots) = (&begun.kept, begun.tiers.slots);
        let (name, schedule): (_, Box<dyn Schedule>) = match &begun.from {
            Some(Phase::Forward { step, .. }) => {
                (Resumed::NAME, Box::new(Resumed::forward(steps, *step, kept, slots)?))
            }
            Some(Phase::Reverse { left, .. }) => {
                (Resumed::NAME, Box::new(Resumed::reverse(*left, kept, slots)?))
            }
            None => match begun.tiers.schedule.take() {
                Some(schedule) => (begun.tiers.planned(), schedule),
                None => {
                    let kind = match self.schedule_kind() {
                        // Where not all have room, as many as have.
                        ScheduleKind::StoreAll if slots < steps => ScheduleKind::Revolve,
                        kind => kind,
                    };
                    (kind.name(), kind.offline(steps, Some(slots.min(steps.max(1))))?)
                }
            },
        };
        begun.followed = name;
        Ok(schedule)
    }

    /// A hash of everything but the method that the gradient's bits depend on, as far as numbers
    /// tell: of the model, what it gives at the start.
    fn hash(&self) -> u64 {
        let (ode, options) = (self.ode, &self.options);
        let (dim, start) = (ode.dim(), self.span.start);
        let (mut y, mut dy) = (vec![0.0; dim], vec![0.0; dim]);
        self.initial.initial(self.p, &mut y);
        ode.rhs(start, &y, self.p, &mut dy, &mut ode.work());
        // How many steps it may try, and what it may hold, do not change them.
        let counts = [
            dim,
            ode.num_params(),
            options.fixed_steps.unwrap_or(0),
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
