//! Steady flows around a section.

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
    assert!((all[2].lift - 0.36).abs() <= 0.02 && (all[2].drag - 0.023).abs() <= 0.002, "{all:?}");
}
