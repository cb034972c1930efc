//! Fisher's equation in a wind, on a torus: a population that grows, spreads and is carried along.
//!
//! u_t + a u_x + b u_y = D (u_xx + u_yy) + r u (1 − u) on [0, 1]², periodic, by central differences
//! on N × N points of distance Δx = 1/N:
//!
//! u_ij' = (D/Δx² − a/2Δx) u_{i+1,j} + (D/Δx² + a/2Δx) u_{i−1,j}
//!       + (D/Δx² − b/2Δx) u_{i,j+1} + (D/Δx² + b/2Δx) u_{i,j−1} − 4D/Δx² u_ij + r u_ij (1 − u_ij)
//!
//! The state is u_00, u_10, …, u_{N−1,0}, u_01, …; N is at least 3.
//!
//! | symbol | meaning | value | unit |
//! |---|---|---|---|
//! | u_ij | density over what the ground carries | ½ + ¼ sin 2πx_i cos 2πy_j at t = 0 | – |
//! | a, b | velocity of the wind | 1, ½ | length/time |
//! | D | diffusion coefficient | 0.01 | length²/time |
//! | r | growth rate | 2 | 1/time |
//!
//! p = (a, b, D, r).
//!
//! Source: R. A. Fisher, Annals of Eugenics 7 (1937) 355–369,
//! doi:10.1111/j.1469-1809.1937.tb02153.x.
//!
//! Stresses: a sparse Jacobian that is not symmetric and whose band is the whole matrix.
//!
//! Known answer: for r = 0, cos(kx + ly) decays and turns by the eigenvalue of the differences,
//! −(4D/Δx²)(sin² kΔx/2 + sin² lΔx/2) − i (a sin kΔx + b sin lΔx)/Δx; an even population grows
//! logistically.

use std::f64::consts::TAU;

use costate::numbers::linalg::{Matrix, Pattern, Structure};
use costate::ode::{At, Bars, Dots, Jvp, Ode, Rows, Vjp};

/// The model, of N² states.
#[derive(Clone, Debug)]
pub struct AdvectedFisher {
    n: usize,
    pattern: Pattern,
    /// Where the Jacobian has what each point takes from itself and its neighbours, in the order of
    /// [`Stencil`].
    positions: Vec<[usize; 5]>,
}

/// The point itself, and its neighbours to the east, west, north and south.
type Stencil = [f64; 5];

impl AdvectedFisher {
    /// N × N points.
    ///
    /// # Panics
    /// If N is below 3.
    pub fn new(n: usize) -> Self {
        assert!(n >= 3, "a point would be its own neighbour's neighbour on both sides");
        let rows = |k: usize| neighbours(n, k).map(|j| (k, j));
        let pattern = Pattern::new(n * n, (0..n * n).flat_map(rows)).expect("points of the grid");
        let place = |k: usize, j: usize| pattern.position(k, j).expect("an entry of the pattern");
        let positions = (0..n * n).map(|k| neighbours(n, k).map(|j| place(k, j))).collect();
        AdvectedFisher { n, pattern, positions }
    }

    /// u at t = 0.
    pub fn wave(&self) -> Vec<f64> {
        let x = |i: usize| TAU * i as f64 / self.n as f64;
        let u = |k: usize| 0.5 + 0.25 * x(k % self.n).sin() * x(k / self.n).cos();
        (0..self.n * self.n).map(u).collect()
    }

    /// What the linear part takes from each point of the stencil.
    fn weights(&self, p: &[f64]) -> Stencil {
        let n = self.n as f64;
        let (a, b, diffusion) = (0.5 * n * p[0], 0.5 * n * p[1], n * n * p[2]);
        [-4.0 * diffusion, diffusion - a, diffusion + a, diffusion - b, diffusion + b]
    }
}

fn neighbours(n: usize, k: usize) -> [usize; 5] {
    let (i, j) = (k % n, k / n);
    let (after, before) = (|i: usize| (i + 1) % n, |i: usize| (i + n - 1) % n);
    let at = |i: usize, j: usize| j * n + i;
    [k, at(after(i), j), at(before(i), j), at(i, after(j)), at(i, before(j))]
}

impl Ode for AdvectedFisher {
    type Work = ();

    fn dim(&self) -> usize {
        self.n * self.n
    }

    fn num_params(&self) -> usize {
        4
    }

    fn work(&self) {}

    fn work_bytes(&self) -> usize {
        0
    }

