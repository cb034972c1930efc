//! Laws of the flow around a section.

use costate::method::Explicit;
use costate::ode::{Jvp, Ode, Vjp};
use costate::problem::Problem;
use costate::tableau::{HEUN, RK4, Tableau};
use costate_models::aerodynamics::wing::parameters::{
    self, ALPHA, CAMBER, CAMBER_PLACE, FREQUENCY, LOWER, MACH, NUM_PARAMS, PITCH, PLUNGE,
    THICKNESS, UPPER, names,
};
use costate_models::aerodynamics::wing::{Coefficients, Mean, Wing, WingError};

const LIFT: Coefficients = Coefficients { lift: 1.0, drag: 0.0, moment: 0.0 };

fn numbers(n: usize, seed: u64) -> Vec<f64> {
    let mut s = seed;
    let mut next = || {
        s = s.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (s >> 11) as f64 / 2f64.powi(52) - 1.0
    };
    (0..n).map(|_| next()).collect()
}

/// A cambered section with bumps that pitches and plunges.
fn all_moves() -> Vec<f64> {
    let mut p = parameters::symmetric(0.55, 0.03, 0.12);
    (p[PITCH], p[FREQUENCY], p[PLUNGE]) = (0.02, 0.3, 0.01);
    (p[CAMBER], p[CAMBER_PLACE]) = (0.02, 0.41);
    for (k, bump) in UPPER.chain(LOWER).enumerate() {
        p[bump] = 1e-3 * (k as f64).sin();
    }
    p
}

/// The state after `steps` steps from the free stream.
fn developed(wing: &Wing, p: &[f64], end: f64, steps: usize) -> Vec<f64> {
    let y0 = wing.free_stream(p);
    let problem = Problem::new(wing, &y0, &(), (0.0, end), p);
    let run = problem.method(Explicit::Named(&HEUN)).fixed_steps(steps).solve(&[end]).unwrap();
    run.states.into_iter().next().unwrap()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[test]
fn the_transposed_derivative_is_that_of_the_tangent() {
    let (wing, p) = (Wing::new(32, 12, 10.0).unwrap(), all_moves());
    wing.check(&p).unwrap();
    let y = developed(&wing, &p, 0.5, 50);
    let (t, d) = (0.5, y.len());
    let (mut dy, mut work) = (vec![0.0; d], wing.work());
    wing.rhs(t, &y, &p, &mut dy, &mut work);
    for seed in 0..3 {
        let w = numbers(d, seed);
        let (mut y_bar, mut p_bar, mut t_bar) = (vec![0.0; d], vec![0.0; NUM_PARAMS], 0.0);
        wing.vjp(t, &y, &p, &w, &mut y_bar, &mut p_bar, &mut t_bar, &mut work);
        // The state, then each parameter.
        for k in 0..=NUM_PARAMS {
            let mut y_dot = vec![0.0; d];
            let mut p_dot = vec![0.0; NUM_PARAMS];
            if k == NUM_PARAMS {
                y_dot = numbers(d, 99 + seed);
            } else {
                p_dot[k] = 1.0;
            }
            let mut dy_dot = vec![0.0; d];
            wing.jvp(t, &y, &p, &y_dot, &p_dot, &mut dy_dot, &mut work);
            let (forward, back) = (dot(&w, &dy_dot), dot(&y_bar, &y_dot) + dot(&p_bar, &p_dot));
            let size: f64 = w.iter().zip(&dy_dot).map(|(a, b)| (a * b).abs()).sum();
            let names = names();
            let name = names.get(k).map_or("state", String::as_str);
            assert!((forward - back).abs() <= 1e-12 * size, "{name}: {forward} {back} of {size}");
            assert!(size > 0.0, "{name}");
        }
    }
}
