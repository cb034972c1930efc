//! The pressure on the section, as it is usually drawn: −c_p upward, over the chord.

use costate::plot::{Panel, PlotError, lines_svg};
use costate_models::aerodynamics::euler::gas::GAMMA;
use costate_models::aerodynamics::wing::Wing;
use costate_models::aerodynamics::wing::ogrid::CENTRE;
use costate_models::aerodynamics::wing::parameters::MACH;

use crate::case::Case;
use crate::naca0012::Naca0012;
use crate::pictures::line;

/// A flow at an angle in degrees.
pub type Flow<'a> = (f64, &'a [f64]);

/// The steady flow, and those of the pitching run at its largest and its smallest angle.
pub fn pressure_svg(
    naca0012: &Naca0012,
    case: &Case,
    largest: Flow,
    smallest: Flow,
) -> Result<String, PlotError> {
    let Naca0012 { wing, p, y } = naca0012;
    let mut lower = surface(wing, p, y);
    let upper = lower.drain(..lower.len() / 2).collect();
    let x = "x in chords";
    let steady = Panel {
        x,
        y: "−c_p,  NACA 0012, M = 0.63, 2°, steady",
        series: vec![
            line("upper surface", upper),
            line("lower surface", lower),
            line("−c_p*, Mach number 1", sonic(p[MACH])),
        ],
    };
    let names = [largest, smallest].map(|(angle, _)| format!("at {angle:.1}°"));
    let around = |flow: Flow| surface(&case.wing, &case.p, flow.1);
    let pitching = Panel {
        x,
        y: "−c_p,  NACA 1412, M = 0.72, pitching",
        series: vec![
            line(&names[0], around(largest)),
            line(&names[1], around(smallest)),
            line("−c_p* of steady flow", sonic(case.p[MACH])),
        ],
    };
    let ((a, b), (c, d)) = (wing.size(), case.wing.size());
    let below = format!(
        "c_p = 2(p − p∞)/(ρ∞U²); left: {a} × {b} cells, lift {:.4}; right: {c} × {d} cells, the \
         upper surface on top",
        naca0012.lift()
    );
    lines_svg(&[steady, pitching], "The pressure on the section", &below)
}

/// −c_p over the middles of the edges, from the trailing edge over the upper surface and back below.
fn surface(wing: &Wing, p: &[f64], y: &[f64]) -> Vec<(f64, f64)> {
    let nodes = &wing.grid(p).metrics.nodes;
    let middle = |i: usize| CENTRE + 0.5 * (nodes[i].x + nodes[i + 1].x);
    wing.wall_pressure(y, p).iter().enumerate().map(|(i, c)| (middle(i), -c)).collect()
}

/// c_p* = 2/(γM²) (((2 + (γ−1)M²)/(γ+1))^{γ/(γ−1)} − 1), where steady flow without losses has M = 1.
fn sonic(mach: f64) -> Vec<(f64, f64)> {
    let ratio = (2.0 + (GAMMA - 1.0) * mach * mach) / (GAMMA + 1.0);
    let c = 2.0 / (GAMMA * mach * mach) * (ratio.powf(GAMMA / (GAMMA - 1.0)) - 1.0);
    vec![(0.0, -c), (1.0, -c)]
}
