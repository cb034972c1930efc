//! The short path: from a model to a gradient in one chain of settings.

mod durable;
mod planned;
mod settings;
mod tasks;

use std::path::PathBuf;

use crate::adjoint::{self, Gradient, Progress, Stats, gradient_observed, gradient_online};
use crate::backsolve::{Backsolve, Backsolved, Known, Replay};
use crate::budget::Plan;
use crate::control::{Control, Event};
use crate::curve::{Budgets, Curve, CurveNews};
use crate::error::{Error, ModelError, check_dim, check_length};
use crate::grid::{Span, TimeGrid};
use crate::method::{AdjointKind, Method, MethodSettings, Task, backward_for};
use crate::model::Model;
use crate::objective::Objective;
use crate::ode::{Initial, Vjp};
use crate::recurrence::{Adaptive, Discretization, Recurrence};
pub use crate::schedule::ScheduleKind;
use crate::snapshot::{DiskStore, MemoryStore, SnapshotStore};
use crate::solve::Solution;
use crate::stepper::{AdjointStepper, Tolerances};
use crate::verify;
pub use planned::PlanSummary;
use settings::Asked;
use tasks::{BudgetCurveTask, CurveTask, GradientTask, PlanTask, SolveTask, ValueTask};

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
/// let problem = Problem::new(&decay, &decay, &decay, (0.0, 1.0), &[0.5]).rtol(1e-10).atol(1e-12);
/// let (all, few) = (problem.gradient()?, problem.clone().snapshots(2).gradient()?);
/// assert!((all.wrt_params[0] + 2.0 * (-0.5_f64).exp()).abs() < 1e-9);
/// assert_eq!(all.wrt_params, few.wrt_params);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Problem<'a, O, I, J> {
    ode: &'a O,
    initial: &'a I,
    objective: &'a J,
    span: Span,
    p: &'a [f64],
    method: Method,
    options: Options<'a>,
}

/// The parts are borrowed: they need not be `Clone`.
impl<O, I, J> Clone for Problem<'_, O, I, J> {
    fn clone(&self) -> Self {
        let Problem { ode, initial, objective, span, p, method, ref options } = *self;
        Problem { ode, initial, objective, span, p, method, options: options.clone() }
    }
}

/// What does not depend on the types of the model and the objective.
#[derive(Clone)]
struct Options<'a> {
    tolerances: Tolerances,
    /// Whether one was given.
    has_tolerances: bool,
    fixed_steps: Option<usize>,
    max_steps: usize,
    /// Whether it was given.
    has_max_steps: bool,
    adjoint: AdjointKind,
    schedule: Option<ScheduleKind>,
    snapshots: Option<usize>,
    budget: Option<u64>,
    disk_budget: Option<u64>,
    threads: usize,
    directory: Option<PathBuf>,
    resume: bool,
    tag: String,
    note: String,
    on_event: &'a (dyn Fn(Event) + Sync),
    on_progress: &'a (dyn Fn(Progress) + Sync),
    stop: Option<&'a (dyn Fn() -> bool + Sync)>,
}

impl Options<'_> {
    /// Whether a run is to stop.
    fn stop_or_never(&self) -> &dyn Fn() -> bool {
        match self.stop {
            Some(stop) => stop,
            None => &|| false,
        }
    }
}

impl Default for Options<'_> {
    fn default() -> Self {
        Options {
            tolerances: Tolerances { rtol: 1e-6, atol: vec![1e-12] },
            has_tolerances: false,
            fixed_steps: None,
            max_steps: Control::MAX_STEPS,
            has_max_steps: false,
            adjoint: AdjointKind::Discrete,
            schedule: None,
            snapshots: None,
            budget: None,
            disk_budget: None,
            threads: 1,
            directory: None,
            resume: false,
            tag: String::new(),
            note: String::new(),
            on_event: &|_| {},
            on_progress: &|_| {},
            stop: None,
        }
    }
}

impl<'a, O: Vjp, I: Initial, J: Objective> Problem<'a, O, I, J> {
    /// J(p) of y' = f(t, y, p), y(start) = y_0(p), over [start, end], by the method that suits the
    /// tolerance, relative 1e-6 unless told, and the problem's stiffness, with every state kept.
    pub fn new(
        ode: &'a O,
        initial: &'a I,
        objective: &'a J,
        (start, end): (f64, f64),
        p: &'a [f64],
    ) -> Self {
        Problem {
            ode,
            initial,
            objective,
            span: Span { start, end },
            p,
            method: Method::Auto,
            options: Options::default(),
        }
    }
}

