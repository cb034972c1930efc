//! Snapshots at midpoints of midpoints.

use super::reversal::{Placement, Reversal};

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
pub type Bisection = Reversal<Midpoint>;

#[derive(Clone, Copy, Debug)]
pub struct Midpoint;

impl Placement for Midpoint {
    fn of_chain(_: usize, _: usize) -> Self {
        Midpoint
    }

    fn next_snapshot(&self, from: usize, end: usize, _: usize) -> usize {
        from + (end - from) / 2
    }
}
