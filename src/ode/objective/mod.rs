//! What is differentiated: J = Σ_i J_i(t_i, y(t_i), p) + ∫ r(t, y, p) dt.

use crate::error::Error;
use crate::numbers::scalar::Scalar;
use crate::ode::{At, Bars};

mod any;
mod least_squares;
mod shared;
mod terminal;

pub use crate::ode::grid::AT_END;
pub use any::AnyObjective;
pub use least_squares::LeastSquares;
pub use terminal::Terminal;

/// A sum of point terms J_i(t_i, y(t_i), p) and the integral of a running cost r(t, y, p).
///
/// A term at the end time moves with it; a term inside keeps its time.
#[diagnostic::on_unimplemented(
    note = "an objective is a `Model` with terms, `Terminal`, `LeastSquares`, `()` for none, or a \
            type that implements `Objective`"
)]
pub trait Objective<S: Scalar = f64>: Send + Sync {
    /// Scratch that the caller owns.
    type Scratch: Send + Sync + 'static;

    /// Scratch for the other functions.
    fn scratch(&self) -> Self::Scratch;
    /// Bytes that a [`Scratch`](Self::Scratch) occupies at its largest, what it points to included:
    /// 0 for `()`. They count as those of [`Ode::work_bytes`](crate::ode::Ode::work_bytes) do.
    fn scratch_bytes(&self) -> usize;
    /// The times t_i of the point terms, ascending, repeats allowed; [`AT_END`] comes last.
    fn times(&self) -> &[f64];
    /// J_i(t, y, p).
    fn point(&self, i: usize, at: At<'_, S>, scratch: &mut Self::Scratch) -> S;
    /// Adds ∂J_i/∂y to `bars.y`, ∂J_i/∂p to `bars.p` and ∂J_i/∂t to `bars.t`: `+=`, never `=`, as
    /// [`verify::objective`](crate::verify::objective) checks.
    fn point_vjp(&self, i: usize, at: At<'_, S>, bars: Bars<'_, S>, scratch: &mut Self::Scratch);
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
    fn integrand(&self, _at: At<'_, S>, _scratch: &mut Self::Scratch) -> S {
        S::zero()
    }
    /// Adds `weight` times the derivatives of r to `bars`.
    fn integrand_vjp(
        &self,
        _at: At<'_, S>,
        _weight: S,
        _bars: Bars<'_, S>,
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
    fn point(&self, _i: usize, _: At<'_, S>, _: &mut ()) -> S {
        S::zero()
    }
    fn point_vjp(&self, _i: usize, _: At<'_, S>, _: Bars<'_, S>, _: &mut ()) {}
}
