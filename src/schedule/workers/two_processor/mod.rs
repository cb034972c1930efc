//! Two-processor Revolve: one worker reverses, the other takes steps again for it.

mod look_ahead;
mod main_loop;
mod worker_loop;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use super::clock::Clock;
use super::{OnWorker, WorkerCosts, WorkerSchedule};
use crate::error::ScheduleError;
use crate::numbers::bytes::grown;
use crate::schedule::binomial::optimum::{beta, repetition};
use crate::schedule::{Action, Keep, KeptState, check_slots, useful_slots};
use look_ahead::LookAhead;

/// The time of a step in virtual time.
const STEP: u64 = 64;
/// The dearest adjoint that is told from dearer ones, in steps.
const DEAREST: u64 = 1000;
/// Steps times slots of a chain whose list is made several times over.
const MOST_WORK: f64 = 2e7;

/// A chain reversed on two cores in the slots of one.
///
/// Worker 0 makes the first sweep, as [`Revolve`](crate::schedule::Revolve) does, and reverses.
/// Worker 1 opens the gaps between snapshots before worker 0 gets there: the binomial first sweep
/// of a gap, in slots that worker 0 has freed. The gap whose time is shortest against the steps it
/// takes comes first, and none is begun much before it must be, since slots are scarcer than time.
/// Where worker 1 is not done, worker 0 does it itself.
///
/// With tapes, worker 1 also takes the steps right before those already reversed, a block of a few
/// at once, and hands them over with their stages: worker 0 then applies the adjoint alone. A step
/// that is not there in time it takes itself. Gaps are opened down to such blocks, which asks for
/// fewer slots, too.
///
/// The list is made by a simulation in virtual time in which steps and adjoints take what `costs`
/// says: it is the same on every machine, and [`WorkerCounts`](super::WorkerCounts) tells its
/// makespan. Several look-aheads are tried, with tapes and without, and worker 0 alone, and the
/// shortest list is taken. With costs far from the real ones the list stays right and is slower.
///
/// With every state stored, one core takes N (2F + A): a first sweep, and a step and its adjoint in
/// the reverse sweep. Without tapes two cores cannot do better; with them N (F + A) is the bound,
/// or F for each step of the first sweep and half of all other work, where that is more. With A =
/// 2F, 10 000 steps take 1.5 times less than with `Revolve` on one core in 20 slots, and as long as
/// with every state stored in 200; with two tapes besides, 1.63 times less in 20 slots, and N (F +
/// A), the bound, in 200. Optimal lists are known for as many processors as it takes to lose no
/// time: A. Walther, Computing 73 (2004) 135–154, doi 10.1007/s00607-004-0075-z; here their number
/// is given, and time is what is left.
///
/// ```
/// use costate::schedule::{TwoProcessor, WorkerCosts, WorkerCounts, optimum};
/// let schedule = TwoProcessor::new(10_000, 20, WorkerCosts::USUAL)?;
/// let counts = WorkerCounts::of(schedule, WorkerCosts::USUAL)?;
/// let one_core = optimum::t(10_000, 20) + 10_000 * 3;
/// assert!(counts.makespan * 3 < one_core * 2);
/// assert_eq!(counts.snapshots_peak, 20);
///
/// let schedule = TwoProcessor::with_tapes(10_000, 200, 2, WorkerCosts::USUAL)?;
/// let counts = WorkerCounts::of(schedule, WorkerCosts::USUAL)?;
/// assert!(counts.makespan as f64 <= 1.01 * 10_000.0 * (1.0 + 2.0));
/// # Ok::<(), costate::error::ScheduleError>(())
/// ```
#[derive(Clone, Debug)]
pub struct TwoProcessor {
    adjoint: u64,
    /// None: worker 1 does nothing.
    look_ahead: Option<LookAhead>,
    num_slots: usize,
    /// In ascending order of steps.
    kept: Vec<Snapshot>,
    free: Vec<usize>,
    /// The steps before those already reversed that are on tapes, or will be, the latest first.
    taped: VecDeque<Taped>,
    free_tapes: Vec<usize>,
    /// Steps not yet reversed.
    end: usize,
    /// Worker 0's tape still holds step `end`, and with it y_end, which the adjoint of the step
    /// before needs.
    is_end_on_tape: bool,
    workers: [Worker; 2],
    turned: bool,
    /// Worker 1 has nothing to do before worker 0's next action.
    idle: bool,
    /// When each worker has done its actions so far, as [`WorkerCounts`](super::WorkerCounts)
    /// finds. Decisions are made for later, by the workers' `time`.
    clock: Clock,
    queue: VecDeque<OnWorker>,
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
struct Worker {
    /// When its next action is decided.
    time: u64,
    current: Option<usize>,
}

impl TwoProcessor {
    /// Reverses `steps` steps with at most `slots` snapshots, the one of step 0 among them.
    ///
    /// # Errors
    /// Where `slots` is zero.
    pub fn new(steps: usize, slots: usize, costs: WorkerCosts) -> Result<Self, ScheduleError> {
        TwoProcessor::with_tapes(steps, slots, 0, costs)
    }

    /// The same with at most `tapes` tapes besides, on which worker 1 hands steps to worker 0, in
    /// slots numbered after those of states. None is used where that is not faster.
    ///
    /// # Errors
    /// Where `slots` is zero.
    pub fn with_tapes(
        steps: usize,
        slots: usize,
        tapes: usize,
        costs: WorkerCosts,
    ) -> Result<Self, ScheduleError> {
        check_slots(slots)?;
        let fresh = |(steps, slots)| {
            let free = (0..useful_slots(steps, slots)).rev().collect();
            TwoProcessor::begin(costs, steps, Vec::new(), free, Some(0)).and_tapes(tapes)
        };
        let alike = TwoProcessor::alike(steps, slots);
        let look_ahead = fresh(alike).with_best_look_ahead().look_ahead;
        Ok(TwoProcessor { look_ahead, ..fresh((steps, slots)) }.trimmed())
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
        let share = beta(fewer as u64, r) as f64 / beta(slots as u64, r) as f64;
        (((steps as f64 * share) as usize).max(1), fewer)
    }

