//! Banded LU in LAPACK's band storage (dgbtf2): column j holds rows j − (lower + upper) to
//! j + lower, the first `lower` of them for the fill that row exchanges bring.

use super::packed::{Packed, Singular, check_pivot};

pub(super) fn factor(
    lu: &mut Packed,
    c: f64,
    jacobian: &[f64],
    lower: usize,
    upper: usize,
) -> Result<(), Singular> {
    let n = lu.dim;
    let rows = 2 * lower + upper + 1;
    let diagonal = lower + upper;
    for (column, j) in lu.values.chunks_exact_mut(rows).zip(jacobian.chunks_exact(rows - lower)) {
        column[..lower].fill(0.0);
        for (x, j) in column[lower..].iter_mut().zip(j) {
            *x = -c * j;
        }
        column[diagonal] += 1.0;
    }
    // The last column that the row exchanges so far reach.
    let mut reach = 0;
    for k in 0..n {
        let below = lower.min(n - 1 - k);
        let (left, right) = lu.values.split_at_mut((k + 1) * rows);
        let column = &mut left[k * rows..];
        let pivot = largest(&column[diagonal..=diagonal + below]);
        lu.pivots[k] = k + pivot;
        reach = reach.max((k + upper + pivot).min(n - 1));
        let inverse = check_pivot(column[diagonal + pivot], k)?;
        lu.inverse_diagonal[k] = inverse;
        column.swap(diagonal, diagonal + pivot);
        lu.exchanged |= pivot != 0;
        let multipliers = &mut column[diagonal + 1..=diagonal + below];
        for x in &mut *multipliers {
            *x *= inverse;
        }
        for (offset, other) in right.chunks_exact_mut(rows).take(reach - k).enumerate() {
            // Row k stands `offset + 1` places above the diagonal of that column.
            let row = diagonal - (offset + 1);
            if pivot != 0 {
                other.swap(row, row + pivot);
            }
            let factor = other[row];
            for (x, l) in other[row + 1..=row + below].iter_mut().zip(&*multipliers) {
                *x -= factor * l;
            }
        }
    }
    Ok(())
}

fn largest(candidates: &[f64]) -> usize {
    let mut best = 0;
    for i in 1..candidates.len() {
        if candidates[i].abs() > candidates[best].abs() {
            best = i;
        }
    }
    best
}

/// Superdiagonals of U: the fill is there only where rows were exchanged.
fn superdiagonals(lu: &Packed, lower: usize, upper: usize) -> usize {
    if lu.exchanged { lower + upper } else { upper }
}

pub(super) fn solve(lu: &Packed, b: &mut [f64], lower: usize, upper: usize) {
    let n = lu.dim;
    let rows = 2 * lower + upper + 1;
    let diagonal = lower + upper;
    for (k, column) in lu.values.chunks_exact(rows).enumerate() {
        if lu.exchanged {
            b.swap(k, lu.pivots[k]);
        }
        let below = lower.min(n - 1 - k);
        let x_k = b[k];
        for (x, l) in b[k + 1..=k + below].iter_mut().zip(&column[diagonal + 1..]) {
            *x -= l * x_k;
        }
    }
    let width = superdiagonals(lu, lower, upper);
    for (k, column) in lu.values.chunks_exact(rows).enumerate().rev() {
        let above = width.min(k);
        let x_k = b[k] * lu.inverse_diagonal[k];
        b[k] = x_k;
        for (x, u) in b[k - above..k].iter_mut().zip(&column[diagonal - above..diagonal]) {
            *x -= u * x_k;
        }
    }
}

pub(super) fn solve_transpose(lu: &Packed, b: &mut [f64], lower: usize, upper: usize) {
    let n = lu.dim;
    let rows = 2 * lower + upper + 1;
    let diagonal = lower + upper;
    let width = superdiagonals(lu, lower, upper);
    for (k, column) in lu.values.chunks_exact(rows).enumerate() {
        let above = width.min(k);
        let mut x_k = b[k];
        for (x, u) in b[k - above..k].iter().zip(&column[diagonal - above..diagonal]) {
            x_k -= u * x;
        }
        b[k] = x_k * lu.inverse_diagonal[k];
    }
    for (k, column) in lu.values.chunks_exact(rows).enumerate().rev() {
        let below = lower.min(n - 1 - k);
        let mut x_k = b[k];
        for (x, l) in b[k + 1..=k + below].iter().zip(&column[diagonal + 1..]) {
            x_k -= l * x;
        }
        b[k] = x_k;
        if lu.exchanged {
            b.swap(k, lu.pivots[k]);
        }
    }
}
