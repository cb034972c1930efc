//! `costate curve`: the gradient's work against its memory.

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use clap::Args;
use costate::curve::{Budgets, Curve, CurvePoint};
use costate::error::shown;
use costate::plot::{bytes, curve_svg, seconds};
use serde::Serialize;

use crate::Report;
use crate::failure::{Failure, expect_writable, write};
use crate::json::to_line;
use crate::options::{Keeping, Loaded, Run, count, size};
use crate::progress::Bar;

/// The gradient's work against its memory, from all states kept to the fewest
///
/// Error control chooses the steps once. --snapshots is the fewest of the sweep, 1 unless given;
/// --schedule is revolve unless given. With --budgets memory is in bytes, and what is kept is what
/// saves most time. Predicted are the times by the costs of a few steps; the least possible is
/// proven for schedules that hold what they keep until it is used.
#[derive(Args)]
pub struct CurveCommand {
    #[command(flatten)]
    run: Run,
    #[command(flatten)]
    keeping: Keeping,
    /// Budgets of bytes instead of numbers of snapshots: sizes with commas between them, such as
    /// 1MiB,20MiB, or `sweep` for those from the least that will do to all steps kept with their
    /// stages, two to each doubling
    #[arg(long, value_name = "SIZE,…|sweep", value_delimiter = ',', value_parser = budget,
          conflicts_with_all = ["snapshots", "schedule"])]
    budgets: Vec<Sweep>,
    /// The numbers of cores that take steps, such as 1,2: a line for each
    #[arg(long, value_name = "N,…", value_delimiter = ',', value_parser = count,
          allow_hyphen_values = true, requires = "budgets")]
    threads: Vec<usize>,
    /// Hold at most this much in files, such as 20GiB [default: what there is room for]
    #[arg(long, value_name = "SIZE", value_parser = size, requires_all = ["budgets", "disk"])]
    disk_budget: Option<u64>,
    /// Draw the curve to this file
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Write the points to this file, as a JSON array
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// A budget, or all that are of use.
#[derive(Clone, Copy, PartialEq)]
enum Sweep {
    All,
    Bytes(u64),
}

fn budget(text: &str) -> Result<Sweep, &'static str> {
    match text {
        "sweep" => Ok(Sweep::All),
        _ => size(text).map(Sweep::Bytes),
    }
}

impl CurveCommand {
    pub fn run(&self) -> Result<Report, Failure> {
        for path in self.svg.iter().chain(&self.json) {
            expect_writable(path)?;
        }
        let loaded = self.run.load_with_objective()?;
        let (curve, method) = match self.budgets.is_empty() {
            true => self.over_snapshots(&loaded)?,
            false => self.over_budgets(&loaded)?,
        };
        let name = &shown(loaded.model.name());
        if let Some(path) = &self.svg {
            let title = format!("{name}: gradient of N = {} steps of {method}", curve.steps);
            let svg = curve_svg(&curve, &title).map_err(|e| Failure::new(e.to_string()))?;
            write(path, &svg)?;
        }
        if let Some(path) = &self.json {
            let points: Vec<_> = curve.points.iter().map(PointJson::from).collect();
            write(path, &(to_line(&points) + "\n"))?;
        }
        let holds = curve.points.iter().all(|point| point.bits_equal);
        Ok(Report { text: table(name, method, &curve), holds })
    }

    fn over_snapshots(&self, loaded: &Loaded) -> Result<(Curve, &'static str), Failure> {
        let (bar, measured) = (Bar::new(), AtomicUsize::new(0));
        let observe = |point: &CurvePoint| {
            let done = measured.fetch_add(1, Ordering::Relaxed) + 1;
            // Two points to each doubling; how many are left shows when they are all measured.
            let left = 2.0 * (point.snapshots as f64).log2();
            bar.set("curve", || done as f64 / (done as f64 + left));
        };
        let problem = self.keeping.apply(self.run.problem(loaded)?);
        problem.curve(&observe).map_err(|error| self.run.failed(loaded, &error))
    }

