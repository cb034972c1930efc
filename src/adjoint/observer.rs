//! What a reversal tells while it goes on.

use super::Stats;
use crate::error::Error;
use crate::numbers::scalar::Scalar;
use crate::recurrence::{Adjoint, OnlineChain};

/// How far a gradient has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Steps that the first sweep has passed.
    pub forward: usize,
    /// Steps reversed.
    pub reversed: usize,
}

/// Where a reversal stands.
pub enum Standing<'a, S: Scalar> {
    /// On its way to the end.
    Forward {
        /// n of the current state.
        step: usize,
        /// y_n.
        y: &'a [S],
        /// J so far.
        value: S,
        /// The run, where its steps are not known beforehand.
        run: Option<&'a dyn OnlineChain<S>>,
    },
    /// On its way back.
    Reverse {
        /// Steps not yet reversed.
        left: usize,
        /// J.
        value: S,
        /// λ, p̄ and dJ/dT so far.
        adjoint: &'a Adjoint<S>,
    },
}

/// What is told of a reversal. Every function of a [`Progress`] is an observer.
pub trait Observer<S: Scalar> {
    /// Takes note of every action.
    fn progress(&mut self, _progress: Progress) {}
    /// Whether it wants to know where the reversal stands, which is asked after each step of the
    /// first sweep and each reversed step.
    fn is_due(&mut self) -> bool {
        false
    }
    /// Takes note of where the reversal stands. An error ends it.
    ///
    /// # Errors
    /// Its own.
    fn stands(&mut self, _standing: Standing<'_, S>) -> Result<(), Error> {
        Ok(())
    }
    /// Takes note of the end of the first sweep of a run. An error ends the reversal.
    ///
    /// # Errors
    /// Its own.
    fn turns(&mut self, _run: &dyn OnlineChain<S>) -> Result<(), Error> {
        Ok(())
    }
    /// Fails where what was held in the first sweep, or is when it goes on from its end, is more than
    /// may be: the reversal then ends where it stands.
    ///
    /// # Errors
    /// Its own.
    fn check(&self, _stats: &Stats) -> Result<(), Error> {
        Ok(())
    }
    /// Bytes that it held at once at most.
    fn bytes(&self) -> usize {
        0
    }
}

impl<S: Scalar, F: FnMut(Progress)> Observer<S> for F {
    fn progress(&mut self, progress: Progress) {
        self(progress);
    }
}
