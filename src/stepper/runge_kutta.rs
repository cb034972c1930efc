//! A Runge–Kutta method of either family, chosen while the program runs: what is built over it is
//! compiled once, not once a family.

use super::stages::{Scheme, Stages};
use super::{
    AdjointStepper, Bars, Counts, Esdirk, EsdirkTape, ExplicitRk, ExplicitTape, Newton, Part,
    Stepper, TangentStepper, Tolerances,
};
use crate::error::{Error, StepFailure, TableauError};
use crate::grid::Step;
use crate::objective::Objective;
use crate::ode::{Jacobian, Jvp, Vjp};
use crate::tableau::Tableau;

/// An explicit or a diagonally implicit method.
///
/// ```
/// use costate::stepper::{Newton, RungeKutta};
/// use costate::tableau::{KVAERNO5, TSIT5};
///
/// let tsit5 = RungeKutta::new(&TSIT5, Newton::Stagnation)?;
/// let kvaerno5 = RungeKutta::new(&KVAERNO5, Newton::Stagnation)?;
/// assert!(matches!(tsit5, RungeKutta::Explicit(_)));
/// assert!(matches!(kvaerno5, RungeKutta::Implicit(_)));
/// # Ok::<(), costate::error::TableauError>(())
/// ```
#[derive(Clone, Debug)]
pub enum RungeKutta {
    /// An explicit one.
    Explicit(ExplicitRk),
    /// One whose stages are solved for.
    Implicit(Esdirk),
}

/// The stages of one step of either.
#[derive(Debug)]
pub enum RungeKuttaTape<W> {
    /// Of an explicit one.
    Explicit(Box<ExplicitTape<f64, W>>),
    /// Of an implicit one.
    Implicit(Box<EsdirkTape<W>>),
}

impl RungeKutta {
    /// The method of a tableau; stages of an implicit one are solved as `newton` says.
    ///
    /// # Errors
    /// As [`ExplicitRk::new`] where the tableau is explicit, else as [`Esdirk::new`].
    pub fn new(tableau: &Tableau, newton: Newton) -> Result<Self, TableauError> {
        Ok(match tableau.is_explicit() {
            true => RungeKutta::Explicit(ExplicitRk::new(tableau)?),
            false => RungeKutta::Implicit(Esdirk::new(tableau, newton)?),
        })
    }

    pub(crate) fn is_implicit(&self) -> bool {
        matches!(self, RungeKutta::Implicit(_))
    }

    /// The coefficients.
    pub(crate) fn scheme(&self) -> &Scheme<f64> {
        match self {
            RungeKutta::Explicit(by) => &by.scheme,
            RungeKutta::Implicit(by) => &by.scheme,
        }
    }
}

impl<W> RungeKuttaTape<W> {
    pub(crate) fn stages(&self) -> &Stages<f64, W> {
        match self {
            RungeKuttaTape::Explicit(tape) => tape,
            RungeKuttaTape::Implicit(tape) => &tape.stages,
        }
    }

    pub(crate) fn stages_mut(&mut self) -> &mut Stages<f64, W> {
        match self {
            RungeKuttaTape::Explicit(tape) => tape,
            RungeKuttaTape::Implicit(tape) => &mut tape.stages,
        }
    }
}

/// Calls either method on its tape.
macro_rules! on_tape {
    ($self:ident, $tape:expr, |$by:ident, $its:ident| $call:expr) => {
        match ($self, $tape) {
            (RungeKutta::Explicit($by), RungeKuttaTape::Explicit($its)) => $call,
            (RungeKutta::Implicit($by), RungeKuttaTape::Implicit($its)) => $call,
            _ => other_method(),
        }
    };
}

/// Calls either method for a model.
macro_rules! method {
    ($self:ident, |$by:ident| $call:expr) => {
        match $self {
            RungeKutta::Explicit($by) => $call,
            RungeKutta::Implicit($by) => $call,
        }
    };
}

impl<O: Jacobian> Stepper<O> for RungeKutta {
    type Tape = RungeKuttaTape<O::Work>;

