//! What the actions of a schedule cost, and what is kept weighs.

use super::Keep;
use crate::error::ScheduleError;

/// The bytes of what a slot keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Of a state.
    pub state: u64,
    /// Of a tape, the state with its stages; `None` where tapes are not to be kept.
    pub tape: Option<u64>,
}

impl Sizes {
    /// Nothing is free of charge, and a tape holds a state.
    pub(super) fn normal(self) -> Sizes {
        let state = self.state.max(1);
        Sizes { state, tape: self.tape.map(|tape| tape.max(state)) }
    }

    /// Of one slot; `u64::MAX` for a tape where there is none.
    pub fn of(&self, keep: Keep) -> u64 {
        match keep {
            Keep::State => self.state,
            Keep::Tape => self.tape.unwrap_or(u64::MAX),
        }
    }
}

/// What the actions cost, in seconds or any other unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Costs {
    /// F: taking a step.
    pub step: f64,
    /// A: the adjoint of a step that is on tape.
    pub adjoint: f64,
    /// Keeping a state.
    pub store: f64,
    /// Making a kept state the current one.
    pub restore: f64,
    /// Keeping a step's tape and giving it back for its adjoint.
    pub keep_tape: f64,
}

impl Costs {
    /// Steps of one unit, and nothing else has a price: the measure of the literature.
    pub const STEPS: Costs =
        Costs { step: 1.0, adjoint: 0.0, store: 0.0, restore: 0.0, keep_tape: 0.0 };

    pub(super) fn check(&self) -> Result<(), ScheduleError> {
        let all = [self.step, self.adjoint, self.store, self.restore, self.keep_tape];
        match all.iter().all(|cost| cost.is_finite() && *cost >= 0.0) {
            true => Ok(()),
            false => Err(ScheduleError::Cost { costs: format!("{self:?}") }),
        }
    }

    /// A step that is kept with its tape costs less than one whose state is.
    pub(crate) fn tapes_pay(&self) -> bool {
        self.keep_tape < self.step + self.store + self.restore
    }
}

/// A step of a chain whose steps differ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepCost {
    /// What the step's actions cost; store and restore are those of the state before it.
    pub costs: Costs,
    /// Of the state before the step, and of the step's tape.
    pub sizes: Sizes,
}
