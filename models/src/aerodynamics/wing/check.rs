//! What cannot be computed, before it is tried.

use costate::error::Error;
use costate::ode::Ode;

use super::ogrid::CENTRE;
use super::parameters::{
    CAMBER_PLACE, FREQUENCY, MACH, NUM_PARAMS, PLUNGE, SHAPE, THICKNESS, names,
};
use super::section::surface;
use super::{Wing, WingError};

/// The conserved variables, in the order of the state.
const VARIABLES: [&str; 4] = ["density", "momentum along x", "momentum along y", "energy"];

/// Fails where a state of d numbers or m parameters are not those of this wing.
pub(super) fn check_lengths(wing: &Wing, dim: usize, num_params: usize) -> Result<(), Error> {
    let fits = |what, given, required| {
        if given == required { Ok(()) } else { Err(Error::WrongLength { what, given, required }) }
    };
    fits("the state of the wing", wing.dim(), dim)?;
    fits("the parameter vector of the wing", NUM_PARAMS, num_params)
}

impl Wing {
    /// Fails where the flow with these parameters cannot be computed.
    ///
    /// # Errors
    /// Where a parameter is outside of its range, the far field is not subsonic, the surfaces cross,
    /// or a cell is folded.
    pub fn check(&self, p: &[f64]) -> Result<(), WingError> {
        if p.len() != NUM_PARAMS {
            return Err(WingError::NumParams { given: p.len(), required: NUM_PARAMS });
        }
        if let Some(index) = p.iter().position(|p| !p.is_finite()) {
            return Err(WingError::NotFinite { index, name: names().swap_remove(index) });
        }
        let required = |name, index: usize, fits: bool, required| {
            let error = WingError::Parameter { name, value: p[index], required };
            if fits { Ok(()) } else { Err(error) }
        };
        required("mach", MACH, p[MACH] > 0.0, "above 0")?;
        required("frequency", FREQUENCY, p[FREQUENCY] >= 0.0, "0 or more")?;
        let thin = p[THICKNESS] > 0.0 && p[THICKNESS] < 1.0;
        required("thickness", THICKNESS, thin, "above 0 and below 1")?;
        let inside = p[CAMBER_PLACE] > 0.0 && p[CAMBER_PLACE] < 1.0;
        required("camber_place", CAMBER_PLACE, inside, "above 0 and below 1")?;
        let mach = p[MACH] * (1.0 + 2.0 * p[FREQUENCY] * p[PLUNGE].abs());
        if mach >= 1.0 {
            return Err(WingError::Supersonic { mach });
        }
        self.check_section(&p[SHAPE])?;
        self.check_grid(p)
    }

    fn check_section(&self, shape: &[f64]) -> Result<(), WingError> {
        let around = self.rings.around;
        for i in 1..around / 2 {
            let phi = 2.0 * std::f64::consts::PI * i as f64 / around as f64;
            let (upper, lower) =
                (surface(shape, phi), surface(shape, -phi + 2.0 * std::f64::consts::PI));
            if upper.y <= lower.y {
                return Err(WingError::Crossed { place: upper.x, gap: lower.y - upper.y });
            }
        }
        Ok(())
    }

    fn check_grid(&self, p: &[f64]) -> Result<(), WingError> {
        let grid = self.grid(p);
        let Some(cell) = grid.metrics.folded() else { return Ok(()) };
        let (i, j, [x, y]) = self.place(p, cell);
        Err(WingError::Folded { i, j, x, y })
    }

    /// Where a cell is: its number in the ring, its ring, and its middle, in the section's axes from
    /// the leading edge.
    pub fn place(&self, p: &[f64], cell: usize) -> (usize, usize, [f64; 2]) {
        let (ni, grid) = (self.rings.around, self.grid(p));
        let (i, j) = (cell % ni, cell / ni);
        let node = |i: usize, j: usize| grid.metrics.nodes[j * (ni + 1) + i];
        let sum = (node(i, j) + node(i + 1, j)) + (node(i, j + 1) + node(i + 1, j + 1));
        (i, j, [sum.x / 4.0 + CENTRE, sum.y / 4.0])
    }

    /// What the library's error means in the flow: the cell and the variable of a state that is not
    /// finite.
    pub fn explain(&self, p: &[f64], error: &Error) -> Option<WingError> {
        let &Error::NotFinite { step, t, component } = error else { return None };
        let cells = self.rings.around * self.rings.rings;
        let (i, j, [x, y]) = self.place(p, component % cells);
        Some(WingError::BlewUp { variable: VARIABLES[component / cells], i, j, x, y, step, t })
    }
}
