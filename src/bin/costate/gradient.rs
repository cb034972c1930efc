//! `costate gradient`: the objective, its gradient, and what they cost.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use costate::adjoint::Stats;
use costate::adjoint::backsolve::Replay;
use costate::adjoint::journal::unfinished;
use costate::error::{Error, number, shown};
use costate::method::AdjointKind;
use costate::model::{Model, Parameter, Residual, Scale};
use costate::numbers::units::bytes;
use costate::problem::Solved;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::interrupt;
use crate::json::{Named, to_line};
use crate::options::{Decisive, Loaded, Reversal, Run, note_one_core};
use crate::output::note;
use crate::progress::Bar;

/// The objective, its gradient by parameters, initial state and end time, and what they cost
///
/// With --json also what the model says of each measurement, for which it is solved once more; not
/// with --disk or --resume.
#[derive(Args)]
#[command(
    after_help = "Example: costate gradient models/biology/lotka_volterra.json --snapshots 10"
)]
pub struct GradientCommand {
    #[command(flatten)]
    run: Run,
    #[command(flatten)]
    reversal: Reversal,
    /// Go on with the gradient that was not finished in this directory, or begin it there; what is
    /// not given is as it was, but for what bounds memory and files, such as --snapshots: give that
    /// again
    #[arg(long, value_name = "DIR", conflicts_with = "disk")]
    resume: Option<PathBuf>,
    /// One JSON object, and nothing else, on stdout
    #[arg(long)]
    json: bool,
}

impl GradientCommand {
    pub fn run(&self) -> Result<String, Failure> {
        let source = self.run.read()?;
        let identity = source.identity();
        let mut noted = Noted { run: self.run.clone(), adjoint: self.reversal.kept.adjoint };
        if let Some(directory) = &self.resume {
            noted = noted.or_earlier(directory, &identity)?;
        }
        let (run, adjoint) = (&noted.run, noted.adjoint.unwrap_or_default());
        let loaded = run.set_parameters(source.model)?.with_objective(run)?;
        let model = &loaded.model;
        let directory = self.resume.as_ref().or(self.reversal.kept.disk.as_ref());
        // Before the gradient, which is lost where what comes after it is stopped; and not for one
        // that can be resumed, as this cannot.
        let observations = match self.json && directory.is_none() {
            true => Some(residuals(run, &loaded)?),
            false => None,
        };
        let (bar, span) = (Bar::new(), model.span().unwrap_or_default());
        let on_step = |report| bar.on_step(span, report);
        let on_progress = |progress| bar.on_progress(progress);
        let problem = self.reversal.apply(run.problem(&loaded)?).adjoint(adjoint);
        let problem = problem.on_step(&on_step).on_progress(&on_progress);
        let mut problem = problem.tag(identity, to_line(&noted));
        if let Some(directory) = &self.resume {
            problem = problem.resume(directory);
        }
        if directory.is_some() {
            note_one_core(self.reversal.threads.unwrap_or(1))?;
        }
        if directory.is_some() && adjoint != AdjointKind::Backsolve {
            interrupt::listen().map_err(|error| Failure::new(format!("signals: {error}")))?;
            problem = problem.stop_if(&interrupt::told);
        }
        let solved = problem.solved().map_err(|error| {
            let line = directory.and_then(|directory| interrupt::go_on(directory, &error));
            let failure = match error {
                Error::Stopped => Failure::new(format!("stopped by {}", interrupt::cause())),
                error => run.failed(&loaded, &error),
            };
            match line {
                Some(line) => failure.and(&format!("go on with: {line}")),
                None => failure,
            }
        })?;
        Ok(match self.json {
            true => to_line(&GradientJson::new(model, &solved, observations)),
            false => table(model, &solved, adjoint.name()),
        })
    }
}

/// What of a run's options its gradient depends on.
#[derive(Clone, Serialize, Deserialize)]
struct Noted {
    run: Run,
    adjoint: Option<AdjointKind>,
}

