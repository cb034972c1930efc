//! Where a run stands, kept in a directory so that it can go on after its process was killed.
//!
//! A run's files carry its number: snapshots (`slots-…`, or `slot-…` each), the position (`position-…`, replaced
//! whole), the words that grow with the steps (`log-…`, appended to; what lies behind the position
//! is not of it), and a lock that its process holds. All are checksummed.

mod pace;
mod position;
mod log;
mod record;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Instant;

pub use position::{Identity, Phase, Position};
pub(crate) use position::{adjoint_bytes, read_adjoint, read_number, read_numbers, to_bytes};

use crate::error::JournalError;
use log::Log;
use pace::Pace;

/// The notes of one run.
#[derive(Debug)]
pub struct Journal {
    directory: PathBuf,
    run: u64,
    identity: Identity,
    /// Made when there is something to be noted: a short run leaves nothing.
    files: Option<Files>,
    /// There is a position to go on from.
    noted: bool,
    pace: Pace,
}

#[derive(Debug)]
struct Files {
    log: Log,
    /// Held as long as the run has a process.
    _lock: File,
}

impl Files {
    fn create(directory: &Path, run: u64) -> Result<Self, JournalError> {
        // Its name appears when it is held.
        let (lock, beside) = (path(directory, LOCK, run), path(directory, LOCKING, run));
        let held = locked(&beside, directory)?;
        fs::rename(&beside, &lock).map_err(|source| io_error(&lock, source))?;
        Ok(Files { log: Log::create(path(directory, LOG, run))?, _lock: held })
    }
}

impl Journal {
    /// Starts the notes of a new run in `directory`, which is made where it is not there.
    ///
    /// # Errors
    /// Where it cannot be made.
    pub fn create(directory: &Path, identity: Identity) -> Result<Self, JournalError> {
        fs::create_dir_all(directory).map_err(|source| io_error(directory, source))?;
        let directory = directory.to_path_buf();
        let (run, pace) = (unique(), Pace::new());
        Ok(Journal { directory, run, identity, files: None, noted: false, pace })
    }

    /// Notes that the method was given up, and another is to begin anew, where something was noted
    /// before.
    ///
    /// # Errors
    /// Where the position cannot be written.
    pub fn give_up(mut self) -> Result<(), JournalError> {
        if !self.noted {
            self.leave();
            return Ok(());
        }
        self.identity.method = None;
        let (y, value, control) = (Vec::new(), Vec::new(), Vec::new());
        self.note(Instant::now(), &[], Phase::Forward { step: 0, y, value, control })
    }

    /// The notes of the unfinished run of this problem in `directory`, and where it stood; the
    /// latest where there are several. None where there is no unfinished run at all.
    ///
    /// # Errors
    /// Where there are only runs of other problems, it is damaged, or its process is still alive.
    pub fn open(directory: &Path, problem: u64) -> Result<Option<(Self, Position)>, JournalError> {
        let found = unfinished(directory)?;
        let others: Vec<String> = found.iter().map(|(_, position)| position.name()).collect();
        let ours = found.into_iter().find(|(_, position)| position.identity.problem == problem);
        let Some((run, position)) = ours else {
            let directory = directory.display().to_string();
            return match others.is_empty() {
                true => Ok(None),
                false => Err(JournalError::Other { directory, others: others.join(", ") }),
            };
        };
        let lock = locked(&path(directory, LOCK, run), directory)?;
        let log = Log::open(path(directory, LOG, run), &position)?;
        let (identity, directory) = (position.identity.clone(), directory.to_path_buf());
        let files = Some(Files { log, _lock: lock });
        let journal = Journal { directory, run, identity, files, noted: true, pace: Pace::new() };
        Ok(Some((journal, position)))
    }

    /// The number that its files carry.
    pub fn run(&self) -> u64 {
        self.run
    }

    /// The slot from which on its files are numbered.
    pub fn fast(&self) -> usize {
        self.identity.fast
    }

    /// Numbers its files, of which there are none, from another slot.
    pub fn number_from(&mut self, fast: usize) {
        self.identity.fast = fast;
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
        self.files.as_ref().map_or(Ok(Vec::new()), |files| files.log.words())
    }

    /// How many words are noted.
    pub fn num_words(&self) -> usize {
        self.files.as_ref().map_or(0, |files| files.log.len())
    }

