//! Square matrices, dense or banded.

/// Which entries of a d × d matrix may be nonzero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
}

impl Structure {
    /// That of the transpose.
    pub fn transposed(self) -> Self {
        match self {
            Structure::Dense => Structure::Dense,
            Structure::Banded { lower, upper } => Structure::Banded { lower: upper, upper: lower },
        }
    }
}

/// A square matrix stored by columns: all rows, or the rows of the band.
#[derive(Clone, Debug)]
pub struct Matrix {
    dim: usize,
    structure: Structure,
    values: Vec<f64>,
}

impl Matrix {
    /// The zero matrix.
    pub fn zeros(dim: usize, structure: Structure) -> Self {
        let rows = match structure {
            Structure::Dense => dim,
            Structure::Banded { lower, upper } => lower + upper + 1,
        };
        Matrix { dim, structure, values: vec![0.0; rows * dim] }
    }

    /// d of a d × d matrix.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Which entries may be nonzero.
    pub fn structure(&self) -> Structure {
        self.structure
    }

    /// Sets every entry to zero.
    pub fn clear(&mut self) {
        self.values.fill(0.0);
    }

    /// Sets entry (i, j), which must lie inside the structure.
    #[inline]
    pub fn set(&mut self, i: usize, j: usize, value: f64) {
        let k = self.index(i, j);
        self.values[k] = value;
    }

    /// Adds to entry (i, j), which must lie inside the structure.
    #[inline]
    pub fn add(&mut self, i: usize, j: usize, value: f64) {
        let k = self.index(i, j);
        self.values[k] += value;
    }

    /// Entry (i, j), zero outside the structure.
    pub fn get(&self, i: usize, j: usize) -> f64 {
        if self.contains(i, j) { self.values[self.index(i, j)] } else { 0.0 }
    }

    /// Writes the transpose to `out`, which has the transposed structure.
    pub fn transpose_into(&self, out: &mut Matrix) {
        let (lower, upper) = match self.structure {
            Structure::Dense => (self.dim, self.dim),
            Structure::Banded { lower, upper } => (lower, upper),
        };
        for j in 0..self.dim {
            for i in j.saturating_sub(upper)..self.dim.min(j + lower + 1) {
                out.set(j, i, self.values[self.index(i, j)]);
            }
        }
    }

    /// Whether (i, j) lies inside the structure.
    pub fn contains(&self, i: usize, j: usize) -> bool {
        match self.structure {
            Structure::Dense => true,
            Structure::Banded { lower, upper } => i <= j + lower && j <= i + upper,
        }
    }

    /// The entries column by column: all d rows, or for a band the lower + upper + 1 rows from
    /// i = j − upper to i = j + lower, of which those outside the matrix are unused.
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
        match self.structure {
            Structure::Dense => j * self.dim + i,
            Structure::Banded { lower, upper } => {
                debug_assert!(self.contains(i, j));
                j * (lower + upper + 1) + upper + i - j
            }
        }
    }
}
