//! Which settings go with what is asked of a problem, and with one another.

use super::{Options, bad_setting};
use crate::error::Error;
use crate::method::AdjointKind;
use crate::schedule::ScheduleKind;

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
