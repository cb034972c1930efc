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
pub fn flux_vjp(
    l: &[f64; 4],
    r: &[f64; 4],
    n: [f64; 2],
    w: f64,
    s: f64,
    f_bar: &[f64; 4],
) -> FluxBar {
    let av = Average::new(l, r, n, w);
    let [l1, l2, l3] = av.sizes();
    let (a1, a2) = (0.5 * (l1 + l3) - l2, 0.5 * (l3 - l1));
    let (ql, qr) = (l[1] * n[0] + l[2] * n[1], r[1] * n[0] + r[2] * n[1]);
    let (dp, dq) = (r[3] - l[3], qr - ql);
    let (x, y) = (dp * av.inverse_sound, av.density * dq);
    let k = a1 * x + a2 * y;
    let (d1, d2) = (av.inverse_sound * k, a1 * y + a2 * x);
    let [hl, hr] = av.enthalpy;
    let (vl, vr) = (ql - w, qr - w);
    let (fl, fr) = (state_flux(l, hl, n, vl, w), state_flux(r, hr, n, vr, w));
    let jump = [
        r[0] - l[0],
        r[0] * r[1] - l[0] * l[1],
        r[0] * r[2] - l[0] * l[2],
        (hr - r[3]) - (hl - l[3]),
    ];
    let wave = [d1, d1 * av.u + d2 * n[0], d1 * av.v + d2 * n[1], d1 * av.h + d2 * av.q];

    let phi = f_bar.map(|bar| 0.5 * s * bar);
    let (mut s_bar, mut jumps) = (0.0, 0.0);
    for k in 0..4 {
        s_bar += f_bar[k] * (fl[k] + fr[k] - l2 * jump[k] - wave[k]);
        jumps += phi[k] * jump[k];
    }

    // The waves.
    let d1_bar = -(phi[0] + phi[1] * av.u + phi[2] * av.v + phi[3] * av.h);
    let d2_bar = -(phi[1] * n[0] + phi[2] * n[1] + phi[3] * av.q);
    let scaled = d1_bar * av.inverse_sound;
    let (a1_bar, a2_bar) = (scaled * x + d2_bar * y, scaled * y + d2_bar * x);
    let (x_bar, y_bar) = (scaled * a1 + d2_bar * a2, scaled * a2 + d2_bar * a1);
    let inverse_sound_bar = d1_bar * k + x_bar * dp;
    let (l1_bar, l3_bar) = (0.5 * (a1_bar - a2_bar), 0.5 * (a1_bar + a2_bar));
    let l2_bar = -jumps - a1_bar;
    let slow = l1_bar * size_derivative(av.lambda - av.sound);
    let fast = l3_bar * size_derivative(av.lambda + av.sound);
    let lambda_bar = slow + l2_bar * size_derivative(av.lambda) + fast;
    let sound_bar = fast - slow - inverse_sound_bar * av.inverse_sound * av.inverse_sound;
    let square_bar = 0.5 * GAMMA_1 * sound_bar * av.inverse_sound;

    // The averages.
    let q_bar = lambda_bar - d2 * phi[3];
    let u_bar = q_bar * n[0] - d1 * phi[1] - square_bar * av.u;
    let v_bar = q_bar * n[1] - d1 * phi[2] - square_bar * av.v;
    let h_bar = square_bar - d1 * phi[3];
    let weight_bar =
        u_bar * (r[1] - l[1]) + v_bar * (r[2] - l[2]) + h_bar * (av.total[1] - av.total[0]);
    let (weight, left) = (av.weight, 1.0 - av.weight);
    let density_bar = y_bar * dq;
    let ratio_bar = density_bar * l[0] + weight_bar * left * left;
    let (total_l_bar, total_r_bar) = (left * h_bar, weight * h_bar);
    let root = 0.5 * av.ratio * ratio_bar;

    let side = Side { n, w, phi, l2 };
    let dq_bar = y_bar * av.density;
    let dp_bar = x_bar * av.inverse_sound;
    let bar = |state: &[f64; 4], h: f64, v: f64, sign: f64, i: usize| {
        let total_bar = [total_l_bar, total_r_bar][i] * av.inverse[i];
        let mut bar = side.vjp(state, h, v, sign, total_bar, sign * dq_bar);
        bar.0[0] += sign * root * av.inverse[i] - total_bar * av.total[i];
        bar.0[1] += [left, weight][i] * u_bar;
        bar.0[2] += [left, weight][i] * v_bar;
        bar.0[3] += sign * dp_bar;
        bar
    };
    let (mut l_bar, n_l, v_l) = bar(l, hl, vl, -1.0, 0);
    let (r_bar, n_r, v_r) = bar(r, hr, vr, 1.0, 1);
    l_bar[0] += density_bar * av.ratio;
    let pressures = l[3] + r[3];
    let n_bar = [
        n_l[0] + n_r[0] + phi[1] * pressures - d2 * phi[1] + q_bar * av.u,
        n_l[1] + n_r[1] + phi[2] * pressures - d2 * phi[2] + q_bar * av.v,
    ];
    let w_bar = phi[3] * pressures - v_l - v_r - lambda_bar;
    FluxBar { l: l_bar, r: r_bar, n: n_bar, w: w_bar, s: 0.5 * s_bar }
}

/// What the derivatives by one side's state have in common.
struct Side {
    n: [f64; 2],
    w: f64,
    phi: [f64; 4],
    l2: f64,
}

impl Side {
    /// The parts by the state, by the normal and by V of the side's own flux and of its conserved
    /// variables in the jump, which enter with `sign`.
    #[inline(always)]
    fn vjp(
        &self,
        state: &[f64; 4],
        h: f64,
        v: f64,
        sign: f64,
        h_bar: f64,
        q_bar: f64,
    ) -> ([f64; 4], [f64; 2], f64) {
        let (phi, n) = (&self.phi, self.n);
        let kappa = phi.map(|phi| -sign * self.l2 * phi);
        let mass = state[0] * v;
        let mass_bar = phi[0] + phi[1] * state[1] + phi[2] * state[2];
        let h_bar = h_bar + phi[3] * v + kappa[3];
        let v_bar = phi[3] * h + mass_bar * state[0];
        let q_bar = q_bar + v_bar;
        let kinetic = h_bar * state[0];
        let energy = 0.5 * (state[1] * state[1] + state[2] * state[2]);
        let state_bar = [
            mass_bar * v + h_bar * energy + kappa[0] + kappa[1] * state[1] + kappa[2] * state[2],
            phi[1] * mass + kinetic * state[1] + q_bar * n[0] + kappa[1] * state[0],
            phi[2] * mass + kinetic * state[2] + q_bar * n[1] + kappa[2] * state[0],
            phi[1] * n[0] + phi[2] * n[1] + phi[3] * self.w + ENTHALPY * h_bar - kappa[3],
        ];
        (state_bar, [q_bar * state[1], q_bar * state[2]], v_bar)
    }
}
