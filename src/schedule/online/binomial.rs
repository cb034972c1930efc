//! A first sweep of unknown length that need not be repeated.

use super::phases::Forward;
use crate::error::ScheduleError;
use crate::schedule::binomial::{Binomial, Reversal};
use crate::schedule::{Action, KeptState, OnlineSchedule, Schedule, check_slots};

/// Keeps states while the number of steps is unknown, so that whenever the chain ends no step is
/// advanced over more often than the [optimum](crate::schedule::optimum::repetition) for that
/// length asks for; the reverse sweep gives freed slots to each segment before at the
/// [optimum](crate::schedule::Revolve) for it.
///
/// For every l ≤ 2000 and 2 ≤ s ≤ 40 the advances are at most 1 + 1/(s + 2) times t(l, s) + 1, the
/// 1 being the last step, which shows the end.
///
/// With β(s, r) = C(s + r, s), repetition r is reached when l exceeds β(s, r−1). As long as
/// l ≤ β(s, r), the segment behind the i-th snapshot, which is reversed in the s − i slots that
/// those before it leave, may be C(s−i+r−1, r−1) steps long; where all are, that is the binomial
/// schedule of β(s, r) steps. So in phase r the states at these *binomial* steps are kept when they
/// are passed and held until the phase ends; others only where the last segment would become too
/// long. Each takes the slot of the latest state that is not binomial and whose two segments may be
/// one: the late segments are the shortest, and cost least to do again.
///
/// Online checkpointing: Q. Wang, P. Moin and G. Iaccarino, SIAM J. Sci. Comput. 31 (2009)
/// 2549–2567, doi 10.1137/080727890 (least repetition); P. Stumm and A. Walther, SIAM J. Sci.
/// Comput. 32 (2010) 836–854, doi 10.1137/080742439 (fewest advances).
///
/// ```
/// use costate::schedule::{Counts, Online, optimum};
/// let counts = Counts::of_online(Online::new(10)?, 1000)?;
/// assert_eq!(counts.max_repetition, optimum::repetition(1000, 10));
/// # Ok::<(), costate::error::ScheduleError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Online {
    slots: usize,
    sweep: OnlineSweep,
}

#[derive(Clone, Debug)]
enum OnlineSweep {
    Forward(Forward),
    Back(Reversal<Binomial>),
}

impl Online {
    /// Keeps at most `slots` snapshots, the one of step 0 among them.
    ///
    /// # Errors
    /// Where `slots` is zero.
    pub fn new(slots: usize) -> Result<Self, ScheduleError> {
        check_slots(slots)?;
        Ok(Online { slots, sweep: OnlineSweep::Forward(Forward::new(slots)) })
    }

    /// What the first sweep of `steps` steps leaves: the kept states, and the free slots.
    pub(in crate::schedule) fn left(&self, steps: usize) -> (Vec<KeptState>, Vec<usize>) {
        match &self.sweep {
            OnlineSweep::Forward(forward) => (forward.kept(), forward.free(steps)),
            OnlineSweep::Back(_) => (Vec::new(), Vec::new()),
        }
    }

    /// Gives back the memory of its lists: it is not asked for anything any more.
    pub(in crate::schedule) fn forget(&mut self) {
        self.sweep = OnlineSweep::Back(Reversal::resume(Binomial, 0, None, Vec::new(), Vec::new()));
    }

    /// Goes on with a first sweep that has come to `step` and holds y_`step`; of the states that
    /// it had kept, only those in `kept` are still there.
    ///
    /// # Errors
    /// Where `slots` is zero.
    pub fn resume(slots: usize, step: usize, kept: &[KeptState]) -> Result<Self, ScheduleError> {
        check_slots(slots)?;
        Ok(Online { slots, sweep: OnlineSweep::Forward(Forward::resume(slots, step, kept)) })
    }
}

impl Iterator for Online {
    type Item = Action;

    fn next(&mut self) -> Option<Action> {
        match &mut self.sweep {
            OnlineSweep::Forward(forward) => Some(forward.next()),
            OnlineSweep::Back(reversal) => reversal.next(),
        }
    }
}

impl Schedule for Online {
    fn num_slots(&self) -> usize {
        self.slots
    }

    fn bytes(&self) -> usize {
        match &self.sweep {
            OnlineSweep::Forward(forward) => forward.bytes(),
            OnlineSweep::Back(reversal) => reversal.bytes(),
        }
    }
}

impl OnlineSchedule for Online {
    fn end(&mut self, num_steps: usize) {
        if let OnlineSweep::Forward(forward) = &self.sweep {
            self.sweep = OnlineSweep::Back(forward.turn(num_steps));
        }
    }
}
