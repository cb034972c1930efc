//! Snapshots in memory and, beyond a number of slots, in files that are written and read while
//! steps are taken.

mod traffic;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use super::file::{self, Durability, Label};
use super::transfer::{Done, Job, Transfer};
use super::{MemoryStore, SnapshotStore, Usage, check_dim, check_slot};
use crate::error::SnapshotError;
use crate::numbers::bytes::grown;
use crate::numbers::scalar::Scalar;

/// Writes under way at once.
const WRITES: usize = 2;
/// Reads under way or done ahead of need.
const READS: usize = 2;
/// How many announced reads are remembered until their turn.
const ANNOUNCED: usize = 64;

/// Slots below a number in memory, the others in files, which a thread of the store's own writes
/// and reads: [`store`](SnapshotStore::store) returns when the state is copied, and
/// [`expect`](SnapshotStore::expect) begins to read ahead.
///
/// At most two states are on their way to the disk and two on their way back; their buffers are in
/// [`usage`](SnapshotStore::usage). A third `store` waits. Files are as [`DiskStore`]'s: checked,
/// written beside their place and renamed into it, removed when the store is dropped unless they
/// are to be [kept](Self::keep_files). States of several lengths may be kept.
///
/// What goes wrong on the thread is the error of the next call that can return one, or of
/// [`flush`](Self::flush); the slot of a failed write then holds nothing.
///
/// [`DiskStore`]: super::DiskStore
///
/// ```
/// use costate::snapshot::{SnapshotStore, TieredStore};
///
/// let directory = std::env::temp_dir().join(format!("costate-tiers-{}", std::process::id()));
/// let mut store = TieredStore::new(1, &directory)?;
/// store.store(0, 3, &[1.0, 2.0])?; // in memory
/// store.store(1, 7, &[3.0, 4.0])?; // in a file
/// store.expect(1, 7);
/// let mut y = [0.0; 2];
/// store.restore(1, 7, &mut y)?;
/// assert_eq!(y, [3.0, 4.0]);
/// assert_eq!(store.usage().slots, 2);
/// # drop(store);
/// # std::fs::remove_dir(directory)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct TieredStore<S> {
    fast: usize,
    memory: MemoryStore<S>,
    directory: PathBuf,
    run: u64,
    disk_budget: usize,
    durability: Durability,
    keep_files: bool,
    /// Of the slots from `fast` on.
    slots: Vec<Slow>,
    /// Slow slots that hold a state.
    used: usize,
    /// Bytes of files, those under way and those about to be replaced or removed among them.
    disk_bytes: usize,
    /// States ever given to slow slots.
    number: u64,
    transfer: Transfer<Note>,
    announced: VecDeque<Wanted>,
    ready: VecDeque<(Wanted, Done)>,
    spare: Vec<Vec<u8>>,
    buffer_bytes: usize,
    failed: VecDeque<SnapshotError>,
}

/// A slot on disk.
#[derive(Clone, Copy, Debug, Default)]
struct Slow {
    kept: Option<Kept>,
    /// Bytes of its file.
    file: usize,
}

#[derive(Clone, Copy, Debug)]
struct Kept {
    step: usize,
    dim: usize,
    /// Tells it from what the slot held before.
    number: u64,
}

/// A state to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wanted {
    slot: usize,
    number: u64,
}

/// What a job on the thread is for.
#[derive(Clone, Copy, Debug)]
enum Note {
    Write { slot: usize, number: u64, size: usize },
    Read(Wanted),
    Remove { slot: usize },
}

impl<S> TieredStore<S> {
    /// The file of a slot on disk.
    pub fn path(&self, slot: usize) -> PathBuf {
        file::path(&self.directory, slot, self.run)
    }

    /// The number that the files carry in name and header.
    pub fn run(&self) -> u64 {
        self.run
    }

    /// Bytes that the files may take, one that is about to be replaced and its successor both
    /// counted; as many as there is room for unless told.
    #[must_use]
    pub fn disk_budget(mut self, bytes: usize) -> Self {
        self.disk_budget = bytes;
        self
    }

