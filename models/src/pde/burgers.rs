//! Viscous Burgers' equation on a ring, steered by a field.
//!
//! u_t + (u²/2)_x = ν u_xx + c(x), by central differences on x_i = i Δx, i = 0 … N−1, Δx = 1/N:
//!
//! u_i' = −(u_{i+1}² − u_{i−1}²) / (4Δx) + ν (u_{i+1} − 2u_i + u_{i−1}) / Δx² + c_i
//!
//! | symbol | meaning | value | unit |
//! |---|---|---|---|
//! | u_i | velocity at x_i | 1 + ½ sin 2πx_i at t = 0 | length/time |
//! | p_i = c_i | acceleration at x_i | 0.1 sin 4πx_i | length/time² |
//! | ν | viscosity | 2/N | length²/time |
//! | N | number of points | 1000 (p6s), 10000 (p6) | – |
//!
//! Source: J. M. Burgers, Adv. Appl. Mech. 1 (1948) 171–199, doi:10.1016/S0065-2156(08)70100-5.
//!
//! Stresses: memory (N steps of N numbers), and the bandwidth of the second cache: a right-hand
//! side does ten operations for each three numbers that it reads and writes.
//!
//! Known answer: the differences telescope on the ring, so the mean of u' is the mean of c.

use costate::numbers::linalg::{Matrix, Structure};
use costate::ode::objective::Terminal;
use costate::ode::{At, Bars, Dots, Jvp, Ode, Rows, Vjp};
use multiversion::multiversion;

use crate::Benchmark;
use crate::benchmark::TerminalCost;

/// The model, of N states and N parameters.
#[derive(Clone, Copy, Debug)]
pub struct Burgers {
    points: usize,
    /// 1/(4Δx)
    advection: f64,
    /// ν/Δx²
    diffusion: f64,
}

impl Burgers {
    /// N points, ν = 2/N.
    pub fn new(points: usize) -> Self {
        let n = points as f64;
        Burgers { points, advection: n / 4.0, diffusion: 2.0 / n * n * n }
    }

    #[inline(always)]
    fn rate(&self, left: f64, middle: f64, right: f64, c: f64) -> f64 {
        let diffusion = self.diffusion * (left - 2.0 * middle + right);
        (self.advection * (left * left - right * right) + diffusion) + c
    }

    /// Column i of the Jacobian times (w_{i−1}, w_i, w_{i+1}).
    #[inline(always)]
    fn transposed(&self, u: f64, left: f64, middle: f64, right: f64) -> f64 {
        let diffusion = self.diffusion * (left - 2.0 * middle + right);
        2.0 * self.advection * u * (right - left) + diffusion
    }

    /// The points whose neighbours lie across the seam of the ring: (i−1, i, i+1).
    fn seam(&self) -> impl Iterator<Item = (usize, usize, usize)> {
        let n = self.points;
        [0, n.saturating_sub(1)].into_iter().take(n).map(move |i| ((i + n - 1) % n, i, (i + 1) % n))
    }
}

impl Ode for Burgers {
    type Work = ();

    fn dim(&self) -> usize {
        self.points
    }

    fn num_params(&self) -> usize {
        self.points
    }

    fn work(&self) {}

    fn work_bytes(&self) -> usize {
        0
    }

    fn rhs(&self, At { y: u, p: c, .. }: At<'_>, du: &mut [f64], _: &mut ()) {
        rates_inside(self, u, c, du);
        for (left, i, right) in self.seam() {
            du[i] = self.rate(u[left], u[i], u[right], c[i]);
        }
    }
}

impl Vjp for Burgers {
    fn vjp(
        &self,
        At { y: u, .. }: At<'_>,
        w: &[f64],
        Bars { y: u_bar, p: c_bar, .. }: Bars<'_>,
        _: &mut (),
    ) {
        transposed_inside(self, u, w, u_bar, c_bar);
        for (left, i, right) in self.seam() {
            u_bar[i] += self.transposed(u[i], w[left], w[i], w[right]);
            c_bar[i] += w[i];
        }
    }

    /// Dense, because the ring's two corners lie outside of every narrow band: for small N only.
    fn structure(&self) -> Structure {
        Structure::Dense
    }

    fn jacobian(&self, At { y: u, .. }: At<'_>, jac: &mut Matrix, _: Rows<'_>, _: &mut ()) {
        let n = self.points;
        jac.clear();
        for i in 0..n {
            let (left, right) = ((i + n - 1) % n, (i + 1) % n);
            jac.add(i, left, 2.0 * self.advection * u[left] + self.diffusion);
            jac.add(i, i, -2.0 * self.diffusion);
            jac.add(i, right, self.diffusion - 2.0 * self.advection * u[right]);
        }
    }
}

