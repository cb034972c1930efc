//! What a snapshot file holds: header, state, CRC-32 of both, all little endian.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::error::SnapshotError;
use crate::numbers::scalar::Scalar;

/// Its last byte is the version of the format.
pub(crate) const MAGIC: &[u8; 8] = b"costate1";
/// Magic, run, step, number of entries, bytes of an entry; each eight bytes.
pub(crate) const HEADER: usize = 40;
const CHECKSUM: usize = 4;
/// The extensions of a file in its place and of one being written.
const FINISHED: &str = "costate";
pub(crate) const UNFINISHED: &str = "writing";

/// What the header of a file says beside magic and version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Label {
    pub run: u64,
    pub step: u64,
    pub entries: u64,
    pub entry_bytes: u64,
}

impl Label {
    pub fn of<S: Scalar>(run: u64, step: usize, entries: usize) -> Self {
        Label { run, step: step as u64, entries: entries as u64, entry_bytes: S::BYTES as u64 }
    }

    fn header(&self) -> [u8; HEADER] {
        let Label { run, step, entries, entry_bytes } = *self;
        let words = [u64::from_le_bytes(*MAGIC), run, step, entries, entry_bytes];
        let mut header = [0; HEADER];
        for (bytes, word) in header.chunks_exact_mut(8).zip(words) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        header
    }

    fn parse(header: &[u8]) -> Option<Self> {
        let mut words = header.chunks_exact(8).map(|bytes| {
            let mut word = [0; 8];
            word.copy_from_slice(bytes);
            u64::from_le_bytes(word)
        });
        words.next().filter(|word| word.to_le_bytes() == *MAGIC)?;
        let (run, step) = (words.next()?, words.next()?);
        Some(Label { run, step, entries: words.next()?, entry_bytes: words.next()? })
    }
}

/// Bytes of a file of so many numbers.
pub(crate) fn size<S: Scalar>(entries: usize) -> usize {
    HEADER + entries * S::BYTES + CHECKSUM
}

/// Makes `bytes` all of a file but its checksum.
pub(crate) fn encode<S: Scalar>(run: u64, step: usize, y: &[S], bytes: &mut Vec<u8>) {
    let size = size::<S>(y.len());
    bytes.truncate(size);
    bytes.reserve_exact(size - bytes.len());
    bytes.resize(size, 0);
    fill(bytes, run, step, y);
}

/// Writes header and state to the front of `bytes`.
pub(super) fn fill<S: Scalar>(bytes: &mut [u8], run: u64, step: usize, y: &[S]) {
    bytes[..HEADER].copy_from_slice(&Label::of::<S>(run, step, y.len()).header());
    for (bytes, &x) in bytes[HEADER..].chunks_exact_mut(S::BYTES).zip(y) {
        x.write_le(bytes);
    }
}

/// Adds the checksum to what [`encode`] made.
pub(crate) fn seal(bytes: &mut [u8]) {
    if let Some((content, checksum)) = bytes.split_last_chunk_mut::<CHECKSUM>() {
        *checksum = crc32fast::hash(content).to_le_bytes();
    }
}

/// Fails unless the whole file is what was sealed under `label`.
pub(crate) fn check(path: &Path, bytes: &[u8], label: &Label) -> Result<(), SnapshotError> {
    if sealed(path, bytes)?[..HEADER] == label.header() {
        Ok(())
    } else {
        Err(damaged(path, "the snapshot is another run's or another step's"))
    }
}

/// The label of a file that is whole.
pub(crate) fn label(path: &Path, bytes: &[u8]) -> Result<Label, SnapshotError> {
    let label = header_label(path, bytes)?;
    let entries = (bytes.len() - HEADER - CHECKSUM) as u64;
    match label.entries.checked_mul(label.entry_bytes) {
        Some(bytes) if bytes == entries => Ok(label),
        _ => Err(damaged(path, "the header does not fit the file")),
    }
}

/// What the header of sealed bytes says.
pub(super) fn header_label(path: &Path, bytes: &[u8]) -> Result<Label, SnapshotError> {
    let label = Label::parse(&sealed(path, bytes)?[..HEADER]);
    label.ok_or_else(|| damaged(path, "the file is of another kind or version"))
}

