//! The adjoint equation integrated back over one step, under error control.

use super::ode::{AdjointOde, AdjointWork};
use super::scratch::BackwardScratch;
use super::weights::quadrature_error;
use crate::control::{ControlState, Controlled};
use crate::error::StepFailure;
use crate::grid::Span;
use crate::objective::Objective;
use crate::ode::Vjp;
use crate::stepper::stages::add_scaled;
use crate::stepper::{Counts, RungeKutta, RungeKuttaTape, Stepper};

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

/// Integrates over the step, from λ = dJ/dy_{n+1} to dJ/dy_n, as `scratch` is set to.
pub(super) fn integrate<O: Vjp, M: Stepper<O>, J: Objective>(
    method: &RungeKutta,
    adjoint: &AdjointOde<'_, O, M, J>,
    mut seeds: Seeds<'_>,
    scratch: &mut BackwardScratch<O::Work, J::Scratch>,
    lambda: &mut [f64],
    p_bar: &mut [f64],
) -> Result<Counts, StepFailure> {
    let before = scratch.tape.stages().counts;
    let mut state = ControlState::new(0.0);
    let mut from = 1.0;
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
    let Counts { rhs, jacobians, factorizations, .. } = scratch.tape.stages().counts - before;
    Ok(Counts { rhs, vjp: rhs, jacobians, factorizations })
}

/// Takes a substep of λ and p̄.
fn advance<O: Vjp, M: Stepper<O>, J: Objective>(
    method: &RungeKutta,
    adjoint: &AdjointOde<'_, O, M, J>,
    state: &mut ControlState,
    scratch: &mut BackwardScratch<O::Work, J::Scratch>,
    lambda: &mut [f64],
    p_bar: &mut [f64],
) -> Result<(), StepFailure> {
    let AdjointOde { p, step, .. } = *adjoint;
    let BackwardScratch { tape, control, stops, .. } = scratch;
    let (scheme, rtol) = (method.scheme(), control.tolerances.rtol);
    let error_beside = |tape: &RungeKuttaTape<AdjointWork<O::Work, J::Scratch>>, error: f64| {
        let stages = tape.stages();
        match stages.h() > SHORT * step.h() || error > SMOOTH {
            true => {
                let noise = part_of_noise(&control.tolerances.atol, stages.y(0));
                quadrature_error(scheme, stages, |w| &w.p_rate, (rtol, noise), (p, p_bar))
            }
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
    let stages = tape.stages();
    for (i, b) in scheme.b.iter() {
        add_scaled(p_bar, stages.h() * b, &stages.work[i].p_rate);
    }
    Ok(())
}

/// The least part that the absolute tolerance is of an entry of λ, at most all of it.
fn part_of_noise(atol: &[f64], lambda: &[f64]) -> f64 {
    let parts = atol.iter().zip(lambda).map(|(atol, lambda)| atol / lambda.abs());
    parts.fold(1.0, f64::min)
}
