//! A nonlinear, non-autonomous system of two states with a closed form.
//!
//! y1' = −a s y1 − w y2, y2' = −a s y2 + w y1, with s = y1² + y2², w = b s + c cos t, y(0) = (q, 0):
//! y = r (cos θ, sin θ), r² = s = q²/D, θ = b L/(2a) + c sin t, D = 1 + 2aq²t, L = ln D.

use costate::expr::Expr;
use costate::model::{Model, ModelBuilder};

/// A run: its end, and its a, b, c, q.
#[derive(Clone, Copy)]
pub struct Run {
    pub end: f64,
    pub p: [f64; 4],
}

/// An inward spiral.
pub const INWARD: Run = Run { end: 3.0, p: [0.3, 2.5, 0.7, 1.4] };

/// An outward spiral.
pub const OUTWARD: Run = Run { end: 3.0, p: [-0.08, 2.0, 0.7, 1.1] };

impl Run {
    /// The run that a method of this order solves to less than 1e-2 in few steps, with errors that
    /// are asymptotic before they meet rounding.
    pub fn for_order(order: u32) -> Self {
        match order {
            ..3 => Run { end: 0.5, ..INWARD },
            3..8 => INWARD,
            8.. => OUTWARD,
        }
    }

    /// r, θ, and their derivatives by a, b, c, q.
    fn polar(self, t: f64) -> ([f64; 2], [[f64; 4]; 2]) {
        let [a, b, c, q] = self.p;
        let grown = 1.0 + 2.0 * a * q * q * t;
        let (r, log) = (q / grown.sqrt(), grown.ln());
        let theta = b * log / (2.0 * a) + c * t.sin();
        let by_a = -b * log / (2.0 * a * a) + b * q * q * t / (a * grown);
        let r_by = [-t * r.powi(3), 0.0, 0.0, (r / q).powi(3)];
        ([r, theta], [r_by, [by_a, log / (2.0 * a), t.sin(), 2.0 * b * q * t / grown]])
    }

    /// y(t) and ∂y/∂(a, b, c, q), by rows.
    pub fn state(self, t: f64) -> ([f64; 2], [[f64; 4]; 2]) {
        let ([r, theta], [r_by, theta_by]) = self.polar(t);
        let (sin, cos) = theta.sin_cos();
        let first = std::array::from_fn(|j| cos * r_by[j] - r * sin * theta_by[j]);
        let second = std::array::from_fn(|j| sin * r_by[j] + r * cos * theta_by[j]);
        ([r * cos, r * sin], [first, second])
    }

    /// ∫ w dt = θ(t) and its derivatives.
    pub fn turned(self, t: f64) -> (f64, [f64; 4]) {
        let ([_, theta], [_, theta_by]) = self.polar(t);
        (theta, theta_by)
    }
}

/// w(t, y), whose integral is θ.
pub fn turning(t: &Expr, y: &[Expr], p: &[Expr]) -> Expr {
    &p[1] * (&y[0] * &y[0] + &y[1] * &y[1]) + &p[2] * t.cos()
}

pub fn trace() -> ModelBuilder {
    Model::trace(2, 4, |t, y, p| {
        let decay = &p[0] * (&y[0] * &y[0] + &y[1] * &y[1]);
        let w = turning(t, y, p);
        [-(&decay * &y[0]) - &w * &y[1], w * &y[0] - decay * &y[1]]
    })
    .initial(|p| [p[3].clone(), 0.0.into()])
}
