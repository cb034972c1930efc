//! Where one worker's state, tape and scratch are.

use crate::error::Error;
use crate::numbers::scalar::Scalar;
use crate::recurrence::{Adjoint, Chain, Opaque};

/// Where the current state is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In `y`.
    State,
    /// On the tape in a slot of the store.
    InSlot(usize),
    /// On the loaded tape.
    Loaded,
}

/// What takes steps and reverses them; which may be taken the schedule's machine knows.
pub(super) struct Walker<S> {
    pub y: Vec<S>,
    pub tape: Opaque,
    pub scratch: Opaque,
    /// A tape that another worker made, or room for it.
    loaded: Option<Opaque>,
    pub place: Place,
    /// Number of steps taken.
    pub taken: u64,
}

impl<S: Scalar> Walker<S> {
    pub fn new(chain: &dyn Chain<S>) -> Self {
        Walker {
            y: vec![S::zero(); chain.dim()],
            tape: chain.tape(),
            scratch: chain.scratch(),
            loaded: None,
            place: Place::State,
            taken: 0,
        }
    }

    /// Bytes of its tapes.
    pub fn tape_bytes(&self, chain: &dyn Chain<S>) -> usize {
        let tapes = 1 + usize::from(self.loaded.is_some());
        tapes * chain.largest_tape_bytes()
    }

    /// Takes step n from the state in `y`.
    pub fn step(&mut self, chain: &dyn Chain<S>, p: &[S], n: usize) -> Result<(), Error> {
        self.taken += 1;
        chain.step(n, p, &mut self.y, &mut self.tape, &mut self.scratch)
    }

    /// Exchanges a tape from another worker for the loaded one, and makes its start current.
    pub fn load(&mut self, chain: &dyn Chain<S>, tape: &mut Opaque) {
        std::mem::swap(self.loaded.get_or_insert_with(|| chain.tape()), tape);
        self.place = Place::Loaded;
    }

    /// Writes the state that the loaded tape starts from to `y`.
    pub fn read_loaded(&mut self, chain: &dyn Chain<S>) {
        if let Some(tape) = &self.loaded {
            let start = chain.start(tape);
            self.y[..start.len()].copy_from_slice(start);
            self.place = Place::State;
        }
    }

    /// Reverses the step that was just taken.
    pub fn reverse(
        &mut self,
        chain: &dyn Chain<S>,
        p: &[S],
        n: usize,
        adjoint: &mut Adjoint<S>,
    ) -> Result<(), Error> {
        chain.step_adjoint(n, p, &self.y, &mut self.tape, &mut self.scratch, adjoint)
    }

    /// Reverses step n, on the loaded tape, which is exchanged for the own one: that of the step
    /// after it, which started from y_{n+1}.
    pub fn reverse_loaded(
        &mut self,
        chain: &dyn Chain<S>,
        p: &[S],
        n: usize,
        adjoint: &mut Adjoint<S>,
    ) -> Result<(), Error> {
        let Walker { tape, scratch, loaded, .. } = self;
        let Some(loaded) = loaded else { return Ok(()) };
        std::mem::swap(loaded, tape);
        chain.step_adjoint(n, p, chain.start(loaded), tape, scratch, adjoint)
    }
}
