//! Products of small matrices stored by rows.

use super::mul_add;

/// The left factor of a product: a matrix stored by rows of `width` entries, or its transpose.
#[derive(Clone, Copy)]
pub struct Left<'a> {
    pub entries: &'a [f64],
    pub width: usize,
}

/// Adds A B to C, entry by entry in the order of A's columns.
///
/// A is `rows` × `inner`, from `left` itself or (TRANSPOSED) the transpose of that; B is `inner` × n
/// and C `rows` × n, both with rows of `stride` entries, n a multiple of WIDTH. The sums of four
/// rows and WIDTH columns stay in registers, which WIDTH has to fit: 16 where there are 32 vectors
/// of four numbers, 8 where there are 16.
#[inline(always)]
pub fn add_product<const FMA: bool, const WIDTH: usize, const TRANSPOSED: bool>(
    [rows, inner, n]: [usize; 3],
    left: Left<'_>,
    b: &[f64],
    c: &mut [f64],
    stride: usize,
) {
    for j in (0..n).step_by(WIDTH) {
        let whole = rows - rows % 4;
        for i in (0..whole).step_by(4) {
            add_tile::<FMA, 4, WIDTH, TRANSPOSED>([i, inner, j], left, b, c, stride);
        }
        for i in whole..rows {
            add_tile::<FMA, 1, WIDTH, TRANSPOSED>([i, inner, j], left, b, c, stride);
        }
    }
}

#[inline(always)]
fn add_tile<const FMA: bool, const ROWS: usize, const WIDTH: usize, const TRANSPOSED: bool>(
    [i, inner, j]: [usize; 3],
    left: Left<'_>,
    b: &[f64],
    c: &mut [f64],
    stride: usize,
) {
    let mut sums = [[0.0; WIDTH]; ROWS];
    for (r, sums) in sums.iter_mut().enumerate() {
        sums.copy_from_slice(&c[(i + r) * stride + j..][..WIDTH]);
    }
    let mut rows: [&[f64]; ROWS] = [&[]; ROWS];
    if !TRANSPOSED {
        for (r, row) in rows.iter_mut().enumerate() {
            *row = &left.entries[(i + r) * left.width..][..inner];
        }
    }
    for k in 0..inner {
        let mut factors = [0.0; ROWS];
        if TRANSPOSED {
            factors.copy_from_slice(&left.entries[k * left.width + i..][..ROWS]);
        } else {
            for r in 0..ROWS {
                factors[r] = rows[r][k];
            }
        }
        let b = &b[k * stride + j..][..WIDTH];
        for r in 0..ROWS {
            for (sum, &b) in sums[r].iter_mut().zip(b) {
                *sum = mul_add::<FMA>(factors[r], b, *sum);
            }
        }
    }
    for (r, sums) in sums.iter().enumerate() {
        c[(i + r) * stride + j..][..WIDTH].copy_from_slice(sums);
    }
}

/// Σ_i a_i b_i, entry i joining partial sum i mod 8.
#[inline(always)]
pub fn dot<const FMA: bool>(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    for (a, b) in a.iter().zip(b) {
        for i in 0..8 {
            lanes[i] = mul_add::<FMA>(a[i], b[i], lanes[i]);
        }
    }
    for (i, (&a, &b)) in a_rest.iter().zip(b_rest).enumerate() {
        lanes[i] = mul_add::<FMA>(a, b, lanes[i]);
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}
