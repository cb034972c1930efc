//! A neural ODE: a spiral and a network of two hidden layers that disturbs it.
//!
//! y' = A₀ y + W₃ tanh(W₂ tanh(W₁ y + b₁) + b₂) + b₃,  A₀ = [[−0.1, 2], [−2, −0.1]],
//! for each of B trajectories, which share the parameters and are one system of 2B states,
//! trajectory by trajectory.
//!
//! | symbol | meaning | value | unit |
//! |---|---|---|---|
//! | y | a point of the plane | see [`p4a`], [`p4b`] | – |
//! | B | number of trajectories | 1 (p4a), 64 (p4b) | – |
//! | p | W₁ (64×2), b₁ (64), W₂ (64×64), b₂ (64), W₃ (2×64), b₃ (2), by rows: 4482 | (2u − 1)/√fan-in of a congruential generator's u | – |
//!
//! Source: R. T. Q. Chen et al., Neural Ordinary Differential Equations, NeurIPS 2018,
//! doi:10.48550/arXiv.1806.07366. The spiral and the weights are made up.
//!
//! Stresses: thousands of parameters that all take part in every step, and the arithmetic of small
//! dense matrices.
//!
//! Known answer: without the network the spiral e^{−t/10} turned by −2t, which the data is.
//!
//! # How it is fast
//!
//! For one trajectory the layers are products of matrix and vector. For many, activations lie
//! unit by unit with the trajectories side by side, and a layer is a product of matrices in tiles
//! that registers hold. GEMM crates gain nothing here and would each add their own dispatch: on a
//! core with AVX-512, 64×64×64 takes 10.3 µs so, 11.0 with `matrixmultiply`, 10.6 with `gemm`;
//! 64×2×64 takes 0.71, 0.77 and 1.16 µs, 2×64×64 takes 0.51, 1.90 and 0.66 µs.
//! The activations that [`Ode::rhs`] leaves in [`Work`] are what [`Vjp::vjp`] starts from.

use costate::numbers::linalg::{Matrix, Structure};
use costate::ode::objective::LeastSquares;
use costate::ode::{At, Bars, Dots, Jvp, Ode, Rows, Vjp};

use crate::Benchmark;

mod batched;
mod single;
mod weights;

use weights::{HIDDEN, NUM_PARAMS, Weights, WeightsBar};

/// A₀ = [[−DECAY, TURN], [−TURN, −DECAY]]
const DECAY: f64 = 0.1;
const TURN: f64 = 2.0;

/// The model, of 2B states and 4482 parameters.
#[derive(Clone, Copy, Debug)]
pub struct NeuralOde {
    batch: usize,
}

/// Activations, and their adjoints. Matrices have a row for each unit and `stride` columns, one for
/// each trajectory and some that are not used.
#[derive(Clone, Debug)]
pub struct Work {
    stride: usize,
    y: Vec<f64>,
    h1: Vec<f64>,
    h2: Vec<f64>,
    w: Vec<f64>,
    h1_bar: Vec<f64>,
    h2_bar: Vec<f64>,
    h1_transposed: Vec<f64>,
    plane: Vec<f64>,
    /// For [`Jacobian::jacobian`], which needs the activations alone.
    dy: Vec<f64>,
}

impl NeuralOde {
    /// B trajectories.
    pub fn new(batch: usize) -> Self {
        NeuralOde { batch }
    }
}

impl Ode for NeuralOde {
    type Work = Work;

    fn dim(&self) -> usize {
        2 * self.batch
    }

    fn num_params(&self) -> usize {
        NUM_PARAMS
    }

    fn work(&self) -> Work {
        let stride = if self.batch == 1 { 1 } else { batched::stride(self.batch) };
        let rows = |rows: usize| vec![0.0; rows * stride];
        Work {
            stride,
            y: rows(2),
            h1: rows(HIDDEN),
            h2: rows(HIDDEN),
            w: rows(2),
            h1_bar: rows(HIDDEN),
            h2_bar: rows(HIDDEN),
            h1_transposed: rows(HIDDEN),
            plane: rows(2),
            dy: vec![0.0; self.dim()],
        }
    }

    fn work_bytes(&self) -> usize {
        let Work { y, h1, h2, w, h1_bar, h2_bar, h1_transposed, plane, dy, .. } = self.work();
        let rows = [y, h1, h2, w, h1_bar, h2_bar, h1_transposed, plane, dy];
        size_of::<Work>() + size_of_val(&*rows.concat())
    }

