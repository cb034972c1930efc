//! The transposed derivative of the rates of change.
//!
//! A face's flux F leaves the cell on the left and enters that on the right, so that F̄ = G_r − G_l
//! with G = Ū'/V. One sweep over the rows takes every face once: F̄ to the states beside it, those
//! to slopes and cells, and the derivatives by normal, length and velocity to the corners.

use std::array::from_fn;

use super::far_field;
use super::gas::GAMMA_1;
use super::limiter::slope_derivative;
use super::metrics::{FacesBar, LANES, Metrics, NodesBar};
use super::residual::{
    FaceRow, Four, Scratch, from, lanes, lanes4, row, slopes_across, slopes_along,
};
use super::roe;
use super::{Frame, FrameBar, Inner};

/// What the transposed derivative needs beside [`Scratch`].
#[derive(Clone, Debug)]
pub struct ScratchBar {
    /// G: `nj` + 2 rows of `ni` + 2 cells, the first and last row being zero.
    g: Four<f64>,
    /// By the primitive variables.
    w: Four<f64>,
    slopes_i: Four<f64>,
    slopes_j: [Four<f64>; 2],
    /// By the states on the left and on the right of a row of faces.
    left: Four<f64>,
    right: [Four<f64>; 2],
    /// By the differences to the cell before and to the cell after.
    before: Vec<f64>,
    after: Vec<f64>,
    faces: FacesBar,
    area: Vec<f64>,
    /// Of w̄ n_x, w̄ n_y and w̄ g.
    sums: [[f64; LANES]; 3],
}

impl ScratchBar {
    /// For `ni` × `nj` cells.
    pub fn new(ni: usize, nj: usize) -> Self {
        let field = |n: usize| from_fn(|_| vec![0.0; n]);
        ScratchBar {
            g: field((ni + 2) * (nj + 2)),
            w: field((ni + 2) * (nj + 2)),
            slopes_i: field(ni + 2),
            slopes_j: [field(ni), field(ni)],
            left: field(ni + 1),
            right: [field(ni), field(ni)],
            before: vec![0.0; ni + 2],
            after: vec![0.0; ni + 2],
            faces: FacesBar::new(ni),
            area: vec![0.0; ni],
            sums: [[0.0; LANES]; 3],
        }
    }
}

/// Adds the derivatives of Σ w dU/dt by y to `y_bar`, by the corners to `nodes`, and by the motion
/// to `frame_bar`. `scratch` is what [`residual`](super::residual) left, `dy` what it wrote.
#[allow(clippy::too_many_arguments)]
#[inline(always)]
pub fn residual_vjp<const FMA: bool>(
    metrics: &Metrics,
    inner: Inner,
    frame: &Frame,
    dy: &[f64],
    w: &[f64],
    y_bar: &mut [f64],
    nodes: &mut NodesBar,
    frame_bar: &mut FrameBar,
    scratch: &Scratch,
    bar: &mut ScratchBar,
) {
    let (ni, nj) = (metrics.ni, metrics.nj);
    bar.sums = [[0.0; LANES]; 3];
    for field in &mut bar.w {
        field[..2 * (ni + 2)].fill(0.0);
    }
    let mut angle = [0.0; LANES];
    weigh(metrics, frame, 0, dy, w, &mut angle, nodes, bar);
    slopes_across(ni, 0, &scratch.w, &mut bar.slopes_j[0]);
    boundary_vjp(metrics, Some(inner), frame, &scratch.w, nodes, frame_bar, bar);
    for j in 0..nj {
        slopes_along(ni, j, &scratch.w, &mut bar.slopes_i);
        i_faces_vjp::<FMA>(metrics, j, frame, &scratch.w, nodes, bar);
        cells_along_vjp::<FMA>(ni, j, &scratch.w, bar);
        if j + 1 < nj {
            weigh(metrics, frame, j + 1, dy, w, &mut angle, nodes, bar);
            slopes_across(ni, j + 1, &scratch.w, &mut bar.slopes_j[1]);
            j_faces_vjp::<FMA>(metrics, j + 1, frame, &scratch.w, nodes, bar);
        } else {
            boundary_vjp(metrics, None, frame, &scratch.w, nodes, frame_bar, bar);
        }
        cells_across_vjp::<FMA>(ni, j, &scratch.w, bar);
        if j == 0 {
            extrapolate_vjp(ni, [0, row(ni, 0), row(ni, 1)], &mut bar.w);
        }
        // The rows next to the far field wait for what is extrapolated from them.
        if (1..nj - 1).contains(&j) {
            load_vjp(metrics, frame, j - 1, &scratch.w, &bar.w, y_bar, &mut angle);
        }
        bar.slopes_j.swap(0, 1);
        bar.right.swap(0, 1);
    }
    let [x, y, rate] = bar.sums.map(|lanes| lanes.iter().sum::<f64>());
    frame_bar.velocity[0] += x;
    frame_bar.velocity[1] += y;
    frame_bar.rate += rate;
    extrapolate_vjp(ni, [row(ni, nj), row(ni, nj - 1), row(ni, nj - 2)], &mut bar.w);
    for j in [nj - 2, nj - 1] {
        load_vjp(metrics, frame, j, &scratch.w, &bar.w, y_bar, &mut angle);
    }
    frame_bar.angle += angle.iter().sum::<f64>();
}

