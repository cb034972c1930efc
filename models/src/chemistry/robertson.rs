//! Robertson: three reactions whose rates differ by nine orders of magnitude.
//!
//! y₁' = −k₁ y₁ + k₃ y₂ y₃,  y₂' = k₁ y₁ − k₃ y₂ y₃ − k₂ y₂²,  y₃' = k₂ y₂²
//!
//! | symbol | meaning | value | unit |
//! |---|---|---|---|
//! | y₁, y₂, y₃ | fractions of the species A, B, C | (1, 0, 0) at t = 0 | – |
//! | p₀ = ln k₁ | A → B | ln 0.04 | k in 1/s |
//! | p₁ = ln k₂ | B + B → C + B | ln 3·10⁷ | k in 1/s |
//! | p₂ = ln k₃ | B + C → A + C | ln 10⁴ | k in 1/s |
//!
//! Source: H. H. Robertson, in J. Walsh (ed.), Numerical Analysis, an Introduction, Academic Press
//! 1966, 178–182; E. Hairer, G. Wanner, Solving Ordinary Differential Equations II, IV.1,
//! doi:10.1007/978-3-642-05221-7.
//!
//! Stresses: stiffness, a slow component of size 1e-5, and parameters known by their logarithms.
//!
//! Known answers: y₁ + y₂ + y₃ = 1 always; y(0.4) = (0.98517, 3.3864e-5, 0.014794) as printed by
//! CVODE's example cvRoberts_dns (A. C. Hindmarsh et al., doi:10.1145/1089014.1089020).

use costate::numbers::linalg::Matrix;
use costate::ode::objective::Terminal;
use costate::ode::{At, Bars, Dots, Jvp, Ode, Rows, Vjp};

use crate::Benchmark;
use crate::benchmark::TerminalCost;

/// The model, of three states and the logarithms of three rates.
#[derive(Clone, Copy, Debug, Default)]
pub struct Robertson;

/// k₁, k₂, k₃ = exp p, kept with the p that they belong to: three exponentials cost ten times what
/// the equations do, and p stays as it is for a whole run.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    p: [f64; 3],
    k: [f64; 3],
}

impl Rates {
    #[inline]
    fn at(&mut self, p: &[f64]) -> [f64; 3] {
        if p != self.p {
            self.p.copy_from_slice(p);
            self.k = self.p.map(f64::exp);
        }
        self.k
    }
}

impl Ode for Robertson {
    type Work = Rates;

    fn dim(&self) -> usize {
        3
    }

    fn num_params(&self) -> usize {
        3
    }

    fn work(&self) -> Rates {
        Rates { p: [0.0; 3], k: [1.0; 3] }
    }

    fn work_bytes(&self) -> usize {
        size_of::<Rates>()
    }

    #[inline]
    fn rhs(&self, At { y, p, .. }: At<'_>, dy: &mut [f64], work: &mut Rates) {
        let [k1, k2, k3] = work.at(p);
        let (r1, r2, r3) = (k1 * y[0], k2 * y[1] * y[1], k3 * y[1] * y[2]);
        dy[0] = r3 - r1;
        dy[1] = r1 - r3 - r2;
        dy[2] = r2;
    }
}

impl Vjp for Robertson {
    #[inline]
    fn vjp(
        &self,
        At { y, p, .. }: At<'_>,
        w: &[f64],
        Bars { y: y_bar, p: p_bar, .. }: Bars<'_>,
        work: &mut Rates,
    ) {
        let [k1, k2, k3] = work.at(p);
        let (w1, w2, w3) = (w[1] - w[0], w[2] - w[1], w[0] - w[1]);
        y_bar[0] += k1 * w1;
        y_bar[1] += 2.0 * k2 * y[1] * w2 + k3 * y[2] * w3;
        y_bar[2] += k3 * y[1] * w3;
        p_bar[0] += k1 * y[0] * w1;
        p_bar[1] += k2 * y[1] * y[1] * w2;
        p_bar[2] += k3 * y[1] * y[2] * w3;
    }

