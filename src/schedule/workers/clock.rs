//! Virtual time of workers that share slots.

use crate::numbers::bytes::grown;

/// When each worker has done its actions so far, and when each slot was last written, read or
/// freed.
#[derive(Clone, Debug, Default)]
pub(super) struct Clock {
    workers: Vec<u64>,
    slots: Vec<u64>,
}

impl Clock {
    pub fn new(workers: usize) -> Self {
        Clock { workers: vec![0; workers], slots: Vec::new() }
    }

    pub fn of(&self, worker: usize) -> u64 {
        self.workers[worker]
    }

    pub fn spend(&mut self, worker: usize, time: u64) {
        self.workers[worker] = self.workers[worker].saturating_add(time);
    }

    /// Has a worker wait for its turn at a slot.
    pub fn synchronise(&mut self, worker: usize, slot: usize) {
        if self.slots.len() <= slot {
            self.slots.resize(slot + 1, 0);
        }
        let time = self.workers[worker].max(self.slots[slot]);
        (self.workers[worker], self.slots[slot]) = (time, time);
    }

    pub fn bytes(&self) -> usize {
        grown::<u64>(self.slots.capacity()) + self.workers.capacity() * size_of::<u64>()
    }
}
