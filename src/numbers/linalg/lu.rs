//! LU factors of I − cJ with partial pivoting, which solve with the matrix and its transpose.

use super::packed::{Packed, Singular};
#[cfg(feature = "sparse")]
use super::sparse::SparseLu;
use super::{Matrix, Structure, band, dense};
use crate::error::MatrixError;

/// P(I − cJ)Q = LU, in storage that is reused from one factorisation to the next. Q is the
/// identity but for sparse matrices, whose columns are put in an order that keeps the factors
/// sparse.
///
/// The factors are a function of c and J alone, down to the bit: never of factorisations before.
#[derive(Clone, Debug)]
pub struct Lu {
    structure: Structure,
    factors: Factors,
}

#[derive(Clone, Debug)]
enum Factors {
    Packed(Packed),
    #[cfg(feature = "sparse")]
    Sparse(Box<SparseLu>),
}

impl Lu {
    /// Storage for the factors of d × d matrices of this structure; they start as those of I.
    ///
    /// # Errors
    /// As [`Matrix::zeros`].
    pub fn new(dim: usize, structure: Structure) -> Result<Self, MatrixError> {
        structure.check(dim)?;
        Ok(Self::fitting(dim, structure))
    }

    /// As [`new`](Self::new), of a structure that was checked.
    pub(crate) fn fitting(dim: usize, structure: Structure) -> Self {
        let factors = match &structure {
            Structure::Dense => Factors::Packed(Packed::identity(dim, dim, |j| j)),
            &Structure::Banded { lower, upper } => {
                Factors::Packed(Packed::identity(dim, 2 * lower + upper + 1, |_| lower + upper))
            }
            #[cfg(feature = "sparse")]
            Structure::Sparse(pattern) => Factors::Sparse(Box::new(SparseLu::new(pattern.clone()))),
        };
        Lu { structure, factors }
    }

    /// Factorises I − c J. `jacobian` has the structure that these factors were made for.
    ///
    /// # Errors
    /// Where a pivot is zero or not finite.
    pub fn factor(&mut self, c: f64, jacobian: &Matrix) -> Result<(), Singular> {
        debug_assert_eq!(&self.structure, jacobian.structure());
        match &mut self.factors {
            Factors::Packed(lu) => {
                lu.exchanged = false;
                match self.structure {
                    Structure::Banded { lower, upper } => {
                        band::factor(lu, c, jacobian.values(), lower, upper)
                    }
                    _ => dense::factor(lu, c, jacobian.values()),
                }
            }
            #[cfg(feature = "sparse")]
            Factors::Sparse(lu) => lu.factor(c, jacobian.values()),
        }
    }

    /// Overwrites `b` with (I − cJ)⁻¹ b.
    pub fn solve(&mut self, b: &mut [f64]) {
        match &mut self.factors {
            Factors::Packed(lu) => match self.structure {
                Structure::Banded { lower, upper } => band::solve(lu, b, lower, upper),
                _ => dense::solve(lu, b),
            },
            #[cfg(feature = "sparse")]
            Factors::Sparse(lu) => lu.solve(b),
        }
    }

    /// Overwrites `b` with (I − cJ)⁻ᵀ b.
    pub fn solve_transpose(&mut self, b: &mut [f64]) {
        match &mut self.factors {
            Factors::Packed(lu) => match self.structure {
                Structure::Banded { lower, upper } => band::solve_transpose(lu, b, lower, upper),
                _ => dense::solve_transpose(lu, b),
            },
            #[cfg(feature = "sparse")]
            Factors::Sparse(lu) => lu.solve_transpose(b),
        }
    }

    /// Bytes that the factors and the scratch for them occupy: see [`Structure::lu_bytes`].
    pub fn bytes(&self) -> usize {
        match &self.factors {
            Factors::Packed(lu) => self.structure.lu_bytes(lu.dim),
            #[cfg(feature = "sparse")]
            Factors::Sparse(lu) => lu.bytes(),
        }
    }
}
