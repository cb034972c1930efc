//! Words that are only added: the times of the steps.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use super::{Position, io_error};
use crate::error::JournalError;

const WORD: usize = 8;

#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    file: File,
    len: usize,
    checksum: crc32fast::Hasher,
    /// Words were written that may not be on the disk itself.
    unsynced: bool,
}

impl Log {
    pub fn create(path: PathBuf) -> Result<Self, JournalError> {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create_new(true).open(&path);
        let file = file.map_err(|source| io_error(&path, source))?;
        let checksum = crc32fast::Hasher::new();
        Ok(Log { path, file, len: 0, checksum, unsynced: false })
    }

    /// The words that belong to `position`; those behind them are cut off.
    pub fn open(path: PathBuf, position: &Position) -> Result<Self, JournalError> {
        let file = OpenOptions::new().read(true).write(true).open(&path);
        let file = file.map_err(|source| io_error(&path, source))?;
        let checksum = crc32fast::Hasher::new();
        let mut log = Log { path, file, len: position.words, checksum, unsynced: false };
        let bytes = log.read()?;
        log.checksum.update(&bytes);
        if log.checksum.clone().finalize() != position.checksum {
            let path = log.path.display().to_string();
            return Err(JournalError::Damaged { path, what: "the checksum does not match" });
        }
        log.file.set_len(bytes.len() as u64).map_err(|source| io_error(&log.path, source))?;
        Ok(log)
    }

    pub fn len(&self) -> usize {
        self.len
    }

    /// The number of words, and their checksum.
    pub fn mark(&self) -> (usize, u32) {
        (self.len, self.checksum.clone().finalize())
    }

    /// Begins again. The file keeps its words, for the position that still stands: the same will
    /// be written over them.
    pub fn rewind(&mut self) {
        (self.len, self.checksum) = (0, crc32fast::Hasher::new());
    }

    pub fn append(&mut self, words: &[u64]) -> Result<(), JournalError> {
        if words.is_empty() {
            return Ok(());
        }
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let at = (self.len * WORD) as u64;
        let written = self.file.seek(SeekFrom::Start(at)).and_then(|_| self.file.write_all(&bytes));
        written.map_err(|source| io_error(&self.path, source))?;
        self.unsynced = true;
        self.len += words.len();
        self.checksum.update(&bytes);
        Ok(())
    }

    /// Waits until the words are on the disk itself.
    pub fn sync(&mut self) -> Result<(), JournalError> {
        if std::mem::take(&mut self.unsynced) {
            self.file.sync_data().map_err(|source| io_error(&self.path, source))?;
        }
        Ok(())
    }

    pub fn words(&self) -> Result<Vec<u64>, JournalError> {
        let word = |bytes: &[u8]| {
            let mut word = [0; WORD];
            word.copy_from_slice(bytes);
            u64::from_le_bytes(word)
        };
        Ok(self.read()?.chunks_exact(WORD).map(word).collect())
    }

    fn read(&self) -> Result<Vec<u8>, JournalError> {
        let failed = |source| io_error(&self.path, source);
        let size = self.file.metadata().map_err(failed)?.len();
        if size < (self.len as u64).saturating_mul(WORD as u64) {
            let path = self.path.display().to_string();
            return Err(JournalError::Damaged { path, what: "it is too short" });
        }
        let (mut file, mut bytes) = (&self.file, vec![0; self.len * WORD]);
        file.seek(SeekFrom::Start(0)).and_then(|_| file.read_exact(&mut bytes)).map_err(failed)?;
        Ok(bytes)
    }
}
