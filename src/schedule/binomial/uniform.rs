//! Equally spaced snapshots.

use super::reversal::{Placement, Reversal};
use super::revolve::Binomial;

/// Keeps the states ⌊i l/s⌋, i = 0, …, s−1, in the first sweep; each of the s segments is then
/// reversed at the [optimum](super::Revolve) for its own slot and those that the segments after it
/// have freed.
///
/// With m_i the length of segment i and [`t`](crate::schedule::optimum::t) the least number of
/// advances, they are l − m_{s−1} in the first sweep up to the last snapshot, and Σ_i t(m_i, s − i)
/// after it.
pub type Uniform = Reversal<Spaced>;

#[derive(Clone, Copy, Debug)]
pub struct Spaced {
    steps: usize,
    snapshots: usize,
}

impl Placement for Spaced {
    fn of_chain(steps: usize, snapshots: usize) -> Self {
        Spaced { steps, snapshots }
    }

    fn next_snapshot(&self, from: usize, end: usize, free: usize) -> usize {
        let index = self.snapshots - free;
        if end < self.steps || index >= self.snapshots {
            return Binomial.next_snapshot(from, end, free);
        }
        let step = index as u128 * self.steps as u128 / self.snapshots as u128;
        step as usize
    }
}
