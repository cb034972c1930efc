//! The forward solution alone, read at given times.

use crate::error::{Error, check_dim, check_length};
use crate::method::control::{
    Control, ControlState, Controlled, StepController, StepReport, Stops,
};
use crate::method::stepper::{Counts, Stepper, Steps};
use crate::numbers::scalar::Scalar;
use crate::ode::Ode;
use crate::ode::grid::{Span, Step, TimeGrid};

/// The states at the times that were asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Solution<S = f64> {
    /// The name of the method.
    pub method: &'static str,
    /// The times, as given.
    pub times: Vec<f64>,
    /// y at each of them.
    pub states: Vec<Vec<S>>,
    /// The times of the steps.
    pub grid: TimeGrid,
    /// Attempts that error control rejected.
    pub rejected: u64,
    /// What it cost.
    pub counts: Counts,
}

/// How steps are chosen.
#[derive(Clone, Debug, PartialEq)]
pub enum Stepping {
    /// By error control.
    Adaptive(Control),
    /// All of one length.
    Fixed(usize),
}

/// The solution of y' = f(t, y, p) by a method.
///
/// ```
/// use costate::method::control::Control;
/// use costate::ode::grid::Span;
/// use costate::model::Model;
/// use costate::method::solve::{Solver, Stepping};
/// use costate::method::stepper::{ExplicitRk, Tolerances};
/// use costate::method::tableau::DOP853;
///
/// let decay = Model::trace(1, 1, |_t, y, p| [-&p[0] * &y[0]]).initial(|_| [1.0.into()]).build()?;
/// let control = Control::new(Tolerances { rtol: 1e-9, atol: vec![1e-12] })?;
/// let (stepper, span) = (ExplicitRk::new(&DOP853)?, Span { start: 0.0, end: 2.0 });
/// let stepping = Stepping::Adaptive(control);
/// let solver = Solver { ode: &decay, stepper: &stepper, span, stepping: &stepping, observe: &|_| {} };
/// let times = [0.5, 2.0];
/// let solution = solver.solve(&[1.0], &[1.0], &times)?;
/// for (t, y) in times.iter().zip(&solution.states) {
///     assert!((y[0] - (-t).exp()).abs() < 1e-8);
/// }
/// # Ok::<(), costate::Error>(())
/// ```
pub struct Solver<'a, O, M> {
    /// The right-hand side.
    pub ode: &'a O,
    /// The method.
    pub stepper: &'a M,
    /// From where to where.
    pub span: Span,
    /// How steps are chosen.
    pub stepping: &'a Stepping,
    /// Gets a report of every step and rejection.
    pub observe: &'a dyn Fn(StepReport),
}

impl<O, M> Solver<'_, O, M> {
    /// Solves y' = f(t, y, p), y(t_0) = `y0`, and reads y at the ascending `times`: by dense output
    /// inside steps, or at their ends, on which error control lands where the dense output is less
    /// accurate than the steps. [`AT_END`](crate::ode::grid::AT_END) is the end, wherever that is.
    ///
    /// # Errors
    /// Where a length, the span or a setting does not fit, a step fails, or a time lies outside the
    /// span.
    pub fn solve<S: Scalar>(&self, y0: &[S], p: &[S], times: &[f64]) -> Result<Solution<S>, Error>
    where
        O: Ode<S>,
        M: Stepper<O, S>,
    {
        match self.solve_unless_stiff(y0, p, times)? {
            Ok(solution) => Ok(solution),
            Err(Stiff { steps, t }) => Err(Error::Stiff { steps, t }),
        }
    }

    /// As [`solve`](Self::solve), where that the run is stiff, and was to stop there, is a result.
    pub(crate) fn solve_unless_stiff<S: Scalar>(
        &self,
        y0: &[S],
        p: &[S],
        times: &[f64],
    ) -> Result<Result<Solution<S>, Stiff>, Error>
    where
        O: Ode<S>,
        M: Stepper<O, S>,
    {
        let Solver { ode, stepper, span, stepping, .. } = *self;
        check_dim(ode.dim())?;
        check_length("the initial state", y0.len(), ode.dim())?;
        check_length("the parameter vector", p.len(), ode.num_params())?;
        span.check()?;
        span.check_times(times)?;
        stepper.check(ode)?;
        finite(0, span.start, y0)?;
        let mut reader = Reader {
            solver: self,
            p,
            times,
            states: Vec::with_capacity(times.len()),
            steps: Steps::of(stepper, ode),
            y: y0.to_vec(),
        };
        reader.read_start();
        let taken = match stepping {
            Stepping::Fixed(steps) => Ok((reader.take_fixed(*steps)?, 0)),
            Stepping::Adaptive(control) => reader.take_adaptive(control)?,
        };
        Ok(taken.map(|(grid, rejected)| {
            let counts = reader.steps.counts();
            // What is left are times AT_END.
            reader.states.resize(times.len(), reader.y);
            let (method, states) = (stepper.name(), reader.states);
            Solution { method, times: times.to_vec(), states, grid, rejected, counts }
        }))
    }
}

