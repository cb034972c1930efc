//! `costate simulate`: states, named expressions and observables over time.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use costate::error::{self, shown};
use costate::method::solve::Solution;
use costate::model::Model;
use costate::plot::TimeAxis;
use serde::Serialize;

use crate::failure::{Failure, expect_writable, write};
use crate::json::{Named, to_line};
use crate::options::{Loaded, Run, count, number};
use crate::progress::Bar;
use crate::trajectory::{Trajectory, axis_of, equidistant, times_along};

/// States, named expressions and observables over time, as a table or a picture
#[derive(Args)]
#[command(after_help = "Example: costate simulate models/biology/hare_lynx.json --svg pelts.svg")]
pub struct Simulate {
    #[command(flatten)]
    run: Run,
    /// The times, with commas between them
    #[arg(
        long,
        value_name = "T,T,…",
        value_delimiter = ',',
        value_parser = number,
        allow_hyphen_values = true,
        conflicts_with = "points"
    )]
    times: Vec<f64>,
    /// This many times at equal distances over the span [default: 11; for --svg and --csv 201, and
    /// those of the measurements]
    #[arg(long, value_name = "N", value_parser = count, allow_hyphen_values = true)]
    points: Option<usize>,
    /// Draw all that changes to this file, measurements as dots; - for stdout
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Write a table with commas between its columns to this file; - for stdout
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Whether time is drawn by its logarithm [default: where half of the steps lie in the first
    /// hundredth of the span]
    #[arg(long, value_name = "KIND", requires = "svg")]
    time_axis: Option<Axis>,
    /// One JSON object, and nothing else, on stdout
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Axis {
    Linear,
    Log,
}

/// A table that memory can hold.
const MOST_POINTS: usize = 1_000_000;

impl Simulate {
    pub fn run(&self) -> Result<String, Failure> {
        let files = || self.svg.iter().chain(&self.csv);
        if files().filter(|path| is_stdout(path)).count() + usize::from(self.json) > 1 {
            return Err(Failure::new("only one of --json, --svg - and --csv - can have stdout"));
        }
        if self.svg.is_some() && self.svg == self.csv {
            return Err(Failure::new("--svg and --csv name one file; give each its own"));
        }
        for path in files().filter(|path| !is_stdout(path)) {
            expect_writable(path)?;
        }
        let loaded = self.run.load()?;
        let (axis, times) = self.times(&loaded)?;
        let solution = self.solve(&loaded, &times)?;
        let trajectory = Trajectory::new(&loaded.model, &loaded.p, &solution);
        let mut text = match (self.json, files().next()) {
            (true, _) => to_line(&SimulateJson::new(&trajectory, &loaded.model, &solution)),
            (false, None) => table(&loaded.model, &solution),
            (false, Some(_)) => format!("{}\n{}", shown(loaded.model.name()), costs(&solution)),
        };
        if let Some(path) = &self.csv {
            put(path, trajectory.csv(), &mut text)?;
        }
        if let Some(path) = &self.svg {
            let svg = trajectory.svg(axis, &shown(loaded.model.name()), &costs(&solution))?;
            put(path, svg, &mut text)?;
        }
        Ok(text)
    }

    fn solve(&self, loaded: &Loaded, times: &[f64]) -> Result<Solution, Failure> {
        let (bar, span) = (Bar::new(), loaded.model.span().unwrap_or_default());
        let on_step = |report| bar.on_step(span, report);
        let problem = self.run.problem(loaded)?.on_step(&on_step);
        problem.solve(times).map_err(|error| self.run.failed(loaded, &error))
    }

    /// The times that are read, and how they are drawn.
    fn times(&self, loaded: &Loaded) -> Result<(TimeAxis, Vec<f64>), Failure> {
        let model = &loaded.model;
        let (start, end) = model.span().unwrap_or_default();
        let given = self.given_times(start, end)?;
        if self.svg.is_none() && self.csv.is_none() {
            let times = given.unwrap_or_else(|| equidistant(start, end, 11));
            return Ok((TimeAxis::Linear, times));
        }
        let axis = self.time_axis.map(|axis| match axis {
            Axis::Linear => TimeAxis::Linear,
            Axis::Log => TimeAxis::Logarithmic { start },
        });
        // The steps say where things happen.
        let steps = self.solve(loaded, &model.measured_times())?;
        let axis = axis.unwrap_or_else(|| axis_of(&steps));
        Ok((axis, given.unwrap_or_else(|| times_along(axis, model, &steps))))
    }

    fn given_times(&self, start: f64, end: f64) -> Result<Option<Vec<f64>>, Failure> {
        match self.points {
            None => {}
            Some(1) => return Ok(Some(vec![end])),
            Some(points @ 2..=MOST_POINTS) => return Ok(Some(equidistant(start, end, points))),
            Some(points) => {
                let range = format!("from 1 to {MOST_POINTS}");
                return Err(Failure::new(format!("--points is {points}: it must be {range}")));
            }
        }
        if let Some(time) = self.times.iter().find(|&&time| !(start <= time && time <= end)) {
            return Err(Failure::new(format!(
                "--times: {} lies outside the time span {} to {}; take a time in it, or extend the \
                 span in the model",
                error::number(time),
                error::number(&start),
                error::number(&end),
            )));
        }
        let mut times = self.times.clone();
        times.sort_unstable_by(f64::total_cmp);
        Ok(Some(times).filter(|times| !times.is_empty()))
    }
}

/// Whether a file is the standard output.
fn is_stdout(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Writes to a file, or to what is to be printed instead of what was.
fn put(path: &Path, content: String, printed: &mut String) -> Result<(), Failure> {
    if is_stdout(path) {
        *printed = content;
        return Ok(());
    }
    write(path, &content)
}

#[derive(Serialize)]
struct SimulateJson<'a> {
    model: &'a str,
    times: &'a [f64],
    states: Named<Vec<f64>>,
    outputs: Named<Vec<f64>>,
    method: &'static str,
    stats: SimulateStats,
}

#[derive(Serialize)]
struct SimulateStats {
    steps: usize,
    rejected: u64,
    rhs: u64,
    jacobians: u64,
    factorizations: u64,
}

impl<'a> SimulateJson<'a> {
    fn new(trajectory: &Trajectory, model: &'a Model, solution: &'a Solution) -> Self {
        let counts = solution.counts;
        let states = trajectory.states().map(|(name, values)| (name.to_owned(), values));
        SimulateJson {
            model: model.name(),
            times: &solution.times,
            states: Named(states.collect()),
            outputs: Named(trajectory.outputs.clone()),
            method: solution.method,
            stats: SimulateStats {
                steps: solution.grid.num_steps(),
                rejected: solution.rejected,
                rhs: counts.rhs,
                jacobians: counts.jacobians,
                factorizations: counts.factorizations,
            },
        }
    }
}

fn table(model: &Model, solution: &Solution) -> String {
    let mut text = format!("{}\n\n{:>18}", shown(model.name()), "t");
    let names: Vec<_> = model.states().iter().map(|name| shown(name)).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).max(18);
    for name in &names {
        let _ = write!(text, "  {name:>width$}");
    }
    text.push('\n');
    for (t, y) in solution.times.iter().zip(&solution.states) {
        let _ = write!(text, "{t:>18.10e}");
        for y in y {
            let _ = write!(text, "  {y:>width$.10e}");
        }
        text.push('\n');
    }
    let _ = write!(text, "\n{}", costs(solution));
    text
}

fn costs(solution: &Solution) -> String {
    let (steps, rejected) = (solution.grid.num_steps(), solution.rejected);
    format!("{}: {steps} steps, {rejected} rejected", solution.method)
}
