//! The transposed derivative of the rates of change.
//!
//! A face's flux F leaves the cell on the left and enters that on the right, so that F̄ = G_r − G_l
//! with G = Ū'/V. One sweep over the rows takes every face once: F̄ to the states beside it, those
//! to slopes and cells, and the derivatives by normal, length and velocity to the corners.

use std::array::from_fn;

use super::cells_vjp::{cells_across_vjp, cells_along_vjp, extrapolate_vjp};
use super::faces_vjp::{boundary_vjp, i_faces_vjp, j_faces_vjp};
use super::gas::GAMMA_1;
use super::metrics::{Metrics, NodesBar};
use super::residual::{slopes_across, slopes_along};
use super::rows::{Four, LANES, before, from, lanes, lanes4, row};
use super::{Frame, FrameBar, Inner, Scratch, ScratchBar};

/// Adds the derivatives of Σ w dU/dt by y to `y_bar`, by the corners to `nodes`, and by the motion
/// to `frame_bar`. `scratch` is what [`residual`](super::residual) left, `dy` what it wrote. The
/// fields of `dy` and `y_bar` begin with the scratch's first row; see [`ScratchBar::hand_over`] for the rows
/// beyond.
#[allow(clippy::too_many_arguments)]
#[inline(always)]
pub fn residual_vjp<const FMA: bool>(
    metrics: &Metrics,
    inner: Inner,
    frame: &Frame,
    dy: &Four<f64>,
    w: &[f64],
    y_bar: [&mut [f64]; 4],
    nodes: &mut NodesBar,
    frame_bar: &mut FrameBar,
    scratch: &Scratch,
    bar: &mut ScratchBar,
) {
    let angle = [0.0; LANES];
    let mut sweep =
        Sweep { metrics, inner, frame, dy, w, scratch, y_bar, nodes, frame_bar, bar, angle };
    sweep.begin::<FMA>();
    for j in scratch.rows.clone() {
        sweep.row::<FMA>(j);
    }
    sweep.end();
}

/// One sweep over the scratch's rows. A face between rows belongs to the row behind it.
struct Sweep<'a> {
    metrics: &'a Metrics,
    inner: Inner,
    frame: &'a Frame,
    dy: &'a Four<f64>,
    w: &'a [f64],
    scratch: &'a Scratch,
    /// Of these rows.
    y_bar: [&'a mut [f64]; 4],
    nodes: &'a mut NodesBar,
    frame_bar: &'a mut FrameBar,
    bar: &'a mut ScratchBar,
    /// By the angle of the axes.
    angle: [f64; LANES],
}

