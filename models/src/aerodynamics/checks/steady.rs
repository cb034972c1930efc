//! Steady flows around a section, marched by steps of each cell's own length.

use costate::method::tableau::RK4;
use costate::ode::{At, Ode};

use crate::aerodynamics::wing::{Wing, WingError, courant};

/// A steady flow and how far from steady it is: the largest |ρ'| h of a cell.
#[derive(Clone, Debug)]
pub struct Steady {
    /// The state.
    pub y: Vec<f64>,
    /// max |ρ'| h
    pub change: f64,
    /// Steps taken.
    pub iterations: usize,
}

/// Marches from `y` by y_k = y_0 + α_k h f(y_{k−1}), α = ¼, ⅓, ½, 1, until no cell's density changes
/// by more than `tolerance` in a step.
///
/// # Errors
/// Where `most` steps do not suffice, or the flow does not stay finite.
pub fn march(
    wing: &Wing,
    p: &[f64],
    mut y: Vec<f64>,
    tolerance: f64,
    most: usize,
) -> Result<Steady, WingError> {
    let cells = y.len() / 4;
    let (mut dy, mut work, mut steps) = (vec![0.0; y.len()], wing.work(), vec![0.0; cells]);
    let mut stage = y.clone();
    let courant = 0.9 * courant(&RK4);
    let mut change = f64::INFINITY;
    let mut iterations = 0;
    while change > tolerance {
        if iterations == most {
            return Err(WingError::NotSteady { change, iterations, tolerance });
        }
        if iterations % 10 == 0 {
            wing.cell_steps(0.0, &y, p, &mut steps);
        }
        for (k, alpha) in [0.25, 1.0 / 3.0, 0.5, 1.0].into_iter().enumerate() {
            wing.rhs(At { t: 0.0, y: &stage, p }, &mut dy, &mut work);
            if k == 0 {
                let of = |cell: usize| (dy[cell] * steps[cell]).abs();
                change = (0..cells).map(of).fold(0.0, larger);
            }
            for k in 0..y.len() {
                stage[k] = y[k] + alpha * courant * steps[k % cells] * dy[k];
            }
        }
        y.copy_from_slice(&stage);
        iterations += 1;
    }
    if !change.is_finite() {
        return Err(WingError::NotSteady { change, iterations, tolerance });
    }
    Ok(Steady { y, change, iterations })
}

/// The larger of two numbers, of which a NaN is the largest.
pub(super) fn larger(a: f64, b: f64) -> f64 {
    if b <= a { a } else { b }
}

/// A flow on a grid twice as fine, each cell's state going to four.
pub fn refined(y: &[f64], around: usize) -> Vec<f64> {
    let cells = y.len() / 4;
    let mut fine = Vec::with_capacity(4 * y.len());
    for field in y.chunks_exact(cells) {
        for ring in field.chunks_exact(around) {
            let twice: Vec<f64> = ring.iter().flat_map(|&x| [x, x]).collect();
            fine.extend_from_slice(&twice);
            fine.extend_from_slice(&twice);
        }
    }
    fine
}
