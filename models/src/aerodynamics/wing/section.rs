//! NACA's sections of four digits, with bumps.
//!
//! With the half thickness y_t = 5t (0.2969 √x − 0.1260 x − 0.3516 x² + 0.2843 x³ − 0.1036 x⁴), whose
//! last coefficient closes the trailing edge, and the camber line
//!
//! y_c = m/P² (2Px − x²) for x < P, m/(1−P)² (1 − 2P + 2Px − x²) behind,
//!
//! of slope tan τ the surfaces are (x ∓ y_t sin τ, y_c ± (y_t cos τ + Σ_k a_k b_k(x))), with a height
//! a_k for each bump b_k(x) = sin³(π x^{e_k}), e_k = ln ½/ln x_k, whose top is at x_k = k/12.
//!
//! The slope of the camber line has a kink where x = P, and with it the gradient by P where a point
//! of the surface lies there.
//!
//! I. H. Abbott, A. E. von Doenhoff, L. S. Stivers, NACA Report 824 (1945); R. M. Hicks,
//! P. A. Henne, J. Aircraft 15 (1978) 407–412, doi:10.2514/3.58379.

use std::f64::consts::PI;

use super::parameters::{BUMPS, CAMBER, CAMBER_PLACE, LOWER, SHAPE, THICKNESS, UPPER};
use crate::aerodynamics::euler::{Complex, Number};

/// 2y_t/t without t: coefficients of √x, x, x², x³, x⁴.
const THICKNESS_FORM: [f64; 5] = [0.2969, -0.1260, -0.3516, 0.2843, -0.1036];

/// b_k(x), k = 1 … [`BUMPS`]
pub fn bump(k: usize, x: f64) -> f64 {
    let top = k as f64 / (BUMPS + 1) as f64;
    (PI * x.powf(0.5_f64.ln() / top.ln())).sin().powi(3)
}

/// A point of the surface from the parameters of the shape: at φ ∈ [0, π] on the upper and up to 2π
/// on the lower surface, x = (1 + cos φ)/2, both ends being the trailing edge.
pub fn surface<R: Number>(shape: &[R], phi: f64) -> Complex<R> {
    let of = |index: usize| shape[index - SHAPE.start];
    let x = 0.5 * (1.0 + phi.cos());
    let upper = phi <= PI;
    let sign = R::of(if upper { 1.0 } else { -1.0 });
    let root = (0.5 * phi).cos().abs();
    let [c1, c2, c3, c4, c5] = THICKNESS_FORM;
    let form = 5.0 * (c1 * root + x * (c2 + x * (c3 + x * (c4 + x * c5))));
    let half = of(THICKNESS) * R::of(form);
    let (height, slope) = camber(of(CAMBER), of(CAMBER_PLACE), x);
    let cos = R::of(1.0) / (R::of(1.0) + slope * slope).sqrt();
    let first = if upper { UPPER.start } else { LOWER.start };
    let mut above = half * cos;
    for k in 1..=BUMPS {
        above = above + of(first + k - 1) * R::of(bump(k, x));
    }
    Complex::new(R::of(x) - sign * half * slope * cos, height + sign * above)
}

/// y_c and tan τ
fn camber<R: Number>(m: R, place: R, x: f64) -> (R, R) {
    let (one, two, x) = (R::of(1.0), R::of(2.0), R::of(x));
    let before = x.value() < place.value();
    let room = if before { place } else { one - place };
    let factor = m / (room * room);
    let start = if before { R::of(0.0) } else { one - two * place };
    (factor * (start + two * place * x - x * x), two * factor * (place - x))
}

/// The point inside the nose about which the grid turns: half of the radius of curvature
/// r = 1.1019 t² behind the leading edge, along the camber line.
pub fn nose<R: Number>(shape: &[R]) -> Complex<R> {
    let of = |index: usize| shape[index - SHAPE.start];
    let half_radius = R::of(0.5 * 1.1019) * of(THICKNESS) * of(THICKNESS);
    let slope = R::of(2.0) * of(CAMBER) / of(CAMBER_PLACE);
    Complex::new(half_radius, half_radius * slope)
}
