//! `costate plan`: what a gradient in a budget will do and take.

use std::fmt::Write;
use std::path::PathBuf;

use clap::Args;
use costate::method::AdjointKind;
use costate::numbers::units::{bytes, seconds};
use costate::plan::budget::{Assumed, Candidate, Disk, Measured, Plan, Resources};
use costate::snapshot::measure_disk;
use serde::Serialize;

use crate::failure::Failure;
use crate::json::to_line;
use crate::options::{Run, adjoint_kind, count, note_one_core, number, size};

/// The schedule that a gradient in a budget would follow, and what it would take
///
/// Of a model, or of any chain by its steps and the bytes of its states. Nothing is run but some
/// steps of the model, to measure what they cost, and, where error control chooses the steps, one
/// pass that keeps nothing, to know their number.
#[derive(Args)]
#[command(after_help = "Example: costate plan models/chemistry/hires.json --budget 100kB")]
pub struct PlanCommand {
    #[command(flatten)]
    run: Option<Run>,
    #[command(flatten)]
    chain: Chain,
    /// Hold at most this much memory, such as 200MiB
    #[arg(long, value_name = "SIZE", value_parser = size)]
    budget: u64,
    /// Keep states in files in this directory, too; how fast it is is measured
    #[arg(long, value_name = "DIR")]
    disk: Option<PathBuf>,
    /// Hold at most this much in files, such as 20GiB [default: what there is room for]
    #[arg(long, value_name = "SIZE", value_parser = size, requires = "disk")]
    disk_budget: Option<u64>,
    /// Take steps on this many cores; two are of use
    #[arg(long, value_name = "N", default_value = "1", value_parser = count,
          allow_hyphen_values = true)]
    threads: usize,
    /// The adjoint of the steps, or that of the differential equation [default: discrete]
    #[arg(long, value_name = "KIND", value_parser = adjoint_kind(), conflicts_with = "steps")]
    adjoint: Option<AdjointKind>,
    /// One JSON object, and nothing else, on stdout
    #[arg(long)]
    json: bool,
}

/// A chain that is not at hand.
#[derive(Args)]
struct Chain {
    /// The steps of a chain instead of a model's
    #[arg(long, value_name = "N", value_parser = count, allow_hyphen_values = true,
          requires = "state_bytes", conflicts_with = "Run")]
    steps: Option<usize>,
    /// The bytes of a state of that chain: 8 for each number
    #[arg(long, value_name = "SIZE", value_parser = size, requires = "steps")]
    state_bytes: Option<u64>,
    /// The bytes of its state with the stages of a step, if they may be kept so that the step is
    /// not taken again
    #[arg(long, value_name = "SIZE", value_parser = size, requires = "steps")]
    tape_bytes: Option<u64>,
    /// The seconds of a step [default: those of copying the state 10 times in memory, which is
    /// measured]
    #[arg(long, value_name = "F", value_parser = number, allow_hyphen_values = true,
          requires = "steps")]
    step_seconds: Option<f64>,
    /// The seconds of the adjoint of a step [default: those of two steps]
    #[arg(long, value_name = "A", value_parser = number, allow_hyphen_values = true,
          requires = "steps")]
    adjoint_seconds: Option<f64>,
}

/// Planning follows the schedule action by action.
const MOST_STEPS: usize = 100_000_000;

#[derive(Serialize)]
struct PlanJson {
    steps: u64,
    schedule: &'static str,
    threads: usize,
    budget_bytes: u64,
    memory_bytes: u64,
    disk_bytes: u64,
    recomputed_steps: u64,
    predicted_seconds: f64,
    lower_bound_seconds: f64,
    candidates: Vec<CandidateJson>,
    assumed: AssumedJson,
}

#[derive(Serialize)]
struct CandidateJson {
    schedule: &'static str,
    threads: usize,
    on_disk: bool,
    predicted_seconds: f64,
}

