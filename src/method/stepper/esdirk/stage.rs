//! One implicit stage: the Jacobian and its factors, a predicted slope, Newton's iteration.

use super::newton::{Newton, ROUNDING, SLOW, Verdict, relative_weights, sizes_of_terms};
use super::{Esdirk, EsdirkScratch};
use crate::error::StepFailure;
use crate::method::stepper::{StageScratch, Stages, add_scaled};
use crate::numbers::linalg::Singular;
use crate::ode::{At, Jacobian, Ode, Rows};

impl Esdirk {
    /// Factorises I − hγ f_y(t_n + c_i h, Y_i). Overwrites the scratch's residual and scale.
    pub(super) fn factorize<O: Jacobian, W>(
        &self,
        ode: &O,
        p: &[f64],
        i: usize,
        stages: &Stages<f64, W>,
        scratch: &mut EsdirkScratch<O::Work>,
    ) -> Result<(), StepFailure> {
        let at = At { t: stages.step.at(self.coefficients.c[i]), y: stages.y(i), p };
        let EsdirkScratch { scale, residual, p_bar, jacobian, work, lu, .. } = scratch;
        let rows = Rows { w: scale, y_bar: residual, p_bar };
        ode.jacobian(at, jacobian, rows, &mut work[0]);
        scratch.stages.counts.jacobians += 1;
        scratch.stages.counts.factorizations += 1;
        lu.factor(stages.step.h() * self.gamma, jacobian)
            .map_err(|Singular { column }| StepFailure::Singular { column })
    }

    /// Predicts stage i, whose explicit part stands in Y_i, and keeps that part in `k_bar`.
    fn predict(
        &self,
        i: usize,
        h_gamma: f64,
        stages: &mut Stages<f64, ()>,
        scratch: &mut StageScratch<f64>,
    ) {
        let d = stages.dim;
        let k = if stages.k.is_empty() { &scratch.k } else { &stages.k };
        let y = &mut stages.y[i * d..(i + 1) * d];
        scratch.k_bar.copy_from_slice(y);
        for (j, &w) in self.predictors[i].iter().enumerate() {
            if w != 0.0 {
                add_scaled(y, h_gamma * w, &k[j * d..(j + 1) * d]);
            }
        }
    }

    /// Solves stage i.
    pub(super) fn solve_stage<O: Ode>(
        &self,
        ode: &O,
        p: &[f64],
        i: usize,
        stages: &mut Stages<f64, ()>,
        scratch: &mut EsdirkScratch<O::Work>,
    ) -> Result<(), StepFailure> {
        let (d, h_gamma) = (stages.dim, stages.step.h() * self.gamma);
        let t = stages.step.at(self.coefficients.c[i]);
        stages.explicit_part(&self.coefficients, i, &mut scratch.stages);
        self.predict(i, h_gamma, stages, &mut scratch.stages);
        let EsdirkScratch { stages: own, jacobian, lu, residual, scale, terms, work, .. } = scratch;
        let StageScratch { k, k_bar: base, counts, .. } = own;
        let k = if stages.k.is_empty() { k } else { &mut stages.k };
        let (y_before, y) = stages.y.split_at_mut(i * d);
        let (y_n, y, k) = (&y_before[..d], &mut y[..d], &mut k[i * d..(i + 1) * d]);
        // Another stage's rate says nothing of this one's: where one was solved in a single
        // iteration because it is linear, the next may not converge at all.
        let (mut last, mut rate, mut failed) = (f64::INFINITY, 1.0, false);
        for iteration in 0.. {
            ode.rhs(At { t, y, p }, k, &mut work[i]);
            counts.rhs += 1;
            for (r, ((y, k), base)) in residual.iter_mut().zip(y.iter().zip(&*k).zip(&*base)) {
                *r = base + h_gamma * k - y;
            }
            if failed || (iteration > 1 && rate > SLOW && self.newton != Newton::Stagnation) {
                sizes_of_terms(h_gamma, jacobian, y, base, terms);
                if residual.iter().zip(&*terms).all(|(r, terms)| r.abs() <= ROUNDING * terms) {
                    break;
                }
                if failed {
                    return Err(StepFailure::Newton);
                }
            }
            lu.solve(residual);
            add_scaled(y, 1.0, residual);
            if self.newton == Newton::Stagnation {
                sizes_of_terms(h_gamma, jacobian, y, base, scale);
                relative_weights(h_gamma, jacobian, (y_n, y), scale);
            }
            let norm = rms(residual, scale);
            if !norm.is_finite() {
                return Err(StepFailure::Newton);
            }
            if iteration > 0 {
                rate = self.newton.rate(norm / last, rate);
            }
            match self.newton.verdict(iteration, norm, rate) {
                Verdict::Converged => break,
                Verdict::Failed => failed = true,
                Verdict::Continue => last = norm,
            }
        }
        // Where the step is so short that hγ rounds to zero, k is left as f(Y).
        if h_gamma > 0.0 {
            for ((k, y), base) in k.iter_mut().zip(&*y).zip(&*base) {
                *k = (y - base) / h_gamma;
            }
        }
        Ok(())
    }
}

fn rms(x: &[f64], weights: &[f64]) -> f64 {
    let weighted = x.iter().zip(weights).map(|(x, w)| x * w);
    (weighted.map(|x| x * x).sum::<f64>() / x.len() as f64).sqrt()
}

/// Weights that extrapolate the slopes of the last two distinct abscissae before stage i to c_i.
pub(super) fn predictor(c: &[f64], i: usize) -> Vec<f64> {
    let mut weights = vec![0.0; i];
    let Some(last) = i.checked_sub(1) else { return weights };
    match (0..last).rev().find(|&j| c[j] != c[last]) {
        Some(j) => {
            let theta = (c[i] - c[j]) / (c[last] - c[j]);
            weights[last] = theta;
            weights[j] = 1.0 - theta;
        }
        None => weights[last] = 1.0,
    }
    weights
}
