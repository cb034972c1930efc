//! The recurrence of an ODE, a method, a time grid and an objective.

use std::borrow::BorrowMut;
use std::marker::PhantomData;
use std::ops::Range;

use crate::error::{Error, check_dim};
use crate::grid::{Span, Step, TimeGrid};
use crate::objective::Objective;
use crate::ode::{Initial, Ode, Vjp};
use crate::recurrence::{Adjoint, Recurrence};
use crate::scalar::Scalar;
use crate::stepper::{AdjointStepper, Bars, Counts, Part, Stepper};

/// J(p) of the states that a method computes on a grid.
///
/// J is summed over the point terms at t_0, then step by step: the points in (t_n, t_{n+1}] in
/// their order, then the running cost.
pub struct Discretization<'a, O, I, J, M, S = f64> {
    pub(crate) ode: &'a O,
    pub(crate) initial: &'a I,
    pub(crate) objective: &'a J,
    pub(crate) stepper: M,
    pub(crate) grid: TimeGrid,
    pub(crate) end: f64,
    pub(crate) scalar: PhantomData<fn() -> S>,
}

/// A step's tape and the scratch of its adjoint, in which that of the objective's terms lies.
pub struct DiscretizationTape<T, S, C> {
    pub(crate) step: T,
    y: Vec<S>,
    y_bar: Vec<S>,
    scratch: C,
}

impl<'a, S, O, I, J, M> Discretization<'a, O, I, J, M, S>
where
    S: Scalar,
    O: Ode<S>,
    I: Initial<S>,
    J: Objective<S>,
    M: Stepper<O, S>,
{
    /// Puts the parts together.
    ///
    /// # Errors
    /// Where the grid does not go forward, a point term lies outside it or they are not in order, or
    /// the method, the initial state or the objective does not fit the model.
    pub fn new(
        ode: &'a O,
        initial: &'a I,
        objective: &'a J,
        stepper: M,
        grid: TimeGrid,
    ) -> Result<Self, Error> {
        check_dim(ode.dim())?;
        grid.check()?;
        stepper.check(ode)?;
        initial.check(ode.dim(), ode.num_params())?;
        objective.check(ode.dim(), ode.num_params())?;
        let (start, end) = (grid.time(0), grid.end());
        Span { start, end }.check_times(objective.times())?;
        Ok(Discretization { ode, initial, objective, stepper, grid, end, scalar: PhantomData })
    }

    /// The times of the steps.
    pub fn grid(&self) -> &TimeGrid {
        &self.grid
    }
}

impl<S, O, I, J, M> Discretization<'_, O, I, J, M, S>
where
    S: Scalar,
    J: Objective<S>,
{
    /// The point terms in (t_n, t_{n+1}]; the last step has those at the end.
    fn points(&self, n: usize) -> Range<usize> {
        let times = self.objective.times();
        let from = times.partition_point(|&t| t <= self.grid.time(n));
        let to = if self.is_last(n) {
            times.len()
        } else {
            let t_next = self.grid.time(n + 1);
            from + times[from..].partition_point(|&t| t <= t_next)
        };
        from..to
    }

    /// Point terms can lie inside steps; those at the ends of the run do not.
    fn part(&self) -> Part {
        let times = self.objective.times();
        match times.iter().any(|&t| t > self.grid.time(0) && t < self.end) {
            true => Part::StatesAndSlopes,
            false => Part::States,
        }
    }

    /// Number of points that lie inside one step: the most in a step that is known, and 1 where there
    /// may be some in those to come.
    fn most_points_inside(&self) -> usize {
        let (times, steps) = (self.objective.times(), self.grid.num_steps());
        let (mut most, mut here, mut last) = (0, 0, None);
        for &t in times.iter().filter(|&&t| t > self.grid.time(0) && t < self.grid.end()) {
            let n = self.grid.step_of(t);
            if n < steps && self.grid.time(n + 1) != t {
                here = if last == Some(n) { here + 1 } else { 1 };
                (most, last) = (most.max(here), Some(n));
            }
        }
        most.max(usize::from(self.part() == Part::StatesAndSlopes))
    }

    /// Step n of the run, which may go on where the grid still grows.
    fn step_of(&self, n: usize) -> Step {
        Step { end: self.end, ..self.grid.step(n) }
    }

    /// Whether step n ends the run.
    fn is_last(&self, n: usize) -> bool {
        self.grid.time(n + 1) == self.end
    }

    /// The point terms at t_0.
    fn initial_points(&self) -> Range<usize> {
        let times = self.objective.times();
        let only = self.grid.time(0) == self.end;
        0..if only { times.len() } else { times.partition_point(|&t| t <= self.grid.time(0)) }
    }
}

