//! The adjoint equation integrated back over one step, under error control.

use super::ode::{AdjointOde, AdjointWork};
use super::weights::{Sizes, quadrature_error};
use crate::error::{StepFailure, TableauError};
use crate::method::control::{Control, ControlState, StepController, Stops};
use crate::method::stepper::{
    Counts, Esdirk, EsdirkScratch, ExplicitRk, Newton, Slopes, StageScratch, Stages, Stepper,
    Taken, Tolerances, add_scaled,
};
use crate::method::tableau::Tableau;
use crate::numbers::linalg::Matrix;
use crate::ode::grid::Span;
use crate::ode::objective::Objective;
use crate::ode::{Ode, Vjp};

/// Over less than this part of the step the polynomial y(t) hardly bends. Where λ does not either,
/// its error norm being less than `SMOOTH`, the quadrature has nothing to see but rounding, which
/// may be all that a stiff step's interpolant leaves near the step's end.
const SHORT: f64 = 1e-4;
const SMOOTH: f64 = 1e-4;

/// Seeds at θ, which ascend, by rows.
#[derive(Clone, Copy)]
pub struct Seeds<'a> {
    pub(super) thetas: &'a [f64],
    pub(super) rows: &'a [f64],
}

impl Seeds<'_> {
    /// Adds to λ what seeds there are at θ ≥ `from`, takes them away, and returns the next θ, which
    /// is zero where there is no other.
    fn jump(&mut self, from: f64, lambda: &mut [f64]) -> f64 {
        while let Some((&theta, before)) = self.thetas.split_last() {
            if theta < from {
                return theta;
            }
            let (rows, row) = self.rows.split_at(before.len() * lambda.len());
            add_scaled(lambda, 1.0, row);
            (self.thetas, self.rows) = (before, rows);
        }
        0.0
    }
}

/// The method of the adjoint equation.
#[derive(Clone, Debug)]
pub(super) enum BackwardMethod {
    Explicit(Box<ExplicitRk>),
    Implicit(Box<Esdirk>),
}

/// The integration backward over one step: its stages, its settings and its tolerances. `W` is the
/// scratch of the model, `C` that of the objective.
pub struct BackwardScratch<W, C> {
    steps: StepsScratch<AdjointWork<W, C>>,
    /// For looks at f and the objective beside the steps.
    pub(super) own: AdjointWork<W, C>,
    control: Control,
    stops: Stops,
    sizes: Sizes,
}

enum StepsScratch<W> {
    Explicit(Stages<f64, W>, Box<StageScratch<f64>>),
    Implicit(Stages<f64, ()>, Box<EsdirkScratch<W>>),
}

impl BackwardMethod {
    pub fn new(tableau: &Tableau) -> Result<Self, TableauError> {
        Ok(match tableau.is_explicit() {
            true => BackwardMethod::Explicit(Box::new(ExplicitRk::new(tableau)?)),
            false => BackwardMethod::Implicit(Box::new(Esdirk::new(tableau, Newton::Stagnation)?)),
        })
    }

    pub fn scratch<O: Vjp, J: Objective + ?Sized>(
        &self,
        ode: &O,
        objective: &J,
        rtol: f64,
    ) -> BackwardScratch<O::Work, J::Scratch> {
        let shape = AdjointOde { ode, objective, y: None, from: 1.0, p: &[] };
        let slopes = Slopes::Overwritten;
        let steps = match self {
            BackwardMethod::Explicit(method) => StepsScratch::Explicit(
                method.stages(&shape, slopes),
                Box::new(method.scratch(&shape, slopes, 0)),
            ),
            BackwardMethod::Implicit(method) => {
                let mut scratch = Box::new(method.scratch(&shape, slopes, 0));
                let jacobian = Matrix::fitting(ode.dim(), Vjp::structure(ode));
                scratch.jacobian_work().jacobian = Some(jacobian);
                StepsScratch::Implicit(method.stages(&shape, slopes), scratch)
            }
        };
        let tolerances = Tolerances { rtol, atol: vec![0.0; ode.dim()] };
        let max_steps = Control::MAX_STEPS;
        BackwardScratch {
            steps,
            own: shape.work(),
            control: Control { tolerances, max_steps, first_step: None, stop_if_stiff: false },
            stops: Stops::at_each(&[], Span { start: 0.0, end: 1.0 }),
            sizes: Sizes::new(ode.dim(), objective.has_integrand()),
        }
    }

    pub fn scratch_bytes<O: Vjp, J: Objective + ?Sized>(&self, ode: &O, objective: &J) -> usize {
        let shape = AdjointOde { ode, objective, y: None, from: 1.0, p: &[] };
        let slopes = Slopes::Overwritten;
        let steps = match self {
            BackwardMethod::Explicit(method) => {
                method.stages_bytes(&shape, slopes) + method.scratch_bytes(&shape, slopes, 0)
            }
            BackwardMethod::Implicit(method) => {
                method.stages_bytes(&shape, slopes)
                    + method.scratch_bytes(&shape, slopes, 0)
                    + Vjp::structure(ode).matrix_bytes(ode.dim())
            }
        };
        steps
            + size_of::<BackwardScratch<O::Work, J::Scratch>>()
            + shape.work_bytes()
            + Sizes::bytes(ode.dim(), objective.has_integrand())
            + 8 * ode.dim()
    }

