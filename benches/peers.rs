//! Loss and gradient of the benchmark problems: `cargo bench --bench peers -- PROBLEM RTOL
//! [--method M] [--snapshots K] [--schedule S] [--budget SIZE] [--threads N]` prints one JSON line.
//! RTOL is 0 for the fixed steps of p6s and p6.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use costate::adjoint::Gradient;
use costate::error::Error;
use costate::method::Method;
use costate::method::tableau::RK4;
use costate::numbers::units::parse_bytes;
use costate::ode::Vjp;
use costate::ode::objective::Objective;
use costate::problem::{Problem, ScheduleKind};
use costate_models::Benchmark;
use costate_models::biology::lotka_volterra::{p1a, p1b};
use costate_models::chemistry::robertson::p2;
use costate_models::learning::neural_ode::{p4a, p4b};
use costate_models::pde::brusselator::{p3a, p3b};
use costate_models::pde::burgers::{p6, p6s};
use cpu_time::ProcessTime;

const USAGE: &str = "usage: cargo bench --bench peers -- PROBLEM RTOL [--method M] [--snapshots K]
  [--schedule S] [--budget SIZE] [--threads N]
  PROBLEM: p1a p1b p2 p3a p3b p4a p4b, or p6s p6 with RTOL 0
  S: store-all revolve online uniform bisection; SIZE: such as 60MiB";
const LEAST_RUNS: usize = 5;
const MOST_RUNS: usize = 51;
/// Runs beyond the least are made while they fit into this time.
const BUDGET: Duration = Duration::from_secs(3);

#[derive(Default)]
struct Arguments {
    problem: String,
    rtol: f64,
    method: Option<String>,
    snapshots: Option<usize>,
    schedule: Option<ScheduleKind>,
    budget: Option<u64>,
    threads: Option<usize>,
}

fn main() -> ExitCode {
    match arguments(std::env::args().skip(1)).and_then(|arguments| dispatch(&arguments)) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}

fn arguments(words: impl Iterator<Item = String>) -> Result<Arguments, String> {
    // cargo bench adds --bench.
    let mut words = words.filter(|word| word != "--bench");
    let problem = words.next().ok_or(USAGE)?;
    let rtol = words.next().and_then(|word| word.parse().ok()).ok_or(USAGE)?;
    let mut arguments = Arguments { problem, rtol, ..Arguments::default() };
    while let Some(word) = words.next() {
        let value = words.next().ok_or(USAGE)?;
        match word.as_str() {
            "--method" => arguments.method = Some(value),
            "--snapshots" => arguments.snapshots = Some(value.parse().map_err(|_| USAGE)?),
            "--schedule" => arguments.schedule = Some(schedule(&value).ok_or(USAGE)?),
            "--budget" => arguments.budget = Some(parse_bytes(&value).ok_or(USAGE)?),
            "--threads" => arguments.threads = Some(value.parse().map_err(|_| USAGE)?),
            _ => return Err(USAGE.into()),
        }
    }
    Ok(arguments)
}

fn schedule(given: &str) -> Option<ScheduleKind> {
    ScheduleKind::ALL.into_iter().find(|(name, _)| *name == given).map(|(_, kind)| kind)
}

fn dispatch(arguments: &Arguments) -> Result<String, String> {
    match arguments.problem.as_str() {
        "p1a" => run(&p1a(), arguments),
        "p1b" => run(&p1b(), arguments),
        "p2" => run(&p2(), arguments),
        "p3a" => run(&p3a(), arguments),
        "p3b" => run(&p3b(), arguments),
        "p4a" => run(&p4a(), arguments),
        "p4b" => run(&p4b(), arguments),
        "p6s" => run(&p6s(), arguments),
        "p6" => run(&p6(), arguments),
        _ => Err(USAGE.into()),
    }
}

