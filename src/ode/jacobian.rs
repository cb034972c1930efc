//! The matrix f_y, for implicit methods.

use super::{At, Ode, Rows, Vjp};
use crate::error::{Error, check_length};
use crate::numbers::linalg::{Matrix, Structure};

/// The Jacobian f_y as implicit methods ask for it: of every [`Vjp`], what that says of it.
pub trait Jacobian: Ode<f64> {
    /// Which entries may be nonzero.
    fn structure(&self) -> Structure;
    /// Writes f_y(t, y, p) to `jac`, which has this [`structure`](Self::structure) and holds zeros
    /// or the entries of an earlier call. `work` is scratch that no earlier call filled.
    fn jacobian(&self, at: At<'_>, jac: &mut Matrix, rows: Rows<'_>, work: &mut Self::Work);
}

impl<O: Vjp> Jacobian for O {
    fn structure(&self) -> Structure {
        Vjp::structure(self)
    }
    fn jacobian(&self, at: At<'_>, jac: &mut Matrix, rows: Rows<'_>, work: &mut Self::Work) {
        Vjp::jacobian(self, at, jac, rows, work);
    }
}

/// f_y(t, y, p) as a matrix of its own.
///
/// # Errors
/// Where a length is wrong, or f_y too large.
pub fn jacobian_at<O: Jacobian>(ode: &O, at: At<'_>) -> Result<Matrix, Error> {
    let dim = ode.dim();
    check_length("the state", at.y.len(), dim)?;
    check_length("the parameter vector", at.p.len(), ode.num_params())?;
    check_jacobian(ode)?;
    let mut jac = Matrix::fitting(dim, ode.structure());
    let (w, y_bar, p_bar) = (&mut vec![0.0; dim], &mut vec![0.0; dim], &mut vec![0.0; at.p.len()]);
    ode.jacobian(at, &mut jac, Rows { w, y_bar, p_bar }, &mut ode.work());
    Ok(jac)
}

/// The most states of a dense f_y: it and its factors then take 1.6 GB, and a factorisation, of
/// which a step and its adjoint take several, 3·10¹¹ multiplications.
pub const MAX_DENSE: usize = 10_000;

/// Fails unless implicit methods can work with f_y of `ode`.
pub(crate) fn check_jacobian<O: Jacobian>(ode: &O) -> Result<(), Error> {
    let dim = ode.dim();
    match ode.structure() {
        Structure::Dense if dim > MAX_DENSE => {
            Err(Error::DenseJacobian { dim, most: MAX_DENSE, stiff: false })
        }
        Structure::Banded { lower, upper } if lower.max(upper) > dim => Err(Error::BadSetting {
            what: "the band of f_y",
            given: format!("{lower} diagonals below and {upper} above the main one"),
            required: "of no more diagonals on a side than there are states",
        }),
        structure => Ok(structure.check(dim)?),
    }
}