/// A run that stopped where it showed that it is stiff.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stiff {
    /// Steps that it took or rejected.
    pub steps: u64,
    /// Where it stopped.
    pub t: f64,
}

fn finite<S: Scalar>(n: usize, t: f64, y: &[S]) -> Result<(), Error> {
    match y.iter().position(|y| !y.is_finite()) {
        Some(component) => Err(Error::NotFinite { step: n, t, component }),
        None => Ok(()),
    }
}

/// Takes the steps and reads the states at the times as they are passed.
struct Reader<'a, S: Scalar, O: Ode<S>, M: Stepper<O, S>> {
    solver: &'a Solver<'a, O, M>,
    p: &'a [S],
    times: &'a [f64],
    states: Vec<Vec<S>>,
    steps: Steps<'a, O, M, S>,
    y: Vec<S>,
}

impl<S: Scalar, O: Ode<S>, M: Stepper<O, S>> Reader<'_, S, O, M> {
    fn take_fixed(&mut self, steps: usize) -> Result<TimeGrid, Error> {
        if steps == 0 {
            let (what, given) = ("the number of steps", "0".into());
            return Err(Error::BadSetting { what, given, required: "at least 1" });
        }
        let Solver { span: Span { start, end }, observe, .. } = *self.solver;
        let grid = TimeGrid::Uniform { start, end, steps };
        grid.check()?;
        for n in 0..steps {
            let step = grid.step(n);
            let result = self.steps.take(self.p, step, &mut self.y);
            result.map_err(|failure| failure.at(n, step.t))?;
            finite(n, step.t_next, &self.y)?;
            self.read(step);
            observe(StepReport::Accepted { step: n, taken: step, error: 0.0 });
        }
        Ok(grid)
    }

    fn take_adaptive(
        &mut self,
        control: &Control,
    ) -> Result<Result<(TimeGrid, u64), Stiff>, Error> {
        let Solver { ode, stepper, span, observe, .. } = *self.solver;
        control.check(stepper, ode)?;
        let p = self.p;
        let controller = StepController { control, stepper, ode, p, observe, error_beside: None };
        let mut state = ControlState::new(span.start);
        let mut stops = Stops::for_method::<S, O, M>(stepper, self.times, span);
        let mut grid = TimeGrid::Times(vec![span.start]);
        while state.t < span.end {
            let taken = self.steps.taken();
            match controller.advance(&mut state, &mut stops, &mut self.y, taken)? {
                Controlled::Taken(step) => {
                    self.read(step);
                    grid.push(step.t_next);
                }
                Controlled::Stiff => {
                    let steps = state.accepted as u64 + state.rejected;
                    return Ok(Err(Stiff { steps, t: state.t }));
                }
            }
        }
        Ok(Ok((grid, state.rejected)))
    }

    fn read_start(&mut self) {
        let start = self.solver.span.start;
        while self.times.get(self.states.len()).is_some_and(|&t| t <= start) {
            self.states.push(self.y.clone());
        }
    }

    fn read(&mut self, step: Step) {
        while let Some(&t) = self.times.get(self.states.len()).filter(|&&t| t <= step.t_next) {
            let mut state = self.y.clone();
            if t < step.t_next {
                self.steps.dense(self.p, step.fraction(t), &mut state);
            }
            self.states.push(state);
        }
    }
}
