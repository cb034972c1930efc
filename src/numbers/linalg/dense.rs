//! Dense LU, right-looking by panels of columns (Golub & Van Loan, Matrix Computations, algorithm
//! 3.4.1 and section 3.4.7).

use std::ops::Range;

use multiversion::multiversion;

use super::packed::{Packed, Singular, check_pivot};

/// Columns that are eliminated together, so that each later one is read and written once for all.
const PANEL: usize = 4;
/// Later columns from which they are eliminated together.
const GROUP: usize = 4;
/// Matrices up to this size are one panel.
const SMALL: usize = 16;
/// Entries of a column that are in registers together.
const CHUNK: usize = 8;

/// Every entry is (a − l_0 u_0) − l_1 u_1 − …, in this order, each product and each difference rounded:
/// the bits depend neither on the panels nor on the processor.
pub(super) fn factor(lu: &mut Packed, c: f64, jacobian: &[f64]) -> Result<(), Singular> {
    let n = lu.dim;
    for (x, j) in lu.values.iter_mut().zip(jacobian) {
        *x = -c * j;
    }
    for j in 0..n {
        lu.values[j * n + j] += 1.0;
    }
    let width = if n <= SMALL { n } else { PANEL };
    let mut start = 0;
    while start < n {
        let end = n.min(start + width);
        for k in start..end {
            eliminate(lu, k, start..end)?;
        }
        if end < n {
            let (left, right) = lu.values.split_at_mut(end * n);
            update(right, &left[start * n..], n, start, &lu.pivots[start..end]);
        }
        start = end;
    }
    if lu.exchanged && width < n {
        exchange_multipliers(lu, width);
    }
    Ok(())
}

/// Eliminates column k from those behind it in its panel, whose rows are all exchanged.
#[inline(always)]
fn eliminate(lu: &mut Packed, k: usize, panel: Range<usize>) -> Result<(), Singular> {
    let n = lu.dim;
    let columns = &mut lu.values[panel.start * n..panel.end * n];
    let place = k - panel.start;
    let pivot_row = largest(&columns[place * n..][..n], k);
    lu.pivots[k] = pivot_row;
    let inverse = check_pivot(columns[place * n + pivot_row], k)?;
    lu.inverse_diagonal[k] = inverse;
    if pivot_row != k {
        lu.exchanged = true;
        columns.chunks_exact_mut(n).for_each(|column| column.swap(k, pivot_row));
    }
    let (left, right) = columns.split_at_mut((place + 1) * n);
    let multipliers = &mut left[place * n + k + 1..];
    multipliers.iter_mut().for_each(|x| *x *= inverse);
    for other in right.chunks_exact_mut(n) {
        let factor = other[k];
        for (x, l) in other[k + 1..].iter_mut().zip(&*multipliers) {
            *x -= factor * l;
        }
    }
    Ok(())
}

/// Eliminates a panel's columns from those behind it.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq", "x86_64+avx2", "aarch64+neon"))]
fn update(right: &mut [f64], panel: &[f64], n: usize, start: usize, pivots: &[usize]) {
    let mut groups = right.chunks_exact_mut(GROUP * n);
    for group in &mut groups {
        update_group::<GROUP>(group, panel, n, start, pivots);
    }
    for column in groups.into_remainder().chunks_exact_mut(n) {
        update_group::<1>(column, panel, n, start, pivots);
    }
}

#[inline(always)]
fn update_group<const C: usize>(
    group: &mut [f64],
    panel: &[f64],
    n: usize,
    start: usize,
    pivots: &[usize],
) {
    for column in group.chunks_exact_mut(n) {
        for (row, &pivot) in (start..).zip(pivots) {
            column.swap(row, pivot);
        }
    }
    let mut u = [[0.0; PANEL]; C];
    for (u, column) in u.iter_mut().zip(group.chunks_exact(n)) {
        u.copy_from_slice(&column[start..start + PANEL]);
    }
    for j in 0..PANEL {
        for i in j + 1..PANEL {
            let l = panel[j * n + start + i];
            u.iter_mut().for_each(|u| u[i] -= u[j] * l);
        }
    }
    for (u, column) in u.iter().zip(group.chunks_exact_mut(n)) {
        column[start..start + PANEL].copy_from_slice(u);
    }
    let mut row = start + PANEL;
    while row + CHUNK <= n {
        update_rows::<C, CHUNK>(group, panel, n, row, &u);
        row += CHUNK;
    }
    if row + CHUNK / 2 <= n {
        update_rows::<C, { CHUNK / 2 }>(group, panel, n, row, &u);
        row += CHUNK / 2;
    }
    for row in row..n {
        update_rows::<C, 1>(group, panel, n, row, &u);
    }
}

