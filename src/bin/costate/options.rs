//! Options that several commands share.

use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use costate::error::{Error, ModelError, shown};
use costate::method::control::Control;
use costate::method::solve::{Solver, Stepping};
use costate::method::stepper::{Stepper, Tolerances};
use costate::method::{AdjointKind, Method};
use costate::model::{Model, Observable, read_text, read_text_file};
use costate::numbers::units::parse_bytes;
use costate::ode::grid::{Span, TimeGrid};
use costate::ode::{Initial, Ode};
use costate::problem::Problem;
use costate::schedule::ScheduleKind;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::json::to_line;
use crate::output::note;

/// The model and the forward run.
#[derive(Args, Clone, Serialize, Deserialize)]
pub struct Run {
    /// A model file, or - for stdin
    pub model: PathBuf,
    /// The integrator [default: auto]
    #[arg(long, value_name = "NAME",
          value_parser = PossibleValuesParser::new(Method::names()))]
    method: Option<String>,
    /// The relative tolerance of error control [default: 1e-6]
    #[arg(long, value_name = "R", value_parser = number, allow_hyphen_values = true)]
    rtol: Option<f64>,
    /// The absolute tolerance of error control [default: 1e-12]
    #[arg(long, value_name = "A", value_parser = number, allow_hyphen_values = true)]
    atol: Option<f64>,
    /// Take N steps of one length instead of controlling the error
    #[arg(long, value_name = "N", value_parser = count, allow_hyphen_values = true)]
    fixed_steps: Option<usize>,
    /// The most steps that error control may try [default: 1000000]
    #[arg(long, value_name = "N", value_parser = count, allow_hyphen_values = true,
          conflicts_with = "fixed_steps")]
    max_steps: Option<usize>,
    /// Another value for a parameter, not its logarithm; may be repeated
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = assignment)]
    params: Vec<(String, f64)>,
}

/// What the bits of a model's gradient depend on.
#[derive(PartialEq)]
pub struct Decisive<'a> {
    method: &'a str,
    rtol: Option<f64>,
    atol: Option<f64>,
    fixed_steps: Option<usize>,
    params: &'a [(String, f64)],
}

/// A model and the text that it was read from.
pub struct Source {
    text: String,
    pub model: Model,
}

impl Source {
    /// What tells this model from others: its text, and what it took from tables.
    pub fn identity(&self) -> String {
        let mut identity = self.text.clone();
        for observable in self.model.observables().iter().filter(|o| o.is_from_table()) {
            let Observable { name, times, data, .. } = observable;
            identity += &format!("\n{}", to_line(&(name, times, data, observable.listed_sigma())));
        }
        identity
    }
}

/// A model and its parameter vector.
pub struct Loaded {
    pub model: Model,
    pub p: Vec<f64>,
}

impl Loaded {
    /// Fails where there is nothing to differentiate.
    pub fn with_objective(self, run: &Run) -> Result<Self, Failure> {
        match self.model.has_objective() {
            true => Ok(self),
            false => Err(Failure::in_model(&run.model, ModelError::NoObjective)),
        }
    }
}

impl Run {
    pub fn method(&self) -> &str {
        self.method.as_deref().unwrap_or("auto")
    }

    pub fn rtol(&self) -> f64 {
        self.rtol.unwrap_or(1e-6)
    }

    pub fn atol(&self) -> f64 {
        self.atol.unwrap_or(1e-12)
    }

    /// What is not given as it was given `earlier`.
    pub fn or(self, earlier: Run) -> Run {
        // Steps of one length have neither tolerances nor a limit.
        let controls = self.fixed_steps.is_none();
        Run {
            model: self.model,
            method: self.method.or(earlier.method),
            rtol: self.rtol.or(earlier.rtol.filter(|_| controls)),
            atol: self.atol.or(earlier.atol.filter(|_| controls)),
            fixed_steps: self.fixed_steps.or(earlier.fixed_steps),
            max_steps: self.max_steps.or(earlier.max_steps.filter(|_| controls)),
            params: if self.params.is_empty() { earlier.params } else { self.params },
        }
    }

    /// Without a method.
    pub fn by_any_method(self) -> Run {
        Run { method: None, ..self }
    }

