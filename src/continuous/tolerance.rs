//! What error λ and p̄ may have.

use super::backward::Seeds;
use super::ode::AdjointOde;
use crate::objective::Objective;
use crate::ode::{Ode, Vjp};
use crate::stepper::Stepper;
use crate::stepper::stages::{Scheme, Sparse, Stages, add_scaled};

/// What of a tolerance, relative to the largest entry, is the absolute tolerance of λ and p̄.
pub(crate) const ABSOLUTE: f64 = 1e-2;
/// The absolute tolerance of λ: relative to its largest entry, now, through the seeds, or through
/// the running cost, and no less than what rounding of y(t) does to λ.
pub(super) fn absolute_tolerance<O: Vjp, M: Stepper<O>, J: Objective>(
    adjoint: &AdjointOde<'_, O, M, J>,
    seeds: Seeds<'_>,
    rtol: f64,
    lambda: &[f64],
) -> f64 {
    let (through_cost, noise) =
        if adjoint.objective.has_integrand() { reached(adjoint) } else { (0.0, 0.0) };
    let size = largest(lambda).max(largest(seeds.rows)).max(through_cost);
    (ABSOLUTE * rtol * size).max(noise).max(f64::MIN_POSITIVE)
}

/// Where in a step its running cost is looked at. A stiff step's interpolant may be far larger
/// inside the step than at its ends.
const LOOKED_AT: [f64; 5] = [1.0, 0.75, 0.5, 0.25, 0.0];

/// About how far the running cost brings λ from zero, and how far rounding of y(t) does: h r_y
/// where the step is short, r_y over the rate of decay where λ follows r_y and h r_y would be far
/// too much.
fn reached<O: Vjp, M: Stepper<O>, J: Objective>(adjoint: &AdjointOde<'_, O, M, J>) -> (f64, f64) {
    let (d, h) = (adjoint.ode.dim(), adjoint.step.h());
    let mut work = adjoint.work();
    let mut slopes = |tau: f64, lambda: &[f64]| {
        let mut rate = vec![0.0; d];
        adjoint.rhs(tau, lambda, adjoint.p, &mut rate, &mut work);
        rate
    };
    let taus = LOOKED_AT.map(|theta| -adjoint.step.at(theta));
    let zero = vec![0.0; d];
    let costs = taus.map(|tau| (tau, slopes(tau, &zero)));
    let larger = |a: &(f64, Vec<f64>), b: &(f64, Vec<f64>)| largest(&a.1).total_cmp(&largest(&b.1));
    let Some((tau, cost)) = costs.into_iter().max_by(larger) else { return (0.0, 0.0) };
    let noise = noise(adjoint, &taus);
    // Where r_y is nothing but rounding or zero, any direction tells the rate of decay.
    let probe = if largest(&cost) > 0.0 { cost.clone() } else { vec![1.0; d] };
    let lambda: Vec<f64> = probe.iter().map(|rate| h * rate).collect();
    let change: Vec<f64> = slopes(tau, &lambda).iter().zip(&cost).map(|(a, b)| a - b).collect();
    let (rate, change) = (largest(&probe), largest(&change));
    let time = h * if change > rate { rate / change } else { 1.0 };
    (time * largest(&cost), time * noise)
}

/// The change of r_y at some times by as much as y(t) may be wrong through rounding: y_n + h Σ b_i k_i
/// is rounded at the size of its terms, and of a stiff step's h k they cancel.
fn noise<O: Vjp, M: Stepper<O>, J: Objective>(
    adjoint: &AdjointOde<'_, O, M, J>,
    taus: &[f64],
) -> f64 {
    const ULPS: f64 = 8.0;
    let AdjointOde { ode, objective, p, step, .. } = *adjoint;
    let (d, h, mut work) = (ode.dim(), step.h(), ode.work());
    let (mut scratch, mut p_bar, mut t_bar) = (objective.scratch(), vec![0.0; p.len()], 0.0);
    let (mut y, mut slope, mut shift) = (vec![0.0; d], vec![0.0; d], vec![0.0_f64; d]);
    for &tau in taus {
        let t = adjoint.read(tau, &mut y);
        ode.rhs(t, &y, p, &mut slope, &mut work);
        for (i, shift) in shift.iter_mut().enumerate() {
            *shift = shift.max(ULPS * f64::EPSILON * y[i].abs().max(h * slope[i].abs()));
        }
    }
    // With both signs, so that the effect on a difference of two states is seen.
    shift.iter_mut().skip(1).step_by(2).for_each(|shift| *shift = -*shift);
    let mut change_at = |&tau: &f64| {
        let (t, mut change) = (adjoint.read(tau, &mut y), vec![0.0; d]);
        let mut add = |y: &[f64], w: f64| {
            objective.integrand_vjp(t, y, p, w, &mut change, &mut p_bar, &mut t_bar, &mut scratch);
        };
        add(&y, -1.0);
        add_scaled(&mut y, 1.0, &shift);
        add(&y, 1.0);
        largest(&change)
    };
    taus.iter().map(&mut change_at).fold(0.0, f64::max)
}

pub(crate) fn largest(x: &[f64]) -> f64 {
    x.iter().fold(0.0_f64, |m, x| m.max(x.abs()))
}

/// The error norm of p̄'s increment over a step, whose rates the stages left in their work; infinite
/// where one is not a number.
pub(crate) fn quadrature_error<W>(
    scheme: &Scheme<f64>,
    stages: &Stages<f64, W>,
    p_rate: impl Fn(&W) -> &[f64],
    rtol: f64,
    p_bar: &[f64],
) -> f64 {
    // Sums over stages run along the parameters, block by block, for the vector units.
    const BLOCK: usize = 64;
    let h = stages.h();
    let sum = |row: &Sparse<f64>, from: usize, count: usize| -> [f64; BLOCK] {
        let mut sums = [0.0; BLOCK];
        for (i, w) in row.iter() {
            let rates = &p_rate(&stages.work[i])[from..from + count];
            sums.iter_mut().zip(rates).for_each(|(sum, rate)| *sum += h * w * rate);
        }
        sums
    };
    let blocks = || p_bar.chunks(BLOCK).enumerate().map(|(k, block)| (k * BLOCK, block));
    let weight = |(p_bar, increment): (&f64, &f64)| p_bar.abs() + increment.abs();
    let largest = blocks().fold(0.0_f64, |largest, (from, block)| {
        let increment = sum(&scheme.b, from, block.len());
        let larger = |m: f64, x: f64| if x > m || x.is_nan() { x } else { m };
        block.iter().zip(&increment).map(weight).fold(largest, larger)
    });
    if largest == 0.0 {
        return 0.0;
    }
    let squares = blocks().map(|(from, block)| -> f64 {
        let increment = sum(&scheme.b, from, block.len());
        let error = sum(&scheme.error, from, block.len());
        let allowed = block.iter().zip(&increment).map(|x| rtol * (weight(x) + ABSOLUTE * largest));
        error.iter().zip(allowed).map(|(error, allowed)| (error / allowed).powi(2)).sum()
    });
    let norm = (squares.sum::<f64>() / p_bar.len() as f64).sqrt();
    if norm.is_nan() { f64::INFINITY } else { norm }
}
