//! Where snapshots are kept: in memory or in files.

mod disk;
mod memory;

pub use disk::DiskStore;
pub use memory::MemoryStore;

use crate::error::SnapshotError;
use crate::scalar::Scalar;

/// Slots that each hold one state and the number of its step.
pub trait SnapshotStore<S: Scalar>: Send {
    /// Keeps y_`step` in `slot`, in place of what was there.
    fn store(&mut self, slot: usize, step: usize, y: &[S]) -> Result<(), SnapshotError>;
    /// Writes y_`step`, kept in `slot`, to `y`.
    fn restore(&mut self, slot: usize, step: usize, y: &mut [S]) -> Result<(), SnapshotError>;
    /// The most slots that ever held a state.
    fn slots_peak(&self) -> usize;
    /// The most bytes of states that were held at once.
    fn bytes_peak(&self) -> usize;
}

fn check_dim(slot: usize, given: usize, kept: usize) -> Result<(), SnapshotError> {
    if given == kept { Ok(()) } else { Err(SnapshotError::WrongLength { slot, given, kept }) }
}
