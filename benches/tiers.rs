//! What keeping states on disk adds to a sweep, beside keeping them in memory.
//!
//! `cargo bench --bench tiers [DIRECTORY]`

use std::path::PathBuf;
use std::time::Instant;

use costate::error::SnapshotError;
use costate::snapshot::{DiskStore, MemoryStore, SnapshotStore, TieredStore, measure_disk};
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
    println!(
        "{:<10}{:>9}{:>10}  time with: {:>7}{:>12}{:>9}  thread's own: {:>7}{:>12}{:>9}",
        "numbers",
        "steps",
        "ms/state",
        "waited",
        "overlapped",
        "durable",
        "waited",
        "overlapped",
        "durable"
    );
    for (dim, steps) in [(10_000, 20), (10_000, 200), (1_000_000, 5), (1_000_000, 30)] {
        let mut stores: [Box<dyn SnapshotStore<f64>>; 4] = [
            Box::new(MemoryStore::new()),
            Box::new(DiskStore::new(&directory)?),
            Box::new(TieredStore::new(0, &directory)?),
            Box::new(TieredStore::new(0, &directory)?.durable()),
        ];
        let mut least = [[f64::INFINITY; 4]; 2];
        for kind in (0..REPEATS).flat_map(|_| 0..4) {
            let found = sweeps(&mut *stores[kind], dim, steps)?;
            for (least, found) in least.iter_mut().zip(found) {
                least[kind] = least[kind].min(found);
            }
        }
        let [wall, own] = least.map(|times| times.map(|time| time / times[0]));
        println!(
            "{dim:<10}{steps:>9}{:>10.2}  {:>18.3}{:>12.3}{:>9.3}  {:>21.3}{:>12.3}{:>9.3}",
            1e3 * least[0][0] / (2 * KEPT) as f64,
            wall[1],
            wall[2],
            wall[3],
            own[1],
            own[2],
            own[3],
        );
    }
    std::fs::remove_dir(&directory).ok();
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
