//! Snapshots at midpoints of midpoints.

use super::reversal::{Placement, Reversal};
use super::{Action, Schedule, check_slots, useful_slots};
use crate::error::ScheduleError;

/// Keeps the state at the middle of what is to be reversed, then at the middle of the half that
/// comes first in the reverse sweep, and so on while slots are free; without a free slot it
/// recomputes from the nearest snapshot.
///
/// With log₂ l slots, (l/2) log₂ l advances reverse l = 2, 4, 8, … steps.
///
/// ```
/// use costate::schedule::{Bisection, Counts};
/// let counts = Counts::of(Bisection::new(1024, 10)?)?;
/// assert_eq!(counts.advances, 512 * 10);
/// # Ok::<(), costate::error::ScheduleError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Bisection(Reversal<Midpoint>);

impl Bisection {
    /// Reverses `steps` steps with at most `slots` snapshots, the one of step 0 among them.
    ///
    /// # Errors
    /// Where `slots` is zero.
    pub fn new(steps: usize, slots: usize) -> Result<Self, ScheduleError> {
        check_slots(slots)?;
        let slots = useful_slots(steps, slots);
        Ok(Bisection(Reversal::new(Midpoint, steps, slots)))
    }
}

#[derive(Clone, Copy, Debug)]
struct Midpoint;

impl Placement for Midpoint {
    fn next_snapshot(&self, from: usize, end: usize, _: usize) -> usize {
        from + (end - from) / 2
    }
}

impl Iterator for Bisection {
    type Item = Action;

    fn next(&mut self) -> Option<Action> {
        self.0.next()
    }
}

impl Schedule for Bisection {
    fn num_slots(&self) -> usize {
        self.0.num_slots()
    }

    fn bytes(&self) -> usize {
        self.0.bytes()
    }
}
