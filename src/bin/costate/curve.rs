//! `costate curve`: the gradient's work against its memory.

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use clap::Args;
use costate::curve::{Curve, CurvePoint};
use costate::plot::{bytes, curve_svg};
use serde::Serialize;

use crate::Report;
use crate::failure::{Failure, expect_writable, write};
use crate::json::to_line;
use crate::options::{Reversal, Run};
use crate::progress::Bar;

/// The gradient's work against its memory, from all states kept to the fewest
///
/// Error control chooses the steps once. --snapshots is the fewest of the sweep, 1 unless given;
/// --schedule is revolve unless given.
#[derive(Args)]
pub struct CurveCommand {
    #[command(flatten)]
    run: Run,
    #[command(flatten)]
    reversal: Reversal,
    /// Draw the curve to this file
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Write the points to this file, as a JSON array
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

impl CurveCommand {
    pub fn run(&self) -> Result<Report, Failure> {
        for path in self.svg.iter().chain(&self.json) {
            expect_writable(path)?;
        }
        let loaded = self.run.load_with_objective()?;
        let bar = Bar::new();
        let measured = AtomicUsize::new(0);
        let observe = |point: &CurvePoint| {
            let done = measured.fetch_add(1, Ordering::Relaxed) + 1;
            // Two points to each doubling; how many are left shows when they are all measured.
            let left = 2.0 * (point.snapshots as f64).log2();
            bar.set("curve", || done as f64 / (done as f64 + left));
        };
        let problem = self.reversal.apply(self.run.problem(&loaded)?);
        let (curve, method) =
            problem.curve(&observe).map_err(|error| self.run.failed(&loaded, &error))?;
        drop(bar);
        let name = loaded.model.name();
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
}

#[derive(Serialize)]
struct PointJson {
    snapshots: u64,
    snapshot_bytes_peak: u64,
    seconds: f64,
    recomputed_steps: u64,
    optimum: u64,
    bits_equal: bool,
}

impl From<&CurvePoint> for PointJson {
    fn from(point: &CurvePoint) -> Self {
        let CurvePoint { snapshots, snapshot_bytes_peak, seconds, .. } = *point;
        let CurvePoint { recomputed_steps, optimum, bits_equal, .. } = *point;
        PointJson { snapshots, snapshot_bytes_peak, seconds, recomputed_steps, optimum, bits_equal }
    }
}

fn table(name: &str, method: &str, curve: &Curve) -> String {
    let mut text = format!(
        "{name}: {method}, {} steps\n\n{:>9}  {:>10}  {:>10}  {:>12}  {:>12}  {}\n",
        curve.steps, "snapshots", "memory", "seconds", "recomputed", "optimum", "bits"
    );
    for point in &curve.points {
        let _ = writeln!(
            text,
            "{:>9}  {:>10}  {:>10.3e}  {:>12}  {:>12}  {}",
            point.snapshots,
            bytes(point.snapshot_bytes_peak),
            point.seconds,
            point.recomputed_steps,
            point.optimum,
            if point.bits_equal { "equal" } else { "DIFFER" },
        );
    }
    text
}
