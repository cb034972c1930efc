//! The settings of a problem, and which of them go with what is asked of it and with one another.

use std::path::PathBuf;

use super::bad_setting;
use crate::adjoint::Progress;
use crate::error::Error;
use crate::method::AdjointKind;
use crate::method::control::{Control, StepReport};
use crate::method::stepper::Tolerances;
use crate::schedule::ScheduleKind;

/// The settings of a problem.
#[derive(Clone)]
pub(super) struct Options<'a> {
    pub tolerances: Tolerances,
    /// Whether one was given.
    pub has_tolerances: bool,
    pub fixed_steps: Option<usize>,
    pub max_steps: usize,
    /// Whether it was given.
    pub has_max_steps: bool,
    pub adjoint: AdjointKind,
    pub schedule: Option<ScheduleKind>,
    pub snapshots: Option<usize>,
    pub budget: Option<u64>,
    pub disk_budget: Option<u64>,
    pub threads: usize,
    pub directory: Option<PathBuf>,
    pub resume: bool,
    pub tag: String,
    pub note: String,
    pub on_step: &'a (dyn Fn(StepReport) + Sync),
    pub on_progress: &'a (dyn Fn(Progress) + Sync),
    pub stop: Option<&'a (dyn Fn() -> bool + Sync)>,
}

impl Options<'_> {
    /// Whether a run is to stop.
    pub fn stop_or_never(&self) -> &dyn Fn() -> bool {
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
            on_step: &|_| {},
            on_progress: &|_| {},
            stop: None,
        }
    }
}

/// What is asked of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Gradient,
    Plan,
    Value,
    Solution,
    Curve,
    BudgetCurve,
}

