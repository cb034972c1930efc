//! Slots whose memory never exceeds a budget.

use std::collections::VecDeque;

use crate::numbers::bytes::grown;
use crate::schedule::{Action, Keep};

/// A slot that keeps nothing but still has its memory.
#[derive(Clone, Copy, Debug)]
struct Idle {
    slot: usize,
    bytes: u64,
}

/// The numbers of one kind of slots.
#[derive(Clone, Debug)]
struct Numbers {
    fresh: usize,
    /// Freed, without memory.
    freed: Vec<usize>,
    idle: Vec<Idle>,
}

impl Numbers {
    fn from(fresh: usize) -> Self {
        Numbers { fresh, freed: Vec::new(), idle: Vec::new() }
    }

    fn bytes(&self) -> usize {
        grown::<usize>(self.freed.capacity()) + grown::<Idle>(self.idle.capacity())
    }

    fn number(&mut self) -> usize {
        self.freed.pop().unwrap_or_else(|| {
            self.fresh += 1;
            self.fresh - 1
        })
    }
}

/// A slot's memory outlives what it keeps, so that the next store need not ask for it again; it is
/// freed where that memory is wanted for something of another size. No slot serves states at one
/// time and tapes at another.
#[derive(Clone, Debug)]
pub(super) struct Pool {
    budget: u64,
    /// Of all slots that keep something or are idle.
    allocated: u64,
    states: Numbers,
    tapes: Numbers,
}

impl Pool {
    pub fn new(budget: u64, first_tape: usize) -> Self {
        let (states, tapes) = (Numbers::from(0), Numbers::from(first_tape));
        Pool { budget, allocated: 0, states, tapes }
    }

    /// Bytes of its lists.
    pub fn bytes(&self) -> usize {
        self.states.bytes() + self.tapes.bytes()
    }

    fn numbers(&mut self, keep: Keep) -> &mut Numbers {
        match keep {
            Keep::State => &mut self.states,
            Keep::Tape => &mut self.tapes,
        }
    }

    /// Takes note of a slot that is in use from the beginning.
    pub fn occupy(&mut self, slot: usize, keep: Keep, bytes: u64) {
        self.allocated += bytes;
        let numbers = self.numbers(keep);
        numbers.fresh = numbers.fresh.max(slot.saturating_add(1));
    }

    /// Takes back a slot that need not keep anything any more.
    pub fn give_back(&mut self, slot: usize, keep: Keep, bytes: u64) {
        self.numbers(keep).idle.push(Idle { slot, bytes });
    }

    /// A slot with room, after freeing what stands in its way.
    pub fn take(&mut self, keep: Keep, bytes: u64, queue: &mut VecDeque<Action>) -> usize {
        let idle = &mut self.numbers(keep).idle;
        if let Some(place) = idle.iter().rposition(|idle| idle.bytes == bytes) {
            return idle.swap_remove(place).slot;
        }
        while self.allocated.saturating_add(bytes) > self.budget
            && let Some(slot) = self.free_one()
        {
            queue.push_back(Action::Free { slot });
        }
        self.allocated += bytes;
        self.numbers(keep).number()
    }

    fn free_one(&mut self) -> Option<usize> {
        for numbers in [&mut self.states, &mut self.tapes] {
            if let Some(Idle { slot, bytes }) = numbers.idle.pop() {
                numbers.freed.push(slot);
                self.allocated -= bytes;
                return Some(slot);
            }
        }
        None
    }
}
