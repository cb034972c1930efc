//! The mean of a coefficient over a time, or its value at the end.

use std::sync::Arc;

use costate::error::Error;
use costate::ode::objective::{AT_END, Objective};
use costate::ode::{At, Bars};

use super::check::check_lengths;
use super::forces::{Coefficients, coefficients, coefficients_vjp};
use super::ogrid::Grid;
use super::{Wing, kept_grid};

/// J = w · C(T), or the mean (1/(T₁ − T₀)) ∫ w · C(t) dt over T₀ ≤ t ≤ T₁, of the coefficients
/// C = (lift, drag, moment).
///
/// Weights (1, 0, 0) give the lift, and so on.
#[derive(Clone, Copy, Debug)]
pub struct Mean<'a> {
    wing: &'a Wing,
    weights: Coefficients,
    /// T₀ and T₁; the end alone where there are none.
    window: Option<(f64, f64)>,
}

impl<'a> Mean<'a> {
    /// At the end of the run.
    pub fn at_end(wing: &'a Wing, weights: Coefficients) -> Self {
        Mean { wing, weights, window: None }
    }

    /// Over the time from `start` to `end`. Both had better be times between steps: a step that
    /// the window cuts counts with those of its stages that are inside.
    pub fn over(wing: &'a Wing, weights: Coefficients, (start, end): (f64, f64)) -> Self {
        Mean { wing, weights, window: Some((start, end)) }
    }

    /// 1/(T₁ − T₀) inside of the window.
    fn density(&self, t: f64) -> f64 {
        match self.window {
            Some((start, end)) if t >= start && t <= end => 1.0 / (end - start),
            _ => 0.0,
        }
    }

    fn value(&self, at: At<'_>, kept: &mut Option<Arc<Grid>>) -> f64 {
        let c = coefficients(&kept_grid(kept, self.wing, at.p), at);
        self.weights.lift * c.lift + self.weights.drag * c.drag + self.weights.moment * c.moment
    }

    fn vjp(&self, at: At<'_>, weight: f64, bars: Bars<'_>, kept: &mut Option<Arc<Grid>>) {
        let Coefficients { lift, drag, moment } = self.weights;
        let bar =
            Coefficients { lift: weight * lift, drag: weight * drag, moment: weight * moment };
        let grid = kept_grid(kept, self.wing, at.p);
        coefficients_vjp(&grid, at, &bar, bars);
    }
}

impl Objective for Mean<'_> {
    /// The grid of the shape met last.
    type Scratch = Option<Arc<Grid>>;

    fn scratch(&self) -> Self::Scratch {
        None
    }

    /// The grid is the wing's own.
    fn scratch_bytes(&self) -> usize {
        size_of::<Self::Scratch>()
    }

    fn times(&self) -> &[f64] {
        if self.window.is_none() { &[AT_END] } else { &[] }
    }

    fn point(&self, _i: usize, at: At<'_>, scratch: &mut Self::Scratch) -> f64 {
        self.value(at, scratch)
    }

    fn point_vjp(&self, _i: usize, at: At<'_>, bars: Bars<'_>, scratch: &mut Self::Scratch) {
        self.vjp(at, 1.0, bars, scratch);
    }

    fn check(&self, dim: usize, num_params: usize) -> Result<(), Error> {
        check_lengths(self.wing, dim, num_params)
    }

    fn has_integrand(&self) -> bool {
        self.window.is_some()
    }

    fn integrand(&self, at: At<'_>, scratch: &mut Self::Scratch) -> f64 {
        let density = self.density(at.t);
        if density == 0.0 { 0.0 } else { density * self.value(at, scratch) }
    }

    fn integrand_vjp(&self, at: At<'_>, weight: f64, bars: Bars<'_>, scratch: &mut Self::Scratch) {
        let density = self.density(at.t);
        if density != 0.0 {
            self.vjp(at, weight * density, bars, scratch);
        }
    }
}
