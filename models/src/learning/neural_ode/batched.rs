//! Many trajectories side by side: products of matrices.

use multiversion::multiversion;
use multiversion::target::match_target;

use super::weights::{HIDDEN, Weights, WeightsBar};
use super::{DECAY, TURN, Work};
use crate::simd::{Left, add_product, dot, sum, tanh};

/// Columns come in groups of this many, which every tile of a product divides.
const GROUP: usize = 16;

/// Entries from one unit's row to the next for B trajectories.
pub fn stride(batch: usize) -> usize {
    batch.next_multiple_of(GROUP)
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+fma", "x86_64+avx2+fma"))]
pub fn rates(weights: &Weights<'_>, y: &[f64], dy: &mut [f64], work: &mut Work) {
    match_target! {
        "x86_64+avx512f" => rates_inline::<true, 16>(weights, y, dy, work),
        "x86_64+fma" => rates_inline::<true, 8>(weights, y, dy, work),
        "aarch64" => rates_inline::<true, 8>(weights, y, dy, work),
        _ => rates_inline::<false, 4>(weights, y, dy, work),
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+fma", "x86_64+avx2+fma"))]
pub fn transposed(
    weights: &Weights<'_>,
    w: &[f64],
    y_bar: &mut [f64],
    bar: &mut WeightsBar<'_>,
    work: &mut Work,
) {
    match_target! {
        "x86_64+avx512f" => transposed_inline::<true, 16>(weights, w, y_bar, bar, work),
        "x86_64+fma" => transposed_inline::<true, 8>(weights, w, y_bar, bar, work),
        "aarch64" => transposed_inline::<true, 8>(weights, w, y_bar, bar, work),
        _ => transposed_inline::<false, 4>(weights, w, y_bar, bar, work),
    }
}

#[inline(always)]
fn rates_inline<const FMA: bool, const WIDTH: usize>(
    weights: &Weights<'_>,
    y: &[f64],
    dy: &mut [f64],
    work: &mut Work,
) {
    let n = work.stride;
    split(y, &mut work.y, n);
    fill_rows(&mut work.h1, weights.b1, n);
    let w1 = Left { entries: weights.w1, width: 2 };
    add_product::<FMA, WIDTH, false>([HIDDEN, 2, n], w1, &work.y, &mut work.h1, n);
    for h in &mut work.h1 {
        *h = tanh::<FMA>(*h);
    }
    fill_rows(&mut work.h2, weights.b2, n);
    let w2 = Left { entries: weights.w2, width: HIDDEN };
    add_product::<FMA, WIDTH, false>([HIDDEN, HIDDEN, n], w2, &work.h1, &mut work.h2, n);
    for h in &mut work.h2 {
        *h = tanh::<FMA>(*h);
    }
    turn(TURN, &work.y, &mut work.plane, n);
    let w3 = Left { entries: weights.w3, width: HIDDEN };
    add_product::<FMA, WIDTH, false>([2, HIDDEN, n], w3, &work.h2, &mut work.plane, n);
    let (first, second) = work.plane.split_at(n);
    for ((dy, a), b) in dy.as_chunks_mut::<2>().0.iter_mut().zip(first).zip(second) {
        *dy = [a + weights.b3[0], b + weights.b3[1]];
    }
}

#[inline(always)]
fn transposed_inline<const FMA: bool, const WIDTH: usize>(
    weights: &Weights<'_>,
    w: &[f64],
    y_bar: &mut [f64],
    bar: &mut WeightsBar<'_>,
    work: &mut Work,
) {
    let n = work.stride;
    split(w, &mut work.w, n);
    add_row_products::<FMA>(&work.w, &work.h2, bar.w3, HIDDEN, n);
    add_row_sums(&work.w, bar.b3, n);

    work.h2_bar.fill(0.0);
    let w3 = Left { entries: weights.w3, width: HIDDEN };
    add_product::<FMA, WIDTH, true>([HIDDEN, 2, n], w3, &work.w, &mut work.h2_bar, n);
    scale_by_slope(&mut work.h2_bar, &work.h2);
    add_row_sums(&work.h2_bar, bar.b2, n);
    transpose(&work.h1, &mut work.h1_transposed, n);
    let h2_bar = Left { entries: &work.h2_bar, width: n };
    add_product::<FMA, WIDTH, false>(
        [HIDDEN, n, HIDDEN],
        h2_bar,
        &work.h1_transposed,
        bar.w2,
        HIDDEN,
    );

    work.h1_bar.fill(0.0);
    let w2 = Left { entries: weights.w2, width: HIDDEN };
    add_product::<FMA, WIDTH, true>([HIDDEN, HIDDEN, n], w2, &work.h2_bar, &mut work.h1_bar, n);
    scale_by_slope(&mut work.h1_bar, &work.h1);
    add_row_sums(&work.h1_bar, bar.b1, n);
    add_row_products::<FMA>(&work.h1_bar, &work.y, bar.w1, 2, n);

    turn(-TURN, &work.w, &mut work.plane, n);
    let w1 = Left { entries: weights.w1, width: 2 };
    add_product::<FMA, WIDTH, true>([2, HIDDEN, n], w1, &work.h1_bar, &mut work.plane, n);
    let (first, second) = work.plane.split_at(n);
    for ((y_bar, a), b) in y_bar.as_chunks_mut::<2>().0.iter_mut().zip(first).zip(second) {
        *y_bar = [y_bar[0] + a, y_bar[1] + b];
    }
}

/// Puts the trajectories' first components into one row, their second ones into the other.
#[inline(always)]
fn split(y: &[f64], rows: &mut [f64], n: usize) {
    let (first, second) = rows.split_at_mut(n);
    for ((y, a), b) in y.as_chunks::<2>().0.iter().zip(first).zip(second) {
        (*a, *b) = (y[0], y[1]);
    }
}

#[inline(always)]
fn fill_rows(rows: &mut [f64], values: &[f64], n: usize) {
    for (row, &value) in rows.chunks_exact_mut(n).zip(values) {
        row.fill(value);
    }
}

/// A₀ y, or A₀ᵀ y where `by` is −[`TURN`].
#[inline(always)]
fn turn(by: f64, y: &[f64], out: &mut [f64], n: usize) {
    let ((a, b), (out_a, out_b)) = (y.split_at(n), out.split_at_mut(n));
    for (((a, b), out_a), out_b) in a.iter().zip(b).zip(out_a).zip(out_b) {
        *out_a = by * b - DECAY * a;
        *out_b = -by * a - DECAY * b;
    }
}

/// Multiplies by tanh' = 1 − h².
#[inline(always)]
fn scale_by_slope(bar: &mut [f64], h: &[f64]) {
    for (bar, h) in bar.iter_mut().zip(h) {
        *bar *= 1.0 - h * h;
    }
}

#[inline(always)]
fn add_row_sums(rows: &[f64], sums: &mut [f64], n: usize) {
    for (row, total) in rows.chunks_exact(n).zip(sums) {
        *total += sum(row);
    }
}

/// Adds A Bᵀ to C, whose rows have `width` entries.
#[inline(always)]
fn add_row_products<const FMA: bool>(a: &[f64], b: &[f64], c: &mut [f64], width: usize, n: usize) {
    for (a, c) in a.chunks_exact(n).zip(c.chunks_exact_mut(width)) {
        for (b, c) in b.chunks_exact(n).zip(c) {
            *c += dot::<FMA>(a, b);
        }
    }
}

#[inline(always)]
fn transpose(rows: &[f64], columns: &mut [f64], n: usize) {
    for (i, row) in rows.chunks_exact(n).enumerate() {
        for (b, &x) in row.iter().enumerate() {
            columns[b * HIDDEN + i] = x;
        }
    }
}
