//! Pitching and plunging about the quarter chord.
//!
//! θ(t) = α + A sin ωt, h(t) = H sin ωt, ω = 2kM/c: nose up and upward, in a stream along x.

use super::parameters::{ALPHA, FREQUENCY, MACH, NUM_PARAMS, PITCH, PLUNGE};
use crate::aerodynamics::euler::{Dual, Frame, FrameBar, Number};

/// (M, θ, Ω, h') at a time; Ω = −θ' is anticlockwise.
fn state<R: Number>(t: R, p: &[R]) -> [R; 4] {
    let omega = R::of(2.0) * p[FREQUENCY] * p[MACH];
    let (sin, cos) = (omega * t).sin_cos();
    let (theta, theta_rate) = (p[ALPHA] + p[PITCH] * sin, p[PITCH] * omega * cos);
    [p[MACH], theta, -theta_rate, p[PLUNGE] * omega * cos]
}

/// The motion of the section's axes.
pub fn frame<R: Number>(t: R, p: &[R]) -> Frame<R> {
    let [mach, angle, rate, lift] = state(t, p);
    Frame::new(mach, angle, rate, lift)
}

/// θ(t)
pub fn angle<R: Number>(t: R, p: &[R]) -> R {
    state(t, p)[1]
}

/// The parameters of the motion.
const COUNT: usize = PLUNGE + 1;

/// Adds the derivatives by p and t, given those by the frame.
pub fn frame_vjp(t: f64, p: &[f64], bar: &FrameBar, p_bar: &mut [f64], t_bar: &mut f64) {
    let [mach, angle, _, lift] = state(t, p);
    state_vjp(t, p, bar.pull_back(mach, angle, lift), p_bar, t_bar);
}

/// Adds the derivatives by p and t, given that by θ(t).
pub fn angle_vjp(t: f64, p: &[f64], angle_bar: f64, p_bar: &mut [f64], t_bar: &mut f64) {
    state_vjp(t, p, [0.0, angle_bar, 0.0, 0.0], p_bar, t_bar);
}

fn state_vjp(t: f64, p: &[f64], bars: [f64; 4], p_bar: &mut [f64], t_bar: &mut f64) {
    type D = Dual<{ COUNT + 1 }>;
    let mut along = [D::of(0.0); NUM_PARAMS];
    for k in 0..COUNT {
        along[k] = D::along(p[k], k);
    }
    for (x, bar) in state(D::along(t, COUNT), &along).iter().zip(bars) {
        for (p_bar, dot) in p_bar.iter_mut().zip(&x.dot[..COUNT]) {
            *p_bar += bar * dot;
        }
        *t_bar += bar * x.dot[COUNT];
    }
}
