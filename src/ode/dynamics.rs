//! The right-hand side and its derivative products.

use super::{At, Bars, Dots, Rows};
use std::any::Any;

use crate::numbers::linalg::{Matrix, Structure};
use crate::numbers::scalar::Scalar;

/// The right-hand side f of y' = f(t, y, p).
#[diagnostic::on_unimplemented(
    note = "an ODE is a `Model`, built with `Model::trace` or read from a file, or a type that \
            implements `Ode`"
)]
pub trait Ode<S: Scalar = f64>: Send + Sync {
    /// Scratch that the caller owns: activations, interpreter registers, nothing (`()`).
    type Work: Send + Sync + 'static;

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
    fn rhs(&self, at: At<'_, S>, dy: &mut [S], work: &mut Self::Work);
}

/// The transposed derivative product, which adjoints are made of.
#[diagnostic::on_unimplemented(
    note = "a gradient needs `Vjp`, which adds fᵀ-products to bars: a `Model` has it, and a type \
            that implements `Ode` by hand must implement it too"
)]
pub trait Vjp<S: Scalar = f64>: Ode<S> {
    /// Adds f_yᵀ w to `bars.y` (d), f_pᵀ w to `bars.p` (m) and f_tᵀ w to `bars.t`.
    ///
    /// Adds: `+=`, never `=`, since the bars hold what other steps and other terms left there.
    /// [`verify::vjp`](crate::verify::vjp) tells whether it does, and whether the products are
    /// right; builds with debug assertions look at the first point of each problem.
    ///
    /// `work` is what [`rhs`](Ode::rhs) left when it was last called with it, at the same point:
    /// activations may be read from it instead of being computed again. It must stay good for a
    /// second `vjp` at the same point.
    fn vjp(&self, at: At<'_, S>, w: &[S], bars: Bars<'_, S>, work: &mut Self::Work);

    /// Whether this is the library's own model type, whose gradients are compiled in the library.
    #[doc(hidden)]
    const IS_MODEL: bool = false;
    /// The library's own model that this is or holds.
    #[doc(hidden)]
    fn as_model(&self) -> Option<&dyn Any> {
        None
    }

    /// Which entries of f_y may be nonzero, for implicit methods: all of them unless told, which is
    /// refused beyond [`MAX_DENSE`](super::MAX_DENSE) states.
    fn structure(&self) -> Structure {
        Structure::Dense
    }

    /// Writes f_y(t, y, p) to `jac`, which has this [`structure`](Self::structure) and holds zeros
    /// or the entries of an earlier call: row by row, by d transposed products, unless told.
    /// `work` is scratch that no earlier call filled, `rows` scratch for the products.
    ///
    /// Adjoints of implicit methods solve with it, so that it must be what [`vjp`](Self::vjp)
    /// transposes: [`verify::jacobian`](crate::verify::jacobian) compares them.
    fn jacobian(&self, at: At<'_, S>, jac: &mut Matrix, rows: Rows<'_, S>, work: &mut Self::Work) {
        let Rows { w, y_bar, p_bar } = rows;
        self.rhs(at, y_bar, work);
        w.fill(S::zero());
        p_bar.fill(S::zero());
        for i in 0..self.dim() {
            y_bar.fill(S::zero());
            w[i] = S::one();
            self.vjp(at, w, Bars { y: y_bar, p: p_bar, t: &mut S::zero() }, work);
            w[i] = S::zero();
            for (j, entry) in y_bar.iter().map(|&x| Scalar::to_f64(x)).enumerate() {
                match jac.contains(i, j) {
                    true => jac.set(i, j, entry),
                    false if entry == 0.0 => {}
                    // The structure is wrong: no step may be taken with what is left of f_y.
                    false => return jac.values_mut().fill(f64::NAN),
                }
            }
        }
    }
}

/// The tangent product: for the dot-product test and for forward sensitivities.
pub trait Jvp<S: Scalar = f64>: Ode<S> {
    /// Writes f_y `dots.y` + f_p `dots.p` to `dy_dot` (d). `work` as in [`Vjp::vjp`].
    fn jvp(&self, at: At<'_, S>, dots: Dots<'_, S>, dy_dot: &mut [S], work: &mut Self::Work);
}
