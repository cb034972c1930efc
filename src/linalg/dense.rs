//! Dense LU, right-looking by columns (Golub & Van Loan, Matrix Computations, algorithm 3.4.1).

use super::lu::{Packed, Singular, check_pivot};

pub(super) fn factor(lu: &mut Packed, c: f64, jacobian: &[f64]) -> Result<(), Singular> {
    let n = lu.dim;
    let a = &mut lu.values;
    for (x, j) in a.iter_mut().zip(jacobian) {
        *x = -c * j;
    }
    for j in 0..n {
        a[j * n + j] += 1.0;
    }
    for k in 0..n {
        let (left, right) = a.split_at_mut((k + 1) * n);
        let column = &mut left[k * n..];
        let pivot_row = largest(column, k);
        lu.pivots[k] = pivot_row;
        let inverse = check_pivot(column[pivot_row], k)?;
        lu.inverse_diagonal[k] = inverse;
        column.swap(k, pivot_row);
        lu.exchanged |= pivot_row != k;
        for x in &mut column[k + 1..] {
            *x *= inverse;
        }
        for other in right.chunks_exact_mut(n) {
            other.swap(k, pivot_row);
            let factor = other[k];
            for (x, l) in other[k + 1..].iter_mut().zip(&column[k + 1..]) {
                *x -= factor * l;
            }
        }
    }
    exchange_multipliers(lu);
    Ok(())
}

/// Applies each column's later row exchanges to its multipliers, so that L is the factor of PA.
fn exchange_multipliers(lu: &mut Packed) {
    if !lu.exchanged {
        return;
    }
    let n = lu.dim;
    for (k, column) in lu.values.chunks_exact_mut(n).enumerate() {
        for (row, &pivot) in lu.pivots.iter().enumerate().skip(k + 1) {
            column.swap(row, pivot);
        }
    }
}

fn largest(column: &[f64], from: usize) -> usize {
    let mut best = from;
    for i in from + 1..column.len() {
        if column[i].abs() > column[best].abs() {
            best = i;
        }
    }
    best
}

pub(super) fn solve(lu: &Packed, b: &mut [f64]) {
    let n = lu.dim;
    if lu.exchanged {
        for (row, &pivot) in lu.pivots.iter().enumerate() {
            b.swap(row, pivot);
        }
    }
    for (k, column) in lu.values.chunks_exact(n).enumerate() {
        let (head, tail) = b.split_at_mut(k + 1);
        for (x, l) in tail.iter_mut().zip(&column[k + 1..]) {
            *x -= l * head[k];
        }
    }
    for (k, column) in lu.values.chunks_exact(n).enumerate().rev() {
        b[k] *= lu.inverse_diagonal[k];
        let (head, tail) = b.split_at_mut(k);
        for (x, u) in head.iter_mut().zip(column) {
            *x -= u * tail[0];
        }
    }
}

pub(super) fn solve_transpose(lu: &Packed, b: &mut [f64]) {
    let n = lu.dim;
    for (k, column) in lu.values.chunks_exact(n).enumerate() {
        let sum: f64 = column[..k].iter().zip(&*b).map(|(u, x)| u * x).sum();
        b[k] = (b[k] - sum) * lu.inverse_diagonal[k];
    }
    for (k, column) in lu.values.chunks_exact(n).enumerate().rev() {
        let sum: f64 = column[k + 1..].iter().zip(&b[k + 1..]).map(|(l, x)| l * x).sum();
        b[k] -= sum;
    }
    if lu.exchanged {
        for (row, &pivot) in lu.pivots.iter().enumerate().rev() {
            b.swap(row, pivot);
        }
    }
}
