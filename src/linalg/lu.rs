//! LU factors of I − cJ with partial pivoting, which solve with the matrix and its transpose.

use super::{Matrix, Structure, band, dense};

/// A pivot was zero or not finite: the matrix has no inverse in floating point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Singular {
    /// The column whose pivot failed.
    pub column: usize,
}

/// P(I − cJ) = LU, in storage that is reused from one factorisation to the next.
#[derive(Clone, Debug)]
pub struct Lu {
    pub(super) dim: usize,
    structure: Structure,
    pub(super) values: Vec<f64>,
    pub(super) pivots: Vec<usize>,
    pub(super) inverse_diagonal: Vec<f64>,
    pub(super) exchanged: bool,
}

impl Lu {
    /// Storage for the factors of d × d matrices of this structure; they start as those of I.
    pub fn new(dim: usize, structure: Structure) -> Self {
        let rows = match structure {
            Structure::Dense => dim,
            Structure::Banded { lower, upper } => 2 * lower + upper + 1,
        };
        let mut lu = Lu {
            dim,
            structure,
            values: vec![0.0; rows * dim],
            pivots: (0..dim).collect(),
            inverse_diagonal: vec![1.0; dim],
            exchanged: false,
        };
        for j in 0..dim {
            let diagonal = match structure {
                Structure::Dense => j * dim + j,
                Structure::Banded { lower, upper } => j * rows + lower + upper,
            };
            lu.values[diagonal] = 1.0;
        }
        lu
    }

    /// Factorises I − c J. `jacobian` has the structure that these factors were made for.
    pub fn factor(&mut self, c: f64, jacobian: &Matrix) -> Result<(), Singular> {
        debug_assert_eq!(self.structure, jacobian.structure());
        self.exchanged = false;
        match self.structure {
            Structure::Dense => dense::factor(self, c, jacobian.values()),
            Structure::Banded { lower, upper } => {
                band::factor(self, c, jacobian.values(), lower, upper)
            }
        }
    }

    /// Overwrites `b` with (I − cJ)⁻¹ b.
    pub fn solve(&self, b: &mut [f64]) {
        match self.structure {
            Structure::Dense => dense::solve(self, b),
            Structure::Banded { lower, upper } => band::solve(self, b, lower, upper),
        }
    }

    /// Overwrites `b` with (I − cJ)⁻ᵀ b.
    pub fn solve_transpose(&self, b: &mut [f64]) {
        match self.structure {
            Structure::Dense => dense::solve_transpose(self, b),
            Structure::Banded { lower, upper } => band::solve_transpose(self, b, lower, upper),
        }
    }

    /// Bytes that the factors occupy.
    pub fn bytes(&self) -> usize {
        8 * (self.values.len() + self.inverse_diagonal.len() + self.pivots.len())
    }
}

/// Whether a pivot can be divided by.
pub(super) fn check_pivot(pivot: f64, column: usize) -> Result<f64, Singular> {
    let inverse = 1.0 / pivot;
    if pivot != 0.0 && inverse.is_finite() && pivot.is_finite() {
        Ok(inverse)
    } else {
        Err(Singular { column })
    }
}
