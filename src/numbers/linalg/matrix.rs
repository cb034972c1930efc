//! Square matrices, dense, banded or sparse.

#[cfg(feature = "sparse")]
use super::pattern::Pattern;
use crate::error::MatrixError;

/// Which entries of a d × d matrix may be nonzero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Structure {
    /// All of them.
    Dense,
    /// Entry (i, j) with i − j ≤ `lower` and j − i ≤ `upper`.
    Banded {
        /// The number of diagonals below the main one.
        lower: usize,
        /// The number of diagonals above it.
        upper: usize,
    },
    /// Those of a pattern (feature `sparse`).
    #[cfg(feature = "sparse")]
    Sparse(Pattern),
}

impl Structure {
    /// Fails unless there can be d × d matrices of this structure, and factors of them.
    pub(crate) fn check(&self, dim: usize) -> Result<(), MatrixError> {
        #[cfg(feature = "sparse")]
        if let Structure::Sparse(pattern) = self
            && pattern.dim() != dim
        {
            return Err(MatrixError::Pattern { dim, found: pattern.dim() });
        }
        let room =
            self.num_values(dim).zip(self.num_factors(dim)).is_some_and(|(values, factors)| {
                let has_room = |len| Vec::<f64>::new().try_reserve_exact(len).is_ok();
                has_room(values) && has_room(factors) && has_room(dim)
            });
        if room { Ok(()) } else { Err(MatrixError::TooLarge { dim }) }
    }

    /// The number of stored entries of a d × d matrix; `None` where it is no number.
    fn num_values(&self, dim: usize) -> Option<usize> {
        match self {
            Structure::Dense => dim.checked_mul(dim),
            Structure::Banded { lower, upper } => {
                lower.checked_add(*upper)?.checked_add(1)?.checked_mul(dim)
            }
            #[cfg(feature = "sparse")]
            Structure::Sparse(pattern) => Some(pattern.num_entries()),
        }
    }

    /// The same of dense or banded factors, with the room that row exchanges ask for.
    fn num_factors(&self, dim: usize) -> Option<usize> {
        match self {
            Structure::Banded { lower, upper } => {
                let rows = lower.checked_mul(2)?.checked_add(*upper)?.checked_add(1)?;
                rows.checked_mul(dim)
            }
            _ => self.num_values(dim),
        }
    }

    /// That of the transpose.
    pub fn transposed(&self) -> Self {
        match self {
            Structure::Dense => Structure::Dense,
            &Structure::Banded { lower, upper } => Structure::Banded { lower: upper, upper: lower },
            #[cfg(feature = "sparse")]
            Structure::Sparse(pattern) => Structure::Sparse(pattern.transposed().clone()),
        }
    }

    /// Bytes of a d × d matrix of this structure.
    pub fn matrix_bytes(&self, dim: usize) -> usize {
        self.num_values(dim).map_or(usize::MAX, |values| values.saturating_mul(size_of::<f64>()))
    }

    /// Bytes that the factors of d × d matrices of this structure and the scratch for them occupy; of
    /// sparse ones, whose row exchanges are not known before, what their pattern leads one to expect
    /// at most.
    pub fn lu_bytes(&self, dim: usize) -> usize {
        #[cfg(feature = "sparse")]
        if let Structure::Sparse(pattern) = self {
            return super::sparse::bytes(pattern);
        }
        // Entries, inverses of pivots and row exchanges.
        let places = (size_of::<f64>() + size_of::<usize>()).saturating_mul(dim);
        let factors = self.num_factors(dim).unwrap_or(usize::MAX);
        factors.saturating_mul(size_of::<f64>()).saturating_add(places)
    }

    /// What an LU of d × d matrices of this structure costs, in multiplications of a dense one.
    #[cfg(feature = "sparse")]
    pub(crate) fn factor_cost(&self, dim: usize) -> f64 {
        // Sparse factors are bound by gathering and scattering: `cargo bench --bench linalg`.
        const ENTRY: f64 = 40.0;
        const COLUMN: f64 = 800.0;
        let d = dim as f64;
        match self {
            Structure::Dense => d * d * d / 3.0,
            &Structure::Banded { lower, upper } => d * (lower * (1 + upper)) as f64,
            Structure::Sparse(pattern) => ENTRY * pattern.symbolic().entries as f64 + COLUMN * d,
        }
    }

