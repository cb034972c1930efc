//! What a problem asks of the method that is chosen for it.

use super::Problem;
use super::Solved;
use crate::adjoint::{self, Stats};
use crate::backsolve::Backsolved;
use crate::budget::Plan;
use crate::curve::{self, Budgets, Curve, CurveNews};
use crate::error::Error;
use crate::method::{Abandoned, AdjointKind, Task};
use crate::objective::Objective;
use crate::ode::{Initial, Vjp};
use crate::schedule::ScheduleKind;
use crate::solve::{Solution, Stepping, solve};
use crate::stepper::AdjointStepper;

pub(super) struct GradientTask<'p, 'a, O, I, J>(pub &'p Problem<'a, O, I, J>);

impl<O: Vjp, I: Initial, J: Objective> Task<O> for GradientTask<'_, '_, O, I, J> {
    type Output = Solved;

    fn run<N: AdjointStepper<O>>(&self, stepper: N, stop_if_stiff: bool) -> Result<Solved, Error> {
        let (problem, method) = (self.0, stepper.name());
        let options = &problem.options;
        let plans = options.budget.is_some() || options.threads > 1;
        let (mut replays, mut plan) = (Vec::new(), None);
        let mut schedule = problem.schedule_kind().name();
        let gradient = match &options.directory {
            _ if options.adjoint == AdjointKind::Backsolve => {
                let Backsolved { gradient, replays: some } =
                    problem.backsolved_by(stepper, stop_if_stiff)?;
                (replays, schedule) = (some, "sparse");
                gradient
            }
            Some(directory) => {
                let durable = problem.durable_gradient_by(stepper, stop_if_stiff, directory)?;
                (schedule, plan) = (durable.schedule, durable.plan);
                durable.gradient
            }
            None if plans => {
                let (gradient, summary) = problem.planned_gradient_by(stepper, stop_if_stiff)?;
                (schedule, plan) = (summary.schedule, Some(summary));
                gradient
            }
            None => problem.gradient_by(stepper, stop_if_stiff)?,
        };
        Ok(Solved { gradient, method, schedule, plan, replays })
    }

    fn charge(&self, solved: &mut Solved, abandoned: Abandoned) {
        solved.gradient.stats.add_abandoned(abandoned.steps, abandoned.seconds);
    }
}

pub(super) struct PlanTask<'p, 'a, O, I, J>(pub &'p Problem<'a, O, I, J>);

impl<O: Vjp, I: Initial, J: Objective> Task<O> for PlanTask<'_, '_, O, I, J> {
    type Output = (Plan, &'static str);

    fn run<N: AdjointStepper<O>>(
        &self,
        stepper: N,
        stop_if_stiff: bool,
    ) -> Result<(Plan, &'static str), Error> {
        let method = stepper.name();
        Ok((self.0.plan_by(stepper, stop_if_stiff)?, method))
    }

    /// As a gradient is charged for it.
    fn charge(&self, (plan, _): &mut (Plan, &'static str), abandoned: Abandoned) {
        plan.recomputed_steps += abandoned.steps;
        plan.seconds += abandoned.seconds;
    }
}

pub(super) struct ValueTask<'p, 'a, O, I, J>(pub &'p Problem<'a, O, I, J>);

impl<O: Vjp, I: Initial, J: Objective> Task<O> for ValueTask<'_, '_, O, I, J> {
    type Output = (f64, Stats);

    fn run<N: AdjointStepper<O>>(
        &self,
        stepper: N,
        stop_if_stiff: bool,
    ) -> Result<(f64, Stats), Error> {
        let problem = self.0;
        match problem.options.fixed_steps {
            Some(steps) => {
                let chain = problem.fixed(stepper, steps)?;
                adjoint::value_observed(&chain, problem.p, problem.options.on_progress)
            }
            None => {
                let mut frontier = problem.adaptive(stepper, stop_if_stiff)?;
                adjoint::value_online(&mut frontier, problem.p, problem.options.on_progress)
            }
        }
    }

    fn charge(&self, (_, stats): &mut (f64, Stats), abandoned: Abandoned) {
        stats.add_abandoned(abandoned.steps, abandoned.seconds);
    }
}

pub(super) struct SolveTask<'p, 'a, O, I, J>(pub &'p Problem<'a, O, I, J>, pub &'p [f64]);

impl<O: Vjp, I: Initial, J: Objective> Task<O> for SolveTask<'_, '_, O, I, J> {
    type Output = Solution;

    fn run<N: AdjointStepper<O>>(
        &self,
        stepper: N,
        stop_if_stiff: bool,
    ) -> Result<Solution, Error> {
        let SolveTask(problem, times) = self;
        let stepping = match problem.options.fixed_steps {
            Some(steps) => Stepping::Fixed(steps),
            None => Stepping::Adaptive(problem.control(stop_if_stiff)?),
        };
        let (p, mut y0) = (problem.p, vec![0.0; problem.ode.dim()]);
        problem.initial.initial(p, &mut y0);
        solve(
            problem.ode,
            &stepper,
            problem.span,
            &stepping,
            &y0,
            p,
            times,
            problem.options.on_event,
        )
    }
    fn charge(&self, solution: &mut Solution, abandoned: Abandoned) {
        solution.rejected += abandoned.steps;
    }
}

pub(super) struct CurveTask<'p, 'a, O, I, J>(
    pub &'p Problem<'a, O, I, J>,
    pub ScheduleKind,
    pub &'p (dyn Fn(CurveNews) + Sync),
);

impl<O: Vjp, I: Initial, J: Objective> Task<O> for CurveTask<'_, '_, O, I, J> {
    type Output = (Curve, &'static str);

    fn run<N: AdjointStepper<O>>(
        &self,
        stepper: N,
        stop_if_stiff: bool,
    ) -> Result<(Curve, &'static str), Error> {
        let CurveTask(problem, kind, observe) = self;
        let method = stepper.name();
        let chain = problem.known(stepper, stop_if_stiff)?;
        let steps = chain.grid().num_steps();
        observe(CurveNews::Begun { method, steps: steps as u64 });
        let fewest = problem.options.snapshots;
        let schedule = |slots| Ok(kind.offline(steps, Some(slots))?);
        let curve = curve::measure(
            &chain,
            problem.p,
            fewest,
            kind.name(),
            schedule,
            || problem.store(),
            *observe,
        )?;
        Ok((curve, method))
    }

    /// The steps were chosen before anything was measured.
    fn charge(&self, _: &mut (Curve, &'static str), _: Abandoned) {}
}

pub(super) struct BudgetCurveTask<'p, 'a, O, I, J>(
    pub &'p Problem<'a, O, I, J>,
    pub &'p Budgets,
    pub &'p (dyn Fn(CurveNews) + Sync),
);

impl<O: Vjp, I: Initial, J: Objective> Task<O> for BudgetCurveTask<'_, '_, O, I, J> {
    type Output = (Curve, &'static str);

    fn run<N: AdjointStepper<O>>(
        &self,
        stepper: N,
        stop_if_stiff: bool,
    ) -> Result<(Curve, &'static str), Error> {
        let BudgetCurveTask(problem, budgets, observe) = self;
        let method = stepper.name();
        let chain = problem.known(stepper, stop_if_stiff)?;
        observe(CurveNews::Begun { method, steps: chain.grid().num_steps() as u64 });
        Ok((curve::measure_budgets(&chain, problem.p, budgets, *observe)?, method))
    }

    /// The steps were chosen before anything was measured.
    fn charge(&self, _: &mut (Curve, &'static str), _: Abandoned) {}
}