/// Writes row j of G, and adds the derivatives by the areas and by the angle by which rates are
/// turned back.
#[allow(clippy::too_many_arguments)]
#[inline(always)]
fn weigh(
    metrics: &Metrics,
    frame: &Frame,
    j: usize,
    dy: &[f64],
    w: &[f64],
    angle: &mut [f64; LANES],
    nodes: &mut NodesBar,
    bar: &mut ScratchBar,
) {
    let (ni, cells, at) = (metrics.ni, metrics.ni * metrics.nj, j * metrics.ni);
    let (cos, sin, to) = (frame.cos, frame.sin, row(metrics.ni, j));
    let w = [&w[at..], &w[cells + at..], &w[2 * cells + at..], &w[3 * cells + at..]];
    let dy = [&dy[at..], &dy[cells + at..], &dy[2 * cells + at..], &dy[3 * cells + at..]];
    let mut turning = *angle;
    for i in (0..ni).step_by(LANES) {
        let (w, dy) = (lanes4(&w, i), lanes4(&dy, i));
        let inverse = lanes(&metrics.inverse_area, at + i);
        let (mut g, mut area) = ([[0.0; LANES]; 4], [0.0; LANES]);
        for k in 0..LANES {
            let (rho, mx, my, e) = (w[0][k], w[1][k], w[2][k], w[3][k]);
            g[0][k] = rho * inverse[k];
            g[1][k] = (cos * mx - sin * my) * inverse[k];
            g[2][k] = (sin * mx + cos * my) * inverse[k];
            g[3][k] = e * inverse[k];
            let product = (rho * dy[0][k] + mx * dy[1][k]) + (my * dy[2][k] + e * dy[3][k]);
            area[k] = -product * inverse[k];
            turning[k] += mx * dy[2][k] - my * dy[1][k];
        }
        for (all, g) in bar.g.iter_mut().zip(&g) {
            all[to + 1 + i..][..LANES].copy_from_slice(g);
        }
        bar.area[i..][..LANES].copy_from_slice(&area);
    }
    *angle = turning;
    for g in &mut bar.g {
        g[to] = g[to + ni];
    }
    metrics.area_vjp(j, &bar.area, nodes);
}

/// The faces in row j.
#[inline(always)]
fn i_faces_vjp<const FMA: bool>(
    metrics: &Metrics,
    j: usize,
    frame: &Frame,
    w: &Four<f64>,
    nodes: &mut NodesBar,
    bar: &mut ScratchBar,
) {
    let (ni, at) = (metrics.ni, row(metrics.ni, j));
    let faces = FaceRow::new(&metrics.i_faces, ni, j);
    let (left, right) = (from(w, at), from(w, at + 1));
    let slopes = [from(&bar.slopes_i, 0), from(&bar.slopes_i, 1)];
    let g = [from(&bar.g, at), from(&bar.g, at + 1)];
    let out = (&mut bar.left, &mut bar.right[1], &mut bar.faces, &mut bar.sums);
    faces_vjp::<FMA>(frame, &faces, ni, [left, right], slopes, g, out);
    for left in &mut bar.left {
        left[ni] = left[0];
    }
    metrics.i_faces_vjp(j, &bar.faces, frame.rate, nodes);
}

/// The faces between row j − 1 and row j.
#[inline(always)]
fn j_faces_vjp<const FMA: bool>(
    metrics: &Metrics,
    j: usize,
    frame: &Frame,
    w: &Four<f64>,
    nodes: &mut NodesBar,
    bar: &mut ScratchBar,
) {
    let (ni, low, high) = (metrics.ni, row(metrics.ni, j - 1) + 1, row(metrics.ni, j) + 1);
    let faces = FaceRow::new(&metrics.j_faces, ni, j);
    let slopes = bar.slopes_j.each_ref().map(|slopes| from(slopes, 0));
    let g = [from(&bar.g, low), from(&bar.g, high)];
    let out = (&mut bar.left, &mut bar.right[1], &mut bar.faces, &mut bar.sums);
    faces_vjp::<FMA>(frame, &faces, ni, [from(w, low), from(w, high)], slopes, g, out);
    metrics.j_faces_vjp(j, &bar.faces, frame.rate, nodes);
}

