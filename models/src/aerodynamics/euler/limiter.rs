//! Van Albada's slope of a cell.
//!
//! s(a, b) = (a (b² + ε) + b (a² + ε)) / (a² + b² + 2ε), a and b being the differences to the cell
//! before and to the cell after. For ε > 0 it is a smooth function; where both differences are
//! below √ε it tends to their mean, which keeps second order at extrema.
//!
//! G. D. van Albada, B. van Leer, W. W. Roberts, Astron. Astrophys. 108 (1982) 76–84, which has no
//! DOI of its own.

use super::Number;
use crate::simd::mul_add;

/// ε
const SMALL: f64 = 1e-4;

/// s(a, b)
#[inline(always)]
pub fn slope<R: Number>(a: R, b: R) -> R {
    let (aa, bb) = (a * a + R::of(SMALL), b * b + R::of(SMALL));
    (a * bb + b * aa) / (aa + bb)
}

/// (∂s/∂a, ∂s/∂b)
#[inline(always)]
pub fn slope_derivative<const FMA: bool>(a: f64, b: f64) -> (f64, f64) {
    let fma = mul_add::<FMA>;
    let (aa, bb) = (fma(a, a, SMALL), fma(b, b, SMALL));
    let inverse = 1.0 / (aa + bb);
    let slope = fma(a, bb, b * aa) * inverse;
    (fma(2.0 * a, b - slope, bb) * inverse, fma(2.0 * b, a - slope, aa) * inverse)
}
