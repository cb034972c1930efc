//! Numbers that carry derivatives: a + b ε, ε² = 0, in N directions at once.

use std::array::from_fn;
use std::ops::{Add, Div, Mul, Neg, Sub};

use super::Number;

/// A value and its derivatives in N directions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dual<const N: usize> {
    /// The value.
    pub value: f64,
    /// The derivatives.
    pub dot: [f64; N],
}

impl<const N: usize> Dual<N> {
    /// The number `value` whose derivative in `direction` is 1.
    pub fn along(value: f64, direction: usize) -> Self {
        Dual { value, dot: from_fn(|i| f64::from(u8::from(i == direction))) }
    }

    /// f(x) from its value and slope.
    #[inline(always)]
    fn chain(self, value: f64, slope: f64) -> Self {
        Dual { value, dot: self.dot.map(|dot| slope * dot) }
    }
}

impl<const N: usize> Add for Dual<N> {
    type Output = Self;

    #[inline(always)]
    fn add(self, b: Self) -> Self {
        Dual { value: self.value + b.value, dot: from_fn(|i| self.dot[i] + b.dot[i]) }
    }
}

impl<const N: usize> Sub for Dual<N> {
    type Output = Self;

    #[inline(always)]
    fn sub(self, b: Self) -> Self {
        Dual { value: self.value - b.value, dot: from_fn(|i| self.dot[i] - b.dot[i]) }
    }
}

impl<const N: usize> Mul for Dual<N> {
    type Output = Self;

    #[inline(always)]
    #[allow(clippy::suspicious_arithmetic_impl, reason = "the rule for products")]
    fn mul(self, b: Self) -> Self {
        let dot = from_fn(|i| self.dot[i] * b.value + self.value * b.dot[i]);
        Dual { value: self.value * b.value, dot }
    }
}

impl<const N: usize> Div for Dual<N> {
    type Output = Self;

    #[inline(always)]
    #[allow(clippy::suspicious_arithmetic_impl, reason = "the rule for quotients")]
    fn div(self, b: Self) -> Self {
        let value = self.value / b.value;
        Dual { value, dot: from_fn(|i| (self.dot[i] - value * b.dot[i]) / b.value) }
    }
}

impl<const N: usize> Neg for Dual<N> {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        self.chain(-self.value, -1.0)
    }
}

impl<const N: usize> Number for Dual<N> {
    fn of(value: f64) -> Self {
        Dual { value, dot: [0.0; N] }
    }

    fn value(self) -> f64 {
        self.value
    }

    fn sqrt(self) -> Self {
        let root = self.value.sqrt();
        self.chain(root, 0.5 / root)
    }

    fn exp(self) -> Self {
        let value = self.value.exp();
        self.chain(value, value)
    }

    fn ln(self) -> Self {
        self.chain(self.value.ln(), 1.0 / self.value)
    }

    fn sin_cos(self) -> (Self, Self) {
        let (sin, cos) = self.value.sin_cos();
        (self.chain(sin, cos), self.chain(cos, -sin))
    }

    fn atan2(self, x: Self) -> Self {
        let square = x.value * x.value + self.value * self.value;
        let dot = from_fn(|i| (x.value * self.dot[i] - self.value * x.dot[i]) / square);
        Dual { value: self.value.atan2(x.value), dot }
    }
}
