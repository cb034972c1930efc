//! The rates of change of all cells.

use std::array::from_fn;
use std::ops::Range;

use super::far_field;
use super::gas::{GAMMA_1, state_flux};
use super::limiter::slope;
use super::metrics::{Faces, Metrics};
use super::roe;
use super::rows::{Four, LANES, before, fields, from, lanes4, row};
use super::{Frame, Inner, Number, Scratch};

/// Writes row j of the primitive variables, in the body's axes, from `to` on, with the neighbours of
/// the last and of the first cell.
#[inline(always)]
fn load<R: Number>(
    metrics: &Metrics<R>,
    frame: &Frame<R>,
    (j, to): (usize, usize),
    y: &[R],
    w: &mut Four<R>,
) {
    let (ni, cells, at) = (metrics.ni, metrics.ni * metrics.nj, j * metrics.ni);
    let (cos, sin) = (frame.cos, frame.sin);
    let fields = [&y[at..], &y[cells + at..], &y[2 * cells + at..], &y[3 * cells + at..]];
    for i in (0..ni).step_by(LANES) {
        let cons = lanes4(&fields, i);
        let mut prim = [[R::of(0.0); LANES]; 4];
        for k in 0..LANES {
            let inverse = R::of(1.0) / cons[0][k];
            let (u, v) = (cons[1][k] * inverse, cons[2][k] * inverse);
            let kinetic = R::of(0.5) * (cons[1][k] * u + cons[2][k] * v);
            prim[0][k] = cons[0][k];
            prim[1][k] = cos * u - sin * v;
            prim[2][k] = sin * u + cos * v;
            prim[3][k] = R::of(GAMMA_1) * (cons[3][k] - kinetic);
        }
        for (w, prim) in w.iter_mut().zip(&prim) {
            w[to + 1 + i..][..LANES].copy_from_slice(prim);
        }
    }
    for w in w {
        w[to] = w[to + ni];
        w[to + ni + 1] = w[to + 1];
    }
}

/// Writes the row beyond a boundary, 2 W₀ − W₁ of the `first` and the `second` row from there.
#[inline(always)]
fn extrapolate<R: Number>(ni: usize, [to, first, second]: [usize; 3], w: &mut Four<R>) {
    for w in w {
        for i in 0..ni + 2 {
            w[to + i] = R::of(2.0) * w[first + i] - w[second + i];
        }
    }
}

/// Writes the slopes of a row of `n` cells between the rows before and after.
#[inline(always)]
pub(super) fn slopes<R: Number>([before, here, after]: [&[R]; 3], n: usize, out: &mut [R]) {
    let (before, here, after, out) = (&before[..n], &here[..n], &after[..n], &mut out[..n]);
    for i in 0..n {
        out[i] = slope(here[i] - before[i], after[i] - here[i]);
    }
}

/// The slopes along the row at `at`, and before and behind it those of the last and the first cell.
#[inline(always)]
pub(super) fn slopes_along<R: Number>(ni: usize, at: usize, w: &Four<R>, out: &mut Four<R>) {
    for (w, out) in w.iter().zip(out) {
        slopes([&w[at..], &w[at + 1..], &w[at + 2..]], ni, &mut out[1..]);
        out[0] = out[ni];
        out[ni + 1] = out[1];
    }
}

/// The slopes of the row at `at` across rows.
#[inline(always)]
pub(super) fn slopes_across<R: Number>(ni: usize, at: usize, w: &Four<R>, out: &mut Four<R>) {
    let (stride, at) = (ni + 2, at + 1);
    for (w, out) in w.iter().zip(out) {
        slopes([&w[at - stride..], &w[at..], &w[at + stride..]], ni, out);
    }
}

/// A row of faces.
#[derive(Clone, Copy)]
pub(super) struct FaceRow<'a, R> {
    pub nx: &'a [R],
    pub ny: &'a [R],
    pub s: &'a [R],
    pub g: &'a [R],
}

impl<'a, R: Number> FaceRow<'a, R> {
    #[inline(always)]
    pub(super) fn new(faces: &'a Faces<R>, ni: usize, j: usize) -> Self {
        let of = |x: &'a [R]| &x[j * ni..(j + 1) * ni];
        FaceRow { nx: of(&faces.nx), ny: of(&faces.ny), s: of(&faces.s), g: of(&faces.g) }
    }

