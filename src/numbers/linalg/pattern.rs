//! The places of a sparse matrix's entries, in compressed columns.

use std::fmt;
use std::sync::{Arc, OnceLock};

use super::symbolic::{Compressed, Symbolic};

/// An entry that is not in the matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "entry ({row}, {column}) is outside of a {dim} × {dim} matrix: rows and columns are counted \
     from 0"
)]
pub struct OutOfMatrix {
    /// The entry's row.
    pub row: usize,
    /// The entry's column.
    pub column: usize,
    /// d of the d × d matrix.
    pub dim: usize,
}

/// Which entries of a sparse d × d matrix may be nonzero. The diagonal always belongs to them,
/// since I − cJ has it. Clones share the pattern, and what is derived from it: the transpose, and
/// the analysis that all factorisations of matrices with this pattern begin with.
///
/// ```
/// use costate::numbers::linalg::{Lu, Matrix, Pattern, Structure};
///
/// // An arrow: the last row and the last column are full.
/// let n = 100;
/// let arrow = Pattern::new(n, (0..n - 1).flat_map(|i| [(i, n - 1), (n - 1, i)]))?;
/// let structure = Structure::Sparse(arrow);
/// let mut jacobian = Matrix::zeros(n, structure.clone())?;
/// (0..n).for_each(|i| jacobian.set(i, i, -2.0));
/// (0..n - 1).for_each(|i| jacobian.set(n - 1, i, 1.0));
/// let mut lu = Lu::new(n, structure)?;
/// lu.factor(0.5, &jacobian).unwrap();
/// let mut x = vec![1.0; n]; // (I − J/2) x = 1
/// lu.solve(&mut x);
/// assert!((x[0] - 0.5).abs() < 1e-15 && (x[n - 1] - 12.875).abs() < 1e-13);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Pattern(Arc<Columns>);

struct Columns {
    starts: Vec<usize>,
    rows: Vec<usize>,
    diagonal: Vec<usize>,
    transposed: OnceLock<Pattern>,
    symbolic: OnceLock<Symbolic>,
}

impl Pattern {
    /// The entries (row, column), in any order and as often as they come, and the diagonal.
    ///
    /// # Errors
    /// Where an entry is outside of the matrix.
    pub fn new(
        dim: usize,
        entries: impl IntoIterator<Item = (usize, usize)>,
    ) -> Result<Self, OutOfMatrix> {
        let mut places: Vec<(usize, usize)> = (0..dim).map(|j| (j, j)).collect();
        for (row, column) in entries {
            if row >= dim || column >= dim {
                return Err(OutOfMatrix { row, column, dim });
            }
            places.push((column, row));
        }
        places.sort_unstable();
        places.dedup();
        let starts = (0..=dim).map(|j| places.partition_point(|&(column, _)| column < j)).collect();
        let is_diagonal = |&k: &usize| places[k].0 == places[k].1;
        Ok(Pattern(Arc::new(Columns {
            starts,
            diagonal: (0..places.len()).filter(is_diagonal).collect(),
            rows: places.iter().map(|&(_, row)| row).collect(),
            transposed: OnceLock::new(),
            symbolic: OnceLock::new(),
        })))
    }

    /// d of the d × d matrix.
    pub fn dim(&self) -> usize {
        self.0.diagonal.len()
    }

    /// The number of entries.
    pub fn num_entries(&self) -> usize {
        self.0.rows.len()
    }

    /// The rows of column j's entries, ascending.
    pub fn column(&self, j: usize) -> &[usize] {
        self.compressed().column(j)
    }

    pub(super) fn compressed(&self) -> Compressed<'_> {
        Compressed { starts: &self.0.starts, rows: &self.0.rows }
    }

    /// The place of entry (i, j) in [`Matrix::values`](super::Matrix::values), if it has one.
    pub fn position(&self, i: usize, j: usize) -> Option<usize> {
        self.column(j).binary_search(&i).ok().map(|k| self.0.starts[j] + k)
    }

    /// That of the transpose.
    pub fn transposed(&self) -> &Pattern {
        self.0.transposed.get_or_init(|| {
            let rows = |j: usize| self.column(j).iter().map(move |&i| (j, i));
            Pattern::new(self.dim(), (0..self.dim()).flat_map(rows))
                .expect("the entries are those of a pattern")
        })
    }

    pub(super) fn diagonal(&self) -> &[usize] {
        &self.0.diagonal
    }

    pub(super) fn symbolic(&self) -> &Symbolic {
        let analysed = || Symbolic::new(self.compressed(), self.transposed().compressed());
        self.0.symbolic.get_or_init(analysed)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        let (a, b) = (&self.0, &other.0);
        Arc::ptr_eq(a, b) || (a.starts == b.starts && a.rows == b.rows)
    }
}

impl Eq for Pattern {}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (dim, entries) = (self.dim(), self.num_entries());
        f.debug_struct("Pattern").field("dim", &dim).field("num_entries", &entries).finish()
    }
}
