//! The state of a reverse sweep, and what each action does to it.

use std::time::Instant;

use num_traits::{Float, Zero};

use super::ahead::{Ahead, Look};
use super::slots::Slots;
use super::{Gradient, Noted, Progress, Stats};
use crate::error::{Error, JournalError, check_length};
use crate::journal::{Phase, adjoint_bytes, read_adjoint, read_number, read_numbers, to_bytes};
use crate::recurrence::{Adjoint, Frontier, Recurrence};
use crate::scalar::Scalar;
use crate::schedule::{Action, Keep, Schedule};
use crate::snapshot::SnapshotStore;

/// The state of a sweep.
pub(super) struct Sweep<'a, R: Recurrence> {
    p: &'a [R::Scalar],
    pub y: Vec<R::Scalar>,
    /// n of the current state y_n; none after a step that was reversed from its tape.
    current: Option<usize>,
    /// The slot on whose tape the current state is, where it is not in `y`.
    current_on: Option<usize>,
    pub tape: R::Tape,
    /// The step on `tape`.
    on_tape: Option<usize>,
    slots: Slots<'a, R>,
    /// Bytes of the schedule's lists.
    schedule_bytes: usize,
    pub value: R::Scalar,
    /// Steps whose terms are in `value`.
    passed: usize,
    adjoint: Adjoint<R::Scalar>,
    /// Steps reversed.
    reversed: usize,
    /// Steps taken.
    taken: u64,
    from_tape: u64,
    begun: Instant,
    turned: Option<Instant>,
    notes: Option<Noted<'a>>,
    /// Bytes of the longest note while it was written.
    note_bytes: usize,
}

/// How many times the numbers of a note are held at once while it is written.
pub(crate) const NOTE_COPIES: usize = 5;

impl<'a, R: Recurrence> Sweep<'a, R> {
    pub fn start(
        chain: &R,
        p: &'a [R::Scalar],
        store: &'a mut dyn SnapshotStore<R::Scalar>,
    ) -> Result<Self, Error> {
        check_length("the parameter vector", p.len(), chain.num_params())?;
        let begun = Instant::now();
        let mut y = vec![R::Scalar::zero(); chain.dim()];
        let mut tape = chain.tape();
        let mut value = R::Scalar::zero();
        chain.initial(p, &mut y);
        check_state(chain, 0, 0, &y)?;
        chain.add_initial_value(p, &y, &mut tape, &mut value);
        check_value(chain, 0, 0, value)?;
        let adjoint = Adjoint::zeros(chain.dim(), chain.num_params());
        Ok(Sweep {
            p,
            y,
            current: Some(0),
            current_on: None,
            tape,
            on_tape: None,
            slots: Slots::new(store),
            schedule_bytes: 0,
            value,
            passed: 0,
            adjoint,
            reversed: 0,
            taken: 0,
            from_tape: 0,
            begun,
            turned: None,
            notes: None,
            note_bytes: 0,
        })
    }

    /// [`start`](Self::start), of a run whose length shows at its end.
    pub fn start_online<F: Frontier<Chain = R>>(
        frontier: &mut F,
        p: &'a [R::Scalar],
        store: &'a mut dyn SnapshotStore<R::Scalar>,
    ) -> Result<Self, Error> {
        check_length("the parameter vector", p.len(), frontier.chain().num_params())?;
        frontier.begin(p);
        Self::start(frontier.chain(), p, store)
    }

    /// Notes from now on how far the sweep has come; goes on from where it stood.
    pub fn note_in(&mut self, chain: &R, mut notes: Noted<'a>) -> Result<(), Error> {
        match notes.from {
            Some(phase) => self.go_on(chain.num_steps(), phase)?,
            None => notes.journal.add(&std::mem::take(&mut notes.log))?,
        }
        let ended = matches!(notes.from, Some(Phase::Reverse { .. }));
        self.notes = Some(notes);
        if ended { self.check_limit(chain) } else { Ok(()) }
    }

