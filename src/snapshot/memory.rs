//! Snapshots in memory.

use super::{SnapshotStore, Usage, check_dim};
use crate::error::SnapshotError;
use crate::scalar::Scalar;

/// About how many numbers one allocation holds.
const BLOCK: usize = 4096;

/// Slots in memory, allocated when they are first used.
#[derive(Debug, Default)]
pub struct MemoryStore<S> {
    blocks: Vec<Vec<S>>,
    steps: Vec<Option<usize>>,
    dim: usize,
    used: usize,
}

impl<S: Scalar> MemoryStore<S> {
    /// A store without slots; they come as they are used.
    pub fn new() -> Self {
        MemoryStore { blocks: Vec::new(), steps: Vec::new(), dim: 0, used: 0 }
    }

    fn slots_per_block(&self) -> usize {
        (BLOCK / self.dim.max(1)).max(1)
    }

    /// Makes room for `slot` to hold `dim` numbers.
    fn reserve(&mut self, slot: usize, dim: usize) {
        if dim != self.dim {
            *self = MemoryStore { dim, ..Self::new() };
        }
        let per_block = self.slots_per_block();
        while self.steps.len() <= slot {
            self.steps.push(None);
        }
        let block = slot / per_block;
        if self.blocks.len() <= block {
            self.blocks.resize_with(block + 1, Vec::new);
        }
        if self.blocks[block].is_empty() {
            self.blocks[block] = vec![S::zero(); per_block * dim];
        }
    }

    fn place(&self, slot: usize) -> (usize, std::ops::Range<usize>) {
        let per_block = self.slots_per_block();
        let from = slot % per_block * self.dim;
        (slot / per_block, from..from + self.dim)
    }
}

impl<S: Scalar> SnapshotStore<S> for MemoryStore<S> {
    fn store(&mut self, slot: usize, step: usize, y: &[S]) -> Result<(), SnapshotError> {
        self.reserve(slot, y.len());
        let (block, range) = self.place(slot);
        self.blocks[block][range].copy_from_slice(y);
        self.used += usize::from(self.steps[slot].is_none());
        self.steps[slot] = Some(step);
        Ok(())
    }

    fn restore(&mut self, slot: usize, step: usize, y: &mut [S]) -> Result<(), SnapshotError> {
        let found = self.steps.get(slot).copied().flatten();
        if found != Some(step) {
            return Err(SnapshotError::WrongStep { slot, step, found });
        }
        check_dim(slot, y.len(), self.dim)?;
        let (block, range) = self.place(slot);
        y.copy_from_slice(&self.blocks[block][range]);
        Ok(())
    }

    fn free(&mut self, slot: usize) -> Result<(), SnapshotError> {
        if let Some(step) = self.steps.get_mut(slot)
            && step.take().is_some()
        {
            self.used -= 1;
            let (block, per_block) = (slot / self.slots_per_block(), self.slots_per_block());
            let end = self.steps.len().min((block + 1) * per_block);
            if self.steps[block * per_block..end].iter().all(Option::is_none) {
                self.blocks[block] = Vec::new();
            }
        }
        Ok(())
    }

    fn usage(&self) -> Usage {
        let memory_bytes = self.used * self.dim * S::BYTES;
        Usage { slots: self.used, memory_bytes, disk_bytes: 0 }
    }
}