impl Noted {
    /// With what is not given as it was in the run of this model that was not finished in
    /// `directory`: the one with these very options, or the only one that they fit.
    fn or_earlier(self, directory: &Path, identity: &str) -> Result<Self, Failure> {
        let positions = unfinished(directory).map_err(|error| Failure::new(error.to_string()))?;
        let directory = directory.display();
        if positions.is_empty() {
            note(&format!("{directory} holds no unfinished run: this one begins"))?;
            return Ok(self);
        }
        let ours = positions.iter().map(|(_, position)| &position.identity);
        let ours = ours.filter(|run| run.tag == identity);
        let mut fitting: Vec<Noted> = Vec::new();
        let mut but_for_method = None;
        for earlier in ours.filter_map(|run| serde_json::from_str::<Noted>(&run.note).ok()) {
            if earlier.decides() == self.decides() {
                return Ok(self.or(&earlier));
            }
            let is_new = fitting.iter().all(|other| other.decides() != earlier.decides());
            if is_new && self.or(&earlier).decides() == earlier.decides() {
                fitting.push(earlier);
            } else if is_new && self.by_method_of(&earlier).decides() == earlier.decides() {
                but_for_method = but_for_method.or(Some(earlier));
            }
        }
        match &fitting[..] {
            // One by another method is refused by its name.
            [] => Ok(but_for_method.map_or(self.clone(), |earlier| self.or(&earlier))),
            [earlier] => {
                note(&format!("the unfinished run in {directory} goes on: {}", earlier.options()))?;
                Ok(self.or(earlier))
            }
            several => {
                let runs: Vec<String> = several.iter().map(Noted::options).collect();
                let runs = runs.join("; ");
                Err(Failure::new(format!(
                    "{directory} holds several unfinished runs of this model: give the options of \
                     one, which were: {runs}"
                )))
            }
        }
    }

    /// With what is not given as it was given `earlier`.
    fn or(&self, earlier: &Noted) -> Noted {
        let run = self.run.clone().or(earlier.run.clone());
        Noted { run, adjoint: self.adjoint.or(earlier.adjoint) }
    }

    /// The same by the method of an `earlier` one.
    fn by_method_of(&self, earlier: &Noted) -> Noted {
        Noted { run: self.run.clone().by_any_method(), ..*self }.or(earlier)
    }

    /// What the bits depend on.
    fn decides(&self) -> (Decisive<'_>, AdjointKind) {
        (self.run.decides(), self.adjoint.unwrap_or_default())
    }

    /// What was given of that, as it is given.
    fn options(&self) -> String {
        let mut words = self.run.options();
        words.extend(self.adjoint.map(|kind| format!("--adjoint {}", kind.name())));
        if words.is_empty() { "no options".to_owned() } else { words.join(" ") }
    }
}

#[derive(Serialize)]
struct GradientJson<'a> {
    model: &'a str,
    objective: f64,
    /// By the logarithms of parameters where the keys say so.
    gradient: Named<f64>,
    initial_state_gradient: Named<f64>,
    end_time_gradient: f64,
    observations: Option<Vec<Residual<'a>>>,
    method: &'static str,
    schedule: &'static str,
    stats: StatsJson<'a>,
}

#[derive(Serialize)]
struct StatsJson<'a> {
    #[serde(flatten)]
    stats: &'a Stats,
    budget_bytes: Option<u64>,
    threads: usize,
    predicted_seconds: Option<f64>,
}

impl<'a> GradientJson<'a> {
    fn new(model: &'a Model, solved: &'a Solved, observations: Option<Vec<Residual<'a>>>) -> Self {
        let Solved { gradient, method, schedule, plan, .. } = solved;
        let parameters = model.parameters().iter().map(variable);
        let states = model.states().iter().cloned();
        GradientJson {
            model: model.name(),
            objective: gradient.value,
            gradient: Named(parameters.zip(gradient.wrt_params.iter().copied()).collect()),
            initial_state_gradient: Named(states.zip(gradient.wrt_y0.iter().copied()).collect()),
            end_time_gradient: gradient.wrt_end_time,
            observations,
            method,
            schedule,
            stats: StatsJson {
                stats: &gradient.stats,
                budget_bytes: plan.and_then(|plan| plan.budget_bytes),
                threads: plan.map_or(1, |plan| plan.threads),
                predicted_seconds: plan.and_then(|plan| plan.predicted_seconds),
            },
        }
    }
}

