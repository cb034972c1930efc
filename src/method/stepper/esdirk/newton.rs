//! When the iteration of an implicit stage Y = b + hγ f(t, Y) has converged.

use crate::method::stepper::Tolerances;
use crate::numbers::linalg::Matrix;

/// When Newton's iteration of a stage stops.
#[derive(Clone, Debug, PartialEq)]
pub enum Newton {
    /// At 1e-2 of the weights of error control.
    Tolerances(Tolerances),
    /// When the corrections no longer fall: the stage is solved to rounding.
    Stagnation,
}

const NEWTON_FRACTION: f64 = 1e-2;
const RATE_MEMORY: f64 = 0.3;
const MAX_ITERATIONS: usize = 12;
/// The rounding of a residual, in units of the last place of the terms that it is summed from.
pub(super) const ROUNDING: f64 = 4.0 * f64::EPSILON;
/// A correction that is this part of the last one or more may be nothing but rounding.
pub(super) const SLOW: f64 = 0.1;
const MAX_STAGNATION_ITERATIONS: usize = 60;

impl Newton {
    /// Writes the weights of Newton's corrections, where they are those of error control at y_n.
    pub(super) fn weights(&self, y_n: &[f64], scale: &mut [f64]) {
        if let Newton::Tolerances(Tolerances { rtol, atol }) = self {
            for (i, (w, y)) in scale.iter_mut().zip(y_n).enumerate() {
                let atol = if atol.len() == 1 { atol[0] } else { atol[i] };
                *w = 1.0 / (NEWTON_FRACTION * (atol + rtol * y.abs()));
            }
        }
    }

    /// The rate to judge by, from the one measured and the one before. Two corrections may fall
    /// fast by chance, or because most of the error was linear, so that to meet tolerances the rate
    /// falls by at most `RATE_MEMORY` an iteration (CVODE, Hindmarsh et al., ACM TOMS 31 (2005),
    /// doi 10.1145/1089014.1089020).
    pub(super) fn rate(&self, measured: f64, before: f64) -> f64 {
        match self {
            Newton::Tolerances(_) => measured.max(RATE_MEMORY * before),
            Newton::Stagnation => measured,
        }
    }

    pub(super) fn verdict(&self, iteration: usize, norm: f64, rate: f64) -> Verdict {
        if norm == 0.0 {
            return Verdict::Converged;
        }
        match self {
            Newton::Tolerances(_) => {
                let remaining = if rate < 1.0 { norm * rate / (1.0 - rate) } else { f64::INFINITY };
                if remaining <= 1.0 {
                    Verdict::Converged
                } else if iteration + 1 >= MAX_ITERATIONS || (iteration > 0 && rate >= 1.5) {
                    Verdict::Failed
                } else {
                    Verdict::Continue
                }
            }
            Newton::Stagnation => {
                // Slow convergence is not rounding: only there do corrections grow again.
                let rounding = norm < 1e-12 && rate > 0.5 || norm < 1e-6 && rate >= 1.0;
                if iteration > 0 && rounding {
                    Verdict::Converged
                } else if iteration + 1 >= MAX_STAGNATION_ITERATIONS {
                    Verdict::Failed
                } else {
                    Verdict::Continue
                }
            }
        }
    }
}

/// What a correction says of a stage.
pub(super) enum Verdict {
    Converged,
    Continue,
    Failed,
}

/// Writes |base| + |y| + hγ |J| |y|, the sizes of what a stage's residual is summed from where f is
/// about J y: as long as the residual is rounding of these, y solves the stage as well as numbers
/// can, however far that is from the tolerances (Oettli & Prager, Numer. Math. 6 (1964),
/// doi 10.1007/BF01386090).
pub(super) fn sizes_of_terms(
    h_gamma: f64,
    jacobian: &Matrix,
    y: &[f64],
    base: &[f64],
    terms: &mut [f64],
) {
    for (terms, (y, base)) in terms.iter_mut().zip(y.iter().zip(base)) {
        *terms = y.abs() + base.abs();
    }
    jacobian.for_each(|i, j, entry| terms[i] += h_gamma * (entry * y[j]).abs());
}

/// Overwrites the sizes of a stage's terms with weights of its corrections: the reciprocal sizes of
/// y_n and the stage, of which both may be zero, and of what the terms make of a component. One that
/// is small beside others that it does not depend on has to be solved, too.
pub(super) fn relative_weights(
    h_gamma: f64,
    jacobian: &Matrix,
    (y_n, y): (&[f64], &[f64]),
    w: &mut [f64],
) {
    for (i, (w, (y_n, y))) in w.iter_mut().zip(y_n.iter().zip(y)).enumerate() {
        let made = *w / (1.0 + h_gamma * jacobian.get(i, i).abs());
        *w = 1.0 / (y_n.abs().max(y.abs()) + 1e-8 * made + f64::MIN_POSITIVE.sqrt());
    }
}
