//! A discretisation whose grid grows under error control while its first sweep runs.

use std::marker::PhantomData;

use super::{Advanced, Discretization, OnlineRecurrence, Pass, Recurrence};
use crate::error::{Error, check_dim};
use crate::method::control::{
    Control, ControlState, Controlled, StepController, StepReport, Stops,
};
use crate::method::stepper::{AdjointStepper, Slopes, Stepper, Taken};
use crate::numbers::scalar::Scalar;
use crate::ode::grid::{Span, TimeGrid};
use crate::ode::objective::Objective;
use crate::ode::{Initial, Ode, Vjp};

/// An adaptive run: [`OnlineRecurrence::advance`] takes a controlled step and notes its time; its
/// chain replays the steps taken.
pub struct Adaptive<'a, O, I: ?Sized, J: ?Sized, M, S = f64> {
    discretization: Discretization<'a, O, I, J, M, S>,
    control: Control,
    state: ControlState,
    stops: Stops,
    observe: &'a (dyn Fn(StepReport) + Sync),
    /// Bytes that the times of the steps may take.
    room: usize,
    /// They would have taken more.
    is_full: bool,
}

impl<'a, S, O, I, J, M> Adaptive<'a, O, I, J, M, S>
where
    S: Scalar,
    O: Ode<S>,
    I: Initial<S> + ?Sized,
    J: Objective<S> + ?Sized,
    M: Stepper<O, S>,
{
    /// The run over [start, end]. Steps land on the times of the point terms where the method's
    /// dense output is less accurate than its steps.
    ///
    /// # Errors
    /// Where the end is not after the start, the method has no error estimate, a setting of
    /// `control` cannot be used, a point term lies outside, or the initial state or the objective
    /// does not fit the model.
    pub fn new(
        ode: &'a O,
        initial: &'a I,
        objective: &'a J,
        stepper: M,
        span: Span,
        control: Control,
    ) -> Result<Self, Error> {
        let Span { start, end } = span;
        check_dim(ode.dim())?;
        span.check()?;
        control.check(&stepper, ode)?;
        initial.check(ode.dim(), ode.num_params())?;
        objective.check(ode.dim(), ode.num_params())?;
        span.check_times(objective.times())?;
        let stops = Stops::for_method(&stepper, objective.times(), span);
        let grid = TimeGrid::growing(start);
        Ok(Adaptive {
            discretization: Discretization {
                ode,
                initial,
                objective,
                stepper,
                grid,
                end,
                scalar: PhantomData,
            },
            control,
            state: ControlState::new(start),
            stops,
            observe: &|_| {},
            room: usize::MAX,
            is_full: false,
        })
    }

    /// Reports each step and each rejection to `observe`.
    pub fn on_step(self, observe: &'a (dyn Fn(StepReport) + Sync)) -> Self {
        Adaptive { observe, ..self }
    }

    /// Adds a time where there is room.
    fn note_time(&mut self, t: f64) {
        let grid = &mut self.discretization.grid;
        let is_limited = self.room < usize::MAX;
        self.is_full = is_limited && TimeGrid::bytes_of(grid.num_steps() + 1) > self.room;
        match self.is_full {
            true => *grid = TimeGrid::growing(grid.time(0)),
            false => grid.push(t),
        }
    }

    /// Takes a step under error control.
    fn step(
        &mut self,
        p: &[S],
        y: &mut [S],
        taken: Taken<'_, S, O, M>,
    ) -> Result<Controlled, Error> {
        let Adaptive { control, discretization, observe, state, stops, .. } = self;
        let Discretization { ode, stepper, .. } = discretization;
        let controller =
            StepController { control, stepper, ode: *ode, p, observe, error_beside: None };
        controller.advance(state, stops, y, taken)
    }

    /// Sets the first step.
    fn set_first_step(&mut self, p: &[S]) {
        let Adaptive { control, discretization, observe, state, stops, .. } = self;
        let Discretization { ode, initial, stepper, .. } = discretization;
        let mut y = vec![S::zero(); ode.dim()];
        initial.initial(p, &mut y);
        let controller =
            StepController { control, stepper, ode: *ode, p, observe, error_beside: None };
        controller.begin(state, stops, &y);
    }

    /// The steps taken so far as a chain of its own.
    pub fn into_discretization(self) -> Discretization<'a, O, I, J, M, S> {
        self.discretization
    }
}

