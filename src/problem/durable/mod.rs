//! A gradient whose position is noted in a directory, so that it can go on after its process was
//! killed.

mod tiers;

use std::path::Path;

use super::{Attempt, PlanSummary, Problem};
use crate::adjoint::journal::{Identity, Journal, Phase, Position, hash};
use crate::adjoint::{Gradient, Halt, Noted, Observer, Progress, Reversal, Standing, Stats};
use crate::error::{Error, JournalError, Need};
use crate::method::AdjointKind;
use crate::numbers::scalar::Scalar;
use crate::ode::At;
use crate::ode::grid::TimeGrid;
use crate::recurrence::{Chain, OnlineChain};
use crate::schedule::{KeptState, Online, OnlineSchedule, Resumed, Schedule, ScheduleKind};
use crate::snapshot::{NotedStore, SnapshotStore, TieredStore};
use tiers::Tiers;

/// What came of a run with a directory.
pub(super) struct Durable {
    pub gradient: Gradient,
    /// The schedule that was followed, by its name.
    pub schedule: &'static str,
    pub plan: Option<PlanSummary>,
}

/// A run that has begun or is gone on with.
struct Begun {
    journal: Journal,
    /// Where it stood when it was killed.
    from: Option<Phase>,
    store: Box<dyn SnapshotStore<f64>>,
    /// The states that are still there.
    kept: Vec<KeptState>,
    tiers: Tiers,
    /// The schedule that is followed, by its name.
    followed: &'static str,
}

/// The store of a run, and the states that it holds.
struct Opened {
    store: Box<dyn SnapshotStore<f64>>,
    kept: Vec<KeptState>,
}

/// Bytes of small states that are in memory as well, and written when the run is noted, where no
/// budget says what memory there is.
const ROOM: usize = 32 << 20;

