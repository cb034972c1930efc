//! The perfect gas.

use super::Number;

/// γ, the ratio of specific heats of air.
pub const GAMMA: f64 = 1.4;

/// γ − 1
pub(super) const GAMMA_1: f64 = GAMMA - 1.0;

/// The conserved variables (ρ, ρu, ρv, ρE) of the primitive ones (ρ, u, v, p).
pub fn conserved<R: Number>([rho, u, v, p]: [R; 4]) -> [R; 4] {
    let kinetic = R::of(0.5) * rho * (u * u + v * v);
    [rho, rho * u, rho * v, p / R::of(GAMMA_1) + kinetic]
}

/// F(W) of a state with ρH = h through a face that moves with w, V being the velocity through it.
#[inline(always)]
pub(super) fn state_flux<R: Number>(s: &[R; 4], h: R, n: [R; 2], v: R, w: R) -> [R; 4] {
    let mass = s[0] * v;
    [mass, mass * s[1] + s[3] * n[0], mass * s[2] + s[3] * n[1], h * v + s[3] * w]
}