impl Sweep<'_> {
    #[inline(always)]
    fn at(&self, j: usize) -> usize {
        row(self.metrics.ni, self.scratch.rows.start, j)
    }

    /// What is before the first row: the boundary, or the faces to the row before it.
    #[inline(always)]
    fn begin<const FMA: bool>(&mut self) {
        let (ni, start) = (self.metrics.ni, self.scratch.rows.start);
        let (first, w) = (self.at(start), &self.scratch.w);
        self.bar.sums = [[0.0; LANES]; 3];
        for field in self.bar.w[..2].as_flattened_mut() {
            field.fill(0.0);
        }
        if start == 0 {
            self.weigh(0);
            self.bar.g.swap(0, 1);
            slopes_across(ni, first, w, &mut self.bar.slopes_j[0]);
            self.boundary(Some(self.inner), first);
            return;
        }
        let at = before(ni, first);
        self.carry(start - 1);
        self.bar.g.swap(0, 1);
        self.weigh(start);
        slopes_across(ni, at, w, &mut self.bar.slopes_j[0]);
        slopes_across(ni, first, w, &mut self.bar.slopes_j[1]);
        j_faces_vjp::<FMA>(self.metrics, (start, at), self.frame, w, self.nodes, self.bar);
        for right in &mut self.bar.right[0] {
            right.fill(0.0);
        }
        cells_across_vjp::<FMA>(ni, at, w, self.bar);
        if start == 1 {
            extrapolate_vjp(self.bar.w.each_mut());
        } else {
            self.keep(0, (0, before(ni, at)));
        }
        self.bar.turn();
    }

    /// Row j and the faces behind it.
    #[inline(always)]
    fn row<const FMA: bool>(&mut self, j: usize) {
        let Metrics { ni, nj, .. } = *self.metrics;
        let (at, w, end) = (self.at(j), &self.scratch.w, self.scratch.rows.end);
        slopes_along(ni, at, w, &mut self.bar.slopes_i);
        i_faces_vjp::<FMA>(self.metrics, (j, at), self.frame, w, self.nodes, self.bar);
        cells_along_vjp::<FMA>(ni, at, w, self.bar);
        if j + 1 < end {
            self.weigh(j + 1);
            slopes_across(ni, self.at(j + 1), w, &mut self.bar.slopes_j[1]);
            j_faces_vjp::<FMA>(self.metrics, (j + 1, at), self.frame, w, self.nodes, self.bar);
        } else if end == nj {
            self.boundary(None, at);
        } else {
            for left in &mut self.bar.left {
                left.fill(0.0);
            }
        }
        cells_across_vjp::<FMA>(ni, at, w, self.bar);
        if j == 0 {
            extrapolate_vjp(self.bar.w.each_mut());
        }
        if j + 1 == nj {
            let [before, here, beyond] = &mut self.bar.w;
            extrapolate_vjp([beyond, here, before]);
        }
        if j > self.scratch.rows.start {
            self.load(j - 1);
        } else if j > 0 {
            self.keep(1, (0, before(ni, at)));
        }
        self.bar.turn();
    }

    /// What is left for the last row and the one behind it.
    #[inline(always)]
    fn end(&mut self) {
        let end = self.scratch.rows.end;
        self.load(end - 1);
        if end < self.metrics.nj {
            self.keep(2, (1, self.at(end)));
        }
        let [x, y, rate] = self.bar.sums.map(|lanes| lanes.iter().sum::<f64>());
        self.frame_bar.velocity[0] += x;
        self.frame_bar.velocity[1] += y;
        self.frame_bar.rate += rate;
        self.frame_bar.angle += self.angle.iter().sum::<f64>();
    }

    #[inline(always)]
    fn boundary(&mut self, inner: Option<Inner>, at: usize) {
        let w = &self.scratch.w;
        boundary_vjp(self.metrics, inner, self.frame, at, w, self.nodes, self.frame_bar, self.bar);
    }

    /// Adds row j, the row before in [`ScratchBar::w`], to `y_bar`.
    #[inline(always)]
    fn load(&mut self, j: usize) {
        let (ni, at) = (self.metrics.ni, self.at(j));
        let to = (j - self.scratch.rows.start) * ni;
        let out = self.y_bar.each_mut().map(|field| &mut field[to..to + ni]);
        load_vjp(self.frame, at, &self.scratch.w, &self.bar.w[0], out, &mut self.angle);
    }

    /// Keeps a row beyond these, which is in a place of [`ScratchBar::w`] and begins at `at`.
    #[inline(always)]
    fn keep(&mut self, to: usize, (of, at): (usize, usize)) {
        let ScratchBar { w, beyond, .. } = &mut *self.bar;
        let out = beyond[to].each_mut().map(|field| {
            field.fill(0.0);
            &mut field[..]
        });
        load_vjp(self.frame, at, &self.scratch.w, &w[of], out, &mut self.angle);
    }

    /// Writes row j of G as the next.
    #[inline(always)]
    fn carry(&mut self, j: usize) {
        let (ni, cells, at) = (self.metrics.ni, self.metrics.area.len(), j * self.metrics.ni);
        let w: [&[f64]; 4] = from_fn(|v| &self.w[v * cells + at..][..ni]);
        let inverse = &self.metrics.inverse_area[at..at + ni];
        let g = self.bar.g[1].each_mut().map(|row| &mut row[1..=ni]);
        for i in 0..ni {
            let of_cell = per_area(self.frame, from_fn(|v| w[v][i]), inverse[i]);
            for v in 0..4 {
                g[v][i] = of_cell[v];
            }
        }
        for g in &mut self.bar.g[1] {
            g[0] = g[ni];
        }
    }

    /// Writes row j of G as the next, and adds the derivatives by the areas and by the angle by which
    /// rates are turned back.
    #[inline(always)]
    fn weigh(&mut self, j: usize) {
        let (ni, cells, at) = (self.metrics.ni, self.metrics.area.len(), j * self.metrics.ni);
        let w: [&[f64]; 4] = from_fn(|v| &self.w[v * cells + at..][..ni]);
        let dy = from(self.dy, (j - self.scratch.rows.start) * ni);
        let mut turning = self.angle;
        for i in (0..ni).step_by(LANES) {
            let (w, dy) = (lanes4(&w, i), lanes4(&dy, i));
            let inverse = lanes(&self.metrics.inverse_area, at + i);
            let (mut g, mut area) = ([[0.0; LANES]; 4], [0.0; LANES]);
            for k in 0..LANES {
                let of_cell = per_area(self.frame, from_fn(|v| w[v][k]), inverse[k]);
                for v in 0..4 {
                    g[v][k] = of_cell[v];
                }
                let (mass, energy) = (w[0][k] * dy[0][k], w[3][k] * dy[3][k]);
                let product = (mass + w[1][k] * dy[1][k]) + (w[2][k] * dy[2][k] + energy);
                area[k] = -product * inverse[k];
                turning[k] += w[1][k] * dy[2][k] - w[2][k] * dy[1][k];
            }
            for (row, g) in self.bar.g[1].iter_mut().zip(&g) {
                row[1 + i..][..LANES].copy_from_slice(g);
            }
            self.bar.area[i..][..LANES].copy_from_slice(&area);
        }
        for g in &mut self.bar.g[1] {
            g[0] = g[ni];
        }
        self.angle = turning;
        self.metrics.area_vjp(j, &self.bar.area, self.nodes);
    }
}

/// G of a cell, momentum along the body's axes.
#[inline(always)]
fn per_area(frame: &Frame, [rho, x, y, e]: [f64; 4], inverse: f64) -> [f64; 4] {
    let (cos, sin) = (frame.cos, frame.sin);
    [rho * inverse, (cos * x - sin * y) * inverse, (sin * x + cos * y) * inverse, e * inverse]
}

/// Adds the row at `at` to `y_bar`, and the derivatives by the angle by which velocities are turned.
#[inline(always)]
fn load_vjp(
    frame: &Frame,
    at: usize,
    w: &Four<f64>,
    w_bar: &Four<f64>,
    mut y_bar: [&mut [f64]; 4],
    angle: &mut [f64; LANES],
) {
    let (ni, cos, sin) = (y_bar[0].len(), frame.cos, frame.sin);
    let (prim, bars) = (from(w, at + 1), from(w_bar, 0));
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
        for (y_bar, out) in y_bar.iter_mut().zip(&out) {
            for (y_bar, out) in y_bar[i..][..LANES].iter_mut().zip(out) {
                *y_bar += out;
            }
        }
    }
    *angle = turning;
}
