//! One step of an integrator, its adjoint and its tangent. One file a family.
//!
//! Every method here is a Runge–Kutta method with an explicit first stage,
//! Y_i = y_n + h Σ_j a_ij k_j, k_i = f(t_n + c_i h, Y_i), y_{n+1} = y_n + h Σ b_i k_i.

use std::borrow::BorrowMut;

use crate::error::{Error, StepFailure, check_length, number};
use crate::grid::Step;
use crate::objective::Objective;
use crate::ode::{Jvp, Ode, Vjp};
use crate::scalar::Scalar;

mod esdirk;
mod explicit;
mod runge_kutta;
pub(crate) mod stages;

pub use esdirk::{Esdirk, EsdirkTape, Newton};
pub use explicit::{ExplicitRk, ExplicitTape};
pub use runge_kutta::{RungeKutta, RungeKuttaTape};
pub use stages::Stages;

/// What steps and their adjoints cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Evaluations of f.
    pub rhs: u64,
    /// Transposed derivative products.
    pub vjp: u64,
    /// Jacobians.
    pub jacobians: u64,
    /// Factorisations of I − hγJ.
    pub factorizations: u64,
}

impl std::ops::Add for Counts {
    type Output = Counts;

    fn add(self, other: Counts) -> Counts {
        Counts {
            rhs: self.rhs + other.rhs,
            vjp: self.vjp + other.vjp,
            jacobians: self.jacobians + other.jacobians,
            factorizations: self.factorizations + other.factorizations,
        }
    }
}

impl std::ops::Sub for Counts {
    type Output = Counts;

    fn sub(self, other: Counts) -> Counts {
        Counts {
            rhs: self.rhs - other.rhs,
            vjp: self.vjp - other.vjp,
            jacobians: self.jacobians - other.jacobians,
            factorizations: self.factorizations - other.factorizations,
        }
    }
}

/// The weights of error control: component i counts relative to
/// `atol[i]` + `rtol` max(|y_i(t_n)|, |y_i(t_{n+1})|); `atol` has one entry or d.
#[derive(Clone, Debug, PartialEq)]
pub struct Tolerances {
    /// The relative tolerance.
    pub rtol: f64,
    /// The absolute tolerances.
    pub atol: Vec<f64>,
}

impl Tolerances {
    /// Fails unless these are tolerances, for d states.
    pub(crate) fn check(&self, dim: usize) -> Result<(), Error> {
        self.check_values()?;
        match self.atol.len() {
            1 => Ok(()),
            given => check_length("the list of absolute tolerances", given, dim),
        }
    }

    /// Fails where one is negative, not finite, or both are zero.
    pub(crate) fn check_values(&self) -> Result<(), Error> {
        let valid = |x: f64| x.is_finite() && x >= 0.0;
        let bad = |what, given: f64, required| {
            Err(Error::BadSetting { what, given: number(&given), required })
        };
        if !(valid(self.rtol) && self.rtol < 1.0) {
            return bad("rtol", self.rtol, "at least 0 and less than 1");
        }
        for &atol in &self.atol {
            if !valid(atol) {
                return bad("atol", atol, "a finite number that is not negative");
            }
            if atol == 0.0 && self.rtol == 0.0 {
                return bad("atol", atol, "positive where rtol is zero");
            }
        }
        Ok(())
    }
}

/// What of a step is kept for its adjoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The states of its stages.
    States,
    /// Their slopes, too: dense output needs them.
    StatesAndSlopes,
}

/// A method that takes one step: a pure function of the step, y_n and p.
pub trait Stepper<O: Ode<S>, S: Scalar = f64>: Send + Sync {
    /// What a step leaves for its error estimate, its dense output and its adjoint.
    type Tape: Send + Sync;

