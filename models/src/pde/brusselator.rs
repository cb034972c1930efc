//! The Brusselator in one dimension: a chemical oscillator whose species diffuse.
//!
//! u_t = A + u²v − (B + 1)u + α u_xx,  v_t = Bu − u²v + α v_xx, by central differences on
//! x_i = i Δx, i = 1 … N, Δx = 1/(N+1):
//!
//! u_i' = A_i + u_i² v_i − (B_i + 1) u_i + α (u_{i−1} − 2u_i + u_{i+1}) / Δx²
//!
//! v_i' = B_i u_i − u_i² v_i + α (v_{i−1} − 2v_i + v_{i+1}) / Δx²
//!
//! The state is u_1, v_1, u_2, v_2, …, u_N, v_N, so that the Jacobian is a band.
//!
//! | symbol | meaning | value | unit |
//! |---|---|---|---|
//! | u_i, v_i | concentrations | 1 + sin 2πx_i and 3 at t = 0; 1 and 3 at both ends | – |
//! | A, B | supplies | 1, 3 | 1/time |
//! | α | diffusion coefficient | 0.02 | length²/time |
//! | N | number of cells | 128 | – |
//!
//! p = (A, B, α) (p3a), or p = (A_1 … A_N, B_1 … B_N, α) (p3b).
//!
//! Source: R. Lefever, G. Nicolis, J. Theor. Biol. 30 (1971) 267–284,
//! doi:10.1016/0022-5193(71)90054-3; as an ODE: E. Hairer, G. Wanner, Solving Ordinary Differential
//! Equations II, IV.1, doi:10.1007/978-3-642-05221-7.
//!
//! Stresses: a banded Jacobian of mild stiffness; in p3b many parameters.
//!
//! Known answer: u = A, v = B/A is an equilibrium if the ends have these values.

use costate::numbers::linalg::{Matrix, Structure};
use costate::ode::objective::LeastSquares;
use costate::ode::{At, Bars, Dots, Jvp, Ode, Rows, Vjp};
use multiversion::multiversion;

use crate::Benchmark;
use crate::simd::sum;

/// u and v beyond both ends.
const BOUNDARY: (f64, f64) = (1.0, 3.0);

/// The model, of 2N states.
#[derive(Clone, Copy, Debug)]
pub struct Brusselator {
    cells: usize,
    per_cell: bool,
}

/// Both species of a row of cells with one more cell at each end.
#[derive(Clone, Debug)]
struct Row {
    u: Vec<f64>,
    v: Vec<f64>,
}

/// The state, its adjoint weights and the parameters, one species after the other.
#[derive(Clone, Debug)]
pub struct Work {
    y: Row,
    w: Row,
    a: Vec<f64>,
    b: Vec<f64>,
    /// The derivatives of wᵀf by A_i and B_i, and the terms of that by α Δx⁻².
    a_bar: Vec<f64>,
    b_bar: Vec<f64>,
    alpha_bar: Vec<f64>,
}

impl Row {
    fn new(cells: usize, boundary: (f64, f64)) -> Self {
        Row { u: vec![boundary.0; cells + 2], v: vec![boundary.1; cells + 2] }
    }

    #[inline(always)]
    fn split(&mut self, y: &[f64]) {
        let cells = self.u.len() - 2;
        let (u, v) = (&mut self.u[1..=cells], &mut self.v[1..=cells]);
        for (pair, (u, v)) in y.as_chunks::<2>().0.iter().zip(u.iter_mut().zip(v)) {
            (*u, *v) = (pair[0], pair[1]);
        }
    }
}

impl Brusselator {
    /// N cells with the parameters (A, B, α).
    pub fn uniform(cells: usize) -> Self {
        Brusselator { cells, per_cell: false }
    }

    /// N cells with the parameters (A_1 … A_N, B_1 … B_N, α).
    pub fn per_cell(cells: usize) -> Self {
        Brusselator { cells, per_cell: true }
    }

    /// The number of entries of A, and of B.
    fn supplies(&self) -> usize {
        if self.per_cell { self.cells } else { 1 }
    }

    /// (A_i, B_i)
    fn supply(&self, p: &[f64], i: usize) -> (f64, f64) {
        if self.per_cell { (p[i], p[self.cells + i]) } else { (p[0], p[1]) }
    }

    /// α/Δx²
    #[inline(always)]
    fn diffusion(&self, p: &[f64]) -> f64 {
        p[2 * self.supplies()] * self.inverse_square_of_dx()
    }

    #[inline(always)]
    fn inverse_square_of_dx(&self) -> f64 {
        let n = (self.cells + 1) as f64;
        n * n
    }
}

impl Ode for Brusselator {
    type Work = Work;

    fn dim(&self) -> usize {
        2 * self.cells
    }

    fn num_params(&self) -> usize {
        2 * self.supplies() + 1
    }

    fn work(&self) -> Work {
        let zeros = || vec![0.0; self.cells];
        Work {
            y: Row::new(self.cells, BOUNDARY),
            w: Row::new(self.cells, (0.0, 0.0)),
            a: zeros(),
            b: zeros(),
            a_bar: zeros(),
            b_bar: zeros(),
            alpha_bar: zeros(),
        }
    }

