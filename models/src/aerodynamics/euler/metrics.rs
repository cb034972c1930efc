//! Faces and areas of a grid of quadrilaterals.

use std::ops::Range;

use super::rows::{LANES, bytes};
use super::{Complex, Number};

/// Straight faces: unit normal n, length s, and g = k × r · n at the middle, with which a
/// face that turns about r = 0 with rate Ω moves: w = Ω g. The sum of g s over a cell's faces is 0.
#[derive(Clone, Debug)]
pub struct Faces<R> {
    /// n_x
    pub nx: Vec<R>,
    /// n_y
    pub ny: Vec<R>,
    /// s
    pub s: Vec<R>,
    /// g
    pub g: Vec<R>,
}

/// The geometry of `ni` × `nj` cells, row by row, i running along a row.
///
/// Rows close: the last cell's neighbour is the first. Faces of i stand between cell i − 1 and
/// cell i, their normals point to cell i; faces of j stand below row j, their normals point to it.
#[derive(Clone, Debug)]
pub struct Metrics<R = f64> {
    /// Cells in a row, a multiple of [`LANES`].
    pub ni: usize,
    /// Rows.
    pub nj: usize,
    /// Between the cells of a row: `nj` rows.
    pub i_faces: Faces<R>,
    /// Between rows: `nj` + 1 rows.
    pub j_faces: Faces<R>,
    /// Areas of the cells.
    pub area: Vec<R>,
    /// Their inverses.
    pub inverse_area: Vec<R>,
    /// `nj` + 1 rows of `ni` + 1 corners, relative to the centre of rotation.
    pub nodes: Vec<Complex<R>>,
}

impl<R: Number> Faces<R> {
    fn with_capacity(n: usize) -> Self {
        let empty = || Vec::with_capacity(n);
        Faces { nx: empty(), ny: empty(), s: empty(), g: empty() }
    }

    /// The face with corners a and b and s n = (`nx`, `ny`).
    fn push(&mut self, a: Complex<R>, b: Complex<R>, nx: R, ny: R) {
        let s = (nx * nx + ny * ny).sqrt();
        let (nx, ny) = (nx / s, ny / s);
        let middle = (a + b).scale(R::of(0.5));
        self.nx.push(nx);
        self.ny.push(ny);
        self.s.push(s);
        self.g.push(middle.x * ny - middle.y * nx);
    }
}

impl<R: Number> Metrics<R> {
    /// The geometry of the cells with these corners, rows of i one after the other.
    ///
    /// # Panics
    /// Where `ni` is no multiple of [`LANES`], `nj` < 2, or the number of corners does not fit.
    pub fn new(ni: usize, nj: usize, nodes: Vec<Complex<R>>) -> Self {
        assert!(ni > 0 && ni.is_multiple_of(LANES) && nj >= 2, "{ni} x {nj} cells");
        assert_eq!(nodes.len(), (ni + 1) * (nj + 1));
        let (mut i_faces, mut j_faces) =
            (Faces::with_capacity(ni * nj), Faces::with_capacity(ni * (nj + 1)));
        let (mut area, mut inverse_area) =
            (Vec::with_capacity(ni * nj), Vec::with_capacity(ni * nj));
        let rows: Vec<&[Complex<R>]> = nodes.chunks_exact(ni + 1).collect();
        for row in &rows {
            for pair in row.windows(2) {
                let d = pair[1] - pair[0];
                j_faces.push(pair[0], pair[1], d.y, -d.x);
            }
        }
        for two in rows.windows(2) {
            let (low, high) = (two[0], two[1]);
            for i in 0..ni {
                let d = high[i] - low[i];
                i_faces.push(low[i], high[i], -d.y, d.x);
                let (a, b) = (high[i] - low[i + 1], high[i + 1] - low[i]);
                let cell = R::of(0.5) * (b.x * a.y - b.y * a.x);
                area.push(-cell);
                inverse_area.push(-R::of(1.0) / cell);
            }
        }
        Metrics { ni, nj, i_faces, j_faces, area, inverse_area, nodes }
    }