    /// The method's name in commands and files.
    fn name(&self) -> &'static str;
    /// The order of y_{n+1}.
    fn order(&self) -> u32;
    /// The order of the embedded solution, where there is one.
    fn embedded_order(&self) -> Option<u32>;
    /// q of the dense output's error O(h^{q+1}).
    fn dense_order(&self) -> u32;
    /// Whether stages are solved for, with f_y.
    fn is_implicit(&self) -> bool {
        false
    }
    /// Fails where steps of `ode` cannot be taken.
    ///
    /// # Errors
    /// Where a setting of the method does not fit the model, or f_y is too large for it.
    fn check(&self, _ode: &O) -> Result<(), Error> {
        Ok(())
    }
    /// A tape for steps of `ode`, which was [`check`](Self::check)ed.
    fn tape(&self, ode: &O) -> Self::Tape;
    /// Bytes that a tape occupies.
    fn tape_bytes(&self, ode: &O) -> usize;
    /// A tape to keep a step in: without what only taking a step and its adjoint need.
    fn kept_tape(&self, ode: &O, part: Part) -> Self::Tape;
    /// Bytes that such a tape occupies.
    fn kept_tape_bytes(&self, ode: &O, part: Part) -> usize;
    /// Exchanges the step on `tape` for the one in `kept`.
    fn exchange(&self, part: Part, tape: &mut Self::Tape, kept: &mut Self::Tape);
    /// Takes `step` from `y`, which it overwrites with y_{n+1}. After a failure `y` is as before.
    fn step(
        &self,
        ode: &O,
        p: &[S],
        step: Step,
        y: &mut [S],
        tape: &mut Self::Tape,
    ) -> Result<(), StepFailure>;
    /// The local error of the step on the tape, whose end is `y_next`, in the norm of
    /// `tolerances`: at most 1 where the step is accepted. Not finite where f or y is not.
    fn error_norm(
        &self,
        ode: &O,
        p: &[S],
        y_next: &[S],
        tolerances: &Tolerances,
        tape: &mut Self::Tape,
    ) -> f64;
    /// The component that is worst in the last error norm, or the first that is not finite.
    fn worst_component(&self, y_next: &[S], tolerances: &Tolerances, tape: &Self::Tape) -> usize;
    /// Evaluates what the dense output of the step on the tape still lacks.
    fn complete(&self, ode: &O, p: &[S], tape: &mut Self::Tape);
    /// Writes y(t_n + θh) of the step on the tape, which is complete, to `out`.
    fn dense(&self, theta: f64, tape: &Self::Tape, out: &mut [S]);
    /// Number of stages of the step on the tape that carry a weight of the method's quadrature.
    fn num_quadrature(&self, tape: &Self::Tape) -> usize;
    /// Weight h b_i, time and state of such a stage: ∫ r dt over the step is Σ h b_i r(t_i, Y_i).
    fn quadrature<'a>(&self, i: usize, tape: &'a Self::Tape) -> (S, f64, &'a [S]);
    /// The state y_n that the step on the tape started from.
    fn start<'a>(&self, tape: &'a Self::Tape) -> &'a [S];
    /// h times an estimate, in the norm of `tolerances`, of the largest |eigenvalue| met in the
    /// step, relative to the bound that the method's stability sets; `None` where the method has
    /// no such bound.
    fn stiffness(&self, _tolerances: &Tolerances, _tape: &Self::Tape) -> Option<f64> {
        None
    }
    /// What was counted on this tape since it was made.
    fn counts(&self, tape: &Self::Tape) -> Counts;
}

/// The bars that an adjoint step updates.
pub struct Bars<'a, S> {
    /// dJ/dy_{n+1} on entry, dJ/dy_n on return (d).
    pub lambda: &'a mut [S],
    /// dJ/dp is added here (m).
    pub p_bar: &'a mut [S],
    /// dJ/dt_{n+1} at fixed t_n is added here, where it is asked for.
    pub t_next_bar: Option<&'a mut S>,
}

/// A method with an adjoint.
pub trait AdjointStepper<O: Vjp<S>, S: Scalar = f64>: Stepper<O, S> {
    /// Makes room in a tape for the seeds of `points` points inside one step.
    fn make_room_for_seeds(&self, points: usize, tape: &mut Self::Tape);
    /// Bytes of that room.
    fn seed_bytes(&self, ode: &O, points: usize) -> usize;
    /// What [`step_adjoint`](Self::step_adjoint) needs beside the tape: an objective's scratch, of
    /// type `C`, and what else the method asks for.
    type Scratch<C: Send + Sync>: BorrowMut<C> + Send + Sync;

    /// Scratch for adjoints of steps of `ode` with the running cost of `objective`.
    fn scratch<J: Objective<S>>(&self, ode: &O, objective: &J) -> Self::Scratch<J::Scratch>;
    /// Bytes that such scratch occupies.
    fn scratch_bytes<J: Objective<S>>(&self, ode: &O, objective: &J) -> usize;
    /// Adds the seed `w` = dJ/dy(t_n + θh) of a point inside the step on the tape, before
    /// [`step_adjoint`](Self::step_adjoint).
    fn seed(&self, theta: f64, w: &[S], tape: &mut Self::Tape, t_next_bar: Option<&mut S>);
    /// Applies the adjoint of the step on the tape, with the seeds given and the running cost of
    /// `objective` in it.
    fn step_adjoint<J: Objective<S>>(
        &self,
        ode: &O,
        p: &[S],
        objective: &J,
        scratch: &mut Self::Scratch<J::Scratch>,
        tape: &mut Self::Tape,
        bars: Bars<'_, S>,
    ) -> Result<(), StepFailure>;
}

/// A method with a tangent: for the dot-product test and for forward sensitivities.
pub trait TangentStepper<O: Jvp<S>, S: Scalar = f64>: Stepper<O, S> {
    /// Overwrites `y_dot` with (∂y_{n+1}/∂y_n) `y_dot` + (∂y_{n+1}/∂p) `p_dot` for the step on
    /// the tape.
    fn step_tangent(
        &self,
        ode: &O,
        p: &[S],
        p_dot: &[S],
        tape: &mut Self::Tape,
        y_dot: &mut [S],
    ) -> Result<(), StepFailure>;
}