    /// Notes the run's words from the first on again.
    pub fn rewind(&mut self) {
        if let Some(files) = &mut self.files {
            files.log.rewind();
        }
    }

    /// Whether it is time for another note: they take a hundredth of the run's time.
    pub fn is_due(&mut self) -> bool {
        self.pace.is_due()
    }

    fn files(&mut self) -> Result<&mut Files, JournalError> {
        let files = match self.files.take() {
            Some(files) => files,
            None => Files::create(&self.directory, self.run)?,
        };
        Ok(self.files.insert(files))
    }

    /// Adds the `words` that came since the last ones; they belong to the next position.
    ///
    /// # Errors
    /// Where a file cannot be written; the last position then still stands.
    pub fn add(&mut self, words: &[u64]) -> Result<(), JournalError> {
        if words.is_empty() { Ok(()) } else { self.files()?.log.append(words) }
    }

    /// Notes the `words` that came since the last ones, then the position. What was `begun` for it
    /// counts as a part of what the note took.
    ///
    /// # Errors
    /// Where a file cannot be written; the last position then still stands.
    pub fn note(
        &mut self,
        begun: Instant,
        words: &[u64],
        phase: Phase,
    ) -> Result<(), JournalError> {
        let log = &mut self.files()?.log;
        log.append(words)?;
        log.sync()?;
        let (words, checksum) = log.mark();
        let position = Position { identity: self.identity.clone(), words, checksum, phase };
        record::write(&path(&self.directory, POSITION, self.run), &position)?;
        self.noted = true;
        self.pace.noted(begun);
        Ok(())
    }

    /// Holds the run's files from now on, for snapshots that are written before the first note.
    ///
    /// # Errors
    /// Where a file cannot be written.
    pub fn hold(&mut self) -> Result<(), JournalError> {
        self.files().map(|_| ())
    }

    /// Leaves what a later run can go on from; without a position there is nothing.
    pub fn leave(self) {
        if !self.noted {
            remove(&self.directory, self.run);
        }
    }

    /// Removes the files of a run that has ended, its snapshots with them, those of the same problem
    /// whose method was given up, and those of runs that were never noted.
    pub fn finish(self) {
        if self.files.is_some() {
            remove(&self.directory, self.run);
        }
        let others = unfinished(&self.directory).unwrap_or_default();
        let given_up = others.into_iter().filter(|(_, Position { identity, .. })| {
            identity.method.is_none() && identity.problem == self.identity.problem
        });
        for run in given_up.map(|(run, _)| run).chain(never_noted(&self.directory)) {
            if locked(&path(&self.directory, LOCK, run), &self.directory).is_ok() {
                remove(&self.directory, run);
            }
        }
    }
}

/// The runs of which there is a lock but no position: there is nothing to go on from.
fn never_noted(directory: &Path) -> Vec<u64> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let runs = entries.flatten().filter_map(|entry| number(&entry.file_name(), LOCK));
    runs.filter(|&run| !path(directory, POSITION, run).exists()).collect()
}

/// The run of a file.
fn number(name: &OsStr, what: &str) -> Option<u64> {
    let name = name.to_str()?.strip_prefix(what)?.strip_prefix('-')?;
    u64::from_str_radix(name.strip_suffix(".costate")?, 16).ok()
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
const LOCKING: &str = "locking";

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

/// The runs in `directory`, by their numbers, and where they stand, the latest first; none where it is
/// not there.
///
/// # Errors
/// Where a file cannot be read or is damaged.
pub fn unfinished(directory: &Path) -> Result<Vec<(u64, Position)>, JournalError> {
    let failed = |source| io_error(directory, source);
    let mut found = Vec::new();
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let Some(run) = number(&entry.file_name(), POSITION) else { continue };
        let modified = entry.metadata().and_then(|data| data.modified()).map_err(failed)?;
        found.push((modified, run, record::read(&entry.path())?));
    }
    found.sort_by_key(|(modified, ..)| std::cmp::Reverse(*modified));
    Ok(found.into_iter().map(|(_, run, position)| (run, position)).collect())
}

fn locked(path: &Path, directory: &Path) -> Result<File, JournalError> {
    let lock = File::create(path).map_err(|source| io_error(path, source))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(fs::TryLockError::WouldBlock) => {
            Err(JournalError::Busy { directory: directory.display().to_string() })
        }
        Err(fs::TryLockError::Error(source)) => Err(io_error(path, source)),
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
