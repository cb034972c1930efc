//! Every state kept, or every step with its tape.

use crate::schedule::{Action, Keep, OnlineSchedule, Schedule};

/// Keeps every state but the last step's, which is current when the reverse sweep begins: l − 1
/// advances, and no step is recomputed but by its own reversal; of the first steps their tapes, so
/// that not even that is.
///
/// ```
/// use costate::schedule::{Counts, StoreAll};
/// let counts = |tapes| Counts::of(StoreAll::with_tapes(10, tapes));
/// assert_eq!((counts(0)?.steps_taken(), counts(6)?.steps_taken()), (19, 13));
/// # Ok::<(), costate::error::ScheduleError>(())
/// ```
#[derive(Clone, Debug)]
pub struct StoreAll {
    steps: usize,
    sweep: EveryState,
}

impl StoreAll {
    /// Name where tapes are kept.
    pub const TAPES: &str = "tapes";

    /// Reverses `steps` steps.
    pub fn new(steps: usize) -> Self {
        Self::with_tapes(steps, 0)
    }

    /// Reverses `steps` steps, of which the first `tapes` are kept with their tapes.
    pub fn with_tapes(steps: usize, tapes: usize) -> Self {
        StoreAll { steps, sweep: EveryState { tapes, ..EveryState::default() } }
    }
}

/// Keeps every state of a chain whose length shows at its end.
#[derive(Clone, Debug, Default)]
pub struct StoreAllOnline {
    steps: Option<usize>,
    sweep: EveryState,
}

impl StoreAllOnline {
    /// For any number of steps.
    pub fn new() -> Self {
        Self::default()
    }

    /// For any number of steps, of which the first `tapes` are kept with their tapes.
    pub fn with_tapes(tapes: usize) -> Self {
        StoreAllOnline { steps: None, sweep: EveryState { tapes, ..EveryState::default() } }
    }
}

/// Both sweeps; y_n, or the tape of step n, is kept in slot n.
#[derive(Clone, Debug, Default)]
struct EveryState {
    /// Number of the first steps that are kept with their tapes.
    tapes: usize,
    is_back: bool,
    /// n of the current state, or the number of steps left on the way back.
    n: usize,
    /// The current state is kept, or the step from it is on tape; on the way back that of the last
    /// step left is current.
    is_ready: bool,
}

impl EveryState {
    fn back(steps: usize) -> Self {
        EveryState { tapes: 0, is_back: true, n: steps, is_ready: true }
    }

    fn next(&mut self) -> Option<Action> {
        let (n, is_ready) = (self.n, self.is_ready);
        self.is_ready = !is_ready;
        let has_tape = !self.is_back && n < self.tapes;
        Some(match (self.is_back, is_ready) {
            (false, false) if has_tape => Action::Advance { from: n, to: n + 1 },
            (false, true) if has_tape => {
                self.n += 1;
                Action::Store { step: n, slot: n, keep: Keep::Tape }
            }
            (false, false) => Action::Store { step: n, slot: n, keep: Keep::State },
            (false, true) => {
                self.n += 1;
                Action::Advance { from: n, to: n + 1 }
            }
            (true, false) => Action::Restore { step: n.checked_sub(1)?, slot: n - 1 },
            (true, true) => {
                self.n = n.checked_sub(1)?;
                Action::Reverse { step: self.n }
            }
        })
    }
}

impl Iterator for StoreAll {
    type Item = Action;

    fn next(&mut self) -> Option<Action> {
        if !self.sweep.is_back && self.sweep.n + 1 >= self.steps {
            self.sweep = EveryState::back(self.steps);
        }
        self.sweep.next()
    }
}

impl Schedule for StoreAll {
    fn num_slots(&self) -> usize {
        self.steps.saturating_sub(1)
    }

    fn bytes(&self) -> usize {
        0
    }
}

impl Iterator for StoreAllOnline {
    type Item = Action;

    fn next(&mut self) -> Option<Action> {
        self.sweep.next()
    }
}

impl Schedule for StoreAllOnline {
    /// The number of steps; unbounded until that is known.
    fn num_slots(&self) -> usize {
        self.steps.unwrap_or(usize::MAX)
    }

    fn bytes(&self) -> usize {
        0
    }
}

impl OnlineSchedule for StoreAllOnline {
    fn end(&mut self, num_steps: usize) {
        self.steps = Some(num_steps);
        self.sweep = EveryState::back(num_steps);
    }
}
