//! Slow pitching about the quarter chord, by linear theory and by the finite volumes.
//!
//! Per angle θ = e^{iωt} the lift coefficient of a flat plate in a subsonic stream is, to first order
//! in k = ωc/2U,
//!
//! L = (2π/β) {C(K) [1 + ik/2 + i(k − KM²)/2] + iK/2} (1 − iKM²/2) e^{iKf(M)},
//!
//! K = k/β², β² = 1 − M², f(M) = (1 − β) ln M + β ln(1 + β) − ln 2, with Theodorsen's
//! C(K) = H₁/(H₁ + iH₀), H_n being Hankel's functions of the second kind: the incompressible lift of
//! the upwash 1 + ik(x + ½) times e^{−iKM²x}, its pressure times e^{iKM²x}, and the delay by which
//! sound cuts off the far part of the wake. For M = 0 it is Theodorsen's, for k = 0 it is 2π/β.
//!
//! T. Theodorsen, NACA Report 496 (1935); R. K. Amiet, Compressibility effects in unsteady
//! thin-airfoil theory, AIAA Journal 12 (1974) 252–255.

use std::f64::consts::{LN_2, PI};

use costate::error::Error;
use costate::method::Method;
use costate::method::tableau::KVAERNO3;
use costate::problem::Problem;

use crate::aerodynamics::euler::Complex;
use crate::aerodynamics::wing::Wing;
use crate::aerodynamics::wing::parameters::{ALPHA, FREQUENCY, MACH, PITCH};

/// C(k), k > 0
fn theodorsen(k: f64) -> Complex {
    let h0 = Complex::of(libm::j0(k), -libm::y0(k));
    let h1 = Complex::of(libm::j1(k), -libm::y1(k));
    h1 / (h1 + h0 * Complex::of(0.0, 1.0))
}

/// L for 0 < M < 1 and k > 0: the part in phase with the angle, and a quarter of a period before it.
pub fn thin_aerofoil(mach: f64, k: f64) -> Complex {
    let square = 1.0 - mach * mach;
    let (beta, slow) = (square.sqrt(), k / square);
    let carried = slow * mach * mach;
    let circulation = theodorsen(slow) * Complex::of(1.0, 0.5 * k + 0.5 * (k - carried));
    let sum = circulation + Complex::of(0.0, 0.5 * slow);
    let delay = (1.0 - beta) * mach.ln() + beta * (1.0 + beta).ln() - LN_2;
    let (sin, cos) = (slow * delay).sin_cos();
    (sum * Complex::of(1.0, -0.5 * carried) * Complex::of(cos, sin)).scale(2.0 * PI / beta)
}

/// The lift per angle of a wing with these parameters, pitching about no mean angle, in the last of
/// some periods after it left the steady flow `start` at its largest angle, by implicit steps of a
/// `per_period`-th of a period.
///
/// # Errors
/// Where a step cannot be taken.
pub fn slow_pitching(
    wing: &Wing,
    p: &[f64],
    start: &Vec<f64>,
    periods: usize,
    per_period: usize,
) -> Result<Complex, Error> {
    let (omega, mut at) = (2.0 * p[FREQUENCY] * p[MACH], p.to_vec());
    at[ALPHA] = 0.0;
    let h = 2.0 * PI / omega / per_period as f64;
    let begin = 0.5 * PI / omega;
    let steps = periods * per_period;
    let times: Vec<f64> = (steps - per_period + 1..=steps).map(|n| begin + n as f64 * h).collect();
    let end = times[per_period - 1];
    let problem = Problem::new(wing, (begin, end), &at).initial(start);
    let run = problem.method(Method::Named(&KVAERNO3)).fixed_steps(steps).solve(&times)?;
    let scale = 2.0 / (per_period as f64 * p[PITCH]);
    let terms = times.iter().zip(&run.states).map(|(&t, y)| {
        let (sin, cos) = (omega * t).sin_cos();
        Complex::of(sin, cos).scale(scale * wing.coefficients(t, y, &at).lift)
    });
    Ok(terms.fold(Complex::of(0.0, 0.0), |sum, term| sum + term))
}
