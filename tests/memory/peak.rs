//! The memory bound is real: what a process held at its peak, by the operating system's own count.
//! Each measurement is made in a child process that does nothing else.

use std::process::Command;

use costate::adjoint::{Gradient, Stats};
use costate::method::tableau::{BS3, RK4};
use costate::method::{AdjointKind, Method};
use costate::ode::objective::LeastSquares;
use costate::problem::Problem;
use costate_models::biology::lotka_volterra::p1a;
use costate_models::pde::burgers;

use crate::counting::alone;

const CHILD: &str = "COSTATE_MEMORY_CHILD";

/// Runs the test of this name alone in a child, told `what`, and gives its peak in MB.
fn peak_of(test: &str, what: &str) -> Option<f64> {
    if !cfg!(target_os = "linux") {
        eprintln!("skipped: the peak is read from /proc");
        return None;
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("peak::{test}"), "--nocapture", "--test-threads", "1"])
        .env(CHILD, what)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}");
    let line = text.lines().find_map(|line| line.split("peak MB ").nth(1));
    Some(line.unwrap_or_else(|| panic!("{text}")).trim().parse().unwrap())
}

fn is_child() -> bool {
    told().is_some()
}

/// What a child is told.
fn told() -> Option<String> {
    std::env::var(CHILD).ok()
}

fn tell_peak() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    let kib: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    println!("peak MB {}", kib / 1024.0);
}

/// snapshots × state within 2 % of what is reported for them, and with the tape, the grid and the
/// sweep's vectors of what is reported in all.
fn reported_is_held(stats: &Stats, dim: usize, params: usize, tape: usize, grid: usize) {
    let snapshots = stats.snapshots_peak as usize * 8 * dim;
    let all = snapshots + tape + grid + 8 * (3 * dim + params);
    let near =
        |reported: u64, held: usize| (reported as f64 - held as f64).abs() <= 0.02 * held as f64;
    assert!(near(stats.snapshot_bytes_peak, snapshots), "{stats:?}");
    assert!(near(stats.peak_bytes, all), "{stats:?}: {all}");
}

#[test]
fn burgers_with_fifty_snapshots() {
    let _alone = alone();
    let problem = if cfg!(debug_assertions) {
        eprintln!("without optimisation p6s stands for p6");
        burgers::p6s()
    } else {
        burgers::p6()
    };
    if !is_child() {
        if let Some(peak) = peak_of("burgers_with_fifty_snapshots", "run") {
            assert!(peak < 60.0, "{peak} MB");
        }
        return;
    }
    let (dim, steps) = (problem.y0.len(), problem.fixed_steps.unwrap());
    let g: Gradient = Problem::new(&problem.ode, problem.span, &problem.p)
        .initial(&problem.y0)
        .objective(&problem.objective)
        .method(Method::Named(&RK4))
        .fixed_steps(steps)
        .snapshots(50)
        .gradient()
        .unwrap();
    assert_eq!(g.stats.snapshots_peak, 50);
    // Four stages and the interpolant's fifth: Y, k and their bars, k̄ and λ, and two states for
    // points.
    let tape = (3 * 5 + 2 + 2) * 8 * dim;
    reported_is_held(&g.stats, dim, problem.p.len(), tape, 0);
    tell_peak();
}

#[test]
fn a_million_fixed_steps() {
    let _alone = alone();
    if !is_child() {
        if let Some(peak) = peak_of("a_million_fixed_steps", "run") {
            assert!(peak < 20.0, "{peak} MB");
        }
        return;
    }
    let problem = p1a();
    let g = Problem::new(&problem.ode, problem.span, &problem.p)
        .initial(&problem.y0)
        .objective(&problem.objective)
        .method(Method::Named(&RK4))
        .fixed_steps(1_000_000)
        .snapshots(30)
        .gradient()
        .unwrap();
    assert_eq!(g.stats.steps, 1_000_000);
    assert_eq!(g.stats.snapshots_peak, 30);
    tell_peak();
}

#[test]
fn a_million_controlled_steps() {
    let _alone = alone();
    if !is_child() {
        if let Some(peak) = peak_of("a_million_controlled_steps", "run") {
            assert!(peak < 20.0, "{peak} MB");
        }
        return;
    }
    let problem = p1a();
    let g = Problem::new(&problem.ode, (0.0, 680.0), &problem.p)
        .initial(&problem.y0)
        .objective(&problem.objective)
        .method(Method::Named(&BS3))
        .rtol(1e-10)
        .atol(1e-10)
        .max_steps(5_000_000)
        .snapshots(30)
        .gradient()
        .unwrap();
    println!("{} steps", g.stats.steps);
    assert!((800_000..1_300_000).contains(&g.stats.steps), "{} steps", g.stats.steps);
    assert_eq!(g.stats.snapshots_peak, 30);
    assert!(g.stats.peak_bytes > 8 * g.stats.steps);
    tell_peak();
}

