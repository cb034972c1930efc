//! Results as vectors and matrices of nalgebra (feature `nalgebra`).
//!
//! What nalgebra holds is given as the slice that it is: a parameter vector `p` as `p.as_slice()`.
//!
//! ```
//! use costate::model::Model;
//! use costate::ode::{At, jacobian_at};
//! use costate::problem::Problem;
//! use nalgebra::{DMatrix, dvector};
//!
//! let oscillator = Model::trace(2, 1, |_t, y, p| [y[1].clone(), -(&p[0] * &y[0])])
//!     .initial(|_p| [1.0.into(), 0.0.into()])
//!     .terminal(|y, _p| y[0].clone())
//!     .build()?;
//! let p = dvector![4.0];
//! let problem = Problem::new(&oscillator, (0.0, 1.0), p.as_slice()).rtol(1e-9);
//!
//! let gradient = problem.gradient()?;
//! let downhill = p.clone() - 0.1 * gradient.params_vector();
//! assert!((downhill[0] - 4.0 - 0.025 * 2f64.sin()).abs() < 1e-8); // J = cos(√p)
//!
//! let states = DMatrix::from(&problem.solve(&[0.0, 0.5, 1.0])?);
//! let energy = states.row(0).map(|x| 4.0 * x * x) + states.row(1).map(|v| v * v);
//! assert!(energy.iter().all(|e| (e - 4.0).abs() < 1e-7));
//!
//! let jacobian = DMatrix::from(&jacobian_at(&oscillator, At { t: 0.0, y: &[1.0, 0.0], p: p.as_slice() })?);
//! assert!(jacobian.complex_eigenvalues().iter().all(|z| (z.im.abs() - 2.0).abs() < 1e-12));
//! # Ok::<(), costate::Error>(())
//! ```

use nalgebra::{DMatrix, DVectorView};

use crate::adjoint::Gradient;
use crate::method::solve::Solution;
use crate::numbers::linalg::Matrix;
use crate::numbers::scalar::Scalar;

impl<S: Scalar> Gradient<S> {
    /// dJ/dp as a vector (m), which is not copied.
    pub fn params_vector(&self) -> DVectorView<'_, S> {
        DVectorView::from_slice(&self.wrt_params, self.wrt_params.len())
    }

    /// dJ/dy_0 as a vector (d), which is not copied.
    pub fn y0_vector(&self) -> DVectorView<'_, S> {
        DVectorView::from_slice(&self.wrt_y0, self.wrt_y0.len())
    }
}

/// The states as columns, one for each time.
impl<S: Scalar> From<&Solution<S>> for DMatrix<S> {
    fn from(solution: &Solution<S>) -> Self {
        let dim = solution.states.first().map_or(0, Vec::len);
        let entries = solution.states.iter().flatten().copied();
        DMatrix::from_iterator(dim, solution.states.len(), entries)
    }
}

/// Every entry, zeros included.
impl From<&Matrix> for DMatrix<f64> {
    fn from(matrix: &Matrix) -> Self {
        DMatrix::from_fn(matrix.dim(), matrix.dim(), |i, j| matrix.get(i, j))
    }
}