    fn work_bytes(&self) -> usize {
        let rows = 2 * 2 * (self.cells + 2) + 5 * self.cells;
        size_of::<Work>() + rows * size_of::<f64>()
    }

    fn rhs(&self, At { y, p, .. }: At<'_>, dy: &mut [f64], work: &mut Work) {
        rates(self, y, p, dy, work);
    }
}

impl Vjp for Brusselator {
    fn vjp(
        &self,
        At { p, .. }: At<'_>,
        w: &[f64],
        Bars { y: y_bar, p: p_bar, .. }: Bars<'_>,
        work: &mut Work,
    ) {
        transposed(self, p, w, y_bar, p_bar, work);
    }

    fn structure(&self) -> Structure {
        Structure::Banded { lower: 2, upper: 2 }
    }

    fn jacobian(&self, At { y, p, .. }: At<'_>, jac: &mut Matrix, _: Rows<'_>, _: &mut Work) {
        let diffusion = self.diffusion(p);
        let columns = jac.values_mut().as_chunks_mut::<10>().0;
        for (i, (columns, &[u, v])) in columns.iter_mut().zip(y.as_chunks::<2>().0).enumerate() {
            let (_, b) = self.supply(p, i);
            let (uv2, uu, twice) = (2.0 * u * v, u * u, 2.0 * diffusion);
            let before = if i == 0 { 0.0 } else { diffusion };
            let after = if i + 1 == self.cells { 0.0 } else { diffusion };
            // Column u_i, then v_i: the rows of u_{i-1} and v_i too, or of v_{i-1} and u_i.
            #[rustfmt::skip]
            let entries = [
                before, 0.0, uv2 - b - 1.0 - twice, b - uv2, after,
                before, uu, -uu - twice, 0.0, after,
            ];
            *columns = entries;
        }
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq", "x86_64+avx2+fma", "aarch64+neon"))]
fn rates(model: &Brusselator, y: &[f64], p: &[f64], dy: &mut [f64], work: &mut Work) {
    let n = model.cells;
    work.y.split(y);
    if model.per_cell {
        work.a.copy_from_slice(&p[..n]);
        work.b.copy_from_slice(&p[n..2 * n]);
    } else {
        work.a.fill(p[0]);
        work.b.fill(p[1]);
    }
    let diffusion = model.diffusion(p);
    let (u, v) = (&work.y.u[..n + 2], &work.y.v[..n + 2]);
    let (a, b, dy) = (&work.a[..n], &work.b[..n], &mut dy.as_chunks_mut::<2>().0[..n]);
    for i in 0..n {
        let (u_i, v_i) = (u[i + 1], v[i + 1]);
        let (autocatalysis, conversion) = (u_i * u_i * v_i, b[i] * u_i);
        let u_diffusion = diffusion * (u[i] - 2.0 * u_i + u[i + 2]);
        let v_diffusion = diffusion * (v[i] - 2.0 * v_i + v[i + 2]);
        dy[i] = [
            ((a[i] - u_i) + (autocatalysis - conversion)) + u_diffusion,
            (conversion - autocatalysis) + v_diffusion,
        ];
    }
}

/// Reads the state from `work`, where [`rates`] left it.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq", "x86_64+avx2+fma", "aarch64+neon"))]
fn transposed(
    model: &Brusselator,
    p: &[f64],
    w: &[f64],
    y_bar: &mut [f64],
    p_bar: &mut [f64],
    work: &mut Work,
) {
    let n = model.cells;
    work.w.split(w);
    let diffusion = model.diffusion(p);
    let (u, v) = (&work.y.u[..n + 2], &work.y.v[..n + 2]);
    let (wu, wv) = (&work.w.u[..n + 2], &work.w.v[..n + 2]);
    let (b, y_bar) = (&work.b[..n], &mut y_bar.as_chunks_mut::<2>().0[..n]);
    let (b_bar, alpha_bar) = (&mut work.b_bar[..n], &mut work.alpha_bar[..n]);
    for i in 0..n {
        let (u_i, v_i) = (u[i + 1], v[i + 1]);
        let (wu_i, wv_i) = (wu[i + 1], wv[i + 1]);
        let difference = wu_i - wv_i;
        let u_diffusion = diffusion * (wu[i] - 2.0 * wu_i + wu[i + 2]);
        let v_diffusion = diffusion * (wv[i] - 2.0 * wv_i + wv[i + 2]);
        let [u_bar, v_bar] = y_bar[i];
        y_bar[i] = [
            u_bar + ((difference * (2.0 * u_i * v_i - b[i]) - wu_i) + u_diffusion),
            v_bar + (difference * (u_i * u_i) + v_diffusion),
        ];
        b_bar[i] = -difference * u_i;
        let u_curvature = u[i] - 2.0 * u_i + u[i + 2];
        let v_curvature = v[i] - 2.0 * v_i + v[i + 2];
        alpha_bar[i] = wu_i * u_curvature + wv_i * v_curvature;
    }
    work.a_bar.copy_from_slice(&wu[1..=n]);
    if model.per_cell {
        for (p_bar, part) in p_bar[..n].iter_mut().zip(&work.a_bar) {
            *p_bar += part;
        }
        for (p_bar, part) in p_bar[n..2 * n].iter_mut().zip(&work.b_bar) {
            *p_bar += part;
        }
    } else {
        p_bar[0] += sum(&work.a_bar);
        p_bar[1] += sum(&work.b_bar);
    }
    p_bar[2 * model.supplies()] += model.inverse_square_of_dx() * sum(&work.alpha_bar);
}

impl Jvp for Brusselator {
    fn jvp(
        &self,
        At { y, p, .. }: At<'_>,
        Dots { y: y_dot, p: p_dot }: Dots<'_>,
        dy_dot: &mut [f64],
        _: &mut Work,
    ) {
        let cell = |y: &[f64], i: usize, boundary: (f64, f64)| {
            if (1..=self.cells).contains(&i) { (y[2 * i - 2], y[2 * i - 1]) } else { boundary }
        };
        let (diffusion, diffusion_dot) = (self.diffusion(p), self.diffusion(p_dot));
        for i in 0..self.cells {
            let at = |k| cell(y, i + k, BOUNDARY);
            let dot = |k| cell(y_dot, i + k, (0.0, 0.0));
            let ((_, b), (a_dot, b_dot)) = (self.supply(p, i), self.supply(p_dot, i));
            let ((u, v), (u_dot, v_dot)) = (at(1), dot(1));
            let reaction = 2.0 * u * v * u_dot + u * u * v_dot - b_dot * u - b * u_dot;
            let spread = |c: [f64; 3], c_dot: [f64; 3]| {
                let curvature = |c: [f64; 3]| c[0] - 2.0 * c[1] + c[2];
                diffusion_dot * curvature(c) + diffusion * curvature(c_dot)
            };
            let (us, vs) = ([at(0).0, u, at(2).0], [at(0).1, v, at(2).1]);
            let u_spread = spread(us, [dot(0).0, u_dot, dot(2).0]);
            let v_spread = spread(vs, [dot(0).1, v_dot, dot(2).1]);
            dy_dot[2 * i] = a_dot - u_dot + reaction + u_spread;
            dy_dot[2 * i + 1] = v_spread - reaction;
        }
    }
}

/// The same supplies in every cell.
pub fn p3a() -> Benchmark<Brusselator, LeastSquares> {
    problem("p3a", Brusselator::uniform(128), vec![1.0, 3.0, 0.02])
}

/// Each cell's supplies for themselves.
pub fn p3b() -> Benchmark<Brusselator, LeastSquares> {
    let p = [vec![1.0; 128], vec![3.0; 128], vec![0.02]].concat();
    problem("p3b", Brusselator::per_cell(128), p)
}

/// J = ½ Δx Σ_{k=1}^{10} Σ_i (u_i(k) − 1)² + (v_i(k) − 3)²
fn problem(
    id: &'static str,
    ode: Brusselator,
    p: Vec<f64>,
) -> Benchmark<Brusselator, LeastSquares> {
    let dx = 1.0 / (ode.cells + 1) as f64;
    let wave = |i: usize| 1.0 + (2.0 * std::f64::consts::PI * (i as f64 * dx)).sin();
    let times: Vec<f64> = (1..=10).map(f64::from).collect();
    let data = [1.0, 3.0].repeat(ode.cells * times.len());
    Benchmark {
        id,
        ode,
        objective: LeastSquares::new(times, data, &[0.5 * dx]).expect("the times ascend"),
        y0: (1..=ode.cells).flat_map(|i| [wave(i), 3.0]).collect(),
        p,
        span: (0.0, 10.0),
        fixed_steps: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check;

    #[test]
    fn derivatives_are_those_of_the_equation() {
        for cells in [1, 2, 3, 17, 128] {
            let y: Vec<f64> = check::numbers(2 * cells, 9).iter().map(|x| 1.5 + x).collect();
            let uniform = Brusselator::uniform(cells);
            check::derivative_products(&uniform, &y, &[1.1, 2.7, 0.02]);
            check::jacobian(&uniform, &y, &[1.1, 2.7, 0.02]);
            let p = [&y[..], &[0.03]].concat();
            let per_cell = Brusselator::per_cell(cells);
            check::derivative_products(&per_cell, &y, &p);
            check::jacobian(&per_cell, &y, &p);
        }
        check::objective(&p3a().objective, &p3a().y0, &p3a().p);
    }

    #[test]
    fn equilibrium_stays() {
        for problem in [p3a(), p3b()] {
            let y = [1.0, 3.0].repeat(128);
            let mut dy = vec![f64::NAN; 256];
            problem.ode.rhs(At { t: 0.0, y: &y, p: &problem.p }, &mut dy, &mut problem.ode.work());
            assert_eq!(dy, vec![0.0; 256]);
        }
    }

    #[test]
    #[ignore = "reads ../shared"]
    fn loss_is_that_of_the_reference() {
        check::loss(&p3a(), 10_000, 1e-9);
    }
}
