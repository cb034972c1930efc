//! Where snapshots are kept: in memory, in files, or in both.

mod file;
mod bandwidth;
mod disk;
mod memory;
mod slab;
mod noted;
mod transfer;
mod tiered;

pub use bandwidth::{Bandwidth, measure_disk};
pub use disk::DiskStore;
pub use memory::MemoryStore;
pub use noted::NotedStore;
pub use tiered::TieredStore;

use crate::error::SnapshotError;
use crate::numbers::scalar::Scalar;

/// Slots that each hold one state and the number of its step.
pub trait SnapshotStore<S: Scalar>: Send {
    /// Keeps y_`step` in `slot`, in place of what was there.
    fn store(&mut self, slot: usize, step: usize, y: &[S]) -> Result<(), SnapshotError>;
    /// Writes y_`step`, kept in `slot`, to `y`.
    fn restore(&mut self, slot: usize, step: usize, y: &mut [S]) -> Result<(), SnapshotError>;
    /// As [`restore`](Self::restore), where what `slot` holds is of no use afterwards: `y` may be
    /// exchanged with it instead of being written to. The slot then holds nothing, and its memory is
    /// still counted.
    fn take(&mut self, slot: usize, step: usize, y: &mut Vec<S>) -> Result<(), SnapshotError> {
        self.restore(slot, step, y)
    }
    /// Gives back the memory of `slot`, which then holds nothing.
    fn free(&mut self, slot: usize) -> Result<(), SnapshotError>;
    /// Says that y_`step` in `slot` will be restored soon.
    fn expect(&mut self, _slot: usize, _step: usize) {}
    /// Writes down what is to outlive the process: called before a run notes where it stands.
    fn note(&mut self) -> Result<(), SnapshotError> {
        Ok(())
    }
    /// What is held now.
    fn usage(&self) -> Usage;
    /// Bytes of memory beside those of [`usage`](Self::usage): the numbers of steps, places in
    /// tables, room that was allocated with that of a state.
    fn table_bytes(&self) -> usize;
}

/// What a store holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Slots that hold a state.
    pub slots: usize,
    /// Bytes of memory that states and buffers of states take.
    pub memory_bytes: usize,
    /// Bytes of files.
    pub disk_bytes: usize,
}

/// Slots are numbered as they are used: a number so far beyond them is a slip, and would take
/// memory for all between.
const FAR: usize = 1 << 24;

/// Fails where `slot` is far beyond the `slots` that are known.
fn check_slot(slot: usize, slots: usize) -> Result<(), SnapshotError> {
    if slot <= slots.saturating_add(FAR) && slot < usize::MAX {
        Ok(())
    } else {
        Err(SnapshotError::FarSlot { slot, slots })
    }
}

fn check_dim(slot: usize, given: usize, kept: usize) -> Result<(), SnapshotError> {
    if given == kept { Ok(()) } else { Err(SnapshotError::WrongLength { slot, given, kept }) }
}