    /// Waits, on the store's thread, until each file and its name are on the disk itself, so that
    /// they outlive a loss of power. Otherwise they outlive the end of the process.
    #[must_use]
    pub fn durable(mut self) -> Self {
        self.durability = Durability::Power;
        self
    }

    /// Leaves the files where they are when the store is dropped.
    #[must_use]
    pub fn keep_files(mut self) -> Self {
        self.keep_files = true;
        self
    }
}

impl<S: Scalar> TieredStore<S> {
    /// Slots below `fast` in memory, the others in `directory`, which is made where it is not
    /// there and may be shared with other stores.
    ///
    /// # Errors
    /// Where the directory cannot be made or written, or no thread can be had.
    pub fn new(fast: usize, directory: impl AsRef<Path>) -> Result<Self, SnapshotError> {
        Self::open(fast, directory, file::unique())
    }

    /// As [`new`](Self::new), for files that carry the number `run` of a store that is gone:
    /// [`found`](Self::found) lists them and [`adopt`](Self::adopt) takes them over.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn open(fast: usize, directory: impl AsRef<Path>, run: u64) -> Result<Self, SnapshotError> {
        let directory = directory.as_ref().to_path_buf();
        file::open_directory(&directory, run)?;
        Ok(TieredStore {
            fast,
            memory: MemoryStore::new(),
            run,
            disk_budget: usize::MAX,
            durability: Durability::Process,
            keep_files: false,
            slots: Vec::new(),
            used: 0,
            disk_bytes: 0,
            number: 0,
            transfer: Transfer::start(&directory)?,
            directory,
            announced: VecDeque::new(),
            ready: VecDeque::new(),
            spare: Vec::new(),
            buffer_bytes: 0,
            failed: VecDeque::new(),
        })
    }

    /// The budget that so many slots on disk of `dim` numbers need.
    pub fn bytes_for(slots: usize, dim: usize) -> usize {
        file::size::<S>(dim).saturating_mul(slots.saturating_add(1))
    }

    /// How many slots on disk of `dim` numbers a budget of bytes has room for: one file less, as
    /// one may be about to be replaced.
    pub fn slots_within(disk_budget: usize, dim: usize) -> usize {
        (disk_budget / file::size::<S>(dim)).saturating_sub(1)
    }

    /// The slots for which there is a file of this run, in ascending order. Files of this run that
    /// were not finished are removed.
    ///
    /// # Errors
    /// Where the directory cannot be read or written.
    pub fn found(&mut self) -> Result<Vec<usize>, SnapshotError> {
        self.flush()?;
        let error = |source| file::io_error(&self.directory, source);
        let mut slots = Vec::new();
        for entry in std::fs::read_dir(&self.directory).map_err(error)? {
            let path = entry.map_err(error)?.path();
            let Some(slot) = file::slot(&path, self.run) else { continue };
            if path.extension().is_some_and(|extension| extension == file::UNFINISHED) {
                std::fs::remove_file(&path).map_err(|source| file::io_error(&path, source))?;
            } else {
                slots.push(slot);
            }
        }
        slots.sort_unstable();
        Ok(slots)
    }

    /// Takes over the file of a slot on disk, of this run and whole. Returns its step and its
    /// length.
    ///
    /// # Errors
    /// Where the file is not there, damaged, or another run's, or the slot is in memory.
    pub fn adopt(&mut self, slot: usize) -> Result<(usize, usize), SnapshotError> {
        self.flush()?;
        let path = self.path(slot);
        let bytes = std::fs::read(&path).map_err(|source| file::io_error(&path, source))?;
        let label = file::label(&path, &bytes)?;
        let (step, dim) = (label.step as usize, label.entries as usize);
        file::check(&path, &bytes, &Label::of::<S>(self.run, step, dim))?;
        if slot < self.fast {
            return Err(SnapshotError::WrongStep { slot, step, found: None });
        }
        check_slot(slot, self.fast.saturating_add(self.slots.len()))?;
        self.forget(slot);
        self.keep(slot, step, dim);
        let slow = &mut self.slots[slot - self.fast];
        self.disk_bytes -= std::mem::replace(&mut slow.file, bytes.len());
        self.disk_bytes += bytes.len();
        Ok((step, dim))
    }

    /// Waits until all files are written.
    ///
    /// # Errors
    /// The first of what went wrong on the thread and was not told yet.
    pub fn flush(&mut self) -> Result<(), SnapshotError> {
        while let Some((note, done)) = self.transfer.take()? {
            self.note(note, done);
        }
        self.tell()
    }
}