/// R rows from `row` on.
#[inline(always)]
fn update_rows<const C: usize, const R: usize>(
    group: &mut [f64],
    panel: &[f64],
    n: usize,
    row: usize,
    u: &[[f64; PANEL]; C],
) {
    let rows =
        |j: usize| -> &[f64; R] { panel[j * n + row..].first_chunk().expect("in the column") };
    let l: [&[f64; R]; PANEL] = std::array::from_fn(rows);
    for (c, u) in u.iter().enumerate() {
        let place: &mut [f64; R] = group[c * n + row..].first_chunk_mut().expect("in the column");
        let mut sum = *place;
        for j in 0..PANEL {
            (0..R).for_each(|k| sum[k] -= u[j] * l[j][k]);
        }
        *place = sum;
    }
}

/// Applies the row exchanges of later panels to each column's multipliers, so that L is the factor
/// of PA.
fn exchange_multipliers(lu: &mut Packed, width: usize) {
    for (k, column) in lu.values.chunks_exact_mut(lu.dim).enumerate() {
        let panel_end = (k / width + 1) * width;
        for (row, &pivot) in lu.pivots.iter().enumerate().skip(panel_end) {
            column.swap(row, pivot);
        }
    }
}

/// The first row from `from` on with the largest entry.
fn largest(column: &[f64], from: usize) -> usize {
    if column.len() > SMALL {
        return largest_of_many(column, from);
    }
    let mut best = from;
    for i in from + 1..column.len() {
        if column[i].abs() > column[best].abs() {
            best = i;
        }
    }
    best
}

/// The same, sought in eight partial maxima.
fn largest_of_many(column: &[f64], from: usize) -> usize {
    let candidates = &column[from..];
    if candidates[0].is_nan() {
        return from;
    }
    let larger = |a: f64, x: f64| if x.abs() > a { x.abs() } else { a };
    let (blocks, rest) = candidates.as_chunks::<CHUNK>();
    let mut maxima = [0.0; CHUNK];
    for block in blocks {
        (0..CHUNK).for_each(|k| maxima[k] = larger(maxima[k], block[k]));
    }
    let largest = rest.iter().chain(&maxima).fold(0.0, |a, &x| larger(a, x));
    from + candidates.iter().position(|x| x.abs() == largest).unwrap_or(0)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numbers::linalg::{Lu, Matrix, Structure};
    use crate::numbers::scalar::same_bits;

    /// (I − cJ)⁻¹ b by the textbook's loops, a column at a time.
    fn by_columns(n: usize, c: f64, jacobian: &[f64], b: &mut [f64]) {
        let mut a: Vec<f64> = jacobian.iter().map(|j| -c * j).collect();
        (0..n).for_each(|j| a[j * n + j] += 1.0);
        for k in 0..n {
            let pivot = (k..n).rev().max_by(|&i, &j| {
                let [x, y] = [a[k * n + i].abs(), a[k * n + j].abs()];
                x.total_cmp(&y)
            });
            let pivot = pivot.unwrap();
            (0..n).for_each(|j| a.swap(j * n + k, j * n + pivot));
            b.swap(k, pivot);
            let inverse = 1.0 / a[k * n + k];
            (k + 1..n).for_each(|i| a[k * n + i] *= inverse);
            for j in k + 1..n {
                let factor = a[j * n + k];
                (k + 1..n).for_each(|i| a[j * n + i] -= factor * a[k * n + i]);
            }
        }
        for k in 0..n {
            (k + 1..n).for_each(|i| b[i] -= a[k * n + i] * b[k]);
        }
        for k in (0..n).rev() {
            b[k] *= 1.0 / a[k * n + k];
            (0..k).for_each(|i| b[i] -= a[k * n + i] * b[k]);
        }
    }

    #[test]
    fn panels_do_not_change_a_bit() {
        for n in (1..40).chain([63, 64, 65, 100, 133]) {
            let mut random = fastrand::Rng::with_seed(n as u64);
            let mut jacobian = Matrix::zeros(n, Structure::Dense).unwrap();
            for k in 0..n * n {
                // Equal entries, so that pivots are chosen among equals.
                let entry = if n % 3 == 0 { random.i32(-2..=2).into() } else { random.f64() - 0.5 };
                jacobian.set(k % n, k / n, entry);
            }
            let mut lu = Lu::new(n, Structure::Dense).unwrap();
            let mut b: Vec<f64> = (0..n).map(|_| random.f64()).collect();
            let mut expected = b.clone();
            by_columns(n, 0.7, jacobian.values(), &mut expected);
            lu.factor(0.7, &jacobian).unwrap();
            lu.solve(&mut b);
            assert!(same_bits(&b, &expected), "n = {n}");
        }
    }

    #[test]
    fn the_first_of_the_largest_is_found() {
        for n in 1..50 {
            for from in 0..n {
                let mut column: Vec<f64> = (0..n).map(|i| ((i * 7) % 11) as f64 - 5.0).collect();
                column[n - 1] = f64::NAN;
                let best = (from..n).fold(from, |best, i| {
                    if column[i].abs() > column[best].abs() { i } else { best }
                });
                assert_eq!(largest(&column, from), best, "{n} {from}");
                assert_eq!(largest_of_many(&column, from), best, "{n} {from}");
            }
        }
        assert_eq!(largest(&[0.0; 20], 3), 3);
    }
}
