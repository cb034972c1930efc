//! States, named expressions and observables over time: as a table of text, as a picture.

use std::fmt::Write;

use costate::error::{number, shown};
use costate::method::solve::Solution;
use costate::model::Model;
use costate::plot::{Quantity, TimeAxis, trajectory_svg};

use crate::failure::Failure;

/// Points of a picture, or of a table in a file.
const POINTS: usize = 201;
/// Part of the span in which half of the steps lie where time is drawn by its logarithm.
const EARLY: f64 = 0.01;

/// Values over time, a column for each name.
pub struct Trajectory<'a> {
    model: &'a Model,
    solution: &'a Solution,
    /// Names and values of expressions and observables.
    pub outputs: Vec<(String, Vec<f64>)>,
}

impl<'a> Trajectory<'a> {
    pub fn new(model: &'a Model, p: &[f64], solution: &'a Solution) -> Self {
        let mut function = model.outputs();
        let mut outputs: Vec<_> =
            function.names().iter().map(|name| (name.clone(), Vec::new())).collect();
        for (t, y) in solution.times.iter().zip(&solution.states) {
            let values = function.values(*t, y, p);
            outputs.iter_mut().zip(values).for_each(|((_, list), value)| list.push(value));
        }
        Trajectory { model, solution, outputs }
    }

    /// Names and values of the states.
    pub fn states(&self) -> impl Iterator<Item = (&'a str, Vec<f64>)> {
        let states = &self.solution.states;
        let column = |i: usize| states.iter().map(|y| y[i]).collect();
        self.model.states().iter().enumerate().map(move |(i, name)| (name.as_str(), column(i)))
    }

    /// A header `t,name,…`, and a line for each time, in digits that give the numbers back.
    pub fn csv(&self) -> String {
        let states = self.model.states().iter();
        let outputs = self.outputs.iter().map(|(name, _)| name);
        let mut text = String::from("t");
        for name in states.chain(outputs) {
            let _ = write!(text, ",{}", cell(name));
        }
        text.push('\n');
        for (k, (t, y)) in self.solution.times.iter().zip(&self.solution.states).enumerate() {
            text += &number(t);
            for value in y.iter().chain(self.outputs.iter().map(|(_, values)| &values[k])) {
                let _ = write!(text, ",{}", number(value));
            }
            text.push('\n');
        }
        text
    }

    /// Lines for all that changes, with what was measured as dots.
    pub fn svg(&self, axis: TimeAxis, title: &str, below: &str) -> Result<String, Failure> {
        let outputs = self.outputs.iter().map(|(name, values)| (name.as_str(), values.clone()));
        let outputs = outputs.filter(|(name, values)| {
            let is_observed = self.model.observables().iter().any(|o| o.name == *name);
            is_observed || values.iter().any(|value| *value != values[0])
        });
        let columns: Vec<_> = self.states().chain(outputs).collect();
        let names: Vec<_> = columns.iter().map(|(name, _)| shown(name)).collect();
        let times = self.solution.times.iter().copied();
        let mut quantities = Vec::new();
        for ((own, values), name) in columns.iter().zip(&names) {
            let line = times.clone().zip(values.iter().copied()).collect();
            quantities.push(Quantity { name, line, measured: self.measured(own) });
        }
        trajectory_svg(&quantities, axis, title, below).map_err(|e| Failure::new(e.to_string()))
    }

    fn measured(&self, name: &str) -> Vec<(f64, f64)> {
        let observables = self.model.observables().iter().filter(|o| o.name == name);
        let points = observables.flat_map(|o| o.times.iter().copied().zip(o.data.iter().copied()));
        points.collect()
    }
}

/// A name as a cell of a table.
fn cell(name: &str) -> String {
    match name.contains([',', ';', '\t', '"']) || name.starts_with('#') {
        true => format!("\"{}\"", name.replace('"', "\"\"")),
        false => name.to_owned(),
    }
}

/// By the logarithm where half of the steps lie in the first hundredth of the span.
pub fn axis_of(solution: &Solution) -> TimeAxis {
    let (grid, steps) = (&solution.grid, solution.grid.num_steps());
    let (start, end) = (grid.step(0).t, grid.step(steps - 1).t_next);
    let half = grid.step(steps / 2).t;
    match half - start < EARLY * (end - start) {
        true => TimeAxis::Logarithmic { start },
        false => TimeAxis::Linear,
    }
}

/// Times at equal distances on an axis, and those of the measurements.
pub fn times_along(axis: TimeAxis, model: &Model, solution: &Solution) -> Vec<f64> {
    let (grid, steps) = (&solution.grid, solution.grid.num_steps());
    let (start, end) = (grid.step(0).t, grid.step(steps - 1).t_next);
    let mut times = match axis {
        TimeAxis::Linear => equidistant(start, end, POINTS),
        TimeAxis::Logarithmic { .. } => {
            let first = grid.step(0).t_next - start;
            let last = POINTS - 2;
            let time =
                |k: usize| start + first * ((end - start) / first).powf(k as f64 / last as f64);
            [start].into_iter().chain((0..last).map(time)).chain([end]).collect()
        }
    };
    times.extend(model.measured_times());
    times.retain(|&t| start <= t && t <= end);
    times.sort_unstable_by(f64::total_cmp);
    times.dedup();
    times
}

pub fn equidistant(start: f64, end: f64, points: usize) -> Vec<f64> {
    let last = points - 1;
    let time = |k| match k == last {
        true => end,
        false => start + (end - start) * k as f64 / last as f64,
    };
    (0..points).map(time).collect()
}
