//! The transposed derivatives of the states beside faces, to the cells.

use super::ScratchBar;
use super::limiter::slope_derivative;
use super::rows::Four;

/// Adds to the cells of the row at `at` what the faces in the row give.
#[inline(always)]
pub(super) fn cells_along_vjp<const FMA: bool>(
    ni: usize,
    at: usize,
    w: &Four<f64>,
    bar: &mut ScratchBar,
) {
    let ScratchBar { w: w_bar, left, right, before, after, .. } = bar;
    for v in 0..4 {
        let w = &w[v][at..at + ni + 2];
        let out = &mut w_bar[1][v][..ni];
        let (right, left) = (&right[1][v][..ni], &left[v][1..=ni]);
        differences_vjp::<FMA>(
            [w, &w[1..], &w[2..]],
            ni,
            left,
            right,
            &mut before[1..],
            &mut after[1..],
        );
        before[ni + 1] = before[1];
        after[0] = after[ni];
        let (before, after) = (&before[..ni + 2], &after[..ni + 2]);
        for i in 0..ni {
            let differences = (before[i + 1] - before[i + 2]) - (after[i + 1] - after[i]);
            out[i] += (left[i] + right[i]) + differences;
        }
    }
}

/// Adds to the cells of the row at `at` and of the row before what the faces below and above it
/// give, and begins the row behind with it.
#[inline(always)]
pub(super) fn cells_across_vjp<const FMA: bool>(
    ni: usize,
    at: usize,
    w: &Four<f64>,
    bar: &mut ScratchBar,
) {
    let (stride, at) = (ni + 2, at + 1);
    let ScratchBar { w: w_bar, left, right, before, after, .. } = bar;
    for v in 0..4 {
        let w = &w[v][at - stride..];
        let (right, left) = (&right[0][v][..ni], &left[v][..ni]);
        let rows = [w, &w[stride..], &w[2 * stride..]];
        differences_vjp::<FMA>(rows, ni, left, right, before, after);
        let [low, here, high] = w_bar.each_mut().map(|row| &mut row[v][..ni]);
        let (before, after) = (&before[..ni], &after[..ni]);
        for i in 0..ni {
            low[i] -= before[i];
            here[i] += (left[i] + right[i]) + (before[i] - after[i]);
        }
        high.copy_from_slice(after);
    }
}

/// Writes the derivatives by both differences of the cells in a row, from those by the states on
/// the left of the faces behind them and on the right of the faces before them.
#[inline(always)]
fn differences_vjp<const FMA: bool>(
    [below, here, above]: [&[f64]; 3],
    n: usize,
    left: &[f64],
    right: &[f64],
    before: &mut [f64],
    after: &mut [f64],
) {
    let (below, here, above) = (&below[..n], &here[..n], &above[..n]);
    let (left, right) = (&left[..n], &right[..n]);
    let (before, after) = (&mut before[..n], &mut after[..n]);
    for i in 0..n {
        let (by_a, by_b) = slope_derivative::<FMA>(here[i] - below[i], above[i] - here[i]);
        let slope_bar = 0.5 * (left[i] - right[i]);
        before[i] = by_a * slope_bar;
        after[i] = by_b * slope_bar;
    }
}

/// The transposed derivative of the row beyond a boundary, 2 W₀ − W₁ of the next two.
#[inline(always)]
pub(super) fn extrapolate_vjp([beyond, first, second]: [&mut Four<f64>; 3]) {
    for (beyond, (first, second)) in beyond.iter().zip(first.iter_mut().zip(second)) {
        for (bar, (first, second)) in beyond.iter().zip(first.iter_mut().zip(second)) {
            *first += 2.0 * bar;
            *second -= bar;
        }
    }
}
