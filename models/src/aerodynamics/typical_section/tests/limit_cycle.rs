//! Beyond flutter the cubic spring in pitch ends the growth: the mean energy of the limit cycle and
//! what moves it, by the adjoint of a long run and by harmonic balance.

use costate::problem::Problem;

use super::super::growth::WindowedEnergy;
use super::*;

/// The mean of ξ² + α² by harmonic balance: with α = A cos ωτ the spring is as stiff as a linear
/// one of K = 1 + 3β_αA²/4, and the section is neutral with it. Stiffness in pitch by K is speed
/// and plunge frequency by 1/√K.
fn by_harmonic_balance(section: &TypicalSection, p: &[f64]) -> f64 {
    let plunge = section.model().parameter_index("wb").unwrap();
    let softened = |root: f64| {
        let mut p = p.to_vec();
        p[plunge] /= root;
        p
    };
    // √K U_F(ω̄/√K) = U by Newton's method.
    let mut root = 1.0;
    for _ in 0..6 {
        let flutter = section.flutter(&softened(root), (6.0, 6.5)).unwrap();
        let slope = flutter.velocity - softened(root)[plunge] * flutter.wrt_params[plunge];
        root -= (root * flutter.velocity - p[TypicalSection::VELOCITY]) / slope;
    }
    let mut neutral = softened(root);
    neutral[TypicalSection::VELOCITY] = p[TypicalSection::VELOCITY] / root;
    let mode = section.critical_mode(&neutral).unwrap();
    let square = 4.0 * (root * root - 1.0) / (3.0 * p[TypicalSection::PITCH_CUBIC]);
    0.5 * square * (1.0 + mode.right[0].norm_sqr() / mode.right[2].norm_sqr())
}

#[test]
fn the_limit_cycle_is_that_of_harmonic_balance() {
    let section = TypicalSection::new();
    let model = section.model();
    for velocity in [6.35, 6.4, 6.6] {
        let p = with(&section, &[("U", velocity), ("ba", 3.0)]);
        let window = WindowedEnergy { start: 3000.0, width: 1000.0 };
        let problem = Problem::new(model, (0.0, 4000.0), &p).objective(&window);
        let run = problem.rtol(1e-9).atol(1e-12).snapshots(40).gradient().unwrap();
        // The mean of sin¹² is 231/1024.
        let weight = 231.0 / 1024.0 * window.width;
        let mean = by_harmonic_balance(&section, &p);
        // What is left out is of the order of the square of the motion.
        let bound = 0.3 * mean;
        assert!((run.value / weight - mean).abs() <= bound * mean, "{} {mean}", run.value / weight);

        let slopes = differences(&p, |p| [by_harmonic_balance(&section, p)]);
        let largest = slopes.iter().flatten().fold(0.0, |most: f64, slope| most.max(slope.abs()));
        for (i, slope) in slopes.iter().flatten().enumerate() {
            // The balance has no cubic spring in plunge.
            if model.parameters()[i].name != "bx" {
                let error = (run.wrt_params[i] / weight - slope).abs();
                let scale = slope.abs() + 0.1 * largest;
                assert!(error <= bound * scale, "{velocity}, {i}: {error} of {scale}");
            }
        }
    }
}