impl<'a, S, O, I, J, M> OnlineRecurrence for Adaptive<'a, O, I, J, M, S>
where
    S: Scalar,
    O: Vjp<S>,
    I: Initial<S> + ?Sized,
    J: Objective<S> + ?Sized,
    M: AdjointStepper<O, S>,
{
    type Chain = Discretization<'a, O, I, J, M, S>;

    fn chain(&self) -> &Self::Chain {
        &self.discretization
    }

    fn begin(&mut self, p: &[S]) {
        self.set_first_step(p);
    }

    fn advance(
        &mut self,
        p: &[S],
        y: &mut [S],
        stages: &mut <Self::Chain as Recurrence>::Tape,
        scratch: &mut <Self::Chain as Recurrence>::Scratch,
    ) -> Result<Advanced, Error> {
        let taken = Taken { stages, scratch: &mut scratch.stepper };
        let Controlled::Taken(step) = self.step(p, y, taken)? else { return Ok(Advanced::Stiff) };
        self.note_time(step.t_next);
        match self.is_full {
            true => Err(Error::TimesFull { bytes: self.room }),
            false if step.t_next == self.discretization.end => Ok(Advanced::End),
            false => Ok(Advanced::Step),
        }
    }

    fn restart(&mut self) {
        let start = self.discretization.grid.time(0);
        self.discretization.grid = TimeGrid::growing(start);
        self.state = ControlState::new(start);
        self.stops.restart();
        self.is_full = false;
    }

    fn rejected(&self) -> u64 {
        self.state.rejected
    }

    fn control(&self) -> Vec<u64> {
        self.state.words()
    }

    fn log(&self, from: usize) -> Vec<u64> {
        let grid = &self.discretization.grid;
        (from..grid.num_steps()).map(|n| grid.time(n + 1).to_bits()).collect()
    }

    fn resume(&mut self, log: &[u64], control: &[u64]) -> bool {
        let Some(state) = ControlState::from_words(control) else { return false };
        let grid = &mut self.discretization.grid;
        log.iter().for_each(|&word| grid.push(f64::from_bits(word)));
        let fits = state.accepted == grid.num_steps() && state.t == grid.end();
        self.state = state;
        fits && grid.check().is_ok()
    }

    fn limit_bytes(&mut self, bytes: usize) {
        self.room = bytes;
    }

    fn pass(&mut self, p: &[S], report: &dyn Fn(usize)) -> Result<Pass, Error> {
        self.restart();
        self.set_first_step(p);
        let Discretization { ode, initial, ref stepper, .. } = self.discretization;
        let mut stages = stepper.stages(ode, Slopes::Overwritten);
        let mut scratch = stepper.scratch(ode, Slopes::Overwritten, 0);
        let mut y = vec![S::zero(); ode.dim()];
        initial.initial(p, &mut y);
        loop {
            let taken = Taken { stages: &mut stages, scratch: &mut scratch };
            let controlled = self.step(p, &mut y, taken)?;
            if let Controlled::Taken(step) = controlled
                && !self.is_full
            {
                self.note_time(step.t_next);
            }
            report(self.state.accepted);
            let is_stiff = controlled == Controlled::Stiff;
            if is_stiff || self.state.t == self.discretization.end {
                let counts = self.discretization.stepper.counts(&scratch);
                let ControlState { accepted: steps, t, .. } = self.state;
                return Ok(Pass { steps, counts, is_stiff, t });
            }
        }
    }

    fn probe(&mut self, p: &[S], steps: usize) -> Result<(), Error> {
        let observe = std::mem::replace(&mut self.observe, &|_| {});
        self.set_first_step(p);
        let (mut tape, mut scratch) = (self.discretization.tape(), self.discretization.scratch());
        let mut y = vec![S::zero(); self.discretization.dim()];
        self.discretization.initial.initial(p, &mut y);
        let mut result = Ok(Advanced::Step);
        for _ in 0..steps {
            if !matches!(result, Ok(Advanced::Step)) {
                break;
            }
            result = self.advance(p, &mut y, &mut tape, &mut scratch);
        }
        self.observe = observe;
        result.map(|_| ())
    }
}
