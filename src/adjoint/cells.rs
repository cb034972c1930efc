//! Slots of states and tapes that several threads share.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use num_traits::Zero;

use super::dispatch::Order;
use crate::bytes::grown;
use crate::error::SnapshotError;
use crate::recurrence::Recurrence;
use crate::scalar::Scalar;
use crate::schedule::Keep;

/// A few microseconds' worth: what waking a thread costs.
const LOOKS: u32 = 100;

/// The lanes were stopped while one waited.
pub(super) struct Stopped;

/// Slots, each of which meets its orders in their turns.
pub(super) struct Cells<R: Recurrence> {
    /// Apart: where more come, these are not copied.
    #[allow(clippy::vec_box, reason = "a copy of all of them would be held while the list grows")]
    cells: Vec<Box<Cell<R>>>,
    stopped: AtomicBool,
    in_use: AtomicUsize,
    in_use_peak: AtomicUsize,
    /// Cells that ever held a state, or a tape; they keep their memory.
    states: AtomicUsize,
    tapes: AtomicUsize,
    /// How often a lane looks whether its turn has come before it sleeps.
    looks: u32,
}

struct Cell<R: Recurrence> {
    /// How many orders the slot has met; changed under the lock alone.
    turn: AtomicU64,
    content: Mutex<Content<R>>,
    turn_came: Condvar,
}

struct Content<R: Recurrence> {
    /// A lane waits for its turn.
    awaited: bool,
    held: Option<(usize, Keep)>,
    y: Vec<R::Scalar>,
    tape: Option<Box<R::Kept>>,
}

/// What is restored.
pub(super) enum Held<'a, R: Recurrence> {
    State(&'a mut Vec<R::Scalar>),
    /// The slot is empty afterwards.
    Tape(&'a mut R::Kept),
}

impl<R: Recurrence> Cells<R> {
    pub fn new() -> Self {
        let several_cores = std::thread::available_parallelism().is_ok_and(|cores| cores.get() > 1);
        Cells {
            cells: Vec::new(),
            stopped: AtomicBool::new(false),
            in_use: AtomicUsize::new(0),
            in_use_peak: AtomicUsize::new(0),
            states: AtomicUsize::new(0),
            tapes: AtomicUsize::new(0),
            looks: if several_cores { LOOKS } else { 0 },
        }
    }

    pub fn grow(&mut self, slots: usize) {
        while self.cells.len() < slots {
            let content =
                Mutex::new(Content { awaited: false, held: None, y: Vec::new(), tape: None });
            let turn = AtomicU64::new(0);
            self.cells.push(Box::new(Cell { turn, content, turn_came: Condvar::new() }));
        }
    }

    pub fn has(&self, slot: usize) -> bool {
        slot < self.cells.len()
    }

    /// Keeps y_`step`; `y` may be given away where the next order of its lane overwrites it.
    pub fn store(
        &self,
        slot: usize,
        order: &Order,
        step: usize,
        y: &mut Vec<R::Scalar>,
    ) -> Result<(), Stopped> {
        self.in_turn(slot, order.turn, |content| {
            if content.y.is_empty() {
                self.states.fetch_add(1, Ordering::Relaxed);
                content.y = vec![R::Scalar::zero(); y.len()];
            }
            if order.is_last_use_of_state {
                std::mem::swap(&mut content.y, y);
            } else {
                content.y.copy_from_slice(y);
            }
            self.hold(content, Some((step, Keep::State)));
        })
    }

    /// Exchanges the step on `tape` for what the slot holds. Returns whether the chain keeps tapes.
    pub fn store_tape(
        &self,
        slot: usize,
        order: &Order,
        step: usize,
        chain: &R,
        tape: &mut R::Tape,
    ) -> Result<bool, Stopped> {
        self.in_turn(slot, order.turn, |content| {
            if content.tape.is_none() {
                content.tape = chain.kept().map(Box::new);
                self.tapes.fetch_add(usize::from(content.tape.is_some()), Ordering::Relaxed);
            }
            let Some(kept) = &mut content.tape else { return false };
            chain.exchange(tape, kept);
            self.hold(content, Some((step, Keep::Tape)));
            true
        })
    }

    /// Has `take` take what the slot holds of `step`.
    pub fn restore<T>(
        &self,
        slot: usize,
        order: &Order,
        step: usize,
        take: impl FnOnce(Held<'_, R>) -> T,
    ) -> Result<Result<T, SnapshotError>, Stopped> {
        self.in_turn(slot, order.turn, |content| {
            let held = content.held;
            match (held, content.tape.as_deref_mut()) {
                (Some((n, Keep::State)), _) if n == step => Ok(take(Held::State(&mut content.y))),
                (Some((n, Keep::Tape)), Some(tape)) if n == step => {
                    let taken = take(Held::Tape(tape));
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
    fn hold(&self, content: &mut Content<R>, held: Option<(usize, Keep)>) {
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
        meet: impl FnOnce(&mut Content<R>) -> T,
    ) -> Result<T, Stopped> {
        let cell = &self.cells[slot];
        let has_come = || cell.turn.load(Ordering::Acquire) == turn;
        for _ in 0..self.looks {
            if has_come() {
                break;
            }
            std::hint::spin_loop();
        }
        let mut content = lock(&cell.content);
        while !has_come() {
            if self.are_stopped() {
                return Err(Stopped);
            }
            content.awaited = true;
            content = cell.turn_came.wait(content).unwrap_or_else(PoisonError::into_inner);
        }
        let result = meet(&mut content);
        cell.turn.store(turn + 1, Ordering::Release);
        let awaited = std::mem::take(&mut content.awaited);
        drop(content);
        if awaited {
            cell.turn_came.notify_all();
        }
        Ok(result)
    }

    /// Has every lane stop that waits, or looks.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        for cell in &self.cells {
            // A lane that has not seen the flag yet holds the lock until it waits.
            drop(lock(&cell.content));
            cell.turn_came.notify_all();
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
        grown::<Box<Cell<R>>>(self.cells.capacity()) + self.cells.len() * size_of::<Cell<R>>()
    }

    /// The most bytes of states and tapes that were held at once.
    pub fn bytes_peak(&self, chain: &R) -> usize {
        let state = chain.dim() * <R::Scalar as Scalar>::BYTES;
        let tape = || (0..chain.num_steps()).map(|n| chain.kept_bytes(n)).max().unwrap_or(0);
        let states = self.states.load(Ordering::Relaxed) * state;
        match self.tapes.load(Ordering::Relaxed) {
            0 => states,
            tapes => states + tapes * tape(),
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

/// What a panic elsewhere left is whole: no lane computes while it holds a lock.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
