//! Equally spaced snapshots.

use super::reversal::{Placement, Reversal};
use super::revolve::Binomial;
use super::{Action, Schedule, check_slots, useful_slots};
use crate::error::ScheduleError;

/// Keeps the states ⌊i l/s⌋, i = 0, …, s−1, in the first sweep; each of the s segments is then
/// reversed at the [optimum](super::Revolve) for its own slot and those that the segments after it
/// have freed.
///
/// With m_i the length of segment i and [`t`](super::optimum::t) the least number of advances, they
/// are l − m_{s−1} in the first sweep up to the last snapshot, and Σ_i t(m_i, s − i) after it.
#[derive(Clone, Debug)]
pub struct Uniform(Reversal<Spaced>);

impl Uniform {
    /// Reverses `steps` steps with at most `slots` snapshots, the one of step 0 among them.
    ///
    /// # Errors
    /// Where `slots` is zero.
    pub fn new(steps: usize, slots: usize) -> Result<Self, ScheduleError> {
        check_slots(slots)?;
        let slots = useful_slots(steps, slots);
        Ok(Uniform(Reversal::new(Spaced { steps, snapshots: slots }, steps, slots)))
    }
}

#[derive(Clone, Copy, Debug)]
struct Spaced {
    steps: usize,
    snapshots: usize,
}

impl Placement for Spaced {
    fn next_snapshot(&self, from: usize, end: usize, free: usize) -> usize {
        let index = self.snapshots - free;
        if end < self.steps || index >= self.snapshots {
            return Binomial.next_snapshot(from, end, free);
        }
        let step = index as u128 * self.steps as u128 / self.snapshots as u128;
        step as usize
    }
}

impl Iterator for Uniform {
    type Item = Action;

    fn next(&mut self) -> Option<Action> {
        self.0.next()
    }
}

impl Schedule for Uniform {
    fn num_slots(&self) -> usize {
        self.0.num_slots()
    }

    fn bytes(&self) -> usize {
        self.0.bytes()
    }
}
