//! The binomial optimum for a known number of steps.

use super::optimum::split;
use super::reversal::{Placement, Reversal};
use super::{Action, Schedule, check_slots, useful_slots};
use crate::error::ScheduleError;

/// Takes the least number of steps, [`t(l, s)`](super::optimum::t), that s snapshots allow.
///
/// A. Griewank and A. Walther, Algorithm 799: revolve, ACM Trans. Math. Softw. 26 (2000) 19–45,
/// doi 10.1145/347837.347846.
///
/// ```
/// use costate::schedule::{Counts, Revolve, optimum};
/// let counts = Counts::of(Revolve::new(1000, 10)?)?;
/// assert_eq!(counts.advances, optimum::t(1000, 10));
/// assert_eq!(counts.snapshots_peak, 10);
/// # Ok::<(), costate::error::ScheduleError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Revolve(Reversal<Binomial>);

impl Revolve {
    /// Reverses `steps` steps with at most `slots` snapshots, the one of step 0 among them.
    ///
    /// # Errors
    /// Where `slots` is zero.
    pub fn new(steps: usize, slots: usize) -> Result<Self, ScheduleError> {
        check_slots(slots)?;
        let slots = useful_slots(steps, slots);
        Ok(Revolve(Reversal::new(Binomial, steps, slots)))
    }
}

/// Snapshots at binomial distances.
#[derive(Clone, Copy, Debug)]
pub(super) struct Binomial;

impl Placement for Binomial {
    fn next_snapshot(&self, from: usize, end: usize, free: usize) -> usize {
        from + split(end - from, free + 1)
    }
}

impl Iterator for Revolve {
    type Item = Action;

    fn next(&mut self) -> Option<Action> {
        self.0.next()
    }
}

impl Schedule for Revolve {
    fn num_slots(&self) -> usize {
        self.0.num_slots()
    }

    fn bytes(&self) -> usize {
        self.0.bytes()
    }
}
