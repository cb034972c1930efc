//! What reversing a step by its adjoint equation needs beside the tape.

use std::borrow::{Borrow, BorrowMut};

use super::ode::AdjointWork;
use super::weights::Sizes;
use crate::control::{Control, Stops};
use crate::stepper::RungeKuttaTape;

/// The integration backward over one step: its stages, its settings and its tolerances. `W` is the
/// scratch of the model, `C` that of the objective.
pub struct BackwardScratch<W, C> {
    pub(super) tape: RungeKuttaTape<AdjointWork<W, C>>,
    pub(super) control: Control,
    pub(super) stops: Stops,
    pub(super) sizes: Sizes,
    pub(super) objective: C,
}

impl<W, C> Borrow<C> for BackwardScratch<W, C> {
    fn borrow(&self) -> &C {
        &self.objective
    }
}

impl<W, C> BorrowMut<C> for BackwardScratch<W, C> {
    fn borrow_mut(&mut self) -> &mut C {
        &mut self.objective
    }
}
