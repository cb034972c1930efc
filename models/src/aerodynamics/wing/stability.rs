//! The largest stable step.
//!
//! Of u' + u_x = 0 by the scheme without limiter, Fromm's, a wave of angle θ a cell has
//!
//! z(θ) = −σ (1 − e^{−iθ}) (1 + (e^{iθ} − e^{−iθ})/4),
//!
//! σ being the Courant number, and a Runge–Kutta method is stable while |R(z(θ))| ≤ 1 for all θ. For
//! a cell alone σ = h (Λ_i + Λ_j)/V, Λ being the means over opposite faces of s (|V| + a).

use costate::method::tableau::Tableau;
use costate::ode::{At, Ode};

use super::{Wing, WingError, motion};
use crate::aerodynamics::euler::{Complex, gas};

/// R(z) of an explicit method.
fn growth(tableau: &Tableau, z: Complex) -> f64 {
    let sum = |row: &[f64], slopes: &[Complex]| {
        let terms = row.iter().zip(slopes).map(|(&a, &k)| k.scale(a));
        terms.fold(Complex::of(1.0, 0.0), |sum, term| sum + term)
    };
    let mut slopes = Vec::with_capacity(tableau.b.len());
    for row in tableau.a {
        let stage = z * sum(row, &slopes);
        slopes.push(stage);
    }
    sum(tableau.b, &slopes).square().sqrt()
}

/// z(θ)/σ
fn symbol(theta: f64) -> Complex {
    let (sin, cos) = theta.sin_cos();
    Complex::of(cos - 1.0, -sin) * Complex::of(1.0, 0.5 * sin)
}

/// The largest stable Courant number of an explicit method; 0 where there is none.
pub fn courant(tableau: &Tableau) -> f64 {
    const WAVES: usize = 720;
    const SLACK: f64 = 1e-9;
    let stable = |sigma: f64| {
        (1..=WAVES).all(|k| {
            let theta = std::f64::consts::PI * k as f64 / WAVES as f64;
            growth(tableau, symbol(theta).scale(sigma)) <= 1.0 + SLACK
        })
    };
    const STEP: f64 = 1e-3;
    (1..).map(|k| f64::from(k) * STEP).find(|&sigma| !stable(sigma)).map_or(0.0, |s| s - STEP)
}

impl Wing {
    /// Writes h/σ, the step of Courant number 1, of every cell for the flow y to `steps`.
    pub fn cell_steps(&self, t: f64, y: &[f64], p: &[f64], steps: &mut [f64]) {
        let grid = self.grid(p);
        let (metrics, frame) = (&grid.metrics, motion::frame(t, p));
        let (ni, cells) = (metrics.ni, metrics.area.len());
        for (cell, step) in steps.iter_mut().enumerate() {
            let [rho, mx, my, e] = std::array::from_fn(|k| y[k * cells + cell]);
            let (ux, uy) = (mx / rho, my / rho);
            let p = (gas::GAMMA - 1.0) * (e - 0.5 * (mx * ux + my * uy));
            let sound = (gas::GAMMA * p / rho).sqrt();
            let (u, v) = (frame.cos * ux - frame.sin * uy, frame.sin * ux + frame.cos * uy);
            let (row, i) = (cell - cell % ni, cell % ni);
            let mut sum = 0.0;
            let pairs = [
                (&metrics.i_faces, [cell, row + (i + 1) % ni]),
                (&metrics.j_faces, [cell, cell + ni]),
            ];
            for (faces, pair) in pairs {
                for k in pair {
                    let n = [faces.nx[k], faces.ny[k]];
                    let through = u * n[0] + v * n[1] - frame.through(n, faces.g[k]);
                    sum += 0.5 * faces.s[k] * (through.abs() + sound);
                }
            }
            *step = metrics.area[cell] / sum;
        }
    }

    /// The largest stable step of a method near the flow y at time t, and the cell that allows no
    /// longer one.
    ///
    /// 2σ/ϱ, ϱ being the spectral radius of f_y: the shortest wave has |z| = 2σ. The smallest cell
    /// alone would say less than half of it, because its neighbours damp it.
    /// The stream before it meets the section is slower than the flow around it and says too much,
    /// by half for a thin section: ask with a developed flow, or take half.
    pub fn largest_step(&self, tableau: &Tableau, t: f64, y: &[f64], p: &[f64]) -> (f64, usize) {
        let (radius, cell) = self.spectral_radius(t, y, p);
        (2.0 * courant(tableau) / radius, cell)
    }

    /// ϱ(f_y) by the power method with differences, and the cell where its vector is largest.
    fn spectral_radius(&self, t: f64, y: &[f64], p: &[f64]) -> (f64, usize) {
        const ITERATIONS: usize = 80;
        const DIFFERENCE: f64 = 1e-6;
        let (d, mut work) = (y.len(), self.work());
        let (mut f, mut shifted_f, mut shifted) = (vec![0.0; d], vec![0.0; d], vec![0.0; d]);
        self.rhs(At { t, y, p }, &mut f, &mut work);
        let mut v: Vec<f64> = (0..d).map(|k| (k as f64 * k as f64).sin()).collect();
        let (mut growths, mut size) = (0.0, 1.0);
        for k in 0..ITERATIONS {
            for ((shifted, y), v) in shifted.iter_mut().zip(y).zip(&v) {
                *shifted = y + DIFFERENCE / size * v;
            }
            self.rhs(At { t, y: &shifted, p }, &mut shifted_f, &mut work);
            for ((v, shifted), f) in v.iter_mut().zip(&shifted_f).zip(&f) {
                *v = (shifted - f) / DIFFERENCE;
            }
            size = v.iter().map(|v| v * v).sum::<f64>().sqrt();
            // The dominant eigenvalues are complex: single growths swing about their mean.
            if k >= ITERATIONS / 2 {
                growths += size.ln();
            }
        }
        let all = v[..d / 4].iter().map(|v| v.abs()).enumerate();
        let cell = all.max_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(cell, _)| cell);
        ((growths / (ITERATIONS - ITERATIONS / 2) as f64).exp(), cell)
    }

    /// Fails where `steps` equal steps over the span are too long for the flow y at time t. The flow
    /// to come may be faster, above all around the trailing edge of a fine grid, so that what is asked
    /// for has a tenth to spare.
    ///
    /// # Errors
    /// With the largest stable step, and how many steps to take.
    pub fn check_steps(
        &self,
        tableau: &Tableau,
        span: (f64, f64),
        steps: usize,
        (t, y): (f64, &[f64]),
        p: &[f64],
    ) -> Result<(), WingError> {
        let (largest, cell) = self.largest_step(tableau, t, y, p);
        let h = (span.1 - span.0) / steps as f64;
        if h <= largest {
            return Ok(());
        }
        let (i, j, _) = self.place(p, cell);
        let steps = ((span.1 - span.0) / (0.9 * largest)).ceil() as usize;
        Err(WingError::StepTooLong { h, method: tableau.name, t, i, j, largest, steps })
    }
}
