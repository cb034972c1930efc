//! The command `costate`: what the library does, for models in files.

mod check;
mod curve;
mod curve_rows;
mod failure;
mod gradient;
mod interrupt;
mod json;
mod options;
mod output;
mod plan;
mod printed;
mod progress;
mod schedule;
mod simulate;
mod trajectory;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use failure::Failure;

/// Exact gradients of functions of an ODE's solution, in as much memory as you allow.
#[derive(Parser)]
#[command(name = "costate", version, max_term_width = 100)]
#[command(after_help = "Example: costate gradient models/biology/lotka_volterra.json")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Simulate(simulate::Simulate),
    Gradient(gradient::GradientCommand),
    Plan(plan::PlanCommand),
    Check(check::Check),
    Curve(curve::CurveCommand),
    Schedule(schedule::ScheduleCommand),
    Completions(printed::Completions),
    Man(printed::Manual),
    Schema(printed::Schema),
}

/// What a command has to say at its end, if anything.
struct Report {
    text: String,
    /// Whether what was asked to hold does.
    holds: bool,
}

impl From<String> for Report {
    fn from(text: String) -> Self {
        Report { text, holds: true }
    }
}

impl Command {
    fn run(&self) -> Result<Report, Failure> {
        match self {
            Command::Simulate(command) => command.run().map(Report::from),
            Command::Gradient(command) => command.run().map(Report::from),
            Command::Plan(command) => command.run().map(Report::from),
            Command::Check(command) => command.run(),
            Command::Curve(command) => command.run(),
            Command::Schedule(command) => command.run().map(Report::from),
            Command::Completions(command) => command.run().map(Report::from),
            Command::Man(command) => command.run().map(Report::from),
            Command::Schema(command) => command.run().map(Report::from),
        }
    }
}

/// 0; 1 where what was asked to hold does not; 2 for bad input and lost output, with one line on
/// stderr; 128 and its number where a signal ended a run whose position was noted.
fn main() -> ExitCode {
    let result = match Cli::try_parse() {
        Ok(cli) => cli.command.run(),
        Err(error) if !error.use_stderr() => Ok(Report::from(error.to_string())),
        Err(error) => Err(Failure::from(error)),
    };
    let printed = result.and_then(|Report { text, holds }| match text.is_empty() {
        true => Ok(holds),
        false => output::print(&text).map(|()| holds),
    });
    match printed {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(failure) => {
            output::complain(&failure);
            ExitCode::from(interrupt::status().unwrap_or(2))
        }
    }
}
