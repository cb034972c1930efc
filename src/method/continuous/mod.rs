//! The continuous adjoint: instead of the step's own adjoint, the differential equation
//!
//! λ' = −f_yᵀ λ − r_y,  p̄' = −f_pᵀ λ − r_p,
//!
//! is integrated from t_{n+1} back to t_n under its own error control, y(t) read from the forward
//! step's dense output; seeds w of points inside the step make λ jump by w (Cao, Li, Petzold &
//! Serban, SIAM J. Sci. Comput. 24 (2003), doi 10.1137/S1064827501380630). Its gradient tends to
//! that of the exact solution as the tolerances fall, but is not that of the computed one.

mod ode;
mod weights;

mod backward;

use crate::error::{Error, StepFailure, number};
use crate::method::stepper::{
    AdjointStepper, Coefficients, Counts, Slopes, StageScratch, Stages, StepBars, Stepper, Taken,
    TangentStepper, Tolerances,
};
use crate::method::tableau::Tableau;
use crate::ode::grid::Step;
use crate::ode::objective::Objective;
use crate::ode::{Jvp, Vjp};
pub use backward::BackwardScratch;
use backward::{BackwardMethod, Seeds};
use ode::{AdjointOde, Interpolant};
pub(crate) use weights::{absolute_tolerances, largest, quadrature_error};

/// A method whose adjoint is that of the differential equation.
///
/// ```
/// use costate::adjoint::gradient;
/// use costate::method::continuous::Continuous;
/// use costate::ode::grid::TimeGrid;
/// use costate::model::Model;
/// use costate::recurrence::Discretization;
/// use costate::schedule::Revolve;
/// use costate::snapshot::MemoryStore;
/// use costate::method::stepper::ExplicitRk;
/// use costate::method::tableau::{DOP853, TSIT5};
///
/// let decay = Model::trace(1, 1, |_t, y, p| [-&p[0] * &y[0]])
///     .initial(|_p| [1.0.into()])
///     .terminal(|y, _p| y[0].clone())
///     .build()?;
/// let grid = TimeGrid::Uniform { start: 0.0, end: 1.0, steps: 50 };
/// let stepper = Continuous::new(ExplicitRk::new(&DOP853)?, &TSIT5, 1e-10, &decay)?;
/// let chain = Discretization::new(&decay, &decay, &decay, stepper, grid)?;
/// let g = gradient(&chain, &[1.0], Revolve::new(50, 4)?, &mut MemoryStore::new())?;
/// assert!((g.wrt_params[0] + (-1.0_f64).exp()).abs() < 1e-9);
/// # Ok::<(), costate::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Continuous<'a, M, J: ?Sized> {
    forward: M,
    backward: BackwardMethod,
    rtol: f64,
    objective: &'a J,
}

/// What forward steps need, and their adjoint equation. `W` is the scratch of the model, `C` that
/// of the objective.
pub struct ContinuousScratch<F, W, C> {
    forward: F,
    backward: BackwardScratch<W, C>,
    counts: Counts,
    /// θ of the seeds.
    thetas: Vec<f64>,
    /// The seeds by rows.
    seeds: Vec<f64>,
}

impl<'a, M, J: Objective + ?Sized> Continuous<'a, M, J> {
    /// Integrates forward by `forward` and the adjoint equation, with the running cost of
    /// `objective`, by the method of a `tableau` at relative tolerance `rtol`.
    ///
    /// # Errors
    /// Where the tableau is of no method, has no error estimate or has stages outside its step, or
    /// where `rtol` is not a tolerance.
    pub fn new(forward: M, tableau: &Tableau, rtol: f64, objective: &'a J) -> Result<Self, Error> {
        let backward = BackwardMethod::new(tableau)?;
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
        Ok(Continuous { forward, backward, rtol, objective })
    }
}

