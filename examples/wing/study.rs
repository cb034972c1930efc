//! What is computed: the run, its gradient, and the checks of both.

use costate_models::aerodynamics::checks::{free_stream_residual, vortex_order};
use costate_models::aerodynamics::wing::parameters::names;
use serde_json::{Map, Value, json};

use crate::Outcome;
use crate::case::{Case, DRAG, LIFT, Size};
use crate::differences::{checked, largest_error};
use crate::naca0012::Naca0012;
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
    /// The flow of that lift.
    pub naca0012: Naca0012,
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
        let naca0012 = Naca0012::on_finest(if case.size == Size::Full { 3 } else { 2 })?;
        Ok(Study {
            lift_mean,
            drag_mean,
            finite_difference_error: largest_error(case, &lift, &gradient, &parameters)?,
            gradient,
            free_stream_residual: free_stream_residual(&case.wing, 0.4 * case.period(), &case.p),
            vortex_order: vortex_order(128, 256),
            lift_m063_a2: naca0012.lift(),
            naca0012,
            peak_bytes: found.stats.peak_bytes,
            seconds_forward: forward.seconds_forward,
            seconds_gradient: found.stats.seconds_forward + found.stats.seconds_reverse,
        })
    }

    /// What must hold, or what does not.
    pub fn verdict(&self, budget: u64) -> Outcome<()> {
        let (lift, published) = (self.lift_m063_a2, 0.33);
        let (order, free) = (self.vortex_order, self.free_stream_residual);
        let differences = self.finite_difference_error;
        let held = [
            (self.peak_bytes <= budget, format!("{} bytes were held of {budget}", self.peak_bytes)),
            (free <= 1e-14, format!("a uniform flow changes by {free:e}, by more than 1e-14")),
            ((order - 2.0).abs() <= 0.2, format!("the order {order} is not 2 by more than 0.2")),
            (
                (lift / published - 1.0).abs() <= 0.03,
                format!("the lift {lift} is not {published} by more than 3 %"),
            ),
            (
                differences <= 1e-6,
                format!("central differences differ by {differences:e}, by more than 1e-6"),
            ),
        ];
        match held.into_iter().find(|(holds, _)| !holds) {
            Some((_, failed)) => Err(failed.into()),
            None => Ok(()),
        }
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
