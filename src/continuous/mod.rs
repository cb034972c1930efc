//! The continuous adjoint: instead of the step's own adjoint, the differential equation
//!
//! λ' = −f_yᵀ λ − r_y,  p̄' = −f_pᵀ λ − r_p,
//!
//! is integrated from t_{n+1} back to t_n under its own error control, y(t) read from the forward
//! step's dense output; seeds w of points inside the step make λ jump by w (Cao, Li, Petzold &
//! Serban, SIAM J. Sci. Comput. 24 (2003), doi 10.1137/S1064827501380630). Its gradient tends to
//! that of the exact solution as the tolerances fall, but is not that of the computed one.

mod backward;
mod ode;
mod scratch;
mod weights;

use crate::control::{Control, Stops};
use crate::error::{Error, StepFailure, number};
use crate::grid::{Span, Step};
use crate::linalg::Matrix;
use crate::objective::Objective;
use crate::ode::{Jvp, Ode, Vjp};
use crate::stepper::stages::dot;
use crate::stepper::{
    AdjointStepper, Bars, Counts, Newton, Part, RungeKutta, Stepper, TangentStepper, Tolerances,
};
use crate::tableau::Tableau;
use backward::{Seeds, integrate};
pub use ode::{AdjointOde, AdjointWork};
pub use scratch::BackwardScratch;
use weights::Sizes;
pub(crate) use weights::{absolute_tolerances, largest, quadrature_error};

/// A method whose adjoint is that of the differential equation.
///
/// ```
/// use costate::adjoint::gradient;
/// use costate::continuous::Continuous;
/// use costate::grid::TimeGrid;
/// use costate::model::Model;
/// use costate::recurrence::Discretization;
/// use costate::schedule::Revolve;
/// use costate::snapshot::MemoryStore;
/// use costate::stepper::ExplicitRk;
/// use costate::tableau::{DOP853, TSIT5};
///
/// let decay = Model::trace(1, 1, |_t, y, p| [-&p[0] * &y[0]])
///     .initial(|_p| [1.0.into()])
///     .terminal(|y, _p| y[0].clone())
///     .build()?;
/// let grid = TimeGrid::Uniform { start: 0.0, end: 1.0, steps: 50 };
/// let stepper = Continuous::new(ExplicitRk::new(&DOP853)?, &TSIT5, 1e-10)?;
/// let chain = Discretization::new(&decay, &decay, &decay, stepper, grid)?;
/// let g = gradient(&chain, &[1.0], Revolve::new(50, 4)?, &mut MemoryStore::new())?;
/// assert!((g.wrt_params[0] + (-1.0_f64).exp()).abs() < 1e-9);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Continuous<M> {
    forward: M,
    backward: RungeKutta,
    rtol: f64,
}

/// The forward step's tape, and the seeds inside it.
#[derive(Debug)]
pub struct ContinuousTape<T> {
    forward: T,
    step: Step,
    counts: Counts,
    /// θ of the seeds.
    thetas: Vec<f64>,
    /// The seeds by rows.
    seeds: Vec<f64>,
}

impl<M> Continuous<M> {
    /// Integrates forward by `forward` and the adjoint equation by the method of a `tableau`, at
    /// relative tolerance `rtol`.
    ///
    /// # Errors
    /// Where the tableau is of no method, has no error estimate or has stages outside its step, or
    /// where `rtol` is not a tolerance.
    pub fn new(forward: M, tableau: &Tableau, rtol: f64) -> Result<Self, Error> {
        let backward = RungeKutta::new(tableau, Newton::Stagnation)?;
        if tableau.embedded_order == 0 {
            return Err(Error::NoErrorEstimate { method: tableau.name });
        }
        if !tableau.stays_inside() {
            return Err(Error::BadSetting {
                what: "the method of the adjoint equation",
                given: tableau.name.into(),
                required: "one whose stages lie inside its step, such as esdirk547",
            });
        }
        if !(rtol > 0.0 && rtol < 1.0) {
            let (given, required) = (number(&rtol), "positive and less than 1");
            return Err(Error::BadSetting { what: "the adjoint's rtol", given, required });
        }
        Ok(Continuous { forward, backward, rtol })
    }
}

impl<O: Ode, M: Stepper<O>> Stepper<O> for Continuous<M> {
    type Tape = ContinuousTape<M::Tape>;