impl<'a> Problem<'a, Model, Model, Model> {
    /// The model's own J(p) over its time span.
    ///
    /// ```
    /// use costate::model::Model;
    /// use costate::problem::Problem;
    ///
    /// let model = Model::from_json(
    ///     r#"{ "name": "decay", "time": { "start": 0, "end": 1 },
    ///          "states": { "x": 1 }, "parameters": { "k": 0.5 }, "rates": { "x": "-k * x" },
    ///          "objective": { "terminal": "x" } }"#,
    /// )?;
    /// let p = model.nominal();
    /// let gradient = Problem::of_model(&model, &p)?.rtol(1e-10).atol(1e-12).gradient()?;
    /// assert!((gradient.wrt_params[0] + (-0.5_f64).exp()).abs() < 1e-8);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Where the model has no time span, p does not fit, or the model is not finite at its start.
    pub fn of_model(model: &'a Model, p: &'a [f64]) -> Result<Self, ModelError> {
        let not_given = || ModelError::NotGiven { path: "time".into(), call: "span" };
        let span = model.span().ok_or_else(not_given)?;
        model.check_start(p)?;
        Ok(Problem::new(model, model, model, span, p))
    }
}

impl<'a, O: Vjp, I: Initial, J: Objective> Problem<'a, O, I, J> {
    /// Takes another method than [`Method::Auto`], which switches where it meets stiffness.
    pub fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// The relative tolerance of error control; 1e-6 unless told. Steps of one length have none.
    pub fn rtol(mut self, rtol: f64) -> Self {
        self.options.tolerances.rtol = rtol;
        self.options.has_tolerances = true;
        self
    }

    /// The absolute tolerance of error control; 1e-12 unless told.
    pub fn atol(mut self, atol: f64) -> Self {
        self.options.tolerances.atol = vec![atol];
        self.options.has_tolerances = true;
        self
    }

    /// An absolute tolerance for each state.
    pub fn atol_each(mut self, atol: Vec<f64>) -> Self {
        self.options.tolerances.atol = atol;
        self.options.has_tolerances = true;
        self
    }

    /// Takes this many steps of one length instead of controlling the error.
    pub fn fixed_steps(mut self, steps: usize) -> Self {
        self.options.fixed_steps = Some(steps);
        self
    }

    /// The most steps that error control may try; a million unless told.
    pub fn max_steps(mut self, max_steps: usize) -> Self {
        (self.options.max_steps, self.options.has_max_steps) = (max_steps, true);
        self
    }

    /// Takes the discrete or the continuous adjoint, or backsolve; the discrete one unless told.
    ///
    /// Backsolve keeps 16 states unless told how many [`snapshots`](Self::snapshots), by no
    /// [`schedule`](Self::schedule), and compares by the tolerances also where steps are fixed.
    pub fn adjoint(mut self, adjoint: AdjointKind) -> Self {
        self.options.adjoint = adjoint;
        self
    }

    /// Keeps at most this many states at once; all of them unless told.
    pub fn snapshots(mut self, snapshots: usize) -> Self {
        self.options.snapshots = Some(snapshots);
        self
    }