/// The points between the first and the last, in one pass.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq", "x86_64+avx2+fma", "aarch64+neon"))]
fn rates_inside(model: &Burgers, u: &[f64], c: &[f64], du: &mut [f64]) {
    let n = model.points;
    if n < 3 {
        return;
    }
    let (left, middle, right) = (&u[..n - 2], &u[1..n - 1], &u[2..n]);
    let (c, du) = (&c[1..n - 1], &mut du[1..n - 1]);
    for i in 0..n - 2 {
        du[i] = model.rate(left[i], middle[i], right[i], c[i]);
    }
}

/// The points between the first and the last, in one pass.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq", "x86_64+avx2+fma", "aarch64+neon"))]
fn transposed_inside(model: &Burgers, u: &[f64], w: &[f64], u_bar: &mut [f64], c_bar: &mut [f64]) {
    let n = model.points;
    if n < 3 {
        return;
    }
    let (left, middle, right) = (&w[..n - 2], &w[1..n - 1], &w[2..n]);
    let (u, u_bar, c_bar) = (&u[1..n - 1], &mut u_bar[1..n - 1], &mut c_bar[1..n - 1]);
    for i in 0..n - 2 {
        u_bar[i] += model.transposed(u[i], left[i], middle[i], right[i]);
        c_bar[i] += middle[i];
    }
}

impl Jvp for Burgers {
    fn jvp(
        &self,
        At { y: u, .. }: At<'_>,
        Dots { y: u_dot, p: c_dot }: Dots<'_>,
        du_dot: &mut [f64],
        _: &mut (),
    ) {
        let n = self.points;
        for i in 0..n {
            let (left, right) = ((i + n - 1) % n, (i + 1) % n);
            let advection = 2.0 * (u[left] * u_dot[left] - u[right] * u_dot[right]);
            let diffusion = u_dot[left] - 2.0 * u_dot[i] + u_dot[right];
            du_dot[i] = self.advection * advection + self.diffusion * diffusion + c_dot[i];
        }
    }
}

/// N = 1000.
pub fn p6s() -> Benchmark<Burgers, TerminalCost> {
    problem("p6s", 1000)
}

/// N = 10000.
pub fn p6() -> Benchmark<Burgers, TerminalCost> {
    problem("p6", 10_000)
}

/// N steps of the classical Runge–Kutta method to T = ¼, J = ½ Δx Σ_i (u_i(T) − 1)².
fn problem(id: &'static str, points: usize) -> Benchmark<Burgers, TerminalCost> {
    let wave = |k: f64| {
        let angle = move |i| k * std::f64::consts::PI * (i as f64 / points as f64);
        (0..points).map(move |i| angle(i).sin())
    };
    Benchmark {
        id,
        ode: Burgers::new(points),
        objective: Terminal::new(cost, cost_gradient),
        y0: wave(2.0).map(|s| 1.0 + 0.5 * s).collect(),
        p: wave(4.0).map(|s| 0.1 * s).collect(),
        span: (0.0, 0.25),
        fixed_steps: Some(points),
    }
}

fn cost(u: &[f64], _c: &[f64]) -> f64 {
    0.5 / u.len() as f64 * u.iter().map(|u| (u - 1.0) * (u - 1.0)).sum::<f64>()
}

fn cost_gradient(u: &[f64], _c: &[f64], u_bar: &mut [f64], _c_bar: &mut [f64]) {
    let dx = 1.0 / u.len() as f64;
    for (u_bar, u) in u_bar.iter_mut().zip(u) {
        *u_bar += dx * (u - 1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check;

    #[test]
    fn derivatives_are_those_of_the_equation() {
        for points in [1, 2, 3, 4, 5, 23, 64] {
            let problem = problem("small", points);
            check::derivative_products(&problem.ode, &problem.y0, &problem.p);
            check::jacobian(&problem.ode, &problem.y0, &problem.p);
        }
        let problem = p6s();
        check::derivative_products(&problem.ode, &problem.y0, &problem.p);
        check::objective(&problem.objective, &problem.y0, &problem.p);
    }

    #[test]
    fn mean_velocity_moves_with_the_mean_of_the_field() {
        for field in [0.0, 0.3] {
            let mut problem = problem("p6s without waves in c", 200);
            problem.p.fill(field);
            let (_, u) = check::rk4(&problem, 200);
            let mean = u.iter().sum::<f64>() / 200.0;
            assert!((mean - (1.0 + 0.25 * field)).abs() < 1e-14, "{mean}");
        }
    }

    #[test]
    #[ignore = "reads ../shared"]
    fn loss_is_that_of_the_reference() {
        check::loss(&p6s(), 1000, 1e-13);
    }
}
