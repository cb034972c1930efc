//! The transposed derivative of the rates of change.
//!
//! A face's flux F leaves the cell on the left and enters that on the right, so that F̄ = G_r − G_l
//! with G = Ū'/V. One sweep over the rows takes every face once: F̄ to the states beside it, those
//! to slopes and cells, and the derivatives by normal, length and velocity to the corners.

use std::array::from_fn;

use super::cells_vjp::{cells_across_vjp, cells_along_vjp, extrapolate_vjp};
use super::faces_vjp::{boundary_vjp, i_faces_vjp, j_faces_vjp};
use super::gas::GAMMA_1;
use super::metrics::{FacesBar, LANES, Metrics, NodesBar, bytes};
use super::residual::{Four, Scratch, from, lanes, lanes4, row, slopes_across, slopes_along};
use super::{Frame, FrameBar, Inner};

/// What the transposed derivative needs beside [`Scratch`].
#[derive(Clone, Debug)]
pub struct ScratchBar {
    /// G of this row and the next, with the last cell before the first.
    pub(super) g: [Four<f64>; 2],
    /// By the primitive variables of the row before, of this row and of the next.
    pub(super) w: [Four<f64>; 3],
    pub(super) slopes_i: Four<f64>,
    pub(super) slopes_j: [Four<f64>; 2],
    /// By the states on the left and on the right of a row of faces.
    pub(super) left: Four<f64>,
    pub(super) right: [Four<f64>; 2],
    /// By the differences to the cell before and to the cell after.
    pub(super) before: Vec<f64>,
    pub(super) after: Vec<f64>,
    pub(super) faces: FacesBar,
    pub(super) area: Vec<f64>,
    /// Of w̄ n_x, w̄ n_y and w̄ g.
    pub(super) sums: [[f64; LANES]; 3],
}

impl ScratchBar {
    /// For rows of `ni` cells.
    pub fn new(ni: usize) -> Self {
        let field = |n: usize| from_fn(|_| vec![0.0; n]);
        ScratchBar {
            g: [field(ni + 1), field(ni + 1)],
            w: [field(ni), field(ni), field(ni)],
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

    /// Bytes that it occupies.
    pub fn bytes(&self) -> usize {
        let ScratchBar {
            g, w, slopes_i, slopes_j, left, right, before, after, faces, area, ..
        } = self;
        let FacesBar { nx, ny, s, w: velocity } = faces;
        let rows = [g.as_flattened(), w.as_flattened(), slopes_i, slopes_j.as_flattened(), left];
        let rows = rows.into_iter().chain([right.as_flattened()]).flatten();
        bytes(rows.chain([before, after, area, nx, ny, s, velocity]))
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
    for field in bar.w[..2].as_flattened_mut() {
        field.fill(0.0);
    }
    let mut angle = [0.0; LANES];
    weigh(metrics, frame, 0, dy, w, &mut angle, nodes, bar);
    bar.g.swap(0, 1);
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
            extrapolate_vjp(bar.w.each_mut());
        }
        // The rows next to the far field wait for what is extrapolated from them.
        if j + 1 == nj {
            let [before, here, beyond] = &mut bar.w;
            extrapolate_vjp([beyond, here, before]);
            load_vjp(metrics, frame, j, &scratch.w, &bar.w[1], y_bar, &mut angle);
        }
        if j > 0 {
            load_vjp(metrics, frame, j - 1, &scratch.w, &bar.w[0], y_bar, &mut angle);
        }
        bar.w.rotate_left(1);
        bar.g.swap(0, 1);
        bar.slopes_j.swap(0, 1);
        bar.right.swap(0, 1);
    }
    let [x, y, rate] = bar.sums.map(|lanes| lanes.iter().sum::<f64>());
    frame_bar.velocity[0] += x;
    frame_bar.velocity[1] += y;
    frame_bar.rate += rate;
    frame_bar.angle += angle.iter().sum::<f64>();
}

/// Writes row j of G as the next, and adds the derivatives by the areas and by the angle by which rates are
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
    let (cos, sin) = (frame.cos, frame.sin);
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
        for (row, g) in bar.g[1].iter_mut().zip(&g) {
            row[1 + i..][..LANES].copy_from_slice(g);
        }
        bar.area[i..][..LANES].copy_from_slice(&area);
    }
    *angle = turning;
    for g in &mut bar.g[1] {
        g[0] = g[ni];
    }
    metrics.area_vjp(j, &bar.area, nodes);
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
    let (prim, bars) = (from(w, at), from(w_bar, 0));
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