    #[inline(always)]
    pub(super) fn at(&self, i: usize) -> [&'a [R; LANES]; 4] {
        lanes4(&[self.nx, self.ny, self.s, self.g], i)
    }

    /// Face i: normal, velocity, length.
    #[inline(always)]
    pub(super) fn one(&self, i: usize, frame: &Frame<R>) -> ([R; 2], R, R) {
        let n = [self.nx[i], self.ny[i]];
        (n, frame.through(n, self.g[i]), self.s[i])
    }
}

/// Writes the fluxes through a row of `n` faces, the states beside which are those of the cells on
/// the left plus and on the right minus half of their slopes.
#[inline(always)]
fn fluxes<R: Number>(
    frame: &Frame<R>,
    faces: &FaceRow<'_, R>,
    n: usize,
    (left, left_slopes): (&[&[R]; 4], &[&[R]; 4]),
    (right, right_slopes): (&[&[R]; 4], &[&[R]; 4]),
    out: &mut Four<R>,
) {
    for i in (0..n).step_by(LANES) {
        let (l, ls) = (lanes4(left, i), lanes4(left_slopes, i));
        let (r, rs) = (lanes4(right, i), lanes4(right_slopes, i));
        let [nx, ny, s, g] = faces.at(i);
        let mut f = [[R::of(0.0); LANES]; 4];
        for k in 0..LANES {
            let half = R::of(0.5);
            let state_l = from_fn(|v| l[v][k] + half * ls[v][k]);
            let state_r = from_fn(|v| r[v][k] - half * rs[v][k]);
            let normal = [nx[k], ny[k]];
            let flux = roe::flux(&state_l, &state_r, normal, frame.through(normal, g[k]));
            for v in 0..4 {
                f[v][k] = s[k] * flux[v];
            }
        }
        for (out, f) in out.iter_mut().zip(&f) {
            out[i..][..LANES].copy_from_slice(f);
        }
    }
}

/// The fluxes through the faces between the row at `at` and row j behind it.
#[inline(always)]
fn fluxes_across<R: Number>(
    metrics: &Metrics<R>,
    frame: &Frame<R>,
    (j, at): (usize, usize),
    w: &Four<R>,
    [below, above]: [&Four<R>; 2],
    out: &mut Four<R>,
) {
    let ni = metrics.ni;
    let (left, right) = (from(w, at + 1), from(w, at + ni + 3));
    let (left_slopes, right_slopes) = (from(below, 0), from(above, 0));
    let faces = FaceRow::new(&metrics.j_faces, ni, j);
    fluxes(frame, &faces, ni, (&left, &left_slopes), (&right, &right_slopes), out);
}

/// The fluxes through the boundary beside the row at `at`, in the direction of its normals.
#[inline(always)]
fn boundary<R: Number>(
    metrics: &Metrics<R>,
    inner: Option<Inner>,
    frame: &Frame<R>,
    at: usize,
    w: &Four<R>,
    slopes: &Four<R>,
    out: &mut Four<R>,
) {
    let ni = metrics.ni;
    let (face_row, sign) = if inner.is_some() { (0, -1.0) } else { (metrics.nj, 1.0) };
    let faces = FaceRow::new(&metrics.j_faces, ni, face_row);
    let (at, sign) = (at + 1, R::of(sign));
    for i in 0..ni {
        let (n, velocity, s) = faces.one(i, frame);
        let state: [R; 4] = from_fn(|v| w[v][at + i] + sign * R::of(0.5) * slopes[v][i]);
        let flux = if inner == Some(Inner::Wall) {
            let zero = R::of(0.0);
            state_flux(&[zero, zero, zero, state[3]], zero, n, zero, velocity)
        } else {
            far_field::flux(&state, &frame.free, n.map(|n| sign * n), sign * velocity)
                .map(|f| sign * f)
        };
        for v in 0..4 {
            out[v][i] = s * flux[v];
        }
    }
}

