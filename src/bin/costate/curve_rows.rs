//! The rows of a curve, each written as soon as it is known.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write;
use std::path::Path;

use costate::numbers::units::{bytes, seconds};
use costate::plan::curve::{CurveNews, CurvePoint, LeftOut, Reason};
use serde::Serialize;

use crate::failure::{Failure, unwritable};
use crate::json::to_line;
use crate::output::print;

/// What a curve goes over.
#[derive(Clone, Copy, PartialEq)]
pub enum Over {
    Snapshots,
    Budgets,
}

/// Writes what it is told of to stdout, and points to a file.
pub struct Told<'a> {
    name: &'a str,
    over: Over,
    json: bool,
    save: Option<(&'a Path, File)>,
    /// What stands above the first line, until it does.
    begun: Option<String>,
    /// What stands above the first row, until it does.
    head: Option<String>,
    /// The first write that failed.
    pub failed: Option<Failure>,
}

impl<'a> Told<'a> {
    pub fn new(
        name: &'a str,
        over: Over,
        json: bool,
        save: Option<&'a Path>,
    ) -> Result<Self, Failure> {
        let save = save.map(|path| match File::create(path) {
            Ok(file) => Ok((path, file)),
            Err(error) => Err(unwritable(path, &error)),
        });
        let head = Some(head(over)).filter(|_| !json);
        let save = save.transpose()?;
        Ok(Told { name, over, json, save, begun: None, head, failed: None })
    }

    pub fn tell(&mut self, news: CurveNews) {
        let told = match news {
            CurveNews::Begun { method, steps } => {
                let begun = format!("{}: {method}, {steps} steps\n", self.name);
                self.begun = Some(begun).filter(|_| !self.json);
                Ok(())
            }
            CurveNews::LeftOut(left_out) => self.left_out(left_out),
            CurveNews::Point(point) => self.point(point),
            CurveNews::Done(_) => Ok(()),
        };
        if let Err(failure) = told {
            self.failed.get_or_insert(failure);
        }
    }

    fn left_out(&mut self, left_out: &LeftOut) -> Result<(), Failure> {
        let line = to_line(&LeftOutJson::from(left_out));
        self.save(&line)?;
        self.print_begun()?;
        print(&if self.json { line } else { told_left_out(left_out) })
    }

    fn point(&mut self, point: &CurvePoint) -> Result<(), Failure> {
        let line = to_line(&PointJson { left_out: None, point });
        self.save(&line)?;
        self.print_begun()?;
        self.head.take().map_or(Ok(()), |head| print(&head))?;
        print(&if self.json { line } else { row(self.over, point) })
    }

    fn print_begun(&mut self) -> Result<(), Failure> {
        self.begun.take().map_or(Ok(()), |begun| print(&begun))
    }

    fn save(&mut self, line: &str) -> Result<(), Failure> {
        match &mut self.save {
            Some((path, file)) => {
                file.write_all(format!("{line}\n").as_bytes()).map_err(|e| unwritable(path, &e))
            }
            None => Ok(()),
        }
    }
}

fn head(over: Over) -> String {
    let mut text = match over {
        Over::Snapshots => format!("\n{:>9}  {:>9}", "snapshots", "memory"),
        Over::Budgets => format!(
            "\n{:>9}  {:>9}  {:>9}  {:<8}  {:>5}",
            "allowed", "memory", "disk", "schedule", "cores"
        ),
    };
    let _ = write!(
        text,
        "  {:>9}  {:>9}  {:>9}  {:>12}  {:>12}  bits",
        "measured", "predicted", "least", "recomputed", "optimum"
    );
    text
}

fn row(over: Over, point: &CurvePoint) -> String {
    let mut text = match over {
        Over::Snapshots => {
            format!("{:>9}  {:>9}", point.snapshots, bytes(point.snapshot_bytes_peak))
        }
        Over::Budgets => format!(
            "{:>9}  {:>9}  {:>9}  {:<8}  {:>5}",
            bytes(point.budget_bytes.unwrap_or(0)),
            bytes(point.peak_bytes),
            bytes(point.disk_bytes_peak),
            point.schedule,
            point.threads
        ),
    };
    let _ = write!(
        text,
        "  {:>9}  {:>9}  {:>9}  {:>12}  {:>12}  {}",
        seconds(point.seconds),
        seconds(point.predicted_seconds),
        seconds(point.lower_bound_seconds),
        point.recomputed_steps,
        point.optimum,
        if point.bits_equal { "equal" } else { "DIFFER" },
    );
    text
}

fn told_left_out(left_out: &LeftOut) -> String {
    let LeftOut { snapshots, budget_bytes, threads, on_disk, predicted_seconds, .. } = *left_out;
    let what = match (snapshots, budget_bytes) {
        (Some(1), _) => "1 snapshot".to_owned(),
        (Some(snapshots), _) => format!("{snapshots} snapshots"),
        (None, allowed) => bytes(allowed.unwrap_or(0)),
    };
    let cores = if threads > 1 { format!(" on {threads} cores") } else { String::new() };
    let disk = if on_disk { " with the disk" } else { "" };
    let why = match (left_out.reason, snapshots) {
        (Reason::Slow, Some(few)) => {
            format!("would take {}; --snapshots {few} asks for it", seconds(predicted_seconds))
        }
        (Reason::Slow, None) => {
            format!("would take {}; give it in --budgets to have it", seconds(predicted_seconds))
        }
        (Reason::NoOtherPlan, _) => "the best plan is the one without".to_owned(),
    };
    format!("left out: {what}{cores}{disk}: {why}")
}

#[derive(Serialize)]
struct LeftOutJson {
    left_out: &'static str,
    snapshots: Option<u64>,
    budget_bytes: Option<u64>,
    schedule: &'static str,
    threads: usize,
    on_disk: bool,
    predicted_seconds: f64,
}

impl From<&LeftOut> for LeftOutJson {
    fn from(left_out: &LeftOut) -> Self {
        LeftOutJson {
            left_out: match left_out.reason {
                Reason::Slow => "slow",
                Reason::NoOtherPlan => "no other plan",
            },
            snapshots: left_out.snapshots,
            budget_bytes: left_out.budget_bytes,
            schedule: left_out.schedule,
            threads: left_out.threads,
            on_disk: left_out.on_disk,
            predicted_seconds: left_out.predicted_seconds,
        }
    }
}

#[derive(Serialize)]
struct PointJson<'a> {
    left_out: Option<&'static str>,
    #[serde(flatten)]
    point: &'a CurvePoint,
}
