//! The numbers that the scheme is written over: `f64`, and [`Dual`](super::Dual) for tangents.

use std::ops::{Add, Div, Mul, Neg, Sub};

/// A real number, with or without derivatives.
pub trait Number:
    Copy
    + Send
    + Sync
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// A constant.
    fn of(x: f64) -> Self;
    /// The number without its derivatives, which decides between branches.
    fn value(self) -> f64;
    /// √x
    fn sqrt(self) -> Self;
    /// eˣ
    fn exp(self) -> Self;
    /// ln x
    fn ln(self) -> Self;
    /// (sin x, cos x)
    fn sin_cos(self) -> (Self, Self);
    /// The angle of the point (x, self).
    fn atan2(self, x: Self) -> Self;

    /// |x|
    #[inline(always)]
    fn abs(self) -> Self {
        if self.value() < 0.0 { -self } else { self }
    }
}

impl Number for f64 {
    #[inline(always)]
    fn of(x: f64) -> f64 {
        x
    }

    #[inline(always)]
    fn value(self) -> f64 {
        self
    }

    #[inline(always)]
    fn sqrt(self) -> f64 {
        f64::sqrt(self)
    }

    fn exp(self) -> f64 {
        f64::exp(self)
    }

    fn ln(self) -> f64 {
        f64::ln(self)
    }

    fn sin_cos(self) -> (f64, f64) {
        f64::sin_cos(self)
    }

    fn atan2(self, x: f64) -> f64 {
        f64::atan2(self, x)
    }

    #[inline(always)]
    fn abs(self) -> f64 {
        f64::abs(self)
    }
}