    /// Goes on from where a sweep of `steps` steps stood.
    fn go_on(&mut self, steps: usize, phase: &Phase) -> Result<(), Error> {
        let fits = match phase {
            Phase::Forward { step, y, value, .. } => {
                (self.current, self.passed) = (Some(*step), *step);
                read_numbers(y, &mut self.y) && read_number(value, &mut self.value)
            }
            Phase::Reverse { left, value, adjoint, .. } => {
                (self.passed, self.reversed) = (steps, steps.saturating_sub(*left));
                *left <= steps
                    && read_number(value, &mut self.value)
                    && read_adjoint(adjoint, &mut self.adjoint)
            }
        };
        if fits { Ok(()) } else { Err(JournalError::DoesNotFit.into()) }
    }

    /// Notes that the first sweep stands at the current state, `log` being new of the steps so far.
    pub fn note_forward(&mut self, log: &[u64], control: Vec<u64>) -> Result<(), Error> {
        let Some(step) = self.current else { return Ok(()) };
        let (y, value) = (to_bytes(&self.y), to_bytes([&self.value]));
        self.count_note(y.len());
        self.note(log, Phase::Forward { step, y, value, control })
    }

    /// Notes that the first sweep has ended, `log` being new of the steps from a number on, where it is
    /// time for that; fails where the sweep holds more than it may.
    pub fn note_turn(
        &mut self,
        chain: &R,
        log: impl Fn(usize) -> Vec<u64>,
        control: Vec<u64>,
    ) -> Result<(), Error> {
        let Some(notes) = &mut self.notes else { return Ok(()) };
        notes.control = control;
        notes.journal.add(&log(notes.journal.num_words()))?;
        let within = self.check_limit(chain);
        if within.is_err() || self.due().is_some() {
            self.note_reverse(self.passed)?;
        }
        within
    }

    fn note_reverse(&mut self, left: usize) -> Result<(), Error> {
        let (value, adjoint) = (to_bytes([&self.value]), adjoint_bytes(&self.adjoint));
        let control = self.control();
        self.count_note(adjoint.len());
        self.note(&[], Phase::Reverse { left, value, adjoint, control })
    }

    /// Counts what a note of vectors of these bytes holds while it is written.
    fn count_note(&mut self, vectors: usize) {
        if self.notes.is_some() {
            self.note_bytes = self.note_bytes.max(NOTE_COPIES * vectors);
        }
    }

    /// Notes the position; then the sweep ends where it is to be stopped.
    fn note(&mut self, log: &[u64], phase: Phase) -> Result<(), Error> {
        let begun = Instant::now();
        let Some(notes) = &mut self.notes else { return Ok(()) };
        self.slots.note()?;
        notes.journal.note(begun, log, phase)?;
        if (notes.stop)() { Err(Error::Stopped) } else { Ok(()) }
    }

    fn check_limit(&self, chain: &R) -> Result<(), Error> {
        self.notes
            .as_ref()
            .map_or(Ok(()), |notes| (notes.limit)(&self.stats(chain), chain.grid_bytes()))
    }

    /// Steps that the journal knows, where it is time for a note.
    pub fn due(&mut self) -> Option<usize> {
        let Noted { journal, stop, .. } = self.notes.as_mut()?;
        (journal.is_due() || stop()).then(|| journal.num_words())
    }

    pub fn follow(
        &mut self,
        chain: &R,
        schedule: impl Schedule,
        observe: &dyn Fn(Progress),
    ) -> Result<(), Error> {
        let mut actions = Ahead::new(schedule);
        for action in actions.by_ref() {
            match action {
                Look::Ahead { step, slot } => self.slots.expect(slot, step),
                Look::Last { step, slot } => {
                    self.restore(chain, step, slot, true)?;
                    observe(self.progress());
                }
                Look::Now(action) => {
                    self.apply(chain, action)?;
                    observe(self.progress());
                }
            }
        }
        self.note_schedule(actions.schedule().bytes());
        if self.reversed == chain.num_steps() {
            Ok(())
        } else {
            Err(self.misled("nothing more", chain))
        }
    }

    /// Notes how many bytes a schedule's lists take.
    pub fn note_schedule(&mut self, bytes: usize) {
        self.schedule_bytes = self.schedule_bytes.max(bytes);
    }

    pub fn progress(&self) -> Progress {
        Progress { forward: self.passed, reversed: self.reversed }
    }

