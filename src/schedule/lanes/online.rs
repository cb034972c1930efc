//! Two lanes behind a first sweep of unknown length.

use super::{LaneCosts, LaneSchedule, OnLane, OnlineLaneSchedule, Pair};
use crate::error::ScheduleError;
use crate::schedule::{Online, Schedule};

/// The first sweep of [`Online`] on lane 0, and a reverse sweep as [`Pair`]'s.
#[derive(Clone, Debug)]
pub struct PairOnline {
    slots: usize,
    tapes: usize,
    costs: LaneCosts,
    sweep: Sweep,
}

#[derive(Clone, Debug)]
enum Sweep {
    Forward(Online),
    Back(Pair),
    /// The end came before the first state was kept: no schedule, and whoever follows it sees that
    /// steps are left to reverse.
    Broken,
}

impl PairOnline {
    /// Keeps at most `slots` snapshots, the one of step 0 among them.
    ///
    /// # Errors
    /// Where `slots` is zero.
    pub fn new(slots: usize, costs: LaneCosts) -> Result<Self, ScheduleError> {
        PairOnline::with_tapes(slots, 0, costs)
    }

    /// The same with at most `tapes` tapes besides, as [`Pair::with_tapes`].
    ///
    /// # Errors
    /// Where `slots` is zero.
    pub fn with_tapes(slots: usize, tapes: usize, costs: LaneCosts) -> Result<Self, ScheduleError> {
        Ok(PairOnline { slots, tapes, costs, sweep: Sweep::Forward(Online::new(slots)?) })
    }
}

impl Iterator for PairOnline {
    type Item = OnLane;

    fn next(&mut self) -> Option<OnLane> {
        match &mut self.sweep {
            Sweep::Forward(online) => online.next().map(|action| OnLane { lane: 0, action }),
            Sweep::Back(pair) => pair.next(),
            Sweep::Broken => None,
        }
    }
}

impl LaneSchedule for PairOnline {
    fn num_slots(&self) -> usize {
        match &self.sweep {
            Sweep::Forward(_) => self.slots.saturating_add(self.tapes),
            // Only now it shows how many are of use.
            Sweep::Back(pair) => pair.num_slots(),
            Sweep::Broken => 0,
        }
    }

    fn num_lanes(&self) -> usize {
        2
    }

    fn bytes(&self) -> usize {
        match &self.sweep {
            Sweep::Forward(online) => online.bytes(),
            Sweep::Back(pair) => pair.bytes(),
            Sweep::Broken => 0,
        }
    }
}

impl OnlineLaneSchedule for PairOnline {
    fn end(&mut self, num_steps: usize) {
        if let Sweep::Forward(online) = &self.sweep {
            let (kept, free) = online.left(num_steps);
            let pair = Pair::resume(num_steps, &kept, &free, self.tapes, self.costs);
            self.sweep = pair.map_or(Sweep::Broken, Sweep::Back);
        }
    }
}