    fn over_budgets(&self, loaded: &Loaded) -> Result<(Curve, &'static str), Failure> {
        let bar = Bar::new();
        let observe = |_: &CurvePoint, done: f64| bar.set("curve", || done);
        let given = |sweep: &Sweep| match sweep {
            Sweep::All => None,
            Sweep::Bytes(bytes) => Some(*bytes),
        };
        let all = self.budgets.contains(&Sweep::All);
        if all && self.budgets.len() > 1 {
            return Err(Failure::new("--budgets: `sweep` stands alone"));
        }
        let budgets = Budgets {
            bytes: self.budgets.iter().filter_map(given).collect(),
            threads: self.threads.clone(),
            directory: self.keeping.disk.clone(),
            disk_bytes: self.disk_budget,
        };
        let problem = self.keeping.apply(self.run.problem(loaded)?);
        let curve = problem.budget_curve(&budgets, &observe);
        curve.map_err(|error| self.run.failed(loaded, &error))
    }
}

#[derive(Serialize)]
struct PointJson {
    snapshots: u64,
    snapshot_bytes_peak: u64,
    budget_bytes: Option<u64>,
    peak_bytes: u64,
    disk_bytes_peak: u64,
    schedule: &'static str,
    threads: usize,
    seconds: f64,
    predicted_seconds: f64,
    lower_bound_seconds: f64,
    recomputed_steps: u64,
    optimum: u64,
    bits_equal: bool,
}

impl From<&CurvePoint> for PointJson {
    fn from(point: &CurvePoint) -> Self {
        PointJson {
            snapshots: point.snapshots,
            snapshot_bytes_peak: point.snapshot_bytes_peak,
            budget_bytes: point.budget_bytes,
            peak_bytes: point.peak_bytes,
            disk_bytes_peak: point.disk_bytes_peak,
            schedule: point.schedule,
            threads: point.threads,
            seconds: point.seconds,
            predicted_seconds: point.predicted_seconds,
            lower_bound_seconds: point.lower_bound_seconds,
            recomputed_steps: point.recomputed_steps,
            optimum: point.optimum,
            bits_equal: point.bits_equal,
        }
    }
}

fn table(name: &str, method: &str, curve: &Curve) -> String {
    let budgets = curve.points.iter().any(|point| point.budget_bytes.is_some());
    let mut text = format!("{name}: {method}, {} steps\n\n", curve.steps);
    let allowed = if budgets { "allowed" } else { "snapshots" };
    let _ = write!(text, "{allowed:>9}  {:>9}", "memory");
    if budgets {
        let _ = write!(text, "  {:>9}  {:<8}  {:>5}", "disk", "schedule", "cores");
    }
    let _ = writeln!(
        text,
        "  {:>9}  {:>9}  {:>9}  {:>12}  {:>12}  bits",
        "measured", "predicted", "least", "recomputed", "optimum"
    );
    for point in &curve.points {
        let allowed = point.budget_bytes.map_or(point.snapshots.to_string(), bytes);
        let held = if budgets { point.peak_bytes } else { point.snapshot_bytes_peak };
        let _ = write!(text, "{allowed:>9}  {:>9}", bytes(held));
        if budgets {
            let (disk, schedule) = (bytes(point.disk_bytes_peak), point.schedule);
            let _ = write!(text, "  {disk:>9}  {schedule:<8}  {:>5}", point.threads);
        }
        let _ = writeln!(
            text,
            "  {:>9}  {:>9}  {:>9}  {:>12}  {:>12}  {}",
            seconds(point.seconds),
            seconds(point.predicted_seconds),
            seconds(point.lower_bound_seconds),
            point.recomputed_steps,
            point.optimum,
            if point.bits_equal { "equal" } else { "DIFFER" },
        );
    }
    text
}
