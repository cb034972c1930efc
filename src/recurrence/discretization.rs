//! The recurrence of an ODE, a method, a time grid and an objective.

use std::marker::PhantomData;
use std::ops::Range;

use crate::error::{Error, check_dim};
use crate::method::stepper::{AdjointStepper, Counts, Slopes, Stages, StepBars, Stepper, Taken};
use crate::numbers::scalar::Scalar;
use crate::ode::grid::{Span, Step, TimeGrid};
use crate::ode::objective::Objective;
use crate::ode::{At, Bars, Initial, Ode, Vjp};
use crate::recurrence::{Adjoint, Recurrence};

/// J(p) of the states that a method computes on a grid.
///
/// J is summed over the point terms at t_0, then step by step: the points in (t_n, t_{n+1}] in
/// their order, then the running cost.
pub struct Discretization<'a, O, I: ?Sized, J: ?Sized, M, S = f64> {
    pub(crate) ode: &'a O,
    pub(crate) initial: &'a I,
    pub(crate) objective: &'a J,
    pub(crate) stepper: M,
    pub(crate) grid: TimeGrid,
    pub(crate) end: f64,
    pub(crate) scalar: PhantomData<fn() -> S>,
}

/// Scratch of the method and of the objective, and a state inside a step with its bar.
pub struct DiscretizationScratch<T, S, C> {
    pub(crate) stepper: T,
    y: Vec<S>,
    y_bar: Vec<S>,
    objective: C,
}

