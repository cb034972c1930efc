//! A run whose steps are known from the start.

use super::{Advanced, OnlineRecurrence, Recurrence};
use crate::error::Error;

/// The steps of a chain, one after the other.
pub struct Fixed<R> {
    chain: R,
    taken: usize,
}

impl<R: Recurrence> Fixed<R> {
    /// From the first on, of which there is one at least.
    pub fn new(chain: R) -> Self {
        Fixed { chain, taken: 0 }
    }
}

impl<R: Recurrence + Send> OnlineRecurrence for Fixed<R> {
    type Chain = R;

    fn chain(&self) -> &R {
        &self.chain
    }

    fn is_known(&self) -> bool {
        true
    }

    /// A run that was taken begins again.
    fn begin(&mut self, _p: &[R::Scalar]) {
        self.taken = 0;
    }

    fn advance(
        &mut self,
        p: &[R::Scalar],
        y: &mut [R::Scalar],
        tape: &mut R::Tape,
        scratch: &mut R::Scratch,
    ) -> Result<Advanced, Error> {
        self.chain.step(self.taken, p, y, tape, scratch)?;
        self.taken += 1;
        Ok(match self.taken == self.chain.num_steps() {
            true => Advanced::End,
            false => Advanced::Step,
        })
    }

    fn restart(&mut self) {
        self.taken = 0;
    }
}