    fn rhs(&self, At { y, p, .. }: At<'_>, dy: &mut [f64], work: &mut Work) {
        let weights = Weights::of(p);
        match self.batch {
            1 => single::rates(&weights, y, dy, work),
            _ => batched::rates(&weights, y, dy, work),
        }
    }
}

impl Vjp for NeuralOde {
    fn vjp(
        &self,
        At { y, p, .. }: At<'_>,
        w: &[f64],
        Bars { y: y_bar, p: p_bar, .. }: Bars<'_>,
        work: &mut Work,
    ) {
        let (weights, mut bar) = (Weights::of(p), WeightsBar::of(p_bar));
        match self.batch {
            1 => single::transposed(&weights, y, w, y_bar, &mut bar, work),
            _ => batched::transposed(&weights, w, y_bar, &mut bar, work),
        }
    }

    /// Two by two blocks, one for each trajectory.
    fn structure(&self) -> Structure {
        Structure::Banded { lower: 1, upper: 1 }
    }

    fn jacobian(&self, At { t, y, p }: At<'_>, jac: &mut Matrix, _: Rows<'_>, work: &mut Work) {
        let mut dy = std::mem::take(&mut work.dy);
        self.rhs(At { t, y, p }, &mut dy, work);
        work.dy = dy;
        let (weights, still) = (Weights::of(p), [0.0; NUM_PARAMS]);
        for (b, y) in y.as_chunks::<2>().0.iter().enumerate() {
            for (c, y_dot) in [[1.0, 0.0], [0.0, 1.0]].into_iter().enumerate() {
                let column = self.tangent(b, &weights, &Weights::of(&still), [*y, y_dot], work);
                jac.set(2 * b, 2 * b + c, column[0]);
                jac.set(2 * b + 1, 2 * b + c, column[1]);
            }
        }
    }
}

impl NeuralOde {
    /// The tangent of trajectory `b`, where the activations of `work` are its own.
    fn tangent(
        &self,
        b: usize,
        weights: &Weights<'_>,
        dot: &Weights<'_>,
        [y, y_dot]: [[f64; 2]; 2],
        work: &Work,
    ) -> [f64; 2] {
        let plane = |w: &[f64], i: usize, y: [f64; 2]| w[2 * i] * y[0] + w[2 * i + 1] * y[1];
        let unit = |h: &[f64], i: usize| h[i * work.stride + b];
        let (mut h1_dot, mut h2_dot) = ([0.0; HIDDEN], [0.0; HIDDEN]);
        for (i, h1_dot) in h1_dot.iter_mut().enumerate() {
            let h = unit(&work.h1, i);
            let a_dot = plane(dot.w1, i, y) + plane(weights.w1, i, y_dot) + dot.b1[i];
            *h1_dot = (1.0 - h * h) * a_dot;
        }
        for (i, h2_dot) in h2_dot.iter_mut().enumerate() {
            let (row, row_dot) = (&weights.w2[i * HIDDEN..], &dot.w2[i * HIDDEN..]);
            let terms = (0..HIDDEN).map(|j| row_dot[j] * unit(&work.h1, j) + row[j] * h1_dot[j]);
            let h = unit(&work.h2, i);
            *h2_dot = (1.0 - h * h) * (terms.sum::<f64>() + dot.b2[i]);
        }
        let layer = |c: usize| {
            let (row, row_dot) = (&weights.w3[c * HIDDEN..], &dot.w3[c * HIDDEN..]);
            let terms = (0..HIDDEN).map(|j| row_dot[j] * unit(&work.h2, j) + row[j] * h2_dot[j]);
            terms.sum::<f64>() + dot.b3[c]
        };
        [
            TURN * y_dot[1] - DECAY * y_dot[0] + layer(0),
            -TURN * y_dot[0] - DECAY * y_dot[1] + layer(1),
        ]
    }
}

