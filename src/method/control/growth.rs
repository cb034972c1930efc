//! How long the next step is, and whether stability holds it.

use super::state::{ControlState, GROW};
use crate::error::Error;
use crate::method::stepper::Stepper;
use crate::numbers::scalar::Scalar;
use crate::ode::Ode;
use crate::ode::grid::Step;

pub(super) const SAFETY: f64 = 0.9;
pub(super) const SHRINK: f64 = 0.2;
/// Of an implicit method's predicted error; a smaller error than this says nothing of how it grows.
const PREDICTED_SAFETY: f64 = 0.85;
const PREDICTED_FROM: f64 = 1e-2;
/// By how much more a step may grow than the one before, after one whose stages were not solved.
const REGAIN: f64 = 1.1;
/// Steps in a row at the stability bound after which a run counts as stiff, and as not stiff again.
const STIFF_STEPS: u32 = 15;
const NOT_STIFF_STEPS: u32 = 6;

pub(super) fn exponent<S: Scalar, O: Ode<S>>(stepper: &impl Stepper<O, S>) -> f64 {
    1.0 / (stepper.embedded_order().unwrap_or(stepper.order()) as f64 + 1.0)
}

pub(super) fn accept(state: &mut ControlState, step: Step, error: f64, exponent: f64, most: f64) {
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
pub(super) fn implicit_growth(
    state: &mut ControlState,
    step: Step,
    error: f64,
    exponent: f64,
) -> f64 {
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
pub(super) fn watch_stiffness(state: &mut ControlState, stiffness: Option<f64>) -> bool {
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

pub(super) fn step_limit(state: &ControlState, end: f64) -> Error {
    let stiff = state.stiff_steps >= STIFF_STEPS;
    let steps = state.accepted + state.rejected as usize;
    Error::StepLimit { steps, t: state.t, end, stiff }
}
