//! What the pattern alone says of a sparse factorisation: the order of elimination and its cost.

use faer::dyn_stack::StackReq;
use faer::sparse::SymbolicSparseColMatRef;
use faer::sparse::linalg::SupernodalThreshold;
use faer::sparse::linalg::lu::{LuSymbolicParams, SymbolicLu, factorize_symbolic_lu};
use faer::{Par, Spec};

/// The places of a square matrix's entries: the rows of those in column j are
/// `rows[starts[j]..starts[j + 1]]`.
#[derive(Clone, Copy)]
pub(super) struct Compressed<'a> {
    pub(super) starts: &'a [usize],
    pub(super) rows: &'a [usize],
}

impl<'a> Compressed<'a> {
    fn dim(self) -> usize {
        self.starts.len() - 1
    }

    pub(super) fn column(self, j: usize) -> &'a [usize] {
        &self.rows[self.starts[j]..self.starts[j + 1]]
    }

    pub(super) fn view(self) -> SymbolicSparseColMatRef<'a, usize> {
        SymbolicSparseColMatRef::new_checked(self.dim(), self.dim(), self.starts, None, self.rows)
    }
}

/// The column order (COLAMD) and supernodes of every LU of a pattern's matrices, by faer. Supernodes
/// always: faer's own choice, single entries for 64 × 64 points, takes four times as long there.
pub(super) struct Symbolic {
    pub(super) lu: SymbolicLu<usize>,
    /// The entries of L and U where no row is exchanged.
    pub(super) entries: usize,
}

impl Symbolic {
    pub(super) fn new(pattern: Compressed, transposed: Compressed) -> Self {
        let params = LuSymbolicParams {
            supernodal_flop_ratio_threshold: SupernodalThreshold::FORCE_SUPERNODAL,
            ..Default::default()
        };
        let lu = factorize_symbolic_lu(pattern.view(), params)
            .expect("the pattern is that of a square matrix, and memory is there");
        let counts = counts(pattern, transposed, lu.col_perm().arrays());
        let entries = pattern.dim() + 2 * counts.iter().sum::<usize>();
        Symbolic { lu, entries }
    }

    /// What a factorisation and a solve need as scratch.
    pub(super) fn scratch(&self) -> StackReq {
        let factor = self.lu.factorize_numeric_lu_scratch::<f64>(Par::Seq, Spec::default());
        StackReq::any_of(&[
            factor,
            self.lu.solve_in_place_scratch::<f64>(1, Par::Seq),
            self.lu.solve_transpose_in_place_scratch::<f64>(1, Par::Seq),
        ])
    }
}

/// The entries below the diagonal in each column of L, where no row is exchanged and the pattern is
/// made symmetric: entry (i, k) of the matrix fills row i along k's path up the elimination tree
/// (Liu, SIAM J. Matrix Anal. Appl. 11 (1990), doi 10.1137/0611010). Row exchanges change them.
fn counts(
    pattern: Compressed,
    transposed: Compressed,
    (order, place): (&[usize], &[usize]),
) -> Vec<usize> {
    let dim = pattern.dim();
    let (mut counts, mut parent, mut seen) = (vec![0; dim], vec![dim; dim], vec![dim; dim]);
    for i in 0..dim {
        seen[i] = i;
        let neighbours = pattern.column(order[i]).iter().chain(transposed.column(order[i]));
        for mut k in neighbours.map(|&j| place[j]).filter(|&k| k < i) {
            while seen[k] != i {
                if parent[k] == dim {
                    parent[k] = i;
                }
                counts[k] += 1;
                seen[k] = i;
                k = parent[k];
            }
        }
    }
    counts
}
