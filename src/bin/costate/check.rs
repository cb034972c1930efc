//! `costate check`: whether the adjoint of a model's steps and its gradient are right.

use std::fmt::Write;

use clap::Args;
use costate::adjoint::{gradient, value};

use costate::error::{Error, TableauError, shown};
use costate::method::Method;
use costate::method::stepper::{AdjointStepper, Esdirk, ExplicitRk, Newton, Steps, TangentStepper};
use costate::method::tableau::Tableau;
use costate::model::Model;
use costate::ode::grid::TimeGrid;
use costate::ode::objective::Objective;
use costate::ode::{Initial, Ode};
use costate::recurrence::Discretization;
use costate::schedule::StoreAll;
use costate::snapshot::MemoryStore;
use costate::verify::{self, DotProduct, Taylor};
use serde::Serialize;

use crate::Report;
use crate::failure::Failure;
use crate::json::to_line;
use crate::options::{Loaded, Run};

/// Test the adjoint of each step against its tangent, and the gradient against differences
#[derive(Args)]
#[command(after_help = "Example: costate check models/chemistry/robertson.json --rtol 1e-4")]
pub struct Check {
    #[command(flatten)]
    run: Run,
    /// What the random directions are drawn from
    #[arg(long, value_name = "N", default_value = "0", value_parser = seed,
          allow_hyphen_values = true)]
    seed: u64,
    /// One JSON object, and nothing else, on stdout
    #[arg(long)]
    json: bool,
}

/// Over the stages and solves of a step, rounding was seen to grow to 50 times the condition.
const ROUNDING: f64 = 256.0;

/// What both tests found.
struct Found {
    method: &'static str,
    steps: usize,
    /// The largest error of the dot product that passes.
    limit: f64,
    dot_product: DotProduct,
    taylor: Taylor,
}

impl Check {
    pub fn run(&self) -> Result<Report, Failure> {
        let loaded = self.run.load_with_objective()?;
        let found = self.check(&loaded)?;
        let holds = found.dot_product_passes() && found.taylor.passes();
        let text = match self.json {
            true => to_line(&CheckJson::new(&loaded.model, &found)),
            false => table(&loaded.model, &found),
        };
        Ok(Report { text, holds })
    }

    /// On the steps that the gradient would take, with implicit stages solved to rounding.
    fn check(&self, loaded: &Loaded) -> Result<Found, Failure> {
        let failed = |error| self.run.failed(loaded, &error);
        let refused = |error: TableauError| failed(error.into());
        let span = loaded.model.span().unwrap_or_default();
        let times: Vec<f64> =
            loaded.model.times().iter().copied().filter(|&t| t <= span.1).collect();
        let solution = self.run.problem(loaded)?.solve(&times).map_err(failed)?;
        let Method::Named(tableau) = Method::by_name(solution.method).map_err(failed)? else {
            return Err(Failure::new("no method was chosen; give one by --method"));
        };
        if tableau.is_explicit() {
            let found =
                self.on_grid(loaded, &ExplicitRk::new(tableau).map_err(refused)?, solution.grid);
            return found.map_err(failed);
        }
        let stepper = Esdirk::new(tableau, Newton::Stagnation).map_err(refused)?;
        let grid = self.run.grid(loaded, &stepper, &times).map_err(failed)?;
        let mut found = self.on_grid(loaded, &stepper, grid.clone()).map_err(failed)?;
        found.allow_for_condition(loaded, &stepper, tableau, &grid).map_err(failed)?;
        Ok(found)
    }

    fn on_grid<M>(&self, loaded: &Loaded, stepper: &M, grid: TimeGrid) -> Result<Found, Error>
    where
        M: AdjointStepper<Model> + TangentStepper<Model> + Clone,
    {
        let Loaded { model, p } = loaded;
        let mut y0 = vec![0.0; model.dim()];
        model.initial(p, &mut y0);
        let dot_product = verify::dot_product(model, stepper, &grid, &y0, p, self.seed)?;
        let steps = grid.num_steps();
        let chain = Discretization::new(model, model, model, stepper.clone(), grid)?;
        let exact = gradient(&chain, p, StoreAll::new(steps), &mut MemoryStore::new())?;
        let objective = |p: &[f64]| value(&chain, p).map(|(value, _)| value);
        let taylor = verify::taylor(objective, p, &exact.wrt_params, self.seed)?;
        Ok(Found { method: stepper.name(), steps, limit: 1e-13, dot_product, taylor })
    }
}

