//! Small states: in memory where there is room, and in one file when the run notes where it stands.

use std::path::Path;

use super::file::{self, Label, damaged};
use super::slab::Slab;
use super::{MemoryStore, SnapshotStore, Usage, check_dim, check_slot};
use crate::error::SnapshotError;
use crate::numbers::bytes::grown;
use crate::numbers::scalar::Scalar;
use crate::schedule::KeptState;

/// Bytes of records that are written at once.
const AT_ONCE: usize = 64 << 10;

/// Slots for small states: in memory, and written to a file when the run notes where it stands.
///
/// Slots below a number are in memory alone and lost with the process; those up to another are in
/// memory, too, and [`note`](SnapshotStore::note) writes what changed in them to the file; the others
/// are in the file alone. The file has a record a slot, each with a checksum, and says of itself when
/// it is being written: what a killed process left half written counts as lost, any other byte that is
/// not what was written is an error. It stays when the store is dropped, for a later one of the same
/// run.
///
/// ```
/// use costate::snapshot::{NotedStore, SnapshotStore};
///
/// let directory = std::env::temp_dir().join(format!("costate-noted-{}", std::process::id()));
/// let mut store = NotedStore::open(&directory, 1, 2, 0, 1 << 20)?;
/// store.store(0, 7, &[1.0, 2.0])?;
/// store.note()?;
/// drop(store);
/// let mut store = NotedStore::<f64>::open(&directory, 1, 2, 0, 0)?;
/// assert_eq!(store.adopt()?.len(), 1);
/// let mut y = [0.0; 2];
/// store.restore(0, 7, &mut y)?;
/// assert_eq!(y, [1.0, 2.0]);
/// # std::fs::remove_dir_all(directory)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct NotedStore<S> {
    lost: usize,
    cached: usize,
    memory: MemoryStore<S>,
    dim: usize,
    run: u64,
    slab: Slab,
    /// Of the slots from `lost` on.
    records: Vec<Record>,
    /// Slots to be written.
    changed: Vec<usize>,
    /// Slots that hold a state in the file alone.
    used: usize,
    /// Records that were written.
    written: usize,
    disk_budget: usize,
    buffer: Vec<u8>,
}

/// What the file holds of a slot, or is to hold.
#[derive(Clone, Copy, Debug, Default)]
struct Record {
    /// Step and length of a state that is in the file alone.
    kept: Option<(usize, usize)>,
    changed: bool,
    written: bool,
}

impl<S> NotedStore<S> {
    /// The file.
    pub fn path(&self) -> &Path {
        self.slab.path()
    }
}

impl<S: Scalar> NotedStore<S> {
    /// Bytes of states above which a file each costs little beside its content.
    pub const SMALL: usize = 64 << 10;

    /// Slots for states of up to `dim` numbers, whose file carries the number `run`: those below
    /// `lost` in memory alone, and of the others as many as `room` bytes hold in memory, too.
    ///
    /// # Errors
    /// Where the directory cannot be made or written, or holds a damaged file of the run.
    pub fn open(
        directory: &Path,
        run: u64,
        dim: usize,
        lost: usize,
        room: usize,
    ) -> Result<Self, SnapshotError> {
        file::open_directory(directory, run)?;
        let slab = Slab::open(directory, run, file::size::<S>(dim))?;
        Ok(NotedStore {
            lost,
            cached: lost.saturating_add(room / (dim * S::BYTES).max(1)),
            memory: MemoryStore::new(),
            dim,
            run,
            slab,
            records: Vec::new(),
            changed: Vec::new(),
            used: 0,
            written: 0,
            disk_budget: usize::MAX,
            buffer: Vec::new(),
        })
    }

    /// Bytes that the records may take; as many as there is room for unless told.
    #[must_use]
    pub fn disk_budget(mut self, bytes: usize) -> Self {
        self.disk_budget = bytes;
        self
    }

    /// Takes over what the file holds. Returns the states in the order of the slots.
    ///
    /// # Errors
    /// Where the file cannot be read, or a record is damaged or another run's.
    pub fn adopt(&mut self) -> Result<Vec<KeptState>, SnapshotError> {
        let (mut kept, mut torn) = (Vec::new(), false);
        let mut y = vec![S::zero(); self.dim];
        for record in 0..self.slab.len()? {
            let found = match self.read(record) {
                Err(SnapshotError::Damaged { .. }) if self.slab.torn() => {
                    torn = true;
                    continue;
                }
                found => found?,
            };
            let Some((step, len)) = found else { continue };
            let slot = record + self.lost;
            self.record(slot).written = true;
            self.written += 1;
            if slot < self.cached {
                file::decode(&self.buffer, &mut y[..len]);
                self.memory.store(slot, step, &y[..len])?;
            } else {
                self.record(slot).kept = Some((step, len));
                self.used += 1;
            }
            kept.push(KeptState { step, slot });
        }
        if !torn {
            self.slab.settle()?;
        }
        Ok(kept)
    }

    fn size(&self) -> usize {
        file::size::<S>(self.dim)
    }

    /// Reads a record into the buffer and checks it. Returns step and length of its state, if it holds
    /// one.
    fn read(&mut self, record: usize) -> Result<Option<(usize, usize)>, SnapshotError> {
        let size = self.size();
        self.buffer.resize(size, 0);
        self.slab.read(record, &mut self.buffer)?;
        if self.buffer.iter().all(|&byte| byte == 0) {
            return Ok(None);
        }
        let (path, bytes) = (self.slab.path(), &self.buffer);
        let label = file::header_label(path, bytes)?;
        let (step, len) = (label.step as usize, label.entries as usize);
        match label == Label::of::<S>(self.run, step, len) && len <= self.dim {
            true => Ok(Some((step, len))),
            false => Err(damaged(path, "a snapshot is another run's")),
        }
    }