impl From<&Candidate> for CandidateJson {
    fn from(candidate: &Candidate) -> Self {
        let Candidate { schedule, threads, on_disk, seconds } = *candidate;
        CandidateJson { schedule, threads, on_disk, predicted_seconds: seconds }
    }
}

/// What a plan is made by: given, measured, or assumed of a chain that is not at hand.
#[derive(Serialize)]
struct AssumedJson {
    state_bytes: u64,
    tape_bytes: Option<u64>,
    sweep_bytes: u64,
    step_seconds: f64,
    adjoint_seconds: f64,
    store_seconds: f64,
    restore_seconds: f64,
    keep_tape_seconds: f64,
    first_use_seconds: f64,
    copy_bytes_per_second: f64,
    disk: Option<DiskJson>,
}

#[derive(Serialize)]
struct DiskJson {
    write_bytes_per_second: f64,
    read_bytes_per_second: f64,
    latency_seconds: f64,
}

impl From<&Plan> for AssumedJson {
    fn from(plan: &Plan) -> Self {
        let Measured { sizes, costs, touch_state, sweep_bytes } = plan.measured;
        let disk = plan.resources.disk.map(|Disk { bandwidth, .. }| DiskJson {
            write_bytes_per_second: bandwidth.write,
            read_bytes_per_second: bandwidth.read,
            latency_seconds: bandwidth.latency,
        });
        AssumedJson {
            state_bytes: sizes.state,
            tape_bytes: sizes.tape,
            sweep_bytes,
            step_seconds: costs.step,
            adjoint_seconds: costs.adjoint,
            store_seconds: costs.store,
            restore_seconds: costs.restore,
            keep_tape_seconds: costs.keep_tape,
            first_use_seconds: touch_state,
            copy_bytes_per_second: copies_per_second(plan),
            disk,
        }
    }
}

/// Bytes of a state that are kept in memory in a second.
fn copies_per_second(plan: &Plan) -> f64 {
    plan.measured.sizes.state as f64 / plan.measured.costs.store.max(1e-12)
}

impl PlanCommand {
    pub fn run(&self) -> Result<String, Failure> {
        let plan = match &self.run {
            Some(run) => self.of_model(run)?,
            None => self.of_chain()?,
        };
        Ok(match self.json {
            true => to_line(&PlanJson {
                steps: plan.steps,
                schedule: plan.name(),
                threads: plan.threads,
                budget_bytes: self.budget,
                memory_bytes: plan.memory_bytes,
                disk_bytes: plan.disk_bytes,
                recomputed_steps: plan.recomputed_steps,
                predicted_seconds: plan.seconds,
                lower_bound_seconds: plan.lower_bound,
                candidates: plan.candidates.iter().map(CandidateJson::from).collect(),
                assumed: AssumedJson::from(&plan),
            }),
            false => table(&plan, self.budget),
        })
    }

    fn of_model(&self, run: &Run) -> Result<Plan, Failure> {
        let loaded = run.load_with_objective()?;
        let mut problem = run.problem(&loaded)?.budget(self.budget).threads(self.threads);
        if let Some(directory) = &self.disk {
            note_one_core(self.threads)?;
            problem = problem.on_disk(directory);
        }
        if let Some(bytes) = self.disk_budget {
            problem = problem.disk_budget(bytes);
        }
        if let Some(adjoint) = self.adjoint {
            problem = problem.adjoint(adjoint);
        }
        let (plan, _) = problem.plan().map_err(|error| run.failed(&loaded, &error))?;
        Ok(plan)
    }

