//! Steady flows around a section.

use approx::assert_abs_diff_eq;
use costate_models::aerodynamics::checks::{march, refined};
use costate_models::aerodynamics::wing::{Coefficients, Wing, parameters};

/// The coefficients on grids from 64 × 16 cells on, each twice as fine as the one before.
fn sequence(grids: usize, radius: f64, p: &[f64], tolerance: f64) -> Vec<Coefficients> {
    let (mut around, mut rings, mut y) = (64, 16, None);
    let mut all = Vec::new();
    for _ in 0..grids {
        let wing = Wing::new(around, rings, radius).unwrap();
        wing.check(p).unwrap();
        let start = y.unwrap_or_else(|| wing.free_stream(p));
        let run = march(&wing, p, start, tolerance, 60_000).unwrap();
        let c = wing.coefficients(0.0, &run.y, p);
        println!("{around} x {rings} cells to {radius} chords: {c:?}, {} steps", run.iterations);
        all.push(c);
        y = Some(refined(&run.y, around));
        (around, rings) = (2 * around, 2 * rings);
    }
    all
}

/// NACA 0012 at M = 0.63, α = 2°, of lift 0.33 and no drag.
fn naca0012() -> Vec<f64> {
    parameters::symmetric(0.63, 2f64.to_radians(), 0.12)
}

/// The order at which drag falls between the last two grids.
fn drag_order(all: &[Coefficients]) -> f64 {
    let [.., coarse, fine] = all else { panic!("two grids") };
    (coarse.drag / fine.drag).log2()
}

/// c_p = 2/(γM²) ((1 + (γ−1)/2 M²)^{γ/(γ−1)} − 1) where the flow comes to rest without losses.
#[test]
fn the_wall_has_the_pressure_of_rest_at_the_nose_and_that_of_the_lift() {
    const MACH: f64 = 0.63;
    let at_rest = ((1.0 + 0.2 * MACH * MACH).powf(3.5) - 1.0) / (0.7 * MACH * MACH);
    let (p, mut start, mut errors) = (naca0012(), None, Vec::new());
    for (around, rings) in [(64, 16), (128, 32)] {
        let wing = Wing::new(around, rings, 50.0).unwrap();
        let y = start.unwrap_or_else(|| wing.free_stream(&p));
        let y = march(&wing, &p, y, 1e-5, 60_000).unwrap().y;
        let pressure = wing.wall_pressure(&y, &p);
        assert_eq!(pressure.len(), around);
        let highest = (0..around).max_by(|&a, &b| pressure[a].total_cmp(&pressure[b])).unwrap();
        println!("c_p {:.4} on edge {highest}, {at_rest:.4} at rest", pressure[highest]);
        // On the lower surface, close to the nose.
        assert!((around / 2..around / 2 + around / 16).contains(&highest), "{highest}");
        errors.push((pressure[highest] / at_rest - 1.0).abs());

        let nodes = &wing.grid(&p).metrics.nodes;
        let [mut along, mut across] = [0.0; 2];
        for (i, c) in pressure.iter().enumerate() {
            along -= c * (nodes[i + 1].y - nodes[i].y);
            across += c * (nodes[i + 1].x - nodes[i].x);
        }
        let (sin, cos) = 2_f64.to_radians().sin_cos();
        let (lift, drag) = (cos * across - sin * along, cos * along + sin * across);
        let expected = wing.coefficients(0.0, &y, &p);
        assert!(lift > 0.3, "{lift}");
        assert_abs_diff_eq!(lift, expected.lift, epsilon = 1e-13);
        assert_abs_diff_eq!(drag, expected.drag, epsilon = 1e-13);
        start = Some(refined(&y, around));
    }
    assert!(errors[1] <= 0.02 && errors[1] < 0.5 * errors[0], "{errors:?}");
}

#[test]
fn naca_0012_has_the_published_lift_and_little_drag() {
    let all = sequence(3, 50.0, &naca0012(), 1e-7);
    assert!((all[2].lift - 0.33).abs() <= 0.03 * 0.33, "{all:?}");
    assert!(all[2].drag.abs() <= 5e-4 && drag_order(&all) >= 1.8, "{all:?}");
}

#[test]
fn the_far_field_is_far_enough_without_a_vortex() {
    let lift = |radius| sequence(2, radius, &naca0012(), 3e-7)[1].lift;
    let lifts = [25.0, 50.0, 100.0].map(lift);
    println!("lift with the far field at 25, 50 and 100 chords: {lifts:?}");
    assert!((lifts[1] - lifts[2]).abs() <= 5e-3 * lifts[2]);
}

/// With a shock above and a weak one below: lift 0.36, drag 0.023 (AGARD-AR-211 (1985), case 1).
#[test]
fn transonic_flow_has_the_published_lift_and_wave_drag() {
    let p = parameters::symmetric(0.8, 1.25_f64.to_radians(), 0.12);
    let all = sequence(3, 50.0, &p, 1e-5);
    assert_abs_diff_eq!(all[2].lift, 0.36, epsilon = 0.02);
    assert_abs_diff_eq!(all[2].drag, 0.023, epsilon = 0.002);
}