impl<'a, S, O, I, J, M> Discretization<'a, O, I, J, M, S>
where
    S: Scalar,
    O: Ode<S>,
    I: Initial<S> + ?Sized,
    J: Objective<S> + ?Sized,
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
    I: ?Sized,
    J: Objective<S> + ?Sized,
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
    fn slopes(&self) -> Slopes {
        let times = self.objective.times();
        match times.iter().any(|&t| t > self.grid.time(0) && t < self.end) {
            true => Slopes::Kept,
            false => Slopes::Overwritten,
        }
    }

    /// Number of points that lie inside one step: the most in a step that is known, and 1 where there
    /// may be some in those to come.
    fn most_points_inside(&self) -> usize {
        let (times, steps) = (self.objective.times(), self.grid.num_steps());
        let (mut most, mut here, mut n) = (0, 0, 0);
        for &t in times.iter().filter(|&&t| t > self.grid.time(0) && t < self.grid.end()) {
            while n + 1 < steps && self.grid.time(n + 1) < t {
                (n, here) = (n + 1, 0);
            }
            if n < steps && self.grid.time(n + 1) != t {
                here += 1;
                most = most.max(here);
            }
        }
        most.max(usize::from(self.slopes() == Slopes::Kept))
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

impl<S, O, I, J, M> Discretization<'_, O, I, J, M, S>
where
    S: Scalar,
    O: Vjp<S>,
    I: Initial<S> + ?Sized,
    J: Objective<S> + ?Sized,
    M: AdjointStepper<O, S>,
{
    /// Writes y(t) inside `step` to the scratch's state.
    fn read(
        &self,
        (step, t): (Step, f64),
        p: &[S],
        stages: &mut Stages<S, M::Work>,
        scratch: &mut DiscretizationScratch<M::Scratch, S, J::Scratch>,
    ) {
        let DiscretizationScratch { stepper: own, y, .. } = scratch;
        self.stepper.complete(self.ode, p, Taken { stages, scratch: own });
        self.stepper.dense(step.fraction(t), stages, own, y);
    }

    /// The running cost over a step: Σ h b_i r(t_i, Y_i).
    fn running_cost(&self, p: &[S], stages: &Stages<S, M::Work>, scratch: &mut J::Scratch) -> S {
        let coefficients = self.stepper.coefficients(stages.step);
        let mut sum = S::zero();
        for (i, b) in coefficients.b.iter() {
            let at = At { t: stages.step.at(coefficients.c[i]), y: stages.y(i), p };
            sum += stages.h() * b * self.objective.integrand(at, scratch);
        }
        sum
    }

    /// Adds the derivatives of the running cost over a step to the bars of its stages, where the
    /// method takes them there.
    fn seed_running_cost(
        &self,
        p: &[S],
        stages: &Stages<S, M::Work>,
        scratch: &mut DiscretizationScratch<M::Scratch, S, J::Scratch>,
        bars: (&mut [S], Option<&mut S>),
    ) {
        let DiscretizationScratch { stepper: own, objective: scratch, .. } = scratch;
        let Some(stage_bars) = self.stepper.stage_bars(own) else { return };
        let (coefficients, (p_bar, mut end_time_bar)) =
            (self.stepper.coefficients(stages.step), bars);
        for (i, b) in coefficients.b.iter() {
            let c = coefficients.c[i];
            let at = At { t: stages.step.at(c), y: stages.y(i), p };
            let mut t_bar = S::zero();
            let bars = Bars { y: stage_bars.cost_bar(i), p: &mut *p_bar, t: &mut t_bar };
            self.objective.integrand_vjp(at, stages.h() * b, bars, scratch);
            if let Some(bar) = &mut end_time_bar {
                **bar += S::of(c) * t_bar + b * self.objective.integrand(at, scratch);
            }
        }
    }

    /// Adds the derivatives of the point terms of step n: at its end to λ, inside as seeds.
    fn seed_points(
        &self,
        n: usize,
        p: &[S],
        y_next: &[S],
        stages: &mut Stages<S, M::Work>,
        scratch: &mut DiscretizationScratch<M::Scratch, S, J::Scratch>,
        adjoint: &mut Adjoint<S>,
    ) {
        let (step, last) = (self.step_of(n), self.is_last(n));
        let Adjoint { lambda, p_bar, end_time_bar } = adjoint;
        for i in self.points(n) {
            let (t, mut t_bar) = (self.objective.times()[i], S::zero());
            if t < step.t_next {
                self.read((step, t), p, stages, scratch);
                let DiscretizationScratch { stepper: own, y, y_bar, objective } = &mut *scratch;
                y_bar.fill(S::zero());
                let bars = Bars { y: y_bar, p: p_bar, t: &mut t_bar };
                self.objective.point_vjp(i, At { t, y, p }, bars, objective);
                let t_next_bar = last.then_some(&mut *end_time_bar);
                let taken = Taken { stages, scratch: own };
                self.stepper.seed(step.fraction(t), y_bar, taken, t_next_bar);
            } else {
                let at = At { t: step.t_next, y: y_next, p };
                let bars = Bars { y: lambda, p: p_bar, t: &mut t_bar };
                self.objective.point_vjp(i, at, bars, &mut scratch.objective);
                if last {
                    *end_time_bar += t_bar;
                }
            }
        }
    }
}

impl<S, O, I, J, M> Recurrence for Discretization<'_, O, I, J, M, S>
where
    S: Scalar,
    O: Vjp<S>,
    I: Initial<S> + ?Sized,
    J: Objective<S> + ?Sized,
    M: AdjointStepper<O, S>,
{
    type Scalar = S;
    type Tape = Stages<S, M::Work>;
    type Scratch = DiscretizationScratch<M::Scratch, S, J::Scratch>;

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
        self.stepper.stages(self.ode, self.slopes())
    }

    fn tape_bytes(&self, _n: usize) -> usize {
        self.largest_tape_bytes()
    }

    fn largest_tape_bytes(&self) -> usize {
        self.stepper.stages_bytes(self.ode, self.slopes())
    }

    fn keeps_tapes(&self) -> bool {
        true
    }

    fn start<'a>(&self, tape: &'a Self::Tape) -> &'a [S] {
        tape.y(0)
    }

    fn scratch(&self) -> Self::Scratch {
        let zeros = vec![S::zero(); self.ode.dim()];
        DiscretizationScratch {
            stepper: self.stepper.scratch(self.ode, self.slopes(), self.most_points_inside()),
            y: zeros.clone(),
            y_bar: zeros,
            objective: self.objective.scratch(),
        }
    }

    fn scratch_bytes(&self) -> usize {
        self.stepper.scratch_bytes(self.ode, self.slopes(), self.most_points_inside())
            + self.objective.scratch_bytes()
            + 2 * self.ode.dim() * S::BYTES
    }

    fn grid_bytes(&self) -> usize {
        self.grid.bytes()
    }

    fn initial(&self, p: &[S], y0: &mut [S]) {
        self.initial.initial(p, y0);
    }

    fn initial_value(&self, p: &[S], y0: &[S], scratch: &mut Self::Scratch) -> S {
        let at = At { t: self.grid.time(0), y: y0, p };
        let points = self.initial_points();
        points.map(|i| self.objective.point(i, at, &mut scratch.objective)).sum()
    }

    fn step(
        &self,
        n: usize,
        p: &[S],
        y: &mut [S],
        stages: &mut Self::Tape,
        scratch: &mut Self::Scratch,
    ) -> Result<(), Error> {
        let (step, taken) = (self.step_of(n), Taken { stages, scratch: &mut scratch.stepper });
        let result = self.stepper.step(self.ode, p, step, y, taken);
        result.map_err(|failure| failure.at(n, step.t))
    }

    fn step_value(
        &self,
        n: usize,
        p: &[S],
        y_next: &[S],
        stages: &mut Self::Tape,
        scratch: &mut Self::Scratch,
    ) -> S {
        let (step, mut value) = (self.step_of(n), S::zero());
        for i in self.points(n) {
            let t = self.objective.times()[i];
            value += if t < step.t_next {
                self.read((step, t), p, stages, scratch);
                let DiscretizationScratch { y, objective, .. } = &mut *scratch;
                self.objective.point(i, At { t, y, p }, objective)
            } else {
                let at = At { t: step.t_next, y: y_next, p };
                self.objective.point(i, at, &mut scratch.objective)
            };
        }
        match self.objective.has_integrand() {
            true => value + self.running_cost(p, stages, &mut scratch.objective),
            false => value,
        }
    }

    fn step_adjoint(
        &self,
        n: usize,
        p: &[S],
        y_next: &[S],
        stages: &mut Self::Tape,
        scratch: &mut Self::Scratch,
        adjoint: &mut Adjoint<S>,
    ) -> Result<(), Error> {
        self.seed_points(n, p, y_next, stages, scratch, adjoint);
        let Adjoint { lambda, p_bar, end_time_bar } = adjoint;
        let mut t_next_bar = self.is_last(n).then_some(end_time_bar);
        if self.objective.has_integrand() {
            self.seed_running_cost(p, stages, scratch, (p_bar, t_next_bar.as_deref_mut()));
        }
        let taken = Taken { stages, scratch: &mut scratch.stepper };
        let bars = StepBars { lambda, p_bar, t_next_bar };
        let result = self.stepper.step_adjoint(self.ode, p, taken, bars);
        result.map_err(|failure| failure.at(n, self.grid.time(n)))
    }

    fn initial_terms_adjoint(
        &self,
        p: &[S],
        y0: &[S],
        scratch: &mut Self::Scratch,
        Adjoint { lambda, p_bar, .. }: &mut Adjoint<S>,
    ) {
        let at = At { t: self.grid.time(0), y: y0, p };
        for i in self.initial_points() {
            let bars = Bars { y: &mut *lambda, p: &mut *p_bar, t: &mut S::zero() };
            self.objective.point_vjp(i, at, bars, &mut scratch.objective);
        }
    }

    fn initial_adjoint(&self, p: &[S], adjoint: &mut Adjoint<S>) {
        self.initial.initial_vjp(p, &adjoint.lambda, &mut adjoint.p_bar);
    }

    fn counts(&self, scratch: &Self::Scratch) -> Counts {
        self.stepper.counts(&scratch.stepper)
    }
}
