//! Roe's flux through a moving face.
//!
//! F = ½ (F(W_l) + F(W_r) − |A| ΔU), F(W) = (ρV, ρuV + p n_x, ρvV + p n_y, ρHV + pw) with the
//! velocity V = q − w through the face, q = u·n, and the face's own velocity w. With averages
//! û, v̂, Ĥ weighted by √ρ and ρ̂ = √(ρ_l ρ_r),
//!
//! |A| ΔU = l₂ ΔU + d₁ (1, û, v̂, Ĥ) + d₂ (0, n_x, n_y, q̂),
//!
//! d₁ = (A₁ Δp/a + A₂ ρ̂ Δq)/a, d₂ = A₁ ρ̂ Δq + A₂ Δp/a, A₁ = ½(l₁ + l₃) − l₂, A₂ = ½(l₃ − l₁),
//! l₁, l₂, l₃ being the sizes of V̂ − a, V̂, V̂ + a after Harten: |λ| from [`WIDTH`] on, and
//! (λ² + δ²)/2δ below, which has a continuous derivative.
//!
//! P. L. Roe, J. Comput. Phys. 43 (1981) 357–372, doi:10.1016/0021-9991(81)90128-5; A. Harten,
//! J. Comput. Phys. 49 (1983) 357–393, doi:10.1016/0021-9991(83)90136-5.

use super::Number;
use super::gas::{GAMMA, GAMMA_1, state_flux};
use crate::simd::mul_add;

/// δ, in units of the velocity of sound in the free stream.
pub const WIDTH: f64 = 0.05;

/// γ/(γ − 1)
const ENTHALPY: f64 = GAMMA / GAMMA_1;

/// The size of λ.
#[inline(always)]
fn size<R: Number>(lambda: R) -> R {
    let small = lambda * lambda * R::of(0.5 / WIDTH) + R::of(0.5 * WIDTH);
    if lambda.value().abs() < WIDTH { small } else { lambda.abs() }
}

/// The derivative of [`size`].
#[inline(always)]
fn size_derivative(lambda: f64) -> f64 {
    if lambda.abs() < WIDTH { lambda / WIDTH } else { 1.0_f64.copysign(lambda) }
}

/// The averages, and what both directions of differentiation need of them.
struct Average<R> {
    inverse: [R; 2],
    /// √(ρ_r/ρ_l) and the weight of the right state.
    ratio: R,
    weight: R,
    /// ρH and H of both sides.
    enthalpy: [R; 2],
    total: [R; 2],
    density: R,
    u: R,
    v: R,
    h: R,
    /// 1/a and a
    inverse_sound: R,
    sound: R,
    q: R,
    lambda: R,
}

impl<R: Number> Average<R> {
    #[inline(always)]
    fn new(l: &[R; 4], r: &[R; 4], n: [R; 2], w: R) -> Self {
        let (one, half) = (R::of(1.0), R::of(0.5));
        let product = one / (l[0] * r[0]);
        let inverse = [r[0] * product, l[0] * product];
        let ratio = (r[0] * inverse[0]).sqrt();
        let left = one / (one + ratio);
        let weight = ratio * left;
        let rho_h = |s: &[R; 4]| R::of(ENTHALPY) * s[3] + half * s[0] * (s[1] * s[1] + s[2] * s[2]);
        let enthalpy = [rho_h(l), rho_h(r)];
        let total = [enthalpy[0] * inverse[0], enthalpy[1] * inverse[1]];
        let mean = |a: R, b: R| a + weight * (b - a);
        let (u, v, h) = (mean(l[1], r[1]), mean(l[2], r[2]), mean(total[0], total[1]));
        let sound = (R::of(GAMMA_1) * (h - half * (u * u + v * v))).sqrt();
        let inverse_sound = one / sound;
        let q = u * n[0] + v * n[1];
        let (density, lambda) = (ratio * l[0], q - w);
        #[rustfmt::skip]
        let average = Average {
            inverse, ratio, weight, enthalpy, total, density, u, v, h, inverse_sound, sound, q, lambda,
        };
        average
    }

    /// l₁, l₂, l₃
    #[inline(always)]
    fn sizes(&self) -> [R; 3] {
        [self.lambda - self.sound, self.lambda, self.lambda + self.sound].map(size)
    }
}

