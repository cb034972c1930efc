//! Slow pitching against thin-aerofoil theory.

use std::f64::consts::PI;

use costate::method::Explicit;
use costate::problem::Problem;
use costate::tableau::SSPRK3;
use costate_models::aerodynamics::euler::Complex;
use costate_models::aerodynamics::wing::Wing;
use costate_models::aerodynamics::wing::parameters::{self, FREQUENCY, PITCH};

const MACH: f64 = 0.5;
const PITCHING: f64 = 0.0175;

/// The lift per angle by thin-aerofoil theory for pitching about the quarter chord, e^{iωt}:
/// Theodorsen's, π (ik − k²/2) + 2π C(k) (1 + ik), with R. T. Jones's C(k), over √(1 − M²).
/// For k = 0 it is 2π/√(1 − M²).
fn theory(k: f64) -> Complex {
    let one = Complex::of(1.0, 0.0);
    let lag = |c: f64, e: f64| Complex::of(c, 0.0) / Complex::of(1.0, -e / k);
    let theodorsen = one - lag(0.165, 0.0455) - lag(0.335, 0.3);
    let circulatory = (theodorsen * Complex::of(1.0, k)).scale(2.0 * PI);
    let sum = circulatory + Complex::of(-PI * k * k / 2.0, PI * k);
    sum.scale(1.0 / (1.0 - MACH * MACH).sqrt())
}

/// The lift per angle in the second period of a run from the free stream.
fn computed(k: f64, around: usize, rings: usize) -> Complex {
    const SAMPLES: usize = 64;
    let wing = Wing::new(around, rings, 30.0).unwrap();
    let mut p = parameters::symmetric(MACH, 0.0, 0.06);
    (p[PITCH], p[FREQUENCY]) = (PITCHING, k);
    wing.check(&p).unwrap();
    let (omega, y0) = (2.0 * k * MACH, wing.free_stream(&p));
    let period = 2.0 * PI / omega;
    let end = 1.75 * period;
    let steps = (end / (0.6 * wing.largest_step(&SSPRK3, 0.0, &y0, &p).0)).ceil() as usize;
    let times: Vec<f64> =
        (0..SAMPLES).map(|n| end - period * (n as f64 / SAMPLES as f64)).rev().collect();
    let problem = Problem::new(&wing, &y0, &(), (0.0, end), &p);
    let run = problem.method(Explicit::Named(&SSPRK3)).fixed_steps(steps).solve(&times).unwrap();
    let mut sum = Complex::of(0.0, 0.0);
    for (&t, y) in times.iter().zip(&run.states) {
        let (sin, cos) = (omega * t).sin_cos();
        let lift = wing.coefficients(t, y, &p).lift;
        sum = sum + Complex::of(sin, cos).scale(2.0 / SAMPLES as f64 * lift / PITCHING);
    }
    let (quasi_steady, by_theory) = (2.0 * PI / (1.0 - MACH * MACH).sqrt(), theory(k));
    println!(
        "k = {k}, {around} x {rings} cells, {steps} steps: lift per angle {:.4} {:+.4}i, theory \
         {:.4} {:+.4}i, 2 pi / sqrt(1 - M^2) {quasi_steady:.4}",
        sum.x, sum.y, by_theory.x, by_theory.y
    );
    sum
}

#[test]
fn slow_pitching_is_near_thin_aerofoil_theory() {
    let lift = computed(0.05, 64, 16);
    let error = (lift - theory(0.05)).square().sqrt() / theory(0.05).square().sqrt();
    assert!(error <= 0.1, "{error}");
}

#[test]
#[ignore = "takes minutes"]
fn slower_pitching_approaches_the_steady_theory() {
    let steady = theory(1e-12).x;
    assert!((steady - 2.0 * PI / (1.0 - MACH * MACH).sqrt()).abs() < 1e-9);
    let distance = |k: f64| {
        let lift = computed(k, 64, 16);
        (lift - Complex::of(steady, 0.0)).square().sqrt() / steady
    };
    let [slow, slower, slowest] = [0.04, 0.02, 0.01].map(distance);
    println!("distances from the steady theory: {slow} {slower} {slowest}");
    assert!(slowest < slower && slower < slow && slowest <= 0.1);
}
