//! LU factors: dense ones against other crates' (`cargo bench --bench linalg -- dense`), then
//! milliseconds and bytes on a square of points in two dimensions with `species` unknowns at each,
//! sparse, banded and dense. Bytes are as stated and, for the sparse ones, as allocated at most while
//! they are made.

mod dense;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use costate::numbers::linalg::{Lu, Matrix, Pattern, Structure};

struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is the system allocator's.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(held, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// (row, column) of what points at most `reach` apart along an axis couple.
fn entries(n: usize, species: usize, reach: usize) -> Vec<(usize, usize)> {
    let mut list = Vec::new();
    for point in 0..n * n {
        let (x, y) = (point % n, point / n);
        for other in 0..n * n {
            let (dx, dy) = ((other % n).abs_diff(x), (other / n).abs_diff(y));
            if dx.min(dy) == 0 && dx.max(dy) <= reach {
                let pairs = (0..species * species).map(|s| (s / species, s % species));
                list.extend(pairs.map(|(a, b)| (point * species + a, other * species + b)));
            }
        }
    }
    list
}

fn best<T>(repetitions: usize, mut action: impl FnMut() -> T) -> f64 {
    let time = |_| {
        let start = Instant::now();
        action();
        1e3 * start.elapsed().as_secs_f64()
    };
    (0..repetitions).map(time).fold(f64::INFINITY, f64::min)
}

fn report(name: &str, dim: usize, structure: Structure, entries: &[(usize, usize)]) {
    let mut jacobian = Matrix::zeros(dim, structure.clone()).unwrap();
    for (k, &(i, j)) in entries.iter().enumerate() {
        let off = 1.0 + 0.5 * (k as f64).sin();
        jacobian.set(i, j, if i == j { -4.0 + off } else { off });
    }
    let analysis = best(1, || Lu::new(dim, structure.clone()).unwrap());
    let before = HELD.load(Ordering::Relaxed);
    let mut lu = Lu::new(dim, structure).unwrap();
    PEAK.store(before, Ordering::Relaxed);
    let factor = best(3, || lu.factor(0.5, &jacobian).expect("regular"));
    let peak = PEAK.load(Ordering::Relaxed) - before;
    let after = HELD.load(Ordering::Relaxed) - before;
    let mut b = vec![1.0; dim];
    let solve = best(3, || lu.solve(&mut b));
    let transposed = best(3, || lu.solve_transpose(&mut b));
    println!(
        "  {name:7} analyse {analysis:8.2}  factor {factor:9.3}  solve {solve:7.3}  transposed \
         {transposed:7.3} ms  {:.2} MB stated, {:.2} held, {:.2} at most",
        lu.bytes() as f64 / 1e6,
        after as f64 / 1e6,
        peak as f64 / 1e6,
    );
}

fn main() {
    dense::report();
    if !std::env::args().any(|argument| argument == "dense") {
        squares();
    }
}

fn squares() {
    for (n, species, reach) in [
        (8, 1, 1),
        (12, 1, 1),
        (16, 1, 1),
        (24, 1, 1),
        (32, 1, 1),
        (64, 1, 1),
        (16, 2, 1),
        (32, 2, 1),
        (64, 2, 1),
        (16, 4, 2),
        (32, 4, 2),
    ] {
        let (dim, list) = (n * n * species, entries(n, species, reach));
        println!(
            "{n} × {n}, {species} species, reach {reach}: {dim} states, {} entries",
            list.len()
        );
        let pattern = Pattern::new(dim, list.iter().copied()).expect("in the matrix");
        report("sparse", dim, Structure::Sparse(pattern), &list);
        let band = reach * n * species + species - 1;
        report("banded", dim, Structure::Banded { lower: band, upper: band }, &list);
        if dim <= 600 {
            report("dense", dim, Structure::Dense, &list);
        }
    }
}
