//! The state of a reverse sweep, and what each action does to it.

use std::time::Instant;

use super::look_ahead::{Look, LookAhead};
use super::slots::Slots;
use super::walker::{Place, Walker};
use super::{Gradient, Observer, Progress, Standing, Stats};
use crate::adjoint::journal::{Phase, read_adjoint, read_number, read_numbers};
use crate::error::{Error, JournalError, ScheduleError, check_length};
use crate::numbers::scalar::Scalar;
use crate::recurrence::{Adjoint, Advanced, Chain, OnlineChain};
use crate::schedule::{Action, Effect, Keep, KeptState, Machine, Schedule};
use crate::snapshot::SnapshotStore;

/// The state of a sweep.
pub(super) struct Sweep<'a, S: Scalar> {
    p: &'a [S],
    pub machine: Machine,
    pub walker: Walker<S>,
    slots: Slots<'a, S>,
    observer: &'a mut dyn Observer<S>,
    /// Bytes of the schedule's lists.
    schedule_bytes: usize,
    pub value: S,
    /// Steps whose terms are in `value`.
    passed: usize,
    adjoint: Adjoint<S>,
    /// Steps reversed.
    reversed: usize,
    from_tape: u64,
    begun: Instant,
    turned: Option<Instant>,
}

impl<'a, S: Scalar> Sweep<'a, S> {
    pub fn start(
        chain: &dyn Chain<S>,
        p: &'a [S],
        store: &'a mut dyn SnapshotStore<S>,
        observer: &'a mut dyn Observer<S>,
    ) -> Result<Self, Error> {
        check_length("the parameter vector", p.len(), chain.num_params())?;
        let begun = Instant::now();
        let mut walker = Walker::new(chain);
        let Walker { y, scratch, .. } = &mut walker;
        chain.initial(p, y);
        check_state(chain, 0, 0, y)?;
        let value = chain.initial_value(p, y, scratch);
        check_value(chain, 0, 0, value)?;
        Ok(Sweep {
            p,
            machine: Machine::new(1),
            walker,
            slots: Slots::new(store),
            observer,
            schedule_bytes: 0,
            value,
            passed: 0,
            adjoint: Adjoint::zeros(chain.dim(), chain.num_params()),
            reversed: 0,
            from_tape: 0,
            begun,
            turned: None,
        })
    }

    /// [`start`](Self::start), of a run whose length shows at its end.
    pub fn start_online(
        run: &mut dyn OnlineChain<S>,
        p: &'a [S],
        store: &'a mut dyn SnapshotStore<S>,
        observer: &'a mut dyn Observer<S>,
    ) -> Result<Self, Error> {
        check_length("the parameter vector", p.len(), run.chain().num_params())?;
        run.begin(p);
        Self::start(run.chain(), p, store, observer)
    }

    /// Goes on from where a sweep stood, the states `kept` being there.
    pub fn resume(
        &mut self,
        chain: &dyn Chain<S>,
        phase: &Phase,
        kept: &[KeptState],
    ) -> Result<(), Error> {
        let steps = chain.num_steps();
        if matches!(phase, Phase::Reverse { .. }) {
            // Without the lists of what is kept, which still grow: what they need shows at the end.
            self.observer.check(&self.stats(chain))?;
        }
        let machine = std::mem::replace(&mut self.machine, Machine::new(1));
        let fits = match phase {
            Phase::Forward { step, y, value, .. } => {
                (self.passed, self.machine) = (*step, machine.resume(Some(*step), kept));
                read_numbers(y, &mut self.walker.y) && read_number(value, &mut self.value)
            }
            Phase::Reverse { left, value, adjoint, .. } => {
                (self.passed, self.reversed) = (steps, steps.saturating_sub(*left));
                // y_0 is current, as at the start.
                self.machine = machine.of_chain(steps, *left).resume(Some(0), kept);
                *left <= steps
                    && read_number(value, &mut self.value)
                    && read_adjoint(adjoint, &mut self.adjoint)
            }
        };
        if fits { Ok(()) } else { Err(JournalError::DoesNotFit.into()) }
    }

    /// Takes the next step of a run whose steps are not known, and tells the observer.
    pub fn advance_run(&mut self, run: &mut dyn OnlineChain<S>) -> Result<Advanced, Error> {
        let Walker { y, tape, scratch, .. } = &mut self.walker;
        let advanced = run.advance(self.p, y, tape, scratch)?;
        if advanced != Advanced::Stiff {
            self.walker.taken += 1;
            self.pass(run.chain(), self.passed)?;
            self.observer.progress(self.progress());
        }
        Ok(advanced)
    }