/// Writes dU/dt of all cells to `dy`; y and dy hold ρ of all cells, then ρu, ρv and ρE.
#[inline(always)]
pub fn residual<R: Number>(
    metrics: &Metrics<R>,
    inner: Inner,
    frame: &Frame<R>,
    y: &[R],
    dy: &mut [R],
    scratch: &mut Scratch<R>,
) {
    residual_of_rows(metrics, inner, frame, y, fields(dy), scratch);
}

/// Writes dU/dt of the scratch's rows to `dy`, whose fields begin with the first of them.
#[inline(always)]
pub fn residual_of_rows<R: Number>(
    metrics: &Metrics<R>,
    inner: Inner,
    frame: &Frame<R>,
    y: &[R],
    mut dy: [&mut [R]; 4],
    scratch: &mut Scratch<R>,
) {
    let (ni, nj, Range { start, end }) = (metrics.ni, metrics.nj, scratch.rows.clone());
    let row = |j| row(ni, start, j);
    let Scratch { w, slopes_i, slopes_j: [below, above], flux_i, flux_j: [low, high], net, .. } =
        scratch;
    for j in start.saturating_sub(2)..(start + 2).min(nj) {
        load(metrics, frame, (j, row(j)), y, w);
    }
    if start < 2 {
        extrapolate(ni, [before(ni, row(0)), row(0), row(1)], w);
    }
    if start + 1 == nj {
        extrapolate(ni, [row(nj), row(nj - 1), row(nj - 2)], w);
    }
    slopes_across(ni, row(start), w, below);
    if start == 0 {
        boundary(metrics, Some(inner), frame, row(0), w, below, low);
    } else {
        let at = before(ni, row(start));
        slopes_across(ni, at, w, above);
        fluxes_across(metrics, frame, (start, at), w, [above, below], low);
    }
    for j in start..end {
        let at = row(j);
        slopes_along(ni, at, w, slopes_i);
        let (left, right) = (from(w, at), from(w, at + 1));
        let (left_slopes, right_slopes) = (from(slopes_i, 0), from(slopes_i, 1));
        let faces = FaceRow::new(&metrics.i_faces, ni, j);
        fluxes(frame, &faces, ni, (&left, &left_slopes), (&right, &right_slopes), flux_i);
        for flux in flux_i.iter_mut() {
            flux[ni] = flux[0];
        }
        if j + 2 < nj {
            load(metrics, frame, (j + 2, row(j + 2)), y, w);
        } else if j + 2 == nj {
            extrapolate(ni, [row(nj), row(nj - 1), row(nj - 2)], w);
        }
        if j + 1 < nj {
            slopes_across(ni, row(j + 1), w, above);
            fluxes_across(metrics, frame, (j + 1, at), w, [below, above], high);
        } else {
            boundary(metrics, None, frame, at, w, below, high);
        }
        let rates = dy.each_mut().map(|field| &mut field[(j - start) * ni..][..ni]);
        balance(metrics, frame, j, (flux_i, low, high), net, rates);
        std::mem::swap(below, above);
        std::mem::swap(low, high);
    }
}

/// Writes what enters the cells of row j, in the axes that do not turn.
#[inline(always)]
fn balance<R: Number>(
    metrics: &Metrics<R>,
    frame: &Frame<R>,
    j: usize,
    (along, low, high): (&Four<R>, &Four<R>, &Four<R>),
    net: &mut Four<R>,
    [rho, mx, my, e]: [&mut [R]; 4],
) {
    let ni = metrics.ni;
    let inverse_area = &metrics.inverse_area[j * ni..(j + 1) * ni];
    for v in 0..4 {
        let (along, low, high) = (&along[v][..=ni], &low[v][..ni], &high[v][..ni]);
        let net = &mut net[v][..ni];
        for i in 0..ni {
            net[i] = ((along[i] - along[i + 1]) + (low[i] - high[i])) * inverse_area[i];
        }
    }
    let (cos, sin) = (frame.cos, frame.sin);
    rho.copy_from_slice(&net[0][..ni]);
    e.copy_from_slice(&net[3][..ni]);
    let (nx, ny) = (&net[1][..ni], &net[2][..ni]);
    for i in 0..ni {
        mx[i] = cos * nx[i] + sin * ny[i];
        my[i] = cos * ny[i] - sin * nx[i];
    }
}
