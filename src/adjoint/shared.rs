//! Slots of states and tapes that several workers share.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::order::{Order, Stopped};
use crate::error::SnapshotError;
use crate::numbers::bytes::grown;
use crate::numbers::scalar::Scalar;
use crate::recurrence::{Chain, Opaque};
use crate::schedule::Keep;

/// A few microseconds' worth: what waking a thread costs.
const LOOKS: u32 = 100;

/// Slots, each of which meets its orders in their turns.
pub(super) struct SharedSlots<S> {
    /// Apart: where more come, these are not copied.
    #[allow(clippy::vec_box, reason = "a copy of all of them would be held while the list grows")]
    slots: Vec<Box<SharedSlot<S>>>,
    stopped: AtomicBool,
    in_use: AtomicUsize,
    in_use_peak: AtomicUsize,
    /// Slots that ever held a state, or a tape; they keep their memory.
    states: AtomicUsize,
    tapes: AtomicUsize,
    /// How often a worker looks whether its turn has come before it sleeps.
    looks: u32,
}

struct SharedSlot<S> {
    /// How many orders the slot has met; changed under the lock alone.
    turn: AtomicU64,
    content: Mutex<Content<S>>,
    turn_came: Condvar,
}

struct Content<S> {
    /// A worker waits for its turn.
    awaited: bool,
    held: Option<(usize, Keep)>,
    y: Vec<S>,
    tape: Option<Opaque>,
}

