//! Snapshots in memory.

use std::collections::HashMap;

use super::{SnapshotStore, Usage, check_dim};
use crate::error::SnapshotError;
use crate::scalar::Scalar;

/// About how many numbers one allocation holds.
const BLOCK: usize = 4096;

/// In place of the step of a state that was taken: the slot's memory is still held.
const TAKEN: usize = usize::MAX;

/// Slots in memory, allocated when they are first used. States as long as the first one share
/// allocations.
#[derive(Debug, Default)]
pub struct MemoryStore<S> {
    blocks: Vec<Vec<S>>,
    /// States of another length than `dim`.
    odd: HashMap<usize, Vec<S>>,
    steps: Vec<Option<usize>>,
    /// The length of the states in `blocks`.
    dim: usize,
    usage: Usage,
}

/// Slots are numbered as they are used: a number so far beyond them is a slip, and would take
/// memory for all between.
const FAR: usize = 1 << 24;

impl<S: Scalar> MemoryStore<S> {
    /// A store without slots; they come as they are used.
    pub fn new() -> Self {
        let (blocks, odd, steps) = (Vec::new(), HashMap::new(), Vec::new());
        MemoryStore { blocks, odd, steps, dim: 0, usage: Usage::default() }
    }

    fn slots_per_block(&self) -> usize {
        (BLOCK / self.dim.max(1)).max(1)
    }

    /// Where `slot`, which holds nothing, may hold `dim` numbers.
    fn reserve(&mut self, slot: usize, dim: usize) -> &mut [S] {
        if self.usage.slots == 0 && dim != self.dim {
            *self = MemoryStore { dim, ..Self::new() };
        }
        if self.steps.len() <= slot {
            self.steps.resize(slot + 1, None);
        }
        if dim != self.dim {
            return self.odd.entry(slot).insert_entry(vec![S::zero(); dim]).into_mut();
        }
        let per_block = self.slots_per_block();
        let (block, range) = self.place(slot);
        if self.blocks.len() <= block {
            self.blocks.resize_with(block + 1, Vec::new);
        }
        if self.blocks[block].is_empty() {
            self.blocks[block] = vec![S::zero(); per_block * dim];
        }
        &mut self.blocks[block][range]
    }

    /// Where a state of the usual length is.
    fn place(&self, slot: usize) -> (usize, std::ops::Range<usize>) {
        let per_block = self.slots_per_block();
        let from = slot % per_block * self.dim;
        (slot / per_block, from..from + self.dim)
    }

    /// The step whose state the slot holds.
    fn found(&self, slot: usize) -> Option<usize> {
        self.steps.get(slot).copied().flatten().filter(|&step| step != TAKEN)
    }

    /// Notes that `slot` holds nothing. Returns whether it held a state of the usual length.
    fn forget(&mut self, slot: usize) -> bool {
        if self.steps.get_mut(slot).and_then(Option::take).is_none() {
            return false;
        }
        let odd = self.odd.remove(&slot);
        let dim = odd.as_ref().map_or(self.dim, Vec::len);
        self.usage.slots -= 1;
        self.usage.memory_bytes -= dim * S::BYTES;
        odd.is_none()
    }
}

impl<S: Scalar> SnapshotStore<S> for MemoryStore<S> {
    fn store(&mut self, slot: usize, step: usize, y: &[S]) -> Result<(), SnapshotError> {
        let slots = self.steps.len();
        if slot > slots.saturating_add(FAR) {
            return Err(SnapshotError::FarSlot { slot, slots });
        }
        self.forget(slot);
        self.reserve(slot, y.len()).copy_from_slice(y);
        self.steps[slot] = Some(step);
        self.usage.slots += 1;
        self.usage.memory_bytes += y.len() * S::BYTES;
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
        let (block, range) = self.place(slot);
        y.copy_from_slice(&self.blocks[block][range]);
        Ok(())
    }

    fn take(&mut self, slot: usize, step: usize, y: &mut Vec<S>) -> Result<(), SnapshotError> {
        let alone = self.slots_per_block() == 1 && !self.odd.contains_key(&slot);
        if alone && self.found(slot) == Some(step) && y.len() == self.dim {
            let (block, _) = self.place(slot);
            std::mem::swap(&mut self.blocks[block], y);
        } else {
            self.restore(slot, step, y)?;
        }
        self.steps[slot] = Some(TAKEN);
        Ok(())
    }

    fn free(&mut self, slot: usize) -> Result<(), SnapshotError> {
        if self.forget(slot) {
            let (block, per_block) = (slot / self.slots_per_block(), self.slots_per_block());
            let end = self.steps.len().min((block + 1) * per_block);
            let in_block =
                |slot: usize| self.steps[slot].is_some() && !self.odd.contains_key(&slot);
            if !(block * per_block..end).any(in_block) {
                self.blocks[block] = Vec::new();
            }
        }
        Ok(())
    }

    fn usage(&self) -> Usage {
        self.usage
    }
}