impl Found {
    /// Solved stages carry rounding times the condition of I − hγJ: looks at the worst step.
    fn allow_for_condition(
        &mut self,
        loaded: &Loaded,
        stepper: &Esdirk,
        tableau: &Tableau,
        grid: &TimeGrid,
    ) -> Result<(), Error> {
        let Loaded { model, p } = loaded;
        let (n, gamma) = (self.dot_product.step, tableau.gamma().unwrap_or(0.0));
        let mut y = vec![0.0; model.dim()];
        model.initial(p, &mut y);
        let mut steps = Steps::of(stepper, model);
        let mut conditions = [0.0; 2];
        for k in 0..=n {
            let step = grid.step(k);
            conditions[0] =
                if k == n { verify::condition(model, gamma, step, &y, p)? } else { 0.0 };
            steps.take(p, step, &mut y).map_err(|f| f.at(k, step.t))?;
        }
        conditions[1] = verify::condition(model, gamma, grid.step(n), &y, p)?;
        let condition = conditions[0].max(conditions[1]);
        self.limit = (ROUNDING * f64::EPSILON * condition).max(1e-11);
        Ok(())
    }

    fn dot_product_passes(&self) -> bool {
        self.dot_product.error <= self.limit
    }
}

#[derive(Serialize)]
struct CheckJson<'a> {
    model: &'a str,
    method: &'static str,
    steps: usize,
    dot_product: DotProductJson,
    taylor: TaylorJson<'a>,
    passed: bool,
}

#[derive(Serialize)]
struct DotProductJson {
    step: usize,
    tangent: f64,
    adjoint: f64,
    error: f64,
    limit: f64,
    passed: bool,
}

#[derive(Serialize)]
struct TaylorJson<'a> {
    steps: &'a [f64],
    remainders: &'a [f64],
    rounding: f64,
    rate: Option<f64>,
    passed: bool,
}

impl<'a> CheckJson<'a> {
    fn new(model: &'a Model, found: &'a Found) -> Self {
        let Found { method, steps, limit, dot_product, taylor } = found;
        let DotProduct { step, tangent, adjoint, error } = *dot_product;
        let passed = found.dot_product_passes();
        CheckJson {
            model: model.name(),
            method,
            steps: *steps,
            dot_product: DotProductJson { step, tangent, adjoint, error, limit: *limit, passed },
            taylor: TaylorJson {
                steps: &taylor.steps,
                remainders: &taylor.remainders,
                rounding: taylor.floor,
                rate: taylor.rate(),
                passed: taylor.passes(),
            },
            passed: passed && taylor.passes(),
        }
    }
}

fn seed(text: &str) -> Result<u64, &'static str> {
    text.trim().parse().map_err(|_| "write a whole number that is not negative, such as 1")
}

const INDENT: &str = "                ";

fn table(model: &Model, found: &Found) -> String {
    let Found { method, steps, limit, dot_product, taylor } = found;
    let verdict = |passed| if passed { "passed" } else { "FAILED" };
    let DotProduct { step, tangent, adjoint, error } = dot_product;
    let mut text = format!(
        "{}: {method}, {steps} steps\n\n\
         dot product     <Φ'v, w>  = {tangent:>23.16e}  tangent\n\
         {INDENT}<v, Φ'ᵀw> = {adjoint:>23.16e}  adjoint\n\
         {INDENT}error {error:.1e} in step {step}, the worst; {limit:.0e} is allowed\n\
         {INDENT}{}\n\n\
         Taylor          {:>10}  {:>10}  rate\n",
        shown(model.name()),
        verdict(found.dot_product_passes()),
        "step",
        "remainder",
    );
    for (k, (epsilon, remainder)) in taylor.steps.iter().zip(&taylor.remainders).enumerate() {
        let rate = k.checked_sub(1).map(|k| taylor.rates[k]);
        let rate = match rate {
            _ if *remainder <= taylor.floor => "rounding".to_owned(),
            Some(rate) => format!("{rate:.3}"),
            None => String::new(),
        };
        let _ = writeln!(text, "{INDENT}{epsilon:>10.2e}  {remainder:>10.2e}  {rate}");
    }
    let rate = taylor.rate().map_or_else(
        || "the remainders are rounding: there is nothing to see here".to_owned(),
        |rate| format!("rate {rate:.3}: 2 is right, 1 is wrong"),
    );
    let _ = write!(text, "{INDENT}{rate}\n{INDENT}{}", verdict(taylor.passes()));
    text
}
