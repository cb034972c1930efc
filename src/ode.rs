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
    /// Adds: `+=`, never `=`, since the bars hold what other steps and other terms left there.
    /// [`verify::vjp`](crate::verify::vjp) tells whether it does, and whether the products are
    /// right; builds with debug assertions look at the first point of each problem.
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

    /// Which entries of f_y may be nonzero, for implicit methods: all of them unless told, which is
    /// refused beyond [`MAX_DENSE`] states.
    fn structure(&self) -> Structure {
        Structure::Dense
    }

    /// Writes f_y(t, y, p) to `jac`, which has this [`structure`](Self::structure) and holds zeros
    /// or the entries of an earlier call: row by row, by d transposed products, unless told.
    /// `work` is scratch that no earlier call filled, `rows` scratch for the products.
    ///
    /// Adjoints of implicit methods solve with it, so that it must be what [`vjp`](Self::vjp)
    /// transposes: [`verify::jacobian`](crate::verify::jacobian) compares them.
    #[allow(clippy::too_many_arguments)]
    fn jacobian(
        &self,
        t: f64,
        y: &[S],
        p: &[S],
        jac: &mut Matrix,
        rows: Rows<'_, S>,
        work: &mut Self::Work,
    ) {
        let Rows { w, y_bar, p_bar } = rows;
        self.rhs(t, y, p, y_bar, work);
        w.fill(S::zero());
        p_bar.fill(S::zero());
        for i in 0..self.dim() {
            y_bar.fill(S::zero());
            w[i] = S::one();
            self.vjp(t, y, p, w, y_bar, p_bar, &mut S::zero(), work);
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

/// The Jacobian f_y as implicit methods ask for it: of every [`Vjp`], what that says of it.
pub trait Jacobian: Ode<f64> {
    /// Which entries may be nonzero.
    fn structure(&self) -> Structure;
    /// Writes f_y(t, y, p) to `jac`, which has this [`structure`](Self::structure) and holds zeros
    /// or the entries of an earlier call. `work` is scratch that no earlier call filled.
    fn jacobian(
        &self,
        t: f64,
        y: &[f64],
        p: &[f64],
        jac: &mut Matrix,
        rows: Rows<'_>,
        work: &mut Self::Work,
    );
}

impl<O: Vjp> Jacobian for O {
    fn structure(&self) -> Structure {
        Vjp::structure(self)
    }
    fn jacobian(
        &self,
        t: f64,
        y: &[f64],
        p: &[f64],
        jac: &mut Matrix,
        rows: Rows<'_>,
        work: &mut Self::Work,
    ) {
        Vjp::jacobian(self, t, y, p, jac, rows, work);
    }
}

/// Scratch for a Jacobian that is taken row by row, each a transposed product.
pub struct Rows<'a, S = f64> {
    /// The product's direction (d).
    pub w: &'a mut [S],
    /// f_yᵀ w (d).
    pub y_bar: &'a mut [S],
    /// f_pᵀ w (m), of which nothing is used.
    pub p_bar: &'a mut [S],
}

/// f_y(t, y, p) as a matrix of its own.
///
/// # Errors
/// Where a length is wrong, or f_y too large.
pub fn jacobian_at<O: Jacobian>(ode: &O, t: f64, y: &[f64], p: &[f64]) -> Result<Matrix, Error> {
    let dim = ode.dim();
    check_length("the state", y.len(), dim)?;
    check_length("the parameter vector", p.len(), ode.num_params())?;
    check_jacobian(ode)?;
    let mut jac = Matrix::fitting(dim, ode.structure());
    let (w, y_bar, p_bar) = (&mut vec![0.0; dim], &mut vec![0.0; dim], &mut vec![0.0; p.len()]);
    ode.jacobian(t, y, p, &mut jac, Rows { w, y_bar, p_bar }, &mut ode.work());
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

/// The initial state y₀(p).
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
