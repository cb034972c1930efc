//! The forward solution alone, read at given times.

use crate::control::{Control, ControlState, Controlled, Event, Stops};
use crate::error::{Error, check_dim, check_length};
use crate::grid::{Span, Step, TimeGrid};
use crate::ode::Ode;
use crate::scalar::Scalar;
use crate::stepper::{Counts, Stepper};

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

/// Solves y' = f(t, y, p), y(t_0) = `y0`, and reads y at the ascending `times`: by dense output
/// inside steps, or at their ends, on which error control lands where the dense output is less
/// accurate than the steps. [`AT_END`](crate::grid::AT_END) is the end, wherever that is.
///
/// ```
/// use costate::control::Control;
/// use costate::grid::Span;
/// use costate::model::Model;
/// use costate::solve::{Stepping, solve};
/// use costate::stepper::{ExplicitRk, Tolerances};
/// use costate::tableau::DOP853;
///
/// let decay = Model::trace(1, 1, |_t, y, p| [-&p[0] * &y[0]]).initial(|_| [1.0.into()]).build()?;
/// let control = Control::new(Tolerances { rtol: 1e-9, atol: vec![1e-12] })?;
/// let (stepper, span) = (ExplicitRk::new(&DOP853)?, Span { start: 0.0, end: 2.0 });
/// let (stepping, times) = (Stepping::Adaptive(control), [0.5, 2.0]);
/// let solution = solve(&decay, &stepper, span, &stepping, &[1.0], &[1.0], &times, &|_| {})?;
/// for (t, y) in times.iter().zip(&solution.states) {
///     assert!((y[0] - (-t).exp()).abs() < 1e-8);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Where a length, the span or a setting does not fit, a step fails, or a time lies outside the
/// span.
#[allow(clippy::too_many_arguments)]
pub fn solve<S: Scalar, O: Ode<S>, M: Stepper<O, S>>(
    ode: &O,
    stepper: &M,
    span: Span,
    stepping: &Stepping,
    y0: &[S],
    p: &[S],
    times: &[f64],
    observe: &dyn Fn(Event),
) -> Result<Solution<S>, Error> {
    check_dim(ode.dim())?;
    check_length("the initial state", y0.len(), ode.dim())?;
    check_length("the parameter vector", p.len(), ode.num_params())?;
    span.check()?;
    span.check_times(times)?;
    if *stepping == Stepping::Fixed(0) {
        let (what, given) = ("the number of steps", "0".into());
        return Err(Error::BadSetting { what, given, required: "at least 1" });
    }
    stepper.check(ode)?;
    finite(0, span.start, y0)?;
    let mut tape = stepper.tape(ode);
    let mut y = y0.to_vec();
    let mut reader = Reader { times, states: Vec::with_capacity(times.len()) };
    reader.read_start(span, &y);
    let (grid, rejected) = match stepping {
        Stepping::Fixed(steps) => {
            let grid = TimeGrid::Uniform { start: span.start, end: span.end, steps: *steps };
            grid.check()?;
            for n in 0..*steps {
                let step = grid.step(n);
                stepper.step(ode, p, step, &mut y, &mut tape).map_err(|f| f.at(n, step.t))?;
                finite(n, step.t_next, &y)?;
                reader.read(stepper, ode, p, step, &y, &mut tape);
                observe(Event::Accepted { step: n, taken: step, error: 0.0 });
            }
            (grid, 0)
        }
        Stepping::Adaptive(control) => {
            control.check(stepper, ode)?;
            let controlled = Controlled { control, stepper, ode, p, observe, error_beside: None };
            let mut state = ControlState::new(span.start);
            let mut stops = Stops::for_method::<S, O, M>(stepper, times, span);
            let mut grid = TimeGrid::Times(vec![span.start]);
            while state.t < span.end {
                let step = controlled.advance(&mut state, &mut stops, &mut y, &mut tape)?;
                reader.read(stepper, ode, p, step, &y, &mut tape);
                grid.push(step.t_next);
            }
            (grid, state.rejected)
        }
    };
    // What is left are times AT_END.
    reader.states.resize(times.len(), y);
    let counts = stepper.counts(&tape);
    let (method, states) = (stepper.name(), reader.states);
    Ok(Solution { method, times: times.to_vec(), states, grid, rejected, counts })
}

fn finite<S: Scalar>(n: usize, t: f64, y: &[S]) -> Result<(), Error> {
    match y.iter().position(|y| !y.is_finite()) {
        Some(component) => Err(Error::NotFinite { step: n, t, component }),
        None => Ok(()),
    }
}

/// Reads the states at the times as the steps pass them.
struct Reader<'a, S> {
    times: &'a [f64],
    states: Vec<Vec<S>>,
}

impl<S: Scalar> Reader<'_, S> {
    fn read_start(&mut self, span: Span, y0: &[S]) {
        while self.times.get(self.states.len()).is_some_and(|&t| t <= span.start) {
            self.states.push(y0.to_vec());
        }
    }

    fn read<O: Ode<S>, M: Stepper<O, S>>(
        &mut self,
        stepper: &M,
        ode: &O,
        p: &[S],
        step: Step,
        y: &[S],
        tape: &mut M::Tape,
    ) {
        while let Some(&t) = self.times.get(self.states.len()).filter(|&&t| t <= step.t_next) {
            let mut state = y.to_vec();
            if t < step.t_next {
                stepper.complete(ode, p, tape);
                stepper.dense(step.fraction(t), tape, &mut state);
            }
            self.states.push(state);
        }
    }
}
