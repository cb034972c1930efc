//! What is differentiated: J = Σ_i J_i(t_i, y(t_i), p) + ∫ r(t, y, p) dt.

use crate::error::Error;
use crate::scalar::Scalar;

mod least_squares;
mod terminal;

pub use crate::grid::AT_END;
pub use least_squares::LeastSquares;
pub use terminal::Terminal;

/// A sum of point terms J_i(t_i, y(t_i), p) and the integral of a running cost r(t, y, p).
///
/// A term at the end time moves with it; a term inside keeps its time.
pub trait Objective<S: Scalar = f64>: Send + Sync {
    /// Scratch that the caller owns.
    type Scratch: Send + Sync;

    /// Scratch for the other functions.
    fn scratch(&self) -> Self::Scratch;
    /// Bytes that a [`Scratch`](Self::Scratch) occupies at its largest, what it points to included:
    /// 0 for `()`. They count as those of [`Ode::work_bytes`](crate::ode::Ode::work_bytes) do.
    fn scratch_bytes(&self) -> usize;
    /// The times t_i of the point terms, ascending, repeats allowed; [`AT_END`] comes last.
    fn times(&self) -> &[f64];
    /// J_i(t, y, p).
    fn point(&self, i: usize, t: f64, y: &[S], p: &[S], scratch: &mut Self::Scratch) -> S;
    /// Adds ∂J_i/∂y to `y_bar`, ∂J_i/∂p to `p_bar` and ∂J_i/∂t to `t_bar`: `+=`, never `=`, as
    /// [`verify::objective`](crate::verify::objective) checks.
    #[allow(clippy::too_many_arguments)]
    fn point_vjp(
        &self,
        i: usize,
        t: f64,
        y: &[S],
        p: &[S],
        y_bar: &mut [S],
        p_bar: &mut [S],
        t_bar: &mut S,
        scratch: &mut Self::Scratch,
    );
    /// Fails where this cannot be a function of the solution of a model with d states and m
    /// parameters.
    ///
    /// # Errors
    /// Where a length or an index does not fit.
    fn check(&self, _dim: usize, _num_params: usize) -> Result<(), Error> {
        Ok(())
    }
    /// Whether there is a running cost at all.
    fn has_integrand(&self) -> bool {
        false
    }
    /// r(t, y, p).
    fn integrand(&self, _t: f64, _y: &[S], _p: &[S], _scratch: &mut Self::Scratch) -> S {
        S::zero()
    }
    /// Adds `weight` times the derivatives of r to `y_bar`, `p_bar` and `t_bar`.
    #[allow(clippy::too_many_arguments)]
    fn integrand_vjp(
        &self,
        _t: f64,
        _y: &[S],
        _p: &[S],
        _weight: S,
        _y_bar: &mut [S],
        _p_bar: &mut [S],
        _t_bar: &mut S,
        _scratch: &mut Self::Scratch,
    ) {
    }
}

/// No terms at all.
impl<S: Scalar> Objective<S> for () {
    type Scratch = ();

    fn scratch(&self) {}
    fn scratch_bytes(&self) -> usize {
        0
    }
    fn times(&self) -> &[f64] {
        &[]
    }
    fn point(&self, _i: usize, _t: f64, _y: &[S], _p: &[S], _scratch: &mut ()) -> S {
        S::zero()
    }
    fn point_vjp(
        &self,
        _i: usize,
        _t: f64,
        _y: &[S],
        _p: &[S],
        _y_bar: &mut [S],
        _p_bar: &mut [S],
        _t_bar: &mut S,
        _scratch: &mut (),
    ) {
    }
}
