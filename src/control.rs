//! Error control: from a tolerance to the times of the steps.
//!
//! A step whose error norm is at most 1 is accepted; the next is longer by
//! 0.9 err_n^{−0.7/k} err_{n−1}^{0.4/k}, k = embedded order + 1 (the PI controller of Gustafsson,
//! ACM TOMS 17 (1991), doi 10.1145/210232.210242), within [0.2, 10].

use crate::error::{Error, number};
use crate::grid::{Span, Step};
use crate::linalg::weighted_rms_norm;
use crate::ode::Ode;
use crate::scalar::Scalar;
use crate::stepper::{Stepper, Tolerances};

#[cfg(test)]
mod stiff_tests;

const SAFETY: f64 = 0.9;
const SHRINK: f64 = 0.2;
const GROW: f64 = 10.0;
/// Of an implicit method's predicted error; a smaller error than this says nothing of how it grows.
const PREDICTED_SAFETY: f64 = 0.85;
const PREDICTED_FROM: f64 = 1e-2;
/// By how much more a step may grow than the one before, after one whose stages were not solved.
const REGAIN: f64 = 1.1;
/// Units in the last place of t that the first step has at least: where a state is zero, its absolute
/// tolerance may ask for one that time cannot resolve, and need not.
const RESOLVED: f64 = 1024.0;
/// Steps in a row at the stability bound after which a run counts as stiff, and as not stiff again.
const STIFF_STEPS: u32 = 15;
const NOT_STIFF_STEPS: u32 = 6;

/// Settings of error control.
#[derive(Clone, Debug, PartialEq)]
pub struct Control {
    /// What the error norm is measured by.
    pub tolerances: Tolerances,
    /// The most steps that are accepted or rejected.
    pub max_steps: usize,
    /// The first step that is tried; guessed where there is none.
    pub first_step: Option<f64>,
    /// Stop with [`Error::StepLimit`] as soon as an explicit method meets stiffness.
    pub stop_if_stiff: bool,
}

impl Control {
    /// The default step limit.
    pub const MAX_STEPS: usize = 1_000_000;

    /// Control by these tolerances.
    ///
    /// # Errors
    /// Where a tolerance is negative, not finite, or both are zero.
    pub fn new(tolerances: Tolerances) -> Result<Self, Error> {
        tolerances.check_values()?;
        Ok(Control {
            tolerances,
            max_steps: Self::MAX_STEPS,
            first_step: None,
            stop_if_stiff: false,
        })
    }

    /// Fails unless this can control a run of `ode` by `stepper`.
    pub(crate) fn check<S, O, M>(&self, stepper: &M, ode: &O) -> Result<(), Error>
    where
        S: Scalar,
        O: Ode<S>,
        M: Stepper<O, S>,
    {
        if stepper.embedded_order().is_none() {
            return Err(Error::NoErrorEstimate { method: stepper.name() });
        }
        stepper.check(ode)?;
        self.tolerances.check(ode.dim())?;
        match self.first_step {
            Some(h) if !(h.is_finite() && h > 0.0) => Err(Error::BadSetting {
                what: "the first step",
                given: number(&h),
                required: "a positive finite number",
            }),
            _ => Ok(()),
        }
    }
}

/// What was attempted, as an observer is told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event {
    /// Step `step` was accepted.
    Accepted {
        /// n.
        step: usize,
        /// Its times.
        taken: Step,
        /// Its error norm, at most 1.
        error: f64,
    },
    /// An attempt at step `step` was rejected (`error` is infinite where it failed altogether).
    Rejected {
        /// n.
        step: usize,
        /// The times that were tried.
        tried: Step,
        /// Its error norm.
        error: f64,
    },
}

/// Where a controlled run stands.
#[derive(Clone, Debug)]
pub struct ControlState {
    /// t_n.
    pub t: f64,
    /// The step to try next; zero before the first.
    h: f64,
    /// The length of the last step; zero before the first.
    last_h: f64,
    /// The most by which an implicit method's next step may grow.
    growth: f64,
    last_error: f64,
    /// Steps accepted.
    pub accepted: usize,
    /// Attempts rejected.
    pub rejected: u64,
    stiff_steps: u32,
    calm_steps: u32,
}

impl ControlState {
    /// The start of a run.
    pub fn new(start: f64) -> Self {
        ControlState {
            t: start,
            h: 0.0,
            last_h: 0.0,
            growth: GROW,
            last_error: 1e-4,
            accepted: 0,
            rejected: 0,
            stiff_steps: 0,
            calm_steps: 0,
        }
    }
}

