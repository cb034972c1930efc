//! The adapter's scratch.

use std::sync::Mutex;

use ::diffsol::{NalgebraVec, Vector};

use super::Equations;

/// Equations of its own, whose parameters can be set, and vectors to hand to them.
pub struct AdapterWork<E> {
    /// diffsol counts calls in a cell, which a mutex makes `Sync`; it is never locked.
    equations: Option<Mutex<E>>,
    p: NalgebraVec<f64>,
    y: NalgebraVec<f64>,
    v: NalgebraVec<f64>,
    out: NalgebraVec<f64>,
    p_out: NalgebraVec<f64>,
}

impl<E: Equations> AdapterWork<E> {
    pub(super) fn new(equations: Option<E>, dim: usize, num_params: usize) -> Self {
        let zeros = |n| NalgebraVec::zeros(n, Default::default());
        let mut p = zeros(num_params);
        if let Some(equations) = &equations {
            equations.get_params(&mut p);
        }
        AdapterWork {
            equations: equations.map(Mutex::new),
            p,
            y: zeros(dim),
            v: zeros(dim),
            out: zeros(dim),
            p_out: zeros(num_params),
        }
    }

    /// The equations at these parameters, and the vectors y, v, out (d) and p_out (m).
    pub(super) fn at(&mut self, p: &[f64]) -> Option<(&E, Vectors<'_>)> {
        let equations = self.equations.as_mut()?.get_mut().ok()?;
        let set = entries(&mut self.p);
        if set.iter().zip(p).any(|(old, new)| old.to_bits() != new.to_bits()) {
            set.copy_from_slice(p);
            equations.set_params(&self.p);
        }
        let AdapterWork { y, v, out, p_out, .. } = self;
        Some((equations, Vectors { y, v, out, p_out }))
    }
}

/// The vectors of the scratch.
pub(super) struct Vectors<'a> {
    pub(super) y: &'a mut NalgebraVec<f64>,
    pub(super) v: &'a mut NalgebraVec<f64>,
    pub(super) out: &'a mut NalgebraVec<f64>,
    pub(super) p_out: &'a mut NalgebraVec<f64>,
}

pub(super) fn entries(vector: &mut NalgebraVec<f64>) -> &mut [f64] {
    vector.inner_mut().as_mut_slice()
}

/// Adds −`from` to `to`: what diffsol's transposed closures write has a minus sign.
pub(super) fn subtract(from: &mut NalgebraVec<f64>, to: &mut [f64]) {
    for (to, from) in to.iter_mut().zip(entries(from)) {
        *to -= *from;
    }
}
