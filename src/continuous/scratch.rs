//! What reversing a step by its adjoint equation needs beside the tape.

use std::borrow::{Borrow, BorrowMut};

use super::weights::Sizes;
use crate::control::{Control, Stops};

/// The integration backward over one step: its stages, its settings and its tolerances. `T` is the
/// tape of the method that integrates, `C` the objective's scratch.
pub struct BackwardScratch<T, C> {
    pub(super) tape: T,
    pub(super) control: Control,
    pub(super) stops: Stops,
    pub(super) sizes: Sizes,
    pub(super) objective: C,
}

impl<T, C> Borrow<C> for BackwardScratch<T, C> {
    fn borrow(&self) -> &C {
        &self.objective
    }
}

impl<T, C> BorrowMut<C> for BackwardScratch<T, C> {
    fn borrow_mut(&mut self) -> &mut C {
        &mut self.objective
    }
}
