//! Snapshots in files, checked when they are read.

use std::fs;
use std::io;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use super::{SnapshotStore, Usage, check_dim};
use crate::error::SnapshotError;
use crate::scalar::Scalar;

const MAGIC: &[u8; 8] = b"costate1";
/// Magic, run, step, number of entries, bytes of an entry; each eight bytes.
const HEADER: usize = 40;
const CHECKSUM: usize = 4;

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
    dim: usize,
    steps: Vec<Option<usize>>,
    used: usize,
    scalar: PhantomData<S>,
}

impl<S> DiskStore<S> {
    /// The file of a slot.
    pub fn path(&self, slot: usize) -> PathBuf {
        self.directory.join(format!("slot-{slot}-{:016x}.costate", self.run))
    }
}

impl<S: Scalar> DiskStore<S> {
    /// Slots in `directory`, which is made where it is not there. Other stores may use it at the
    /// same time: the files carry, in name and content, the number that tells this store from them.
    ///
    /// # Errors
    /// Where the directory cannot be made or written.
    pub fn new(directory: impl AsRef<Path>) -> Result<Self, SnapshotError> {
        let directory = directory.as_ref().to_path_buf();
        let run = unique();
        let probe = directory.join(format!("probe-{run:016x}"));
        fs::create_dir_all(&directory).map_err(|source| io_error(&directory, source))?;
        fs::write(&probe, MAGIC).map_err(|source| io_error(&directory, source))?;
        fs::remove_file(&probe).map_err(|source| io_error(&probe, source))?;
        let (buffer, dim, steps) = (Vec::new(), 0, Vec::new());
        Ok(DiskStore { directory, run, buffer, dim, steps, used: 0, scalar: PhantomData })
    }

    fn header(&self, step: usize, dim: usize) -> [u8; HEADER] {
        let mut header = [0; HEADER];
        let words =
            [u64::from_le_bytes(*MAGIC), self.run, step as u64, dim as u64, S::BYTES as u64];
        for (bytes, word) in header.chunks_exact_mut(8).zip(words) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        header
    }

    fn file_size(dim: usize) -> usize {
        HEADER + dim * S::BYTES + CHECKSUM
    }

    fn write(&self, slot: usize) -> io::Result<()> {
        let beside = self.path(slot).with_extension("writing");
        let written = fs::write(&beside, &self.buffer);
        let written = written.and_then(|()| fs::rename(&beside, self.path(slot)));
        if written.is_err() {
            // What is left of a full disk is better empty; the error itself says enough.
            let _ = fs::remove_file(&beside);
        }
        written
    }
}

impl<S: Scalar> SnapshotStore<S> for DiskStore<S> {
    fn store(&mut self, slot: usize, step: usize, y: &[S]) -> Result<(), SnapshotError> {
        self.dim = y.len();
        let header = self.header(step, y.len());
        self.buffer.resize(Self::file_size(y.len()), 0);
        self.buffer[..HEADER].copy_from_slice(&header);
        let end = HEADER + y.len() * S::BYTES;
        for (bytes, &x) in self.buffer[HEADER..end].chunks_exact_mut(S::BYTES).zip(y) {
            x.write_le(bytes);
        }
        let checksum = crc32fast::hash(&self.buffer[..end]);
        self.buffer[end..].copy_from_slice(&checksum.to_le_bytes());
        self.write(slot).map_err(|source| io_error(&self.path(slot), source))?;
        if self.steps.len() <= slot {
            self.steps.resize(slot + 1, None);
        }
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
        let path = self.path(slot);
        let bytes = fs::read(&path).map_err(|source| io_error(&path, source))?;
        let expected = Self::file_size(y.len());
        let damaged = |what| SnapshotError::Damaged { path: path.display().to_string(), what };
        if bytes.len() != expected {
            let path = path.display().to_string();
            return Err(SnapshotError::Length { path, expected, found: bytes.len() });
        }
        let (content, checksum) = bytes.split_at(expected - CHECKSUM);
        if crc32fast::hash(content).to_le_bytes() != checksum {
            return Err(damaged("the checksum does not match"));
        }
        if content[..HEADER] != self.header(step, y.len()) {
            return Err(damaged("the snapshot is another run's or another step's"));
        }
        for (x, bytes) in y.iter_mut().zip(content[HEADER..].chunks_exact(S::BYTES)) {
            *x = S::read_le(bytes);
        }
        Ok(())
    }

    fn free(&mut self, slot: usize) -> Result<(), SnapshotError> {
        if let Some(step) = self.steps.get_mut(slot)
            && step.take().is_some()
        {
            self.used -= 1;
            let path = self.path(slot);
            fs::remove_file(&path).map_err(|source| io_error(&path, source))?;
        }
        Ok(())
    }

    fn usage(&self) -> Usage {
        let disk_bytes = self.used * Self::file_size(self.dim);
        Usage { slots: self.used, memory_bytes: self.buffer.len(), disk_bytes }
    }
}

/// The files are of no use to anyone once the store is gone.
impl<S> Drop for DiskStore<S> {
    fn drop(&mut self) {
        for slot in 0..self.steps.len() {
            // A file that cannot be removed is left; there is nobody to tell.
            let _ = fs::remove_file(self.path(slot));
        }
    }
}

fn io_error(path: &Path, source: io::Error) -> SnapshotError {
    SnapshotError::Io { path: path.display().to_string(), source }
}

/// A number that no other store of any process has, as far as clocks and process numbers tell.
fn unique() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    let mut hasher = std::hash::RandomState::new().build_hasher();
    hasher.write_u32(std::process::id());
    hasher.finish()
}
