//! Arithmetic and functions on [`Expr`]: `Expr`, `&Expr`, `f64` and `i32` mix on both sides.

use std::iter::Sum;
use std::ops::{Add, Div, Mul, Neg, Sub};

use super::op::{Binary, Unary};
use super::symbol::Expr;

/// An operator between expressions and numbers; a number on the left needs an implementation of its
/// own, as Rust allows none for all that become expressions.
macro_rules! operator {
    ($operator:ident, $method:ident, [$($number:ty),*]) => {
        impl<R: Into<Expr>> $operator<R> for Expr {
            type Output = Expr;
            fn $method(self, other: R) -> Expr {
                Expr::binary(Binary::$operator, self, other)
            }
        }
        impl<R: Into<Expr>> $operator<R> for &Expr {
            type Output = Expr;
            fn $method(self, other: R) -> Expr {
                Expr::binary(Binary::$operator, self, other)
            }
        }
        $(impl $operator<Expr> for $number {
            type Output = Expr;
            fn $method(self, other: Expr) -> Expr {
                Expr::binary(Binary::$operator, self, other)
            }
        }
        impl $operator<&Expr> for $number {
            type Output = Expr;
            fn $method(self, other: &Expr) -> Expr {
                Expr::binary(Binary::$operator, self, other)
            }
        })*
    };
}

operator!(Add, add, [f64, i32]);
operator!(Sub, sub, [f64, i32]);
operator!(Mul, mul, [f64, i32]);
operator!(Div, div, [f64, i32]);

impl Neg for Expr {
    type Output = Expr;
    fn neg(self) -> Expr {
        Expr::unary(Unary::Neg, &self)
    }
}

impl Neg for &Expr {
    type Output = Expr;
    fn neg(self) -> Expr {
        Expr::unary(Unary::Neg, self)
    }
}

/// Left to right; 0 where there is nothing to add.
impl Sum for Expr {
    fn sum<I: Iterator<Item = Expr>>(terms: I) -> Expr {
        terms.reduce(|a, b| a + b).unwrap_or_else(|| Expr::from(0.0))
    }
}

/// The functions of the formula language. A comparison is 1 where it holds and 0 elsewhere.
impl Expr {
    /// eˣ.
    pub fn exp(&self) -> Expr {
        Expr::unary(Unary::Exp, self)
    }
    /// The natural logarithm.
    pub fn ln(&self) -> Expr {
        Expr::unary(Unary::Log, self)
    }
    /// The logarithm to base 10.
    pub fn log10(&self) -> Expr {
        Expr::unary(Unary::Log10, self)
    }
    /// √x.
    pub fn sqrt(&self) -> Expr {
        Expr::unary(Unary::Sqrt, self)
    }
    /// The sine.
    pub fn sin(&self) -> Expr {
        Expr::unary(Unary::Sin, self)
    }
    /// The cosine.
    pub fn cos(&self) -> Expr {
        Expr::unary(Unary::Cos, self)
    }
    /// The tangent.
    pub fn tan(&self) -> Expr {
        Expr::unary(Unary::Tan, self)
    }
    /// The inverse sine.
    pub fn asin(&self) -> Expr {
        Expr::unary(Unary::Asin, self)
    }
    /// The inverse cosine.
    pub fn acos(&self) -> Expr {
        Expr::unary(Unary::Acos, self)
    }
    /// The inverse tangent.
    pub fn atan(&self) -> Expr {
        Expr::unary(Unary::Atan, self)
    }
    /// The hyperbolic sine.
    pub fn sinh(&self) -> Expr {
        Expr::unary(Unary::Sinh, self)
    }
    /// The hyperbolic cosine.
    pub fn cosh(&self) -> Expr {
        Expr::unary(Unary::Cosh, self)
    }
    /// The hyperbolic tangent.
    pub fn tanh(&self) -> Expr {
        Expr::unary(Unary::Tanh, self)
    }
    /// The inverse hyperbolic sine.
    pub fn asinh(&self) -> Expr {
        Expr::unary(Unary::Asinh, self)
    }
    /// The inverse hyperbolic cosine.
    pub fn acosh(&self) -> Expr {
        Expr::unary(Unary::Acosh, self)
    }
    /// The inverse hyperbolic tangent.
    pub fn atanh(&self) -> Expr {
        Expr::unary(Unary::Atanh, self)
    }
    /// |x|, with derivative 1 at 0.
    pub fn abs(&self) -> Expr {
        Expr::unary(Unary::Abs, self)
    }
    /// The largest whole number that is not larger, with derivative 0.
    pub fn floor(&self) -> Expr {
        Expr::unary(Unary::Floor, self)
    }
    /// The smallest whole number that is not smaller, with derivative 0.
    pub fn ceil(&self) -> Expr {
        Expr::unary(Unary::Ceil, self)
    }
    /// −1, 0 or 1, with derivative 0.
    pub fn sign(&self) -> Expr {
        Expr::unary(Unary::Sign, self)
    }
    /// 1 where this is 0, else 0.
    pub fn not(&self) -> Expr {
        Expr::unary(Unary::Not, self)
    }
    /// The smaller one; where they are equal, the derivative is this one's.
    pub fn min(&self, other: impl Into<Expr>) -> Expr {
        Expr::binary(Binary::Min, self, other)
    }
    /// The larger one; where they are equal, the derivative is this one's.
    pub fn max(&self, other: impl Into<Expr>) -> Expr {
        Expr::binary(Binary::Max, self, other)
    }
    /// This to the power `exponent`; a constant whole exponent up to 32 becomes products.
    pub fn pow(&self, exponent: impl Into<Expr>) -> Expr {
        Expr::binary(Binary::Pow, self, exponent)
    }
    /// [`pow`](Self::pow) with a number.
    pub fn powf(&self, exponent: f64) -> Expr {
        self.pow(exponent)
    }
    /// [`pow`](Self::pow) with a whole number.
    pub fn powi(&self, exponent: i32) -> Expr {
        self.pow(f64::from(exponent))
    }
    /// 1 where this is less than `other`.
    pub fn less(&self, other: impl Into<Expr>) -> Expr {
        Expr::binary(Binary::Less, self, other)
    }
    /// 1 where this is at most `other`.
    pub fn less_equal(&self, other: impl Into<Expr>) -> Expr {
        Expr::binary(Binary::LessEqual, self, other)
    }
    /// 1 where this is greater than `other`.
    pub fn greater(&self, other: impl Into<Expr>) -> Expr {
        Expr::binary(Binary::Less, other, self)
    }
    /// 1 where this is at least `other`.
    pub fn greater_equal(&self, other: impl Into<Expr>) -> Expr {
        Expr::binary(Binary::LessEqual, other, self)
    }
    /// 1 where both are equal.
    pub fn equal(&self, other: impl Into<Expr>) -> Expr {
        Expr::binary(Binary::Equal, self, other)
    }
    /// 1 where they differ.
    pub fn not_equal(&self, other: impl Into<Expr>) -> Expr {
        Expr::binary(Binary::NotEqual, self, other)
    }
    /// 1 where neither is 0.
    pub fn and(&self, other: impl Into<Expr>) -> Expr {
        Expr::binary(Binary::And, self, other)
    }
    /// 1 where not both are 0.
    pub fn or(&self, other: impl Into<Expr>) -> Expr {
        Expr::binary(Binary::Or, self, other)
    }
}