    /// Tells the observer where the first sweep stands, where it wants to know that.
    pub fn tell_forward(&mut self, run: Option<&dyn OnlineChain<S>>) -> Result<(), Error> {
        if !self.observer.is_due() {
            return Ok(());
        }
        self.slots.note()?;
        let (step, y, value) = (self.passed, &self.walker.y[..], self.value);
        self.observer.stands(Standing::Forward { step, y, value, run })
    }

    /// Tells the observer that the first sweep has ended.
    pub fn turn(&mut self, run: &dyn OnlineChain<S>) -> Result<(), Error> {
        self.observer.turns(run)?;
        let within = self.observer.check(&self.stats(run.chain()));
        if within.is_err() || self.observer.is_due() {
            self.tell_reverse(self.passed)?;
        }
        within
    }

    fn tell_reverse(&mut self, left: usize) -> Result<(), Error> {
        self.slots.note()?;
        let (value, adjoint) = (self.value, &self.adjoint);
        self.observer.stands(Standing::Reverse { left, value, adjoint })
    }

    pub fn follow(
        &mut self,
        chain: &dyn Chain<S>,
        schedule: &mut dyn Schedule,
    ) -> Result<(), Error> {
        let mut actions = LookAhead::new(schedule);
        for action in actions.by_ref() {
            match action {
                Look::Ahead { step, slot } => {
                    self.slots.expect(slot, step);
                    continue;
                }
                Look::Last { step, slot } => {
                    let effect = self.machine.apply(0, Action::Restore { step, slot })?;
                    self.perform(chain, effect, true)?;
                }
                Look::Now(action) => self.apply(chain, action)?,
            }
            self.observer.progress(self.progress());
        }
        self.count_schedule(actions.schedule().bytes());
        Ok(self.machine.check_end()?)
    }

    /// Takes note of the bytes of a schedule's lists.
    pub fn count_schedule(&mut self, bytes: usize) {
        self.schedule_bytes = self.schedule_bytes.max(bytes);
    }

    pub fn progress(&self) -> Progress {
        Progress { forward: self.passed, reversed: self.reversed }
    }

    pub fn tell_progress(&mut self) {
        self.observer.progress(self.progress());
    }

    pub fn apply(&mut self, chain: &dyn Chain<S>, action: Action) -> Result<(), Error> {
        let effect = self.machine.apply(0, action)?;
        self.perform(chain, effect, false)
    }

    /// Does what an action does; it restores for the `last` time or not.
    pub fn perform(
        &mut self,
        chain: &dyn Chain<S>,
        effect: Effect,
        last: bool,
    ) -> Result<(), Error> {
        match effect {
            Effect::Stored { step, slot, keep: Keep::State, .. } => {
                self.read_current(chain);
                self.slots.store_state(chain, slot, step, &self.walker.y)?;
            }
            Effect::Stored { step, slot, keep: Keep::Tape, .. } => {
                check_keeps_tapes(chain)?;
                if self.walker.place == Place::InSlot(slot) {
                    self.read_current(chain);
                }
                self.slots.store_tape(chain, slot, step, &mut self.walker.tape)?;
            }
            Effect::Restored { step, slot, .. } => {
                let keep = self.slots.restore(chain, slot, step, &mut self.walker.y, last)?;
                let is_state = keep == Keep::State;
                self.walker.place = if is_state { Place::State } else { Place::InSlot(slot) };
            }
            Effect::Advanced { from, to } => {
                self.read_current(chain);
                for n in from..to {
                    self.take_step(chain, n)?;
                }
            }
            Effect::Reversed { step, from_tape } => self.reverse(chain, step, from_tape)?,
            Effect::Freed { slot, .. } => {
                if self.walker.place == Place::InSlot(slot) {
                    self.read_current(chain);
                }
                self.slots.free(slot)?;
            }
        }
        Ok(())
    }

    fn reverse(
        &mut self,
        chain: &dyn Chain<S>,
        n: usize,
        from_tape: Option<usize>,
    ) -> Result<(), Error> {
        self.turned.get_or_insert_with(Instant::now);
        match from_tape {
            None => {
                self.read_current(chain);
                self.take_step(chain, n)?;
                self.walker.reverse(chain, self.p, n, &mut self.adjoint)?;
            }
            Some(_) if self.walker.place == Place::Loaded => {
                self.walker.reverse_loaded(chain, self.p, n, &mut self.adjoint)?;
            }
            // The step after it, reversed just before, started from y_{n+1}.
            Some(slot) => {
                let Walker { tape, scratch, .. } = &mut self.walker;
                self.slots.take_tape(slot, tape);
                let y_next = self.slots.start(chain, slot);
                chain.step_adjoint(n, self.p, y_next, tape, scratch, &mut self.adjoint)?;
            }
        }
        self.from_tape += u64::from(from_tape.is_some());
        self.reversed += 1;
        match self.observer.is_due() {
            true => self.tell_reverse(chain.num_steps() - self.reversed),
            false => Ok(()),
        }
    }

