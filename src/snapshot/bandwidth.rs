//! How fast a disk is.

use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
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

/// Pieces of that size are written and read until all took so long, ...
const ALL: Duration = Duration::from_millis(80);
/// ... and as often at least.
const FEWEST: usize = 3;

/// Writes and reads a file in `directory`, which is made where it is not there, in pieces that grow
/// until the figures mean something, and takes the best of several: about 0.1 s and at most 4 MiB of
/// file and of memory. A disk that writes less than 2 MB/s takes longer.
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

/// How often a short file is put in its place in a row.
const FILES: u32 = 4;
/// Rows, of which the fastest counts.
const ROWS: usize = 4;

fn latency(path: &Path) -> io::Result<f64> {
    let mut least = f64::INFINITY;
    for _ in 0..ROWS {
        let begun = Instant::now();
        for _ in 0..FILES {
            file::write(path, &[1; 64], Durability::Process)?;
        }
        least = least.min(begun.elapsed().as_secs_f64() / f64::from(FILES));
    }
    Ok(least)
}

/// Bytes written or read at once: what is measured here must fit in any budget.
const PART: usize = 1 << 14;

fn measure(path: &Path) -> io::Result<Bandwidth> {
    let begun = Instant::now();
    let mut file = File::options().read(true).write(true).create(true).truncate(true).open(path)?;
    // Where open files may lose their names, a process that is killed leaves nothing.
    let _ = fs::remove_file(path);
    let mut size = SMALLEST;
    let mut best = written_and_read(&mut file, size)?;
    while best[0] < LONG_ENOUGH && size < LARGEST {
        size *= 2;
        best = written_and_read(&mut file, size)?;
    }
    for rounds in 1.. {
        if rounds >= FEWEST && begun.elapsed() >= ALL {
            break;
        }
        let again = written_and_read(&mut file, size)?;
        best = [best[0].min(again[0]), best[1].min(again[1])];
    }
    let [write, read] = best.map(|time| size as f64 / time.as_secs_f64().max(1e-9));
    Ok(Bandwidth { write, read, latency: latency(path)? })
}

/// How long a file of `size` bytes takes to be on the disk, and to be read again.
fn written_and_read(file: &mut File, size: usize) -> io::Result<[Duration; 2]> {
    // Not all zeros: some file systems do not write those.
    let mut bytes: Vec<u8> = (0..PART).map(|i| (i ^ (i >> 8)) as u8).collect();
    file.set_len(0)?;
    file.rewind()?;
    let begun = Instant::now();
    for from in (0..size).step_by(PART) {
        file.write_all(&bytes[..PART.min(size - from)])?;
    }
    file.sync_data()?;
    let (written, begun) = (begun.elapsed(), Instant::now());
    file.rewind()?;
    for from in (0..size).step_by(PART) {
        file.read_exact(&mut bytes[..PART.min(size - from)])?;
    }
    Ok([written, begun.elapsed()])
}
