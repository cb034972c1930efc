//! The binomial optimum for a known number of steps.

use super::optimum::split;
use super::reversal::{Placement, Reversal};

/// Takes the least number of steps, [`t(l, s)`](crate::schedule::optimum::t), that s snapshots
/// allow.
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
pub type Revolve = Reversal<Binomial>;

/// Snapshots at binomial distances.
#[derive(Clone, Copy, Debug)]
pub struct Binomial;

impl Placement for Binomial {
    fn of_chain(_: usize, _: usize) -> Self {
        Binomial
    }

    fn next_snapshot(&self, from: usize, end: usize, free: usize) -> usize {
        from + split(end - from, free + 1)
    }
}
