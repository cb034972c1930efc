//! An objective behind a trait object: what is made of a problem does not depend on its type.

use std::any::Any;

use super::Objective;
use crate::error::Error;
use crate::ode::{At, Bars};

/// Scratch of some objective.
type Opaque = Box<dyn Any + Send + Sync>;

/// The functions of an [`Objective`] whose scratch is opaque. Every objective is one, and the trait
/// object is an objective again.
#[allow(missing_docs, reason = "each is explained where Objective has it")]
pub trait AnyObjective: Send + Sync {
    fn opaque_scratch(&self) -> Opaque;
    fn opaque_scratch_bytes(&self) -> usize;
    fn point_times(&self) -> &[f64];
    fn point_value(&self, i: usize, at: At<'_>, scratch: &mut Opaque) -> f64;
    fn add_point_vjp(&self, i: usize, at: At<'_>, bars: Bars<'_>, scratch: &mut Opaque);
    fn check_lengths(&self, dim: usize, num_params: usize) -> Result<(), Error>;
    fn has_running_cost(&self) -> bool;
    fn running_cost(&self, at: At<'_>, scratch: &mut Opaque) -> f64;
    fn add_running_cost_vjp(&self, at: At<'_>, weight: f64, bars: Bars<'_>, scratch: &mut Opaque);
}

impl<J: Objective> AnyObjective for J {
    fn opaque_scratch(&self) -> Opaque {
        Box::new(self.scratch())
    }
    fn opaque_scratch_bytes(&self) -> usize {
        self.scratch_bytes()
    }
    fn point_times(&self) -> &[f64] {
        self.times()
    }
    fn point_value(&self, i: usize, at: At<'_>, scratch: &mut Opaque) -> f64 {
        self.point(i, at, known::<J>(scratch))
    }
    fn add_point_vjp(&self, i: usize, at: At<'_>, bars: Bars<'_>, scratch: &mut Opaque) {
        self.point_vjp(i, at, bars, known::<J>(scratch));
    }
    fn check_lengths(&self, dim: usize, num_params: usize) -> Result<(), Error> {
        self.check(dim, num_params)
    }
    fn has_running_cost(&self) -> bool {
        self.has_integrand()
    }
    fn running_cost(&self, at: At<'_>, scratch: &mut Opaque) -> f64 {
        self.integrand(at, known::<J>(scratch))
    }
    fn add_running_cost_vjp(&self, at: At<'_>, weight: f64, bars: Bars<'_>, scratch: &mut Opaque) {
        self.integrand_vjp(at, weight, bars, known::<J>(scratch));
    }
}

impl Objective for dyn AnyObjective + '_ {
    type Scratch = Opaque;

    fn scratch(&self) -> Opaque {
        self.opaque_scratch()
    }
    fn scratch_bytes(&self) -> usize {
        self.opaque_scratch_bytes()
    }
    fn times(&self) -> &[f64] {
        self.point_times()
    }
    fn point(&self, i: usize, at: At<'_>, scratch: &mut Opaque) -> f64 {
        self.point_value(i, at, scratch)
    }
    fn point_vjp(&self, i: usize, at: At<'_>, bars: Bars<'_>, scratch: &mut Opaque) {
        self.add_point_vjp(i, at, bars, scratch);
    }
    fn check(&self, dim: usize, num_params: usize) -> Result<(), Error> {
        self.check_lengths(dim, num_params)
    }
    fn has_integrand(&self) -> bool {
        self.has_running_cost()
    }
    fn integrand(&self, at: At<'_>, scratch: &mut Opaque) -> f64 {
        self.running_cost(at, scratch)
    }
    fn integrand_vjp(&self, at: At<'_>, weight: f64, bars: Bars<'_>, scratch: &mut Opaque) {
        self.add_running_cost_vjp(at, weight, bars, scratch);
    }
}

fn known<J: Objective>(opaque: &mut Opaque) -> &mut J::Scratch {
    match opaque.downcast_mut() {
        Some(scratch) => scratch,
        None => {
            panic!("scratch was given to an objective of another type than the one that made it")
        }
    }
}
