//! The derivative of the rates of change by the states, as a sparse matrix.
//!
//! Face by face: ∂F/∂(states beside it) by dual numbers, those by the primitive variables of the
//! three cells on each side that a state takes its slope from, those by the conserved variables. A
//! cell beyond a boundary, 2 W₀ − W₁, hands its part to the two that it is extrapolated from.

use std::array::from_fn;

use super::coupling::{Block, Coupling};
use super::gas::{GAMMA_1, state_flux};
use super::limiter::{slope, slope_derivative};
use super::metrics::Metrics;
use super::residual::FaceRow;
use super::rows::{before, row};
use super::{Dual, Frame, Inner, Scratch, far_field, roe};

/// A cell's number in its row and its row, of which −1 and `nj` are beyond the boundaries.
type Place = (usize, isize);

/// The state on one side of a face, and the cells it is made of, each with ∂(state)/∂W of every
/// variable.
struct Beside {
    state: [f64; 4],
    parts: [(Place, [f64; 4]); 3],
}

/// The flux through a face, of cells that it leaves and enters.
struct Face {
    leaves: Option<usize>,
    enters: Option<usize>,
    length: f64,
}

struct Assembly<'a> {
    metrics: &'a Metrics,
    frame: &'a Frame,
    scratch: [&'a Scratch; 2],
    coupling: &'a Coupling,
    values: &'a mut [f64],
}

/// Writes ∂(dU/dt)/∂U to the values of a matrix with the pattern of `coupling`. `scratch` is what
/// [`Bands::rates`](super::Bands::rates) left.
pub fn residual_jacobian(
    metrics: &Metrics,
    inner: Inner,
    frame: &Frame,
    scratch: [&Scratch; 2],
    coupling: &Coupling,
    values: &mut [f64],
) {
    values.fill(0.0);
    let mut assembly = Assembly { metrics, frame, scratch, coupling, values };
    assembly.boundary(Some(inner));
    for j in 0..metrics.nj {
        assembly.along(j);
        if j + 1 < metrics.nj {
            assembly.across(j);
        }
    }
    assembly.boundary(None);
}