impl Jvp for NeuralOde {
    fn jvp(
        &self,
        At { y, p, .. }: At<'_>,
        Dots { y: y_dot, p: p_dot }: Dots<'_>,
        dy_dot: &mut [f64],
        work: &mut Work,
    ) {
        let (weights, dot) = (Weights::of(p), Weights::of(p_dot));
        let points = y.as_chunks::<2>().0.iter().zip(y_dot.as_chunks::<2>().0);
        let out = dy_dot.as_chunks_mut::<2>().0;
        for (b, ((y, y_dot), out)) in points.zip(out).enumerate() {
            *out = self.tangent(b, &weights, &dot, [*y, *y_dot], work);
        }
    }
}

/// One trajectory from (2, 0).
pub fn p4a() -> Benchmark<NeuralOde, LeastSquares> {
    problem("p4a", vec![2.0, 0.0])
}

/// 64 trajectories from y_b(0) = r_b (cos 2πb/64, sin 2πb/64), r_b = 1 + b/64.
pub fn p4b() -> Benchmark<NeuralOde, LeastSquares> {
    let start = (0..64).flat_map(|b| {
        let part = f64::from(b) / 64.0;
        let (sin, cos) = (2.0 * std::f64::consts::PI * part).sin_cos();
        [(1.0 + part) * cos, (1.0 + part) * sin]
    });
    problem("p4b", start.collect())
}

/// J = 1/(25·B·2) Σ_t Σ_b ‖y_b(t) − d_b(t)‖², t = 1 … 25, d_b the spiral without the network.
fn problem(id: &'static str, y0: Vec<f64>) -> Benchmark<NeuralOde, LeastSquares> {
    let times: Vec<f64> = (1..=25).map(f64::from).collect();
    let data = times.iter().flat_map(|&t| {
        let (decay, (sin, cos)) = ((-DECAY * t).exp(), (TURN * t).sin_cos());
        let turned = move |[a, b]: [f64; 2]| [cos * a + sin * b, cos * b - sin * a];
        y0.as_chunks::<2>().0.iter().flat_map(move |&y| turned(y).map(|x| decay * x))
    });
    let weight = 1.0 / (25 * y0.len()) as f64;
    Benchmark {
        id,
        ode: NeuralOde::new(y0.len() / 2),
        objective: LeastSquares::new(times.clone(), data.collect(), &[weight])
            .expect("the times ascend"),
        y0,
        p: nominal(),
        span: (0.0, 25.0),
        fixed_steps: None,
    }
}

/// The same bits in every language: s ← 1664525 s + 1013904223 mod 2³² from 12345, u = s/2³².
fn nominal() -> Vec<f64> {
    let mut s = 12345_u32;
    let mut next = |fan_in: f64| {
        s = s.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (2.0 * (f64::from(s) / 2f64.powi(32)) - 1.0) / fan_in.sqrt()
    };
    let fan_in = |k| if k < 3 * HIDDEN { 2.0 } else { HIDDEN as f64 };
    (0..NUM_PARAMS).map(|k| next(fan_in(k))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check;

    #[test]
    fn derivatives_are_those_of_the_equation() {
        let p = p4a().p;
        for batch in [1, 2, 5, 16, 17, 64] {
            let y = check::numbers(2 * batch, 3);
            check::derivative_products(&NeuralOde::new(batch), &y, &p);
            check::jacobian(&NeuralOde::new(batch), &y, &p);
        }
        check::objective(&p4b().objective, &p4b().y0, &p);
    }

    #[test]
    fn many_trajectories_move_as_each_does_alone() {
        let Benchmark { ode, y0, p, .. } = p4b();
        let mut dy = vec![f64::NAN; y0.len()];
        ode.rhs(At { t: 0.0, y: &y0, p: &p }, &mut dy, &mut ode.work());
        let one = NeuralOde::new(1);
        for (y, dy) in y0.chunks(2).zip(dy.chunks(2)) {
            let mut alone = [f64::NAN; 2];
            one.rhs(At { t: 0.0, y, p: &p }, &mut alone, &mut one.work());
            assert!((alone[0] - dy[0]).abs() < 1e-14 && (alone[1] - dy[1]).abs() < 1e-14);
        }
    }

    #[test]
    fn without_the_network_the_data_is_met() {
        for mut problem in [p4a(), p4b()] {
            problem.p.fill(0.0);
            let (value, _) = check::rk4(&problem, 2500);
            assert!(value < 1e-14, "{value}");
        }
    }

    #[test]
    #[ignore = "reads ../shared"]
    fn loss_is_that_of_the_reference() {
        check::loss(&p4a(), 20_000, 1e-10);
    }
}