    /// What of these options the bits of a gradient depend on.
    pub fn decides(&self) -> Decisive<'_> {
        // Steps of one length have no tolerances, unless they are given in error.
        let is_controlled = self.fixed_steps.is_none();
        Decisive {
            method: self.method(),
            rtol: self.rtol.or(is_controlled.then_some(self.rtol())),
            atol: self.atol.or(is_controlled.then_some(self.atol())),
            fixed_steps: self.fixed_steps,
            params: &self.params,
        }
    }

    /// What was given of that, as it is given.
    pub fn options(&self) -> Vec<String> {
        let method = self.method.as_ref().map(|name| format!("--method {name}"));
        let rtol = self.rtol.map(|rtol| format!("--rtol {rtol:e}"));
        let atol = self.atol.map(|atol| format!("--atol {atol:e}"));
        let steps = self.fixed_steps.map(|steps| format!("--fixed-steps {steps}"));
        let params = self.params.iter().map(|(name, value)| format!("--param {name}={value}"));
        [method, rtol, atol, steps].into_iter().flatten().chain(params).collect()
    }

    /// Reads the model file, or stdin where that is `-`, whose tables lie in the working directory.
    pub fn read(&self) -> Result<Source, Failure> {
        let (text, directory) = match self.model.as_os_str() == "-" {
            true => (read_text(std::io::stdin()), Path::new("")),
            false => (read_text_file(&self.model), self.model.parent().unwrap_or(Path::new(""))),
        };
        let source = text.and_then(|text| {
            let model = Model::from_json_in(&text, directory)?;
            Ok(Source { text, model })
        });
        source.map_err(|error| Failure::in_model(&self.model, error))
    }

    /// Reads the model and sets its parameters.
    pub fn load(&self) -> Result<Loaded, Failure> {
        self.set_parameters(self.read()?.model)
    }

    /// The model with its parameters.
    pub fn set_parameters(&self, model: Model) -> Result<Loaded, Failure> {
        let failed = |error| Failure::in_model(&self.model, error);
        let mut p = model.nominal();
        for (name, value) in &self.params {
            model.set_parameter(&mut p, name, *value).map_err(failed)?;
        }
        Ok(Loaded { model, p })
    }

    /// As [`load`](Self::load), for a model that has an objective.
    pub fn load_with_objective(&self) -> Result<Loaded, Failure> {
        self.load()?.with_objective(self)
    }

    pub fn problem<'a>(&self, loaded: &'a Loaded) -> Result<Problem<'a>, Failure> {
        let mut problem = Problem::of_model(&loaded.model, &loaded.p)
            .map_err(|error| Failure::in_model(&self.model, error))?
            .method(Method::by_name(self.method()).map_err(|e| Failure::new(e.to_string()))?);
        if let Some(rtol) = self.rtol {
            problem = problem.rtol(rtol);
        }
        if let Some(atol) = self.atol {
            problem = problem.atol(atol);
        }
        if let Some(steps) = self.fixed_steps {
            problem = problem.fixed_steps(steps);
        }
        if let Some(max_steps) = self.max_steps {
            problem = problem.max_steps(max_steps);
        }
        Ok(problem)
    }

    /// The steps that this stepper takes, which stop where `times` are read.
    pub fn grid(
        &self,
        loaded: &Loaded,
        stepper: &impl Stepper<Model>,
        times: &[f64],
    ) -> Result<TimeGrid, Error> {
        let Loaded { model, p } = loaded;
        let (start, end) = model.span().unwrap_or_default();
        let span = Span { start, end };
        let tolerances = Tolerances { rtol: self.rtol(), atol: vec![self.atol()] };
        let control = Control::new(tolerances)?;
        let max_steps = self.max_steps.unwrap_or(Control::MAX_STEPS);
        let stepping = match self.fixed_steps {
            Some(steps) => Stepping::Fixed(steps),
            None => Stepping::Adaptive(Control { max_steps, ..control }),
        };
        let mut y0 = vec![0.0; model.dim()];
        model.initial(p, &mut y0);
        let solver = Solver { ode: model, stepper, span, stepping: &stepping, observe: &|_| {} };
        Ok(solver.solve(&y0, p, times)?.grid)
    }

    /// Why the run stopped.
    pub fn failed(&self, loaded: &Loaded, error: &Error) -> Failure {
        Failure::in_run(&self.model, &loaded.model, error)
    }
}

