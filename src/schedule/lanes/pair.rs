//! Two lanes: one reverses, the other goes ahead of it.

mod ahead;

use std::collections::VecDeque;

use super::pace::Pace;
use super::{LaneCosts, LaneSchedule, OnLane};
use crate::bytes::grown;
use crate::error::ScheduleError;
use crate::schedule::optimum::{longest, reach, repetition};
use crate::schedule::{Action, Keep, Kept, check_slots, useful_slots};

/// The time of a step in virtual time.
const STEP: u64 = 64;
/// The dearest adjoint that is told from dearer ones, in steps.
const DEAREST: u64 = 1000;
/// Steps times slots of a chain whose list is made several times over.
const MOST_WORK: f64 = 2e7;

/// A chain reversed on two cores in the slots of one.
///
/// Lane 0 makes the first sweep, as [`Revolve`](crate::schedule::Revolve) does, and reverses. Lane 1
/// opens the gaps between snapshots before lane 0 gets there: the binomial first sweep of a gap, in
/// slots that lane 0 has freed. The gap whose time is shortest against the steps it takes comes
/// first, and none is begun much before it must be, since slots are scarcer than time. Where lane 1
/// is not done, lane 0 helps itself.
///
/// With tapes, lane 1 also takes the steps right before those already reversed, a block of a few at
/// once, and hands them over with their stages: lane 0 then applies the adjoint alone. A step that
/// is not there in time it takes itself. Gaps are opened down to such blocks, which asks for fewer
/// slots, too.
///
/// The list is made by a simulation in virtual time in which steps and adjoints take what `costs`
/// says: it is the same on every machine, and [`LaneCounts`](super::LaneCounts) tells its makespan.
/// Several paces are tried, with tapes and without, and lane 0 alone, and the shortest is taken. With
/// costs far from the real ones the list stays right and is slower.
///
/// With every state stored, one core takes N (2F + A): a first sweep, and a step and its adjoint in
/// the reverse sweep. Without tapes two cores cannot do better; with them N (F + A) is the bound, or
/// F for each step of the first sweep and half of all other work, where that is more. With A = 2F,
/// 10 000 steps take 1.5 times less than with `Revolve` on one core in 20 slots, and as long as with
/// every state stored in 200; with two tapes besides, 1.63 times less in 20 slots, and N (F + A), the
/// bound, in 200. Optimal lists
/// are known for as many processors as it takes to lose no time: A. Walther, Computing 73 (2004)
/// 135–154, doi 10.1007/s00607-004-0075-z; here their number is given, and time is what is left.
///
/// ```
/// use costate::schedule::{LaneCosts, LaneCounts, Pair, optimum};
/// let counts = LaneCounts::of(Pair::new(10_000, 20, LaneCosts::USUAL)?, LaneCosts::USUAL)?;
/// let one_core = optimum::t(10_000, 20) + 10_000 * 3;
/// assert!(counts.makespan * 3 < one_core * 2);
/// assert_eq!(counts.snapshots_peak, 20);
///
/// let pair = Pair::with_tapes(10_000, 200, 2, LaneCosts::USUAL)?;
/// let counts = LaneCounts::of(pair, LaneCosts::USUAL)?;
/// assert!(counts.makespan as f64 <= 1.01 * 10_000.0 * (1.0 + 2.0));
/// # Ok::<(), costate::error::ScheduleError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Pair {
    adjoint: u64,
    /// None: lane 1 does nothing.
    pace: Option<Pace>,
    num_slots: usize,
    /// In ascending order of steps.
    kept: Vec<Snapshot>,
    free: Vec<usize>,
    /// The steps before those already reversed that are on tapes, or will be, the latest first.
    taped: VecDeque<Taped>,
    free_tapes: Vec<usize>,
    /// Steps not yet reversed.
    end: usize,
    /// Lane 0's tape still holds step `end`, and with it y_end, which the adjoint of the step before
    /// needs.
    is_end_on_tape: bool,
    lanes: [Lane; 2],
    turned: bool,
    /// Lane 1 has nothing to do before lane 0's next action.
    idle: bool,
    /// When each lane has done its actions so far, and when each slot was last met: what
    /// [`LaneCounts`](super::LaneCounts) finds. Decisions are made for later, by the lanes' `time`.
    done: [u64; 2],
    met: Vec<u64>,
    queue: VecDeque<OnLane>,
}

