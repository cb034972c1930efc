//! Sums and norms of vectors, which explicit steps are made of.
//!
//! Short vectors take a plain loop, long ones the widest vector instructions that the processor
//! has. Both add in the same order and never fuse a multiplication with an addition, so the bits
//! are the same on either path and on every processor.

use multiversion::multiversion;

use crate::numbers::scalar::Scalar;

/// Below this length, finding the processor's version of a loop costs more than it saves.
const SHORT: usize = 32;
/// Entries that are summed before the next ones are begun: a block stays in the first cache.
const BLOCK: usize = 512;
/// Terms added while an entry is in a register.
const TERMS: usize = 8;
/// Partial sums of a norm.
const LANES: usize = 8;

/// Writes base + Σ_j c_j k_j to `out`, where k_j is row `rows[j]` of `vectors`.
///
/// `base` and `out` have n entries, `vectors` has rows of n entries one behind another, and
/// `coefficients` has one c_j for each of `rows`. Entry i is ((base_i + c_0 k_0i) + c_1 k_1i) + …,
/// in this order, each product and each sum rounded.
///
/// # Panics
///
/// If the lengths of the slices do not fit together.
#[inline]
pub fn combine<S: Scalar>(
    out: &mut [S],
    base: &[S],
    coefficients: &[S],
    vectors: &[S],
    rows: &[usize],
) {
    assert_eq!(out.len(), base.len());
    assert_eq!(coefficients.len(), rows.len());
    if out.len() < SHORT {
        combine_short(out, base, coefficients, vectors, rows);
    } else {
        combine_long(out, base, coefficients, vectors, rows);
    }
}

#[inline]
fn combine_short<S: Scalar>(
    out: &mut [S],
    base: &[S],
    coefficients: &[S],
    vectors: &[S],
    rows: &[usize],
) {
    combine_tiles(out, Some(base), coefficients, vectors, rows);
}

#[inline(always)]
fn combine_tiles<S: Scalar>(
    out: &mut [S],
    base: Option<&[S]>,
    coefficients: &[S],
    vectors: &[S],
    rows: &[usize],
) {
    let n = out.len();
    let whole = n - n % 4;
    for i in (0..whole).step_by(4) {
        combine_tile::<S, 4>(out, base, coefficients, vectors, rows, i);
    }
    if n & 2 != 0 {
        combine_tile::<S, 2>(out, base, coefficients, vectors, rows, whole);
    }
    if n & 1 != 0 {
        combine_tile::<S, 1>(out, base, coefficients, vectors, rows, n - 1);
    }
}

