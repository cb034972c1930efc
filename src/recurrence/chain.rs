//! A recurrence behind a trait object: the driver is compiled once, whatever the chain.

use std::any::Any;

use super::{Adjoint, Recurrence};
use crate::error::Error;
use crate::method::stepper::Counts;
use crate::numbers::scalar::Scalar;

/// A tape or the scratch of some chain.
pub type Opaque = Box<dyn Any + Send>;

/// The functions of a [`Recurrence`], whose tapes and scratch are opaque. Every recurrence is one.
#[allow(missing_docs, reason = "each is explained where Recurrence has it")]
pub trait Chain<S: Scalar = f64>: Sync {
    fn dim(&self) -> usize;
    fn num_params(&self) -> usize;
    fn num_steps(&self) -> usize;
    fn time(&self, n: usize) -> f64;
    fn state_len(&self, n: usize) -> usize;
    fn tape(&self) -> Opaque;
    fn tape_bytes(&self, n: usize) -> usize;
    fn largest_tape_bytes(&self) -> usize;
    fn keeps_tapes(&self) -> bool;
    fn start<'a>(&self, tape: &'a Opaque) -> &'a [S];
    fn scratch(&self) -> Opaque;
    fn scratch_bytes(&self) -> usize;
    fn grid_bytes(&self) -> usize;
    fn initial(&self, p: &[S], y0: &mut [S]);
    fn initial_value(&self, p: &[S], y0: &[S], scratch: &mut Opaque) -> S;
    fn step(
        &self,
        n: usize,
        p: &[S],
        y: &mut [S],
        tape: &mut Opaque,
        scratch: &mut Opaque,
    ) -> Result<(), Error>;
    fn step_value(
        &self,
        n: usize,
        p: &[S],
        y_next: &[S],
        tape: &mut Opaque,
        scratch: &mut Opaque,
    ) -> S;
    fn step_adjoint(
        &self,
        n: usize,
        p: &[S],
        y_next: &[S],
        tape: &mut Opaque,
        scratch: &mut Opaque,
        adjoint: &mut Adjoint<S>,
    ) -> Result<(), Error>;
    fn initial_terms_adjoint(
        &self,
        p: &[S],
        y0: &[S],
        scratch: &mut Opaque,
        adjoint: &mut Adjoint<S>,
    );
    fn initial_adjoint(&self, p: &[S], adjoint: &mut Adjoint<S>);
    fn counts(&self, scratch: &Opaque) -> Counts;
}

impl<S: Scalar, R: Recurrence<Scalar = S>> Chain<S> for R {
    fn dim(&self) -> usize {
        Recurrence::dim(self)
    }
    fn num_params(&self) -> usize {
        Recurrence::num_params(self)
    }
    fn num_steps(&self) -> usize {
        Recurrence::num_steps(self)
    }
    fn time(&self, n: usize) -> f64 {
        Recurrence::time(self, n)
    }
    fn state_len(&self, n: usize) -> usize {
        Recurrence::state_len(self, n)
    }
    fn tape(&self) -> Opaque {
        Box::new(Recurrence::tape(self))
    }
    fn tape_bytes(&self, n: usize) -> usize {
        Recurrence::tape_bytes(self, n)
    }
    fn largest_tape_bytes(&self) -> usize {
        Recurrence::largest_tape_bytes(self)
    }
    fn keeps_tapes(&self) -> bool {
        Recurrence::keeps_tapes(self)
    }
    fn start<'a>(&self, tape: &'a Opaque) -> &'a [S] {
        Recurrence::start(self, known(tape))
    }
    fn scratch(&self) -> Opaque {
        Box::new(Recurrence::scratch(self))
    }
    fn scratch_bytes(&self) -> usize {
        Recurrence::scratch_bytes(self)
    }
    fn grid_bytes(&self) -> usize {
        Recurrence::grid_bytes(self)
    }
    fn initial(&self, p: &[S], y0: &mut [S]) {
        Recurrence::initial(self, p, y0);
    }
    fn initial_value(&self, p: &[S], y0: &[S], scratch: &mut Opaque) -> S {
        Recurrence::initial_value(self, p, y0, known_mut(scratch))
    }
    fn step(
        &self,
        n: usize,
        p: &[S],
        y: &mut [S],
        tape: &mut Opaque,
        scratch: &mut Opaque,
    ) -> Result<(), Error> {
        Recurrence::step(self, n, p, y, known_mut(tape), known_mut(scratch))
    }
    fn step_value(
        &self,
        n: usize,
        p: &[S],
        y_next: &[S],
        tape: &mut Opaque,
        scratch: &mut Opaque,
    ) -> S {
        Recurrence::step_value(self, n, p, y_next, known_mut(tape), known_mut(scratch))
    }
    fn step_adjoint(
        &self,
        n: usize,
        p: &[S],
        y_next: &[S],
        tape: &mut Opaque,
        scratch: &mut Opaque,
        adjoint: &mut Adjoint<S>,
    ) -> Result<(), Error> {
        let (tape, scratch) = (known_mut(tape), known_mut(scratch));
        Recurrence::step_adjoint(self, n, p, y_next, tape, scratch, adjoint)
    }
    fn initial_terms_adjoint(
        &self,
        p: &[S],
        y0: &[S],
        scratch: &mut Opaque,
        adjoint: &mut Adjoint<S>,
    ) {
        Recurrence::initial_terms_adjoint(self, p, y0, known_mut(scratch), adjoint);
    }
    fn initial_adjoint(&self, p: &[S], adjoint: &mut Adjoint<S>) {
        Recurrence::initial_adjoint(self, p, adjoint);
    }
    fn counts(&self, scratch: &Opaque) -> Counts {
        Recurrence::counts(self, known(scratch))
    }
}

/// What a tape or scratch is to the chain that made it.
#[inline]
fn known<T: 'static>(opaque: &Opaque) -> &T {
    opaque.downcast_ref().unwrap_or_else(|| of_another_chain())
}

#[inline]
pub(super) fn known_mut<T: 'static>(opaque: &mut Opaque) -> &mut T {
    opaque.downcast_mut().unwrap_or_else(|| of_another_chain())
}

#[cold]
fn of_another_chain() -> ! {
    panic!("a tape or scratch was given to a chain of another type than the one that made it")
}