type FacesOut<'a> =
    (&'a mut Four<f64>, &'a mut Four<f64>, &'a mut FacesBar, &'a mut [[f64; LANES]; 3]);

/// The transposed derivatives of a row of `n` faces.
#[inline(always)]
fn faces_vjp<const FMA: bool>(
    frame: &Frame,
    faces: &FaceRow<'_, f64>,
    n: usize,
    [left, right]: [[&[f64]; 4]; 2],
    [left_slopes, right_slopes]: [[&[f64]; 4]; 2],
    [left_g, right_g]: [[&[f64]; 4]; 2],
    (left_bar, right_bar, faces_bar, all_sums): FacesOut<'_>,
) {
    let mut sums = *all_sums;
    for i in (0..n).step_by(LANES) {
        let (l, ls, lg) = (lanes4(&left, i), lanes4(&left_slopes, i), lanes4(&left_g, i));
        let (r, rs, rg) = (lanes4(&right, i), lanes4(&right_slopes, i), lanes4(&right_g, i));
        let [nx, ny, s, g] = faces.at(i);
        let mut l_bar = [[0.0; LANES]; 4];
        let mut r_bar = [[0.0; LANES]; 4];
        let mut face = [[0.0; LANES]; 4];
        for k in 0..LANES {
            let state_l = from_fn(|v| l[v][k] + 0.5 * ls[v][k]);
            let state_r = from_fn(|v| r[v][k] - 0.5 * rs[v][k]);
            let f_bar = from_fn(|v| rg[v][k] - lg[v][k]);
            let n = [nx[k], ny[k]];
            let bar =
                roe::flux_vjp::<FMA>(&state_l, &state_r, n, frame.through(n, g[k]), s[k], &f_bar);
            for v in 0..4 {
                l_bar[v][k] = bar.l[v];
                r_bar[v][k] = bar.r[v];
            }
            face[0][k] = bar.n[0] + bar.w * frame.velocity[0];
            face[1][k] = bar.n[1] + bar.w * frame.velocity[1];
            face[2][k] = bar.s;
            face[3][k] = bar.w;
            sums[0][k] += bar.w * n[0];
            sums[1][k] += bar.w * n[1];
            sums[2][k] += bar.w * g[k];
        }
        for v in 0..4 {
            left_bar[v][i..][..LANES].copy_from_slice(&l_bar[v]);
            right_bar[v][i..][..LANES].copy_from_slice(&r_bar[v]);
        }
        let FacesBar { nx, ny, s, w } = &mut *faces_bar;
        for (row, face) in [nx, ny, s, w].into_iter().zip(&face) {
            row[i..][..LANES].copy_from_slice(face);
        }
    }
    *all_sums = sums;
}

/// A boundary: the inner one fills `right`, the outer one `left`.
#[inline(always)]
fn boundary_vjp(
    metrics: &Metrics,
    inner: Option<Inner>,
    frame: &Frame,
    w: &Four<f64>,
    nodes: &mut NodesBar,
    frame_bar: &mut FrameBar,
    bar: &mut ScratchBar,
) {
    let ni = metrics.ni;
    let (j, face_row, sign) =
        if inner.is_some() { (0, 0, -1.0) } else { (metrics.nj - 1, metrics.nj, 1.0) };
    let faces = FaceRow::new(&metrics.j_faces, ni, face_row);
    let at = row(ni, j) + 1;
    let ScratchBar { g, slopes_j, left, right, faces: faces_bar, sums, .. } = bar;
    let slopes = &slopes_j[0];
    for i in 0..ni {
        let (n, velocity, s) = faces.one(i, frame);
        let f_bar: [f64; 4] = from_fn(|v| -sign * g[v][at + i]);
        let mut state = from_fn(|v| w[v][at + i] + sign * 0.5 * slopes[v][i]);
        let (mut n_bar, w_bar, s_bar);
        if inner == Some(Inner::Wall) {
            let p = state[3];
            let force = f_bar[1] * n[0] + f_bar[2] * n[1] + f_bar[3] * velocity;
            state = [0.0, 0.0, 0.0, s * force];
            n_bar = [s * p * f_bar[1], s * p * f_bar[2]];
            (w_bar, s_bar) = (s * p * f_bar[3], p * force);
        } else {
            let out = n.map(|n| sign * n);
            let f_bar = f_bar.map(|bar| sign * bar);
            let free = &frame.free;
            let (bars, by_s) = far_field::flux_vjp(&state, free, out, sign * velocity, s, &f_bar);
            state = from_fn(|v| bars[v]);
            n_bar = [sign * bars[4], sign * bars[5]];
            (w_bar, s_bar) = (sign * bars[6], by_s);
            frame_bar.free[0] += bars[7];
            frame_bar.free[1] += bars[8];
        }
        for v in 0..4 {
            if inner.is_some() {
                right[0][v][i] = state[v];
            } else {
                left[v][i] = state[v];
            }
        }
        n_bar = from_fn(|k| n_bar[k] + w_bar * frame.velocity[k]);
        (faces_bar.nx[i], faces_bar.ny[i]) = (n_bar[0], n_bar[1]);
        (faces_bar.s[i], faces_bar.w[i]) = (s_bar, w_bar);
        sums[0][0] += w_bar * n[0];
        sums[1][0] += w_bar * n[1];
        sums[2][0] += w_bar * faces.g[i];
    }
    metrics.j_faces_vjp(face_row, faces_bar, frame.rate, nodes);
}