/// What the gradient is taken by where this parameter is estimated.
fn variable(parameter: &Parameter) -> String {
    match parameter.scale {
        Scale::Linear => parameter.name.clone(),
        Scale::Log10 => format!("log10({})", parameter.name),
    }
}

/// What the model says of each measurement, from a run that stops where the gradient's does.
fn residuals<'a>(run: &Run, loaded: &'a Loaded) -> Result<Vec<Residual<'a>>, Failure> {
    let Loaded { model, p } = loaded;
    if model.observables().is_empty() {
        return Ok(Vec::new());
    }
    let solution = run.problem(loaded)?.solve(&model.measured_times());
    let solution = solution.map_err(|error| run.failed(loaded, &error))?;
    model.residuals(p, &solution.states).map_err(|error| Failure::in_model(&run.model, error))
}

fn table(model: &Model, solved: &Solved, adjoint: &str) -> String {
    let Solved { gradient, method, schedule, .. } = solved;
    let start = number(&model.span().unwrap_or_default().0);
    let by_parameter = model.parameters().iter().map(|p| format!("dJ/d{}", shown(&variable(p))));
    let by_parameter: Vec<_> = by_parameter.zip(&gradient.wrt_params).collect();
    let by_state = model.states().iter().map(|state| format!("dJ/d{}({start})", shown(state)));
    let by_state: Vec<_> = by_state.zip(&gradient.wrt_y0).collect();
    let names = by_parameter.iter().chain(&by_state).map(|(name, _)| name.chars().count());
    let width = names.max().unwrap_or(0);

    let mut text = format!("{}\n\n", shown(model.name()));
    let mut row = |section: &str, name: &str, value: &f64| {
        let _ = writeln!(text, "{section:<15}{name:<width$}  {value:>19.11e}");
    };
    row("objective", "J", &gradient.value);
    for (k, (name, value)) in by_parameter.iter().enumerate() {
        row(if k == 0 { "gradient" } else { "" }, name, value);
    }
    for (k, (name, value)) in by_state.iter().enumerate() {
        row(if k == 0 { "initial state" } else { "" }, name, value);
    }
    row("end time", "dJ/dT", &gradient.wrt_end_time);
    let _ = write!(
        text,
        "\nmethod         {method}, {adjoint} adjoint\n\
         schedule       {schedule}\n{}{}",
        replayed(&solved.replays),
        costs(&gradient.stats)
    );
    text
}

/// Where backsolve lost its way, if it did.
fn replayed(replays: &[Replay]) -> String {
    replays.first().map_or_else(String::new, |Replay { span, cause, .. }| {
        let segments = if replays.len() == 1 { "segment" } else { "segments" };
        let count = replays.len();
        format!("replayed       {count} {segments}, from t = {} back: {cause}\n", number(&span.end))
    })
}

fn costs(stats: &Stats) -> String {
    format!(
        "steps          {}, and {} recomputed, {} rejected\n\
         snapshots      {} at the peak, {}; {} with the tape and the times of the steps\n\
         evaluations    {} rhs, {} vjp, {} jacobians, {} factorizations\n\
         seconds        {:.3e} forward, {:.3e} reverse\n",
        stats.steps,
        stats.recomputed_steps,
        stats.rejected,
        stats.snapshots_peak,
        bytes(stats.snapshot_bytes_peak),
        bytes(stats.peak_bytes),
        stats.rhs,
        stats.vjp,
        stats.jacobians,
        stats.factorizations,
        stats.seconds_forward,
        stats.seconds_reverse,
    )
}
