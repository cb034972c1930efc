//! The short path: from a model to a gradient in one chain of settings.

mod options;
mod system;

mod parts;

mod setters;

mod planned;

mod durable;
mod gradients;

pub mod ensemble;

use std::borrow::Cow;
use std::time::Instant;

use crate::adjoint::backsolve::Replay;
use crate::adjoint::{Gradient, Halt, Reversal, Stats};
use crate::error::{Error, check_dim, check_length};
pub use crate::method::AdjointKind;
use crate::method::Method;
use crate::method::control::Control;
use crate::method::solve::{Solution, Stepping, Stiff};
use crate::method::tableau::Tableau;
use crate::ode::Initial;
use crate::ode::grid::Span;
use crate::ode::objective::AnyObjective;
use crate::plan::budget::Plan;
use crate::plan::curve::{self, Budgets, Curve, CurveNews};
use crate::recurrence::{Chain, OnlineChain};
pub use crate::schedule::ScheduleKind;
use crate::snapshot::{DiskStore, MemoryStore, SnapshotStore};
use options::{Asked, Options};
use parts::Part;
pub use planned::PlanSummary;
use system::{Setup, System};

/// A gradient and the method that found it.
#[derive(Clone, Debug, PartialEq)]
pub struct Solved {
    /// J and its gradient.
    pub gradient: Gradient,
    /// The name of the method.
    pub method: &'static str,
    /// The name of the schedule that was followed; of the rest of a run, `resumed`.
    pub schedule: &'static str,
    /// What was planned, where memory or cores were given.
    pub plan: Option<PlanSummary>,
    /// The segments that backsolve replayed, from the end of the run to its start.
    pub replays: Vec<Replay>,
}

/// An initial value problem with an objective, and how to go about it.
///
/// J(p) = Σ_i J_i(t_i, y(t_i), p) + ∫ r dt of y' = f(t, y, p), y(t_0) = y_0(p).
///
/// ```
/// use costate::model::Model;
/// use costate::problem::Problem;
///
/// let decay = Model::trace(1, 1, |_t, y, p| [-&p[0] * &y[0]])
///     .initial(|_p| [2.0.into()])
///     .terminal(|y, _p| y[0].clone())
///     .build()?;
/// let problem = Problem::new(&decay, (0.0, 1.0), &[0.5]).rtol(1e-10).atol(1e-12);
/// let (all, few) = (problem.gradient()?, problem.clone().snapshots(2).gradient()?);
/// assert!((all.wrt_params[0] + 2.0 * (-0.5_f64).exp()).abs() < 1e-9);
/// assert_eq!(all.wrt_params, few.wrt_params);
/// # Ok::<(), costate::Error>(())
/// ```
#[derive(Clone)]
pub struct Problem<'a> {
    system: Part<'a, dyn System + 'a>,
    initial: Option<Part<'a, dyn Initial + 'a>>,
    objective: Option<Part<'a, dyn AnyObjective + 'a>>,
    span: Span,
    p: Cow<'a, [f64]>,
    method: Method,
    options: Options<'a>,
}

/// An attempt with one method.
#[derive(Clone, Copy)]
struct Attempt {
    tableau: &'static Tableau,
    stop_if_stiff: bool,
}

/// An attempt that was given up for another method.
#[derive(Clone, Copy)]
struct Abandoned {
    /// Steps that it took or rejected.
    steps: u64,
    seconds: f64,
}