    fn name(&self) -> &'static str {
        self.forward.name()
    }

    fn order(&self) -> u32 {
        self.forward.order()
    }

    fn is_implicit(&self) -> bool {
        self.forward.is_implicit()
    }

    fn embedded_order(&self) -> Option<u32> {
        self.forward.embedded_order()
    }

    fn dense_order(&self) -> u32 {
        self.forward.dense_order()
    }

    fn check(&self, ode: &O) -> Result<(), Error> {
        self.forward.check(ode)
    }

    fn tape(&self, ode: &O) -> Self::Tape {
        ContinuousTape {
            forward: self.forward.tape(ode),
            step: Step { t: f64::NAN, t_next: f64::NAN, end: f64::NAN },
            counts: Counts::default(),
            thetas: Vec::new(),
            seeds: Vec::new(),
        }
    }

    fn tape_bytes(&self, ode: &O) -> usize {
        self.forward.tape_bytes(ode)
    }

    fn kept_tape(&self, ode: &O, _part: Part) -> Self::Tape {
        ContinuousTape {
            forward: self.forward.kept_tape(ode, Part::StatesAndSlopes),
            step: Step { t: f64::NAN, t_next: f64::NAN, end: f64::NAN },
            counts: Counts::default(),
            thetas: Vec::new(),
            seeds: Vec::new(),
        }
    }

    fn kept_tape_bytes(&self, ode: &O, _part: Part) -> usize {
        size_of::<Self::Tape>() + self.forward.kept_tape_bytes(ode, Part::StatesAndSlopes)
    }

    /// The adjoint reads the dense output, which needs the slopes.
    fn exchange(&self, _part: Part, tape: &mut Self::Tape, kept: &mut Self::Tape) {
        self.forward.exchange(Part::StatesAndSlopes, &mut tape.forward, &mut kept.forward);
        std::mem::swap(&mut tape.step, &mut kept.step);
        tape.thetas.clear();
        tape.seeds.clear();
    }

    fn step(
        &self,
        ode: &O,
        p: &[f64],
        step: Step,
        y: &mut [f64],
        tape: &mut Self::Tape,
    ) -> Result<(), StepFailure> {
        tape.step = step;
        tape.thetas.clear();
        tape.seeds.clear();
        self.forward.step(ode, p, step, y, &mut tape.forward)
    }

    fn error_norm(
        &self,
        ode: &O,
        p: &[f64],
        y_next: &[f64],
        tolerances: &Tolerances,
        tape: &mut Self::Tape,
    ) -> f64 {
        self.forward.error_norm(ode, p, y_next, tolerances, &mut tape.forward)
    }

    fn worst_component(&self, y_next: &[f64], tolerances: &Tolerances, tape: &Self::Tape) -> usize {
        self.forward.worst_component(y_next, tolerances, &tape.forward)
    }

    fn complete(&self, ode: &O, p: &[f64], tape: &mut Self::Tape) {
        self.forward.complete(ode, p, &mut tape.forward);
    }

    fn dense(&self, theta: f64, tape: &Self::Tape, out: &mut [f64]) {
        self.forward.dense(theta, &tape.forward, out);
    }

    fn num_quadrature(&self, tape: &Self::Tape) -> usize {
        self.forward.num_quadrature(&tape.forward)
    }

    fn quadrature<'a>(&self, i: usize, tape: &'a Self::Tape) -> (f64, f64, &'a [f64]) {
        self.forward.quadrature(i, &tape.forward)
    }

    fn start<'a>(&self, tape: &'a Self::Tape) -> &'a [f64] {
        self.forward.start(&tape.forward)
    }

    fn stiffness(&self, tolerances: &Tolerances, tape: &Self::Tape) -> Option<f64> {
        self.forward.stiffness(tolerances, &tape.forward)
    }

    fn counts(&self, tape: &Self::Tape) -> Counts {
        self.forward.counts(&tape.forward) + tape.counts
    }
}

impl<M> Continuous<M> {
    /// The adjoint equation of no step: it has the shape of all others.
    fn shape<'a, O, J>(&'a self, ode: &'a O, objective: &'a J) -> AdjointOde<'a, O, M, J>
    where
        O: Vjp,
        J: Objective,
        M: Stepper<O>,
    {
        let step = Step { t: f64::NAN, t_next: f64::NAN, end: f64::NAN };
        AdjointOde { ode, forward: &self.forward, tape: None, step, from: 1.0, p: &[], objective }
    }
}