/// Entries `start` to `start` + W, their sums in registers.
#[inline(always)]
fn combine_tile<S: Scalar, const W: usize>(
    out: &mut [S],
    base: Option<&[S]>,
    coefficients: &[S],
    vectors: &[S],
    rows: &[usize],
    start: usize,
) {
    let n = out.len();
    let mut sum = [S::zero(); W];
    if let Some(base) = base {
        sum.copy_from_slice(&base[start..start + W]);
    }
    for (&c, &row) in coefficients.iter().zip(rows) {
        let k = &vectors[row * n + start..][..W];
        for i in 0..W {
            sum[i] += c * k[i];
        }
    }
    out[start..start + W].copy_from_slice(&sum);
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq", "x86_64+avx2", "aarch64+neon"))]
fn combine_long<S: Scalar>(
    out: &mut [S],
    base: &[S],
    coefficients: &[S],
    vectors: &[S],
    rows: &[usize],
) {
    let n = out.len();
    for start in (0..n).step_by(BLOCK) {
        let block = start..n.min(start + BLOCK);
        let (out, base) = (&mut out[block.clone()], &base[block]);
        add_chunks(out, Some(base), coefficients, vectors, rows, n, start);
    }
}

/// Adds all terms to a block of `base`, or to what `out` holds already.
#[inline(always)]
fn add_chunks<S: Scalar>(
    out: &mut [S],
    base: Option<&[S]>,
    coefficients: &[S],
    vectors: &[S],
    rows: &[usize],
    n: usize,
    start: usize,
) {
    let mut first = base;
    for (c, rows) in coefficients.chunks(TERMS).zip(rows.chunks(TERMS)) {
        match rows.len() {
            1 => add_terms::<S, 1>(out, first, c, vectors, rows, n, start),
            2 => add_terms::<S, 2>(out, first, c, vectors, rows, n, start),
            3 => add_terms::<S, 3>(out, first, c, vectors, rows, n, start),
            4 => add_terms::<S, 4>(out, first, c, vectors, rows, n, start),
            5 => add_terms::<S, 5>(out, first, c, vectors, rows, n, start),
            6 => add_terms::<S, 6>(out, first, c, vectors, rows, n, start),
            7 => add_terms::<S, 7>(out, first, c, vectors, rows, n, start),
            _ => add_terms::<S, TERMS>(out, first, c, vectors, rows, n, start),
        }
        first = None;
    }
    if let Some(base) = first {
        out.copy_from_slice(base);
    }
}

/// Adds K terms to a block of `base`, or to what `out` holds already.
#[inline(always)]
fn add_terms<S: Scalar, const K: usize>(
    out: &mut [S],
    base: Option<&[S]>,
    coefficients: &[S],
    vectors: &[S],
    rows: &[usize],
    n: usize,
    start: usize,
) {
    let len = out.len();
    let mut c = [S::zero(); K];
    let mut k: [&[S]; K] = [&[]; K];
    for j in 0..K {
        c[j] = coefficients[j];
        k[j] = &vectors[rows[j] * n + start..][..len];
    }
    let add = |mut sum: S, i: usize| {
        for j in 0..K {
            sum += c[j] * k[j][i];
        }
        sum
    };
    match base {
        Some(base) => {
            for (i, (out, &base)) in out.iter_mut().zip(base).enumerate() {
                *out = add(base, i);
            }
        }
        None => {
            for (i, out) in out.iter_mut().enumerate() {
                *out = add(*out, i);
            }
        }
    }
}

/// Writes Σ_j c_j k_j to `out`, summed as in [`combine`] from zero.
///
/// # Panics
///
/// If the lengths of the slices do not fit together.
#[inline]
pub fn weighted_sum<S: Scalar>(out: &mut [S], coefficients: &[S], vectors: &[S], rows: &[usize]) {
    assert_eq!(coefficients.len(), rows.len());
    if out.len() < SHORT {
        combine_tiles(out, None, coefficients, vectors, rows);
    } else {
        weighted_sum_long(out, coefficients, vectors, rows);
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq", "x86_64+avx2", "aarch64+neon"))]
fn weighted_sum_long<S: Scalar>(out: &mut [S], coefficients: &[S], vectors: &[S], rows: &[usize]) {
    let n = out.len();
    for start in (0..n).step_by(BLOCK) {
        let out = &mut out[start..n.min(start + BLOCK)];
        out.fill(S::zero());
        add_chunks(out, None, coefficients, vectors, rows, n, start);
    }
}

/// √( (1/n) Σ_i (err_i / (atol_i + rtol·max(|y0_i|, |y1_i|)))² ), the norm of error control.
///
/// `atol` has one entry for all components or n entries. A NaN in `err` or in `y1` gives a NaN.
/// Entry i joins partial sum i mod 8, and the partial sums are added pairwise.
///
/// # Panics
///
/// If the lengths of the slices do not fit together.
#[inline]
pub fn weighted_rms_norm<S: Scalar>(err: &[S], y0: &[S], y1: &[S], atol: &[f64], rtol: f64) -> f64 {
    assert!(y0.len() == err.len() && y1.len() == err.len());
    assert!(atol.len() == 1 || atol.len() == err.len());
    let sum = if err.len() < SHORT {
        sum_of_squares(err, y0, y1, atol, rtol)
    } else {
        sum_of_squares_long(err, y0, y1, atol, rtol)
    };
    (sum.to_f64() / err.len() as f64).sqrt()
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq", "x86_64+avx2", "aarch64+neon"))]
fn sum_of_squares_long<S: Scalar>(err: &[S], y0: &[S], y1: &[S], atol: &[f64], rtol: f64) -> S {
    sum_of_squares(err, y0, y1, atol, rtol)
}

#[inline(always)]
fn sum_of_squares<S: Scalar>(err: &[S], y0: &[S], y1: &[S], atol: &[f64], rtol: f64) -> S {
    let rtol = S::of(rtol);
    if let [atol] = *atol {
        let atol = S::of(atol);
        sum_lanes(err, y0, y1, |_| atol, |_| [atol; LANES], rtol)
    } else {
        let chunks = atol.as_chunks::<LANES>().0;
        sum_lanes(err, y0, y1, |i| S::of(atol[i]), |chunk| lanes_of(&chunks[chunk]), rtol)
    }
}

#[inline(always)]
fn lanes_of<S: Scalar>(chunk: &[f64; LANES]) -> [S; LANES] {
    let mut lanes = [S::zero(); LANES];
    for (lane, &x) in lanes.iter_mut().zip(chunk) {
        *lane = S::of(x);
    }
    lanes
}

#[inline(always)]
fn sum_lanes<S: Scalar>(
    err: &[S],
    y0: &[S],
    y1: &[S],
    atol: impl Fn(usize) -> S,
    atol_chunk: impl Fn(usize) -> [S; LANES],
    rtol: S,
) -> S {
    let mut sums = [S::zero(); LANES];
    let (chunks, rest) = err.as_chunks::<LANES>();
    let whole = err.len() - rest.len();
    let states = y0.as_chunks::<LANES>().0.iter().zip(y1.as_chunks::<LANES>().0);
    for (chunk, (err, (y0, y1))) in chunks.iter().zip(states).enumerate() {
        let atol = atol_chunk(chunk);
        for lane in 0..LANES {
            sums[lane] += weigh(err[lane], y0[lane], y1[lane], atol[lane], rtol);
        }
    }
    for (lane, &err) in rest.iter().enumerate() {
        let i = whole + lane;
        sums[lane] += weigh(err, y0[i], y1[i], atol(i), rtol);
    }
    let [a, b, c, d, e, f, g, h] = sums;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}

/// The component whose |err_i| / (atol_i + rtol·max(|y0_i|, |y1_i|)) is the largest, or the first
/// that is not a finite number.
pub fn worst<S: Scalar>(err: &[S], y0: &[S], y1: &[S], atol: &[f64], rtol: f64) -> usize {
    let (mut worst, mut largest) = (0, -S::one());
    for i in 0..err.len() {
        let atol = if let [atol] = *atol { atol } else { atol[i] };
        let e = weigh(err[i], y0[i], y1[i], S::of(atol), S::of(rtol));
        if !e.is_finite() || !y1[i].is_finite() {
            return i;
        }
        if e > largest {
            (worst, largest) = (i, e);
        }
    }
    worst
}

#[inline(always)]
fn weigh<S: Scalar>(err: S, y0: S, y1: S, atol: S, rtol: S) -> S {
    let (a, b) = (y0.abs(), y1.abs());
    let largest = if b <= a { a } else { b };
    let e = err / (atol + rtol * largest);
    e * e
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numbers::scalar::same_bits;

    fn numbers<S: Scalar>(n: usize, seed: u64) -> Vec<S> {
        let mut random = fastrand::Rng::with_seed(seed);
        (0..n).map(|_| S::of(2.0 * random.f64() - 1.0)).collect()
    }

    fn combine_is_the_same_on_both_paths<S: Scalar>() {
        for n in [0, 1, 2, 3, 31, 32, 33, 511, 512, 513, 1030, 1600] {
            for terms in 0..19 {
                let rows: Vec<usize> = (0..terms).map(|j| (j * 7) % 19).collect();
                let (base, c) = (numbers::<S>(n, 1), numbers::<S>(terms, 2));
                let vectors = numbers::<S>(19 * n, 3);
                let expected: Vec<S> = (0..n)
                    .map(|i| (0..terms).fold(base[i], |s, j| s + c[j] * vectors[rows[j] * n + i]))
                    .collect();
                for path in [combine::<S>, combine_short::<S>, combine_long::<S>] {
                    let mut out = vec![S::of(7.0); n];
                    path(&mut out, &base, &c, &vectors, &rows);
                    assert!(same_bits(&out, &expected), "n = {n}, {terms} terms");
                }
            }
        }
    }

    #[test]
    fn combine_adds_in_the_stated_order() {
        combine_is_the_same_on_both_paths::<f64>();
        combine_is_the_same_on_both_paths::<f32>();
    }

    #[test]
    fn norm_is_the_formula_on_both_paths() {
        for n in [1, 2, 7, 8, 9, 31, 32, 1000] {
            let (err, y0, y1): (Vec<f64>, Vec<f64>, Vec<f64>) =
                (numbers(n, 1), numbers(n, 2), numbers(n, 3));
            let each: Vec<f64> = numbers::<f64>(n, 4).iter().map(|a| a.abs() + 0.1).collect();
            for atol in [&each[..1], &each] {
                let sum: f64 = (0..n)
                    .map(|i| {
                        let a = if atol.len() == 1 { atol[0] } else { atol[i] };
                        (err[i] / (a + 0.3 * f64::max(y0[i].abs(), y1[i].abs()))).powi(2)
                    })
                    .sum();
                let expected = (sum / n as f64).sqrt();
                let norm: f64 = weighted_rms_norm(&err, &y0, &y1, atol, 0.3);
                assert!((norm - expected).abs() <= 1e-14 * expected, "n = {n}");
                let short = sum_of_squares(&err, &y0, &y1, atol, 0.3);
                let long = sum_of_squares_long(&err, &y0, &y1, atol, 0.3);
                assert_eq!(short.bits(), long.bits(), "n = {n}");
            }
        }
    }

    #[test]
    fn norm_passes_on_what_is_not_a_number() {
        for n in [2, 40] {
            let (zero, mut bad) = (vec![0.0; n], vec![0.0; n]);
            bad[n - 1] = f64::NAN;
            assert!(weighted_rms_norm(&bad, &zero, &zero, &[1.0], 0.1).is_nan());
            assert!(weighted_rms_norm(&zero, &zero, &bad, &[1.0], 0.1).is_nan());
        }
    }
}
