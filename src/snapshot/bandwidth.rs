//! How fast a disk is.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use super::file::{self, Durability, io_error};
use crate::error::SnapshotError;

/// Bytes a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bandwidth {
    /// Written until they are on the disk.
    pub write: f64,
    /// Read, right after they were written: from the system's memory where it still holds them.
    pub read: f64,
    /// Seconds that a file takes however short it is, to be put in its place or to be read.
    pub latency: f64,
}

/// The first piece that is written, and each one doubles it.
const SMALLEST: usize = 256 << 10;
const LARGEST: usize = 4 << 20;
/// Pieces are written until one has taken so long.
const LONG_ENOUGH: Duration = Duration::from_millis(25);

/// Writes and reads a file in `directory`, which is made where it is not there, in pieces that grow
/// until the figures mean something: about 0.1 s and at most 4 MiB of file and of memory. A disk that writes less than
/// 2 MB/s takes longer.
///
/// # Errors
/// Where the directory cannot be made or written, or has no room.
pub fn measure_disk(directory: impl AsRef<Path>) -> Result<Bandwidth, SnapshotError> {
    let (directory, run) = (directory.as_ref(), file::unique());
    file::open_directory(directory, run)?;
    let path = directory.join(format!("bandwidth-{run:016x}"));
    let measured = measure(&path).map_err(|source| io_error(&path, source));
    let removed = fs::remove_file(&path).map_err(|source| io_error(&path, source));
    measured.and_then(|bandwidth| removed.map(|()| bandwidth))
}

/// How often a short file is put in its place.
const FILES: u32 = 16;

fn latency(path: &Path) -> io::Result<f64> {
    let begun = Instant::now();
    for _ in 0..FILES {
        file::write(path, &[1; 64], Durability::Process)?;
    }
    Ok(begun.elapsed().as_secs_f64() / f64::from(FILES))
}

/// Bytes written or read at once: what is measured here must fit in any budget.
const PART: usize = 1 << 14;

fn measure(path: &Path) -> io::Result<Bandwidth> {
    // Not all zeros: some file systems do not write those.
    let mut bytes: Vec<u8> = (0..PART).map(|i| (i ^ (i >> 8)) as u8).collect();
    let mut size = SMALLEST;
    loop {
        let begun = Instant::now();
        let mut file = File::create(path)?;
        for from in (0..size).step_by(PART) {
            file.write_all(&bytes[..PART.min(size - from)])?;
        }
        file.sync_data()?;
        let written = begun.elapsed();
        if written >= LONG_ENOUGH || size >= LARGEST {
            let begun = Instant::now();
            let mut file = File::open(path)?;
            for from in (0..size).step_by(PART) {
                file.read_exact(&mut bytes[..PART.min(size - from)])?;
            }
            let per_second = |time: Duration| size as f64 / time.as_secs_f64().max(1e-9);
            let read = per_second(begun.elapsed());
            return Ok(Bandwidth { write: per_second(written), read, latency: latency(path)? });
        }
        size *= 2;
    }
}
