//! The actions of a schedule for lanes, given to the lanes that do them.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, PoisonError};

use super::cells::{Stopped, lock};
use crate::bytes::grown;
use crate::schedule::{Action, LaneSchedule, OnLane};

/// How many actions a lane draws at once.
const AT_ONCE: usize = 32;
/// How many actions may wait for one lane while another's next one is looked for.
const ROOM: usize = 256;

/// An action, and when it may be done.
#[derive(Clone, Copy, Debug)]
pub(super) struct Order {
    pub action: Action,
    /// How many actions meet the slot before this one.
    pub turn: u64,
    /// The lane's next action overwrites its current state.
    pub is_last_use_of_state: bool,
    /// The slot is freed next, by the same lane.
    pub is_last_use_of_slot: bool,
}

/// A lane's actions, in their order.
pub(super) struct Orders<'a, T> {
    dispatch: &'a Dispatch<T>,
    lane: usize,
    drawn: VecDeque<Order>,
}

impl<'a, T: LaneSchedule> Orders<'a, T> {
    pub fn of(dispatch: &'a Dispatch<T>, lane: usize) -> Self {
        Orders { dispatch, lane, drawn: VecDeque::with_capacity(AT_ONCE) }
    }

    pub fn next(&mut self) -> Result<Option<Order>, Stopped> {
        if self.drawn.is_empty() {
            self.dispatch.draw(self.lane, &mut self.drawn)?;
        }
        Ok(self.drawn.pop_front())
    }
}

/// A schedule from which several threads draw.
pub(super) struct Dispatch<T> {
    state: Mutex<State<T>>,
    room_came: Condvar,
}

struct State<T> {
    schedule: T,
    /// The actions drawn that wait for each lane, with their turns.
    queues: Vec<VecDeque<(Action, u64)>>,
    /// How many actions have met each slot.
    turns: Vec<u64>,
    ended: bool,
    stopped: bool,
    /// A lane waits for room in another's queue.
    awaited: bool,
}

impl<T: LaneSchedule> Dispatch<T> {
    pub fn new(schedule: T) -> Self {
        let queues = (0..schedule.num_lanes()).map(|_| VecDeque::new()).collect();
        let state = State {
            schedule,
            queues,
            turns: Vec::new(),
            ended: false,
            stopped: false,
            awaited: false,
        };
        Dispatch { state: Mutex::new(state), room_came: Condvar::new() }
    }

    pub fn schedule(&mut self) -> &mut T {
        &mut self.state.get_mut().unwrap_or_else(PoisonError::into_inner).schedule
    }

    /// Bytes of the schedule's lists and of the turns.
    pub fn bytes(&mut self) -> usize {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        state.schedule.bytes() + grown::<u64>(state.turns.capacity())
    }

    /// The next action of all, with its lane.
    pub fn first(&mut self) -> Option<(usize, Order)> {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        let OnLane { lane, action } = state.schedule.next()?;
        let turn = state.turn(action);
        let order = Order { action, turn, is_last_use_of_state: false, is_last_use_of_slot: false };
        Some((lane, order))
    }

    /// The next actions of a lane, in `orders`; none where there are no more.
    fn draw(&self, lane: usize, orders: &mut VecDeque<Order>) -> Result<(), Stopped> {
        let mut state = lock(&self.state);
        loop {
            if state.stopped {
                return Err(Stopped);
            }
            state.draw_for(lane);
            if state.ended || !state.queues[lane].is_empty() {
                state.give(lane, orders);
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

impl<T: LaneSchedule> State<T> {
    /// Draws actions until the lane has its next ones, where there is room.
    fn draw_for(&mut self, lane: usize) {
        while self.queues[lane].len() <= AT_ONCE
            && !self.ended
            && self.queues.iter().all(|queue| queue.len() < ROOM)
        {
            match self.schedule.next() {
                None => self.ended = true,
                Some(on_lane) => {
                    let turn = self.turn(on_lane.action);
                    match self.queues.get_mut(on_lane.lane) {
                        Some(queue) => queue.push_back((on_lane.action, turn)),
                        // A lane that is not there does nothing: what depends on it fails.
                        None => self.ended = true,
                    }
                }
            }
        }
    }

    fn turn(&mut self, action: Action) -> u64 {
        let (Action::Store { slot, .. } | Action::Restore { slot, .. } | Action::Free { slot }) =
            action
        else {
            return 0;
        };
        if self.turns.len() <= slot {
            self.turns.resize(slot + 1, 0);
        }
        self.turns[slot] += 1;
        self.turns[slot] - 1
    }

    /// Gives a lane its actions. The last one, which tells what the one before it may give away,
    /// is held back where there are others.
    fn give(&mut self, lane: usize, orders: &mut VecDeque<Order>) {
        let least = if self.ended || self.queues[lane].len() == 1 { 0 } else { 1 };
        while self.queues[lane].len() > least
            && let Some((action, turn)) = self.queues[lane].pop_front()
        {
            orders.push_back(self.order(lane, action, turn));
        }
    }

    fn order(&self, lane: usize, action: Action, turn: u64) -> Order {
        let next = self.queues[lane].front();
        let is_last_use_of_state = matches!(next, Some((Action::Restore { .. }, _)));
        let is_last_use_of_slot = match (action, next) {
            (Action::Restore { slot, .. }, Some(&(Action::Free { slot: freed }, after))) => {
                slot == freed && after == turn + 1
            }
            _ => false,
        };
        Order { action, turn, is_last_use_of_state, is_last_use_of_slot }
    }
}