impl ControlState {
    /// The words that tell where the run stands.
    pub(crate) fn words(&self) -> Vec<u64> {
        vec![
            self.t.to_bits(),
            self.h.to_bits(),
            self.last_h.to_bits(),
            self.growth.to_bits(),
            self.last_error.to_bits(),
            self.accepted as u64,
            self.rejected,
            u64::from(self.stiff_steps),
            u64::from(self.calm_steps),
        ]
    }

    /// Reads what [`words`](Self::words) wrote.
    pub(crate) fn from_words(words: &[u64]) -> Option<Self> {
        let &[t, h, last_h, growth, last_error, ref counts @ ..] = words else { return None };
        let &[accepted, rejected, stiff_steps, calm_steps] = counts else { return None };
        Some(ControlState {
            t: f64::from_bits(t),
            h: f64::from_bits(h),
            last_h: f64::from_bits(last_h),
            growth: f64::from_bits(growth),
            last_error: f64::from_bits(last_error),
            accepted: usize::try_from(accepted).ok()?,
            rejected,
            stiff_steps: u32::try_from(stiff_steps).ok()?,
            calm_steps: u32::try_from(calm_steps).ok()?,
        })
    }
}

/// Times that steps land on; the last is the end of the run.
///
/// Landing makes a reading exact and its adjoint a plain sum; reading between costs what the dense
/// output costs. Measured on 101 observations in ten time units (Lotka–Volterra, gradient by dop853
/// at error 2e-7 or less): dense output throughout 0.206 ms, landing on each observation 0.179 ms,
/// landing where that shortens a step by less than half 0.155 ms. The last is what is done.
#[derive(Clone, Debug)]
pub struct Stops {
    times: Vec<f64>,
    next: usize,
    every: bool,
}

impl Stops {
    /// Stops at every one of the ascending `times` inside (start, end), and at the end.
    pub fn at_each(times: &[f64], span: Span) -> Self {
        let mut stops = Stops { times: Vec::new(), next: 0, every: true };
        stops.refill(times.iter().copied(), span);
        stops
    }

    /// Forgets all stops for those at each of the ascending `times` inside (start, end) and at the
    /// end.
    pub(crate) fn refill(&mut self, times: impl Iterator<Item = f64>, Span { start, end }: Span) {
        self.next = 0;
        self.times.clear();
        self.times.extend(times.filter(|&t| start < t && t < end).chain(std::iter::once(end)));
        self.times.dedup();
    }

    /// Stops at `times` as suits the method: at each where its dense output is less accurate than
    /// its steps, else where a step is not shortened by more than half.
    pub fn for_method<S: Scalar, O: Ode<S>, M: Stepper<O, S>>(
        stepper: &M,
        times: &[f64],
        span: Span,
    ) -> Self {
        let every = stepper.dense_order() + 1 < stepper.order();
        Stops { every, ..Self::at_each(times, span) }
    }

    /// Begins again with the first.
    pub(crate) fn restart(&mut self) {
        self.next = 0;
    }

    /// The end of the run.
    pub fn end(&self) -> f64 {
        self.times[self.times.len() - 1]
    }

    /// The end of a step of about h from t.
    fn land(&mut self, t: f64, h: f64) -> f64 {
        while self.times[self.next] <= t && self.next + 1 < self.times.len() {
            self.next += 1;
        }
        let reach = t + h * (1.0 + 1e-9);
        if self.every {
            return approach(self.times[self.next], t, h);
        }
        let passed = self.times[self.next..].partition_point(|&stop| stop <= reach);
        match passed.checked_sub(1).map(|last| self.times[self.next + last]) {
            Some(stop) if stop - t > 0.5 * h || stop == self.end() => stop,
            _ => approach(self.end(), t, h),
        }
    }
}

/// `stop` where a step of h from t reaches it, half the way where the step after would be short.
fn approach(stop: f64, t: f64, h: f64) -> f64 {
    let left = stop - t;
    if h * (1.0 + 1e-9) >= left {
        stop
    } else if 2.0 * h > left {
        t + 0.5 * left
    } else {
        t + h
    }
}

/// The error norm of what is integrated beside the state, from a step's tape and the state's error
/// norm.
pub type ErrorBeside<'a, T> = &'a dyn Fn(&T, f64) -> f64;