/// Header and state, where the checksum is theirs.
fn sealed<'a>(path: &Path, bytes: &'a [u8]) -> Result<&'a [u8], SnapshotError> {
    match bytes.split_last_chunk::<CHECKSUM>() {
        Some((content, checksum)) if content.len() >= HEADER => {
            let matches = crc32fast::hash(content).to_le_bytes() == *checksum;
            if matches { Ok(content) } else { Err(damaged(path, "the checksum does not match")) }
        }
        _ => Err(SnapshotError::Length {
            path: path.display().to_string(),
            expected: HEADER + CHECKSUM,
            found: bytes.len(),
        }),
    }
}

/// The state in a file that was checked.
pub(crate) fn decode<S: Scalar>(bytes: &[u8], y: &mut [S]) {
    for (x, bytes) in y.iter_mut().zip(bytes[HEADER..].chunks_exact(S::BYTES)) {
        *x = S::read_le(bytes);
    }
}

/// Whether a file is to be there after the machine lost its power.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Durability {
    /// After the process was killed only.
    #[default]
    Process,
    Power,
}

/// Writes a file beside its place and renames it into it.
pub(crate) fn write(path: &Path, bytes: &[u8], durability: Durability) -> io::Result<()> {
    let beside = path.with_extension(UNFINISHED);
    let written = write_beside(&beside, bytes, durability)
        // Renamed over an old file, the new one would be flushed to the device first; and what the
        // slot held is of no use any more.
        .and_then(|()| remove_if_there(path))
        .and_then(|()| fs::rename(&beside, path))
        .and_then(|()| sync_directory(path, durability));
    if written.is_err() {
        // What is left of a full disk is better empty; the error itself says enough.
        let _ = fs::remove_file(&beside);
    }
    written
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn write_beside(beside: &Path, bytes: &[u8], durability: Durability) -> io::Result<()> {
    let mut file = File::create(beside)?;
    file.write_all(bytes)?;
    match durability {
        Durability::Process => Ok(()),
        Durability::Power => file.sync_all(),
    }
}

/// The name is in the directory, which is not written with the file.
#[cfg_attr(not(unix), expect(unused_variables, reason = "directories cannot be opened there"))]
fn sync_directory(path: &Path, durability: Durability) -> io::Result<()> {
    #[cfg(unix)]
    if durability == Durability::Power
        && let Some(directory) = path.parent()
    {
        return File::open(directory)?.sync_all();
    }
    Ok(())
}

/// Fills `bytes` with a file of exactly that size.
pub(crate) fn read(path: &Path, bytes: &mut [u8]) -> Result<(), SnapshotError> {
    let mut file = File::open(path).map_err(|source| io_error(path, source))?;
    let found = file.metadata().map_err(|source| io_error(path, source))?.len();
    if found != bytes.len() as u64 {
        let (expected, found) = (bytes.len(), usize::try_from(found).unwrap_or(usize::MAX));
        return Err(SnapshotError::Length { path: path.display().to_string(), expected, found });
    }
    file.read_exact(bytes).map_err(|source| io_error(path, source))
}

/// The file of a slot.
pub(crate) fn path(directory: &Path, slot: usize, run: u64) -> PathBuf {
    directory.join(format!("slot-{slot}-{run:016x}.{FINISHED}"))
}

/// The slot of a file of the run, finished or not.
pub(crate) fn slot(path: &Path, run: u64) -> Option<usize> {
    let extension = path.extension()?.to_str()?;
    let name = path.file_stem()?.to_str()?;
    let slot = name.strip_prefix("slot-")?.strip_suffix(&format!("-{run:016x}"))?;
    let known = [FINISHED, UNFINISHED].contains(&extension);
    slot.parse().ok().filter(|_| known)
}

/// Makes the directory where it is not there, and fails where it cannot be written.
pub(crate) fn open_directory(directory: &Path, run: u64) -> Result<(), SnapshotError> {
    let probe = directory.join(format!("probe-{run:016x}"));
    fs::create_dir_all(directory).map_err(|source| io_error(directory, source))?;
    fs::write(&probe, MAGIC).map_err(|source| io_error(directory, source))?;
    fs::remove_file(&probe).map_err(|source| io_error(&probe, source))
}

pub(crate) fn io_error(path: &Path, source: io::Error) -> SnapshotError {
    SnapshotError::Io { path: path.display().to_string(), source }
}

pub(super) fn damaged(path: &Path, what: &'static str) -> SnapshotError {
    SnapshotError::Damaged { path: path.display().to_string(), what }
}

/// A number that no other store of any process has, as far as clocks and process numbers tell.
pub(crate) fn unique() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    let mut hasher = std::hash::RandomState::new().build_hasher();
    hasher.write_u32(std::process::id());
    hasher.finish()
}