    fn rhs(&self, At { y, p, .. }: At<'_>, dy: &mut [f64], _: &mut ()) {
        let weights = self.weights(p);
        for (k, dy) in dy.iter_mut().enumerate() {
            let taken = neighbours(self.n, k).into_iter().zip(weights).map(|(j, w)| w * y[j]);
            *dy = taken.sum::<f64>() + p[3] * y[k] * (1.0 - y[k]);
        }
    }
}

impl Vjp for AdvectedFisher {
    fn vjp(
        &self,
        At { y, p, .. }: At<'_>,
        w: &[f64],
        Bars { y: y_bar, p: p_bar, .. }: Bars<'_>,
        _: &mut (),
    ) {
        let weights = self.weights(p);
        let (mut weights_bar, mut r_bar) = ([0.0; 5], 0.0);
        for (k, &w) in w.iter().enumerate() {
            for (s, j) in neighbours(self.n, k).into_iter().enumerate() {
                y_bar[j] += weights[s] * w;
                weights_bar[s] += w * y[j];
            }
            y_bar[k] += p[3] * (1.0 - 2.0 * y[k]) * w;
            r_bar += w * y[k] * (1.0 - y[k]);
        }
        let (n, [here, east, west, north, south]) = (self.n as f64, weights_bar);
        p_bar[0] += 0.5 * n * (west - east);
        p_bar[1] += 0.5 * n * (south - north);
        p_bar[2] += n * n * (east + west + north + south - 4.0 * here);
        p_bar[3] += r_bar;
    }

    fn structure(&self) -> Structure {
        Structure::Sparse(self.pattern.clone())
    }

    fn jacobian(&self, At { y, p, .. }: At<'_>, jac: &mut Matrix, _: Rows<'_>, _: &mut ()) {
        let (weights, values) = (self.weights(p), jac.values_mut());
        for (positions, u) in self.positions.iter().zip(y) {
            for (&position, w) in positions.iter().zip(weights) {
                values[position] = w;
            }
            values[positions[0]] += p[3] * (1.0 - 2.0 * u);
        }
    }
}

impl Jvp for AdvectedFisher {
    fn jvp(
        &self,
        At { y, p, .. }: At<'_>,
        Dots { y: y_dot, p: p_dot }: Dots<'_>,
        dy_dot: &mut [f64],
        _: &mut (),
    ) {
        let (weights, weights_dot) = (self.weights(p), self.weights(p_dot));
        for (k, dy_dot) in dy_dot.iter_mut().enumerate() {
            let growth_dot = p[3] * (1.0 - 2.0 * y[k]) * y_dot[k] + p_dot[3] * y[k] * (1.0 - y[k]);
            let taken = neighbours(self.n, k).into_iter().enumerate();
            let taken_dot = taken.map(|(s, j)| weights[s] * y_dot[j] + weights_dot[s] * y[j]);
            *dy_dot = taken_dot.sum::<f64>() + growth_dot;
        }
    }
}

/// a, b, D and r of the table.
pub const PARAMETERS: [f64; 4] = [1.0, 0.5, 0.01, 2.0];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check;

    #[test]
    fn derivatives_are_those_of_the_equation() {
        for n in [3, 4, 9] {
            let model = AdvectedFisher::new(n);
            let y: Vec<f64> = check::numbers(n * n, 9).iter().map(|x| 0.5 + 0.4 * x).collect();
            check::derivative_products(&model, &y, &PARAMETERS);
            check::jacobian(&model, &y, &PARAMETERS);
        }
    }

    #[test]
    fn waves_are_eigenvectors_without_growth() {
        let (n, [a, b, d, _]) = (12, PARAMETERS);
        let (model, dx) = (AdvectedFisher::new(n), 1.0 / n as f64);
        for (kx, ky) in
            [(0.0, 0.0), (1.0, 0.0), (2.0, -3.0), (6.0, 1.0)].map(|(k, l)| (TAU * k, TAU * l))
        {
            let phase = |m: usize| kx * dx * (m % n) as f64 + ky * dx * (m / n) as f64;
            let y: Vec<f64> = (0..n * n).map(|m| phase(m).cos()).collect();
            let mut dy = vec![f64::NAN; n * n];
            model.rhs(At { t: 0.0, y: &y, p: &[a, b, d, 0.0] }, &mut dy, &mut ());
            let half = |k: f64| (0.5 * k * dx).sin().powi(2);
            let decay = 4.0 * d / (dx * dx) * (half(kx) + half(ky));
            let turn = (a * (kx * dx).sin() + b * (ky * dx).sin()) / dx;
            for (m, dy) in dy.iter().enumerate() {
                let expected = -decay * phase(m).cos() + turn * phase(m).sin();
                assert!((dy - expected).abs() < 1e-11, "{dy} instead of {expected}");
            }
        }
    }
}
