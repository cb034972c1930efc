//! What the moving grid does to a uniform flow.

use costate::ode::Ode;

use super::steady::larger;
use crate::aerodynamics::euler::gas::GAMMA;
use crate::aerodynamics::euler::{Inner, Metrics, Scratch, rates};
use crate::aerodynamics::wing::parameters::MACH;
use crate::aerodynamics::wing::{Wing, motion};

/// The largest net flux of a cell of the wing's grid in the free stream at time t, relative to what
/// may pass its edges: their length times p∞ + ρH∞ (M + |Ω g|), |Ω g| being the speed at which they
/// move. The section, which is no part of a uniform flow, is taken for a far field, too.
pub fn free_stream_residual(wing: &Wing, t: f64, p: &[f64]) -> f64 {
    let (grid, y) = (wing.grid(p), wing.free_stream(p));
    let mut dy = vec![f64::NAN; wing.dim()];
    let Metrics { ni, nj, area, i_faces, j_faces, .. } = &grid.metrics;
    let (frame, mut scratch) = (motion::frame(t, p), Scratch::new(*ni, *nj));
    rates(&grid.metrics, Inner::FarField, &frame, &y, &mut dy, &mut scratch);
    let (pressure, enthalpy) = (1.0 / GAMMA, 1.0 / (GAMMA - 1.0) + 0.5 * p[MACH] * p[MACH]);
    let relative = dy.iter().enumerate().map(|(k, dy)| {
        let cell = k % area.len();
        let edge = i_faces.s[cell] + j_faces.s[cell] + j_faces.s[cell + ni];
        let moving = frame.rate.abs() * j_faces.g[cell].abs().max(i_faces.g[cell].abs());
        (dy * area[cell]).abs() / (edge * (pressure + enthalpy * (p[MACH] + moving)))
    });
    relative.fold(0.0, larger)
}