/// A kept state, or one on its way.
#[derive(Clone, Copy, Debug)]
struct Snapshot {
    step: usize,
    slot: usize,
    /// When it is there.
    ready: u64,
    /// The longest gap between kept states up to this one.
    longest: usize,
}

/// A kept tape, or one on its way.
#[derive(Clone, Copy, Debug)]
struct Taped {
    slot: usize,
    /// When it is there.
    ready: u64,
}

#[derive(Clone, Copy, Debug)]
struct Lane {
    /// When its next action is decided.
    time: u64,
    current: Option<usize>,
}

impl Pair {
    /// Reverses `steps` steps with at most `slots` snapshots, the one of step 0 among them.
    ///
    /// # Errors
    /// Where `slots` is zero.
    pub fn new(steps: usize, slots: usize, costs: LaneCosts) -> Result<Self, ScheduleError> {
        Pair::with_tapes(steps, slots, 0, costs)
    }

    /// The same with at most `tapes` tapes besides, on which lane 1 hands steps to lane 0, in slots
    /// numbered after those of states. None is used where that is not faster.
    ///
    /// # Errors
    /// Where `slots` is zero.
    pub fn with_tapes(
        steps: usize,
        slots: usize,
        tapes: usize,
        costs: LaneCosts,
    ) -> Result<Self, ScheduleError> {
        check_slots(slots)?;
        let fresh = |(steps, slots)| {
            let free = (0..useful_slots(steps, slots)).rev().collect();
            Pair::begin(costs, steps, Vec::new(), free, Some(0)).and_tapes(tapes)
        };
        let alike = Pair::alike(steps, slots);
        Ok(Pair { pace: fresh(alike).at_best_pace().pace, ..fresh((steps, slots)) }.trimmed())
    }

    /// The steps and slots of a chain that can be followed in a fraction of a second and that takes
    /// about as long a step as one of `steps` steps: the same one where that is short enough, else
    /// one with fewer slots whose steps are advanced over as often.
    pub fn alike(steps: usize, slots: usize) -> (usize, usize) {
        let slots = useful_slots(steps, slots);
        let work = steps as f64 * slots as f64;
        if work <= MOST_WORK {
            return (steps, slots);
        }
        let r = repetition(steps as u64, slots as u64);
        // C(s + r, r) falls as s^r.
        let fewer =
            (slots as f64 * (MOST_WORK / work).powf(1.0 / (r + 1) as f64)).max(2.0) as usize;
        let share = reach(fewer as u64, r) as f64 / reach(slots as u64, r) as f64;
        (((steps as f64 * share) as usize).max(1), fewer)
    }

    /// The reverse sweep of `steps` steps, of which a first sweep left y_{N−1} as lane 0's current
    /// state and the `kept` ones; the slots `free` may be used besides, and `tapes` more for tapes.
    ///
    /// # Errors
    /// Where more than one step is to be reversed and that of step 0 is not kept.
    pub fn resume(
        steps: usize,
        kept: &[Kept],
        free: &[usize],
        tapes: usize,
        costs: LaneCosts,
    ) -> Result<Self, ScheduleError> {
        let mut kept = kept.to_vec();
        kept.sort_unstable_by_key(|kept| kept.step);
        match kept.first() {
            None if steps > 1 => return Err(ScheduleError::NoSlots),
            Some(&Kept { step, .. }) if steps > 1 && step > 0 => {
                return Err(ScheduleError::Unfinished { left: step });
            }
            _ => {}
        }
        let mut free: Vec<usize> = free.to_vec();
        let useless = kept.partition_point(|kept| kept.step < steps);
        free.extend(kept.drain(useless..).map(|kept| kept.slot));
        let pair = Pair::begin(costs, steps, kept, free, steps.checked_sub(1)).and_tapes(tapes);
        Ok(pair.at_best_pace().trimmed())
    }

