//! Storage of dense and banded factors, and pivots that cannot be divided by.

/// A pivot was zero or not finite: the matrix has no inverse in floating point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Singular {
    /// The column whose pivot failed.
    pub column: usize,
}

/// Dense or banded factors, in the place of the matrix.
#[derive(Clone, Debug)]
pub(super) struct Packed {
    pub(super) dim: usize,
    pub(super) values: Vec<f64>,
    pub(super) pivots: Vec<usize>,
    pub(super) inverse_diagonal: Vec<f64>,
    pub(super) exchanged: bool,
}

impl Packed {
    /// Storage of `rows` rows a column, with the diagonal in row `diagonal(j)` of column j.
    pub(super) fn identity(dim: usize, rows: usize, diagonal: impl Fn(usize) -> usize) -> Self {
        let mut values = vec![0.0; rows * dim];
        (0..dim).for_each(|j| values[j * rows + diagonal(j)] = 1.0);
        Packed {
            dim,
            values,
            pivots: (0..dim).collect(),
            inverse_diagonal: vec![1.0; dim],
            exchanged: false,
        }
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
