//! Sparse LU by faer: supernodes with partial pivoting inside each.

use std::fmt;
use std::mem::MaybeUninit;

use faer::dyn_stack::{MemStack, StackReq};
use faer::sparse::SparseColMatRef;
use faer::sparse::linalg::LuError;
use faer::sparse::linalg::lu::{LuRef, NumericLu, simplicial};
use faer::{Conj, MatMut, Par, Spec};

use super::packed::{Singular, check_pivot};
use super::pattern::Pattern;

#[derive(Clone, Debug)]
pub(super) struct SparseLu {
    pattern: Pattern,
    /// The entries of I − cJ.
    values: Vec<f64>,
    /// The factors; those of I before the first factorisation and after one that failed.
    numeric: Option<NumericLu<usize, f64>>,
    scratch: Scratch,
    /// What the factors are tried on.
    trial: Vec<f64>,
}

#[derive(Clone)]
struct Scratch(Vec<MaybeUninit<u8>>);

impl Scratch {
    fn new(need: StackReq) -> Self {
        Scratch(vec![MaybeUninit::uninit(); need.unaligned_bytes_required()])
    }
}

impl fmt::Debug for Scratch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scratch of {} bytes", self.0.len())
    }
}

impl SparseLu {
    pub(super) fn new(pattern: Pattern) -> Self {
        SparseLu {
            values: vec![0.0; pattern.num_entries()],
            numeric: None,
            scratch: Scratch::new(pattern.symbolic().scratch()),
            trial: vec![0.0; pattern.dim()],
            pattern,
        }
    }

    pub(super) fn factor(&mut self, c: f64, jacobian: &[f64]) -> Result<(), Singular> {
        for (x, j) in self.values.iter_mut().zip(jacobian) {
            *x = -c * j;
        }
        for &k in self.pattern.diagonal() {
            self.values[k] += 1.0;
        }
        let mut numeric = self.numeric.take().unwrap_or_default();
        if let Some(k) = self.values.iter().position(|x| !x.is_finite()) {
            let column = self.pattern.compressed().starts.partition_point(|&start| start <= k) - 1;
            return Err(Singular { column });
        }
        let outcome = self.pattern.symbolic().lu.factorize_numeric_lu(
            &mut numeric,
            SparseColMatRef::new(self.pattern.compressed().view(), &self.values),
            Par::Seq,
            MemStack::new(&mut self.scratch.0),
            Spec::default(),
        );
        if outcome.is_ok() {
            self.numeric = Some(numeric);
            // faer divides by whatever pivot it meets.
            self.trial.fill(1.0);
            let mut trial = std::mem::take(&mut self.trial);
            self.solve(&mut trial);
            self.trial = trial;
            if self.trial.iter().all(|x| x.is_finite()) {
                return Ok(());
            }
            self.numeric = None;
        }
        Err(Singular { column: self.failing_column() })
    }

    /// The column without a pivot, found by an elimination that shows its pivots, or that with the
    /// least pivot.
    #[cold]
    fn failing_column(&self) -> usize {
        let (dim, order) = (self.pattern.dim(), self.pattern.symbolic().lu.col_perm());
        let (mut row_order, mut row_place) = (vec![0; dim], vec![0; dim]);
        let mut lu = simplicial::SimplicialLu::new();
        let need = simplicial::factorize_simplicial_numeric_lu_scratch::<usize, f64>(dim, dim);
        let outcome = simplicial::factorize_simplicial_numeric_lu(
            &mut row_order,
            &mut row_place,
            &mut lu,
            SparseColMatRef::new(self.pattern.compressed().view(), &self.values),
            order,
            MemStack::new(&mut Scratch::new(need).0),
        );
        let k = match outcome {
            Err(LuError::SymbolicSingular { index }) => index,
            Err(LuError::Generic(_)) => 0,
            Ok(()) => {
                let u = lu.u_factor_unsorted();
                let pivot = |k: usize| u.val_of_col(k).last().map_or(0.0, |x| x.abs());
                let failed = (0..dim).find(|&k| check_pivot(pivot(k), k).is_err());
                let least = (0..dim).min_by(|&a, &b| pivot(a).total_cmp(&pivot(b)));
                failed.or(least).unwrap_or(0)
            }
        };
        order.arrays().0[k]
    }

    pub(super) fn solve(&mut self, b: &mut [f64]) {
        self.apply(b, |lu, b, stack| lu.solve_in_place_with_conj(Conj::No, b, Par::Seq, stack));
    }

    pub(super) fn solve_transpose(&mut self, b: &mut [f64]) {
        self.apply(b, |lu, b, stack| {
            lu.solve_transpose_in_place_with_conj(Conj::No, b, Par::Seq, stack);
        });
    }

    fn apply(
        &mut self,
        b: &mut [f64],
        solve: impl FnOnce(LuRef<'_, usize, f64>, MatMut<'_, f64>, &mut MemStack),
    ) {
        let Some(numeric) = &self.numeric else { return };
        let (n, lu) = (b.len(), LuRef::new_unchecked(&self.pattern.symbolic().lu, numeric));
        let b = MatMut::from_column_major_slice_mut(b, n, 1);
        solve(lu, b, MemStack::new(&mut self.scratch.0));
    }

    pub(super) fn bytes(&self) -> usize {
        bytes(&self.pattern)
    }
}

/// What the factors of matrices of a pattern hold at most, as `cargo bench --bench linalg` finds it
/// allocated: row exchanges add entries, faer's buffers grow by doubling, and updates wait beside the
/// factors for their columns.
pub(super) fn bytes(pattern: &Pattern) -> usize {
    const PER_ENTRY: usize = 4;
    const PER_COLUMN: usize = 16;
    let (dim, symbolic) = (pattern.dim(), pattern.symbolic());
    let factors = PER_ENTRY * symbolic.entries + PER_COLUMN * dim;
    let scratch = symbolic.scratch().unaligned_bytes_required();
    8 * (factors + pattern.num_entries() + dim) + scratch
}
