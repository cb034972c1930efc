//! The rows of a grid in two bands, which two cores may work on at once.
//!
//! Either band has its own copy of the two rows beyond it, so that the rates need no other
//! exchange. The transposed derivative adds what each band has for rows of the other one when both
//! are done, always in the same order: its bits do not depend on the number of cores.

use std::array::from_fn;
use std::ops::Range;

use super::kernels::{rates_of_rows, rates_vjp_of_rows};
use super::rows::{Four, bytes, fields};
use super::{Frame, FrameBar, Inner, Metrics, NodesBar, Scratch, ScratchBar};

/// With fewer cells handing over a band costs more than it saves.
const WORTH: usize = 4096;

/// Scratch for both bands.
#[derive(Clone, Debug)]
pub struct Bands {
    split: usize,
    low: Band,
    high: Band,
}

/// Scratch for some rows, and the derivatives that were found there.
#[derive(Clone, Debug)]
struct Band {
    scratch: Scratch,
    /// What [`Bands::rates`] wrote last.
    dy: Four<f64>,
    bar: ScratchBar,
    nodes: NodesBar,
    frame_bar: FrameBar,
}

impl Band {
    fn new(ni: usize, rows: Range<usize>) -> Self {
        Band {
            scratch: Scratch::of_rows(ni, rows.clone()),
            dy: from_fn(|_| vec![0.0; ni * rows.len()]),
            bar: ScratchBar::new(ni),
            nodes: NodesBar::of_rows(ni, rows),
            frame_bar: FrameBar::default(),
        }
    }
}

/// Does the work on both bands, one after the other or, where it is worth while, at once.
fn both(cores: usize, metrics: &Metrics, a: impl FnOnce() + Send, b: impl FnOnce() + Send) {
    if cores > 1 && metrics.area.len() >= WORTH {
        rayon::join(a, b);
    } else {
        a();
        b();
    }
}

impl Bands {
    /// For `ni` × `nj` cells. The far field takes the high band as long as a row or two.
    pub fn new(ni: usize, nj: usize) -> Self {
        let split = (nj / 2 + 1).min(nj - 1);
        Bands { split, low: Band::new(ni, 0..split), high: Band::new(ni, split..nj) }
    }

    /// Bytes that they occupy.
    pub fn bytes(&self) -> usize {
        let of = |Band { scratch, dy, bar, nodes, .. }: &Band| {
            scratch.bytes() + bytes(dy) + bar.bytes() + nodes.bytes()
        };
        of(&self.low) + of(&self.high)
    }

    /// What [`rates`](Self::rates) left of the primitive variables.
    pub fn scratch(&self) -> [&Scratch; 2] {
        [&self.low.scratch, &self.high.scratch]
    }

    /// [`rates`](super::rates) on one core or two.
    pub fn rates(
        &mut self,
        cores: usize,
        metrics: &Metrics,
        inner: Inner,
        frame: &Frame,
        y: &[f64],
        dy: &mut [f64],
    ) {
        let (below, above) = split(dy, self.split * metrics.ni);
        let work = |band: &mut Band, mut dy: [&mut [f64]; 4]| {
            rates_of_rows(
                metrics,
                inner,
                frame,
                y,
                dy.each_mut().map(|dy| &mut **dy),
                &mut band.scratch,
            );
            for (kept, dy) in band.dy.iter_mut().zip(dy) {
                kept.copy_from_slice(dy);
            }
        };
        let (low, high) = (&mut self.low, &mut self.high);
        both(cores, metrics, || work(low, below), || work(high, above));
    }

    /// Adds the derivatives of Σ w dU/dt by y, where [`rates`](Self::rates) were taken last, to
    /// `y_bar`, those by the motion to `frame_bar`, and has `by_corners` take those by the corners of
    /// each band to its part of `out`.
    #[allow(clippy::too_many_arguments)]
    pub fn rates_vjp<T: Send>(
        &mut self,
        cores: usize,
        metrics: &Metrics,
        inner: Inner,
        frame: &Frame,
        w: &[f64],
        y_bar: &mut [f64],
        frame_bar: &mut FrameBar,
        [low_out, high_out]: &mut [T; 2],
        by_corners: impl Fn(&NodesBar, &mut T) + Sync,
    ) {
        let (below, above) = split(y_bar, self.split * metrics.ni);
        let work = |band: &mut Band, y_bar: [&mut [f64]; 4], out: &mut T| {
            let Band { scratch, dy, bar, nodes, frame_bar } = band;
            nodes.clear();
            *frame_bar = FrameBar::default();
            rates_vjp_of_rows(metrics, inner, frame, dy, w, y_bar, nodes, frame_bar, scratch, bar);
            by_corners(nodes, out);
        };
        let (low, high) = (&mut self.low, &mut self.high);
        both(cores, metrics, || work(low, below, low_out), || work(high, above, high_out));
        for band in [low, high] {
            band.bar.hand_over(band.scratch.rows.clone(), y_bar);
            frame_bar.add(&band.frame_bar);
        }
    }
}

/// The four fields of a state before and behind a cell.
fn split(state: &mut [f64], cell: usize) -> ([&mut [f64]; 4], [&mut [f64]; 4]) {
    let [(a, e), (b, f), (c, g), (d, h)] = fields(state).map(|field| field.split_at_mut(cell));
    ([a, b, c, d], [e, f, g, h])
}