    /// The place of entry (i, j) in the [`values`](Matrix::values) of a d × d matrix of this
    /// structure, if it has one.
    #[inline]
    pub fn position(&self, dim: usize, i: usize, j: usize) -> Option<usize> {
        match self {
            Structure::Dense => Some(j * dim + i),
            &Structure::Banded { lower, upper } => {
                let is_inside = i <= j + lower && j <= i + upper;
                is_inside.then(|| j * (lower + upper + 1) + upper + i - j)
            }
            #[cfg(feature = "sparse")]
            Structure::Sparse(pattern) => pattern.position(i, j),
        }
    }
}

/// A square matrix stored by columns: all rows, the rows of the band, or those of the pattern.
#[derive(Clone, Debug)]
pub struct Matrix {
    dim: usize,
    structure: Structure,
    values: Vec<f64>,
}

impl Matrix {
    /// The zero matrix.
    ///
    /// # Errors
    /// Where a pattern is that of matrices of another size, or there is no memory for the entries.
    pub fn zeros(dim: usize, structure: Structure) -> Result<Self, MatrixError> {
        structure.check(dim)?;
        Ok(Self::fitting(dim, structure))
    }

    /// The zero matrix, of a structure that was checked.
    pub(crate) fn fitting(dim: usize, structure: Structure) -> Self {
        let values = vec![0.0; structure.num_values(dim).unwrap_or(0)];
        Matrix { dim, structure, values }
    }

    /// d of a d × d matrix.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Which entries may be nonzero.
    pub fn structure(&self) -> &Structure {
        &self.structure
    }

    /// Sets every entry to zero.
    pub fn clear(&mut self) {
        self.values.fill(0.0);
    }

    /// Sets entry (i, j).
    ///
    /// # Panics
    /// If the entry is outside the structure.
    #[inline]
    pub fn set(&mut self, i: usize, j: usize, value: f64) {
        let k = self.index(i, j);
        self.values[k] = value;
    }

    /// Adds to entry (i, j).
    ///
    /// # Panics
    /// If the entry is outside the structure.
    #[inline]
    pub fn add(&mut self, i: usize, j: usize, value: f64) {
        let k = self.index(i, j);
        self.values[k] += value;
    }

    /// Entry (i, j), zero outside the structure.
    pub fn get(&self, i: usize, j: usize) -> f64 {
        self.structure.position(self.dim, i, j).map_or(0.0, |k| self.values[k])
    }

    /// Calls `visit` with (i, j, value) of every entry inside the structure, column by column.
    pub fn for_each(&self, mut visit: impl FnMut(usize, usize, f64)) {
        #[cfg(feature = "sparse")]
        if let Structure::Sparse(pattern) = &self.structure {
            let mut values = self.values.iter();
            for j in 0..self.dim {
                for (&i, &value) in pattern.column(j).iter().zip(&mut values) {
                    visit(i, j, value);
                }
            }
            return;
        }
        let (lower, upper) = match self.structure {
            Structure::Banded { lower, upper } => (lower, upper),
            _ => (self.dim, self.dim),
        };
        for j in 0..self.dim {
            for i in j.saturating_sub(upper)..self.dim.min(j + lower + 1) {
                visit(i, j, self.values[self.index(i, j)]);
            }
        }
    }

    /// Writes the transpose to `out`, which has the transposed structure.
    pub fn transpose_into(&self, out: &mut Matrix) {
        self.for_each(|i, j, value| out.set(j, i, value));
    }

    /// Whether (i, j) lies inside the structure.
    pub fn contains(&self, i: usize, j: usize) -> bool {
        self.structure.position(self.dim, i, j).is_some()
    }

    /// The entries column by column: all d rows, or for a band the lower + upper + 1 rows from
    /// i = j − upper to i = j + lower, of which those outside the matrix are unused, or the rows of
    /// the pattern.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// [`values`](Self::values) to write whole columns to. Entries of a band that lie outside the
    /// matrix must stay zero.
    pub fn values_mut(&mut self) -> &mut [f64] {
        &mut self.values
    }

    /// Bytes that the entries occupy.
    pub fn bytes(&self) -> usize {
        8 * self.values.len()
    }

    #[inline]
    fn index(&self, i: usize, j: usize) -> usize {
        let Some(k) = self.structure.position(self.dim, i, j) else {
            panic!("entry ({i}, {j}) is outside of the structure {:?}", self.structure)
        };
        k
    }
}