/// A method under error control.
pub struct Controlled<'a, O, M: Stepper<O, S>, S: Scalar = f64>
where
    O: Ode<S>,
{
    /// Its settings.
    pub control: &'a Control,
    /// The method.
    pub stepper: &'a M,
    /// The right-hand side.
    pub ode: &'a O,
    /// The parameters (m).
    pub p: &'a [S],
    /// Told of every attempt.
    pub observe: &'a dyn Fn(Event),
    /// What must be as accurate as the state.
    pub error_beside: Option<ErrorBeside<'a, M::Tape>>,
}

impl<O: Ode<S>, M: Stepper<O, S>, S: Scalar> Controlled<'_, O, M, S> {
    /// Sets the first step of a run from y, where it is not set yet: what the guess needs is held
    /// before there is a tape.
    pub(crate) fn begin(&self, state: &mut ControlState, stops: &Stops, y: &[S]) {
        let Controlled { control, stepper, ode, p, .. } = *self;
        let exponent = exponent(stepper);
        if state.h == 0.0 {
            state.h = match control.first_step {
                Some(h) => h,
                None => first_step(control, state.t, stops.end(), exponent, ode, p, y),
            };
        }
    }

    /// Attempts steps from (`state.t`, `y`) until one is accepted; `y` is then its end and
    /// `state.t` its time.
    ///
    /// # Errors
    /// Where the step limit or the smallest step is reached.
    pub fn advance(
        &self,
        state: &mut ControlState,
        stops: &mut Stops,
        y: &mut [S],
        tape: &mut M::Tape,
    ) -> Result<Step, Error> {
        let Controlled { control, stepper, ode, p, observe, .. } = *self;
        let exponent = exponent(stepper);
        self.begin(state, stops, y);
        let mut retried = false;
        loop {
            if state.accepted + state.rejected as usize >= control.max_steps {
                return Err(step_limit(state, stops.end()));
            }
            let t_next = stops.land(state.t, state.h);
            let step = Step { t: state.t, t_next, end: stops.end() };
            // A step cut short by a stop may be as short as time allows.
            let unresolved = state.h <= 8.0 * f64::EPSILON * state.t.abs();
            if t_next <= state.t || (unresolved && t_next != stops.end()) {
                return Err(self.too_small(state, y, y, tape, step));
            }
            let error = match stepper.step(ode, p, step, y, tape) {
                Ok(()) => self.error(y, tape),
                Err(_) => {
                    state.growth = 1.0;
                    f64::INFINITY
                }
            };
            if error <= 1.0 {
                let most = match stepper.is_implicit() {
                    true => implicit_growth(state, step, error, exponent),
                    false => GROW,
                };
                accept(state, step, error, exponent, if retried { most.min(1.0) } else { most });
                observe(Event::Accepted { step: state.accepted - 1, taken: step, error });
                return match watch_stiffness(state, stepper.stiffness(&control.tolerances, tape)) {
                    true if control.stop_if_stiff => Err(step_limit(state, stops.end())),
                    _ => Ok(step),
                };
            }
            observe(Event::Rejected { step: state.accepted, tried: step, error });
            state.rejected += 1;
            retried = true;
            let factor = if error.is_finite() { SAFETY * error.powf(-exponent) } else { SHRINK };
            state.h = step.h() * factor.clamp(SHRINK, SAFETY);
            if step.h() > 0.0
                && state.h < 16.0 * f64::EPSILON * state.t.abs().max(f64::MIN_POSITIVE)
            {
                return Err(self.too_small(state, stepper.start(tape), y, tape, step));
            }
            y.copy_from_slice(stepper.start(tape));
        }
    }

    /// Why no step from `y` is short enough, after an attempt that led to `y_next`.
    fn too_small(
        &self,
        state: &ControlState,
        y: &[S],
        y_next: &[S],
        tape: &M::Tape,
        step: Step,
    ) -> Error {
        let (n, t, h) = (state.accepted, state.t, step.h());
        let component = self.stepper.worst_component(y_next, &self.control.tolerances, tape);
        if !y_next[component].is_finite() {
            return Error::NotFinite { step: n, t, component };
        }
        // An implicit stage that fails leaves no state to tell by.
        let mut slope = vec![S::zero(); y.len()];
        self.ode.rhs(t, y, self.p, &mut slope, &mut self.ode.work());
        match slope.iter().position(|slope| !slope.is_finite()) {
            Some(component) => Error::NotFinite { step: n, t, component },
            None => {
                let implicit = self.stepper.is_implicit();
                Error::StepSizeTooSmall { step: n, t, h, component, implicit }
            }
        }
    }

    fn error(&self, y_next: &[S], tape: &mut M::Tape) -> f64 {
        let Controlled { control, stepper, ode, p, .. } = *self;
        let error = stepper.error_norm(ode, p, y_next, &control.tolerances, tape);
        match self.error_beside {
            Some(beside) if error <= 1.0 => error.max(beside(tape, error)),
            _ => error,
        }
    }
}

