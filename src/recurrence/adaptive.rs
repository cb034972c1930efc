//! A discretisation whose grid grows under error control while its first sweep runs.

use std::marker::PhantomData;

use super::{Discretization, DiscretizationTape, Frontier, Recurrence};
use crate::control::{Control, ControlState, Controlled, Event, Stops};
use crate::error::{Error, check_dim};
use crate::grid::{Span, TimeGrid};
use crate::objective::Objective;
use crate::ode::{Initial, Ode, Vjp};
use crate::scalar::Scalar;
use crate::stepper::{AdjointStepper, Counts, Stepper};

/// An adaptive run: [`Frontier::extend`] takes a controlled step and notes its time; its chain
/// replays the steps taken.
pub struct Adaptive<'a, O, I, J, M, S = f64> {
    discretization: Discretization<'a, O, I, J, M, S>,
    control: Control,
    state: ControlState,
    stops: Stops,
    observe: &'a (dyn Fn(Event) + Sync),
    /// Bytes that the times of the steps may take.
    room: usize,
    /// They would have taken more.
    is_full: bool,
}

impl<'a, S, O, I, J, M> Adaptive<'a, O, I, J, M, S>
where
    S: Scalar,
    O: Ode<S>,
    I: Initial<S>,
    J: Objective<S>,
    M: Stepper<O, S>,
{
    /// The run over [start, end]. Steps land on the times of the point terms where the method's
    /// dense output is less accurate than its steps.
    ///
    /// # Errors
    /// Where the end is not after the start, the method has no error estimate, a setting of
    /// `control` cannot be used, a point term lies outside, or the initial state or the objective
    /// does not fit the model.
    #[allow(clippy::too_many_arguments)]
    pub fn new(
        ode: &'a O,
        initial: &'a I,
        objective: &'a J,
        stepper: M,
        span: Span,
        control: Control,
        observe: &'a (dyn Fn(Event) + Sync),
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
            observe,
            room: usize::MAX,
            is_full: false,
        })
    }

    /// Has the run fail where the times of its steps take more than this many bytes.
    pub(crate) fn limit_times(&mut self, bytes: usize) {
        self.room = bytes;
    }

    /// Takes all steps, and nothing but these, from the start. Where their times take more bytes than
    /// they may they are counted only. Returns their number and what they cost.
    ///
    /// # Errors
    /// As [`extend`](Frontier::extend).
    pub(crate) fn pass(&mut self, p: &[S], told: &dyn Fn(usize)) -> Result<(usize, Counts), Error>
    where
        O: Vjp<S>,
        I: Initial<S>,
        J: Objective<S>,
        M: AdjointStepper<O, S>,
    {
        self.restart();
        self.begin(p);
        let mut tape = self.discretization.stepper.tape(self.discretization.ode);
        let mut y = vec![S::zero(); self.discretization.dim()];
        self.discretization.initial(p, &mut y);
        loop {
            let t = self.step(p, &mut y, &mut tape)?;
            if !self.is_full {
                self.note_time(t);
            }
            told(self.state.accepted);
            if t == self.discretization.end {
                let counts = self.discretization.stepper.counts(&tape);
                return Ok((self.state.accepted, counts));
            }
        }
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

    /// Takes a step under error control and gives its end.
    fn step(&mut self, p: &[S], y: &mut [S], tape: &mut M::Tape) -> Result<f64, Error> {
        let controlled = Controlled {
            control: &self.control,
            stepper: &self.discretization.stepper,
            ode: self.discretization.ode,
            p,
            observe: self.observe,
            error_beside: None,
        };
        Ok(controlled.advance(&mut self.state, &mut self.stops, y, tape)?.t_next)
    }

    /// Takes the first steps, at most `steps`, for what can be learnt from their chain, and tells
    /// nobody; [`restart`](Self::restart) forgets them.
    ///
    /// # Errors
    /// As [`extend`](Frontier::extend).
    pub fn probe(&mut self, p: &[S], steps: usize) -> Result<(), Error>
    where
        O: Vjp<S>,
        I: Initial<S>,
        J: Objective<S>,
        M: AdjointStepper<O, S>,
    {
        let told = std::mem::replace(&mut self.observe, &|_| {});
        self.begin(p);
        let mut tape = self.discretization.tape();
        let mut y = vec![S::zero(); self.discretization.dim()];
        self.discretization.initial(p, &mut y);
        let mut result = Ok(false);
        for _ in 0..steps {
            if !matches!(result, Ok(false)) {
                break;
            }
            result = self.extend(p, &mut y, &mut tape);
        }
        self.observe = told;
        result.map(|_| ())
    }

    /// Begins again at the start.
    pub fn restart(&mut self) {
        let start = self.discretization.grid.time(0);
        self.discretization.grid = TimeGrid::growing(start);
        self.state = ControlState::new(start);
        self.stops.restart();
        self.is_full = false;
    }

    /// The steps taken so far as a chain of its own.
    pub fn into_discretization(self) -> Discretization<'a, O, I, J, M, S> {
        self.discretization
    }
}

impl<'a, S, O, I, J, M> Frontier for Adaptive<'a, O, I, J, M, S>
where
    S: Scalar,
    O: Vjp<S>,
    I: Initial<S>,
    J: Objective<S>,
    M: AdjointStepper<O, S>,
{
    type Chain = Discretization<'a, O, I, J, M, S>;

    fn chain(&self) -> &Self::Chain {
        &self.discretization
    }

    fn begin(&mut self, p: &[S]) {
        let Discretization { ode, initial, stepper, .. } = &self.discretization;
        let mut y = vec![S::zero(); ode.dim()];
        initial.initial(p, &mut y);
        let controlled = Controlled {
            control: &self.control,
            stepper,
            ode: *ode,
            p,
            observe: self.observe,
            error_beside: None,
        };
        controlled.begin(&mut self.state, &self.stops, &y);
    }

    fn extend(
        &mut self,
        p: &[S],
        y: &mut [S],
        tape: &mut DiscretizationTape<M::Tape, S, M::Scratch<J::Scratch>>,
    ) -> Result<bool, Error> {
        let t = self.step(p, y, &mut tape.step)?;
        self.note_time(t);
        match self.is_full {
            true => Err(Error::TimesFull { bytes: self.room }),
            false => Ok(t == self.discretization.end),
        }
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

    fn go_on(&mut self, log: &[u64], control: &[u64]) -> bool {
        let Some(state) = ControlState::from_words(control) else { return false };
        let grid = &mut self.discretization.grid;
        log.iter().for_each(|&word| grid.push(f64::from_bits(word)));
        let fits = state.accepted == grid.num_steps() && state.t == grid.end();
        self.state = state;
        fits && grid.check().is_ok()
    }
}
