//! A method under error control.

use super::first_step::first_step;
use super::growth::{
    SAFETY, SHRINK, accept, exponent, implicit_growth, step_limit, watch_stiffness,
};
use super::settings::{Control, StepReport};
use super::state::{ControlState, GROW};
use super::stops::Stops;
use crate::error::Error;
use crate::method::stepper::{Stages, Stepper, Taken};
use crate::numbers::scalar::Scalar;
use crate::ode::grid::Step;
use crate::ode::{At, Ode};

/// Error norm of what is integrated beside the state, from a step's stages and scratch and the
/// state's error norm.
pub type ErrorBeside<'a, S, W, C> = &'a dyn Fn(&Stages<S, W>, &C, f64) -> f64;

/// What came of a step under error control.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Controlled {
    /// It was taken.
    Taken(Step),
    /// It was taken, and showed that stability and not accuracy holds the steps of an explicit
    /// method, which is asked to stop there.
    Stiff,
}

/// A method under error control.
pub struct StepController<'a, O, M: Stepper<O, S>, S: Scalar = f64>
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
    pub observe: &'a dyn Fn(StepReport),
    /// What must be as accurate as the state.
    pub error_beside: Option<ErrorBeside<'a, S, M::Work, M::Scratch>>,
}

impl<O: Ode<S>, M: Stepper<O, S>, S: Scalar> StepController<'_, O, M, S> {
    /// Sets the first step of a run from y, where it is not set yet: what the guess needs is held
    /// before there is a tape.
    pub(crate) fn begin(&self, state: &mut ControlState, stops: &Stops, y: &[S]) {
        let StepController { control, stepper, ode, p, .. } = *self;
        let exponent = exponent(stepper);
        if state.h == 0.0 {
            state.h = match control.first_step {
                Some(h) => h,
                None => first_step(control, stops.end(), exponent, ode, At { t: state.t, y, p }),
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
        mut taken: Taken<'_, S, O, M>,
    ) -> Result<Controlled, Error> {
        let StepController { control, stepper, ode, p, observe, .. } = *self;
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
                return Err(self.too_small(state, (y, y), taken, step));
            }
            let error = match stepper.step(ode, p, step, y, taken.reborrow()) {
                Ok(()) => self.error(y, taken.reborrow()),
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
                observe(StepReport::Accepted { step: state.accepted - 1, taken: step, error });
                let Taken { stages, scratch } = taken;
                let stiffness = stepper.stiffness(&control.tolerances, stages, scratch);
                return Ok(match watch_stiffness(state, stiffness) {
                    true if control.stop_if_stiff => Controlled::Stiff,
                    _ => Controlled::Taken(step),
                });
            }
            observe(StepReport::Rejected { step: state.accepted, tried: step, error });
            state.rejected += 1;
            retried = true;
            let factor = if error.is_finite() { SAFETY * error.powf(-exponent) } else { SHRINK };
            state.h = step.h() * factor.clamp(SHRINK, SAFETY);
            if step.h() > 0.0
                && state.h < 16.0 * f64::EPSILON * state.t.abs().max(f64::MIN_POSITIVE)
            {
                let y_n = taken.stages.y(0).to_vec();
                return Err(self.too_small(state, (&y_n, y), taken, step));
            }
            y.copy_from_slice(taken.stages.y(0));
        }
    }

    /// Why no step from `y` is short enough, after an attempt that led to `y_next`.
    fn too_small(
        &self,
        state: &ControlState,
        (y, y_next): (&[S], &[S]),
        Taken { stages, scratch }: Taken<'_, S, O, M>,
        step: Step,
    ) -> Error {
        let (n, t, h) = (state.accepted, state.t, step.h());
        let tolerances = &self.control.tolerances;
        let component = self.stepper.worst_component(y_next, tolerances, stages, scratch);
        if !y_next[component].is_finite() {
            return Error::NotFinite { step: n, t, component };
        }
        // An implicit stage that fails leaves no state to tell by.
        let mut slope = vec![S::zero(); y.len()];
        self.ode.rhs(At { t, y, p: self.p }, &mut slope, &mut self.ode.work());
        match slope.iter().position(|slope| !slope.is_finite()) {
            Some(component) => Error::NotFinite { step: n, t, component },
            None => {
                let implicit = self.stepper.is_implicit();
                Error::StepSizeTooSmall { step: n, t, h, component, implicit }
            }
        }
    }

    fn error(&self, y_next: &[S], mut taken: Taken<'_, S, O, M>) -> f64 {
        let StepController { control, stepper, ode, p, .. } = *self;
        let error = stepper.error_norm(ode, p, y_next, &control.tolerances, taken.reborrow());
        match self.error_beside {
            Some(beside) if error <= 1.0 => error.max(beside(taken.stages, taken.scratch, error)),
            _ => error,
        }
    }
}