impl Options<'_> {
    /// Fails for a setting that cannot be used at all.
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.fixed_steps == Some(0) {
            return Err(bad_setting("the number of steps", "0", "at least 1"));
        }
        if self.snapshots == Some(0) {
            return Err(bad_setting("the number of snapshots", "0", "at least 1"));
        }
        if let (AdjointKind::Backsolve, Some(kind)) = (self.adjoint, self.schedule) {
            let required = "left to it: give no more than the number of snapshots";
            return Err(bad_setting("the schedule of a backsolve", kind.name(), required));
        }
        if self.resume && self.adjoint == AdjointKind::Backsolve {
            return Err(bad_setting(
                "the adjoint to resume",
                "backsolve",
                "discrete or continuous",
            ));
        }
        let noted = self.directory.is_some() && self.adjoint != AdjointKind::Backsolve;
        if self.stop.is_some() && !noted {
            let required =
                "left out where nothing is noted: without a directory, or with backsolve";
            return Err(bad_setting("what stops the gradient", "given", required));
        }
        if self.threads == 0 {
            return Err(bad_setting("the number of threads", "0", "at least 1"));
        }
        if self.budget.is_some() && self.snapshots.is_some() {
            let required = "left out where there is a budget of bytes";
            return Err(bad_setting("the number of snapshots", "given", required));
        }
        if let (Some(_), Some(kind)) = (self.budget, self.schedule) {
            let required = "left out where there is a budget of bytes";
            return Err(bad_setting("the schedule", kind.name(), required));
        }
        if self.disk_budget.is_some() && self.directory.is_none() {
            return Err(bad_setting("the disk budget", "given", "left out without a directory"));
        }
        let plans = self.budget.is_some() || self.threads > 1;
        if plans && self.adjoint == AdjointKind::Backsolve {
            let required = "left out with backsolve: its memory does not grow with the steps";
            return Err(bad_setting("the budget or the number of threads", "given", required));
        }
        if self.max_steps == 0 {
            return Err(bad_setting("the step limit", "0", "at least 1"));
        }
        Ok(())
    }

    /// Fails for a setting that would have no effect. What bounds or directs a reverse sweep has none
    /// where no gradient is taken, and is let be: a value and a solution hold less than any bound.
    pub(super) fn check_for(&self, asked: Asked) -> Result<(), Error> {
        self.check_steps()?;
        self.check_kept()?;
        if self.resume && asked != Asked::Gradient {
            let required = "left out where no gradient is taken";
            return Err(bad_setting("the directory to resume in", "given", required));
        }
        match asked {
            Asked::Gradient | Asked::Value | Asked::Solution => Ok(()),
            Asked::Plan => self.check_plan(),
            Asked::Curve => self.check_curve(),
            Asked::BudgetCurve => self.check_budget_curve(),
        }
    }

    /// Steps of one length know no tolerance, but for backsolve's, and no limit.
    fn check_steps(&self) -> Result<(), Error> {
        let required = "left out where steps have one length";
        if self.fixed_steps.is_some() && self.has_max_steps {
            return Err(bad_setting("the step limit", "given", required));
        }
        let uses_tolerances = self.fixed_steps.is_none() || self.adjoint == AdjointKind::Backsolve;
        match self.has_tolerances && !uses_tolerances {
            true => Err(bad_setting("a tolerance", "given", required)),
            false => Ok(()),
        }
    }

    fn check_kept(&self) -> Result<(), Error> {
        if self.schedule == Some(ScheduleKind::StoreAll) && self.snapshots.is_some() {
            let required = "left out where every state is kept: take another schedule for fewer";
            return Err(bad_setting("the number of snapshots", "given", required));
        }
        if let (Some(kind), None, 2..) = (self.schedule, &self.directory, self.threads) {
            let required = "left out where several threads take steps: they have their own";
            return Err(bad_setting("the schedule", kind.name(), required));
        }
        if self.disk_budget.is_some() && self.adjoint == AdjointKind::Backsolve {
            let required = "left out with backsolve: give it a number of snapshots";
            return Err(bad_setting("the disk budget", "given", required));
        }
        Ok(())
    }

    fn check_plan(&self) -> Result<(), Error> {
        if self.adjoint == AdjointKind::Backsolve {
            let required = "discrete or continuous";
            return Err(bad_setting("the adjoint of a plan", "backsolve", required));
        }
        match self.budget {
            Some(_) => Ok(()),
            None => Err(bad_setting("the budget of a plan", "not given", "a number of bytes")),
        }
    }

    fn check_curve(&self) -> Result<(), Error> {
        if let Some(kind @ (ScheduleKind::StoreAll | ScheduleKind::Online)) = self.schedule {
            let required = "revolve, uniform or bisection";
            return Err(bad_setting("the schedule of a curve", kind.name(), required));
        }
        self.check_adjoint_of_curve()?;
        let required = "left out of a curve over snapshots: take one over budgets";
        if self.budget.is_some() {
            return Err(bad_setting("the budget", "given", required));
        }
        if self.threads > 1 {
            let threads = self.threads.to_string();
            return Err(bad_setting("the number of threads", &threads, required));
        }
        match self.disk_budget {
            Some(_) => Err(bad_setting("the disk budget", "given", required)),
            None => Ok(()),
        }
    }

    fn check_budget_curve(&self) -> Result<(), Error> {
        self.check_adjoint_of_curve()?;
        if self.schedule.is_some() || self.snapshots.is_some() {
            let required = "left out where there is a budget of bytes";
            return Err(bad_setting("the schedule or number of snapshots", "given", required));
        }
        let required = "given with the budgets of the curve";
        let elsewhere = [
            ("the budget of a gradient", self.budget.is_some()),
            ("the number of threads of a gradient", self.threads > 1),
            ("the directory of a gradient", self.directory.is_some()),
            ("the disk budget of a gradient", self.disk_budget.is_some()),
        ];
        match elsewhere.into_iter().find(|&(_, given)| given) {
            Some((what, _)) => Err(bad_setting(what, "given", required)),
            None => Ok(()),
        }
    }

    fn check_adjoint_of_curve(&self) -> Result<(), Error> {
        if self.adjoint == AdjointKind::Backsolve {
            let required = "discrete or continuous";
            return Err(bad_setting("the adjoint of a curve", "backsolve", required));
        }
        Ok(())
    }
}