impl Assembly<'_> {
    /// W
    fn at(&self, (i, j): Place) -> [f64; 4] {
        let (ni, [low, high]) = (self.metrics.ni, self.scratch);
        let scratch = if j < low.rows.end as isize { low } else { high };
        let at = match usize::try_from(j) {
            Ok(j) => row(ni, scratch.rows.start, j),
            Err(_) => before(ni, row(ni, scratch.rows.start, 0)),
        };
        from_fn(|v| scratch.w[v][at + 1 + i])
    }

    /// The state between `here` and the next cell (`sign` = 1) or the one before (−1).
    fn beside(&self, [before, here, after]: [Place; 3], sign: f64) -> Beside {
        let [w_before, w, w_after] = [before, here, after].map(|place| self.at(place));
        let half = 0.5 * sign;
        let (a, b): ([f64; 4], [f64; 4]) =
            (from_fn(|v| w[v] - w_before[v]), from_fn(|v| w_after[v] - w[v]));
        let slopes: [_; 4] = from_fn(|v| slope_derivative::<false>(a[v], b[v]));
        Beside {
            state: from_fn(|v| w[v] + half * slope(a[v], b[v])),
            parts: [
                (before, slopes.map(|(by_a, _)| -half * by_a)),
                (here, slopes.map(|(by_a, by_b)| 1.0 + half * (by_a - by_b))),
                (after, slopes.map(|(_, by_b)| half * by_b)),
            ],
        }
    }

    /// The faces in row j.
    fn along(&mut self, j: usize) {
        let ni = self.metrics.ni;
        let faces = FaceRow::new(&self.metrics.i_faces, ni, j);
        for i in 0..ni {
            let place = |back: usize| ((i + ni + 1 - back) % ni, j as isize);
            let left = self.beside([place(3), place(2), place(1)], 1.0);
            let right = self.beside([place(2), place(1), place(0)], -1.0);
            let cell = |(i, _): Place| Some(j * ni + i);
            let (n, velocity, length) = faces.one(i, self.frame);
            let face = Face { leaves: cell(place(2)), enters: cell(place(1)), length };
            self.between(&face, n, velocity, &left, &right);
        }
    }

    /// The faces between row j and the next.
    fn across(&mut self, j: usize) {
        let ni = self.metrics.ni;
        let faces = FaceRow::new(&self.metrics.j_faces, ni, j + 1);
        for i in 0..ni {
            let place = |up: isize| (i, j as isize + up);
            let left = self.beside([place(-1), place(0), place(1)], 1.0);
            let right = self.beside([place(0), place(1), place(2)], -1.0);
            let (n, velocity, length) = faces.one(i, self.frame);
            let face = Face { leaves: Some(j * ni + i), enters: Some((j + 1) * ni + i), length };
            self.between(&face, n, velocity, &left, &right);
        }
    }

    fn between(&mut self, face: &Face, n: [f64; 2], velocity: f64, l: &Beside, r: &Beside) {
        let [left, right]: [[Dual<8>; 4]; 2] = [(l, 0), (r, 4)]
            .map(|(side, first)| from_fn(|v| Dual::along(side.state[v], first + v)));
        let constant = |x: f64| Dual { value: x, dot: [0.0; 8] };
        let flux = roe::flux(&left, &right, n.map(constant), constant(velocity));
        for (side, first) in [(l, 0), (r, 4)] {
            self.spread(face, side, &from_fn(|f| from_fn(|v| flux[f].dot[first + v])));
        }
    }

    /// The faces of the first row with what is `inner`, or of the last row with the far field.
    fn boundary(&mut self, inner: Option<Inner>) {
        let Metrics { ni, nj, .. } = *self.metrics;
        let last = nj as isize - 1;
        let (j, face_row, sign) = if inner.is_some() { (0, 0, -1.0) } else { (last, nj, 1.0) };
        let faces = FaceRow::new(&self.metrics.j_faces, ni, face_row);
        for i in 0..ni {
            let side = self.beside([(i, j - 1), (i, j), (i, j + 1)], sign);
            let (n, velocity, length) = faces.one(i, self.frame);
            let state: [Dual<4>; 4] = from_fn(|v| Dual::along(side.state[v], v));
            let constant = |x: f64| Dual { value: x, dot: [0.0; 4] };
            let flux = if inner == Some(Inner::Wall) {
                let zero = constant(0.0);
                let pressure = [zero, zero, zero, state[3]];
                state_flux(&pressure, zero, n.map(constant), zero, constant(velocity))
            } else {
                let outward = n.map(|n| constant(sign * n));
                let free = self.frame.free.map(constant);
                far_field::flux(&state, &free, outward, constant(sign * velocity))
                    .map(|f| constant(sign) * f)
            };
            let cell = Some(j as usize * ni + i);
            let face = match inner {
                Some(_) => Face { leaves: None, enters: cell, length },
                None => Face { leaves: cell, enters: None, length },
            };
            self.spread(&face, &side, &flux.map(|f| f.dot));
        }
    }

    /// Adds what a face's flux, of derivative `by_state`, does through the state on one side.
    fn spread(&mut self, face: &Face, side: &Beside, by_state: &Block) {
        for &(place, weights) in &side.parts {
            let by_w = by_state.map(|entries| from_fn(|v| entries[v] * weights[v] * face.length));
            self.spread_to(face, place, &by_w);
        }
    }

    fn spread_to(&mut self, face: &Face, (i, j): Place, by_w: &Block) {
        let last = self.metrics.nj as isize - 1;
        if (0..=last).contains(&j) {
            return self.add(face, (i, j), by_w);
        }
        let (first, second) = if j < 0 { (0, 1) } else { (last, last - 1) };
        self.add(face, (i, first), &by_w.map(|entries| entries.map(|x| 2.0 * x)));
        self.add(face, (i, second), &by_w.map(|entries| entries.map(|x| -x)));
    }

    fn add(&mut self, face: &Face, place: Place, by_w: &Block) {
        let column = place.1 as usize * self.metrics.ni + place.0;
        let flux = self.turned_back(&product(by_w, &self.primitive_by_conserved(self.at(place))));
        for (row, sign) in [(face.leaves, -1.0), (face.enters, 1.0)] {
            if let Some(row) = row {
                let factor = sign * self.metrics.inverse_area[row];
                let block = flux.map(|entries| entries.map(|x| factor * x));
                self.coupling.add(self.values, row, column, &block);
            }
        }
    }

    /// ∂W/∂U, velocities along the body's axes and momentum along those that do not turn.
    fn primitive_by_conserved(&self, [rho, u, v, _]: [f64; 4]) -> Block {
        let (cos, sin, inverse) = (self.frame.cos, self.frame.sin, 1.0 / rho);
        let (x, y) = (cos * u + sin * v, cos * v - sin * u);
        [
            [1.0, 0.0, 0.0, 0.0],
            [-u * inverse, cos * inverse, -sin * inverse, 0.0],
            [-v * inverse, sin * inverse, cos * inverse, 0.0],
            [0.5 * GAMMA_1 * (u * u + v * v), -GAMMA_1 * x, -GAMMA_1 * y, GAMMA_1],
        ]
    }

    /// Momentum along the body's axes to that along those that do not turn.
    fn turned_back(&self, &[mass, x, y, energy]: &Block) -> Block {
        let (cos, sin) = (self.frame.cos, self.frame.sin);
        let mix = |a: f64, b: f64| from_fn(|k| a * x[k] + b * y[k]);
        [mass, mix(cos, sin), mix(-sin, cos), energy]
    }
}

fn product(a: &Block, b: &Block) -> Block {
    a.map(|row| from_fn(|k| (0..4).map(|m| row[m] * b[m][k]).sum()))
}
