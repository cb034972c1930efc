//! Slow pitching of a thin section against linear theory.

use std::f64::consts::PI;

use costate::plot::{Panel, Series, lines_svg};
use costate_models::aerodynamics::checks::{march, slow_pitching, thin_aerofoil};
use costate_models::aerodynamics::euler::Complex;
use costate_models::aerodynamics::wing::Wing;
use costate_models::aerodynamics::wing::parameters::{self, FREQUENCY, PITCH};

use crate::Outcome;
use crate::pictures::line;
use crate::progress::Bar;

const MACH: f64 = 0.5;
const THICKNESS: f64 = 0.03;
const FREQUENCIES: [f64; 5] = [0.01, 0.02, 0.03, 0.05, 0.08];

/// The lift over the reduced frequency, of theory and by finite volumes. The latter is divided by
/// what thickness and grid do to the lift at rest.
pub fn slow_pitching_svg() -> Outcome<String> {
    const ANGLE: f64 = 0.0175;
    let bar = Bar::new("slow pitching", FREQUENCIES.len());
    let wing = Wing::new(64, 16, 50.0)?;
    let mut p = parameters::symmetric(MACH, ANGLE, THICKNESS);
    let start = march(&wing, &p, wing.free_stream(&p), 1e-7, 60_000)?.y;
    let at_rest = 2.0 * PI / (1.0 - MACH * MACH).sqrt();
    let ratio = wing.coefficients(0.0, &start, &p).lift / ANGLE / at_rest;
    p[PITCH] = ANGLE;
    let mut computed = Vec::new();
    for k in FREQUENCIES {
        p[FREQUENCY] = k;
        computed.push((k, slow_pitching(&wing, &p, &start, 2, 24)?.scale(1.0 / ratio)));
        bar.increase();
    }
    let theory = (1..=180).map(|n| 5e-4 * f64::from(n));
    let theory: Vec<_> = theory.map(|k| (k, thin_aerofoil(MACH, k))).collect();
    let panel = |y, of: fn(Complex) -> f64| {
        let points = |all: &[(f64, Complex)]| all.iter().map(|&(k, lift)| (k, of(lift))).collect();
        let series = vec![
            line("thin aerofoil", points(&theory)),
            Series { name: "finite volumes", points: points(&computed), dots: true },
        ];
        Panel { x: "reduced frequency ωc/2U", y, series }
    };
    let panels = [
        panel("lift per radian, in phase", |lift| lift.x),
        panel("a quarter of a period ahead", |lift| lift.y),
    ];
    let below = format!(
        "NACA 0003, Mach number {MACH}, pitching about its quarter chord; 64 × 16 cells, divided by \
         {ratio:.4}, the ratio at rest",
    );
    Ok(lines_svg(&panels, "Slow pitching and linear theory", &below)?)
}
