//! What is done where the way back is lost.

use std::fmt;
use std::ops::Range;

use super::Sweep;
use crate::error::{Error, number};
use crate::ode::grid::Span;
use crate::recurrence::Chain;
use crate::schedule::{Action, Revolve};

/// A segment that was replayed from its kept state.
#[derive(Clone, Debug, PartialEq)]
pub struct Replay {
    /// Its steps.
    pub steps: Range<usize>,
    /// Its times.
    pub span: Span,
    /// Why.
    pub cause: Cause,
}

/// Why a segment was replayed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cause {
    /// The state arrived, but not at the kept one.
    Drift {
        /// Its distance in the norm of the tolerances.
        drift: f64,
        /// The distance allowed.
        allowed: f64,
    },
    /// The state grew far beyond all states of the run.
    Astray {
        /// Where that was seen.
        t: f64,
    },
    /// The way back is stiff.
    Stiff {
        /// Where that was seen.
        t: f64,
    },
    /// Error control ended the way back: too many or too short steps.
    GaveUp {
        /// How far it came.
        t: f64,
    },
    /// A later segment was replayed.
    AfterAnother,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::Drift { drift, allowed } => {
                write!(f, "the state drifted by {drift:.1e} tolerances, {allowed} allowed")
            }
            Cause::Astray { t } => write!(f, "the state went astray at t = {}", number(t)),
            Cause::Stiff { t } => write!(f, "the way back was stiff at t = {}", number(t)),
            Cause::GaveUp { t } => write!(f, "error control gave up at t = {}", number(t)),
            Cause::AfterAnother => write!(f, "a later segment was replayed"),
        }
    }
}

impl Sweep<'_> {
    /// Reverses `steps`, whose first state is `y_start`, by the steps' own adjoint, in `slots`, of
    /// which there is at least one.
    pub(super) fn replay(
        &mut self,
        chain: &dyn Chain,
        steps: &Range<usize>,
        y_start: &[f64],
        slots: &[usize],
    ) -> Result<(), Error> {
        let first = steps.start;
        self.y.copy_from_slice(y_start);
        for action in Revolve::new(steps.len(), slots.len())? {
            match action {
                Action::Store { step, slot, .. } => {
                    self.store.store(slots[slot], first + step, &self.y)?;
                }
                Action::Restore { step, slot } => {
                    self.store.restore(slots[slot], first + step, &mut self.y)?;
                }
                Action::Advance { from, to } => {
                    for n in from..to {
                        self.take(chain, first + n)?;
                    }
                }
                Action::Reverse { step } => {
                    let n = first + step;
                    self.take(chain, n)?;
                    let (tape, scratch) = (&mut self.tape, &mut self.scratch);
                    chain.step_adjoint(n, self.p, &self.y, tape, scratch, &mut self.adjoint)?;
                }
                Action::Free { .. } => {}
            }
        }
        Ok(())
    }

    fn take(&mut self, chain: &dyn Chain, n: usize) -> Result<(), Error> {
        self.taken += 1;
        chain.step(n, self.p, &mut self.y, &mut self.tape, &mut self.scratch)
    }
}