    /// The first cell that is folded: of area that is not positive.
    pub fn folded(&self) -> Option<usize> {
        self.area.iter().position(|area| area.value() <= 0.0 || area.value().is_nan())
    }
}

/// The derivatives of a function by a row of faces.
#[derive(Clone, Debug)]
pub struct FacesBar {
    /// By n_x.
    pub nx: Vec<f64>,
    /// By n_y.
    pub ny: Vec<f64>,
    /// By s.
    pub s: Vec<f64>,
    /// By the face's velocity w.
    pub w: Vec<f64>,
}

impl FacesBar {
    /// Zeros for `n` faces.
    pub fn new(n: usize) -> Self {
        FacesBar { nx: vec![0.0; n], ny: vec![0.0; n], s: vec![0.0; n], w: vec![0.0; n] }
    }
}

/// The derivatives of a function by the corners of some rows.
#[derive(Clone, Debug)]
pub struct NodesBar {
    /// The first row of corners.
    pub first: usize,
    /// By x.
    pub x: Vec<f64>,
    /// By y.
    pub y: Vec<f64>,
    /// Of a row, by x and y of the first and of the second corner, between two zeros.
    ends: [Vec<f64>; 4],
}

impl NodesBar {
    /// Zeros for the corners of `ni` × `nj` cells.
    pub fn new(ni: usize, nj: usize) -> Self {
        NodesBar::of_rows(ni, 0..nj)
    }

    /// Zeros for the corners of some rows of cells.
    pub fn of_rows(ni: usize, rows: Range<usize>) -> Self {
        let zeros = || vec![0.0; (ni + 1) * (rows.len() + 1)];
        let row = || vec![0.0; ni + 2];
        NodesBar { first: rows.start, x: zeros(), y: zeros(), ends: [row(), row(), row(), row()] }
    }

    /// Where row j of corners begins.
    fn row(&self, ni: usize, j: usize) -> usize {
        (j - self.first) * (ni + 1)
    }

    /// Bytes that they occupy.
    pub fn bytes(&self) -> usize {
        bytes(self.ends.iter().chain([&self.x, &self.y]))
    }

    /// Sets all to zero.
    pub fn clear(&mut self) {
        self.x.fill(0.0);
        self.y.fill(0.0);
    }
}

/// The transposed derivative of one face: by its first and its second corner, the sign of its
/// normal being that of faces of j; `d` is s n, `m` the middle.
#[inline(always)]
fn face_vjp(n: [f64; 2], s: f64, m: [f64; 2], bar: [f64; 4], rate: f64) -> ([f64; 2], [f64; 2]) {
    let g_bar = rate * bar[3];
    let (nx_bar, ny_bar) = (bar[0] - g_bar * m[1], bar[1] + g_bar * m[0]);
    let along = n[0] * nx_bar + n[1] * ny_bar;
    let inverse = 1.0 / s;
    let normal = [
        (nx_bar - n[0] * along) * inverse + bar[2] * n[0],
        (ny_bar - n[1] * along) * inverse + bar[2] * n[1],
    ];
    (normal, [0.5 * g_bar * n[1], -0.5 * g_bar * n[0]])
}

