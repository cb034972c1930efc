//! What keeping states on disk adds to a sweep, beside keeping them in memory.
//!
//! `cargo bench --bench tiers [DIRECTORY]`

use std::path::PathBuf;
use std::time::Instant;

use costate::error::SnapshotError;
use costate::snapshot::{
    DiskStore, MemoryStore, NotedStore, SnapshotStore, TieredStore, measure_disk,
};
use cpu_time::ThreadTime;

/// The best of so many is given.
const REPEATS: usize = 7;
/// States kept in one sweep.
const KEPT: usize = 40;

fn main() -> Result<(), SnapshotError> {
    let given = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let directory = given.map_or_else(std::env::temp_dir, PathBuf::from).join("costate-tiers");
    let disk = measure_disk(&directory)?;
    println!("{:.0} MB/s out, {:.0} MB/s in", disk.write / 1e6, disk.read / 1e6);
    let names = ["in memory", "waited", "overlapped", "durable"];
    for (dim, steps) in [(10_000, 20), (10_000, 200), (1_000_000, 5), (1_000_000, 30)] {
        let stores: [Box<dyn SnapshotStore<f64>>; 4] = [
            Box::new(MemoryStore::new()),
            Box::new(DiskStore::new(&directory)?),
            Box::new(TieredStore::new(0, &directory)?),
            Box::new(TieredStore::new(0, &directory)?.durable()),
        ];
        compare(names, stores, dim, steps)?;
    }
    let names = ["in memory", "a file each", "noted", "records"];
    for (dim, steps) in [(2, 20), (100, 20), (1000, 20), (8000, 20), (8000, 200)] {
        let stores: [Box<dyn SnapshotStore<f64>>; 4] = [
            Box::new(MemoryStore::new()),
            Box::new(DiskStore::new(&directory)?),
            Box::new(NotedStore::open(&directory, 1, dim, 0, 32 << 20)?),
            Box::new(NotedStore::open(&directory, 2, dim, 0, 0)?),
        ];
        compare(names, stores, dim, steps)?;
        for run in [1, 2] {
            std::fs::remove_file(NotedStore::<f64>::open(&directory, run, dim, 0, 0)?.path()).ok();
        }
    }
    std::fs::remove_dir(&directory).ok();
    Ok(())
}

/// Prints what sweeps take with each store beside the first, on the clock and of the thread itself.
fn compare(
    names: [&str; 4],
    mut stores: [Box<dyn SnapshotStore<f64>>; 4],
    dim: usize,
    steps: usize,
) -> Result<(), SnapshotError> {
    let mut least = [[f64::INFINITY; 4]; 2];
    for kind in (0..REPEATS).flat_map(|_| 0..4) {
        let found = sweeps(&mut *stores[kind], dim, steps)?;
        for (least, found) in least.iter_mut().zip(found) {
            least[kind] = least[kind].min(found);
        }
    }
    print!("{dim} numbers, {steps} steps a state: {:.1e} s", least[0][0] / (2 * KEPT) as f64);
    for (kind, name) in names.iter().enumerate().skip(1) {
        let [wall, own] = least.map(|times| times[kind] / times[0]);
        print!(", {name} {wall:.3} times ({own:.3})");
    }
    println!();
    Ok(())
}

/// Seconds, and seconds of this thread at work, of a sweep that keeps a state each `steps` steps
/// and of one that takes them back.
fn sweeps(
    store: &mut dyn SnapshotStore<f64>,
    dim: usize,
    steps: usize,
) -> Result<[f64; 2], SnapshotError> {
    let (mut y, mut dy) = (vec![1.0; dim], vec![0.0; dim]);
    let (begun, own) = (Instant::now(), ThreadTime::now());
    for slot in 0..KEPT {
        store.store(slot, slot, &y)?;
        (0..steps).for_each(|_| step(&mut y, &mut dy));
    }
    store.expect(KEPT - 1, KEPT - 1);
    for slot in (0..KEPT).rev() {
        store.restore(slot, slot, &mut y)?;
        if let Some(next) = slot.checked_sub(1) {
            store.expect(next, next);
        }
        (0..steps).for_each(|_| step(&mut y, &mut dy));
    }
    Ok([begun.elapsed(), own.elapsed()].map(|time| time.as_secs_f64()))
}

/// A step of a diffusion equation by Euler's method.
fn step(y: &mut [f64], dy: &mut [f64]) {
    for i in 1..y.len() - 1 {
        dy[i] = y[i - 1] - 2.0 * y[i] + y[i + 1];
    }
    y.iter_mut().zip(&*dy).for_each(|(y, dy)| *y += 0.1 * dy);
}
