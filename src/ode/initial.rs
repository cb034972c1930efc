//! The initial state.

use crate::error::{Error, check_length};
use crate::numbers::scalar::Scalar;

/// The initial state y₀(p).
///
/// Arrays, slices and vectors are initial states that do not depend on the parameters.
#[diagnostic::on_unimplemented(
    note = "an initial state is an array, slice or `Vec` of numbers `{S}`, a `Model` built with \
            `.initial(…)`, or a type that implements `Initial`"
)]
pub trait Initial<S: Scalar = f64>: Send + Sync {
    /// Writes y₀(p) to `y0`.
    fn initial(&self, p: &[S], y0: &mut [S]);
    /// Adds (∂y₀/∂p)ᵀ `y0_bar` to `p_bar`: see [`verify::initial`](crate::verify::initial).
    fn initial_vjp(&self, p: &[S], y0_bar: &[S], p_bar: &mut [S]);
    /// Writes (∂y₀/∂p) `p_dot` to `y0_dot`.
    fn initial_jvp(&self, p: &[S], p_dot: &[S], y0_dot: &mut [S]);
    /// Fails where this cannot be the initial state of a model with d states and m parameters.
    ///
    /// # Errors
    /// Where a length does not fit.
    fn check(&self, _dim: usize, _num_params: usize) -> Result<(), Error> {
        Ok(())
    }
}

impl<S: Scalar> Initial<S> for [S] {
    fn initial(&self, _p: &[S], y0: &mut [S]) {
        y0.copy_from_slice(self);
    }
    fn initial_vjp(&self, _p: &[S], _y0_bar: &[S], _p_bar: &mut [S]) {}
    fn initial_jvp(&self, _p: &[S], _p_dot: &[S], y0_dot: &mut [S]) {
        y0_dot.fill(S::zero());
    }
    fn check(&self, dim: usize, _num_params: usize) -> Result<(), Error> {
        check_length("the initial state", self.len(), dim)
    }
}