    /// The reverse sweep of `steps` steps, of which a first sweep left y_{N−1} as worker 0's
    /// current state and the `kept` ones; the slots `free` may be used besides, and `tapes` more
    /// for tapes.
    ///
    /// # Errors
    /// Where more than one step is to be reversed and that of step 0 is not kept.
    pub fn resume(
        steps: usize,
        kept: &[KeptState],
        free: &[usize],
        tapes: usize,
        costs: WorkerCosts,
    ) -> Result<Self, ScheduleError> {
        let mut kept = kept.to_vec();
        kept.sort_unstable_by_key(|kept| kept.step);
        match kept.first() {
            None if steps > 1 => return Err(ScheduleError::NoSlots),
            Some(&KeptState { step, .. }) if steps > 1 && step > 0 => {
                return Err(ScheduleError::Unfinished { left: step });
            }
            _ => {}
        }
        let mut free: Vec<usize> = free.to_vec();
        let useless = kept.partition_point(|kept| kept.step < steps);
        free.extend(kept.drain(useless..).map(|kept| kept.slot));
        let schedule =
            TwoProcessor::begin(costs, steps, kept, free, steps.checked_sub(1)).and_tapes(tapes);
        Ok(schedule.with_best_look_ahead().trimmed())
    }

    fn begin(
        costs: WorkerCosts,
        steps: usize,
        kept: Vec<KeptState>,
        free: Vec<usize>,
        current: Option<usize>,
    ) -> Self {
        let ratio = u128::from(costs.adjoint) * u128::from(STEP) / u128::from(costs.step.max(1));
        let highest = kept.iter().map(|kept| kept.slot).chain(free.iter().copied()).max();
        let mut schedule = TwoProcessor {
            adjoint: ratio.min(u128::from(DEAREST * STEP)) as u64,
            look_ahead: None,
            num_slots: highest.map_or(0, |slot| slot + 1),
            kept: Vec::with_capacity(kept.len() + free.len()),
            free,
            taped: VecDeque::new(),
            free_tapes: Vec::new(),
            end: steps,
            is_end_on_tape: false,
            workers: [Worker { time: 0, current }, Worker { time: 0, current: None }],
            turned: false,
            idle: false,
            clock: Clock::new(2),
            queue: VecDeque::new(),
        };
        for KeptState { step, slot } in kept {
            schedule.insert(schedule.kept.len(), step, slot, 0);
        }
        schedule
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
        if self.look_ahead.is_none_or(|look_ahead| look_ahead.block == 0) {
            self.num_slots -= self.free_tapes.len();
            self.free_tapes.clear();
        }
        self
    }

    fn decide(&mut self) {
        let [main, other] = self.workers.map(|worker| worker.time);
        match self.look_ahead {
            Some(look_ahead) if self.turned && !self.idle && other <= main => {
                self.idle = !self.worker_loop(look_ahead);
                if self.idle {
                    self.workers[1].time = main;
                }
            }
            _ => {
                self.main_loop();
                self.idle = false;
            }
        }
    }

    /// The first step that is on a tape or already reversed.
    fn front(&self) -> usize {
        self.end - self.taped.len()
    }

    /// Has a worker make a kept state its current one.
    fn set_current(&mut self, worker: usize, Snapshot { step, slot, .. }: Snapshot) {
        if self.workers[worker].current.replace(step) != Some(step) {
            self.emit(worker, Action::Restore { step, slot });
        }
    }

    fn advance(&mut self, worker: usize, from: usize, to: usize) {
        self.emit(worker, Action::Advance { from, to });
        self.workers[worker].current = Some(to);
        self.spend(worker, STEP * (to - from) as u64);
    }

    fn spend(&mut self, worker: usize, time: u64) {
        self.workers[worker].time += time;
        self.clock.spend(worker, time);
    }

    /// Has a worker keep its current state.
    fn keep(&mut self, worker: usize, index: usize, step: usize) {
        if let Some(slot) = self.free.pop() {
            self.emit(worker, Action::Store { step, slot, keep: Keep::State });
            self.insert(index, step, slot, self.workers[worker].time);
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

    fn emit(&mut self, worker: usize, action: Action) {
        if let Action::Store { slot, .. } | Action::Restore { slot, .. } | Action::Free { slot } =
            action
        {
            self.clock.synchronise(worker, slot);
        }
        self.queue.push_back(OnWorker { worker, action });
    }
}

impl Iterator for TwoProcessor {
    type Item = OnWorker;

    fn next(&mut self) -> Option<OnWorker> {
        while self.queue.is_empty() && self.end > 0 {
            self.decide();
        }
        self.queue.pop_front()
    }
}

impl WorkerSchedule for TwoProcessor {
    fn num_slots(&self) -> usize {
        self.num_slots
    }

    fn num_workers(&self) -> usize {
        2
    }

    fn bytes(&self) -> usize {
        let free = self.free.capacity() + self.free_tapes.capacity();
        grown::<Snapshot>(self.kept.capacity())
            + grown::<usize>(free)
            + grown::<Taped>(self.taped.capacity())
            + grown::<OnWorker>(self.queue.capacity())
            + self.clock.bytes()
    }
}