impl Problem<'_> {
    /// The schedule that will be followed.
    pub fn schedule_kind(&self) -> ScheduleKind {
        match (self.options.schedule, self.options.snapshots, self.options.fixed_steps) {
            (Some(kind), ..) => kind,
            (None, None, _) => ScheduleKind::StoreAll,
            (None, Some(_), None) => ScheduleKind::Online,
            (None, Some(_), Some(_)) => ScheduleKind::Revolve,
        }
    }

    /// J and its gradient.
    ///
    /// # Errors
    /// Where a setting cannot be used, a step fails, or a number is not finite.
    pub fn gradient(&self) -> Result<Gradient, Error> {
        Ok(self.solved()?.gradient)
    }

    /// J and its gradient, with the method that found them.
    ///
    /// # Errors
    /// As [`gradient`](Self::gradient).
    pub fn solved(&self) -> Result<Solved, Error> {
        self.check_for(Asked::Gradient)?;
        let charge = |solved: &mut Solved, Abandoned { steps, seconds }: Abandoned| {
            solved.gradient.stats.add_abandoned(steps, seconds);
        };
        self.attempt(|attempt| self.solved_by(attempt), charge)
    }

    /// What [`solved`](Self::solved) would do in the budget, and the method's name. Nothing is run but
    /// some steps, to measure what they cost, and, under error control, one pass that keeps nothing,
    /// to know their number.
    ///
    /// ```
    /// use costate::model::Model;
    /// use costate::problem::Problem;
    ///
    /// let decay = Model::trace(1, 1, |_t, y, p| [-&p[0] * &y[0]])
    ///     .initial(|_p| [2.0.into()])
    ///     .terminal(|y, _p| y[0].clone())
    ///     .build()?;
    /// let problem =
    ///     Problem::new(&decay, (0.0, 1.0), &[0.5]).fixed_steps(1000).budget(16_384);
    /// let (plan, _) = problem.plan()?;
    /// assert!(plan.steps == 1000 && plan.memory_bytes <= 16_384);
    /// assert!(problem.gradient()?.stats.peak_bytes <= 16_384);
    /// # Ok::<(), costate::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`gradient`](Self::gradient), without a budget, and where backsolve is asked for, whose work
    /// is not known before.
    pub fn plan(&self) -> Result<(Plan, &'static str), Error> {
        self.check_for(Asked::Plan)?;
        // As a gradient is charged for it.
        let charge = |(plan, _): &mut (Plan, _), Abandoned { steps, seconds }: Abandoned| {
            plan.recomputed_steps += steps;
            plan.seconds += seconds;
        };
        self.attempt(|attempt| Ok((self.plan_by(attempt)?, attempt.tableau.name)), charge)
    }

    /// J alone: the same bits as [`gradient`](Self::gradient) gives, and what it cost. No state is
    /// kept, whatever is set for gradients.
    ///
    /// # Errors
    /// As [`gradient`](Self::gradient).
    pub fn value(&self) -> Result<(f64, Stats), Error> {
        self.check_for(Asked::Value)?;
        let charge = |(_, stats): &mut (f64, Stats), Abandoned { steps, seconds }: Abandoned| {
            stats.add_abandoned(steps, seconds);
        };
        self.attempt(|attempt| self.value_of(&mut *self.run(attempt)?), charge)
    }

    /// The solution at the ascending `times`, which alone are kept, whatever is set for gradients.
    ///
    /// # Errors
    /// As [`gradient`](Self::gradient), and where a time lies outside the span.
    pub fn solve(&self, times: &[f64]) -> Result<Solution, Error> {
        self.check_for(Asked::Solution)?;
        let solve = |attempt| {
            let found = self.system.solve(&self.setup(attempt)?, &self.p, times)?;
            found.map_err(|Stiff { steps, t }| Halt::Stiff { steps, t })
        };
        self.attempt(solve, |solution, abandoned| solution.rejected += abandoned.steps)
    }

    /// The gradient's work against its memory, and the method's name. Error control chooses the
    /// steps once; the sweep goes from all states kept to the number of [`snapshots`], or, unless told,
    /// as far as that takes no more than 20 times as long as the fastest, by
    /// [`Revolve`](ScheduleKind::Revolve) unless told. `observe` is told of each point when it is
    /// measured.
    ///
    /// [`snapshots`]: Self::snapshots
    ///
    /// # Errors
    /// As [`gradient`](Self::gradient), and where the schedule has no number of snapshots to vary.
    pub fn curve(
        &self,
        observe: &(dyn Fn(CurveNews) + Sync),
    ) -> Result<(Curve, &'static str), Error> {
        let kind = self.options.schedule.unwrap_or(ScheduleKind::Revolve);
        self.check_for(Asked::Curve)?;
        let curve = |attempt: Attempt| {
            let (mut run, method) = (self.run(attempt)?, attempt.tableau.name);
            let chain = self.known_chain(&mut *run)?;
            let steps = chain.num_steps();
            observe(CurveNews::Begun { method, steps: steps as u64 });
            let (fewest, name) = (self.options.snapshots, kind.name());
            let schedule = |slots| Ok(kind.offline(steps, Some(slots))?);
            let store = || self.store();
            let curve = curve::measure(chain, &self.p, fewest, name, schedule, store, observe)?;
            Ok((curve, method))
        };
        // The steps were chosen before anything was measured.
        self.attempt(curve, |_, _| {})
    }

    /// The gradient's work against the bytes that it may hold, and the method's name: see
    /// [`measure_budgets`](crate::plan::curve::measure_budgets). Error control chooses the steps once;
    /// `observe` is told of each point when it is measured.
    ///
    /// # Errors
    /// As [`gradient`](Self::gradient), and for a schedule or a number of snapshots.
    pub fn budget_curve(
        &self,
        budgets: &Budgets,
        observe: &(dyn Fn(CurveNews) + Sync),
    ) -> Result<(Curve, &'static str), Error> {
        self.check_for(Asked::BudgetCurve)?;
        if budgets.threads.contains(&0) {
            return Err(bad_setting("the number of threads", "0", "at least 1"));
        }
        if budgets.disk_bytes.is_some() && budgets.directory.is_none() {
            return Err(bad_setting("the disk budget", "given", "left out without a directory"));
        }
        let curve = |attempt: Attempt| {
            let (mut run, method) = (self.run(attempt)?, attempt.tableau.name);
            let chain = self.known_chain(&mut *run)?;
            observe(CurveNews::Begun { method, steps: chain.num_steps() as u64 });
            Ok((curve::measure_budgets(chain, &self.p, budgets, observe)?, method))
        };
        self.attempt(curve, |_, _| {})
    }

    /// Tries the method, and where it is left to the library and the run is stiff another, which is
    /// charged with what was given up.
    fn attempt<T>(
        &self,
        by: impl Fn(Attempt) -> Result<T, Halt>,
        charge: impl Fn(&mut T, Abandoned),
    ) -> Result<T, Error> {
        self.check()?;
        if cfg!(debug_assertions) {
            let parts = (self.initial_or_error()?, self.objective_or_none());
            self.system.check_derivatives(parts, self.span.start, &self.p)?;
        }
        let is_controlled = self.options.fixed_steps.is_none();
        let tolerances = is_controlled.then_some(&self.options.tolerances);
        let (tableau, otherwise) = self.method.tableaus(tolerances);
        let begun = Instant::now();
        let result = by(Attempt { tableau, stop_if_stiff: otherwise.is_some() });
        let (Err(Halt::Stiff { steps, .. }), Some(tableau)) = (&result, otherwise) else {
            return Ok(result?);
        };
        let abandoned = Abandoned { steps: *steps, seconds: begun.elapsed().as_secs_f64() };
        let mut output = match by(Attempt { tableau, stop_if_stiff: false }) {
            Err(Halt::Failed(Error::DenseJacobian { dim, most, .. })) => {
                return Err(Error::DenseJacobian { dim, most, stiff: true });
            }
            output => output?,
        };
        charge(&mut output, abandoned);
        Ok(output)
    }

    fn check(&self) -> Result<(), Error> {
        let (dim, num_params) = (self.system.dim(), self.system.num_params());
        check_dim(dim)?;
        check_length("the parameter vector", self.p.len(), num_params)?;
        if let Some(index) = self.p.iter().position(|p| !p.is_finite()) {
            return Err(Error::ParameterNotFinite { index, value: self.p[index] });
        }
        self.initial_or_error()?.check(dim, num_params)?;
        if let Some(objective) = &self.objective {
            objective.check_lengths(dim, num_params)?;
        }
        self.span.check()?;
        let atol = self.options.tolerances.atol.len();
        if atol != 1 {
            check_length("the list of absolute tolerances", atol, dim)?;
        }
        self.options.check()
    }

    fn initial_or_error(&self) -> Result<&dyn Initial, Error> {
        let given = self.initial.as_deref();
        given.ok_or_else(|| bad_setting("the initial state", "not given", "given by `initial`"))
    }

    /// The objective, or one without terms.
    fn objective_or_none(&self) -> &dyn AnyObjective {
        self.objective.as_deref().unwrap_or(&())
    }

    fn check_for(&self, asked: Asked) -> Result<(), Error> {
        if asked != Asked::Solution && self.objective.is_none() {
            return Err(bad_setting("the objective", "not given", "given by `objective`"));
        }
        self.options.check_for(asked)
    }

    fn setup(&self, Attempt { tableau, stop_if_stiff }: Attempt) -> Result<Setup<'_>, Error> {
        let options = &self.options;
        let stepping = match options.fixed_steps {
            Some(steps) => Stepping::Fixed(steps),
            None => {
                let control = Control::new(options.tolerances.clone())?;
                let max_steps = options.max_steps;
                Stepping::Adaptive(Control { max_steps, stop_if_stiff, ..control })
            }
        };
        Ok(Setup {
            tableau,
            adjoint: options.adjoint,
            initial: self.initial_or_error()?,
            objective: self.objective_or_none(),
            span: self.span,
            stepping,
            on_step: options.on_step,
        })
    }

    /// The steps of a method.
    fn run(&self, attempt: Attempt) -> Result<Box<dyn OnlineChain + '_>, Error> {
        self.system.run(&self.setup(attempt)?)
    }

    fn value_of(&self, run: &mut dyn OnlineChain) -> Result<(f64, Stats), Halt> {
        let mut observer = self.options.on_progress;
        Reversal::new(&self.p).observer(&mut observer).value(run)
    }

    /// The chain of all steps, which a run finds where they are not known.
    fn known_chain<'r>(&self, run: &'r mut dyn OnlineChain) -> Result<&'r dyn Chain, Halt> {
        if !run.is_known() {
            self.value_of(run)?;
        }
        Ok(run.chain())
    }

    fn store(&self) -> Result<Box<dyn SnapshotStore<f64>>, Error> {
        Ok(match &self.options.directory {
            Some(directory) => Box::new(DiskStore::new(directory)?),
            None => Box::new(MemoryStore::new()),
        })
    }
}

fn bad_setting(what: &'static str, given: &str, required: &'static str) -> Error {
    Error::BadSetting { what, given: given.into(), required }
}