fn exponent<S: Scalar, O: Ode<S>>(stepper: &impl Stepper<O, S>) -> f64 {
    1.0 / (stepper.embedded_order().unwrap_or(stepper.order()) as f64 + 1.0)
}

fn accept(state: &mut ControlState, step: Step, error: f64, exponent: f64, most: f64) {
    let err = error.max(1e-10);
    let factor = SAFETY * err.powf(-0.7 * exponent) * state.last_error.powf(0.4 * exponent);
    let factor = factor.min(most).clamp(SHRINK, GROW);
    // A step cut short to land on a stop says little about the length it could have had.
    let whole = state.h.max(step.h());
    state.h = if step.h() < whole { whole.max(step.h() * factor) } else { step.h() * factor };
    state.last_error = err.max(1e-4);
    state.last_h = step.h();
    state.t = step.t_next;
    state.accepted += 1;
}

/// The most by which an implicit method's step may grow: its error is taken to go on growing as it
/// grew from the step before (Gustafsson, ACM TOMS 20 (1994), doi 10.1145/198429.198437), and after
/// stages that could not be solved growth is regained little by little, since what stopped them is
/// met again at the same length.
fn implicit_growth(state: &mut ControlState, step: Step, error: f64, exponent: f64) -> f64 {
    let growth = state.growth;
    state.growth = (REGAIN * growth).min(GROW);
    if state.accepted == 0 {
        return growth;
    }
    let err = error.max(1e-10);
    let grown = state.last_error.max(PREDICTED_FROM) / err;
    let predicted = PREDICTED_SAFETY * (grown / err).powf(exponent) * step.h() / state.last_h;
    predicted.min(growth)
}

/// Whether the run counts as stiff: the step size was held by stability and not by accuracy.
fn watch_stiffness(state: &mut ControlState, stiffness: Option<f64>) -> bool {
    match stiffness {
        Some(ratio) if ratio > 1.0 => {
            state.calm_steps = 0;
            state.stiff_steps += 1;
        }
        Some(_) => {
            state.calm_steps += 1;
            if state.calm_steps >= NOT_STIFF_STEPS {
                state.stiff_steps = 0;
            }
        }
        None => {}
    }
    state.stiff_steps >= STIFF_STEPS
}

fn step_limit(state: &ControlState, end: f64) -> Error {
    let stiff = state.stiff_steps >= STIFF_STEPS;
    let steps = state.accepted + state.rejected as usize;
    Error::StepLimit { steps, t: state.t, end, stiff }
}

/// Hairer, Nørsett & Wanner, Solving ODEs I, section II.4: a first step from the sizes of y, f and
/// a difference of f.
fn first_step<S: Scalar, O: Ode<S>>(
    control: &Control,
    t: f64,
    end: f64,
    exponent: f64,
    ode: &O,
    p: &[S],
    y: &[S],
) -> f64 {
    let Tolerances { rtol, atol } = &control.tolerances;
    let norm = |x: &[S]| weighted_rms_norm(x, y, y, atol, *rtol);
    let (mut f0, mut work) = (vec![S::zero(); y.len()], ode.work());
    ode.rhs(t, y, p, &mut f0, &mut work);
    let (d0, d1) = (norm(y), norm(&f0));
    let span = end - t;
    let small = if d0 < 1e-5 || d1 < 1e-5 { 1e-6 } else { 0.01 * d0 / d1 };
    let h0 = if small.is_finite() { small.min(span) } else { 1e-6 * span };
    let y1: Vec<S> = y.iter().zip(&f0).map(|(&y, &f)| y + S::of(h0) * f).collect();
    let mut f1 = vec![S::zero(); y.len()];
    ode.rhs(t + h0, &y1, p, &mut f1, &mut work);
    for (f1, &f0) in f1.iter_mut().zip(&f0) {
        *f1 -= f0;
    }
    let d2 = norm(&f1) / h0;
    let largest = d1.max(d2);
    let h1 = if largest <= 1e-15 { (1e-3 * h0).max(1e-6) } else { (0.01 / largest).powf(exponent) };
    let h = (100.0 * h0).min(h1);
    let h = if h.is_finite() && h > 0.0 { h } else { h0 };
    h.max(RESOLVED * f64::EPSILON * t.abs()).min(span)
}