impl Metrics {
    /// Adds to `nodes` the derivatives by the corners of row `j` of the faces between rows.
    #[inline(always)]
    pub(super) fn j_faces_vjp(&self, j: usize, bar: &FacesBar, rate: f64, nodes: &mut NodesBar) {
        let (ni, from, at) = (self.ni, j * (self.ni + 1), j * self.ni);
        let faces = &self.j_faces;
        let [ax, ay, bx, by] = nodes.ends.each_mut().map(|row| &mut row[1..=ni]);
        let corners = &self.nodes[from..=from + ni];
        let (nx, ny, s) = (&faces.nx[at..at + ni], &faces.ny[at..at + ni], &faces.s[at..at + ni]);
        for i in 0..ni {
            let (a, b) = (corners[i], corners[i + 1]);
            let middle = [0.5 * (a.x + b.x), 0.5 * (a.y + b.y)];
            let bars = [bar.nx[i], bar.ny[i], bar.s[i], bar.w[i]];
            let (d, m) = face_vjp([nx[i], ny[i]], s[i], middle, bars, rate);
            (ax[i], ay[i]) = (m[0] + d[1], m[1] - d[0]);
            (bx[i], by[i]) = (m[0] - d[1], m[1] + d[0]);
        }
        let to = nodes.row(ni, j);
        let [ax, ay, bx, by] = &nodes.ends;
        gather(&mut nodes.x[to..=to + ni], ax, bx, 1.0);
        gather(&mut nodes.y[to..=to + ni], ay, by, 1.0);
    }

    /// Adds to `nodes` the derivatives by the corners of row `j` of the faces in a row.
    #[inline(always)]
    pub(super) fn i_faces_vjp(&self, j: usize, bar: &FacesBar, rate: f64, nodes: &mut NodesBar) {
        let (ni, from, at) = (self.ni, j * (self.ni + 1), j * self.ni);
        let faces = &self.i_faces;
        let (low, high) = (&self.nodes[from..from + ni], &self.nodes[from + ni + 1..][..ni]);
        let to = nodes.row(ni, j);
        let (x_low, x_high) = nodes.x[to..].split_at_mut(ni + 1);
        let (y_low, y_high) = nodes.y[to..].split_at_mut(ni + 1);
        let (x_high, y_high) = (&mut x_high[..ni], &mut y_high[..ni]);
        let (nx, ny, s) = (&faces.nx[at..at + ni], &faces.ny[at..at + ni], &faces.s[at..at + ni]);
        for i in 0..ni {
            let middle = [0.5 * (low[i].x + high[i].x), 0.5 * (low[i].y + high[i].y)];
            let bars = [bar.nx[i], bar.ny[i], bar.s[i], bar.w[i]];
            let (d, m) = face_vjp([nx[i], ny[i]], s[i], middle, bars, rate);
            x_low[i] += m[0] - d[1];
            y_low[i] += m[1] + d[0];
            x_high[i] += m[0] + d[1];
            y_high[i] += m[1] - d[0];
        }
    }

    /// Adds to `nodes` the derivatives by the corners of row `j` of the areas.
    #[inline(always)]
    pub(super) fn area_vjp(&self, j: usize, bar: &[f64], nodes: &mut NodesBar) {
        let (ni, from) = (self.ni, j * (self.ni + 1));
        let corners = &self.nodes[from..from + 2 * (ni + 1)];
        let [ax, ay, bx, by] = nodes.ends.each_mut().map(|row| &mut row[1..=ni]);
        let (low, high) = corners.split_at(ni + 1);
        for i in 0..ni {
            let half = -0.5 * bar[i];
            (ax[i], ay[i]) =
                (-half * (high[i + 1].y - low[i].y), half * (high[i + 1].x - low[i].x));
            (bx[i], by[i]) =
                (half * (high[i].y - low[i + 1].y), -half * (high[i].x - low[i + 1].x));
        }
        let (to, above) = (nodes.row(ni, j), nodes.row(ni, j + 1));
        let [ax, ay, bx, by] = &nodes.ends;
        for (all, a, b) in [(&mut nodes.x, ax, bx), (&mut nodes.y, ay, by)] {
            gather(&mut all[above..=above + ni], a, b, 1.0);
            gather(&mut all[to..=to + ni], b, a, -1.0);
        }
    }
}

/// Adds to each corner of a row what the quadrilateral or face behind it has for its first corner
/// and the one before it for its second, with a sign.
#[inline(always)]
fn gather(to: &mut [f64], first: &[f64], second: &[f64], sign: f64) {
    let n = to.len();
    let (first, second) = (&first[1..=n], &second[..n]);
    for i in 0..n {
        to[i] += sign * (first[i] + second[i]);
    }
}
