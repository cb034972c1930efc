//! The actions of a schedule for several workers, given to those that do them.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, PoisonError};

use super::order::{Order, Stopped};
use super::shared::lock;
use crate::error::ScheduleError;
use crate::numbers::bytes::grown;
use crate::schedule::{Effect, Machine, OnWorker, WorkerSchedule};

/// How many actions a worker draws at once.
const AT_ONCE: usize = 32;
/// How many actions may wait for one worker while another's next one is looked for.
const ROOM: usize = 256;

/// A worker's actions, in their order.
pub(super) struct Orders<'a, 'q> {
    queue: &'a ActionQueue<'q>,
    worker: usize,
    drawn: VecDeque<Order>,
}

impl<'a, 'q> Orders<'a, 'q> {
    pub fn of(queue: &'a ActionQueue<'q>, worker: usize) -> Self {
        Orders { queue, worker, drawn: VecDeque::with_capacity(AT_ONCE) }
    }

    pub fn next(&mut self) -> Result<Option<Order>, Stopped> {
        if self.drawn.is_empty() {
            self.queue.draw(self.worker, &mut self.drawn)?;
        }
        Ok(self.drawn.pop_front())
    }
}

/// A schedule from which several threads draw.
pub(super) struct ActionQueue<'a> {
    state: Mutex<State<'a>>,
    room_came: Condvar,
}

struct State<'a> {
    schedule: &'a mut dyn WorkerSchedule,
    machine: Machine,
    /// What the actions do that were drawn and wait for each worker, with their turns.
    queues: Vec<VecDeque<(Effect, u64)>>,
    turns: Turns,
    ended: bool,
    illegal: Option<ScheduleError>,
    stopped: bool,
    /// A worker waits for room in another's queue.
    awaited: bool,
}

impl<'a> ActionQueue<'a> {
    pub fn new(schedule: &'a mut dyn WorkerSchedule, machine: Machine, turns: Turns) -> Self {
        let queues = (0..schedule.num_workers().max(1)).map(|_| VecDeque::new()).collect();
        let state = State {
            schedule,
            machine,
            queues,
            turns,
            ended: false,
            illegal: None,
            stopped: false,
            awaited: false,
        };
        ActionQueue { state: Mutex::new(state), room_came: Condvar::new() }
    }

    /// Bytes of the schedule's lists, of the turns and of the machine.
    pub fn bytes(&mut self) -> usize {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        state.schedule.bytes() + state.turns.bytes() + state.machine.bytes()
    }

    /// Checks that all actions were legal and every step is reversed.
    pub fn check_end(&self) -> Result<(), ScheduleError> {
        let state = lock(&self.state);
        match &state.illegal {
            Some(error) => Err(error.clone()),
            None => state.machine.check_end(),
        }
    }

    /// The next actions of a worker, in `orders`; none where there are no more.
    fn draw(&self, worker: usize, orders: &mut VecDeque<Order>) -> Result<(), Stopped> {
        let mut state = lock(&self.state);
        loop {
            if state.stopped {
                return Err(Stopped);
            }
            state.draw_for(worker);
            if state.ended || !state.queues[worker].is_empty() {
                state.give(worker, orders);
                let awaited = std::mem::take(&mut state.awaited);
                drop(state);
                if awaited {
                    self.room_came.notify_all();
                }
                return Ok(());
            }
            state.awaited = true;
            state = self.room_came.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub fn stop(&self) {
        lock(&self.state).stopped = true;
        self.room_came.notify_all();
    }
}

impl State<'_> {
    /// Draws actions until the worker has its next ones, where there is room.
    fn draw_for(&mut self, worker: usize) {
        while self.queues[worker].len() <= AT_ONCE
            && !self.ended
            && self.queues.iter().all(|queue| queue.len() < ROOM)
        {
            let Some(OnWorker { worker, action }) = self.schedule.next() else {
                self.ended = true;
                return;
            };
            // What comes before an illegal action is done, and no more.
            match self.machine.apply(worker, action) {
                Ok(effect) => {
                    let turn = self.turns.of(effect);
                    self.queues[worker].push_back((effect, turn));
                }
                Err(error) => (self.illegal, self.ended) = (Some(error), true),
            }
        }
    }

    /// Gives a worker its actions. The last one, which tells what the one before it may give away,
    /// is held back where there are others.
    fn give(&mut self, worker: usize, orders: &mut VecDeque<Order>) {
        let least = if self.ended || self.queues[worker].len() == 1 { 0 } else { 1 };
        while self.queues[worker].len() > least
            && let Some((effect, turn)) = self.queues[worker].pop_front()
        {
            orders.push_back(self.order(worker, effect, turn));
        }
    }

    fn order(&self, worker: usize, effect: Effect, turn: u64) -> Order {
        let next = self.queues[worker].front();
        let is_last_use_of_state = matches!(next, Some((Effect::Restored { .. }, _)));
        let is_last_use_of_slot = match (effect, next) {
            (Effect::Restored { slot, .. }, Some(&(Effect::Freed { slot: freed, .. }, after))) => {
                slot == freed && after == turn + 1
            }
            _ => false,
        };
        Order { effect, turn, is_last_use_of_state, is_last_use_of_slot }
    }
}

/// How many actions have met each slot.
#[derive(Default)]
pub(super) struct Turns(Vec<u64>);

impl Turns {
    /// The next action of all, of which nothing behind it is known.
    pub fn alone(&mut self, effect: Effect) -> Order {
        let turn = self.of(effect);
        Order { effect, turn, is_last_use_of_state: false, is_last_use_of_slot: false }
    }

    /// Bytes of the list.
    pub fn bytes(&self) -> usize {
        grown::<u64>(self.0.capacity())
    }

    /// How many actions meet the slot of this one, which is the next, before it.
    pub fn of(&mut self, effect: Effect) -> u64 {
        let slot = match effect {
            Effect::Stored { slot, .. }
            | Effect::Restored { slot, .. }
            | Effect::Freed { slot, .. } => slot,
            Effect::Advanced { .. } | Effect::Reversed { .. } => return 0,
        };
        if self.0.len() <= slot {
            self.0.resize(slot + 1, 0);
        }
        self.0[slot] += 1;
        self.0[slot] - 1
    }
}
