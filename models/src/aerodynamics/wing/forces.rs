//! Lift, drag and moment from the pressure on the section.
//!
//! F = −∮ (p − p∞) n ds over the section's edges, with the wall's pressure p = 1½ p₀ − ½ p₁ from the
//! two cells next to it; C = F / (½ M²) with c = ρ∞ = a∞ = 1, along and across the stream, and the
//! moment about the quarter chord, nose up.

use costate::ode::{At, Bars};

use super::motion;
use super::ogrid::Grid;
use super::parameters::{MACH, SHAPE};
use crate::aerodynamics::euler::gas::GAMMA;

/// The coefficients at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Coefficients {
    /// Across the stream, upward.
    pub lift: f64,
    /// Along the stream.
    pub drag: f64,
    /// About the quarter chord, nose up.
    pub moment: f64,
}

/// The pressure in a cell, and what its derivative needs.
fn pressure(y: &[f64], cells: usize, cell: usize) -> (f64, [f64; 4]) {
    let [rho, mx, my, e] = std::array::from_fn(|k| y[k * cells + cell]);
    let (u, v, g) = (mx / rho, my / rho, GAMMA - 1.0);
    let kinetic = 0.5 * (u * u + v * v);
    (g * (e - rho * kinetic), [g * kinetic, -g * u, -g * v, g])
}

/// p − p∞ on edge i.
fn wall(grid: &Grid, y: &[f64], i: usize) -> f64 {
    let (ni, cells) = (grid.metrics.ni, grid.metrics.area.len());
    let at = |cell| pressure(y, cells, cell).0;
    1.5 * at(i) - 0.5 * at(i + ni) - 1.0 / GAMMA
}

/// c_p = 2(p − p∞)/(ρ∞U²) on each edge.
pub fn pressure_coefficients(grid: &Grid, y: &[f64], p: &[f64]) -> Vec<f64> {
    let unit = 2.0 / (p[MACH] * p[MACH]);
    (0..grid.metrics.ni).map(|i| unit * wall(grid, y, i)).collect()
}

/// ∮ (p − p∞) of (dy, −dx, (x dx + y dy)), in the section's axes.
fn integrals(grid: &Grid, y: &[f64]) -> [f64; 3] {
    let mut sum = [0.0; 3];
    for i in 0..grid.metrics.ni {
        let (a, b) = (grid.metrics.nodes[i], grid.metrics.nodes[i + 1]);
        let (dx, dy) = (b.x - a.x, b.y - a.y);
        let p = wall(grid, y, i);
        sum[0] += p * dy;
        sum[1] -= p * dx;
        sum[2] -= 0.5 * p * ((a.x + b.x) * dx + (a.y + b.y) * dy);
    }
    sum
}

/// The coefficients of the flow y around this grid at time t.
pub fn coefficients(grid: &Grid, At { t, y, p }: At<'_>) -> Coefficients {
    let [x, z, turning] = integrals(grid, y);
    let (sin, cos) = motion::angle(t, p).sin_cos();
    let unit = -2.0 / (p[MACH] * p[MACH]);
    Coefficients {
        lift: unit * (cos * z - sin * x),
        drag: unit * (cos * x + sin * z),
        moment: -unit * turning,
    }
}

/// Adds the derivatives of the coefficients, each times its entry in `bar`.
pub fn coefficients_vjp(
    grid: &Grid,
    At { t, y, p }: At<'_>,
    bar: &Coefficients,
    Bars { y: y_bar, p: p_bar, t: t_bar }: Bars<'_>,
) {
    let [x, z, turning] = integrals(grid, y);
    let (sin, cos) = motion::angle(t, p).sin_cos();
    let unit = -2.0 / (p[MACH] * p[MACH]);
    let x_bar = unit * (cos * bar.drag - sin * bar.lift);
    let z_bar = unit * (cos * bar.lift + sin * bar.drag);
    let turning_bar = -unit * bar.moment;
    let total = x_bar * x + z_bar * z + turning_bar * turning;
    p_bar[MACH] -= 2.0 * total / p[MACH];
    motion::angle_vjp(t, p, z_bar * -x + x_bar * z, p_bar, t_bar);
    let (ni, cells) = (grid.metrics.ni, grid.metrics.area.len());
    for i in 0..ni {
        let (a, b) = (grid.metrics.nodes[i], grid.metrics.nodes[i + 1]);
        let (dx, dy, pressure_here) = (b.x - a.x, b.y - a.y, wall(grid, y, i));
        let arm = 0.5 * ((a.x + b.x) * dx + (a.y + b.y) * dy);
        let wall_bar = x_bar * dy - z_bar * dx - turning_bar * arm;
        for (cell, weight) in [(i, 1.5), (i + ni, -0.5)] {
            for (k, slope) in pressure(y, cells, cell).1.into_iter().enumerate() {
                y_bar[k * cells + cell] += weight * wall_bar * slope;
            }
        }
        // The arm is half of |b|² − |a|².
        let shape_bar = &mut p_bar[SHAPE];
        let by_b = [-z_bar - turning_bar * b.x, x_bar - turning_bar * b.y];
        let by_a = [z_bar + turning_bar * a.x, -x_bar + turning_bar * a.y];
        for (point, [by_x, by_y]) in [(i, by_a), (i + 1, by_b)] {
            grid.surface_vjp(point, pressure_here * by_x, pressure_here * by_y, shape_bar);
        }
    }
}
