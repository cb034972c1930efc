//! The transposed derivatives of rows of faces, to the states beside them and to the corners.

use std::array::from_fn;

use super::far_field;
use super::metrics::{FacesBar, Metrics, NodesBar};
use super::residual::FaceRow;
use super::roe;
use super::rows::{Four, LANES, from, lanes4};
use super::{Frame, FrameBar, Inner, ScratchBar};

/// The faces in row j, which begins at `at`.
#[inline(always)]
pub(super) fn i_faces_vjp<const FMA: bool>(
    metrics: &Metrics,
    (j, at): (usize, usize),
    frame: &Frame,
    w: &Four<f64>,
    nodes: &mut NodesBar,
    bar: &mut ScratchBar,
) {
    let ni = metrics.ni;
    let faces = FaceRow::new(&metrics.i_faces, ni, j);
    let (left, right) = (from(w, at), from(w, at + 1));
    let slopes = [from(&bar.slopes_i, 0), from(&bar.slopes_i, 1)];
    let g = [from(&bar.g[0], 0), from(&bar.g[0], 1)];
    let out = (&mut bar.left, &mut bar.right[1], &mut bar.faces, &mut bar.sums);
    faces_vjp::<FMA>(frame, &faces, ni, [left, right], slopes, g, out);
    for left in &mut bar.left {
        left[ni] = left[0];
    }
    metrics.i_faces_vjp(j, &bar.faces, frame.rate, nodes);
}

/// The faces between the row at `at` and row j behind it.
#[inline(always)]
pub(super) fn j_faces_vjp<const FMA: bool>(
    metrics: &Metrics,
    (j, at): (usize, usize),
    frame: &Frame,
    w: &Four<f64>,
    nodes: &mut NodesBar,
    bar: &mut ScratchBar,
) {
    let (ni, low, high) = (metrics.ni, at + 1, at + metrics.ni + 3);
    let faces = FaceRow::new(&metrics.j_faces, ni, j);
    let slopes = bar.slopes_j.each_ref().map(|slopes| from(slopes, 0));
    let g = [from(&bar.g[0], 1), from(&bar.g[1], 1)];
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

/// The boundary beside the row at `at`: the inner one fills `right`, the outer one `left`.
#[allow(clippy::too_many_arguments)]
#[inline(always)]
pub(super) fn boundary_vjp(
    metrics: &Metrics,
    inner: Option<Inner>,
    frame: &Frame,
    at: usize,
    w: &Four<f64>,
    nodes: &mut NodesBar,
    frame_bar: &mut FrameBar,
    bar: &mut ScratchBar,
) {
    let (ni, at) = (metrics.ni, at + 1);
    let (face_row, sign) = if inner.is_some() { (0, -1.0) } else { (metrics.nj, 1.0) };
    let faces = FaceRow::new(&metrics.j_faces, ni, face_row);
    let ScratchBar { g, slopes_j, left, right, faces: faces_bar, sums, .. } = bar;
    let slopes = &slopes_j[0];
    for i in 0..ni {
        let (n, velocity, s) = faces.one(i, frame);
        let f_bar: [f64; 4] = from_fn(|v| -sign * g[0][v][1 + i]);
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
