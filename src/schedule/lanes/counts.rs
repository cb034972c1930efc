//! An interpreter of schedules for lanes over integers, in virtual time.

use std::collections::BTreeSet;

use super::{LaneCosts, LaneSchedule, OnLane};
use crate::error::ScheduleError;
use crate::schedule::{Action, Keep, Kept};

/// What a schedule for lanes does, counted, and when it would be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LaneCounts {
    /// Steps that each lane takes by `Advance`.
    pub advances: Vec<u64>,
    /// `Reverse` actions: N.
    pub reverses: u64,
    /// `Store` actions.
    pub stores: u64,
    /// `Restore` actions.
    pub restores: u64,
    /// The most slots in use at once, in the order of the list: a slot is, from its `Store` until
    /// it is freed or its step is reversed.
    pub snapshots_peak: u64,
    /// When step 0 is reversed, where steps and adjoints take what they cost, copies nothing, and
    /// each lane has a core.
    pub makespan: u64,
}

impl LaneCounts {
    /// Follows a schedule and counts.
    ///
    /// # Errors
    /// Where a lane acts on another state than its current one, restores what a slot does not hold,
    /// or lane 0 alone does not reverse each of the steps N−1, …, 0 once in this order.
    pub fn of(schedule: impl LaneSchedule, costs: LaneCosts) -> Result<LaneCounts, ScheduleError> {
        Follower::new(&schedule, costs, Some(0)).follow(schedule)
    }

    /// Follows the reverse sweep of a chain of `steps` steps that a first sweep has left with
    /// y_{N−1} and `kept`.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub fn of_resumed(
        schedule: impl LaneSchedule,
        costs: LaneCosts,
        steps: usize,
        kept: &[Kept],
    ) -> Result<LaneCounts, ScheduleError> {
        let mut follower = Follower::new(&schedule, costs, steps.checked_sub(1));
        follower.left = Some(steps);
        for &Kept { step, slot } in kept {
            follower.hold(slot, step);
        }
        follower.follow(schedule)
    }
}

/// A lane's clock and current state.
#[derive(Clone, Copy, Default)]
struct Lane {
    time: u64,
    current: Option<usize>,
}

/// What a slot holds, and when it last was read, written or freed.
#[derive(Clone, Copy, Default)]
struct Slot {
    step: Option<usize>,
    time: u64,
}

struct Follower {
    counts: LaneCounts,
    costs: LaneCosts,
    lanes: Vec<Lane>,
    slots: Vec<Slot>,
    /// The slots that hold a state, by step.
    held: BTreeSet<(usize, usize)>,
    left: Option<usize>,
}

impl Follower {
    fn new(schedule: &impl LaneSchedule, costs: LaneCosts, current: Option<usize>) -> Self {
        let mut lanes = vec![Lane::default(); schedule.num_lanes()];
        if let Some(first) = lanes.first_mut() {
            first.current = current;
        }
        let counts = LaneCounts { advances: vec![0; lanes.len()], ..LaneCounts::default() };
        Follower { counts, costs, lanes, slots: Vec::new(), held: BTreeSet::new(), left: None }
    }

    fn follow(mut self, schedule: impl LaneSchedule) -> Result<LaneCounts, ScheduleError> {
        for on_lane in schedule {
            self.apply(on_lane)?;
        }
        let acted = self.counts.stores > 0 || self.counts.advances.iter().any(|&steps| steps > 0);
        match self.left {
            None if acted => {
                let left = self.lanes.first().and_then(|lane| lane.current).unwrap_or(0);
                Err(ScheduleError::Unfinished { left })
            }
            Some(left) if left > 0 => Err(ScheduleError::Unfinished { left }),
            _ => Ok(self.counts),
        }
    }

    fn apply(&mut self, on_lane: OnLane) -> Result<(), ScheduleError> {
        let OnLane { lane, action } = on_lane;
        let Some(&Lane { time, current }) = self.lanes.get(lane) else {
            return Err(self.misled(on_lane));
        };
        match action {
            Action::Store { step, slot, keep: Keep::State } if current == Some(step) => {
                let time = self.meet(lane, slot);
                self.slot(slot).time = time;
                self.hold(slot, step);
                self.counts.stores += 1;
            }
            Action::Restore { step, slot } => {
                let found = self.slot(slot).step;
                if found != Some(step) {
                    return Err(ScheduleError::NotKept { slot, step, found });
                }
                self.meet(lane, slot);
                self.lanes[lane].current = Some(step);
                self.counts.restores += 1;
            }
            Action::Advance { from, to } if current == Some(from) && from < to => {
                let steps = (to - from) as u64;
                self.counts.advances[lane] += steps;
                let taken = steps.saturating_mul(self.costs.step);
                self.lanes[lane] = Lane { time: time.saturating_add(taken), current: Some(to) };
            }
            Action::Reverse { step }
                if lane == 0
                    && current == Some(step)
                    && self.left.is_none_or(|left| step + 1 == left) =>
            {
                self.reverse(step);
            }
            Action::Free { slot } if self.slot(slot).step.is_some() => {
                self.meet(lane, slot);
                self.release(slot);
            }
            _ => return Err(self.misled(on_lane)),
        }
        Ok(())
    }

    fn reverse(&mut self, step: usize) {
        let taken = self.costs.step.saturating_add(self.costs.adjoint);
        let time = self.lanes[0].time.saturating_add(taken);
        self.lanes[0] = Lane { time, current: step.checked_add(1) };
        self.left = Some(step);
        self.counts.reverses += 1;
        self.counts.makespan = time;
        while let Some(&(_, slot)) = self.held.last().filter(|(held, _)| *held >= step) {
            self.release(slot);
        }
    }

    fn hold(&mut self, slot: usize, step: usize) {
        self.release(slot);
        self.slot(slot).step = Some(step);
        self.held.insert((step, slot));
        self.counts.snapshots_peak = self.counts.snapshots_peak.max(self.held.len() as u64);
    }

    fn release(&mut self, slot: usize) {
        if let Some(step) = self.slot(slot).step.take() {
            self.held.remove(&(step, slot));
        }
    }

    /// Has a lane wait for its turn at a slot. Returns when that is.
    fn meet(&mut self, lane: usize, slot: usize) -> u64 {
        let time = self.lanes[lane].time.max(self.slot(slot).time);
        self.lanes[lane].time = time;
        self.slot(slot).time = time;
        time
    }

    fn slot(&mut self, slot: usize) -> &mut Slot {
        if self.slots.len() <= slot {
            self.slots.resize(slot + 1, Slot::default());
        }
        &mut self.slots[slot]
    }

    fn misled(&self, OnLane { lane, action }: OnLane) -> ScheduleError {
        ScheduleError::MisledLane {
            lane,
            action: format!("{action:?}"),
            current: self.lanes.get(lane).and_then(|lane| lane.current),
            left: self.left,
        }
    }
}
