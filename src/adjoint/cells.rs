//! Slots of states that several threads share.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::dispatch::Order;
use crate::error::SnapshotError;
use crate::scalar::Scalar;

/// A few microseconds' worth: what waking a thread costs.
const LOOKS: u32 = 100;

/// The lanes were stopped while one waited.
pub(super) struct Stopped;

/// Slots, each of which meets its orders in their turns.
pub(super) struct Cells<S> {
    cells: Vec<Cell<S>>,
    stopped: AtomicBool,
    in_use: AtomicUsize,
    in_use_peak: AtomicUsize,
    /// Cells that ever held a state; they keep their memory.
    allocated: AtomicUsize,
    /// How often a lane looks whether its turn has come before it sleeps.
    looks: u32,
}

struct Cell<S> {
    /// How many orders the slot has met; changed under the lock alone.
    turn: AtomicU64,
    content: Mutex<Content<S>>,
    turn_came: Condvar,
}

struct Content<S> {
    /// A lane waits for its turn.
    awaited: bool,
    step: Option<usize>,
    y: Vec<S>,
}

impl<S: Scalar> Cells<S> {
    pub fn new() -> Self {
        let several_cores = std::thread::available_parallelism().is_ok_and(|cores| cores.get() > 1);
        Cells {
            cells: Vec::new(),
            stopped: AtomicBool::new(false),
            in_use: AtomicUsize::new(0),
            in_use_peak: AtomicUsize::new(0),
            allocated: AtomicUsize::new(0),
            looks: if several_cores { LOOKS } else { 0 },
        }
    }

    pub fn grow(&mut self, slots: usize) {
        while self.cells.len() < slots {
            let content = Mutex::new(Content { awaited: false, step: None, y: Vec::new() });
            let turn = AtomicU64::new(0);
            self.cells.push(Cell { turn, content, turn_came: Condvar::new() });
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
        y: &mut Vec<S>,
    ) -> Result<(), Stopped> {
        self.in_turn(slot, order.turn, |content| {
            if content.y.is_empty() {
                self.allocated.fetch_add(1, Ordering::Relaxed);
                content.y = vec![S::zero(); y.len()];
            }
            if order.is_last_use_of_state {
                std::mem::swap(&mut content.y, y);
            } else {
                content.y.copy_from_slice(y);
            }
            if content.step.replace(step).is_none() {
                let in_use = 1 + self.in_use.fetch_add(1, Ordering::Relaxed);
                self.in_use_peak.fetch_max(in_use, Ordering::Relaxed);
            }
        })
    }

    /// Writes y_`step` to `y`, or exchanges them where the slot is freed next.
    pub fn restore(
        &self,
        slot: usize,
        order: &Order,
        step: usize,
        y: &mut Vec<S>,
    ) -> Result<Result<(), SnapshotError>, Stopped> {
        self.in_turn(slot, order.turn, |content| {
            let found = content.step;
            if found != Some(step) {
                return Err(SnapshotError::WrongStep { slot, step, found });
            }
            if order.is_last_use_of_slot {
                std::mem::swap(&mut content.y, y);
            } else {
                y.copy_from_slice(&content.y);
            }
            Ok(())
        })
    }

    pub fn free(&self, slot: usize, order: &Order) -> Result<(), Stopped> {
        self.in_turn(slot, order.turn, |content| {
            if content.step.take().is_some() {
                self.in_use.fetch_sub(1, Ordering::Relaxed);
            }
        })
    }

    fn in_turn<T>(
        &self,
        slot: usize,
        turn: u64,
        meet: impl FnOnce(&mut Content<S>) -> T,
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

    /// The most slots that held a state at once.
    pub fn in_use_peak(&self) -> usize {
        self.in_use_peak.load(Ordering::Relaxed)
    }

    /// The most bytes of states that were held at once.
    pub fn bytes_peak(&self, dim: usize) -> usize {
        self.allocated.load(Ordering::Relaxed) * dim * S::BYTES
    }
}

/// What a panic elsewhere left is whole: no lane computes while it holds a lock.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
