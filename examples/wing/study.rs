//! What is computed: the run, its gradient, and the checks of both.

use costate_models::aerodynamics::checks::{free_stream_residual, march, refined, vortex_order};
use costate_models::aerodynamics::wing::parameters::{self, names};
use costate_models::aerodynamics::wing::{Wing, WingError};
use serde_json::{Map, Value, json};

use crate::Outcome;
use crate::case::{Case, DRAG, LIFT, Size};
use crate::differences::{checked, largest_error};
use crate::progress::Bar;

pub struct Study {
    pub lift_mean: f64,
    pub drag_mean: f64,
    /// Of the mean lift.
    pub gradient: Vec<f64>,
    pub finite_difference_error: f64,
    pub free_stream_residual: f64,
    pub vortex_order: f64,
    pub lift_m063_a2: f64,
    pub peak_bytes: u64,
    pub seconds_forward: f64,
    pub seconds_gradient: f64,
}

impl Study {
    /// The run alone is timed on one core.
    pub fn of(case: &Case, budget: u64) -> Outcome<Study> {
        let (lift, drag) = (case.mean(LIFT), case.mean(DRAG));
        let explained = |error| case.explained(error);
        // The first run touches the memory that all later ones use.
        let (drag_mean, _) = case.run(&drag, &case.p).value().map_err(explained)?;
        let alone = case.on_cores(1);
        let (lift_mean, forward) =
            alone.run(&alone.mean(LIFT), &case.p).value().map_err(explained)?;
        let found = {
            let bar = Bar::new("gradient", case.steps);
            let observe = |progress| bar.on_progress(progress);
            let run = case.run(&lift, &case.p).budget(budget);
            run.on_progress(&observe).gradient().map_err(explained)?
        };
        assert_eq!(found.value.to_bits(), lift_mean.to_bits(), "the gradient's run is the run");
        let gradient = found.wrt_params;
        let parameters = checked(case.size);
        Ok(Study {
            lift_mean,
            drag_mean,
            finite_difference_error: largest_error(case, &lift, &gradient, &parameters)?,
            gradient,
            free_stream_residual: free_stream_residual(&case.wing, 0.4 * case.period(), &case.p),
            vortex_order: vortex_order(128, 256),
            lift_m063_a2: steady_lift(if case.size == Size::Full { 3 } else { 2 })?,
            peak_bytes: found.stats.peak_bytes,
            seconds_forward: forward.seconds_forward,
            seconds_gradient: found.stats.seconds_forward + found.stats.seconds_reverse,
        })
    }

    pub fn json(&self, case: &Case) -> Value {
        let named = names().into_iter().zip(&self.gradient);
        let gradient: Map<String, Value> = named.map(|(name, &x)| (name, json!(x))).collect();
        json!({
            "states": costate::ode::Ode::dim(&case.wing),
            "steps": case.steps,
            "lift_mean": self.lift_mean,
            "drag_mean": self.drag_mean,
            "gradient": gradient,
            "finite_difference_error": self.finite_difference_error,
            "free_stream_residual": self.free_stream_residual,
            "vortex_order": self.vortex_order,
            "lift_m063_a2": self.lift_m063_a2,
            "peak_bytes": self.peak_bytes,
            "seconds_forward": self.seconds_forward,
            "seconds_gradient": self.seconds_gradient,
        })
    }
}

/// The lift of NACA 0012 at M = 0.63, α = 2°, published as 0.33, on the last of some grids, each
/// twice as fine as the one before.
fn steady_lift(grids: usize) -> Result<f64, WingError> {
    const TOLERANCE: f64 = 1e-6;
    const MOST: usize = 60_000;
    let p = parameters::symmetric(0.63, 2_f64.to_radians(), 0.12);
    let (mut around, mut rings, mut start) = (64, 16, None);
    let mut lift = f64::NAN;
    for _ in 0..grids {
        let wing = Wing::new(around, rings, 50.0)?;
        let y = start.unwrap_or_else(|| wing.free_stream(&p));
        let steady = march(&wing, &p, y, TOLERANCE, MOST)?;
        lift = wing.coefficients(0.0, &steady.y, &p).lift;
        start = Some(refined(&steady.y, around));
        (around, rings) = (2 * around, 2 * rings);
    }
    Ok(lift)
}