    fn of_chain(&self) -> Result<Plan, Failure> {
        let Chain { steps, state_bytes, tape_bytes, step_seconds, adjoint_seconds } = self.chain;
        let (Some(steps), Some(state_bytes)) = (steps, state_bytes) else {
            return Err(Failure::new(
                "give a model, or --steps and --state-bytes of a chain; see '--help'",
            ));
        };
        if !(1..=MOST_STEPS).contains(&steps) {
            let range = format!("from 1 to {MOST_STEPS}");
            return Err(Failure::new(format!("--steps is {steps}: it must be {range}")));
        }
        if self.threads == 0 {
            return Err(Failure::new("the number of threads is 0: it must be at least 1"));
        }
        let failed = |error: &dyn std::fmt::Display| Failure::new(error.to_string());
        let bandwidth = self.disk.as_ref().map(measure_disk).transpose().map_err(|e| failed(&e))?;
        let bytes = self.disk_budget.unwrap_or(u64::MAX);
        let disk = bandwidth.map(|bandwidth| Disk { bytes, bandwidth });
        let chain = Assumed { state_bytes, tape_bytes, step_seconds, adjoint_seconds };
        let measured = chain.measured().map_err(|e| failed(&e))?;
        let resources = Resources { memory: self.budget, disk, threads: self.threads };
        Plan::new(steps, &measured, &resources).map_err(|e| failed(&e))
    }
}

fn table(plan: &Plan, budget: u64) -> String {
    let mut text = format!(
        "schedule       {} {}\n\
         steps          {}, and {} taken again\n\
         memory         {} of {}\n\
         disk           {}\n\
         time           {} predicted; no schedule takes less than {}\n",
        plan.name(),
        cores(plan.threads),
        plan.steps,
        plan.recomputed_steps,
        bytes(plan.memory_bytes),
        bytes(budget),
        bytes(plan.disk_bytes),
        seconds(plan.seconds),
        seconds(plan.lower_bound),
    );
    for line in others(plan) {
        let _ = writeln!(text, "not taken      {line}");
    }
    let Measured { sizes, costs, .. } = plan.measured;
    let rate = |per_second: f64| format!("{}/s", bytes(per_second as u64));
    let _ = write!(
        text,
        "a step         {}, its adjoint {}\n\
         copies         {} to keep a state ({}), {} to go back to it",
        seconds(costs.step),
        seconds(costs.adjoint),
        seconds(costs.store),
        rate(copies_per_second(plan)),
        seconds(costs.restore),
    );
    if sizes.tape.is_some() {
        let _ = write!(text, ", {} to keep a step with its stages", seconds(costs.keep_tape));
    }
    if let Some(Disk { bandwidth, .. }) = plan.resources.disk {
        let _ = write!(
            text,
            "\nthe disk       {} written, {} read, {} a file",
            rate(bandwidth.write),
            rate(bandwidth.read),
            seconds(bandwidth.latency),
        );
    }
    text
}

fn cores(threads: usize) -> String {
    match threads {
        1 => "on one core".to_owned(),
        threads => format!("on {threads} cores"),
    }
}

/// What was allowed and is not used, and why.
fn others(plan: &Plan) -> Vec<String> {
    let chosen =
        |other: &Candidate| other.threads == plan.threads && other.on_disk == plan.uses_disk();
    let mut lines = Vec::new();
    for other in plan.candidates.iter().filter(|other| !chosen(other)) {
        let disk = if other.on_disk { " and a disk" } else { "" };
        let (with, time) = (cores(other.threads), seconds(other.seconds));
        lines.push(format!("{} {with}{disk}: {time} predicted", other.schedule));
    }
    let considered = |of: fn(&Candidate) -> bool| plan.candidates.iter().any(of);
    if plan.resources.threads > 1 && !considered(|other| other.threads > 1) {
        lines.push(
            "a second core: steps of less than 10 µs are too short, or there is no memory for two \
             steps at once"
                .into(),
        );
    }
    if plan.resources.disk.is_some() && !considered(|other| other.on_disk) {
        lines.push("the disk: there is no memory for states on their way to it".into());
    }
    if plan.resources.disk.is_some() && plan.threads > 1 {
        lines.push(
            "the disk: on two cores nothing is written, and --resume begins anew; a run on one core \
             can be gone on with"
                .into(),
        );
    }
    lines
}
