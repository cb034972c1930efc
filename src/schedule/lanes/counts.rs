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
    /// Steps reversed from a kept tape.
    pub from_tape: u64,
    /// The most states in slots at once, in the order of the list: one is, from its `Store` until
    /// it is freed or its step is reversed.
    pub snapshots_peak: u64,
    /// The most tapes in slots at once: one is, from its `Store` until it is restored or freed.
    pub tapes_peak: u64,
    /// When step 0 is reversed, where steps and adjoints take what they cost, copies nothing, and
    /// each lane has a core.
    pub makespan: u64,
}

impl LaneCounts {
    /// Follows a schedule and counts.
    ///
    /// # Errors
    /// Where a lane acts on another state than its current one, keeps another tape than that of the
    /// step it has just taken, restores what a slot does not hold, restores or keeps a tape that it
    /// may not, or lane 0 alone does not reverse each of the steps N−1, …, 0 once in this order.
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
            follower.hold(slot, step, Keep::State);
        }
        follower.follow(schedule)
    }
}

/// A lane's clock and current state.
#[derive(Clone, Copy, Default)]
struct Lane {
    time: u64,
    current: Option<usize>,
    /// The step on its tape.
    on_tape: Option<usize>,
    /// A tape restored holds the current state, and its step.
    has_next: bool,
}

/// What a slot holds, and when it last was read, written or freed.
#[derive(Clone, Copy, Default)]
struct Slot {
    held: Option<(usize, Keep)>,
    time: u64,
}

struct Follower {
    counts: LaneCounts,
    costs: LaneCosts,
    lanes: Vec<Lane>,
    slots: Vec<Slot>,
    /// The slots that hold a state, by step.
    held: BTreeSet<(usize, usize)>,
    /// How many hold a tape.
    tapes: u64,
    left: Option<usize>,
}

impl Follower {
    fn new(schedule: &impl LaneSchedule, costs: LaneCosts, current: Option<usize>) -> Self {
        let mut lanes = vec![Lane::default(); schedule.num_lanes()];
        if let Some(first) = lanes.first_mut() {
            first.current = current;
        }
        let counts = LaneCounts { advances: vec![0; lanes.len()], ..LaneCounts::default() };
        Follower {
            counts,
            costs,
            lanes,
            slots: Vec::new(),
            held: BTreeSet::new(),
            tapes: 0,
            left: None,
        }
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
        let Some(&at) = self.lanes.get(lane) else { return Err(self.misled(on_lane)) };
        match action {
            Action::Store { step, slot, keep: Keep::State } if at.current == Some(step) => {
                self.store(lane, slot, step, Keep::State);
            }
            Action::Store { step, slot, keep: Keep::Tape }
                if lane > 0 && at.on_tape == Some(step) && at.current == Some(step + 1) =>
            {
                self.store(lane, slot, step, Keep::Tape);
                self.lanes[lane].on_tape = None;
            }
            Action::Restore { step, slot } => match self.slot(slot).held {
                Some((held, Keep::State)) if held == step => {
                    self.meet(lane, slot);
                    let lane = &mut self.lanes[lane];
                    (lane.current, lane.has_next) = (Some(step), false);
                    self.counts.restores += 1;
                }
                Some((held, Keep::Tape)) if held == step && lane == 0 => {
                    self.meet(lane, slot);
                    self.release(slot);
                    let lane = &mut self.lanes[lane];
                    (lane.current, lane.has_next) = (Some(step), true);
                    self.counts.restores += 1;
                }
                Some((held, Keep::Tape)) if held == step => return Err(self.misled(on_lane)),
                held => {
                    let found = held.map(|(step, _)| step);
                    return Err(ScheduleError::NotKept { slot, step, found });
                }
            },
            Action::Advance { from, to } if at.current == Some(from) && from < to => {
                let steps = (to - from) as u64;
                self.counts.advances[lane] += steps;
                let lane = &mut self.lanes[lane];
                lane.time = lane.time.saturating_add(steps.saturating_mul(self.costs.step));
                (lane.current, lane.on_tape, lane.has_next) = (Some(to), Some(to - 1), false);
            }
            Action::Reverse { step }
                if lane == 0
                    && at.current == Some(step)
                    // The adjoint needs y_{n+1}, from which the step on the lane's tape started.
                    && (!at.has_next || at.on_tape == Some(step + 1))
                    && self.left.is_none_or(|left| step + 1 == left) =>
            {
                self.reverse(step);
            }
            Action::Free { slot } if self.slot(slot).held.is_some() => {
                self.meet(lane, slot);
                self.release(slot);
            }
            _ => return Err(self.misled(on_lane)),
        }
        Ok(())
    }

    fn store(&mut self, lane: usize, slot: usize, step: usize, keep: Keep) {
        self.meet(lane, slot);
        self.hold(slot, step, keep);
        self.counts.stores += 1;
    }

    fn reverse(&mut self, step: usize) {
        let Lane { time, has_next, .. } = self.lanes[0];
        let own = if has_next { 0 } else { self.costs.step };
        let time = time.saturating_add(own.saturating_add(self.costs.adjoint));
        let current = if has_next { None } else { Some(step + 1) };
        self.lanes[0] = Lane { time, current, on_tape: Some(step), has_next: false };
        self.left = Some(step);
        self.counts.reverses += 1;
        self.counts.from_tape += u64::from(has_next);
        self.counts.makespan = time;
        while let Some(&(_, slot)) = self.held.last().filter(|(held, _)| *held >= step) {
            self.release(slot);
        }
    }

    fn hold(&mut self, slot: usize, step: usize, keep: Keep) {
        self.release(slot);
        self.slot(slot).held = Some((step, keep));
        match keep {
            Keep::State => {
                self.held.insert((step, slot));
            }
            Keep::Tape => self.tapes += 1,
        }
        let counts = &mut self.counts;
        counts.snapshots_peak = counts.snapshots_peak.max(self.held.len() as u64);
        counts.tapes_peak = counts.tapes_peak.max(self.tapes);
    }

    fn release(&mut self, slot: usize) {
        match self.slot(slot).held.take() {
            Some((step, Keep::State)) => {
                self.held.remove(&(step, slot));
            }
            Some((_, Keep::Tape)) => self.tapes -= 1,
            None => {}
        }
    }

    /// Has a lane wait for its turn at a slot.
    fn meet(&mut self, lane: usize, slot: usize) {
        let time = self.lanes[lane].time.max(self.slot(slot).time);
        self.lanes[lane].time = time;
        self.slot(slot).time = time;
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
