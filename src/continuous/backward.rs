//! The adjoint equation integrated back over one step, under error control.

use super::ode::AdjointOde;
use super::tolerance::{absolute_tolerance, quadrature_error};
use crate::control::{Control, ControlState, Controlled, Stops};
use crate::error::StepFailure;
use crate::grid::Span;
use crate::objective::Objective;
use crate::ode::{Jacobian, Ode, Vjp};
use crate::stepper::stages::{Scheme, Stages, add_scaled};
use crate::stepper::{Counts, Esdirk, EsdirkTape, ExplicitRk, RungeKutta, Stepper, Tolerances};

/// Over less than this part of the step, the polynomial y(t) hardly bends and λ is resolved by its
/// own error control: the quadrature has nothing to see but rounding, which may be all that a
/// stiff step's interpolant leaves near the step's end.
const SHORT: f64 = 1e-4;

/// A method that can integrate the adjoint equation of models of type `O`.
pub trait Backward<O: Vjp>: Clone + Send + Sync {
    /// Integrates over the step, from λ = dJ/dy_{n+1} to dJ/dy_n.
    fn backward<M: Stepper<O>, J: Objective>(
        &self,
        adjoint: &AdjointOde<'_, O, M, J>,
        seeds: Seeds<'_>,
        rtol: f64,
        lambda: &mut [f64],
        p_bar: &mut [f64],
    ) -> Result<Counts, StepFailure>;
}

/// Seeds at θ, by rows.
#[derive(Clone, Copy)]
pub struct Seeds<'a> {
    pub(super) thetas: &'a [f64],
    pub(super) rows: &'a [f64],
}

impl<O: Vjp> Backward<O> for ExplicitRk {
    fn backward<M: Stepper<O>, J: Objective>(
        &self,
        adjoint: &AdjointOde<'_, O, M, J>,
        seeds: Seeds<'_>,
        rtol: f64,
        lambda: &mut [f64],
        p_bar: &mut [f64],
    ) -> Result<Counts, StepFailure> {
        integrate(self, adjoint, seeds, rtol, lambda, p_bar)
    }
}

impl<O: Vjp> Backward<O> for Esdirk {
    fn backward<M: Stepper<O>, J: Objective>(
        &self,
        adjoint: &AdjointOde<'_, O, M, J>,
        seeds: Seeds<'_>,
        rtol: f64,
        lambda: &mut [f64],
        p_bar: &mut [f64],
    ) -> Result<Counts, StepFailure> {
        integrate(self, adjoint, seeds, rtol, lambda, p_bar)
    }
}

impl<O: Vjp> Backward<O> for RungeKutta {
    fn backward<M: Stepper<O>, J: Objective>(
        &self,
        adjoint: &AdjointOde<'_, O, M, J>,
        seeds: Seeds<'_>,
        rtol: f64,
        lambda: &mut [f64],
        p_bar: &mut [f64],
    ) -> Result<Counts, StepFailure> {
        match self {
            RungeKutta::Explicit(by) => by.backward(adjoint, seeds, rtol, lambda, p_bar),
            RungeKutta::Implicit(by) => by.backward(adjoint, seeds, rtol, lambda, p_bar),
        }
    }
}

/// A Runge–Kutta method whose stages can be looked at.
trait Staged<O: Ode>: Stepper<O> {
    fn scheme(&self) -> &Scheme<f64>;
    fn stages<'a>(&self, tape: &'a Self::Tape) -> &'a Stages<f64, O::Work>;
}

impl<O: Ode> Staged<O> for ExplicitRk {
    fn scheme(&self) -> &Scheme<f64> {
        &self.scheme
    }
    fn stages<'a>(&self, tape: &'a Stages<f64, O::Work>) -> &'a Stages<f64, O::Work> {
        tape
    }
}

impl<O: Jacobian> Staged<O> for Esdirk {
    fn scheme(&self) -> &Scheme<f64> {
        &self.scheme
    }
    fn stages<'a>(&self, tape: &'a EsdirkTape<O::Work>) -> &'a Stages<f64, O::Work> {
        &tape.stages
    }
}

fn integrate<'a, O, M, J, A>(
    method: &A,
    adjoint: &AdjointOde<'a, O, M, J>,
    seeds: Seeds<'_>,
    rtol: f64,
    lambda: &mut [f64],
    p_bar: &mut [f64],
) -> Result<Counts, StepFailure>
where
    O: Vjp,
    M: Stepper<O>,
    J: Objective,
    A: Staged<AdjointOde<'a, O, M, J>>,
{
    let step = adjoint.step;
    let mut tape = method.tape(adjoint);
    let atol = absolute_tolerance(adjoint, seeds, rtol, lambda);
    let mut control =
        Control::new(Tolerances { rtol, atol: vec![atol] }).map_err(|_| StepFailure::Backward)?;
    // The guess follows from the forward step alone, so that this step's adjoint does too.
    control.first_step = Some(step.h());
    let tau = |theta: f64| -step.at(theta);
    let mut jumps: Vec<f64> = seeds.thetas.iter().map(|&theta| tau(theta)).collect();
    jumps.sort_by(f64::total_cmp);
    let mut stops = Stops::at_each(&jumps, Span { start: -step.t_next, end: -step.t });
    let mut state = ControlState::new(-step.t_next);
    while state.t < -step.t {
        let error_beside = |tape: &A::Tape| {
            let (scheme, stages) = (method.scheme(), method.stages(tape));
            let seen = stages.h() > SHORT * step.h();
            if seen { quadrature_error(scheme, stages, |w| &w.p_rate, rtol, p_bar) } else { 0.0 }
        };
        let controlled = Controlled {
            control: &control,
            stepper: method,
            ode: adjoint,
            p: adjoint.p,
            observe: &|_| {},
            error_beside: Some(&error_beside),
        };
        controlled
            .advance(&mut state, &mut stops, lambda, &mut tape)
            .map_err(|_| StepFailure::Backward)?;
        let (scheme, stages) = (method.scheme(), method.stages(&tape));
        for (i, b) in scheme.b.iter() {
            add_scaled(p_bar, stages.h() * b, &stages.work[i].p_rate);
        }
        for (row, _) in seeds
            .rows
            .chunks_exact(lambda.len())
            .zip(seeds.thetas)
            .filter(|(_, theta)| tau(**theta) == state.t)
        {
            add_scaled(lambda, 1.0, row);
        }
    }
    let counts = method.counts(&tape);
    Ok(Counts { vjp: counts.rhs, ..counts })
}
