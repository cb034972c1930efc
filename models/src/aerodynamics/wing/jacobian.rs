//! The derivative of the rates by the states, for implicit methods.

use costate::numbers::linalg::{Matrix, Pattern, Structure};

use super::{Wing, Work, kept_grid, motion};
use crate::aerodynamics::euler::{Coupling, Inner, residual_jacobian};

/// What the matrix of a grid looks like, whatever its shape.
#[derive(Debug)]
pub(super) struct Layout {
    coupling: Coupling,
    pattern: Pattern,
}

impl Wing {
    fn layout(&self) -> &Layout {
        self.layout.get_or_init(|| {
            let coupling = Coupling::new(self.rings.around, self.rings.rings);
            Layout { pattern: coupling.pattern(), coupling }
        })
    }
}

impl Wing {
    pub(super) fn pattern(&self) -> Structure {
        Structure::Sparse(self.layout().pattern.clone())
    }

    pub(super) fn write_jacobian(
        &self,
        t: f64,
        y: &[f64],
        p: &[f64],
        jac: &mut Matrix,
        work: &mut Work,
    ) {
        let grid = kept_grid(&mut work.grid, self, p);
        if grid.folded {
            jac.values_mut().fill(f64::NAN);
            return;
        }
        let (metrics, frame) = (&grid.metrics, motion::frame(t, p));
        // The matrix has room for the rates, which nobody asks for.
        let unused = &mut jac.values_mut()[..y.len()];
        work.bands.rates(self.cores, metrics, Inner::Wall, &frame, y, unused);
        let (scratch, Layout { coupling, .. }) = (work.bands.scratch(), self.layout());
        residual_jacobian(metrics, Inner::Wall, &frame, scratch, coupling, jac.values_mut());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aerodynamics::wing::parameters::{self, CAMBER, FREQUENCY, PITCH, PLUNGE, UPPER};
    use crate::check;

    #[test]
    fn the_matrix_is_that_of_the_tangent() {
        for rings in [2, 3, 7] {
            let wing = Wing::new(8, rings, 5.0).unwrap();
            let mut p = parameters::symmetric(0.5, 0.1, 0.12);
            (p[PITCH], p[FREQUENCY], p[PLUNGE]) = (0.02, 0.3, 0.05);
            (p[CAMBER], p[UPPER.start]) = (0.02, 1e-3);
            let noise = check::numbers(wing.free_stream(&p).len(), 3);
            let y: Vec<f64> =
                wing.free_stream(&p).iter().zip(noise).map(|(y, x)| y + 0.1 * x).collect();
            check::jacobian(&wing, &y, &p);
        }
    }
}
