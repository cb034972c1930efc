//! Snapshots in files, checked when they are read.

use std::fs;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use super::file::{self, Durability, Label, io_error};
use super::{SnapshotStore, Usage, check_dim, check_slot};
use crate::error::SnapshotError;
use crate::numbers::bytes::grown;
use crate::numbers::scalar::Scalar;

/// One file a slot in a directory: header, state, CRC-32 of both, all little endian. A file is
/// written beside its place and renamed into it.
///
/// ```
/// use costate::snapshot::{DiskStore, SnapshotStore};
///
/// let directory = std::env::temp_dir().join(format!("costate-example-{}", std::process::id()));
/// let mut store = DiskStore::new(&directory)?;
/// store.store(0, 7, &[1.0, 2.0])?;
/// let mut y = [0.0; 2];
/// store.restore(0, 7, &mut y)?;
/// assert_eq!(y, [1.0, 2.0]);
///
/// std::fs::write(store.path(0), b"torn")?;
/// assert!(store.restore(0, 7, &mut y).is_err());
/// # drop(store);
/// # std::fs::remove_dir_all(directory)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct DiskStore<S> {
    directory: PathBuf,
    run: u64,
    buffer: Vec<u8>,
    slots: Vec<Option<Kept>>,
    usage: Usage,
    scalar: PhantomData<S>,
}

/// What a slot holds.
#[derive(Clone, Copy, Debug)]
struct Kept {
    step: usize,
    dim: usize,
}

impl<S> DiskStore<S> {
    /// The file of a slot.
    pub fn path(&self, slot: usize) -> PathBuf {
        file::path(&self.directory, slot, self.run)
    }
}

impl<S: Scalar> DiskStore<S> {
    /// Slots in `directory`, which is made where it is not there. Other stores may use it at the
    /// same time: the files carry, in name and content, the number that tells this store from them.
    ///
    /// # Errors
    /// Where the directory cannot be made or written.
    pub fn new(directory: impl AsRef<Path>) -> Result<Self, SnapshotError> {
        let (directory, run) = (directory.as_ref().to_path_buf(), file::unique());
        file::open_directory(&directory, run)?;
        let (buffer, slots, usage) = (Vec::new(), Vec::new(), Usage::default());
        Ok(DiskStore { directory, run, buffer, slots, usage, scalar: PhantomData })
    }

    /// Notes that a slot holds nothing. Returns whether it held something.
    fn forget(&mut self, slot: usize) -> bool {
        let kept = self.slots.get_mut(slot).and_then(Option::take);
        if let Some(kept) = kept {
            self.usage.slots -= 1;
            self.usage.disk_bytes -= file::size::<S>(kept.dim);
        }
        kept.is_some()
    }
}

impl<S: Scalar> SnapshotStore<S> for DiskStore<S> {
    fn store(&mut self, slot: usize, step: usize, y: &[S]) -> Result<(), SnapshotError> {
        check_slot(slot, self.slots.len())?;
        file::encode(self.run, step, y, &mut self.buffer);
        file::seal(&mut self.buffer);
        let path = self.path(slot);
        file::write(&path, &self.buffer, Durability::Process)
            .map_err(|source| io_error(&path, source))?;
        if self.slots.len() <= slot {
            self.slots.resize(slot + 1, None);
        }
        self.forget(slot);
        self.slots[slot] = Some(Kept { step, dim: y.len() });
        self.usage.slots += 1;
        self.usage.disk_bytes += self.buffer.len();
        self.usage.memory_bytes = self.buffer.capacity();
        Ok(())
    }

    fn restore(&mut self, slot: usize, step: usize, y: &mut [S]) -> Result<(), SnapshotError> {
        let kept = self.slots.get(slot).copied().flatten();
        let dim = match kept {
            Some(kept) if kept.step == step => kept.dim,
            _ => {
                let found = kept.map(|kept| kept.step);
                return Err(SnapshotError::WrongStep { slot, step, found });
            }
        };
        check_dim(slot, y.len(), dim)?;
        let path = self.path(slot);
        self.buffer.resize(file::size::<S>(dim), 0);
        file::read(&path, &mut self.buffer)?;
        file::check(&path, &self.buffer, &Label::of::<S>(self.run, step, dim))?;
        file::decode(&self.buffer, y);
        Ok(())
    }

    fn free(&mut self, slot: usize) -> Result<(), SnapshotError> {
        if self.forget(slot) {
            let path = self.path(slot);
            fs::remove_file(&path).map_err(|source| io_error(&path, source))?;
        }
        Ok(())
    }

    fn usage(&self) -> Usage {
        self.usage
    }

    fn table_bytes(&self) -> usize {
        grown::<Option<Kept>>(self.slots.capacity())
    }
}

/// The files are of no use to anyone once the store is gone.
impl<S> Drop for DiskStore<S> {
    fn drop(&mut self) {
        for slot in 0..self.slots.len() {
            // A file that cannot be removed is left; there is nobody to tell.
            let _ = fs::remove_file(self.path(slot));
        }
    }
}