impl Problem<'_> {
    pub(super) fn durable_gradient(
        &self,
        attempt: Attempt,
        directory: &Path,
    ) -> Result<Durable, Halt> {
        let mut run = self.run(attempt)?;
        let tiers = match run.is_known() {
            true => self.fixed_tiers(run.chain(), directory)?,
            false => self.controlled_tiers(&mut *run, directory)?,
        };
        let mut begun = self.begin(attempt, directory, tiers)?;
        let result = match run.is_known() {
            true => self.fixed_gradient(run.chain(), &mut begun).map_err(Halt::from),
            false => self.controlled_gradient(&mut *run, &mut begun),
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
            Err(stiff @ Halt::Stiff { .. }) => {
                journal.give_up()?;
                Err(stiff)
            }
            // Even one that would come again is soon met from there.
            Err(failed) => {
                journal.leave();
                Err(failed)
            }
        }
    }

    /// Fails where a run held more than the budget, for which it has this `need` without its times.
    fn within(&self, need: Option<Need>, stats: &Stats) -> Result<(), Error> {
        let Some(need) = need else { return Ok(()) };
        let is_controlled = self.options.fixed_steps.is_none();
        let times = if is_controlled { TimeGrid::bytes_of(stats.steps as usize) } else { 0 };
        self.within_budget(need, stats, times)
    }

    fn begin(&self, attempt: Attempt, directory: &Path, mut tiers: Tiers) -> Result<Begun, Halt> {
        let (problem, method) = (self.hash()?, attempt.tableau.name);
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
                return Err(other_method(attempt, kept));
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
            let what = "the budget to go on with";
            return Err(Error::BadSetting { what, given, required }.into());
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
        let (dim, options) = (self.system.dim(), &self.options);
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
            kept.push(KeptState { step: store.adopt(slot)?.0, slot });
        }
        Ok(Opened { store: Box::new(store), kept })
    }

    fn fixed_gradient(&self, chain: &dyn Chain, begun: &mut Begun) -> Result<Gradient, Error> {
        let schedule = self.offline(chain.num_steps(), begun)?;
        self.gradient_noted(chain, schedule, Vec::new(), begun)
    }

    fn controlled_gradient(
        &self,
        run: &mut dyn OnlineChain,
        begun: &mut Begun,
    ) -> Result<Gradient, Halt> {
        let log = begun.journal.words()?;
        if log.is_empty() || begun.from.is_none() {
            // Nothing is lost by beginning again.
            begun.from = None;
            begun.journal.rewind();
        }
        if let Some(phase) = &begun.from
            && !run.resume(&log, phase.control())
        {
            return Err(JournalError::DoesNotFit.into());
        }
        let all_known = run.chain().time(run.chain().num_steps()) == self.span.end;
        let slots = begun.tiers.slots;
        let online_kind = match self.schedule_kind() {
            ScheduleKind::StoreAll if slots < usize::MAX => ScheduleKind::Online,
            kind => kind,
        };
        let fresh = online_kind.online(Some(slots))?;
        let in_memory = begun.tiers.online.take();
        let name = if in_memory.is_some() { "mixed" } else { online_kind.name() };
        if !all_known && let Some(fresh) = in_memory.or(fresh) {
            let mut schedule: Box<dyn OnlineSchedule> = match &begun.from {
                Some(phase) => Box::new(Online::resume(slots, phase.step() as usize, &begun.kept)?),
                None => fresh,
            };
            begun.followed = if begun.from.is_some() { Resumed::NAME } else { name };
            let Begun { journal, from, store, kept, tiers: Tiers { need, .. }, .. } = begun;
            let limit = |stats: &Stats| self.within(*need, stats);
            let stop = self.options.stop_or_never();
            let mut noted = Noted::new(journal, Vec::new(), self.options.on_progress, &limit, stop);
            let mut reversal = Reversal::new(&self.p).observer(&mut noted);
            if let Some(phase) = from {
                reversal = reversal.resume(phase, kept);
            }
            let gradient = reversal.gradient_online(run, &mut *schedule, &mut **store)?;
            limit(&gradient.stats)?;
            return Ok(gradient);
        }
        let mut pass = None;
        if !all_known {
            begun.from = None;
            begun.journal.rewind();
            let mut until = Until { observe: self.options.on_progress, stop: self.options.stop };
            pass = Some(Reversal::new(&self.p).observer(&mut until).value(run)?.1);
        }
        if begun.from.is_none() {
            begun.journal.add(&run.log(begun.journal.num_words()))?;
        }
        let control = run.control();
        let schedule = self.offline(run.chain().num_steps(), begun)?;
        let mut gradient = self.gradient_noted(run.chain(), schedule, control, begun)?;
        self.within(begun.tiers.need, &gradient.stats)?;
        match pass {
            Some(pass) => gradient.stats.add_pass(&pass),
            None => gradient.stats.rejected = run.rejected(),
        }
        Ok(gradient)
    }

    fn gradient_noted(
        &self,
        chain: &dyn Chain,
        mut schedule: Box<dyn Schedule>,
        control: Vec<u64>,
        begun: &mut Begun,
    ) -> Result<Gradient, Error> {
        let Begun { journal, from, store, kept, tiers: Tiers { need, .. }, .. } = begun;
        let limit = |stats: &Stats| self.within(*need, stats);
        let stop = self.options.stop_or_never();
        let mut noted = Noted::new(journal, control, self.options.on_progress, &limit, stop);
        let mut reversal = Reversal::new(&self.p).observer(&mut noted);
        if let Some(phase) = from {
            reversal = reversal.resume(phase, kept);
        }
        reversal.gradient(chain, &mut *schedule, &mut **store)
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
    fn hash(&self) -> Result<u64, Error> {
        let (system, options, objective) = (&self.system, &self.options, self.objective_or_none());
        let (dim, start) = (system.dim(), self.span.start);
        let mut y = vec![0.0; dim];
        self.initial_or_error()?.initial(&self.p, &mut y);
        let dy = system.rate(At { t: start, y: &y, p: &self.p });
        // How many steps it may try, and what it may hold, do not change them.
        let counts = [
            dim,
            system.num_params(),
            options.fixed_steps.unwrap_or(0),
            usize::from(options.adjoint == AdjointKind::Continuous),
            usize::from(objective.has_running_cost()),
            objective.point_times().len(),
        ];
        let numbers = [start, self.span.end, options.tolerances.rtol];
        let numbers = numbers.iter().chain(&options.tolerances.atol).chain(&*self.p);
        let numbers = numbers.chain(&y).chain(&dy).chain(objective.point_times());
        let words = counts.iter().map(|&count| count as u64).chain([hash(options.tag.bytes())]);
        Ok(hash(words.chain(numbers.map(|x| x.to_bits())).flat_map(u64::to_le_bytes)))
    }
}

/// An observer that ends a run where that is to stop.
struct Until<'a> {
    observe: &'a dyn Fn(Progress),
    stop: Option<&'a (dyn Fn() -> bool + Sync)>,
}

impl Observer<f64> for Until<'_> {
    fn progress(&mut self, progress: Progress) {
        (self.observe)(progress);
    }

    fn is_due(&mut self) -> bool {
        self.stop.is_some_and(|stop| stop())
    }

    fn stands(&mut self, _: Standing<'_, f64>) -> Result<(), Error> {
        Err(Error::Stopped)
    }
}

/// The explicit attempt of an automatic choice steps aside for the implicit method that the run was
/// by.
fn other_method(attempt: Attempt, kept: String) -> Halt {
    match attempt.stop_if_stiff {
        true => Halt::Stiff { steps: 0, t: f64::NAN },
        false => Halt::from(JournalError::OtherMethod { given: attempt.tableau.name, kept }),
    }
}