/// What is restored.
pub(super) enum Restored<'a, S> {
    State(&'a mut Vec<S>),
    /// The slot is empty afterwards.
    Tape(&'a mut Opaque),
}

impl<S: Scalar> SharedSlots<S> {
    pub fn new() -> Self {
        let several_cores = std::thread::available_parallelism().is_ok_and(|cores| cores.get() > 1);
        SharedSlots {
            slots: Vec::new(),
            stopped: AtomicBool::new(false),
            in_use: AtomicUsize::new(0),
            in_use_peak: AtomicUsize::new(0),
            states: AtomicUsize::new(0),
            tapes: AtomicUsize::new(0),
            looks: if several_cores { LOOKS } else { 0 },
        }
    }

    pub fn grow(&mut self, slots: usize) {
        while self.slots.len() < slots {
            let content =
                Mutex::new(Content { awaited: false, held: None, y: Vec::new(), tape: None });
            let turn = AtomicU64::new(0);
            self.slots.push(Box::new(SharedSlot { turn, content, turn_came: Condvar::new() }));
        }
    }

    /// Fails for a slot beyond those that the schedule said to have.
    pub fn check(&self, slot: usize) -> Result<(), SnapshotError> {
        let slots = self.slots.len();
        if slot < slots { Ok(()) } else { Err(SnapshotError::FarSlot { slot, slots }) }
    }

    /// Keeps y_`step`; `y` may be given away where the next order of its worker overwrites it.
    pub fn store(
        &self,
        slot: usize,
        order: &Order,
        step: usize,
        y: &mut Vec<S>,
    ) -> Result<(), Stopped> {
        self.in_turn(slot, order.turn, |content| {
            if content.y.is_empty() {
                self.states.fetch_add(1, Ordering::Relaxed);
                content.y = vec![S::zero(); y.len()];
            }
            if order.is_last_use_of_state {
                std::mem::swap(&mut content.y, y);
            } else {
                content.y.copy_from_slice(y);
            }
            self.hold(content, Some((step, Keep::State)));
        })
    }

    /// Exchanges `tape` for the one in the slot.
    pub fn store_tape(
        &self,
        slot: usize,
        order: &Order,
        step: usize,
        chain: &dyn Chain<S>,
        tape: &mut Opaque,
    ) -> Result<(), Stopped> {
        self.in_turn(slot, order.turn, |content| {
            let kept = content.tape.get_or_insert_with(|| {
                self.tapes.fetch_add(1, Ordering::Relaxed);
                chain.tape()
            });
            std::mem::swap(tape, kept);
            self.hold(content, Some((step, Keep::Tape)));
        })
    }

    /// Has `take` take what the slot holds of `step`.
    pub fn restore<T>(
        &self,
        slot: usize,
        order: &Order,
        step: usize,
        take: impl FnOnce(Restored<'_, S>) -> T,
    ) -> Result<Result<T, SnapshotError>, Stopped> {
        self.in_turn(slot, order.turn, |content| {
            let held = content.held;
            match (held, content.tape.as_mut()) {
                (Some((n, Keep::State)), _) if n == step => {
                    Ok(take(Restored::State(&mut content.y)))
                }
                (Some((n, Keep::Tape)), Some(tape)) if n == step => {
                    let taken = take(Restored::Tape(tape));
                    self.hold(content, None);
                    Ok(taken)
                }
                _ => {
                    let found = held.map(|(n, _)| n);
                    Err(SnapshotError::WrongStep { slot, step, found })
                }
            }
        })
    }

    pub fn free(&self, slot: usize, order: &Order) -> Result<(), Stopped> {
        self.in_turn(slot, order.turn, |content| self.hold(content, None))
    }

    /// Notes what a slot holds from now on.
    fn hold(&self, content: &mut Content<S>, held: Option<(usize, Keep)>) {
        let before = std::mem::replace(&mut content.held, held);
        match (before.is_some(), held.is_some()) {
            (false, true) => {
                let in_use = 1 + self.in_use.fetch_add(1, Ordering::Relaxed);
                self.in_use_peak.fetch_max(in_use, Ordering::Relaxed);
            }
            (true, false) => {
                self.in_use.fetch_sub(1, Ordering::Relaxed);
            }
            _ => {}
        }
    }

    fn in_turn<T>(
        &self,
        slot: usize,
        turn: u64,
        meet: impl FnOnce(&mut Content<S>) -> T,
    ) -> Result<T, Stopped> {
        let shared = &self.slots[slot];
        let has_come = || shared.turn.load(Ordering::Acquire) == turn;
        for _ in 0..self.looks {
            if has_come() {
                break;
            }
            std::hint::spin_loop();
        }
        let mut content = lock(&shared.content);
        while !has_come() {
            if self.are_stopped() {
                return Err(Stopped);
            }
            content.awaited = true;
            content = shared.turn_came.wait(content).unwrap_or_else(PoisonError::into_inner);
        }
        let result = meet(&mut content);
        shared.turn.store(turn + 1, Ordering::Release);
        let awaited = std::mem::take(&mut content.awaited);
        drop(content);
        if awaited {
            shared.turn_came.notify_all();
        }
        Ok(result)
    }

    /// Has every worker stop that waits, or looks.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        for shared in &self.slots {
            // A worker that has not seen the flag yet holds the lock until it waits.
            drop(lock(&shared.content));
            shared.turn_came.notify_all();
        }
    }

    pub fn are_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// The most slots that held a state or a tape at once.
    pub fn in_use_peak(&self) -> usize {
        self.in_use_peak.load(Ordering::Relaxed)
    }

    /// Bytes of the slots without what they hold.
    pub fn table_bytes(&self) -> usize {
        grown::<Box<SharedSlot<S>>>(self.slots.capacity())
            + self.slots.len() * size_of::<SharedSlot<S>>()
    }

    /// The most bytes of states and tapes that were held at once.
    pub fn bytes_peak(&self, chain: &dyn Chain<S>) -> usize {
        let states = self.states.load(Ordering::Relaxed) * chain.dim() * S::BYTES;
        match self.tapes.load(Ordering::Relaxed) {
            0 => states,
            tapes => states + tapes * chain.largest_tape_bytes(),
        }
    }
}

/// Exchanges `y` for a state in a slot where that is freed next, or copies it.
pub(super) fn take_state<S: Scalar>(order: &Order, held: &mut Vec<S>, y: &mut Vec<S>) {
    if order.is_last_use_of_slot {
        std::mem::swap(held, y);
    } else {
        y.copy_from_slice(held);
    }
}

/// What a panic elsewhere left is whole: no worker computes while it holds a lock.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
