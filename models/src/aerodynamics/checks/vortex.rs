//! The order of accuracy.

use std::f64::consts::PI;

use costate::method::stepper::{ExplicitRk, Steps};
use costate::method::tableau::RK4;
use costate::ode::grid::Step;

use super::patch::{Patch, nodes};
use crate::aerodynamics::euler::{Frame, Metrics, gas};

/// The isentropic vortex of strength β at (x_0, 0) in a stream of Mach number ½ along x; C.-W. Shu,
/// doi:10.1007/BFb0096355.
fn vortex(x: f64, y: f64, beta: f64) -> [f64; 4] {
    let square = x * x + y * y;
    let swirl = beta / (2.0 * PI) * (0.5 * (1.0 - square)).exp();
    let temperature = 1.0 - 0.5 * (gas::GAMMA - 1.0) * swirl * swirl;
    let rho = temperature.powf(1.0 / (gas::GAMMA - 1.0));
    [rho, 0.5 - swirl * y, swirl * x, rho * temperature / gas::GAMMA]
}

/// The error of ρ after the vortex has gone half of its radius, in the mean over the area.
fn vortex_error(n: usize) -> f64 {
    const SIZE: f64 = 12.0;
    const BETA: f64 = 3.0;
    const DISTANCE: f64 = 0.5;
    let frame = Frame::new(0.5, 0.0, 0.0, 0.0);
    let patch = Patch { metrics: Metrics::new(n, n, nodes(n, SIZE, 0.03)), frame };
    let wrapped = |x: f64| (x + 1.5 * SIZE).rem_euclid(SIZE) - 0.5 * SIZE;
    let mut y = patch.state(|x, y| vortex(wrapped(x), y, BETA));
    let (end, steps) = (DISTANCE / 0.5, n * 2 / 3);
    let stepper: ExplicitRk = ExplicitRk::new(&RK4).unwrap();
    let mut taken = Steps::of(&stepper, &patch);
    for k in 0..steps {
        let time = |k: usize| end * k as f64 / steps as f64;
        let step = Step { t: time(k), t_next: time(k + 1), end };
        if taken.take(&[], step, &mut y).is_err() {
            return f64::NAN;
        }
    }
    let exact = patch.state(|x, y| vortex(wrapped(x - DISTANCE), y, BETA));
    let areas = &patch.metrics.area;
    let sum: f64 = (0..areas.len()).map(|k| areas[k] * (y[k] - exact[k]).abs()).sum();
    sum / (SIZE * SIZE)
}

/// The order at which the error of the isentropic vortex falls from n to `finer` cells along a side;
/// NaN where the flow does not stay finite.
pub fn vortex_order(n: usize, finer: usize) -> f64 {
    (vortex_error(n) / vortex_error(finer)).ln() / (finer as f64 / n as f64).ln()
}
