//! What a user writes by hand: the right-hand side of an ODE and its derivative products.
//!
//! y'(t) = f(t, y, p), y(t₀) = y₀(p), with y ∈ ℝᵈ (`dim`) and p ∈ ℝᵐ (`num_params`).

use crate::error::{Error, check_length};
use crate::linalg::{Matrix, Structure};
use crate::scalar::Scalar;

/// The right-hand side f of y' = f(t, y, p).
pub trait Ode<S: Scalar = f64>: Send + Sync {
    /// Scratch that the caller owns: activations, interpreter registers, nothing (`()`).
    type Work: Send + Sync;

    /// d, the number of states.
    fn dim(&self) -> usize;
    /// m, the number of parameters.
    fn num_params(&self) -> usize;
    /// Scratch for [`rhs`](Self::rhs) and, where it is kept, for the derivative products.
    fn work(&self) -> Self::Work;
    /// Bytes that a [`Work`](Self::Work) occupies at its largest, what it points to included: 0 for
    /// `()`, `size_of::<Work>()` and 8 for each number in its vectors otherwise. They count in
    /// [`peak_bytes`](crate::adjoint::Stats::peak_bytes) and in a memory budget. What several `Work`s
    /// share counts once, where it is owned: in none of them.
    fn work_bytes(&self) -> usize;
    /// Writes f(t, y, p) to `dy` (length d). Leaves in `work` what derivative products at the same
    /// point may use. Must be a function of `t`, `y` and `p` alone, down to the bit.
    fn rhs(&self, t: f64, y: &[S], p: &[S], dy: &mut [S], work: &mut Self::Work);
}

/// The transposed derivative product, which adjoints are made of.
pub trait Vjp<S: Scalar = f64>: Ode<S> {
    /// Adds f_yᵀ w to `y_bar` (d), f_pᵀ w to `p_bar` (m) and f_tᵀ w to `t_bar`.
    ///
    /// `work` is what [`rhs`](Ode::rhs) left when it was last called with it, at the same
    /// `t`, `y`, `p`: activations may be read from it instead of being computed again. It must
    /// stay good for a second `vjp` at the same point.
    #[allow(clippy::too_many_arguments)]
    fn vjp(
        &self,
        t: f64,
        y: &[S],
        p: &[S],
        w: &[S],
        y_bar: &mut [S],
        p_bar: &mut [S],
        t_bar: &mut S,
        work: &mut Self::Work,
    );
}

/// The tangent product: for the dot-product test and for forward sensitivities.
pub trait Jvp<S: Scalar = f64>: Ode<S> {
    /// Writes f_y `y_dot` + f_p `p_dot` to `dy_dot` (d). `work` as in [`Vjp::vjp`].
    #[allow(clippy::too_many_arguments)]
    fn jvp(
        &self,
        t: f64,
        y: &[S],
        p: &[S],
        y_dot: &[S],
        p_dot: &[S],
        dy_dot: &mut [S],
        work: &mut Self::Work,
    );
}

/// The Jacobian f_y as a matrix, which implicit methods factorise.
pub trait Jacobian: Ode<f64> {
    /// Which entries may be nonzero.
    fn structure(&self) -> Structure;
    /// Writes f_y(t, y, p) to `jac`, which has this [`structure`](Self::structure) and holds
    /// zeros or the entries of an earlier call. `work` is scratch that no earlier call filled.
    fn jacobian(&self, t: f64, y: &[f64], p: &[f64], jac: &mut Matrix, work: &mut Self::Work);
}

/// The initial state y₀(p).
pub trait Initial<S: Scalar = f64>: Send + Sync {
    /// Writes y₀(p) to `y0`.
    fn initial(&self, p: &[S], y0: &mut [S]);
    /// Adds (∂y₀/∂p)ᵀ `y0_bar` to `p_bar`.
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

/// An initial state that does not depend on the parameters.
impl<S: Scalar> Initial<S> for Vec<S> {
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
