//! The adjoint equation integrated back over one step, under error control.

use super::ode::{AdjointOde, AdjointWork};
use super::scratch::BackwardScratch;
use super::weights::quadrature_error;
use crate::control::{ControlState, Controlled};
use crate::error::StepFailure;
use crate::grid::Span;
use crate::linalg::Matrix;
use crate::objective::Objective;
use crate::ode::{Jacobian, Ode, Vjp};
use crate::stepper::stages::{Scheme, Stages, add_scaled};
use crate::stepper::{Counts, Esdirk, EsdirkTape, ExplicitRk, Stepper};
use crate::tableau::Tableau;

/// Over less than this part of the step the polynomial y(t) hardly bends. Where λ does not either,
/// its error norm being less than `SMOOTH`, the quadrature has nothing to see but rounding, which
/// may be all that a stiff step's interpolant leaves near the step's end.
const SHORT: f64 = 1e-4;
const SMOOTH: f64 = 1e-4;

/// A method of a tableau.
pub trait RungeKutta: Clone + Send + Sync {
    /// Its coefficients.
    fn tableau(&self) -> &Tableau;
}

impl RungeKutta for ExplicitRk {
    fn tableau(&self) -> &Tableau {
        &self.scheme.tableau
    }
}

impl RungeKutta for Esdirk {
    fn tableau(&self) -> &Tableau {
        &self.scheme.tableau
    }
}

/// A method that can integrate the adjoint equation of models of type `O`.
pub trait Backward<O: Vjp>: RungeKutta {
    /// Its tape, where an objective's scratch is of type `C`.
    type Tape<C: Send + Sync>: Send + Sync;

    /// Its tape for adjoint equations like this one.
    fn tape<M: Stepper<O>, J: Objective>(
        &self,
        adjoint: &AdjointOde<'_, O, M, J>,
    ) -> Self::Tape<J::Scratch>;

    /// Bytes that such a tape occupies.
    fn tape_bytes<M: Stepper<O>, J: Objective>(&self, adjoint: &AdjointOde<'_, O, M, J>) -> usize;

    /// The work of its first stage.
    fn work<C: Send + Sync>(tape: &mut Self::Tape<C>) -> &mut AdjointWork<O::Work, C>;

    /// Integrates over the step, from λ = dJ/dy_{n+1} to dJ/dy_n, as `scratch` is set to.
    fn backward<M: Stepper<O>, J: Objective>(
        &self,
        adjoint: &AdjointOde<'_, O, M, J>,
        seeds: Seeds<'_>,
        scratch: &mut BackwardScratch<Self::Tape<J::Scratch>, J::Scratch>,
        lambda: &mut [f64],
        p_bar: &mut [f64],
    ) -> Result<Counts, StepFailure>;
}

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

impl<O: Vjp> Backward<O> for ExplicitRk {
    type Tape<C: Send + Sync> = Stages<f64, AdjointWork<O::Work, C>>;

    fn tape<M: Stepper<O>, J: Objective>(
        &self,
        adjoint: &AdjointOde<'_, O, M, J>,
    ) -> Self::Tape<J::Scratch> {
        Stepper::tape(self, adjoint)
    }

    fn tape_bytes<M: Stepper<O>, J: Objective>(&self, adjoint: &AdjointOde<'_, O, M, J>) -> usize {
        Stepper::tape_bytes(self, adjoint)
    }

    fn work<C: Send + Sync>(tape: &mut Self::Tape<C>) -> &mut AdjointWork<O::Work, C> {
        &mut tape.work[0]
    }

    fn backward<M: Stepper<O>, J: Objective>(
        &self,
        adjoint: &AdjointOde<'_, O, M, J>,
        seeds: Seeds<'_>,
        scratch: &mut BackwardScratch<Self::Tape<J::Scratch>, J::Scratch>,
        lambda: &mut [f64],
        p_bar: &mut [f64],
    ) -> Result<Counts, StepFailure> {
        integrate(self, adjoint, seeds, scratch, lambda, p_bar)
    }
}

impl<O: Vjp + Jacobian> Backward<O> for Esdirk {
    type Tape<C: Send + Sync> = EsdirkTape<AdjointWork<O::Work, C>>;

    fn tape<M: Stepper<O>, J: Objective>(
        &self,
        adjoint: &AdjointOde<'_, O, M, J>,
    ) -> Self::Tape<J::Scratch> {
        let mut tape = Stepper::tape(self, adjoint);
        let AdjointOde { ode, .. } = adjoint;
        tape.stages.work[0].jacobian = Some(Matrix::zeros(ode.dim(), ode.structure()));
        tape
    }