impl<S, O, I, J, M> Recurrence for Discretization<'_, O, I, J, M, S>
where
    S: Scalar,
    O: Vjp<S>,
    I: Initial<S>,
    J: Objective<S>,
    M: AdjointStepper<O, S>,
{
    type Scalar = S;
    type Tape = DiscretizationTape<M::Tape, S, M::Scratch<J::Scratch>>;
    type Kept = M::Tape;

    fn dim(&self) -> usize {
        self.ode.dim()
    }

    fn num_params(&self) -> usize {
        self.ode.num_params()
    }

    fn num_steps(&self) -> usize {
        self.grid.num_steps()
    }

    fn time(&self, n: usize) -> f64 {
        self.grid.time(n)
    }

    fn tape(&self) -> Self::Tape {
        let zeros = vec![S::zero(); self.ode.dim()];
        let mut step = self.stepper.tape(self.ode);
        self.stepper.make_room_for_seeds(self.most_points_inside(), &mut step);
        DiscretizationTape {
            step,
            y: zeros.clone(),
            y_bar: zeros,
            scratch: self.stepper.scratch(self.ode, self.objective),
        }
    }

    fn tape_bytes(&self) -> usize {
        let seeds = self.stepper.seed_bytes(self.ode, self.most_points_inside());
        self.stepper.tape_bytes(self.ode)
            + self.stepper.scratch_bytes(self.ode, self.objective)
            + seeds
            + 2 * self.ode.dim() * S::BYTES
    }

    fn kept(&self) -> Option<M::Tape> {
        Some(self.stepper.kept_tape(self.ode, self.part()))
    }

    fn kept_bytes(&self, _n: usize) -> usize {
        self.stepper.kept_tape_bytes(self.ode, self.part())
    }

    fn exchange(&self, tape: &mut Self::Tape, kept: &mut M::Tape) {
        self.stepper.exchange(self.part(), &mut tape.step, kept);
    }

    fn start<'a>(&self, kept: &'a M::Tape) -> &'a [S] {
        self.stepper.start(kept)
    }

    fn grid_bytes(&self) -> usize {
        self.grid.bytes()
    }

    fn initial(&self, p: &[S], y0: &mut [S]) {
        self.initial.initial(p, y0);
    }

    fn add_initial_value(&self, p: &[S], y0: &[S], tape: &mut Self::Tape, value: &mut S) {
        let t = self.grid.time(0);
        for i in self.initial_points() {
            *value += self.objective.point(i, t, y0, p, tape.scratch.borrow_mut());
        }
    }

    fn step(&self, n: usize, p: &[S], y: &mut [S], tape: &mut Self::Tape) -> Result<(), Error> {
        let step = self.step_of(n);
        self.stepper
            .step(self.ode, p, step, y, &mut tape.step)
            .map_err(|failure| failure.at(n, step.t))
    }

    fn add_value(&self, n: usize, p: &[S], y_next: &[S], tape: &mut Self::Tape, value: &mut S) {
        let step = self.step_of(n);
        for i in self.points(n) {
            let t = self.objective.times()[i];
            *value += if t < step.t_next {
                let theta = step.fraction(t);
                self.stepper.complete(self.ode, p, &mut tape.step);
                self.stepper.dense(theta, &tape.step, &mut tape.y);
                self.objective.point(i, t, &tape.y, p, tape.scratch.borrow_mut())
            } else {
                self.objective.point(i, step.t_next, y_next, p, tape.scratch.borrow_mut())
            };
        }
        if self.objective.has_integrand() {
            for i in 0..self.stepper.num_quadrature(&tape.step) {
                let (weight, t, y) = self.stepper.quadrature(i, &tape.step);
                *value += weight * self.objective.integrand(t, y, p, tape.scratch.borrow_mut());
            }
        }
    }

    fn step_adjoint(
        &self,
        n: usize,
        p: &[S],
        y_next: &[S],
        tape: &mut Self::Tape,
        adjoint: &mut Adjoint<S>,
    ) -> Result<(), Error> {
        let (step, last) = (self.step_of(n), self.is_last(n));
        let Adjoint { lambda, p_bar, end_time_bar } = adjoint;
        let DiscretizationTape { step: step_tape, y, y_bar, scratch } = tape;
        for i in self.points(n) {
            let (t, mut t_bar) = (self.objective.times()[i], S::zero());
            if t < step.t_next {
                let theta = step.fraction(t);
                self.stepper.complete(self.ode, p, step_tape);
                self.stepper.dense(theta, step_tape, y);
                y_bar.fill(S::zero());
                let own = scratch.borrow_mut();
                self.objective.point_vjp(i, t, y, p, y_bar, p_bar, &mut t_bar, own);
                let t_next_bar = if last { Some(&mut *end_time_bar) } else { None };
                self.stepper.seed(theta, y_bar, step_tape, t_next_bar);
            } else {
                let (t, own) = (step.t_next, scratch.borrow_mut());
                self.objective.point_vjp(i, t, y_next, p, lambda, p_bar, &mut t_bar, own);
                if last {
                    *end_time_bar += t_bar;
                }
            }
        }
        let t_next_bar = if last { Some(end_time_bar) } else { None };
        let bars = Bars { lambda, p_bar, t_next_bar };
        self.stepper
            .step_adjoint(self.ode, p, self.objective, scratch, step_tape, bars)
            .map_err(|failure| failure.at(n, step.t))
    }

    fn initial_terms_adjoint(
        &self,
        p: &[S],
        y0: &[S],
        tape: &mut Self::Tape,
        adjoint: &mut Adjoint<S>,
    ) {
        let t = self.grid.time(0);
        for i in self.initial_points() {
            let (mut t_bar, Adjoint { lambda, p_bar, .. }) = (S::zero(), &mut *adjoint);
            self.objective.point_vjp(
                i,
                t,
                y0,
                p,
                lambda,
                p_bar,
                &mut t_bar,
                tape.scratch.borrow_mut(),
            );
        }
    }

    fn initial_adjoint(&self, p: &[S], adjoint: &mut Adjoint<S>) {
        self.initial.initial_vjp(p, &adjoint.lambda, &mut adjoint.p_bar);
    }

    fn counts(&self, tape: &Self::Tape) -> Counts {
        self.stepper.counts(&tape.step)
    }
}