/// F, through a face of unit normal n, per length.
#[inline(always)]
pub fn flux<R: Number>(l: &[R; 4], r: &[R; 4], n: [R; 2], w: R) -> [R; 4] {
    let average = Average::new(l, r, n, w);
    let [l1, l2, l3] = average.sizes();
    let half = R::of(0.5);
    let (a1, a2) = (half * (l1 + l3) - l2, half * (l3 - l1));
    let (ql, qr) = (l[1] * n[0] + l[2] * n[1], r[1] * n[0] + r[2] * n[1]);
    let x = (r[3] - l[3]) * average.inverse_sound;
    let y = average.density * (qr - ql);
    let (d1, d2) = (average.inverse_sound * (a1 * x + a2 * y), a1 * y + a2 * x);
    let [hl, hr] = average.enthalpy;
    let (fl, fr) = (state_flux(l, hl, n, ql - w, w), state_flux(r, hr, n, qr - w, w));
    let jump = [
        r[0] - l[0],
        r[0] * r[1] - l[0] * l[1],
        r[0] * r[2] - l[0] * l[2],
        (hr - r[3]) - (hl - l[3]),
    ];
    let wave = [
        d1,
        d1 * average.u + d2 * n[0],
        d1 * average.v + d2 * n[1],
        d1 * average.h + d2 * average.q,
    ];
    std::array::from_fn(|k| half * (fl[k] + fr[k] - l2 * jump[k] - wave[k]))
}

/// The derivatives of Σ_k f̄_k s F_k.
pub struct FluxBar {
    /// By the state on the left.
    pub l: [f64; 4],
    /// By the state on the right.
    pub r: [f64; 4],
    /// By the normal.
    pub n: [f64; 2],
    /// By the face's velocity.
    pub w: f64,
    /// By its length s.
    pub s: f64,
}

/// The transposed derivative of s F by all that it depends on.
#[inline(always)]
pub fn flux_vjp<const FMA: bool>(
    l: &[f64; 4],
    r: &[f64; 4],
    n: [f64; 2],
    w: f64,
    s: f64,
    f_bar: &[f64; 4],
) -> FluxBar {
    let fma = mul_add::<FMA>;
    let av = Average::new(l, r, n, w);
    let [l1, l2, l3] = av.sizes();
    let (a1, a2) = (fma(0.5, l1 + l3, -l2), 0.5 * (l3 - l1));
    let (ql, qr) = (fma(l[1], n[0], l[2] * n[1]), fma(r[1], n[0], r[2] * n[1]));
    let (dp, dq) = (r[3] - l[3], qr - ql);
    let (x, y) = (dp * av.inverse_sound, av.density * dq);
    let k = fma(a1, x, a2 * y);
    let (d1, d2) = (av.inverse_sound * k, fma(a1, y, a2 * x));
    let [hl, hr] = av.enthalpy;
    let (vl, vr) = (ql - w, qr - w);
    let (ml, mr) = (l[0] * vl, r[0] * vr);
    let pressures = l[3] + r[3];
    let jump = [
        r[0] - l[0],
        fma(r[0], r[1], -(l[0] * l[1])),
        fma(r[0], r[2], -(l[0] * l[2])),
        (hr - r[3]) - (hl - l[3]),
    ];
    let twice = [
        fma(-l2, jump[0], ml + mr - d1),
        fma(ml, l[1], fma(mr, r[1], fma(pressures - d2, n[0], fma(-d1, av.u, -l2 * jump[1])))),
        fma(ml, l[2], fma(mr, r[2], fma(pressures - d2, n[1], fma(-d1, av.v, -l2 * jump[2])))),
        fma(hl, vl, fma(hr, vr, fma(pressures, w, fma(-l2, jump[3], -fma(d1, av.h, d2 * av.q))))),
    ];
    let s_bar = fma(
        f_bar[0],
        twice[0],
        fma(f_bar[1], twice[1], fma(f_bar[2], twice[2], f_bar[3] * twice[3])),
    );
    let half = 0.5 * s;
    let phi = [half * f_bar[0], half * f_bar[1], half * f_bar[2], half * f_bar[3]];
    let jumps = fma(phi[0], jump[0], fma(phi[1], jump[1], fma(phi[2], jump[2], phi[3] * jump[3])));

    // The waves.
    let normal = fma(phi[1], n[0], phi[2] * n[1]);
    let d1_bar = -fma(phi[1], av.u, fma(phi[2], av.v, fma(phi[3], av.h, phi[0])));
    let d2_bar = -fma(phi[3], av.q, normal);
    let scaled = d1_bar * av.inverse_sound;
    let (a1_bar, a2_bar) = (fma(scaled, x, d2_bar * y), fma(scaled, y, d2_bar * x));
    let (x_bar, y_bar) = (fma(scaled, a1, d2_bar * a2), fma(scaled, a2, d2_bar * a1));
    let inverse_sound_bar = fma(d1_bar, k, x_bar * dp);
    let (l1_bar, l3_bar) = (0.5 * (a1_bar - a2_bar), 0.5 * (a1_bar + a2_bar));
    let l2_bar = -jumps - a1_bar;
    let slow = l1_bar * size_derivative(av.lambda - av.sound);
    let fast = l3_bar * size_derivative(av.lambda + av.sound);
    let lambda_bar = fma(l2_bar, size_derivative(av.lambda), slow + fast);
    let spent = inverse_sound_bar * av.inverse_sound;
    let sound_bar = fma(-spent, av.inverse_sound, fast - slow);
    let square_bar = 0.5 * GAMMA_1 * sound_bar * av.inverse_sound;

    // The averages.
    let q_bar = fma(-d2, phi[3], lambda_bar);
    let u_bar = fma(q_bar, n[0], -fma(d1, phi[1], square_bar * av.u));
    let v_bar = fma(q_bar, n[1], -fma(d1, phi[2], square_bar * av.v));
    let h_bar = fma(-d1, phi[3], square_bar);
    let weight_bar =
        fma(u_bar, r[1] - l[1], fma(v_bar, r[2] - l[2], h_bar * (av.total[1] - av.total[0])));
    let (weight, left) = (av.weight, 1.0 - av.weight);
    let density_bar = y_bar * dq;
    let ratio_bar = fma(density_bar, l[0], weight_bar * left * left);
    let root = 0.5 * av.ratio * ratio_bar;

    let dq_bar = y_bar * av.density;
    let dp_bar = fma(x_bar, av.inverse_sound, l2 * phi[3]);
    let pressure = fma(phi[3], w, normal);
    let of = [u_bar, v_bar, h_bar];
    let common = Common { n, phi, pressure, l2, of };
    let (mut l_bar, ql_bar, vl_bar) =
        common.vjp::<FMA>(l, hl, vl, [-1.0, left, -root, av.inverse[0], av.total[0], dq_bar]);
    let (mut r_bar, qr_bar, vr_bar) =
        common.vjp::<FMA>(r, hr, vr, [1.0, weight, root, av.inverse[1], av.total[1], dq_bar]);
    l_bar[0] = fma(density_bar, av.ratio, l_bar[0]);
    l_bar[3] -= dp_bar;
    r_bar[3] += dp_bar;
    let along = |k: usize, mean: f64| {
        let sides = fma(ql_bar, l[k], qr_bar * r[k]);
        fma(phi[k], pressures - d2, fma(q_bar, mean, sides))
    };
    FluxBar {
        l: l_bar,
        r: r_bar,
        n: [along(1, av.u), along(2, av.v)],
        w: fma(phi[3], pressures, -(vl_bar + vr_bar + lambda_bar)),
        s: 0.5 * s_bar,
    }
}

