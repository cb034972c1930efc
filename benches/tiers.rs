//! What keeping states on disk adds to a sweep, beside keeping them in memory.
//!
//! `cargo bench --bench tiers [DIRECTORY]`

use std::path::PathBuf;
use std::time::Instant;

use costate::error::SnapshotError;
use costate::snapshot::{DiskStore, MemoryStore, SnapshotStore, TieredStore, measure_disk};

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
        "{:<12}{:>10}{:>12}{:>12}{:>12}{:>12}{:>12}",
        "numbers", "steps/st.", "ms/state", "memory", "waited", "overlapped", "durable"
    );
    for (dim, steps) in [(10_000, 20), (10_000, 200), (1_000_000, 5), (1_000_000, 30)] {
        let mut stores: [Box<dyn SnapshotStore<f64>>; 4] = [
            Box::new(MemoryStore::new()),
            Box::new(DiskStore::new(&directory)?),
            Box::new(TieredStore::new(0, &directory)?),
            Box::new(TieredStore::new(0, &directory)?.durable()),
        ];
        let mut times = [f64::INFINITY; 4];
        for _ in 0..REPEATS {
            for (time, store) in times.iter_mut().zip(&mut stores) {
                *time = time.min(sweeps(&mut **store, dim, steps)?);
            }
        }
        let per_state = 1e3 * times[0] / (2 * KEPT) as f64;
        let ratios = times.iter().map(|time| format!("{:>12.3}", time / times[0]));
        println!("{dim:<12}{steps:>10}{per_state:>12.2}{}", ratios.collect::<String>());
    }
    std::fs::remove_dir(&directory).ok();
    Ok(())
}

/// Seconds of a sweep that keeps a state each `steps` steps, and of one that takes them back.
fn sweeps(
    store: &mut dyn SnapshotStore<f64>,
    dim: usize,
    steps: usize,
) -> Result<f64, SnapshotError> {
    let (mut y, mut dy) = (vec![1.0; dim], vec![0.0; dim]);
    let begun = Instant::now();
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
    Ok(begun.elapsed().as_secs_f64())
}

/// A step of a diffusion equation by Euler's method.
fn step(y: &mut [f64], dy: &mut [f64]) {
    for i in 1..y.len() - 1 {
        dy[i] = y[i - 1] - 2.0 * y[i] + y[i + 1];
    }
    y.iter_mut().zip(&*dy).for_each(|(y, dy)| *y += 0.1 * dy);
}
