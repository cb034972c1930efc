//! Settings of error control, and what is reported of its steps.

use crate::error::{Error, number};
use crate::method::stepper::{Stepper, Tolerances};
use crate::numbers::scalar::Scalar;
use crate::ode::Ode;
use crate::ode::grid::Step;

/// Settings of error control.
#[derive(Clone, Debug, PartialEq)]
pub struct Control {
    /// What the error norm is measured by.
    pub tolerances: Tolerances,
    /// The most steps that are accepted or rejected.
    pub max_steps: usize,
    /// The first step that is tried; guessed where there is none.
    pub first_step: Option<f64>,
    /// Stop as soon as an explicit method meets stiffness.
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

/// Report of an attempted step, as an observer gets it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StepReport {
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
