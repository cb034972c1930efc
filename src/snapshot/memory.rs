//! Snapshots in memory.

use std::collections::HashMap;

use super::{SnapshotStore, Usage, check_dim, check_slot};
use crate::error::SnapshotError;
use crate::numbers::bytes::grown;
use crate::numbers::scalar::Scalar;

/// How many numbers one allocation holds at most, unless one state is longer: little, since what is
/// left over in it counts in a budget.
const NUMBERS: usize = 128;
/// How many states it holds at most.
const STATES: usize = 32;

/// In place of the step of a slot that holds nothing.
const EMPTY: usize = usize::MAX;
/// In place of the step of a state that was taken: the slot's memory is still held.
const TAKEN: usize = usize::MAX - 1;

/// Slots in memory, allocated when they are first used. States as long as the first one share
/// allocations.
#[derive(Debug, Default)]
pub struct MemoryStore<S> {
    blocks: Vec<Block<S>>,
    /// States of another length than `dim`.
    odd: HashMap<usize, Vec<S>>,
    /// The length of the states in `blocks`.
    dim: usize,
    /// Bytes that the blocks point to.
    block_bytes: usize,
    /// Bytes of the states of other lengths.
    odd_bytes: usize,
    usage: Usage,
}

/// Neighbouring slots.
#[derive(Debug)]
struct Block<S> {
    /// Their states one behind the other; none before one of the usual length is kept.
    states: Vec<S>,
    /// Their steps; none where all are empty.
    steps: Vec<usize>,
}

impl<S> Block<S> {
    fn empty() -> Self {
        Block { states: Vec::new(), steps: Vec::new() }
    }
}

impl<S: Scalar> MemoryStore<S> {
    /// A store without slots; they come as they are used.
    pub fn new() -> Self {
        MemoryStore {
            blocks: Vec::new(),
            odd: HashMap::new(),
            dim: 0,
            block_bytes: 0,
            odd_bytes: 0,
            usage: Usage::default(),
        }
    }

    fn slots_per_block(&self) -> usize {
        (NUMBERS / self.dim.max(1)).clamp(1, STATES)
    }

    /// Makes room in `slot`, which is empty, for `y` of `step`, and copies it there.
    fn fill(&mut self, slot: usize, step: usize, y: &[S]) {
        if self.usage.slots == 0 && y.len() != self.dim {
            *self = MemoryStore { dim: y.len(), ..Self::new() };
        }
        let per_block = self.slots_per_block();
        let (index, place) = (slot / per_block, slot % per_block);
        if self.blocks.len() <= index {
            self.blocks.resize_with(index + 1, Block::empty);
        }
        let block = &mut self.blocks[index];
        if block.steps.is_empty() {
            block.steps = vec![EMPTY; per_block];
            self.block_bytes += size_of::<usize>() * per_block;
        }
        block.steps[place] = step;
        if y.len() != self.dim {
            self.odd_bytes += size_of_val(y);
            self.odd.insert(slot, y.to_vec());
            return;
        }
        if block.states.is_empty() {
            block.states = vec![S::zero(); per_block * self.dim];
            self.block_bytes += S::BYTES * per_block * self.dim;
        }
        block.states[place * self.dim..][..self.dim].copy_from_slice(y);
    }

    /// What the slot's place for a step holds, where it has one.
    fn mark(&mut self, slot: usize) -> Option<&mut usize> {
        let per_block = self.slots_per_block();
        self.blocks.get_mut(slot / per_block)?.steps.get_mut(slot % per_block)
    }

    /// The step whose state the slot holds.
    fn found(&self, slot: usize) -> Option<usize> {
        let per_block = self.slots_per_block();
        let mark = *self.blocks.get(slot / per_block)?.steps.get(slot % per_block)?;
        (mark != EMPTY && mark != TAKEN).then_some(mark)
    }

    /// The step and the state that the slot holds.
    pub(super) fn get(&self, slot: usize) -> Option<(usize, &[S])> {
        let step = self.found(slot)?;
        if let Some(kept) = self.odd.get(&slot) {
            return Some((step, kept));
        }
        let per_block = self.slots_per_block();
        let from = slot % per_block * self.dim;
        Some((step, &self.blocks[slot / per_block].states[from..from + self.dim]))
    }

    /// Notes that `slot` holds nothing.
    fn forget(&mut self, slot: usize) {
        let Some(mark) = self.mark(slot).filter(|mark| **mark != EMPTY) else { return };
        *mark = EMPTY;
        let odd = self.odd.remove(&slot).map(|y| y.len());
        self.odd_bytes -= odd.unwrap_or(0) * S::BYTES;
        self.usage.slots -= 1;
        self.usage.memory_bytes -= odd.unwrap_or(self.dim) * S::BYTES;
    }
}

impl<S: Scalar> SnapshotStore<S> for MemoryStore<S> {
    fn store(&mut self, slot: usize, step: usize, y: &[S]) -> Result<(), SnapshotError> {
        check_slot(slot, self.blocks.len() * self.slots_per_block())?;
        self.forget(slot);
        self.fill(slot, step, y);
        self.usage.slots += 1;
        self.usage.memory_bytes += size_of_val(y);
        Ok(())
    }

    fn restore(&mut self, slot: usize, step: usize, y: &mut [S]) -> Result<(), SnapshotError> {
        let found = self.found(slot);
        if found != Some(step) {
            return Err(SnapshotError::WrongStep { slot, step, found });
        }
        if let Some(kept) = self.odd.get(&slot) {
            check_dim(slot, y.len(), kept.len())?;
            y.copy_from_slice(kept);
            return Ok(());
        }
        check_dim(slot, y.len(), self.dim)?;
        let per_block = self.slots_per_block();
        let states = &self.blocks[slot / per_block].states;
        y.copy_from_slice(&states[slot % per_block * self.dim..][..self.dim]);
        Ok(())
    }

    fn take(&mut self, slot: usize, step: usize, y: &mut Vec<S>) -> Result<(), SnapshotError> {
        let alone = self.slots_per_block() == 1 && !self.odd.contains_key(&slot);
        if alone && self.found(slot) == Some(step) && y.len() == self.dim {
            std::mem::swap(&mut self.blocks[slot].states, y);
        } else {
            self.restore(slot, step, y)?;
        }
        if let Some(mark) = self.mark(slot) {
            *mark = TAKEN;
        }
        Ok(())
    }

    fn free(&mut self, slot: usize) -> Result<(), SnapshotError> {
        self.forget(slot);
        let index = slot / self.slots_per_block();
        if let Some(block) = self.blocks.get_mut(index)
            && block.steps.iter().all(|&mark| mark == EMPTY)
        {
            let Block { states, steps } = std::mem::replace(block, Block::empty());
            self.block_bytes -= size_of_val(&states[..]) + size_of_val(&steps[..]);
        }
        Ok(())
    }

    fn usage(&self) -> Usage {
        self.usage
    }

    fn table_bytes(&self) -> usize {
        let blocks = self.block_bytes + grown::<Block<S>>(self.blocks.capacity());
        let odd = self.odd_bytes + grown::<(usize, Vec<S>)>(2 * self.odd.capacity());
        (blocks + odd).saturating_sub(self.usage.memory_bytes)
    }
}