    /// Bytes of memory that the gradient may hold: states, tapes, the times of the steps and the
    /// sweep's own vectors. What steps, adjoints and copies cost is measured, and kept is what saves
    /// most time. The bits do not depend on it.
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
    ///     Problem::new(&decay, &decay, &decay, (0.0, 1.0), &[0.5]).fixed_steps(10_000);
    /// let (all, little) = (problem.gradient()?, problem.clone().budget(16_384).gradient()?);
    /// assert_eq!(all.wrt_params, little.wrt_params);
    /// assert!(little.stats.peak_bytes <= 16_384);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn budget(mut self, bytes: u64) -> Self {
        self.options.budget = Some(bytes);
        self
    }

    /// Bytes of files that the gradient may hold, where it has a directory; as many as there is
    /// room for unless told.
    pub fn disk_budget(mut self, bytes: u64) -> Self {
        self.options.disk_budget = Some(bytes);
        self
    }

    /// Cores that may take steps; 1 unless told. With 2, one computes states again ahead of the other,
    /// which reverses, where steps are long enough for it. With a directory a run, which notes there
    /// where it stands, takes its steps on one core, and a second one writes and reads.
    pub fn threads(mut self, threads: usize) -> Self {
        self.options.threads = threads;
        self
    }

    /// Which states to keep. Unless told: all without a number of snapshots; with one, `Online`
    /// under error control and `Revolve` for fixed steps.
    pub fn schedule(mut self, schedule: ScheduleKind) -> Self {
        self.options.schedule = Some(schedule);
        self
    }

    /// Keeps the states in files in this directory, and notes there how far the gradient has come:
    /// after its process was killed, [`resume`](Self::resume) goes on. Small states are in memory, too,
    /// where no [`budget`](Self::budget) bounds it, and the files are written about once in a hundred
    /// times as long as that takes; a run that is shorter than 0.1 s writes none.
    pub fn on_disk(mut self, directory: impl Into<PathBuf>) -> Self {
        self.options.directory = Some(directory.into());
        self
    }

    /// Goes on with the gradient of this problem that was not finished in this directory, and begins
    /// it where there is none; the bits are those of one that was not interrupted. What bounds
    /// memory, files and the number of steps may differ.
    pub fn resume(self, directory: impl Into<PathBuf>) -> Self {
        let mut problem = self.on_disk(directory);
        problem.options.resume = true;
        problem
    }

    /// Ends a gradient that has a directory with [`Error::Stopped`] soon after `stop` has become true,
    /// its position noted. It is asked at each step.
    pub fn stop_if(mut self, stop: &'a (dyn Fn() -> bool + Sync)) -> Self {
        self.options.stop = Some(stop);
        self
    }

    /// Tells this problem, for [`resume`](Self::resume), from others that give the same numbers at
    /// the start: the model's text, say. `note` can be read from the directory by
    /// [`journal::unfinished`](crate::journal::unfinished).
    pub fn tag(mut self, tag: impl Into<String>, note: impl Into<String>) -> Self {
        (self.options.tag, self.options.note) = (tag.into(), note.into());
        self
    }

    /// Tells `observe` of every step and rejection of error control.
    pub fn on_event(mut self, observe: &'a (dyn Fn(Event) + Sync)) -> Self {
        self.options.on_event = observe;
        self
    }

    /// Tells `observe` how far the gradient has come.
    pub fn on_progress(mut self, observe: &'a (dyn Fn(Progress) + Sync)) -> Self {
        self.options.on_progress = observe;
        self
    }

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
        self.options.check_for(Asked::Gradient)?;
        self.dispatch(&GradientTask(self))
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
    ///     Problem::new(&decay, &decay, &decay, (0.0, 1.0), &[0.5]).fixed_steps(1000).budget(16_384);
    /// let (plan, _) = problem.plan()?;
    /// assert!(plan.steps == 1000 && plan.memory_bytes <= 16_384);
    /// assert!(problem.gradient()?.stats.peak_bytes <= 16_384);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`gradient`](Self::gradient), without a budget, and where backsolve is asked for, whose work
    /// is not known before.
    pub fn plan(&self) -> Result<(Plan, &'static str), Error> {
        self.options.check_for(Asked::Plan)?;
        self.dispatch(&PlanTask(self))
    }

    /// J alone: the same bits as [`gradient`](Self::gradient) gives, and what it cost. No state is
    /// kept, whatever is set for gradients.
    ///
    /// # Errors
    /// As [`gradient`](Self::gradient).
    pub fn value(&self) -> Result<(f64, Stats), Error> {
        self.options.check_for(Asked::Value)?;
        self.dispatch(&ValueTask(self))
    }

    /// The solution at the ascending `times`, which alone are kept, whatever is set for gradients.
    ///
    /// # Errors
    /// As [`gradient`](Self::gradient), and where a time lies outside the span.
    pub fn solve(&self, times: &[f64]) -> Result<Solution, Error> {
        self.options.check_for(Asked::Solution)?;
        self.dispatch(&SolveTask(self, times))
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
        self.options.check_for(Asked::Curve)?;
        self.dispatch(&CurveTask(self, kind, observe))
    }

    /// The gradient's work against the bytes that it may hold, and the method's name: see
    /// [`measure_budgets`](crate::curve::measure_budgets). Error control chooses the steps once;
    /// `observe` is told of each point when it is measured.
    ///
    /// # Errors
    /// As [`gradient`](Self::gradient), and for a schedule or a number of snapshots.
    pub fn budget_curve(
        &self,
        budgets: &Budgets,
        observe: &(dyn Fn(CurveNews) + Sync),
    ) -> Result<(Curve, &'static str), Error> {
        self.options.check_for(Asked::BudgetCurve)?;
        if budgets.threads.contains(&0) {
            return Err(bad_setting("the number of threads", "0", "at least 1"));
        }
        if budgets.disk_bytes.is_some() && budgets.directory.is_none() {
            return Err(bad_setting("the disk budget", "given", "left out without a directory"));
        }
        self.dispatch(&BudgetCurveTask(self, budgets, observe))
    }

    fn dispatch<T: Task<O>>(&self, task: &T) -> Result<T::Output, Error> {
        self.check()?;
        if cfg!(debug_assertions) {
            verify::added(self.ode, self.initial, self.objective, self.span.start, self.p)?;
        }
        let tolerances =
            self.options.fixed_steps.is_none().then(|| self.options.tolerances.clone());
        let settings = MethodSettings { adjoint: self.options.adjoint, tolerances };
        self.method.dispatch(&settings, task)
    }

    fn check(&self) -> Result<(), Error> {
        check_dim(self.ode.dim())?;
        check_length("the parameter vector", self.p.len(), self.ode.num_params())?;
        if let Some(index) = self.p.iter().position(|p| !p.is_finite()) {
            return Err(Error::ParameterNotFinite { index, value: self.p[index] });
        }
        self.initial.check(self.ode.dim(), self.ode.num_params())?;
        self.objective.check(self.ode.dim(), self.ode.num_params())?;
        self.span.check()?;
        let atol = self.options.tolerances.atol.len();
        if atol != 1 {
            check_length("the list of absolute tolerances", atol, self.ode.dim())?;
        }
        if self.options.fixed_steps == Some(0) {
            return Err(bad_setting("the number of steps", "0", "at least 1"));
        }
        if self.options.snapshots == Some(0) {
            return Err(bad_setting("the number of snapshots", "0", "at least 1"));
        }
        if let (AdjointKind::Backsolve, Some(kind)) = (self.options.adjoint, self.options.schedule)
        {
            let required = "left to it: give no more than the number of snapshots";
            return Err(bad_setting("the schedule of a backsolve", kind.name(), required));
        }
        if self.options.resume && self.options.adjoint == AdjointKind::Backsolve {
            return Err(bad_setting(
                "the adjoint to resume",
                "backsolve",
                "discrete or continuous",
            ));
        }
        let noted =
            self.options.directory.is_some() && self.options.adjoint != AdjointKind::Backsolve;
        if self.options.stop.is_some() && !noted {
            let required =
                "left out where nothing is noted: without a directory, or with backsolve";
            return Err(bad_setting("what stops the gradient", "given", required));
        }
        if self.options.threads == 0 {
            return Err(bad_setting("the number of threads", "0", "at least 1"));
        }
        if self.options.budget.is_some() && self.options.snapshots.is_some() {
            let required = "left out where there is a budget of bytes";
            return Err(bad_setting("the number of snapshots", "given", required));
        }
        if let (Some(_), Some(kind)) = (self.options.budget, self.options.schedule) {
            let required = "left out where there is a budget of bytes";
            return Err(bad_setting("the schedule", kind.name(), required));
        }
        if self.options.disk_budget.is_some() && self.options.directory.is_none() {
            return Err(bad_setting("the disk budget", "given", "left out without a directory"));
        }
        let plans = self.options.budget.is_some() || self.options.threads > 1;
        if plans && self.options.adjoint == AdjointKind::Backsolve {
            let required = "left out with backsolve: its memory does not grow with the steps";
            return Err(bad_setting("the budget or the number of threads", "given", required));
        }
        if self.options.max_steps == 0 {
            return Err(bad_setting("the step limit", "0", "at least 1"));
        }
        Ok(())
    }

    fn control(&self, stop_if_stiff: bool) -> Result<Control, Error> {
        let control = Control::new(self.options.tolerances.clone())?;
        Ok(Control { max_steps: self.options.max_steps, stop_if_stiff, ..control })
    }

    fn adaptive<N: AdjointStepper<O>>(
        &self,
        stepper: N,
        stop_if_stiff: bool,
    ) -> Result<Adaptive<'a, O, I, J, N>, Error> {
        let control = self.control(stop_if_stiff)?;
        Adaptive::new(
            self.ode,
            self.initial,
            self.objective,
            stepper,
            self.span,
            control,
            self.options.on_event,
        )
    }

    fn fixed<N: AdjointStepper<O>>(
        &self,
        stepper: N,
        steps: usize,
    ) -> Result<Discretization<'a, O, I, J, N>, Error> {
        let grid = TimeGrid::Uniform { start: self.span.start, end: self.span.end, steps };
        Discretization::new(self.ode, self.initial, self.objective, stepper, grid)
    }

    /// The chain of the steps of fixed length, or of those that error control chooses.
    fn known<N: AdjointStepper<O>>(
        &self,
        stepper: N,
        stop_if_stiff: bool,
    ) -> Result<Discretization<'a, O, I, J, N>, Error> {
        if let Some(steps) = self.options.fixed_steps {
            return self.fixed(stepper, steps);
        }
        let mut frontier = self.adaptive(stepper, stop_if_stiff)?;
        adjoint::value_online(&mut frontier, self.p, self.options.on_progress)?;
        Ok(frontier.into_discretization())
    }

    fn gradient_by<N: AdjointStepper<O>>(
        &self,
        stepper: N,
        stop_if_stiff: bool,
    ) -> Result<Gradient, Error> {
        match self.options.fixed_steps {
            Some(steps) => self.gradient_of_chain(&self.fixed(stepper, steps)?),
            None => self.gradient_of_run(self.adaptive(stepper, stop_if_stiff)?),
        }
    }

    fn gradient_of_chain<R: Recurrence<Scalar = f64>>(&self, chain: &R) -> Result<Gradient, Error> {
        let (kind, slots) = (self.schedule_kind(), self.options.snapshots);
        let schedule = kind.offline(chain.num_steps(), slots)?;
        let mut store = MemoryStore::new();
        gradient_observed(chain, self.p, schedule, &mut store, self.options.on_progress)
    }

    fn gradient_of_run<N: AdjointStepper<O>>(
        &self,
        mut frontier: Adaptive<'a, O, I, J, N>,
    ) -> Result<Gradient, Error> {
        let (p, progress) = (self.p, self.options.on_progress);
        let (kind, slots) = (self.schedule_kind(), self.options.snapshots);
        let mut store = MemoryStore::new();
        if let Some(schedule) = kind.online(slots)? {
            return gradient_online(&mut frontier, p, schedule, &mut store, progress);
        }
        let (_, pass) = adjoint::value_online(&mut frontier, p, progress)?;
        let chain = frontier.into_discretization();
        let schedule = kind.offline(chain.grid().num_steps(), slots)?;
        let mut gradient = gradient_observed(&chain, p, schedule, &mut store, progress)?;
        gradient.stats.add_pass(&pass);
        Ok(gradient)
    }

    fn backsolved_by<N: AdjointStepper<O>>(
        &self,
        stepper: N,
        stop_if_stiff: bool,
    ) -> Result<Backsolved, Error> {
        let (p, progress, tolerances) =
            (self.p, self.options.on_progress, &self.options.tolerances);
        let snapshots = self.options.snapshots.unwrap_or(Backsolve::SNAPSHOTS);
        let method = backward_for(stepper.name(), tolerances)?;
        let back = Backsolve::new(method, tolerances.clone(), snapshots)?;
        let mut store = self.store()?;
        match self.options.fixed_steps {
            Some(steps) => {
                let mut run = Known::new(self.fixed(stepper, steps)?);
                back.gradient(&mut run, p, &mut *store, progress)
            }
            None => {
                let mut run = self.adaptive(stepper, stop_if_stiff)?;
                back.gradient(&mut run, p, &mut *store, progress)
            }
        }
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
