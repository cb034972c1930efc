//! The weights of the interpolant, and their slopes.

use super::{Dense, Tableau};

impl Tableau {
    /// Writes b_i(θ), so that y(t_n + θh) = y_n + h Σ b_i(θ) k_i over the stages and the extra ones.
    ///
    /// # Panics
    /// Where `weights` is shorter than [`dense_stages`](Self::dense_stages).
    pub fn dense_weights(&self, theta: f64, weights: &mut [f64]) {
        match self.dense {
            Dense::Polynomials { polynomials, .. } => {
                for (weight, polynomial) in weights[..polynomials.len()].iter_mut().zip(polynomials)
                {
                    *weight = theta * horner(polynomial.iter().copied(), theta);
                }
            }
            Dense::Hermite => {
                let solution = theta * theta * (3.0 - 2.0 * theta);
                let start = theta * (1.0 - theta) * (1.0 - theta);
                let end = theta * theta * (theta - 1.0);
                self.hermite(solution, start, end, weights);
            }
        }
    }

    /// Writes b_i'(θ), so that y'(t_n + θh) = Σ b_i'(θ) k_i.
    ///
    /// # Panics
    /// Where `weights` is shorter than [`dense_stages`](Self::dense_stages).
    pub fn dense_weights_derivative(&self, theta: f64, weights: &mut [f64]) {
        match self.dense {
            Dense::Polynomials { polynomials, .. } => {
                for (weight, polynomial) in weights[..polynomials.len()].iter_mut().zip(polynomials)
                {
                    let slopes = polynomial.iter().enumerate().map(|(k, &b)| (k + 1) as f64 * b);
                    *weight = horner(slopes, theta);
                }
            }
            Dense::Hermite => {
                let solution = 6.0 * theta * (1.0 - theta);
                let start = (1.0 - theta) * (1.0 - 3.0 * theta);
                let end = theta * (3.0 * theta - 2.0);
                self.hermite(solution, start, end, weights);
            }
        }
    }

    /// `solution` b_i, with the basis functions of both end slopes added where these are stages.
    fn hermite(&self, solution: f64, start: f64, end: f64, weights: &mut [f64]) {
        let weights = &mut weights[..self.dense_stages()];
        weights.fill(0.0);
        for (weight, b) in weights.iter_mut().zip(self.b) {
            *weight = solution * b;
        }
        weights[0] += start;
        weights[self.dense_stages() - 1] += end;
    }
}

/// Σ_k `coefficients[k]` x^k.
fn horner(coefficients: impl DoubleEndedIterator<Item = f64>, x: f64) -> f64 {
    coefficients.rev().fold(0.0, |sum, c| sum * x + c)
}