    fn begin(
        costs: LaneCosts,
        steps: usize,
        kept: Vec<Kept>,
        free: Vec<usize>,
        current: Option<usize>,
    ) -> Self {
        let ratio = u128::from(costs.adjoint) * u128::from(STEP) / u128::from(costs.step.max(1));
        let highest = kept.iter().map(|kept| kept.slot).chain(free.iter().copied()).max();
        let mut pair = Pair {
            adjoint: ratio.min(u128::from(DEAREST * STEP)) as u64,
            pace: None,
            num_slots: highest.map_or(0, |slot| slot + 1),
            kept: Vec::with_capacity(kept.len() + free.len()),
            free,
            taped: VecDeque::new(),
            free_tapes: Vec::new(),
            end: steps,
            is_end_on_tape: false,
            lanes: [Lane { time: 0, current }, Lane { time: 0, current: None }],
            turned: false,
            idle: false,
            done: [0; 2],
            met: Vec::new(),
            queue: VecDeque::new(),
        };
        for Kept { step, slot } in kept {
            pair.insert(pair.kept.len(), step, slot, 0);
        }
        pair
    }

    /// How many slots, the last ones, are for tapes.
    pub fn num_tapes(&self) -> usize {
        self.free_tapes.len() + self.taped.len()
    }

    /// The same with `tapes` slots for tapes after the others.
    fn and_tapes(mut self, tapes: usize) -> Self {
        self.free_tapes = (self.num_slots..self.num_slots + tapes).rev().collect();
        self.num_slots += tapes;
        self
    }

    /// The same without the slots for tapes where none is used.
    fn trimmed(mut self) -> Self {
        if self.pace.is_none_or(|pace| pace.block == 0) {
            self.num_slots -= self.free_tapes.len();
            self.free_tapes.clear();
        }
        self
    }

    /// The same with the pace of the shortest makespan.
    fn at_best_pace(mut self) -> Self {
        let first_sweep = self.end.saturating_sub(1) - self.lanes[0].current.unwrap_or(0);
        let on_lane_0 = if self.free_tapes.is_empty() { STEP } else { 0 };
        let least = STEP * first_sweep as u64 + (on_lane_0 + self.adjoint) * self.end as u64;
        let mut shortest = u64::MAX;
        for pace in [None].into_iter().chain(Pace::all(self.free_tapes.len()).map(Some)) {
            if shortest <= least {
                break;
            }
            let trial = Pair { pace, ..self.clone() };
            if let Some(makespan) = trial.makespan_below(shortest) {
                shortest = makespan;
                self.pace = pace;
            }
        }
        self
    }

    fn makespan_below(mut self, limit: u64) -> Option<u64> {
        while self.end > 0 && self.done[0] < limit {
            self.decide();
            self.queue.clear();
        }
        Some(self.done[0]).filter(|&time| time < limit)
    }

    fn decide(&mut self) {
        let [ahead, behind] = [self.lanes[1].time, self.lanes[0].time];
        if self.turned && self.pace.is_some() && !self.idle && ahead <= behind {
            if !self.go_ahead() {
                self.idle = true;
                self.lanes[1].time = behind;
            }
        } else {
            self.go_back();
            self.idle = false;
        }
    }

    /// Lane 0's next actions.
    fn go_back(&mut self) {
        let current = self.lanes[0].current;
        if current == Some(self.end - 1) {
            return self.reverse();
        }
        if let Some(&taped) = self.taped.front() {
            match taped.ready > self.lanes[0].time {
                true => self.lanes[0].time = taped.ready,
                false => self.reverse_from(taped.slot),
            }
            return;
        }
        let Some(&last) = self.kept.last() else {
            let from = current.unwrap_or(0);
            return self.keep(0, 0, from);
        };
        if last.ready > self.lanes[0].time {
            self.lanes[0].time = last.ready;
            return;
        }
        self.stand_at(0, last);
        let to = match (self.end - last.step, self.free.len()) {
            (1, _) => last.step,
            (_, 0) => self.end - 1,
            (length, free) => last.step + longest(length, free + 1),
        };
        if to > last.step {
            self.advance(0, last.step, to);
            self.is_end_on_tape = false;
        }
        if to + 1 == self.end {
            self.reverse();
        } else {
            self.keep(0, self.kept.len(), to);
        }
    }

