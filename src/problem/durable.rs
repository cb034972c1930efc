//! A gradient whose position is noted in a directory, so that it can go on after its process was
//! killed.

use std::path::Path;

use super::Problem;
use crate::adjoint::{self, Gradient, Noted, gradient_noted, gradient_online_noted};
use crate::error::{Error, JournalError};
use crate::journal::{Identity, Journal, Phase, hash};
use crate::method::{AdjointKind, Method};
use crate::objective::Objective;
use crate::ode::{Initial, Vjp};
use crate::recurrence::{Frontier, Recurrence};
use crate::schedule::{Kept, Online, Resumed, Schedule};
use crate::snapshot::TieredStore;
use crate::stepper::AdjointStepper;

/// A run that has begun or is gone on with.
struct Begun {
    journal: Journal,
    /// Where it stood when it was killed.
    from: Option<Phase>,
    store: TieredStore<f64>,
    /// The states that are still there.
    kept: Vec<Kept>,
}

impl<'a, O: Vjp, I: Initial, J: Objective, M: Method<O>> Problem<'a, O, I, J, M> {
    pub(super) fn durable_gradient_by<N: AdjointStepper<O>>(
        &self,
        stepper: N,
        stop_if_stiff: bool,
        directory: &Path,
    ) -> Result<Gradient, Error> {
        let mut begun = self.begin(stepper.name(), stop_if_stiff, directory)?;
        let result = match self.options.fixed_steps {
            Some(steps) => self.fixed_gradient(stepper, steps, &mut begun),
            None => self.controlled_gradient(stepper, stop_if_stiff, &mut begun),
        };
        match result {
            Ok(mut gradient) => {
                gradient.stats.resumed_at_step = begun.from.as_ref().map(Phase::step);
                begun.journal.finish();
                Ok(gradient)
            }
            Err(error @ Error::StepLimit { stiff: true, .. }) if stop_if_stiff => {
                begun.journal.give_up()?;
                Err(error)
            }
            Err(error) => Err(error),
        }
    }

    fn begin(
        &self,
        method: &'static str,
        stop_if_stiff: bool,
        directory: &Path,
    ) -> Result<Begun, Error> {
        let problem = self.hash();
        let new = || {
            let (tag, note) = (self.options.tag.clone(), self.options.note.clone());
            let identity = Identity { problem, method: Some(method.into()), tag, note };
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
                    _ => (journal, Some(position.phase)),
                },
            },
        };
        let mut store = TieredStore::open(0, directory, journal.run())?.keep_files();
        let mut kept = Vec::new();
        for slot in store.found()? {
            kept.push(Kept { step: store.adopt(slot)?.0, slot });
        }
        kept.sort_by_key(|kept| kept.step);
        // What cannot be gone on from is begun again.
        let has_start = kept.first().is_some_and(|kept| kept.step == 0);
        let from = from.filter(|phase| !matches!(phase, Phase::Forward { .. }) || has_start);
        Ok(Begun { journal, from, store, kept })
    }

    fn fixed_gradient<N: AdjointStepper<O>>(
        &self,
        stepper: N,
        steps: usize,
        begun: &mut Begun,
    ) -> Result<Gradient, Error> {
        let chain = self.fixed(stepper, steps)?;
        let schedule = self.offline(steps, begun)?;
        self.gradient_of(&chain, schedule, Vec::new(), Vec::new(), begun)
    }

    fn controlled_gradient<N: AdjointStepper<O>>(
        &self,
        stepper: N,
        stop_if_stiff: bool,
        begun: &mut Begun,
    ) -> Result<Gradient, Error> {
        let mut frontier = self.adaptive(stepper, stop_if_stiff)?;
        let log = begun.journal.words()?;
        if log.is_empty() {
            // Nothing is lost by beginning again.
            begun.from = None;
        }
        if let Some(phase) = &begun.from
            && !frontier.go_on(&log, phase.control())
        {
            return Err(JournalError::DoesNotFit.into());
        }
        let forward = !matches!(begun.from, Some(Phase::Reverse { .. }));
        let online = self.schedule_kind().online(self.options.snapshots)?;
        if forward && let Some(fresh) = online {
            let schedule = match &begun.from {
                Some(phase) => {
                    Box::new(Online::resume(self.slots(), phase.step() as usize, &begun.kept)?)
                }
                None => fresh,
            };
            let noted = Noted {
                journal: &mut begun.journal,
                from: begun.from.as_ref(),
                log: Vec::new(),
                control: Vec::new(),
            };
            let (p, progress) = (self.p, self.options.on_progress);
            return gradient_online_noted(
                &mut frontier,
                p,
                schedule,
                &mut begun.store,
                progress,
                noted,
            );
        }
        let mut pass = None;
        if begun.from.is_none() {
            pass = Some(adjoint::value_online(&mut frontier, self.p, self.options.on_progress)?.1);
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
        let (kept, slots) = (&begun.kept, self.slots());
        Ok(match &begun.from {
            None => self.schedule_kind().offline(steps, self.options.snapshots)?,
            Some(Phase::Forward { step, .. }) => {
                Box::new(Resumed::forward(steps, *step, kept, slots)?)
            }
            Some(Phase::Reverse { left, .. }) => Box::new(Resumed::reverse(*left, kept, slots)?),
        })
    }

    fn slots(&self) -> usize {
        self.options.snapshots.unwrap_or(usize::MAX)
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
