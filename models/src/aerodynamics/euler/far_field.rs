//! The far field by characteristics.
//!
//! On the boundary both Riemann invariants along the outward normal meet: R⁺ = q + 2a/(γ−1) of the
//! flow inside and R⁻ = q − 2a/(γ−1) of the free stream; entropy and the velocity along the
//! boundary come from inside where the flow leaves and from the free stream where it enters. The
//! change between them is blended, φ = ½ (1 + V/√(V² + δ²)), to be differentiable. The boundary must
//! be subsonic: else both invariants come from one side.
//!
//! A. Jameson, T. J. Baker, AIAA 83-1929, doi:10.2514/6.1983-1929.

use super::gas::{GAMMA, GAMMA_1, state_flux};
use super::roe::WIDTH;
use super::{Dual, Number};

/// The flux out through a face of outward normal n that moves with w, per length.
#[inline(always)]
pub fn flux<R: Number>(inside: &[R; 4], free: &[R; 4], n: [R; 2], w: R) -> [R; 4] {
    let (half, twice) = (R::of(0.5), R::of(2.0 / GAMMA_1));
    let through = |s: &[R; 4]| s[1] * n[0] + s[2] * n[1];
    let sound = |s: &[R; 4]| (R::of(GAMMA) * s[3] / s[0]).sqrt();
    let (q_in, q_free, a_in, a_free) = (through(inside), through(free), sound(inside), sound(free));
    let (plus, minus) = (q_in + twice * a_in, q_free - twice * a_free);
    let q = half * (plus + minus);
    let a = half * half * R::of(GAMMA_1) * (plus - minus);
    let v = q - w;
    let leaving = half + half * v / (v * v + R::of(WIDTH * WIDTH)).sqrt();
    let blend = |from_free: R, from_inside: R| from_free + leaving * (from_inside - from_free);
    // ρ ~ a^(2/(γ−1)) = a⁵ at constant entropy.
    let isentropic = |s: &[R; 4], a_s: R| {
        let ratio = a / a_s;
        let square = ratio * ratio;
        s[0] * square * square * ratio
    };
    let rho = blend(isentropic(free, a_free), isentropic(inside, a_in));
    let along = |k: usize| blend(free[k] - q_free * n[k - 1], inside[k] - q_in * n[k - 1]);
    let (u, v_y) = (along(1) + q * n[0], along(2) + q * n[1]);
    let p = rho * a * a * R::of(1.0 / GAMMA);
    let h = R::of(GAMMA / GAMMA_1) * p + half * rho * (u * u + v_y * v_y);
    state_flux(&[rho, u, v_y, p], h, n, v, w)
}

/// The derivatives of Σ_k f̄_k s F_k by the state inside, the normal, w, the free stream's velocity
/// and s. A row has few such faces, so that they are found in nine directions at once.
pub(super) fn flux_vjp(
    inside: &[f64; 4],
    free: &[f64; 4],
    n: [f64; 2],
    w: f64,
    s: f64,
    f_bar: &[f64; 4],
) -> ([f64; 9], f64) {
    let along = Dual::<9>::along;
    let inside = std::array::from_fn(|k| along(inside[k], k));
    let free = [Dual::of(free[0]), along(free[1], 7), along(free[2], 8), Dual::of(free[3])];
    let flux = flux(&inside, &free, [along(n[0], 4), along(n[1], 5)], along(w, 6));
    let (mut bars, mut s_bar) = ([0.0; 9], 0.0);
    for (f, bar) in flux.iter().zip(f_bar) {
        s_bar += bar * f.value;
        for (sum, dot) in bars.iter_mut().zip(f.dot) {
            *sum += bar * s * dot;
        }
    }
    (bars, s_bar)
}