impl<O: Vjp, M: Stepper<O>, J: Objective + ?Sized> Stepper<O> for Continuous<'_, M, J> {
    type Work = M::Work;
    type Scratch = ContinuousScratch<M::Scratch, O::Work, J::Scratch>;

    fn tableau(&self) -> &Tableau {
        self.forward.tableau()
    }

    fn coefficients(&self, step: Step) -> &Coefficients<f64> {
        self.forward.coefficients(step)
    }

    fn largest(&self) -> &Coefficients<f64> {
        self.forward.largest()
    }

    fn check(&self, ode: &O) -> Result<(), Error> {
        self.forward.check(ode)
    }

    fn stage_works(&self, ode: &O) -> Vec<M::Work> {
        self.forward.stage_works(ode)
    }

    fn stage_work_bytes(&self, ode: &O) -> usize {
        self.forward.stage_work_bytes(ode)
    }

    /// The adjoint reads the dense output, which needs the slopes.
    fn stages(&self, ode: &O, _slopes: Slopes) -> Stages<f64, M::Work> {
        self.forward.stages(ode, Slopes::Kept)
    }

    fn stages_bytes(&self, ode: &O, _slopes: Slopes) -> usize {
        self.forward.stages_bytes(ode, Slopes::Kept)
    }

    fn scratch(&self, ode: &O, _slopes: Slopes, points: usize) -> Self::Scratch {
        ContinuousScratch {
            forward: self.forward.scratch(ode, Slopes::Kept, 0),
            backward: self.backward.scratch(ode, self.objective, self.rtol),
            counts: Counts::default(),
            thetas: Vec::with_capacity(points),
            seeds: Vec::new(),
        }
    }

    fn scratch_bytes(&self, ode: &O, _slopes: Slopes, points: usize) -> usize {
        // The rows grow by doubling.
        let seeds = 8 * points + 24 * points * ode.dim();
        self.forward.scratch_bytes(ode, Slopes::Kept, 0)
            + self.backward.scratch_bytes(ode, self.objective)
            + seeds
    }

    fn stage_scratch<'a>(&self, scratch: &'a Self::Scratch) -> &'a StageScratch<f64> {
        self.forward.stage_scratch(&scratch.forward)
    }

    fn works<'a>(
        &self,
        stages: &'a Stages<f64, M::Work>,
        scratch: &'a Self::Scratch,
    ) -> &'a [O::Work] {
        self.forward.works(stages, &scratch.forward)
    }

    fn step(
        &self,
        ode: &O,
        p: &[f64],
        step: Step,
        y: &mut [f64],
        Taken { stages, scratch }: Taken<'_, f64, O, Self>,
    ) -> Result<(), StepFailure> {
        scratch.thetas.clear();
        scratch.seeds.clear();
        self.forward.step(ode, p, step, y, Taken { stages, scratch: &mut scratch.forward })
    }

    fn error_norm(
        &self,
        ode: &O,
        p: &[f64],
        y_next: &[f64],
        tolerances: &Tolerances,
        Taken { stages, scratch }: Taken<'_, f64, O, Self>,
    ) -> f64 {
        let taken = Taken { stages, scratch: &mut scratch.forward };
        self.forward.error_norm(ode, p, y_next, tolerances, taken)
    }

    fn complete(&self, ode: &O, p: &[f64], Taken { stages, scratch }: Taken<'_, f64, O, Self>) {
        self.forward.complete(ode, p, Taken { stages, scratch: &mut scratch.forward });
    }

    fn stiffness(
        &self,
        tolerances: &Tolerances,
        stages: &Stages<f64, M::Work>,
        scratch: &Self::Scratch,
    ) -> Option<f64> {
        self.forward.stiffness(tolerances, stages, &scratch.forward)
    }

    fn counts(&self, scratch: &Self::Scratch) -> Counts {
        self.forward.counts(&scratch.forward) + scratch.counts
    }
}

impl<O: Vjp, M: Stepper<O>, J: Objective + ?Sized> AdjointStepper<O> for Continuous<'_, M, J> {
    fn stage_bars<'a>(&self, _: &'a mut Self::Scratch) -> Option<&'a mut StageScratch<f64>> {
        None
    }

    fn seed(
        &self,
        theta: f64,
        w: &[f64],
        taken: Taken<'_, f64, O, Self>,
        _t_next_bar: Option<&mut f64>,
    ) {
        taken.scratch.thetas.push(theta);
        taken.scratch.seeds.extend_from_slice(w);
    }

    fn step_adjoint(
        &self,
        ode: &O,
        p: &[f64],
        Taken { stages, scratch }: Taken<'_, f64, O, Self>,
        bars: StepBars<'_, f64>,
    ) -> Result<(), StepFailure> {
        self.forward.complete(ode, p, Taken { stages, scratch: &mut scratch.forward });
        let ContinuousScratch { backward, counts, thetas, seeds, .. } = scratch;
        let StepBars { lambda, p_bar, t_next_bar } = bars;
        let y = Interpolant {
            coefficients: self.forward.coefficients(stages.step),
            step: stages.step,
            y_n: stages.y(0),
            slopes: &stages.k,
        };
        let adjoint = AdjointOde { ode, objective: self.objective, y: Some(y), from: 1.0, p };
        if let Some(bar) = t_next_bar {
            *bar += adjoint.end_rate(lambda, &mut backward.own);
        }
        backward.prepare(&adjoint, lambda, seeds, self.rtol);
        let of_step = Seeds { thetas, rows: seeds };
        let found = self.backward.integrate(&adjoint, of_step, backward, (lambda, p_bar));
        thetas.clear();
        seeds.clear();
        *counts = *counts + found?;
        Ok(())
    }
}

impl<O: Jvp + Vjp, M: TangentStepper<O>, J: Objective + ?Sized> TangentStepper<O>
    for Continuous<'_, M, J>
{
    fn step_tangent(
        &self,
        ode: &O,
        p: &[f64],
        p_dot: &[f64],
        Taken { stages, scratch }: Taken<'_, f64, O, Self>,
        y_dot: &mut [f64],
    ) -> Result<(), StepFailure> {
        let taken = Taken { stages, scratch: &mut scratch.forward };
        self.forward.step_tangent(ode, p, p_dot, taken, y_dot)
    }
}