    pub fn apply(&mut self, chain: &R, action: Action) -> Result<(), Error> {
        let num_steps = chain.num_steps();
        match action {
            Action::Store { step, slot, keep: Keep::State } if Some(step) == self.current => {
                self.read_current(chain);
                self.slots.store_state(chain, slot, step, &self.y)?;
            }
            Action::Store { step, slot, keep: Keep::Tape }
                if self.on_tape == Some(step) && self.current == step.checked_add(1) =>
            {
                self.on_tape = None;
                if !self.slots.store_tape(chain, slot, step, &mut self.tape)? {
                    return Err(self.misled("a tape of a chain that keeps none", chain));
                }
            }
            Action::Restore { step, slot } => self.restore(chain, step, slot, false)?,
            Action::Advance { from, to } if Some(from) == self.current && to <= num_steps => {
                self.read_current(chain);
                for _ in from..to {
                    self.take(chain)?;
                }
            }
            Action::Reverse { step }
                if Some(step) == self.current && step + 1 + self.reversed == num_steps =>
            {
                self.turned.get_or_insert_with(Instant::now);
                self.reverse(chain, step)?;
            }
            Action::Free { slot } => {
                if self.current_on == Some(slot) {
                    self.read_current(chain);
                }
                self.slots.free(slot)?;
            }
            _ => return Err(self.misled(&format!("{action:?}"), chain)),
        }
        Ok(())
    }

    /// Makes a kept state current, for the `last` time or not.
    fn restore(&mut self, chain: &R, step: usize, slot: usize, last: bool) -> Result<(), Error> {
        let keep = self.slots.restore(chain, slot, step, &mut self.y, last)?;
        self.current = Some(step);
        self.current_on = (keep == Keep::Tape).then_some(slot);
        Ok(())
    }

    fn reverse(&mut self, chain: &R, step: usize) -> Result<(), Error> {
        match self.current_on.take() {
            None => {
                self.take(chain)?;
                chain.step_adjoint(step, self.p, &self.y, &mut self.tape, &mut self.adjoint)?;
            }
            // The step after it, reversed just before, started from y_{n+1}.
            Some(slot) if self.on_tape == step.checked_add(1) => {
                self.slots.take_tape(chain, slot, &mut self.tape);
                let y_next = self.slots.start(chain, slot);
                chain.step_adjoint(step, self.p, y_next, &mut self.tape, &mut self.adjoint)?;
                self.on_tape = Some(step);
                self.current = None;
                self.from_tape += 1;
            }
            Some(_) => return Err(self.misled(&format!("{:?}", Action::Reverse { step }), chain)),
        }
        self.reversed += 1;
        match self.due() {
            Some(_) => self.note_reverse(chain.num_steps() - self.reversed),
            None => Ok(()),
        }
    }

    /// Writes the current state to `y` where it is only on a tape.
    pub fn read_current(&mut self, chain: &R) {
        if let Some(slot) = self.current_on.take() {
            let start = self.slots.start(chain, slot);
            self.y[..start.len()].copy_from_slice(start);
        }
    }

    fn take(&mut self, chain: &R) -> Result<(), Error> {
        let Some(n) = self.current else { return Err(self.misled("a step", chain)) };
        chain.step(n, self.p, &mut self.y, &mut self.tape)?;
        let first_time = n == self.passed;
        self.count_step(chain)?;
        match first_time && self.passed < chain.num_steps() && self.due().is_some() {
            true => self.note_forward(&[], self.control()),
            false => Ok(()),
        }
    }

    fn control(&self) -> Vec<u64> {
        self.notes.as_ref().map_or_else(Vec::new, |notes| notes.control.clone())
    }

    /// n of the current state.
    pub fn current(&self) -> Option<usize> {
        self.current
    }

    /// Notes which state was written to `y`.
    pub fn stand_at(&mut self, current: Option<usize>) {
        self.current = current;
        self.current_on = None;
    }

    /// Makes the state that a tape from another thread starts from current.
    pub fn stand_at_tape(&mut self, chain: &R, step: usize, kept: &mut R::Kept) {
        self.slots.hand_over(chain, step, kept);
        self.current = Some(step);
        self.current_on = Some(0);
    }

    /// Counts steps that other threads took.
    pub fn count_help(&mut self, steps: u64) {
        self.taken += steps;
    }

    /// Makes the state `before` the last step taken current again.
    pub fn step_back(&mut self, before: &[R::Scalar]) {
        self.y.copy_from_slice(before);
        self.current = self.current.and_then(|n| n.checked_sub(1));
    }

