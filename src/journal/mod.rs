//! Where a run stands, kept in a directory so that it can go on after its process was killed.
//!
//! A run's files carry its number: snapshots (`slot-…`), the position (`position-…`, replaced
//! whole), the words that grow with the steps (`log-…`, appended to; what lies behind the position
//! is not of it), and a lock that its process holds. All are checksummed.

mod log;
mod position;
mod record;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub use position::{Identity, Phase, Position};
pub(crate) use position::{adjoint_bytes, read_adjoint, read_number, read_numbers, to_bytes};

use crate::error::JournalError;
use log::Log;

/// The share of a run's time that may go into noting its position.
const SHARE: u32 = 100;
/// The least time between two notes.
const LEAST: Duration = Duration::from_millis(20);

/// The notes of one run.
#[derive(Debug)]
pub struct Journal {
    directory: PathBuf,
    run: u64,
    identity: Identity,
    log: Log,
    due: Instant,
    /// Held as long as the run has a process.
    _lock: File,
}

impl Journal {
    /// Starts the notes of a new run in `directory`, which is made where it is not there.
    ///
    /// # Errors
    /// Where it cannot be made or written.
    pub fn create(directory: &Path, identity: Identity) -> Result<Self, JournalError> {
        fs::create_dir_all(directory).map_err(|source| io_error(directory, source))?;
        let run = unique();
        let lock = locked(directory, run)?;
        let log = Log::create(path(directory, LOG, run))?;
        let directory = directory.to_path_buf();
        Ok(Journal { directory, run, identity, log, due: Instant::now(), _lock: lock })
    }

    /// Notes that the method was given up, and another is to begin anew.
    ///
    /// # Errors
    /// Where the position cannot be written.
    pub fn give_up(mut self) -> Result<(), JournalError> {
        self.identity.method = None;
        let (y, value, control) = (Vec::new(), Vec::new(), Vec::new());
        self.note(&[], Phase::Forward { step: 0, y, value, control })
    }

    /// The notes of the unfinished run of this problem in `directory`, and where it stood; the
    /// latest where there are several.
    ///
    /// # Errors
    /// Where there is none, it is damaged, or its process is still alive.
    pub fn open(directory: &Path, problem: u64) -> Result<(Self, Position), JournalError> {
        let found = unfinished(directory)?;
        let others: Vec<String> = found.iter().map(|(_, position)| position.name()).collect();
        let ours = found.into_iter().find(|(_, position)| position.identity.problem == problem);
        let Some((run, position)) = ours else {
            let directory = directory.display().to_string();
            return Err(match others.is_empty() {
                true => JournalError::Nothing { directory },
                false => JournalError::Other { directory, others: others.join(", ") },
            });
        };
        let lock = locked(directory, run)?;
        let log = Log::open(path(directory, LOG, run), &position)?;
        let (identity, due) = (position.identity.clone(), Instant::now());
        let directory = directory.to_path_buf();
        Ok((Journal { directory, run, identity, log, due, _lock: lock }, position))
    }

    /// The number that its files carry.
    pub fn run(&self) -> u64 {
        self.run
    }

    /// The directory of its files.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The words noted so far.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn words(&self) -> Result<Vec<u64>, JournalError> {
        self.log.words()
    }

    /// How many words are noted.
    pub fn num_words(&self) -> usize {
        self.log.len()
    }

    /// Whether it is time for another note: they take a hundredth of the run's time.
    pub fn is_due(&self) -> bool {
        Instant::now() >= self.due
    }

    /// Notes the `words` that came since the last note, then the position.
    ///
    /// # Errors
    /// Where a file cannot be written; the last position then still stands.
    pub fn note(&mut self, words: &[u64], phase: Phase) -> Result<(), JournalError> {
        let begun = Instant::now();
        self.log.append(words)?;
        let (identity, (words, checksum)) = (self.identity.clone(), self.log.mark());
        let position = Position { identity, words, checksum, phase };
        record::write(&path(&self.directory, POSITION, self.run), &position)?;
        self.due = Instant::now() + (SHARE * begun.elapsed()).max(LEAST);
        Ok(())
    }

    /// Removes the files of a run that has ended, its snapshots with them, and of those of the same
    /// problem whose method was given up.
    pub fn finish(self) {
        remove(&self.directory, self.run);
        let others = unfinished(&self.directory).unwrap_or_default();
        let given_up = others.into_iter().filter(|(_, Position { identity, .. })| {
            identity.method.is_none() && identity.problem == self.identity.problem
        });
        for (run, _) in given_up {
            if locked(&self.directory, run).is_ok() {
                remove(&self.directory, run);
            }
        }
    }
}

/// Removes the files of a run.
fn remove(directory: &Path, run: u64) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().contains(&suffix(run)) {
            // A file that cannot be removed is left; there is nobody to tell.
            let _ = fs::remove_file(entry.path());
        }
    }
}

const POSITION: &str = "position";
const LOG: &str = "log";
const LOCK: &str = "lock";

fn suffix(run: u64) -> String {
    format!("-{run:016x}.")
}

fn path(directory: &Path, what: &str, run: u64) -> PathBuf {
    directory.join(format!("{what}{}costate", suffix(run)))
}

/// A hash of bytes that is the same on every machine (Fowler, Noll & Vo's).
pub fn hash(bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes.into_iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The runs in `directory`, by their numbers, and where they stand, the latest first.
///
/// # Errors
/// Where a file cannot be read or is damaged.
pub fn unfinished(directory: &Path) -> Result<Vec<(u64, Position)>, JournalError> {
    let failed = |source| io_error(directory, source);
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let number = name.strip_prefix("position-").and_then(|rest| rest.strip_suffix(".costate"));
        let Some(run) = number.and_then(|number| u64::from_str_radix(number, 16).ok()) else {
            continue;
        };
        let modified = entry.metadata().and_then(|data| data.modified()).map_err(failed)?;
        found.push((modified, run, record::read(&entry.path())?));
    }
    found.sort_by_key(|(modified, ..)| std::cmp::Reverse(*modified));
    Ok(found.into_iter().map(|(_, run, position)| (run, position)).collect())
}

fn locked(directory: &Path, run: u64) -> Result<File, JournalError> {
    let path = path(directory, LOCK, run);
    let lock = File::create(&path).map_err(|source| io_error(&path, source))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(fs::TryLockError::WouldBlock) => {
            Err(JournalError::Busy { directory: directory.display().to_string() })
        }
        Err(fs::TryLockError::Error(source)) => Err(io_error(&path, source)),
    }
}

fn io_error(path: &Path, source: std::io::Error) -> JournalError {
    JournalError::Io { path: path.display().to_string(), source }
}

/// A number that no other run of any process has, as far as clocks and process numbers tell.
fn unique() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    let mut hasher = std::hash::RandomState::new().build_hasher();
    hasher.write_u32(std::process::id());
    hasher.finish()
}
