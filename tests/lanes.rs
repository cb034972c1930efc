//! Schedules for two lanes, and gradients on two threads.

use costate::schedule::{Costs, LaneCounts, Pair, optimum};

#[test]
fn figures() {
    for (n, s, a) in [
        (10000, 20, 4),
        (10000, 10, 4),
        (10000, 50, 4),
        (10000, 20, 1),
        (10000, 20, 12),
        (1000, 3, 4),
        (1000, 5, 4),
        (1000, 10, 4),
        (300, 10, 4),
        (10000, 200, 4),
        (100, 4, 4),
        (100000, 30, 4),
    ] {
        let costs = Costs { step: 2, adjoint: a };
        let begun = std::time::Instant::now();
        let pair = Pair::new(n, s, costs).unwrap();
        let planned = begun.elapsed();
        let counts = LaneCounts::of(pair, costs).unwrap();
        let one = 2 * optimum::t(n as u64, s as u64) + (2 + a) * n as u64;
        println!(
            "{n} {s} {a}: {:.3} of one {:.3} of all {counts:?} {planned:?}",
            one as f64 / counts.makespan as f64,
            counts.makespan as f64 / ((4 + a) as f64 * n as f64)
        );
    }
}