fn run<O: Vjp, J: Objective>(
    benchmark: &Benchmark<O, J>,
    arguments: &Arguments,
) -> Result<String, String> {
    let method = match &arguments.method {
        Some(name) => Method::by_name(name).map_err(|error| error.to_string())?,
        None if benchmark.fixed_steps.is_some() => Method::Named(&RK4),
        None => Method::Auto,
    };
    let Benchmark { ode, objective, y0, p, span, .. } = benchmark;
    let rtol = arguments.rtol;
    let atol = if benchmark.id == "p2" { 1e-6 * rtol } else { rtol };
    let mut problem = Problem::new(ode, *span, p).initial(y0).objective(objective).method(method);
    problem = match benchmark.fixed_steps {
        Some(steps) => problem.fixed_steps(steps),
        None => problem.rtol(rtol).atol(atol),
    };
    if let Some(snapshots) = arguments.snapshots {
        problem = problem.snapshots(snapshots);
    }
    if let Some(kind) = arguments.schedule {
        problem = problem.schedule(kind);
    }
    if let Some(bytes) = arguments.budget {
        problem = problem.budget(bytes);
    }
    if let Some(threads) = arguments.threads {
        problem = problem.threads(threads);
    }
    let (forward, _, _) = median(|| problem.value().map(|_| ())).map_err(|e| e.to_string())?;
    let (wall, cpu, solved) = median(|| problem.solved()).map_err(|e| e.to_string())?;
    let Gradient { value, wrt_params, stats, .. } = &solved.gradient;
    let plan = solved.plan;
    let schedule = plan.map_or(problem.schedule_kind().name(), |plan| plan.schedule);
    let line = serde_json::json!({
        "problem": benchmark.id,
        "tol": rtol,
        "method": solved.method,
        "wall_s_forward": forward,
        "wall_s_gradient": wall,
        "cpu_s_gradient": cpu,
        "n_steps": stats.steps,
        "recomputed_steps": stats.recomputed_steps,
        "schedule": schedule,
        "snapshots": stats.snapshots_peak,
        "budget_bytes": plan.and_then(|plan| plan.budget_bytes),
        "peak_bytes": stats.peak_bytes,
        "disk_bytes_peak": stats.disk_bytes_peak,
        "threads": plan.map_or(1, |plan| plan.threads),
        "predicted_seconds": plan.and_then(|plan| plan.predicted_seconds),
        "resumed_at_step": stats.resumed_at_step,
        "loss": value,
        "grad_full": wrt_params,
        "rel_err_vs_reference": relative_error(benchmark.id, wrt_params),
        "peak_rss_mb": peak_rss_mb(),
    });
    Ok(line.to_string())
}

/// Medians of wall and processor seconds after a warm-up, and the last result.
fn median<T>(task: impl Fn() -> Result<T, Error>) -> Result<(f64, f64, T), Error> {
    let mut result = task()?;
    let begun = Instant::now();
    let (mut walls, mut cpus) = (vec![], vec![]);
    while walls.len() < LEAST_RUNS || (walls.len() < MOST_RUNS && begun.elapsed() < BUDGET) {
        let (wall, cpu) = (Instant::now(), ProcessTime::now());
        result = task()?;
        cpus.push(cpu.elapsed().as_secs_f64());
        walls.push(wall.elapsed().as_secs_f64());
    }
    let middle = |seconds: &mut Vec<f64>| {
        seconds.sort_by(f64::total_cmp);
        seconds[seconds.len() / 2]
    };
    Ok((middle(&mut walls), middle(&mut cpus), result))
}

/// ‖g − g_ref‖ / ‖g_ref‖ where the reference is at hand.
fn relative_error(id: &str, gradient: &[f64]) -> Option<f64> {
    let path = format!("{}/../shared/reference/{id}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).ok()?;
    let reference: serde_json::Value = serde_json::from_str(&text).ok()?;
    let reference: Vec<f64> =
        reference["grad"].as_array()?.iter().filter_map(serde_json::Value::as_f64).collect();
    let norm = |x: &mut dyn Iterator<Item = f64>| x.map(|x| x * x).sum::<f64>().sqrt();
    let difference = norm(&mut gradient.iter().zip(&reference).map(|(g, r)| g - r));
    (gradient.len() == reference.len()).then(|| difference / norm(&mut reference.iter().copied()))
}

/// The most memory that this process ever held, where the system tells.
fn peak_rss_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<f64>().ok().map(|kib| kib / 1024.0)
}