    /// Notes that the current state's step was taken, and adds its terms when it is the first time.
    pub fn count_step(&mut self, chain: &R) -> Result<(), Error> {
        let Some(n) = self.current else { return Err(self.misled("a step", chain)) };
        self.taken += 1;
        self.current = Some(n + 1);
        self.on_tape = Some(n);
        if n == self.passed {
            check_state(chain, n, n + 1, &self.y)?;
            chain.add_value(n, self.p, &self.y, &mut self.tape, &mut self.value);
            check_value(chain, n, n + 1, self.value)?;
            self.passed += 1;
        }
        Ok(())
    }

    pub fn finish(mut self, chain: &R) -> Result<Gradient<R::Scalar>, Error> {
        chain.initial(self.p, &mut self.y);
        chain.initial_terms_adjoint(self.p, &self.y, &mut self.tape, &mut self.adjoint);
        let wrt_y0 = self.adjoint.lambda.clone();
        chain.initial_adjoint(self.p, &mut self.adjoint);
        check_derivatives(&wrt_y0, &self.adjoint)?;
        let stats = self.stats(chain);
        Ok(Gradient {
            value: self.value,
            wrt_y0,
            wrt_params: self.adjoint.p_bar,
            wrt_end_time: self.adjoint.end_time_bar,
            stats,
        })
    }

    pub fn stats(&self, chain: &R) -> Stats {
        let now = Instant::now();
        let turned = self.turned.unwrap_or(now);
        let (steps, counts) = (chain.num_steps() as u64, chain.counts(&self.tape));
        let numbers = 3 * chain.dim() + chain.num_params();
        let vectors = numbers * <R::Scalar as Scalar>::BYTES;
        let peak = self.slots.peak;
        Stats {
            steps,
            rejected: 0,
            rhs: counts.rhs,
            vjp: counts.vjp,
            jacobians: counts.jacobians,
            factorizations: counts.factorizations,
            recomputed_steps: self.taken.saturating_sub(steps),
            from_tape: self.from_tape,
            resumed_at_step: None,
            replayed_segments: 0,
            snapshots_peak: peak.slots as u64,
            snapshot_bytes_peak: peak.bytes as u64,
            peak_bytes: (peak.memory_bytes
                + self.schedule_bytes
                + self.note_bytes
                + chain.tape_bytes()
                + chain.grid_bytes()
                + vectors) as u64,
            disk_bytes_peak: peak.disk_bytes as u64,
            seconds_forward: (turned - self.begun).as_secs_f64(),
            seconds_reverse: (now - turned).as_secs_f64(),
        }
    }

    pub fn misled(&self, action: &str, chain: &R) -> Error {
        Error::Schedule {
            action: action.into(),
            current: self.current,
            reversed: self.reversed,
            steps: chain.num_steps(),
        }
    }
}

pub(crate) fn check_state<R: Recurrence>(
    chain: &R,
    step: usize,
    at: usize,
    y: &[R::Scalar],
) -> Result<(), Error> {
    // A branch for each number would take longer than the step of a cheap model.
    let all_finite = y.chunks(256).all(|part| part.iter().fold(true, |all, y| all & y.is_finite()));
    if all_finite {
        return Ok(());
    }
    match y.iter().position(|y| !y.is_finite()) {
        Some(component) => Err(Error::NotFinite { step, t: chain.time(at), component }),
        None => Ok(()),
    }
}

pub(crate) fn check_value<R: Recurrence>(
    chain: &R,
    step: usize,
    at: usize,
    value: R::Scalar,
) -> Result<(), Error> {
    if value.is_finite() {
        Ok(())
    } else {
        Err(Error::ObjectiveNotFinite { step, t: chain.time(at) })
    }
}

/// Fails unless dJ/dy_0 = `wrt_y0` and dJ/dp are finite. dJ/dT need not be: where f or the objective
/// is not differentiable by time at T, the others are what they are.
pub(crate) fn check_derivatives<S: Scalar>(
    wrt_y0: &[S],
    adjoint: &Adjoint<S>,
) -> Result<(), Error> {
    for (what, bars) in [("state", wrt_y0), ("parameter", &adjoint.p_bar)] {
        if let Some(index) = bars.iter().position(|bar| !bar.is_finite()) {
            return Err(Error::GradientNotFinite { what, index });
        }
    }
    Ok(())
}
