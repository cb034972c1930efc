//! `costate simulate`: the states at given times.

use std::fmt::Write;

use clap::Args;
use costate::error::{self, shown};
use costate::model::Model;
use costate::solve::Solution;
use serde::Serialize;

use crate::failure::Failure;
use crate::json::{Named, to_line};
use crate::options::{Run, count, number};
use crate::progress::Bar;

/// The states at given times
#[derive(Args)]
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
    /// This many times at equal distances over the span
    #[arg(long, value_name = "N", default_value = "11", value_parser = count,
          allow_hyphen_values = true)]
    points: usize,
    /// One JSON object, and nothing else, on stdout
    #[arg(long)]
    json: bool,
}

/// A table that memory can hold.
const MOST_POINTS: usize = 1_000_000;

impl Simulate {
    pub fn run(&self) -> Result<String, Failure> {
        let loaded = self.run.load()?;
        let model = &loaded.model;
        let (bar, span) = (Bar::new(), model.span().unwrap_or_default());
        let on_event = |event| bar.on_event(span, event);
        let times = self.times(span)?;
        let problem = self.run.problem(&loaded)?.on_event(&on_event);
        let solution = problem.solve(&times).map_err(|error| self.run.failed(&loaded, &error))?;
        Ok(match self.json {
            true => to_line(&SimulateJson::new(model, &solution)),
            false => table(model, &solution),
        })
    }

    fn times(&self, (start, end): (f64, f64)) -> Result<Vec<f64>, Failure> {
        if self.times.is_empty() {
            return match self.points {
                1 => Ok(vec![end]),
                points @ 2..=MOST_POINTS => Ok(equidistant(start, end, points)),
                points => {
                    let range = format!("from 1 to {MOST_POINTS}");
                    Err(Failure::new(format!("--points is {points}: it must be {range}")))
                }
            };
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
        Ok(times)
    }
}

fn equidistant(start: f64, end: f64, points: usize) -> Vec<f64> {
    let last = points - 1;
    let time = |k| match k == last {
        true => end,
        false => start + (end - start) * k as f64 / last as f64,
    };
    (0..points).map(time).collect()
}

#[derive(Serialize)]
struct SimulateJson<'a> {
    model: &'a str,
    times: &'a [f64],
    states: Named<'a, Vec<f64>>,
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
    fn new(model: &'a Model, solution: &'a Solution) -> Self {
        let column = |i: usize| solution.states.iter().map(|y| y[i]).collect::<Vec<_>>();
        let names = model.states().iter().enumerate();
        let counts = solution.counts;
        SimulateJson {
            model: model.name(),
            times: &solution.times,
            states: Named(names.map(|(i, name)| (name.as_str(), column(i))).collect()),
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
    let (steps, rejected) = (solution.grid.num_steps(), solution.rejected);
    let _ = write!(text, "\n{}: {steps} steps, {rejected} rejected", solution.method);
    text
}