    fn record(&mut self, slot: usize) -> &mut Record {
        let place = slot - self.lost;
        if self.records.len() <= place {
            self.records.resize(place + 1, Record::default());
        }
        &mut self.records[place]
    }

    /// Fails where the file may not be long enough for the slot.
    fn check_room(&self, slot: usize) -> Result<(), SnapshotError> {
        let records = (slot - self.lost).saturating_add(1);
        let (needed, budget) = (self.size().saturating_mul(records), self.disk_budget);
        match needed <= budget {
            true => Ok(()),
            false => Err(SnapshotError::DiskBudget { needed, budget }),
        }
    }

    /// Writes the buffer from the record of `slot` on, of which slot and following ones it is.
    fn write(&mut self, slot: usize) -> Result<(), SnapshotError> {
        self.slab.write(slot - self.lost, &self.buffer)?;
        for slot in slot..slot + self.buffer.len() / self.size() {
            let record = self.record(slot);
            record.changed = false;
            if !std::mem::replace(&mut record.written, true) {
                self.written += 1;
            }
        }
        self.buffer.clear();
        Ok(())
    }

    fn is_cached(&self, slot: usize) -> bool {
        slot < self.cached
    }
}

/// Adds the record of a state to the buffer.
fn encode<S: Scalar>(buffer: &mut Vec<u8>, size: usize, run: u64, step: usize, y: &[S]) {
    let from = buffer.len();
    buffer.resize(from + size, 0);
    let bytes = &mut buffer[from..];
    file::fill(bytes, run, step, y);
    file::seal(bytes);
}

impl<S: Scalar> SnapshotStore<S> for NotedStore<S> {
    fn store(&mut self, slot: usize, step: usize, y: &[S]) -> Result<(), SnapshotError> {
        if slot < self.lost {
            return self.memory.store(slot, step, y);
        }
        check_slot(slot, self.lost.saturating_add(self.records.len()))?;
        self.check_room(slot)?;
        if y.len() > self.dim {
            check_dim(slot, y.len(), self.dim)?;
        }
        if self.is_cached(slot) {
            if !std::mem::replace(&mut self.record(slot).changed, true) {
                self.changed.push(slot);
            }
            return self.memory.store(slot, step, y);
        }
        let before = self.record(slot).kept.take();
        self.used -= usize::from(before.is_some());
        self.buffer.clear();
        let size = self.size();
        encode(&mut self.buffer, size, self.run, step, y);
        self.write(slot)?;
        self.record(slot).kept = Some((step, y.len()));
        self.used += 1;
        Ok(())
    }

    fn restore(&mut self, slot: usize, step: usize, y: &mut [S]) -> Result<(), SnapshotError> {
        if self.is_cached(slot) {
            return self.memory.restore(slot, step, y);
        }
        let kept = self.records.get(slot - self.lost).and_then(|record| record.kept);
        let Some((_, len)) = kept.filter(|kept| kept.0 == step) else {
            let found = kept.map(|kept| kept.0);
            return Err(SnapshotError::WrongStep { slot, step, found });
        };
        check_dim(slot, y.len(), len)?;
        if self.read(slot - self.lost)? != kept {
            let what = "the snapshot is another run's or another step's";
            return Err(damaged(self.slab.path(), what));
        }
        file::decode(&self.buffer, y);
        Ok(())
    }

    fn take(&mut self, slot: usize, step: usize, y: &mut Vec<S>) -> Result<(), SnapshotError> {
        if self.is_cached(slot) {
            self.memory.take(slot, step, y)
        } else {
            self.restore(slot, step, y)
        }
    }

    /// What the file holds of the slot is whole, and stays until it is written over: a state is as
    /// true after its slot was freed.
    fn free(&mut self, slot: usize) -> Result<(), SnapshotError> {
        if self.is_cached(slot) {
            return self.memory.free(slot);
        }
        let kept = self.records.get_mut(slot - self.lost).and_then(|record| record.kept.take());
        self.used -= usize::from(kept.is_some());
        Ok(())
    }

    fn note(&mut self) -> Result<(), SnapshotError> {
        let mut changed = std::mem::take(&mut self.changed);
        changed.sort_unstable();
        self.buffer.clear();
        let (size, mut first, mut written) = (self.size(), 0, Ok(()));
        for &slot in &changed {
            let next = first + self.buffer.len() / size;
            if !self.buffer.is_empty() && (slot != next || self.buffer.len() >= AT_ONCE) {
                written = self.write(first);
                if written.is_err() {
                    break;
                }
            }
            if self.buffer.is_empty() {
                first = slot;
            }
            match self.memory.get(slot) {
                Some((step, y)) => encode(&mut self.buffer, size, self.run, step, y),
                // What it held was used and is of no use any more.
                None => self.record(slot).changed = false,
            }
        }
        if written.is_ok() && !self.buffer.is_empty() {
            written = self.write(first);
        }
        // What was written is not marked any more.
        changed.retain(|&slot| self.record(slot).changed);
        self.changed = changed;
        written
    }

    fn usage(&self) -> Usage {
        let memory = self.memory.usage();
        Usage {
            slots: memory.slots + self.used,
            memory_bytes: memory.memory_bytes + self.buffer.capacity(),
            disk_bytes: self.written * self.size(),
        }
    }

    fn table_bytes(&self) -> usize {
        self.memory.table_bytes()
            + grown::<Record>(self.records.capacity())
            + grown::<usize>(self.changed.capacity())
    }
}