#[test]
fn a_million_steps_by_backsolve() {
    let _alone = alone();
    if !is_child() {
        if let Some(peak) = peak_of("a_million_steps_by_backsolve", "run") {
            assert!(peak < 20.0, "{peak} MB");
        }
        return;
    }
    let problem = p1a();
    let g = Problem::new(&problem.ode, problem.span, &problem.p)
        .initial(&problem.y0)
        .objective(&problem.objective)
        .method(Method::Named(&RK4))
        .fixed_steps(1_000_000)
        .adjoint(AdjointKind::Backsolve)
        .gradient()
        .unwrap();
    let Stats { steps, recomputed_steps, replayed_segments, snapshots_peak, .. } = g.stats;
    assert_eq!((steps, recomputed_steps, replayed_segments), (1_000_000, 0, 0));
    assert!(snapshots_peak <= 16);
    tell_peak();
}

/// What more snapshots are reported to hold is what the process holds more; in files they hold
/// nothing.
#[test]
fn each_snapshot_holds_its_state() {
    let _alone = alone();
    const TEST: &str = "each_snapshot_holds_its_state";
    if let Some(what) = told() {
        return some_snapshots(&what);
    }
    let peak = |what| peak_of(TEST, what);
    let (Some(few), Some(many)) = (peak("20"), peak("420")) else { return };
    let more = 400.0 * 8.0 * burgers::p6().y0.len() as f64 / (1024.0 * 1024.0);
    assert!((many - few - more).abs() <= 0.02 * more, "{few} MB, {many} MB, expected {more} more");
    if let Some(on_disk) = peak("420 on disk") {
        assert!(
            on_disk < few,
            "{on_disk} MB with 420 snapshots on disk, {few} MB with 20 in memory"
        );
    }
}

fn some_snapshots(what: &str) {
    let snapshots: usize = what.trim_end_matches(" on disk").parse().unwrap();
    let problem = burgers::p6();
    let end = problem.span.0 + 0.05 * (problem.span.1 - problem.span.0);
    let y_end = problem.y0.clone();
    let objective = LeastSquares::new(vec![end], y_end, &[1.0]).unwrap();
    let span = (problem.span.0, end);
    let run = Problem::new(&problem.ode, span, &problem.p)
        .initial(&problem.y0)
        .objective(&objective)
        .method(Method::Named(&RK4))
        .fixed_steps(500)
        .snapshots(snapshots);
    let directory = std::env::temp_dir().join(format!("costate-memory-{}", std::process::id()));
    let run = if what.ends_with("on disk") { run.on_disk(&directory) } else { run };
    let stats = run.gradient().unwrap().stats;
    assert_eq!(stats.snapshots_peak, snapshots as u64);
    let state = 8 * problem.y0.len();
    match what.ends_with("on disk") {
        // A header and a checksum beside each state.
        // Two may be about to be replaced.
        true => {
            let files = stats.disk_bytes_peak / (state + 44) as u64;
            assert!((snapshots as u64..=snapshots as u64 + 2).contains(&files), "{files}");
        }
        false => assert_eq!(stats.snapshot_bytes_peak, (snapshots * state) as u64),
    }
    let _ = std::fs::remove_dir(directory);
    tell_peak();
}

/// What a process holds beside a budget: its code, its stacks, and what the system's allocator keeps.
const CONSTANT_MB: f64 = 8.0;

/// p6 for some steps in a budget; what it is told are the budget in MB and the cores.
fn in_a_budget(what: &str) {
    let mut words = what.split(' ');
    let budget: u64 = words.next().unwrap().parse().unwrap();
    let threads: usize = words.next().unwrap().parse().unwrap();
    let problem = burgers::p6();
    let end = problem.span.0 + 0.1 * (problem.span.1 - problem.span.0);
    let objective = LeastSquares::new(vec![end], problem.y0.clone(), &[1.0]).unwrap();
    let run = Problem::new(&problem.ode, (problem.span.0, end), &problem.p)
        .initial(&problem.y0)
        .objective(&objective)
        .method(Method::Named(&RK4))
        .fixed_steps(1000)
        .budget(budget << 20)
        .threads(threads);
    let directory = std::env::temp_dir().join(format!("costate-budget-{}", std::process::id()));
    let run = if words.next().is_some() { run.on_disk(&directory) } else { run };
    let g = run.gradient().unwrap();
    assert!(g.stats.peak_bytes <= budget << 20, "{:?}", g.stats);
    assert!(threads == 1 || g.stats.from_tape > 0, "{:?}", g.stats);
    let _ = std::fs::remove_dir(directory);
    tell_peak();
    let hash = g.wrt_params.iter().fold(0u64, |h, x| h.rotate_left(5) ^ x.to_bits());
    println!("bits {hash:x}");
}

#[test]
fn a_budget_is_kept() {
    let _alone = alone();
    const TEST: &str = "a_budget_is_kept";
    if let Some(what) = told() {
        return in_a_budget(&what);
    }
    let budgets = ["4 1", "20 1", "60 1", "200 1", "20 2", "60 2", "12 1 disk"];
    for what in budgets {
        let Some(peak) = peak_of(TEST, what) else { return };
        let budget: f64 = what.split(' ').next().unwrap().parse().unwrap();
        assert!(peak <= budget + CONSTANT_MB, "{what}: {peak} MB");
        println!("{what}: {peak} MB");
    }
}
