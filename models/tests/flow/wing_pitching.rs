//! Slow pitching against linear theory.

use std::f64::consts::PI;

use costate_models::aerodynamics::checks::{march, slow_pitching, thin_aerofoil};
use costate_models::aerodynamics::euler::Complex;
use costate_models::aerodynamics::wing::Wing;
use costate_models::aerodynamics::wing::parameters::{self, FREQUENCY, PITCH};

const MACH: f64 = 0.5;

fn distance(a: Complex, b: Complex) -> f64 {
    (a - b).square().sqrt() / b.square().sqrt()
}

#[test]
fn linear_theory_has_its_known_limits() {
    // Theodorsen's function at k = 0.1, as tabulated: 0.8319 − 0.1723i.
    let incompressible = thin_aerofoil(1e-9, 0.1).scale(0.5 / PI);
    let expected = Complex::of(0.8319, -0.1723) * Complex::of(1.0, 0.1) + Complex::of(0.0, 0.05);
    assert!(distance(incompressible, expected) < 1e-4, "{incompressible:?} {expected:?}");
    let steady = Complex::of(2.0 * PI / (1.0 - MACH * MACH).sqrt(), 0.0);
    let gaps = [1e-3, 1e-4, 1e-5].map(|k| distance(thin_aerofoil(MACH, k), steady));
    assert!(gaps[0] < 1e-2 && gaps[1] < 0.2 * gaps[0] && gaps[2] < 0.2 * gaps[1], "{gaps:?}");
}

/// Of a thin section, per lift of linear theory at rest: what thickness, the grid and the distance of
/// the far field do to the steady lift is no matter of unsteady theory.
#[test]
fn slow_pitching_approaches_linear_theory() {
    const ANGLE: f64 = 0.0175;
    let wing = Wing::new(64, 16, 50.0).unwrap();
    let mut p = parameters::symmetric(MACH, ANGLE, 0.03);
    let start = march(&wing, &p, wing.free_stream(&p), 1e-7, 60_000).unwrap().y;
    let by_theory = 2.0 * PI / (1.0 - MACH * MACH).sqrt();
    let steady = wing.coefficients(0.0, &start, &p).lift / ANGLE;
    println!("at rest: {steady:.4} per radian, theory {by_theory:.4}");
    assert!((steady / by_theory - 1.0).abs() < 0.05);
    p[PITCH] = ANGLE;
    let mut unsteady = f64::INFINITY;
    for k in [0.05, 0.02, 0.01] {
        p[FREQUENCY] = k;
        let lift = slow_pitching(&wing, &p, &start, 2, 24).unwrap().scale(by_theory / steady);
        let theory = thin_aerofoil(MACH, k);
        let error = distance(lift, theory);
        println!(
            "k = {k}: {:.4} {:+.4}i, theory {:.4} {:+.4}i, distance {error:.4}",
            lift.x, lift.y, theory.x, theory.y
        );
        assert!(error <= 0.02);
        let from_rest = distance(lift, Complex::of(by_theory, 0.0));
        assert!(from_rest < 0.7 * unsteady);
        unsteady = from_rest;
    }
}
