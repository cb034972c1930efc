//! Lotka–Volterra: predators and prey.
//!
//! x' = a x − b x y,  y' = −c y + d x y
//!
//! | symbol | meaning | value | unit |
//! |---|---|---|---|
//! | x, y | prey, predators | x(0) = y(0) = 1 | – |
//! | p₀ = a | birth rate of the prey | 1.5 | 1/time |
//! | p₁ = b | loss of prey by each predator | 1 | 1/time |
//! | p₂ = c | death rate of the predators | 3 | 1/time |
//! | p₃ = d | gain of predators by each prey | 1 | 1/time |
//!
//! Source: A. J. Lotka, Proc. Natl. Acad. Sci. 6 (1920) 410–415, doi:10.1073/pnas.6.7.410;
//! V. Volterra, Nature 118 (1926) 558–560, doi:10.1038/118558a0. The observations are made up.
//!
//! Stresses: the cost of a step itself, the model being two lines; in p1b a phase whose
//! sensitivity grows with time.
//!
//! Known answer: d x − c ln x + b y − a ln y does not change in time (Volterra).

use costate::numbers::linalg::Matrix;
use costate::ode::objective::LeastSquares;
use costate::ode::{At, Bars, Dots, Jvp, Ode, Rows, Vjp};

use crate::Benchmark;

/// The model, of two states and four parameters (a, b, c, d).
#[derive(Clone, Copy, Debug, Default)]
pub struct LotkaVolterra;

impl Ode for LotkaVolterra {
    type Work = ();

    fn dim(&self) -> usize {
        2
    }

    fn num_params(&self) -> usize {
        4
    }

    fn work(&self) {}

    fn work_bytes(&self) -> usize {
        0
    }

    #[inline]
    fn rhs(&self, At { y, p, .. }: At<'_>, dy: &mut [f64], _: &mut ()) {
        let (&[x, y], &[a, b, c, d]) = (state(y), params(p));
        let meetings = x * y;
        dy[0] = a * x - b * meetings;
        dy[1] = d * meetings - c * y;
    }
}

impl Vjp for LotkaVolterra {
    #[inline]
    fn vjp(
        &self,
        At { y, p, .. }: At<'_>,
        w: &[f64],
        Bars { y: y_bar, p: p_bar, .. }: Bars<'_>,
        _: &mut (),
    ) {
        let (&[x, y], &[a, b, c, d], &[wx, wy]) = (state(y), params(p), state(w));
        let meetings = x * y;
        let meeting = d * wy - b * wx;
        y_bar[0] += a * wx + meeting * y;
        y_bar[1] += meeting * x - c * wy;
        p_bar[0] += x * wx;
        p_bar[1] -= meetings * wx;
        p_bar[2] -= y * wy;
        p_bar[3] += meetings * wy;
    }

    fn jacobian(&self, At { y, p, .. }: At<'_>, jac: &mut Matrix, _: Rows<'_>, _: &mut ()) {
        let (&[x, y], &[a, b, c, d]) = (state(y), params(p));
        jac.values_mut().copy_from_slice(&[a - b * y, d * y, -b * x, d * x - c]);
    }
}

impl Jvp for LotkaVolterra {
    fn jvp(
        &self,
        At { y, p, .. }: At<'_>,
        Dots { y: y_dot, p: p_dot }: Dots<'_>,
        dy_dot: &mut [f64],
        _: &mut (),
    ) {
        let (&[x, y], &[a, b, c, d]) = (state(y), params(p));
        let (&[x_dot, y_dot], &[a_dot, b_dot, c_dot, d_dot]) = (state(y_dot), params(p_dot));
        let meetings_dot = x_dot * y + x * y_dot;
        dy_dot[0] = a_dot * x + a * x_dot - b_dot * x * y - b * meetings_dot;
        dy_dot[1] = d_dot * x * y + d * meetings_dot - c_dot * y - c * y_dot;
    }
}

#[inline]
fn state(y: &[f64]) -> &[f64; 2] {
    y.first_chunk().expect("two states")
}

#[inline]
fn params(p: &[f64]) -> &[f64; 4] {
    p.first_chunk().expect("four parameters")
}

/// 101 observations in 10 time units.
pub fn p1a() -> Benchmark<LotkaVolterra, LeastSquares> {
    problem("p1a", 10.0)
}

/// 101 observations in 1000 time units.
pub fn p1b() -> Benchmark<LotkaVolterra, LeastSquares> {
    problem("p1b", 1000.0)
}

fn problem(id: &'static str, end: f64) -> Benchmark<LotkaVolterra, LeastSquares> {
    let times: Vec<f64> = (0..=100).map(|i| end * f64::from(i) / 100.0).collect();
    let data = times.iter().flat_map(|t| [1.0 + 0.5 * t.sin(), 1.0 + 0.5 * t.cos()]).collect();
    Benchmark {
        id,
        ode: LotkaVolterra,
        objective: LeastSquares::new(times, data, &[1.0]).expect("the times ascend"),
        y0: vec![1.0, 1.0],
        p: vec![1.5, 1.0, 3.0, 1.0],
        span: (0.0, end),
        fixed_steps: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check;

    #[test]
    fn derivatives_are_those_of_the_equation() {
        let problem = p1a();
        check::derivative_products(&problem.ode, &[0.7, 2.1], &problem.p);
        check::jacobian(&problem.ode, &[0.7, 2.1], &problem.p);
        check::objective(&problem.objective, &[0.7, 2.1], &problem.p);
    }

    #[test]
    fn volterras_invariant_stays() {
        let problem = p1a();
        let [a, b, c, d] = *params(&problem.p);
        let invariant = |y: &[f64]| d * y[0] - c * y[0].ln() + b * y[1] - a * y[1].ln();
        let (_, end) = check::rk4(&problem, 10_000);
        assert!((end[0] - 1.0).abs() > 1e-3);
        assert!((invariant(&end) - invariant(&problem.y0)).abs() < 1e-11);
    }

    #[test]
    #[ignore = "reads ../shared"]
    fn loss_is_that_of_the_reference() {
        check::loss(&p1a(), 20_000, 1e-11);
    }
}