/// What the derivatives by both sides' states have in common: n, φ = ½ s F̄, those of the mean
/// pressure and of û, v̂ and Ĥ, and l₂.
struct Common {
    n: [f64; 2],
    phi: [f64; 4],
    pressure: f64,
    l2: f64,
    of: [f64; 3],
}

impl Common {
    /// The derivatives by a side's state, by q and by V, but for those by Δp. The side enters jumps
    /// with `sign`, means with `weight` and the ratio of densities with `root` times `inverse`.
    #[inline(always)]
    fn vjp<const FMA: bool>(
        &self,
        state: &[f64; 4],
        h: f64,
        v: f64,
        [sign, weight, root, inverse, total, dq_bar]: [f64; 6],
    ) -> ([f64; 4], f64, f64) {
        let fma = mul_add::<FMA>;
        let (phi, n, jump) = (&self.phi, self.n, -sign * self.l2);
        let mass = state[0] * v;
        let along = fma(phi[1], state[1], phi[2] * state[2]);
        let mass_bar = phi[0] + along;
        let total_bar = weight * self.of[2] * inverse;
        let h_bar = fma(phi[3], v, fma(jump, phi[3], total_bar));
        let v_bar = fma(phi[3], h, mass_bar * state[0]);
        let q_bar = fma(sign, dq_bar, v_bar);
        let kinetic = h_bar * state[0];
        let energy = 0.5 * fma(state[1], state[1], state[2] * state[2]);
        // ρu enters the jump and, times V, the flux.
        let carried = fma(jump, state[0], mass);
        let by_density = fma(h_bar, energy, fma(jump, mass_bar, -total_bar * total));
        let state_bar = [
            fma(mass_bar, v, fma(root, inverse, by_density)),
            fma(phi[1], carried, fma(kinetic, state[1], fma(q_bar, n[0], weight * self.of[0]))),
            fma(phi[2], carried, fma(kinetic, state[2], fma(q_bar, n[1], weight * self.of[1]))),
            fma(ENTHALPY, h_bar, self.pressure),
        ];
        (state_bar, q_bar, v_bar)
    }
}