/// What is kept of a reverse sweep, and where.
#[derive(Args)]
pub struct Keeping {
    /// Which states are kept [default: all; with --snapshots online, or revolve for fixed steps]
    #[arg(long, value_name = "KIND", value_parser = schedule_kind())]
    schedule: Option<ScheduleKind>,
    /// The most states that are kept at once
    #[arg(long, value_name = "K", value_parser = count, allow_hyphen_values = true)]
    snapshots: Option<usize>,
    /// Keep the states in files in this directory, and note there how far the gradient has come
    #[arg(long, value_name = "DIR")]
    pub disk: Option<PathBuf>,
    /// The adjoint of the steps, that of the differential equation, or that with the states
    /// integrated backward too and checked by a few kept ones [default: discrete]
    #[arg(long, value_name = "KIND", value_parser = adjoint_kind())]
    pub adjoint: Option<AdjointKind>,
}

/// The reverse sweep.
#[derive(Args)]
pub struct Reversal {
    #[command(flatten)]
    pub kept: Keeping,
    /// Hold at most this much memory, such as 200MiB: what is kept is what saves most time
    #[arg(long, value_name = "SIZE", value_parser = size, allow_hyphen_values = true,
          conflicts_with_all = ["snapshots", "schedule"])]
    budget: Option<u64>,
    /// Hold at most this much in files, such as 20GiB [default: what there is room for]
    #[arg(long, value_name = "SIZE", value_parser = size, allow_hyphen_values = true)]
    disk_budget: Option<u64>,
    /// Take steps on this many cores; two are of use [default: 1]
    #[arg(long, value_name = "N", value_parser = count, allow_hyphen_values = true)]
    pub threads: Option<usize>,
}

impl Keeping {
    pub fn apply<'a>(&self, mut problem: Problem<'a>) -> Problem<'a> {
        if let Some(adjoint) = self.adjoint {
            problem = problem.adjoint(adjoint);
        }
        if let Some(kind) = self.schedule {
            problem = problem.schedule(kind);
        }
        if let Some(snapshots) = self.snapshots {
            problem = problem.snapshots(snapshots);
        }
        if let Some(directory) = &self.disk {
            problem = problem.on_disk(directory);
        }
        problem
    }
}

impl Reversal {
    pub fn apply<'a>(&self, problem: Problem<'a>) -> Problem<'a> {
        let mut problem = self.kept.apply(problem);
        if let Some(bytes) = self.budget {
            problem = problem.budget(bytes);
        }
        if let Some(bytes) = self.disk_budget {
            problem = problem.disk_budget(bytes);
        }
        if let Some(threads) = self.threads {
            problem = problem.threads(threads);
        }
        problem
    }
}

/// Says what becomes of `threads` in a run with a directory.
pub fn note_one_core(threads: usize) -> Result<(), Failure> {
    match threads {
        0 | 1 => Ok(()),
        _ => note("a run that notes where it stands takes its steps on one core"),
    }
}

pub fn schedule_kind() -> impl TypedValueParser<Value = ScheduleKind> {
    let names = ScheduleKind::ALL.map(|(name, _)| name);
    PossibleValuesParser::new(names).map(|given| {
        let kind = ScheduleKind::ALL.into_iter().find(|(name, _)| *name == given);
        kind.map_or(ScheduleKind::StoreAll, |(_, kind)| kind)
    })
}

pub fn adjoint_kind() -> impl TypedValueParser<Value = AdjointKind> {
    let names = AdjointKind::ALL.map(|(name, _)| name);
    PossibleValuesParser::new(names).map(|given| {
        let kind = AdjointKind::ALL.into_iter().find(|(name, _)| *name == given);
        kind.map_or(AdjointKind::Discrete, |(_, kind)| kind)
    })
}

pub fn number(text: &str) -> Result<f64, &'static str> {
    text.trim().parse().map_err(|_| "write a number, such as 1e-6")
}

pub fn count(text: &str) -> Result<usize, &'static str> {
    text.trim().parse().map_err(|_| "write a whole number that is not negative, such as 10")
}

/// Bytes, with or without a unit.
pub fn size(text: &str) -> Result<u64, &'static str> {
    parse_bytes(text)
        .ok_or("write a number of bytes, with a unit such as kB, MiB or GiB if you like")
}

fn assignment(text: &str) -> Result<(String, f64), String> {
    let (name, value) =
        text.split_once('=').ok_or("write a name, `=`, and a number, such as k=0.5")?;
    match value.trim().parse() {
        Ok(value) => Ok((name.trim().to_owned(), value)),
        Err(_) => Err(format!(
            "`{}` is not a number; write one, such as {}=0.5",
            shown(value),
            shown(name)
        )),
    }
}
