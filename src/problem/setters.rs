//! Settings of a problem, one after the other.

use std::path::PathBuf;
use std::sync::Arc;

use super::Problem;
use super::parts::Part;
use crate::adjoint::Progress;
use crate::method::control::StepReport;
use crate::method::{AdjointKind, Method};
use crate::ode::Initial;
use crate::ode::objective::Objective;
use crate::schedule::ScheduleKind;

impl<'a> Problem<'a> {
    /// Begins at this initial state y₀(p).
    pub fn initial<I: Initial>(mut self, initial: &'a I) -> Self {
        self.initial = Some(Part::Borrowed(initial));
        self
    }

    /// Takes the gradient of this objective.
    pub fn objective<J: Objective>(mut self, objective: &'a J) -> Self {
        self.objective = Some(Part::Borrowed(objective));
        self
    }

    /// As [`initial`](Self::initial), of one that the problem shares.
    pub fn shared_initial<I: Initial + 'a>(mut self, initial: Arc<I>) -> Self {
        self.initial = Some(Part::Shared(initial));
        self
    }

    /// As [`objective`](Self::objective), of one that the problem shares.
    pub fn shared_objective<J: Objective + 'a>(mut self, objective: Arc<J>) -> Self {
        self.objective = Some(Part::Shared(objective));
        self
    }

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
    ///     Problem::new(&decay, (0.0, 1.0), &[0.5]).fixed_steps(10_000);
    /// let (all, little) = (problem.gradient()?, problem.clone().budget(16_384).gradient()?);
    /// assert_eq!(all.wrt_params, little.wrt_params);
    /// assert!(little.stats.peak_bytes <= 16_384);
    /// # Ok::<(), costate::Error>(())
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

    /// Ends a gradient that has a directory with [`Error::Stopped`](crate::Error::Stopped) soon after `stop` has become true,
    /// its position noted. It is asked at each step.
    pub fn stop_if(mut self, stop: &'a (dyn Fn() -> bool + Sync)) -> Self {
        self.options.stop = Some(stop);
        self
    }

    /// Tells this problem, for [`resume`](Self::resume), from others that give the same numbers at
    /// the start: the model's text, say. `note` can be read from the directory by
    /// [`journal::unfinished`](crate::adjoint::journal::unfinished).
    pub fn tag(mut self, tag: impl Into<String>, note: impl Into<String>) -> Self {
        (self.options.tag, self.options.note) = (tag.into(), note.into());
        self
    }

    /// Reports every step and rejection of error control to `observe`.
    pub fn on_step(mut self, observe: &'a (dyn Fn(StepReport) + Sync)) -> Self {
        self.options.on_step = observe;
        self
    }

    /// Tells `observe` how far the gradient has come.
    pub fn on_progress(mut self, observe: &'a (dyn Fn(Progress) + Sync)) -> Self {
        self.options.on_progress = observe;
        self
    }
}
