//! What the rates and their transposed derivative are made with.

use std::array::from_fn;
use std::ops::Range;

use super::Number;
use super::metrics::FacesBar;
use super::rows::{Four, LANES, bytes, fields};

/// What the rates of some rows of cells are made with.
#[derive(Clone, Debug)]
pub struct Scratch<R = f64> {
    pub(super) rows: Range<usize>,
    /// ρ, u, v, p in the body's axes, of these rows and of two on each side: `ni` + 2 cells each.
    pub(super) w: Four<R>,
    pub(super) slopes_i: Four<R>,
    pub(super) slopes_j: [Four<R>; 2],
    pub(super) flux_i: Four<R>,
    pub(super) flux_j: [Four<R>; 2],
    pub(super) net: Four<R>,
}

impl<R: Number> Scratch<R> {
    /// For `ni` × `nj` cells.
    pub fn new(ni: usize, nj: usize) -> Self {
        Scratch::of_rows(ni, 0..nj)
    }

    /// For some of the rows, which are not all in one piece of work.
    pub fn of_rows(ni: usize, rows: Range<usize>) -> Self {
        let field = |n: usize| from_fn(|_| vec![R::of(1.0); n]);
        Scratch {
            w: field((ni + 2) * (rows.len() + 4)),
            rows,
            slopes_i: field(ni + 2),
            slopes_j: [field(ni), field(ni)],
            flux_i: field(ni + 1),
            flux_j: [field(ni), field(ni)],
            net: field(ni),
        }
    }
}

impl<R> Scratch<R> {
    /// Bytes that it occupies.
    pub fn bytes(&self) -> usize {
        let [below, above] = &self.slopes_j;
        let [low, high] = &self.flux_j;
        let all = [&self.w, &self.slopes_i, below, above, &self.flux_i, low, high, &self.net];
        bytes(all.into_iter().flatten())
    }
}

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
    /// By the states of the rows beyond these: two before and one behind.
    pub(super) beyond: [Four<f64>; 3],
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
            beyond: [field(ni), field(ni), field(ni)],
            sums: [[0.0; LANES]; 3],
        }
    }

    /// Bytes that it occupies.
    pub fn bytes(&self) -> usize {
        let FacesBar { nx, ny, s, w } = &self.faces;
        let fields = [self.g.as_flattened(), self.w.as_flattened(), &self.slopes_i, &self.left];
        let pairs = [self.slopes_j.as_flattened(), self.right.as_flattened()];
        let all = fields.into_iter().chain(pairs).chain([self.beyond.as_flattened()]).flatten();
        bytes(all.chain([&self.before, &self.after, &self.area, nx, ny, s, w]))
    }

    /// Goes on to the next row.
    #[inline(always)]
    pub(super) fn turn(&mut self) {
        self.w.rotate_left(1);
        self.g.swap(0, 1);
        self.slopes_j.swap(0, 1);
        self.right.swap(0, 1);
    }

    /// Adds what the sweep over `rows` has for the rows beyond them to the derivatives by all states.
    pub fn hand_over(&self, rows: Range<usize>, y_bar: &mut [f64]) {
        let (ni, last) = (self.area.len(), y_bar.len() / 4 / self.area.len());
        let [two_before, one_before, behind] = &self.beyond;
        let before = [(2, two_before), (1, one_before)];
        let before = before.map(|(back, bar)| rows.start.checked_sub(back).map(|j| (j, bar)));
        let behind = (rows.end < last).then_some((rows.end, behind));
        for (j, bar) in before.into_iter().chain([behind]).flatten() {
            for (to, from) in fields(y_bar).into_iter().zip(bar) {
                for (to, from) in to[j * ni..][..ni].iter_mut().zip(from) {
                    *to += from;
                }
            }
        }
    }
}