    /// Writes the current state to `y` where it is only on a tape.
    pub fn read_current(&mut self, chain: &dyn Chain<S>) {
        match self.walker.place {
            Place::InSlot(slot) => {
                let start = self.slots.start(chain, slot);
                self.walker.y[..start.len()].copy_from_slice(start);
                self.walker.place = Place::State;
            }
            Place::Loaded => self.walker.read_loaded(chain),
            Place::State => {}
        }
    }

    fn take_step(&mut self, chain: &dyn Chain<S>, n: usize) -> Result<(), Error> {
        self.walker.step(chain, self.p, n)?;
        if n != self.passed {
            return Ok(());
        }
        self.pass(chain, n)?;
        match self.passed < chain.num_steps() {
            true => self.tell_forward(None),
            false => Ok(()),
        }
    }

    /// Adds the terms of step n, which was taken for the first time.
    fn pass(&mut self, chain: &dyn Chain<S>, n: usize) -> Result<(), Error> {
        let Walker { y, tape, scratch, .. } = &mut self.walker;
        check_state(chain, n, n + 1, y)?;
        self.value += chain.step_value(n, self.p, y, tape, scratch);
        check_value(chain, n, n + 1, self.value)?;
        self.passed += 1;
        Ok(())
    }

    /// Says that the run has ended, and makes the state `before` its last step current again.
    pub fn end(&mut self, num_steps: usize, before: &[S]) {
        self.machine.end(num_steps);
        self.walker.y.copy_from_slice(before);
    }

    pub fn finish(mut self, chain: &dyn Chain<S>) -> Result<Gradient<S>, Error> {
        if self.passed != chain.num_steps() {
            // J has the terms of the steps that worker 0 was the first to take.
            return Err(ScheduleError::FirstSweep.into());
        }
        let Walker { y, scratch, .. } = &mut self.walker;
        chain.initial(self.p, y);
        chain.initial_terms_adjoint(self.p, y, scratch, &mut self.adjoint);
        let wrt_y0 = self.adjoint.lambda.clone();
        chain.initial_adjoint(self.p, &mut self.adjoint);
        check_derivatives(&wrt_y0, &self.adjoint)?;
        let stats = self.stats(chain);
        let Adjoint { p_bar: wrt_params, end_time_bar: wrt_end_time, .. } = self.adjoint;
        Ok(Gradient { value: self.value, wrt_y0, wrt_params, wrt_end_time, stats })
    }

    pub fn stats(&self, chain: &dyn Chain<S>) -> Stats {
        let now = Instant::now();
        let turned = self.turned.unwrap_or(now);
        let (steps, counts) = (chain.num_steps() as u64, chain.counts(&self.walker.scratch));
        // y, λ, and what comes back of it; p̄.
        let vectors = (3 * chain.dim() + chain.num_params()) * S::BYTES;
        let peak = self.slots.peak;
        let own = self.walker.tape_bytes(chain) + chain.scratch_bytes() + vectors;
        let lists = self.schedule_bytes + self.machine.bytes();
        let beside = lists + self.observer.bytes() + chain.grid_bytes();
        Stats {
            steps,
            rhs: counts.rhs,
            vjp: counts.vjp,
            jacobians: counts.jacobians,
            factorizations: counts.factorizations,
            recomputed_steps: self.walker.taken.saturating_sub(steps),
            from_tape: self.from_tape,
            snapshots_peak: peak.slots as u64,
            snapshot_bytes_peak: peak.bytes as u64,
            peak_bytes: (peak.memory_bytes + own + beside) as u64,
            disk_bytes_peak: peak.disk_bytes as u64,
            seconds_forward: (turned - self.begun).as_secs_f64(),
            seconds_reverse: (now - turned).as_secs_f64(),
            ..Stats::default()
        }
    }
}

/// Fails for a chain whose tapes cannot be kept.
pub(super) fn check_keeps_tapes<S: Scalar>(chain: &dyn Chain<S>) -> Result<(), ScheduleError> {
    if chain.keeps_tapes() { Ok(()) } else { Err(ScheduleError::NoTapes) }
}

pub(crate) fn check_state<S: Scalar>(
    chain: &dyn Chain<S>,
    step: usize,
    at: usize,
    y: &[S],
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

pub(crate) fn check_value<S: Scalar>(
    chain: &dyn Chain<S>,
    step: usize,
    at: usize,
    value: S,
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