    /// Integrates over the step, from λ = dJ/dy_{n+1} to dJ/dy_n, as `scratch` is set to.
    pub fn integrate<O: Vjp, J: Objective + ?Sized>(
        &self,
        adjoint: &AdjointOde<'_, O, J>,
        seeds: Seeds<'_>,
        scratch: &mut BackwardScratch<O::Work, J::Scratch>,
        bars: (&mut [f64], &mut [f64]),
    ) -> Result<Counts, StepFailure> {
        let BackwardScratch { steps, control, stops, .. } = scratch;
        match (self, steps) {
            (BackwardMethod::Explicit(method), StepsScratch::Explicit(stages, scratch)) => {
                let taken = Taken { stages, scratch: &mut **scratch };
                Way { method: &**method, adjoint, control }.back(stops, taken, seeds, bars)
            }
            (BackwardMethod::Implicit(method), StepsScratch::Implicit(stages, scratch)) => {
                let taken = Taken { stages, scratch: &mut **scratch };
                Way { method: &**method, adjoint, control }.back(stops, taken, seeds, bars)
            }
            // The scratch was made by another method.
            _ => Err(StepFailure::Backward),
        }
    }
}

impl<W, C> BackwardScratch<W, C> {
    /// Sets the first step and the absolute tolerances for the way back over a step.
    pub fn prepare<O: Vjp<Work = W>, J: Objective<Scratch = C> + ?Sized>(
        &mut self,
        adjoint: &AdjointOde<'_, O, J>,
        lambda: &[f64],
        seeds: &[f64],
        rtol: f64,
    ) {
        let BackwardScratch { own, control, sizes, .. } = self;
        let Control { tolerances, first_step, .. } = control;
        sizes.weigh(adjoint, own, (lambda, seeds), rtol, &mut tolerances.atol);
        // The guess follows from the forward step alone, so that this step's adjoint does too.
        *first_step = Some(adjoint.h());
    }
}

/// The way back over one step by a method.
struct Way<'a, 'b, O, J: ?Sized, B> {
    method: &'a B,
    adjoint: &'a AdjointOde<'b, O, J>,
    control: &'a Control,
}

impl<'b, O: Vjp, J: Objective + ?Sized, B: Stepper<AdjointOde<'b, O, J>>> Way<'_, 'b, O, J, B> {
    fn back(
        &self,
        stops: &mut Stops,
        mut taken: Taken<'_, f64, AdjointOde<'b, O, J>, B>,
        mut seeds: Seeds<'_>,
        (lambda, p_bar): (&mut [f64], &mut [f64]),
    ) -> Result<Counts, StepFailure> {
        let before = self.method.counts(taken.scratch);
        let mut state = ControlState::new(0.0);
        let mut from = 1.0;
        loop {
            let to = seeds.jump(from, lambda);
            let adjoint = AdjointOde { from, ..*self.adjoint };
            let span = Span { start: 0.0, end: (from - to) * adjoint.h() };
            stops.refill(std::iter::empty(), span);
            state.t = span.start;
            while state.t < span.end {
                let bars = (&mut *lambda, &mut *p_bar);
                self.advance(&adjoint, &mut state, stops, taken.reborrow(), bars)?;
            }
            if to == 0.0 {
                break;
            }
            from = to;
        }
        seeds.jump(0.0, lambda);
        let Counts { rhs, jacobians, factorizations, .. } =
            self.method.counts(taken.scratch) - before;
        Ok(Counts { rhs, vjp: rhs, jacobians, factorizations })
    }

    /// Takes a substep of λ and p̄.
    fn advance(
        &self,
        adjoint: &AdjointOde<'b, O, J>,
        state: &mut ControlState,
        stops: &mut Stops,
        mut taken: Taken<'_, f64, AdjointOde<'b, O, J>, B>,
        (lambda, p_bar): (&mut [f64], &mut [f64]),
    ) -> Result<(), StepFailure> {
        let (method, p, whole) = (self.method, adjoint.p, adjoint.h());
        let Tolerances { rtol, atol } = &self.control.tolerances;
        let error_beside = |stages: &Stages<f64, B::Work>, scratch: &B::Scratch, error: f64| {
            let h = stages.step.h();
            if h <= SHORT * whole && error <= SMOOTH {
                return 0.0;
            }
            let noise = part_of_noise(atol, stages.y(0));
            let coefficients = method.coefficients(stages.step);
            let works = method.works(stages, scratch);
            let tolerance = (*rtol, noise);
            quadrature_error(coefficients, h, works, |w| &w.p_rate, tolerance, (p, p_bar))
        };
        let controller = StepController {
            control: self.control,
            stepper: method,
            ode: adjoint,
            p,
            observe: &|_| {},
            error_beside: Some(&error_beside),
        };
        controller
            .advance(state, stops, lambda, taken.reborrow())
            .map_err(|_| StepFailure::Backward)?;
        let Taken { stages, scratch } = taken;
        let works = method.works(stages, scratch);
        for (i, b) in method.coefficients(stages.step).b.iter() {
            add_scaled(p_bar, stages.h() * b, &works[i].p_rate);
        }
        Ok(())
    }
}

/// The least part that the absolute tolerance is of an entry of λ, at most all of it.
fn part_of_noise(atol: &[f64], lambda: &[f64]) -> f64 {
    let parts = atol.iter().zip(lambda).map(|(atol, lambda)| atol / lambda.abs());
    parts.fold(1.0, f64::min)
}