    fn reverse(&mut self) {
        if !self.turned {
            self.turned = true;
            self.lanes[1].time = self.lanes[0].time;
        }
        self.end -= 1;
        self.is_end_on_tape = true;
        if let Some(kept) = self.kept.pop_if(|kept| kept.step == self.end) {
            self.free.push(kept.slot);
            self.emit(0, Action::Free { slot: kept.slot });
        }
        self.emit(0, Action::Reverse { step: self.end });
        self.spend(0, STEP + self.adjoint);
        self.lanes[0].current = None;
    }

    /// Reverses the last step from its tape.
    fn reverse_from(&mut self, slot: usize) {
        self.taped.pop_front();
        self.free_tapes.push(slot);
        self.end -= 1;
        self.is_end_on_tape = true;
        self.emit(0, Action::Restore { step: self.end, slot });
        self.emit(0, Action::Reverse { step: self.end });
        self.spend(0, self.adjoint);
        self.lanes[0].current = None;
    }

    /// The first step that is on a tape or already reversed.
    fn front(&self) -> usize {
        self.end - self.taped.len()
    }

    /// Has a lane stand at a kept state.
    fn stand_at(&mut self, lane: usize, Snapshot { step, slot, .. }: Snapshot) {
        if self.lanes[lane].current.replace(step) != Some(step) {
            self.emit(lane, Action::Restore { step, slot });
        }
    }

    fn advance(&mut self, lane: usize, from: usize, to: usize) {
        self.emit(lane, Action::Advance { from, to });
        self.lanes[lane].current = Some(to);
        self.spend(lane, STEP * (to - from) as u64);
    }

    fn spend(&mut self, lane: usize, time: u64) {
        self.lanes[lane].time += time;
        self.done[lane] += time;
    }

    /// Has a lane keep its current state.
    fn keep(&mut self, lane: usize, index: usize, step: usize) {
        if let Some(slot) = self.free.pop() {
            self.emit(lane, Action::Store { step, slot, keep: Keep::State });
            self.insert(index, step, slot, self.lanes[lane].time);
        }
    }

    fn insert(&mut self, index: usize, step: usize, slot: usize, ready: u64) {
        self.kept.insert(index, Snapshot { step, slot, ready, longest: 0 });
        for i in index.max(1)..self.kept.len() {
            let before = self.kept[i - 1];
            let longest = before.longest.max(self.kept[i].step - before.step);
            if i > index && self.kept[i].longest == longest {
                break;
            }
            self.kept[i].longest = longest;
        }
    }

    fn emit(&mut self, lane: usize, action: Action) {
        if let Action::Store { slot, .. } | Action::Restore { slot, .. } | Action::Free { slot } =
            action
        {
            self.meet(lane, slot);
        }
        self.queue.push_back(OnLane { lane, action });
    }

    fn meet(&mut self, lane: usize, slot: usize) {
        if self.met.len() <= slot {
            self.met.resize(slot + 1, 0);
        }
        let time = self.done[lane].max(self.met[slot]);
        (self.done[lane], self.met[slot]) = (time, time);
    }
}

impl Iterator for Pair {
    type Item = OnLane;

    fn next(&mut self) -> Option<OnLane> {
        while self.queue.is_empty() && self.end > 0 {
            self.decide();
        }
        self.queue.pop_front()
    }
}

impl LaneSchedule for Pair {
    fn num_slots(&self) -> usize {
        self.num_slots
    }

    fn num_lanes(&self) -> usize {
        2
    }

    fn bytes(&self) -> usize {
        let kept = grown::<Snapshot>(self.kept.capacity());
        let free = self.free.capacity() + self.free_tapes.capacity() + self.met.capacity();
        let taped = grown::<Taped>(self.taped.capacity());
        kept + grown::<usize>(free) + taped + grown::<OnLane>(self.queue.capacity())
    }
}