    fn name(&self) -> &'static str {
        method!(self, |by| Stepper::<O>::name(by))
    }

    fn order(&self) -> u32 {
        method!(self, |by| Stepper::<O>::order(by))
    }

    fn embedded_order(&self) -> Option<u32> {
        method!(self, |by| Stepper::<O>::embedded_order(by))
    }

    fn dense_order(&self) -> u32 {
        method!(self, |by| Stepper::<O>::dense_order(by))
    }

    fn is_implicit(&self) -> bool {
        method!(self, |by| Stepper::<O>::is_implicit(by))
    }

    fn check(&self, ode: &O) -> Result<(), Error> {
        method!(self, |by| by.check(ode))
    }

    fn tape(&self, ode: &O) -> Self::Tape {
        match self {
            RungeKutta::Explicit(by) => RungeKuttaTape::Explicit(Box::new(by.tape(ode))),
            RungeKutta::Implicit(by) => RungeKuttaTape::Implicit(Box::new(by.tape(ode))),
        }
    }

    fn tape_bytes(&self, ode: &O) -> usize {
        method!(self, |by| by.tape_bytes(ode))
    }

    fn kept_tape(&self, ode: &O, part: Part) -> Self::Tape {
        match self {
            RungeKutta::Explicit(by) => RungeKuttaTape::Explicit(Box::new(by.kept_tape(ode, part))),
            RungeKutta::Implicit(by) => RungeKuttaTape::Implicit(Box::new(by.kept_tape(ode, part))),
        }
    }

    fn kept_tape_bytes(&self, ode: &O, part: Part) -> usize {
        method!(self, |by| by.kept_tape_bytes(ode, part)) + size_of::<Self::Tape>()
    }

    fn exchange(&self, part: Part, tape: &mut Self::Tape, kept: &mut Self::Tape) {
        match (self, tape, kept) {
            (
                RungeKutta::Explicit(by),
                RungeKuttaTape::Explicit(tape),
                RungeKuttaTape::Explicit(kept),
            ) => Stepper::<O>::exchange(by, part, tape, kept),
            (
                RungeKutta::Implicit(by),
                RungeKuttaTape::Implicit(tape),
                RungeKuttaTape::Implicit(kept),
            ) => Stepper::<O>::exchange(by, part, tape, kept),
            _ => other_method(),
        }
    }

    fn step(
        &self,
        ode: &O,
        p: &[f64],
        step: Step,
        y: &mut [f64],
        tape: &mut Self::Tape,
    ) -> Result<(), StepFailure> {
        on_tape!(self, tape, |by, its| by.step(ode, p, step, y, its))
    }

    fn error_norm(
        &self,
        ode: &O,
        p: &[f64],
        y_next: &[f64],
        tolerances: &Tolerances,
        tape: &mut Self::Tape,
    ) -> f64 {
        on_tape!(self, tape, |by, its| by.error_norm(ode, p, y_next, tolerances, its))
    }

    fn worst_component(&self, y_next: &[f64], tolerances: &Tolerances, tape: &Self::Tape) -> usize {
        on_tape!(self, tape, |by, its| Stepper::<O>::worst_component(by, y_next, tolerances, its))
    }

    fn complete(&self, ode: &O, p: &[f64], tape: &mut Self::Tape) {
        on_tape!(self, tape, |by, its| by.complete(ode, p, its));
    }

    fn dense(&self, theta: f64, tape: &Self::Tape, out: &mut [f64]) {
        on_tape!(self, tape, |by, its| Stepper::<O>::dense(by, theta, its, out));
    }

    fn num_quadrature(&self, tape: &Self::Tape) -> usize {
        on_tape!(self, tape, |by, its| Stepper::<O>::num_quadrature(by, its))
    }

    fn quadrature<'a>(&self, i: usize, tape: &'a Self::Tape) -> (f64, f64, &'a [f64]) {
        on_tape!(self, tape, |by, its| Stepper::<O>::quadrature(by, i, its))
    }

    fn start<'a>(&self, tape: &'a Self::Tape) -> &'a [f64] {
        on_tape!(self, tape, |by, its| Stepper::<O>::start(by, its))
    }

    fn stiffness(&self, tolerances: &Tolerances, tape: &Self::Tape) -> Option<f64> {
        on_tape!(self, tape, |by, its| Stepper::<O>::stiffness(by, tolerances, its))
    }

    fn counts(&self, tape: &Self::Tape) -> Counts {
        on_tape!(self, tape, |by, its| Stepper::<O>::counts(by, its))
    }
}

impl<O: Vjp> AdjointStepper<O> for RungeKutta {
    type Scratch<C: Send + Sync> = C;

    fn scratch<J: Objective>(&self, _ode: &O, objective: &J) -> J::Scratch {
        objective.scratch()
    }

    fn scratch_bytes<J: Objective>(&self, _ode: &O, objective: &J) -> usize {
        objective.scratch_bytes()
    }

    fn make_room_for_seeds(&self, points: usize, tape: &mut Self::Tape) {
        on_tape!(self, tape, |by, its| {
            AdjointStepper::<O>::make_room_for_seeds(by, points, its);
        });
    }

    fn seed_bytes(&self, ode: &O, points: usize) -> usize {
        method!(self, |by| by.seed_bytes(ode, points))
    }

    fn seed(&self, theta: f64, w: &[f64], tape: &mut Self::Tape, t_next_bar: Option<&mut f64>) {
        on_tape!(self, tape, |by, its| AdjointStepper::<O>::seed(by, theta, w, its, t_next_bar));
    }

    fn step_adjoint<J: Objective>(
        &self,
        ode: &O,
        p: &[f64],
        objective: &J,
        scratch: &mut J::Scratch,
        tape: &mut Self::Tape,
        bars: Bars<'_, f64>,
    ) -> Result<(), StepFailure> {
        on_tape!(self, tape, |by, its| by.step_adjoint(ode, p, objective, scratch, its, bars))
    }
}

impl<O: Jacobian + Jvp> TangentStepper<O> for RungeKutta {
    fn step_tangent(
        &self,
        ode: &O,
        p: &[f64],
        p_dot: &[f64],
        tape: &mut Self::Tape,
        y_dot: &mut [f64],
    ) -> Result<(), StepFailure> {
        on_tape!(self, tape, |by, its| by.step_tangent(ode, p, p_dot, its, y_dot))
    }
}

fn other_method() -> ! {
    panic!("a step was left on the tape by a method of another family")
}