impl<S: Scalar> SnapshotStore<S> for TieredStore<S> {
    fn store(&mut self, slot: usize, step: usize, y: &[S]) -> Result<(), SnapshotError> {
        self.catch_up()?;
        if slot < self.fast {
            return self.memory.store(slot, step, y);
        }
        check_slot(slot, self.fast.saturating_add(self.slots.len()))?;
        let size = file::size::<S>(y.len());
        self.make_room(size)?;
        let mut bytes = self.buffer(size);
        file::encode(self.run, step, y, &mut bytes);
        self.forget(slot);
        let number = self.keep(slot, step, y.len());
        let (path, durability) = (self.path(slot), self.durability);
        self.disk_bytes += size;
        let note = Note::Write { slot, number, size };
        self.transfer.ask(Job::Write { path, bytes, durability }, note)
    }

    fn restore(&mut self, slot: usize, step: usize, y: &mut [S]) -> Result<(), SnapshotError> {
        self.catch_up()?;
        if slot < self.fast {
            return self.memory.restore(slot, step, y);
        }
        let kept = match self.kept(slot) {
            Some(kept) if kept.step == step => kept,
            other => {
                let found = other.map(|kept| kept.step);
                return Err(SnapshotError::WrongStep { slot, step, found });
            }
        };
        check_dim(slot, y.len(), kept.dim)?;
        let Done { bytes, result } = self.fetch(Wanted { slot, number: kept.number }, kept)?;
        self.failed.extend(result.err());
        let told = self.tell();
        if told.is_ok() {
            file::decode(&bytes, y);
        }
        self.spare.push(bytes);
        told?;
        self.read_ahead()
    }

    fn free(&mut self, slot: usize) -> Result<(), SnapshotError> {
        self.catch_up()?;
        if slot < self.fast {
            return self.memory.free(slot);
        }
        if self.kept(slot).is_some() {
            self.forget(slot);
            let path = self.path(slot);
            self.transfer.ask(Job::Remove { path }, Note::Remove { slot })?;
        }
        Ok(())
    }

    fn expect(&mut self, slot: usize, step: usize) {
        if let Some(kept) = self.kept(slot)
            && kept.step == step
            && self.announced.len() < ANNOUNCED
        {
            self.announced.push_back(Wanted { slot, number: kept.number });
            let caught_up = self.catch_up().and_then(|()| self.read_ahead());
            if let Err(error) = caught_up {
                self.failed.push_front(error);
            }
        }
    }

    fn usage(&self) -> Usage {
        let memory = self.memory.usage();
        Usage {
            slots: memory.slots + self.used,
            memory_bytes: memory.memory_bytes + self.buffer_bytes,
            disk_bytes: self.disk_bytes,
        }
    }

    fn table_bytes(&self) -> usize {
        self.memory.table_bytes() + grown::<Slow>(self.slots.capacity())
    }
}

/// Without [`keep_files`](TieredStore::keep_files) the files are of no use to anyone once the
/// store is gone. What is on its way is finished first.
impl<S> Drop for TieredStore<S> {
    fn drop(&mut self) {
        if self.keep_files {
            return;
        }
        for slot in self.fast..self.fast + self.slots.len() {
            // A file that cannot be removed is left; there is nobody to tell.
            let _ = self.transfer.ask(Job::Remove { path: self.path(slot) }, Note::Remove { slot });
        }
    }
}