/// Adds to the cells of row j what the faces in the row give.
#[inline(always)]
fn cells_along_vjp<const FMA: bool>(ni: usize, j: usize, w: &Four<f64>, bar: &mut ScratchBar) {
    let at = row(ni, j);
    let ScratchBar { w: w_bar, left, right, before, after, .. } = bar;
    for v in 0..4 {
        let w = &w[v][at..at + ni + 2];
        let out = &mut w_bar[v][at + 1..at + 1 + ni];
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

/// Adds to the cells of row j and of the row before what the faces below and above row j give, and
/// begins the row behind with it.
#[inline(always)]
fn cells_across_vjp<const FMA: bool>(ni: usize, j: usize, w: &Four<f64>, bar: &mut ScratchBar) {
    let (stride, at) = (ni + 2, row(ni, j) + 1);
    let ScratchBar { w: w_bar, left, right, before, after, .. } = bar;
    for v in 0..4 {
        let w = &w[v][at - stride..];
        let (right, left) = (&right[0][v][..ni], &left[v][..ni]);
        let rows = [w, &w[stride..], &w[2 * stride..]];
        differences_vjp::<FMA>(rows, ni, left, right, before, after);
        let (low, rest) = w_bar[v][at - stride..].split_at_mut(stride);
        let (here, high) = rest.split_at_mut(stride);
        let (low, here, high) = (&mut low[..ni], &mut here[..ni], &mut high[..ni]);
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

/// The transposed derivative of the row beyond a boundary, 2 W₀ − W₁.
#[inline(always)]
fn extrapolate_vjp(ni: usize, [from, first, second]: [usize; 3], w: &mut Four<f64>) {
    for w in w {
        for i in 0..ni + 2 {
            w[first + i] += 2.0 * w[from + i];
            w[second + i] -= w[from + i];
        }
    }
}

/// Adds row j to `y_bar`, and the derivatives by the angle by which velocities are turned.
#[inline(always)]
fn load_vjp(
    metrics: &Metrics,
    frame: &Frame,
    j: usize,
    w: &Four<f64>,
    w_bar: &Four<f64>,
    y_bar: &mut [f64],
    angle: &mut [f64; LANES],
) {
    let (ni, cells, to) = (metrics.ni, metrics.ni * metrics.nj, j * metrics.ni);
    let (cos, sin, at) = (frame.cos, frame.sin, row(metrics.ni, j) + 1);
    let (prim, bars) = (from(w, at), from(w_bar, at));
    let mut turning = *angle;
    for i in (0..ni).step_by(LANES) {
        let (prim, bars) = (lanes4(&prim, i), lanes4(&bars, i));
        let mut out = [[0.0; LANES]; 4];
        for k in 0..LANES {
            let inverse = 1.0 / prim[0][k];
            let (u, v, p_bar) = (prim[1][k], prim[2][k], GAMMA_1 * bars[3][k]);
            let (u_bar, v_bar) = (bars[1][k], bars[2][k]);
            let (mx, my) = (u_bar * inverse - u * p_bar, v_bar * inverse - v * p_bar);
            let spent = (u * u_bar + v * v_bar) * inverse;
            out[0][k] = bars[0][k] - spent + 0.5 * (u * u + v * v) * p_bar;
            out[1][k] = cos * mx + sin * my;
            out[2][k] = cos * my - sin * mx;
            out[3][k] = p_bar;
            turning[k] += v_bar * u - u_bar * v;
        }
        for (v, out) in out.iter().enumerate() {
            let y_bar = &mut y_bar[v * cells + to + i..][..LANES];
            for (y_bar, out) in y_bar.iter_mut().zip(out) {
                *y_bar += out;
            }
        }
    }
    *angle = turning;
}