    fn jacobian(&self, At { y, p, .. }: At<'_>, jac: &mut Matrix, _: Rows<'_>, work: &mut Rates) {
        let [k1, k2, k3] = work.at(p);
        let (r2, r32, r33) = (2.0 * k2 * y[1], k3 * y[2], k3 * y[1]);
        jac.values_mut().copy_from_slice(&[-k1, k1, 0.0, r32, -r32 - r2, r2, r33, -r33, 0.0]);
    }
}

impl Jvp for Robertson {
    fn jvp(
        &self,
        At { y, p, .. }: At<'_>,
        Dots { y: y_dot, p: p_dot }: Dots<'_>,
        dy_dot: &mut [f64],
        work: &mut Rates,
    ) {
        let [k1, k2, k3] = work.at(p);
        let r1 = k1 * (p_dot[0] * y[0] + y_dot[0]);
        let r2 = k2 * y[1] * (p_dot[1] * y[1] + 2.0 * y_dot[1]);
        let r3 = k3 * (p_dot[2] * y[1] * y[2] + y_dot[1] * y[2] + y[1] * y_dot[2]);
        dy_dot[0] = r3 - r1;
        dy_dot[1] = r1 - r3 - r2;
        dy_dot[2] = r2;
    }
}

/// J = ½ (y₁² + (10⁵ y₂)² + y₃²) at T = 10⁵. Solve it with absolute tolerances 10⁻⁶ times the
/// relative one.
pub fn p2() -> Benchmark<Robertson, TerminalCost> {
    Benchmark {
        id: "p2",
        ode: Robertson,
        objective: Terminal::new(cost, cost_gradient),
        y0: vec![1.0, 0.0, 0.0],
        p: [0.04_f64, 3e7, 1e4].map(f64::ln).to_vec(),
        span: (0.0, 1e5),
        fixed_steps: None,
    }
}

fn cost(y: &[f64], _p: &[f64]) -> f64 {
    let scaled = 1e5 * y[1];
    0.5 * (y[0] * y[0] + scaled * scaled + y[2] * y[2])
}

fn cost_gradient(y: &[f64], _p: &[f64], y_bar: &mut [f64], _p_bar: &mut [f64]) {
    y_bar[0] += y[0];
    y_bar[1] += 1e10 * y[1];
    y_bar[2] += y[2];
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check;

    #[test]
    fn derivatives_are_those_of_the_equation() {
        let (problem, y) = (p2(), [0.7, 2e-5, 0.3]);
        // Terms of 1e10 would drown the others in rounding: mild rates test the same formulas.
        let mild = [0.04_f64, 3.0, 1.4].map(f64::ln);
        check::derivative_products(&problem.ode, &[0.7, 0.4, 0.3], &mild);
        check::jacobian(&problem.ode, &[0.7, 0.4, 0.3], &mild);
        check::jacobian(&problem.ode, &y, &problem.p);
        check::objective(&problem.objective, &y, &problem.p);
    }

    #[test]
    fn state_is_that_of_cvode() {
        let mut problem = p2();
        problem.span.1 = 0.4;
        let (_, y) = check::rk4(&problem, 4000);
        for (y, expected) in y.iter().zip([9.8517e-1, 3.3864e-5, 1.4794e-2]) {
            assert!((y - expected).abs() < 5e-5 * expected, "{y} {expected}");
        }
        assert!((y.iter().sum::<f64>() - 1.0).abs() < 1e-14);
    }

    #[test]
    #[ignore = "reads ../shared"]
    fn cost_is_that_of_the_reference() {
        let (y, loss) = (check::reference("p2", "y_end"), check::reference("p2", "loss"));
        assert!((cost(&y, &[]) - loss[0]).abs() < 1e-14);
    }
}
