//! `costate schedule`: what a schedule does with a number of steps.

use std::path::PathBuf;

use clap::Args;
use costate::plot::schedule_svg;
use costate::schedule::{Action, Counts, OnlineSchedule, ScheduleKind, optimum};
use serde::Serialize;

use crate::failure::{Failure, write};
use crate::json::to_line;
use crate::options::{count, schedule_kind};

/// What a schedule does, counted and drawn
#[derive(Args)]
#[command(after_help = "Example: costate schedule --steps 60 --snapshots 5 --svg revolve.svg")]
pub struct ScheduleCommand {
    /// The steps of the run
    #[arg(long, value_name = "N", value_parser = count, allow_hyphen_values = true)]
    steps: usize,
    /// The most states that are kept at once; all unless given
    #[arg(long, value_name = "S", value_parser = count, allow_hyphen_values = true)]
    snapshots: Option<usize>,
    /// Which states are kept
    #[arg(long, value_name = "KIND", default_value = "revolve", value_parser = schedule_kind())]
    schedule: ScheduleKind,
    /// Draw the schedule to this file: steps across, work down
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// One JSON object, and nothing else, on stdout
    #[arg(long)]
    json: bool,
}

/// A schedule is followed action by action.
const MOST_STEPS: usize = 10_000_000;

#[derive(Serialize)]
struct ScheduleJson {
    advances: u64,
    reverses: u64,
    stores: u64,
    restores: u64,
    snapshots_peak: u64,
    optimum: u64,
}

impl ScheduleCommand {
    pub fn run(&self) -> Result<String, Failure> {
        let Self { steps, snapshots, schedule, .. } = *self;
        if !(1..=MOST_STEPS).contains(&steps) {
            let range = format!("from 1 to {MOST_STEPS}");
            return Err(Failure::new(format!("--steps is {steps}: it must be {range}")));
        }
        if schedule == ScheduleKind::StoreAll && snapshots.is_some() {
            return Err(Failure::new("--snapshots: store-all keeps every state; leave it out"));
        }
        let counts = self.counts()?;
        let slots = snapshots.unwrap_or(steps).max(1) as u64;
        let optimum = optimum::t(steps as u64, slots);
        if let Some(path) = &self.svg {
            let (kept, advances) = (counts.snapshots_peak, counts.advances);
            let below = format!("{advances} steps advanced; the least possible is {optimum}");
            let title =
                format!("{}: {steps} steps reversed with {kept} snapshots", schedule.name());
            let svg = schedule_svg(self.actions()?, &title, &below);
            write(path, &svg.map_err(|error| Failure::new(format!("--svg: {error}")))?)?;
        }
        Ok(match self.json {
            true => to_line(&ScheduleJson {
                advances: counts.advances,
                reverses: counts.reverses,
                stores: counts.stores,
                restores: counts.restores,
                snapshots_peak: counts.snapshots_peak,
                optimum,
            }),
            false => table(schedule.name(), &counts, optimum),
        })
    }

    fn counts(&self) -> Result<Counts, Failure> {
        match self.online()? {
            Some(schedule) => Counts::of_online(schedule, self.steps),
            None => self.schedule.offline(self.steps, self.snapshots).and_then(Counts::of),
        }
        .map_err(|error| Failure::new(format!("--snapshots: {error}")))
    }

    fn actions(&self) -> Result<Vec<Action>, Failure> {
        let failed = |error| Failure::new(format!("--snapshots: {error}"));
        let Some(mut schedule) = self.online()? else {
            let schedule = self.schedule.offline(self.steps, self.snapshots).map_err(failed)?;
            return Ok(schedule.collect());
        };
        let mut actions = Vec::new();
        while !matches!(actions.last(), Some(Action::Advance { to, .. }) if *to == self.steps) {
            actions.extend(schedule.next());
        }
        schedule.end(self.steps);
        actions.extend(schedule);
        Ok(actions)
    }

    fn online(&self) -> Result<Option<Box<dyn OnlineSchedule>>, Failure> {
        match self.schedule {
            ScheduleKind::Online => self
                .schedule
                .online(self.snapshots)
                .map_err(|error| Failure::new(format!("--snapshots: {error}"))),
            _ => Ok(None),
        }
    }
}

fn table(name: &str, counts: &Counts, optimum: u64) -> String {
    format!(
        "schedule        {name}\n\
         advances        {} steps, of which the least possible is {optimum}\n\
         reverses        {}\n\
         stores          {}\n\
         restores        {}\n\
         snapshots       {} at the peak\n\
         repetition      {} times at most for any one step",
        counts.advances,
        counts.reverses,
        counts.stores,
        counts.restores,
        counts.snapshots_peak,
        counts.max_repetition,
    )
}
