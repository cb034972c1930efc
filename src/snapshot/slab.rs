//! Records of one size in one file, written in place.
//!
//! The file begins with a word that says whether a write is under way, the number of the run, the
//! size of a record and a checksum of both. A record is a [snapshot](super::file) whose checksum stands
//! at its end, behind zeros where the state is a shorter one; a record of zeros holds nothing. Where a
//! process ends in the middle of a write the word tells that a record may be torn: such a one is then
//! lost, as what was to be in it is. Otherwise a record that its checksum does not fit is damaged.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::file::{damaged, io_error};
use crate::error::SnapshotError;

/// In front of a file in which no write is under way, and of one in which one is.
const AT_REST: &[u8; 8] = b"costate2";
const WRITING: &[u8; 8] = b"in write";
/// The word, the run, the size of a record, the checksum of the last two; each eight bytes.
const HEADER: usize = 32;

/// The file, made when it is first written.
#[derive(Debug)]
pub(super) struct Slab {
    path: PathBuf,
    run: u64,
    record: usize,
    file: Option<File>,
    /// Some record may be torn, and the file says so until its end.
    torn: bool,
}

impl Slab {
    /// The file of a run in `directory`, with records of `record` bytes; the one that is there, or
    /// none yet.
    pub fn open(directory: &Path, run: u64, record: usize) -> Result<Self, SnapshotError> {
        let path = directory.join(format!("slots-{run:016x}.costate"));
        let file = match OpenOptions::new().read(true).write(true).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            opened => Some(opened.map_err(|source| io_error(&path, source))?),
        };
        let mut slab = Slab { path, run, record, file, torn: false };
        slab.check_header()?;
        Ok(slab)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    fn failed(&self, source: io::Error) -> SnapshotError {
        io_error(&self.path, source)
    }

    /// What follows the first word.
    fn header(&self) -> [u8; HEADER - 8] {
        let mut header = [0; HEADER - 8];
        header[..8].copy_from_slice(&self.run.to_le_bytes());
        header[8..16].copy_from_slice(&(self.record as u64).to_le_bytes());
        let checksum = u64::from(crc32fast::hash(&header[..16]));
        header[16..].copy_from_slice(&checksum.to_le_bytes());
        header
    }

    /// Of a file that is there; one that was being made is as good as none.
    fn check_header(&mut self) -> Result<(), SnapshotError> {
        let mut found = [0; HEADER];
        let Some(file) = &mut self.file else { return Ok(()) };
        let read = file.metadata().map(|data| data.len());
        let read = read.and_then(|len| match len {
            0 => Ok(false),
            _ => file
                .seek(SeekFrom::Start(0))
                .and_then(|_| file.read_exact(&mut found))
                .map(|()| true),
        });
        let path = &self.path;
        match read {
            Err(source) if source.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(damaged(path, "it is too short"));
            }
            Err(source) => return Err(io_error(path, source)),
            Ok(false) => {
                self.file = None;
                return Ok(());
            }
            Ok(true) => {}
        }
        self.torn = found[..8] == *WRITING;
        let word = self.torn || found[..8] == *AT_REST;
        match word && found[8..] == self.header() {
            true => Ok(()),
            false => Err(damaged(path, "the header does not fit the run")),
        }
    }

    /// Writes `records`, whole ones one after another, from number `first` on.
    pub fn write(&mut self, first: usize, records: &[u8]) -> Result<(), SnapshotError> {
        let at = self.place(first);
        let was_torn = self.torn;
        let written = self.mark(WRITING).and_then(|()| {
            // Until all is there.
            self.torn = true;
            self.put(at, records)
        });
        self.torn |= was_torn;
        written.map_err(|source| self.failed(source))?;
        self.torn = was_torn;
        self.rest()
    }

    fn rest(&mut self) -> Result<(), SnapshotError> {
        match self.torn {
            true => Ok(()),
            false => self.mark(AT_REST).map_err(|source| self.failed(source)),
        }
    }

    /// Says of all records that are there that they are whole.
    pub fn settle(&mut self) -> Result<(), SnapshotError> {
        self.torn = false;
        if self.file.is_some() { self.rest() } else { Ok(()) }
    }

    /// Whether a record may be torn.
    pub fn torn(&self) -> bool {
        self.torn
    }

    fn place(&self, record: usize) -> u64 {
        HEADER as u64 + record as u64 * self.record as u64
    }

    fn mark(&mut self, word: &[u8; 8]) -> io::Result<()> {
        if self.file.is_none() {
            let mut options = OpenOptions::new();
            let mut file =
                options.read(true).write(true).create(true).truncate(true).open(&self.path)?;
            let header = [&word[..], &self.header()].concat();
            if let Err(error) = file.write_all(&header) {
                // Half of it would be of no use; the error itself says enough.
                let _ = fs::remove_file(&self.path);
                return Err(error);
            }
            self.file = Some(file);
            return Ok(());
        }
        self.put(0, word)
    }

    fn put(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        let file = self.file.as_mut().ok_or(io::ErrorKind::NotFound)?;
        file.seek(SeekFrom::Start(at))?;
        file.write_all(bytes)
    }

    /// Reads a record.
    pub fn read(&mut self, record: usize, bytes: &mut [u8]) -> Result<(), SnapshotError> {
        let at = self.place(record);
        let read = match &mut self.file {
            None => Err(io::ErrorKind::NotFound.into()),
            Some(file) => file.seek(SeekFrom::Start(at)).and_then(|_| file.read_exact(bytes)),
        };
        read.map_err(|source| self.failed(source))
    }

    /// Number of whole records in the file.
    pub fn len(&self) -> Result<usize, SnapshotError> {
        let Some(file) = &self.file else { return Ok(0) };
        let len = file.metadata().map_err(|source| self.failed(source))?.len();
        let (len, record) = (len.saturating_sub(HEADER as u64), self.record as u64);
        match len % record == 0 || self.torn {
            true => Ok(usize::try_from(len / record).unwrap_or(usize::MAX)),
            false => Err(damaged(&self.path, "a record is cut short")),
        }
    }
}
