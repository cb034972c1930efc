//! The section, its motion, its grids and its runs.

use std::f64::consts::PI;

use clap::ValueEnum;
use costate::method::Method;
use costate::method::tableau::RK4;
use costate::problem::Problem;
use costate_models::aerodynamics::checks::{march, refined};
use costate_models::aerodynamics::wing::parameters::{
    self, CAMBER, CAMBER_PLACE, FREQUENCY, MACH, PITCH,
};
use costate_models::aerodynamics::wing::{Coefficients, Mean, Wing, WingError};

pub const LIFT: Coefficients = Coefficients { lift: 1.0, drag: 0.0, moment: 0.0 };
pub const DRAG: Coefficients = Coefficients { lift: 0.0, drag: 1.0, moment: 0.0 };

/// Periods of a run; the means are over the last of them.
const PERIODS: f64 = 1.5;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Size {
    Small,
    Medium,
    Full,
}

#[derive(Clone)]
pub struct Case {
    pub size: Size,
    pub wing: Wing,
    pub p: Vec<f64>,
    /// The steady flow at the mean angle, that a run starts from whatever its parameters are.
    pub start: Vec<f64>,
    pub steps: usize,
}

pub type Run<'a> = Problem<'a>;

impl Case {
    /// NACA 1412 at M = 0.72 that pitches by 1° about 1.5°, each evaluation on this many cores.
    pub fn new(size: Size, cores: usize) -> Result<Self, WingError> {
        let (coarsest, refinements, steps) = match size {
            Size::Small => ((64, 16), 0, 960),
            Size::Medium => ((96, 16), 1, 3400),
            Size::Full => ((96, 16), 2, 15_000),
        };
        let mut p = parameters::symmetric(0.72, 1.5_f64.to_radians(), 0.12);
        (p[CAMBER], p[CAMBER_PLACE]) = (0.01, 0.41);
        let (wing, start) = steady(coarsest, refinements, &p)?;
        let wing = wing.on_cores(cores);
        (p[PITCH], p[FREQUENCY]) = (1_f64.to_radians(), 1.0);
        wing.check(&p)?;
        let case = Case { size, wing, p, start, steps };
        let begin = (case.span().0, &case.start[..]);
        case.wing.check_steps(&RK4, case.span(), steps, begin, &case.p)?;
        Ok(case)
    }

    /// The same flow, each evaluation on this many cores.
    pub fn on_cores(&self, cores: usize) -> Self {
        Case { wing: self.wing.clone().on_cores(cores), ..self.clone() }
    }

    /// 2π/ω, ω = 2kM.
    pub fn period(&self) -> f64 {
        PI / (self.p[FREQUENCY] * self.p[MACH])
    }

    /// From the mean angle on, where the steady flow has the lift of the cycle to 1 %; at the largest
    /// angle it has not, and the loop of the lift would stay open by a tenth.
    pub fn span(&self) -> (f64, f64) {
        (0.0, PERIODS * self.period())
    }

    /// The last period.
    pub fn window(&self) -> (f64, f64) {
        let (_, end) = self.span();
        (end - self.period(), end)
    }

    /// The mean over the last period of the coefficients with these weights.
    pub fn mean(&self, weights: Coefficients) -> Mean<'_> {
        Mean::over(&self.wing, weights, self.window())
    }

    /// The run with these parameters.
    pub fn run<'a>(&'a self, mean: &'a Mean<'a>, p: &'a [f64]) -> Run<'a> {
        Problem::new(&self.wing, self.span(), p)
            .initial(&self.start)
            .objective(mean)
            .method(Method::Named(&RK4))
            .fixed_steps(self.steps)
    }

    /// Bytes that a gradient may hold unless told.
    pub fn budget(&self) -> u64 {
        match self.size {
            Size::Small => 3_000_000,
            Size::Medium => 40_000_000,
            Size::Full => 200_000_000,
        }
    }

    /// The library's error as that of the flow, where it has a meaning in it.
    pub fn explained(&self, error: costate::error::Error) -> Box<dyn std::error::Error> {
        match self.wing.explain(&self.p, &error) {
            Some(meaning) => meaning.into(),
            None => error.into(),
        }
    }
}

/// The grid and the steady flow on it, by way of coarser ones.
fn steady(
    (mut around, mut rings): (usize, usize),
    refinements: usize,
    p: &[f64],
) -> Result<(Wing, Vec<f64>), WingError> {
    const TOLERANCE: f64 = 1e-5;
    const MOST: usize = 5000;
    let mut wing = Wing::new(around, rings, 50.0)?;
    wing.check(p)?;
    let mut y = march(&wing, p, wing.free_stream(p), TOLERANCE, MOST)?.y;
    for _ in 0..refinements {
        y = refined(&y, around);
        (around, rings) = (2 * around, 2 * rings);
        wing = Wing::new(around, rings, 50.0)?;
        wing.check(p)?;
        y = march(&wing, p, y, TOLERANCE, MOST)?.y;
    }
    Ok((wing, y))
}
