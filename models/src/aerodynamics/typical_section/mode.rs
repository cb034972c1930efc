//! One mode and its derivatives.

use costate::ode::{At, Bars, Dots, Ode};
use nalgebra::{Complex, Matrix6, SVD, Vector6};

use super::{FlutterError, TypicalSection};

/// Of the QR iterations; a matrix of six rows needs about twenty.
pub(super) const MAX_ITERATIONS: usize = 1000;

/// A v = λ v, uᴴ A = λ uᴴ, uᴴ v = 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mode {
    /// λ.
    pub lambda: Complex<f64>,
    /// u.
    pub left: Vector6<Complex<f64>>,
    /// v, of unit length.
    pub right: Vector6<Complex<f64>>,
}

impl TypicalSection {
    /// The mode whose eigenvalue is `lambda` up to rounding.
    ///
    /// A − λI has one singular value that vanishes; the singular vectors to it are the two
    /// eigenvectors, and their quotient uᴴAv/uᴴv is better than the given λ by a power of two.
    ///
    /// # Errors
    /// As [`matrix`](Self::matrix), and where the singular values are not found.
    pub fn mode(&self, p: &[f64], lambda: Complex<f64>) -> Result<Mode, FlutterError> {
        let matrix = self.matrix(p)?.map(Complex::from);
        let failed = || FlutterError::Eigenvalues { velocity: p[Self::VELOCITY] };
        let shifted = matrix - Matrix6::from_diagonal_element(lambda);
        let svd = SVD::try_new(shifted, true, true, f64::EPSILON, MAX_ITERATIONS);
        let SVD { u: Some(u), v_t: Some(v_h), singular_values } = svd.ok_or_else(failed)? else {
            return Err(failed());
        };
        let least = singular_values.imin();
        let (left, right) = (u.column(least).into_owned(), v_h.row(least).adjoint());
        let overlap = left.dotc(&right);
        let lambda = left.dotc(&(matrix * right)) / overlap;
        Ok(Mode { lambda, left: left / overlap.conj(), right })
    }

    /// ∂λ/∂p = uᴴ (∂A/∂p) v, with one entry for each parameter.
    ///
    /// For real w and v, wᵀ A v is the derivative of wᵀ f along v at rest, so its derivative by p
    /// is a second-order product of the model.
    pub fn mode_wrt_params(&self, p: &[f64], mode: &Mode) -> Vec<Complex<f64>> {
        let (d, m) = (self.model.dim(), self.model.num_params());
        let mut work = self.model.work();
        self.model.rhs(At { t: 0.0, y: &vec![0.0; d], p }, &mut vec![0.0; d], &mut work);
        let mut bilinear = |w: &Vector6<f64>, v: &Vector6<f64>| {
            let (mut y_bar_dot, mut p_bar_dot, mut t_bar_dot) = (vec![0.0; d], vec![0.0; m], 0.0);
            let dots = Dots { y: v.as_slice(), p: &vec![0.0; m] };
            let bar_dots = Bars { y: &mut y_bar_dot, p: &mut p_bar_dot, t: &mut t_bar_dot };
            self.model.second_order(w.as_slice(), dots, bar_dots, &mut work);
            p_bar_dot
        };
        // uᴴ = (re − i im)ᵀ.
        let (u_re, u_im) = (mode.left.map(|u| u.re), mode.left.map(|u| u.im));
        let (v_re, v_im) = (mode.right.map(|v| v.re), mode.right.map(|v| v.im));
        let (re_re, im_im) = (bilinear(&u_re, &v_re), bilinear(&u_im, &v_im));
        let (re_im, im_re) = (bilinear(&u_re, &v_im), bilinear(&u_im, &v_re));
        (0..m).map(|i| Complex::new(re_re[i] + im_im[i], re_im[i] - im_re[i])).collect()
    }
}
