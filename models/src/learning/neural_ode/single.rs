//! One trajectory: products of matrix and vector.

use multiversion::multiversion;
use multiversion::target::match_target;

use super::weights::{HIDDEN, Weights, WeightsBar};
use super::{DECAY, TURN, Work};
use crate::simd::{dot, mul_add, tanh};

type Layer = [f64; HIDDEN];

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+fma", "x86_64+avx2+fma"))]
pub fn rates(weights: &Weights<'_>, y: &[f64], dy: &mut [f64], work: &mut Work) {
    match_target! {
        "x86_64+fma" => rates_inline::<true>(weights, y, dy, work),
        "aarch64" => rates_inline::<true>(weights, y, dy, work),
        _ => rates_inline::<false>(weights, y, dy, work),
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+fma", "x86_64+avx2+fma"))]
pub fn transposed(
    weights: &Weights<'_>,
    y: &[f64],
    w: &[f64],
    y_bar: &mut [f64],
    bar: &mut WeightsBar<'_>,
    work: &mut Work,
) {
    match_target! {
        "x86_64+fma" => transposed_inline::<true>(weights, y, w, y_bar, bar, work),
        "aarch64" => transposed_inline::<true>(weights, y, w, y_bar, bar, work),
        _ => transposed_inline::<false>(weights, y, w, y_bar, bar, work),
    }
}

#[inline(always)]
fn layer(x: &mut [f64]) -> &mut Layer {
    x.first_chunk_mut().expect("one column of hidden units")
}

#[inline(always)]
fn rates_inline<const FMA: bool>(
    weights: &Weights<'_>,
    y: &[f64],
    dy: &mut [f64],
    work: &mut Work,
) {
    // Slices whose length the compiler does not know: else it unrolls the products and gathers one
    // number of each of eight rows, which takes four times as long.
    let (h1, h2) = (&mut work.h1[..], &mut work.h2[..]);
    let inputs = weights.w1.as_chunks::<2>().0.iter().zip(weights.b1);
    for (h, (w, &b)) in h1.iter_mut().zip(inputs) {
        *h = mul_add::<FMA>(w[1], y[1], mul_add::<FMA>(w[0], y[0], b));
    }
    for h in h1.iter_mut() {
        *h = tanh::<FMA>(*h);
    }
    let rows = weights.w2.chunks_exact(h1.len()).zip(weights.b2);
    for (h, (row, &b)) in h2.iter_mut().zip(rows) {
        *h = b + dot::<FMA>(row, h1);
    }
    for h in h2.iter_mut() {
        *h = tanh::<FMA>(*h);
    }
    let (w3_0, w3_1) = weights.w3.split_at(h2.len());
    let network = [dot::<FMA>(w3_0, h2) + weights.b3[0], dot::<FMA>(w3_1, h2) + weights.b3[1]];
    dy[0] = (TURN * y[1] - DECAY * y[0]) + network[0];
    dy[1] = (-TURN * y[0] - DECAY * y[1]) + network[1];
}

#[inline(always)]
fn transposed_inline<const FMA: bool>(
    weights: &Weights<'_>,
    y: &[f64],
    w: &[f64],
    y_bar: &mut [f64],
    bar: &mut WeightsBar<'_>,
    work: &mut Work,
) {
    let (h1, h2) = (layer(&mut work.h1), layer(&mut work.h2));
    let (h1_bar, h2_bar) = (layer(&mut work.h1_bar), layer(&mut work.h2_bar));
    let (w3_0, w3_1) = weights.w3.split_at(HIDDEN);
    let (w3_bar_0, w3_bar_1) = bar.w3.split_at_mut(HIDDEN);
    for j in 0..HIDDEN {
        let h_bar = mul_add::<FMA>(w3_0[j], w[0], w3_1[j] * w[1]);
        h2_bar[j] = h_bar * (1.0 - h2[j] * h2[j]);
        bar.b2[j] += h2_bar[j];
        w3_bar_0[j] = mul_add::<FMA>(w[0], h2[j], w3_bar_0[j]);
        w3_bar_1[j] = mul_add::<FMA>(w[1], h2[j], w3_bar_1[j]);
    }
    bar.b3[0] += w[0];
    bar.b3[1] += w[1];

    for start in (0..HIDDEN).step_by(32) {
        hidden_columns::<FMA>(start, weights.w2, h1, h2_bar, h1_bar, bar.w2);
    }
    let mut plane_bar = [0.0; 2];
    let rows = weights.w1.as_chunks::<2>().0.iter().zip(bar.w1.as_chunks_mut::<2>().0);
    for (j, (row, row_bar)) in rows.enumerate() {
        let a_bar = h1_bar[j] * (1.0 - h1[j] * h1[j]);
        bar.b1[j] += a_bar;
        for c in 0..2 {
            row_bar[c] = mul_add::<FMA>(a_bar, y[c], row_bar[c]);
            plane_bar[c] = mul_add::<FMA>(a_bar, row[c], plane_bar[c]);
        }
    }
    y_bar[0] += (-DECAY * w[0] - TURN * w[1]) + plane_bar[0];
    y_bar[1] += (TURN * w[0] - DECAY * w[1]) + plane_bar[1];
}

/// 32 columns of W₂ᵀ a₂_bar, their sums in registers, and of a₂_bar h₁ᵀ, which is added to W₂_bar.
#[inline(always)]
fn hidden_columns<const FMA: bool>(
    start: usize,
    w2: &[f64],
    h1: &Layer,
    a2_bar: &Layer,
    h1_bar: &mut Layer,
    w2_bar: &mut [f64],
) {
    let mut sums = [0.0; 32];
    let mut h = [0.0; 32];
    h.copy_from_slice(&h1[start..start + 32]);
    let rows = w2.as_chunks::<HIDDEN>().0.iter().zip(w2_bar.as_chunks_mut::<HIDDEN>().0);
    for (&a_bar, (row, row_bar)) in a2_bar.iter().zip(rows) {
        let (row, row_bar) = (&row[start..start + 32], &mut row_bar[start..start + 32]);
        for j in 0..32 {
            sums[j] = mul_add::<FMA>(a_bar, row[j], sums[j]);
            row_bar[j] = mul_add::<FMA>(a_bar, h[j], row_bar[j]);
        }
    }
    h1_bar[start..start + 32].copy_from_slice(&sums);
}
