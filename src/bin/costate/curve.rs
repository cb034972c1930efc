//! `costate curve`: the gradient's work against its memory.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use clap::Args;
use costate::error::shown;
use costate::plan::curve::{Budgets, CurveNews};
use costate::plot::curve_svg;

use crate::Report;
use crate::curve_rows::{Over, Told};
use crate::failure::{Failure, expect_writable, write};
use crate::options::{Keeping, Run, count, size};
use crate::progress::Bar;

/// The gradient's work against its memory, from all states kept to the fewest
///
/// Error control chooses the steps once. --snapshots is the fewest of the sweep; without it, and in
/// `--budgets sweep`, what would take over 20 times as long as the fastest is left out. --schedule is
/// revolve unless given. With --budgets memory is in bytes, and what is kept is what saves most time.
/// Each point is printed and saved when it is measured, so that a run that is stopped keeps what it
/// has. Predicted are the times by the costs of a few steps; the least possible is proven for
/// schedules that hold what they keep until it is used.
#[derive(Args)]
#[command(
    after_help = "Example: costate curve models/chemistry/hires.json --budgets sweep --svg curve.svg"
)]
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
    /// Write the points to this file, too: a line of JSON each, when it is measured
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// One JSON object a point, a line each when it is measured, and nothing else, on stdout
    #[arg(long)]
    json: bool,
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
        for path in self.svg.iter().chain(&self.save) {
            expect_writable(path)?;
        }
        let loaded = self.run.load_with_objective()?;
        let name = &shown(loaded.model.name());
        let over = if self.budgets.is_empty() { Over::Snapshots } else { Over::Budgets };
        let told = Mutex::new(Told::new(name, over, self.json, self.save.as_deref())?);
        let bar = Bar::new();
        let observe = |news: CurveNews| match news {
            CurveNews::Done(part) => bar.set("curve", || part),
            news => {
                let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
                bar.aside(|| told.tell(news));
            }
        };
        let on_step = |report| bar.on_step(loaded.model.span().unwrap_or_default(), report);
        let problem = self.run.problem(&loaded)?.on_step(&on_step);
        let found = match over {
            Over::Snapshots => self.keeping.apply(problem).curve(&observe),
            Over::Budgets => {
                let adjoint = self.keeping.adjoint.unwrap_or_default();
                problem.adjoint(adjoint).budget_curve(&self.budgets()?, &observe)
            }
        };
        drop(bar);
        let failed = told.into_inner().unwrap_or_else(PoisonError::into_inner).failed;
        let (curve, method) = found.map_err(|error| self.run.failed(&loaded, &error))?;
        if let Some(failure) = failed {
            return Err(failure);
        }
        if let Some(path) = &self.svg {
            let title = format!("{name}: gradient of N = {} steps of {method}", curve.steps);
            let svg = curve_svg(&curve, &title).map_err(|e| Failure::new(e.to_string()))?;
            write(path, &svg)?;
        }
        let holds = curve.points.iter().all(|point| point.bits_equal);
        let text = match (self.json, holds) {
            (true, _) => String::new(),
            (false, true) => "\nthe gradient is the same in every bit at each point".into(),
            (false, false) => "\nthe gradients DIFFER in bits".into(),
        };
        Ok(Report { text, holds })
    }

    fn budgets(&self) -> Result<Budgets, Failure> {
        let given = |sweep: &Sweep| match sweep {
            Sweep::All => None,
            Sweep::Bytes(bytes) => Some(*bytes),
        };
        if self.budgets.contains(&Sweep::All) && self.budgets.len() > 1 {
            return Err(Failure::new("--budgets: `sweep` stands alone"));
        }
        Ok(Budgets {
            bytes: self.budgets.iter().filter_map(given).collect(),
            threads: self.threads.clone(),
            directory: self.keeping.disk.clone(),
            disk_bytes: self.disk_budget,
        })
    }
}
