//! A rectangle of bent cells in the free stream, whose rows close.

use std::f64::consts::PI;

use crate::aerodynamics::euler::{Complex, Frame, Inner, Metrics, Number, Scratch, gas, rates};
use costate::ode::{At, Ode};

/// A square of side `size` around the origin, cut into n × n cells, rows running along x. The
/// corners are moved along smooth waves of `bend` times the side.
pub fn nodes<R: Number>(n: usize, size: f64, bend: R) -> Vec<Complex<R>> {
    let at = |k: usize| k as f64 / n as f64;
    let mut nodes = Vec::new();
    for j in 0..=n {
        for i in 0..=n {
            let (x, y) = (at(i) - 0.5, 0.5 - at(j));
            let wave = R::of(size * (2.0 * PI * x + 0.3).sin() * (2.0 * PI * y).sin()) * bend;
            let point = Complex::of(size * x, size * y);
            nodes.push(point + Complex::new(wave, wave * R::of(0.7)));
        }
    }
    nodes
}

/// The flow in it, of four numbers a cell.
#[derive(Clone, Debug)]
pub struct Patch {
    /// Faces and areas.
    pub metrics: Metrics,
    /// The motion of its axes.
    pub frame: Frame,
}

impl Ode for Patch {
    type Work = Scratch;

    fn dim(&self) -> usize {
        4 * self.metrics.area.len()
    }

    fn num_params(&self) -> usize {
        0
    }

    fn work(&self) -> Scratch {
        Scratch::new(self.metrics.ni, self.metrics.nj)
    }

    fn work_bytes(&self) -> usize {
        size_of::<Scratch>() + self.work().bytes()
    }

    fn rhs(&self, At { y, .. }: At<'_>, dy: &mut [f64], work: &mut Scratch) {
        rates(&self.metrics, Inner::FarField, &self.frame, y, dy, work);
    }
}

impl Patch {
    /// The state whose primitive variables at the centres of the cells are `w`(x, y).
    pub fn state(&self, w: impl Fn(f64, f64) -> [f64; 4]) -> Vec<f64> {
        let cells = self.metrics.area.len();
        let mut y = vec![0.0; 4 * cells];
        for (cell, [x, y_centre]) in self.centres().into_iter().enumerate() {
            for (k, value) in gas::conserved(w(x, y_centre)).into_iter().enumerate() {
                y[k * cells + cell] = value;
            }
        }
        y
    }

    /// The means of the corners of the cells.
    pub fn centres(&self) -> Vec<[f64; 2]> {
        let (ni, nj) = (self.metrics.ni, self.metrics.nj);
        let node = |i: usize, j: usize| self.metrics.nodes[j * (ni + 1) + i];
        let centre = |i: usize, j: usize| {
            let sum = (node(i, j) + node(i + 1, j)) + (node(i, j + 1) + node(i + 1, j + 1));
            [sum.x / 4.0, sum.y / 4.0]
        };
        (0..nj).flat_map(|j| (0..ni).map(move |i| (i, j))).map(|(i, j)| centre(i, j)).collect()
    }
}
