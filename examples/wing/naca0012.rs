//! The steady flow around NACA 0012 at M = 0.63, α = 2°, whose lift is published as 0.33.

use costate_models::aerodynamics::checks::{march, refined};
use costate_models::aerodynamics::wing::{Wing, WingError, parameters};

pub struct Naca0012 {
    pub wing: Wing,
    pub p: Vec<f64>,
    pub y: Vec<f64>,
}

impl Naca0012 {
    /// On the last of some grids, each twice as fine as the one before.
    pub fn on_finest(grids: usize) -> Result<Self, WingError> {
        const TOLERANCE: f64 = 1e-6;
        const MOST: usize = 60_000;
        let p = parameters::symmetric(0.63, 2_f64.to_radians(), 0.12);
        let (mut around, mut rings) = (64, 16);
        let mut wing = Wing::new(around, rings, 50.0)?;
        let mut y = march(&wing, &p, wing.free_stream(&p), TOLERANCE, MOST)?.y;
        for _ in 1..grids {
            let start = refined(&y, around);
            (around, rings) = (2 * around, 2 * rings);
            wing = Wing::new(around, rings, 50.0)?;
            y = march(&wing, &p, start, TOLERANCE, MOST)?.y;
        }
        Ok(Naca0012 { wing, p, y })
    }

    pub fn lift(&self) -> f64 {
        self.wing.coefficients(0.0, &self.y, &self.p).lift
    }
}
