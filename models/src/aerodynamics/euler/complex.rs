//! Points of the plane as complex numbers.

use std::ops::{Add, Div, Mul, Sub};

use super::Number;

/// x + iy
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Complex<R = f64> {
    /// The real part.
    pub x: R,
    /// The imaginary part.
    pub y: R,
}

impl<R: Number> Complex<R> {
    /// x + iy
    pub fn new(x: R, y: R) -> Self {
        Complex { x, y }
    }

    /// A constant.
    pub fn of(x: f64, y: f64) -> Self {
        Complex { x: R::of(x), y: R::of(y) }
    }

    /// The number without its derivatives.
    pub fn value(self) -> Complex {
        Complex { x: self.x.value(), y: self.y.value() }
    }

    /// |z|²
    pub fn square(self) -> R {
        self.x * self.x + self.y * self.y
    }

    /// A factor times the number.
    pub fn scale(self, factor: R) -> Self {
        Complex { x: self.x * factor, y: self.y * factor }
    }

    /// The root in the right half plane.
    pub fn sqrt(self) -> Self {
        let (half, size) = (R::of(0.5), self.square().sqrt());
        if self.x.value() >= 0.0 {
            let x = (half * (size + self.x)).sqrt();
            Complex { x, y: half * self.y / x }
        } else {
            let y = (half * (size - self.x)).sqrt();
            let y = if self.y.value() < 0.0 { -y } else { y };
            Complex { x: half * self.y / y, y }
        }
    }

    /// (cosh z, sinh z)
    pub fn cosh_sinh(self) -> (Self, Self) {
        let (grown, half) = (self.x.exp(), R::of(0.5));
        let shrunk = R::of(1.0) / grown;
        let (cosh, sinh) = (half * (grown + shrunk), half * (grown - shrunk));
        let (sin, cos) = self.y.sin_cos();
        (Complex { x: cosh * cos, y: sinh * sin }, Complex { x: sinh * cos, y: cosh * sin })
    }
}

impl<R: Number> Add for Complex<R> {
    type Output = Self;

    fn add(self, b: Self) -> Self {
        Complex { x: self.x + b.x, y: self.y + b.y }
    }
}

impl<R: Number> Sub for Complex<R> {
    type Output = Self;

    fn sub(self, b: Self) -> Self {
        Complex { x: self.x - b.x, y: self.y - b.y }
    }
}

impl<R: Number> Mul for Complex<R> {
    type Output = Self;

    fn mul(self, b: Self) -> Self {
        Complex { x: self.x * b.x - self.y * b.y, y: self.x * b.y + self.y * b.x }
    }
}

impl<R: Number> Div for Complex<R> {
    type Output = Self;

    fn div(self, b: Self) -> Self {
        let size = b.square();
        let x = (self.x * b.x + self.y * b.y) / size;
        Complex { x, y: (self.y * b.x - self.x * b.y) / size }
    }
}
