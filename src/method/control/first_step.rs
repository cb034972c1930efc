//! The first step of a run.

use super::settings::Control;
use crate::method::stepper::Tolerances;
use crate::numbers::linalg::weighted_rms_norm;
use crate::numbers::scalar::Scalar;
use crate::ode::{At, Ode};

/// Units in the last place of t that the first step has at least: where a state is zero, its absolute
/// tolerance may ask for one that time cannot resolve, and need not.
const RESOLVED: f64 = 1024.0;

/// Hairer, Nørsett & Wanner, Solving ODEs I, section II.4: a first step from the sizes of y, f and
/// a difference of f.
pub(super) fn first_step<S: Scalar, O: Ode<S>>(
    control: &Control,
    end: f64,
    exponent: f64,
    ode: &O,
    at: At<'_, S>,
) -> f64 {
    let At { t, y, p } = at;
    let Tolerances { rtol, atol } = &control.tolerances;
    let norm = |x: &[S]| weighted_rms_norm(x, y, y, atol, *rtol);
    let (mut f0, mut work) = (vec![S::zero(); y.len()], ode.work());
    ode.rhs(at, &mut f0, &mut work);
    let (d0, d1) = (norm(y), norm(&f0));
    let span = end - t;
    let small = if d0 < 1e-5 || d1 < 1e-5 { 1e-6 } else { 0.01 * d0 / d1 };
    let h0 = if small.is_finite() { small.min(span) } else { 1e-6 * span };
    let y1: Vec<S> = y.iter().zip(&f0).map(|(&y, &f)| y + S::of(h0) * f).collect();
    let mut f1 = vec![S::zero(); y.len()];
    ode.rhs(At { t: t + h0, y: &y1, p }, &mut f1, &mut work);
    for (f1, &f0) in f1.iter_mut().zip(&f0) {
        *f1 -= f0;
    }
    let d2 = norm(&f1) / h0;
    let largest = d1.max(d2);
    let h1 = if largest <= 1e-15 { (1e-3 * h0).max(1e-6) } else { (0.01 / largest).powf(exponent) };
    let h = (100.0 * h0).min(h1);
    let h = if h.is_finite() && h > 0.0 { h } else { h0 };
    h.max(RESOLVED * f64::EPSILON * t.abs()).min(span)
}