    fn tape_bytes<M: Stepper<O>, J: Objective>(&self, adjoint: &AdjointOde<'_, O, M, J>) -> usize {
        let AdjointOde { ode, .. } = adjoint;
        Stepper::tape_bytes(self, adjoint) + Matrix::zeros(ode.dim(), ode.structure()).bytes()
    }

    fn work<C: Send + Sync>(tape: &mut Self::Tape<C>) -> &mut AdjointWork<O::Work, C> {
        &mut tape.stages.work[0]
    }

    fn backward<M: Stepper<O>, J: Objective>(
        &self,
        adjoint: &AdjointOde<'_, O, M, J>,
        seeds: Seeds<'_>,
        scratch: &mut BackwardScratch<Self::Tape<J::Scratch>, J::Scratch>,
        lambda: &mut [f64],
        p_bar: &mut [f64],
    ) -> Result<Counts, StepFailure> {
        integrate(self, adjoint, seeds, scratch, lambda, p_bar)
    }
}

/// A Runge–Kutta method whose stages can be looked at.
trait Staged<O: Ode>: Stepper<O> {
    fn scheme(&self) -> &Scheme<f64>;
    fn stages(tape: &Self::Tape) -> &Stages<f64, O::Work>;
}

impl<O: Ode> Staged<O> for ExplicitRk {
    fn scheme(&self) -> &Scheme<f64> {
        &self.scheme
    }
    fn stages(tape: &Stages<f64, O::Work>) -> &Stages<f64, O::Work> {
        tape
    }
}

impl<O: Jacobian> Staged<O> for Esdirk {
    fn scheme(&self) -> &Scheme<f64> {
        &self.scheme
    }
    fn stages(tape: &EsdirkTape<O::Work>) -> &Stages<f64, O::Work> {
        &tape.stages
    }
}

fn integrate<'a, O, M, J, A>(
    method: &A,
    adjoint: &AdjointOde<'a, O, M, J>,
    seeds: Seeds<'_>,
    scratch: &mut BackwardScratch<A::Tape, J::Scratch>,
    lambda: &mut [f64],
    p_bar: &mut [f64],
) -> Result<Counts, StepFailure>
where
    O: Vjp,
    M: Stepper<O>,
    J: Objective,
    A: Staged<AdjointOde<'a, O, M, J>>,
{
    let before = method.counts(&scratch.tape);
    let mut state = ControlState::new(0.0);
    let (mut seeds, mut from) = (seeds, 1.0);
    loop {
        let to = seeds.jump(from, lambda);
        let adjoint = AdjointOde { from, ..*adjoint };
        let span = Span { start: 0.0, end: (from - to) * adjoint.step.h() };
        scratch.stops.refill(std::iter::empty(), span);
        state.t = span.start;
        while state.t < span.end {
            advance(method, &adjoint, &mut state, scratch, lambda, p_bar)?;
        }
        if to == 0.0 {
            break;
        }
        from = to;
    }
    seeds.jump(0.0, lambda);
    let Counts { rhs, jacobians, factorizations, .. } = method.counts(&scratch.tape) - before;
    Ok(Counts { rhs, vjp: rhs, jacobians, factorizations })
}

/// Takes a substep of λ and p̄.
fn advance<'a, O, M, J, A>(
    method: &A,
    adjoint: &AdjointOde<'a, O, M, J>,
    state: &mut ControlState,
    scratch: &mut BackwardScratch<A::Tape, J::Scratch>,
    lambda: &mut [f64],
    p_bar: &mut [f64],
) -> Result<(), StepFailure>
where
    O: Vjp,
    M: Stepper<O>,
    J: Objective,
    A: Staged<AdjointOde<'a, O, M, J>>,
{
    let AdjointOde { p, step, .. } = *adjoint;
    let BackwardScratch { tape, control, stops, .. } = scratch;
    let (scheme, rtol) = (method.scheme(), control.tolerances.rtol);
    let error_beside = |tape: &A::Tape, error: f64| {
        let stages = A::stages(tape);
        match stages.h() > SHORT * step.h() || error > SMOOTH {
            true => quadrature_error(scheme, stages, |w| &w.p_rate, rtol, (p, p_bar)),
            false => 0.0,
        }
    };
    let controlled = Controlled {
        control,
        stepper: method,
        ode: adjoint,
        p,
        observe: &|_| {},
        error_beside: Some(&error_beside),
    };
    controlled.advance(state, stops, lambda, tape).map_err(|_| StepFailure::Backward)?;
    let stages = A::stages(tape);
    for (i, b) in scheme.b.iter() {
        add_scaled(p_bar, stages.h() * b, &stages.work[i].p_rate);
    }
    Ok(())
}
