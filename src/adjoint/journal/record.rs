//! A position in a file: magic, length, content, CRC-32 of all before; replaced whole.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use super::{Position, io_error};
use crate::error::JournalError;

const MAGIC: &[u8; 8] = b"costateP";
const HEADER: usize = 16;
const CHECKSUM: usize = 4;

pub(super) fn write(path: &Path, position: &Position) -> Result<(), JournalError> {
    let failed = |source| io_error(path, source);
    let content = postcard::to_stdvec(position).map_err(|e| failed(io::Error::other(e)))?;
    let mut bytes = Vec::with_capacity(HEADER + content.len() + CHECKSUM);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&(content.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&content);
    bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
    replace(path, &bytes).map_err(failed)
}

/// Puts `bytes` in place of the file at once: a crash leaves the old or the new.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("writing");
    let written = File::create(&beside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_data()
    });
    let written = written.and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        // What is left of a full disk is better empty; the error itself says enough.
        let _ = fs::remove_file(&beside);
    }
    written
}

pub(super) fn read(path: &Path) -> Result<Position, JournalError> {
    let bytes = fs::read(path).map_err(|source| io_error(path, source))?;
    let damaged = |what| JournalError::Damaged { path: path.display().to_string(), what };
    if bytes.len() < HEADER + CHECKSUM {
        return Err(damaged("it is too short"));
    }
    let (before, checksum) = bytes.split_at(bytes.len() - CHECKSUM);
    if crc32fast::hash(before).to_le_bytes() != checksum {
        return Err(damaged("the checksum does not match"));
    }
    let content = &before[HEADER..];
    if before[..8] != *MAGIC || before[8..HEADER] != (content.len() as u64).to_le_bytes() {
        return Err(damaged("the header is not a position's"));
    }
    postcard::from_bytes(content).map_err(|_| damaged("it cannot be read"))
}