impl<O: Vjp, M: Stepper<O>> AdjointStepper<O> for Continuous<M> {
    fn make_room_for_seeds(&self, points: usize, tape: &mut Self::Tape) {
        tape.thetas.reserve_exact(points);
    }

    fn seed_bytes(&self, ode: &O, points: usize) -> usize {
        // The rows grow by doubling.
        8 * points + 24 * points * ode.dim()
    }

    type Scratch<C: Send + Sync> = BackwardScratch<O::Work, C>;

    fn scratch<J: Objective>(&self, ode: &O, objective: &J) -> Self::Scratch<J::Scratch> {
        let atol = vec![0.0; ode.dim()];
        let mut tape = self.backward.tape(&self.shape(ode, objective));
        if self.backward.is_implicit() {
            let jacobian = Matrix::fitting(ode.dim(), Vjp::structure(ode));
            tape.stages_mut().work[0].jacobian = Some(jacobian);
        }
        BackwardScratch {
            tape,
            control: Control {
                tolerances: Tolerances { rtol: self.rtol, atol },
                max_steps: Control::MAX_STEPS,
                first_step: None,
                stop_if_stiff: false,
            },
            stops: Stops::at_each(&[], Span { start: 0.0, end: 1.0 }),
            sizes: Sizes::new(ode.dim(), objective.has_integrand()),
            objective: objective.scratch(),
        }
    }

    fn scratch_bytes<J: Objective>(&self, ode: &O, objective: &J) -> usize {
        let jacobian = match self.backward.is_implicit() {
            true => Vjp::structure(ode).matrix_bytes(ode.dim()),
            false => 0,
        };
        size_of::<Self::Scratch<J::Scratch>>()
            + self.backward.tape_bytes(&self.shape(ode, objective))
            + jacobian
            + objective.scratch_bytes()
            + Sizes::bytes(ode.dim(), objective.has_integrand())
            + 8 * ode.dim()
    }

    fn seed(&self, theta: f64, w: &[f64], tape: &mut Self::Tape, _t_next_bar: Option<&mut f64>) {
        tape.thetas.push(theta);
        tape.seeds.extend_from_slice(w);
    }

    fn step_adjoint<J: Objective>(
        &self,
        ode: &O,
        p: &[f64],
        objective: &J,
        scratch: &mut Self::Scratch<J::Scratch>,
        tape: &mut Self::Tape,
        bars: Bars<'_, f64>,
    ) -> Result<(), StepFailure> {
        let ContinuousTape { forward: tape, step, counts, thetas, seeds } = tape;
        let Bars { lambda, p_bar, t_next_bar } = bars;
        let (step, h) = (*step, step.h());
        self.forward.complete(ode, p, tape);
        let forward = &self.forward;
        let adjoint = AdjointOde { ode, forward, tape: Some(tape), step, from: 1.0, p, objective };
        let work = &mut scratch.tape.stages_mut().work[0];
        if let Some(bar) = t_next_bar {
            let t = adjoint.read(0.0, &mut work.y);
            ode.rhs(t, &work.y, p, &mut work.dy, &mut work.inner);
            let cost = objective.integrand(t, &work.y, p, &mut work.scratch);
            *bar += dot(lambda, &work.dy) + cost;
        }
        let Control { tolerances, first_step, .. } = &mut scratch.control;
        scratch.sizes.weigh(&adjoint, work, (lambda, seeds), self.rtol, &mut tolerances.atol);
        // The guess follows from the forward step alone, so that this step's adjoint does too.
        *first_step = Some(h);
        let seeds = Seeds { thetas, rows: seeds };
        *counts = *counts + integrate(&self.backward, &adjoint, seeds, scratch, lambda, p_bar)?;
        Ok(())
    }
}

impl<O: Jvp, M: TangentStepper<O>> TangentStepper<O> for Continuous<M> {
    fn step_tangent(
        &self,
        ode: &O,
        p: &[f64],
        p_dot: &[f64],
        tape: &mut Self::Tape,
        y_dot: &mut [f64],
    ) -> Result<(), StepFailure> {
        self.forward.step_tangent(ode, p, p_dot, &mut tape.forward, y_dot)
    }
}
