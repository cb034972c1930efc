//! What is made of a model's dynamics, behind a trait object: above it nothing depends on the type.

use crate::adjoint::backsolve::{Backsolve, Backsolved};
use crate::adjoint::{Halt, Progress};
use crate::error::Error;
use crate::method::continuous::Continuous;
use crate::method::control::StepReport;
use crate::method::solve::{Solution, Solver, Stepping, Stiff};
use crate::method::stepper::{AdjointStepper, Esdirk, ExplicitRk, Newton};
use crate::method::tableau::Tableau;
use crate::method::{AdjointKind, adjoint_equation_by};
use crate::ode::grid::{Span, TimeGrid};
use crate::ode::objective::AnyObjective;
use crate::ode::{At, Initial, Vjp};
use crate::recurrence::{Adaptive, Discretization, Fixed, OnlineChain};
use crate::snapshot::SnapshotStore;
use crate::verify;

/// A run that is to be made.
pub(super) struct Setup<'a> {
    pub tableau: &'static Tableau,
    pub adjoint: AdjointKind,
    pub initial: &'a dyn Initial,
    pub objective: &'a dyn AnyObjective,
    pub span: Span,
    pub stepping: Stepping,
    pub on_step: &'a (dyn Fn(StepReport) + Sync),
}

impl Setup<'_> {
    /// How stages are solved: as the error is controlled, or to rounding.
    fn newton(&self) -> Newton {
        match &self.stepping {
            Stepping::Adaptive(control) => Newton::Tolerances(control.tolerances.clone()),
            Stepping::Fixed(_) => Newton::Stagnation,
        }
    }

    /// Relative tolerance of the adjoint equation.
    fn adjoint_rtol(&self) -> f64 {
        const FIXED_STEPS: f64 = 1e-8;
        match &self.stepping {
            Stepping::Adaptive(control) => control.tolerances.rtol.max(1e-14),
            Stepping::Fixed(_) => FIXED_STEPS,
        }
    }
}

/// A right-hand side with its derivative products.
pub(super) trait System: Send + Sync {
    fn dim(&self) -> usize;
    fn num_params(&self) -> usize;
    /// f at a point.
    fn rate(&self, at: At<'_>) -> Vec<f64>;
    /// Looks at the derivatives at the start.
    fn check_derivatives(
        &self,
        parts: (&dyn Initial, &dyn AnyObjective),
        start: f64,
        p: &[f64],
    ) -> Result<(), Error>;
    /// The steps that a method takes.
    fn run<'a>(&'a self, setup: &Setup<'a>) -> Result<Box<dyn OnlineChain + 'a>, Error>;
    /// The solution at some times.
    fn solve(
        &self,
        setup: &Setup<'_>,
        p: &[f64],
        times: &[f64],
    ) -> Result<Result<Solution, Stiff>, Error>;
    /// The gradient by a run and the way back beside its trajectory.
    fn backsolve(
        &self,
        back: &Backsolve,
        objective: &dyn AnyObjective,
        run: &mut dyn OnlineChain,
        p: &[f64],
        store: &mut dyn SnapshotStore<f64>,
        observe: &dyn Fn(Progress),
    ) -> Result<Backsolved, Halt>;
}

impl<O: Vjp> System for O {
    fn dim(&self) -> usize {
        self.dim()
    }

    fn num_params(&self) -> usize {
        self.num_params()
    }

    fn rate(&self, at: At<'_>) -> Vec<f64> {
        let mut dy = vec![0.0; self.dim()];
        self.rhs(at, &mut dy, &mut self.work());
        dy
    }

    fn check_derivatives(
        &self,
        (initial, objective): (&dyn Initial, &dyn AnyObjective),
        start: f64,
        p: &[f64],
    ) -> Result<(), Error> {
        verify::added(self, initial, objective, start, p)
    }

    fn run<'a>(&'a self, setup: &Setup<'a>) -> Result<Box<dyn OnlineChain + 'a>, Error> {
        match setup.tableau.is_explicit() {
            true => run_by(self, ExplicitRk::new(setup.tableau)?, setup),
            false => run_by(self, Esdirk::new(setup.tableau, setup.newton())?, setup),
        }
    }

    fn solve(
        &self,
        setup: &Setup<'_>,
        p: &[f64],
        times: &[f64],
    ) -> Result<Result<Solution, Stiff>, Error> {
        let Setup { tableau, initial, span, ref stepping, on_step: observe, .. } = *setup;
        let mut y0 = vec![0.0; self.dim()];
        initial.initial(p, &mut y0);
        match tableau.is_explicit() {
            true => {
                let stepper = &ExplicitRk::new(tableau)?;
                Solver { ode: self, stepper, span, stepping, observe }
                    .solve_unless_stiff(&y0, p, times)
            }
            false => {
                let stepper = &Esdirk::new(tableau, setup.newton())?;
                Solver { ode: self, stepper, span, stepping, observe }
                    .solve_unless_stiff(&y0, p, times)
            }
        }
    }

    fn backsolve(
        &self,
        back: &Backsolve,
        objective: &dyn AnyObjective,
        run: &mut dyn OnlineChain,
        p: &[f64],
        store: &mut dyn SnapshotStore<f64>,
        observe: &dyn Fn(Progress),
    ) -> Result<Backsolved, Halt> {
        back.gradient((self, objective), run, p, store, observe)
    }
}

fn run_by<'a, O: Vjp, M: AdjointStepper<O> + 'a>(
    ode: &'a O,
    stepper: M,
    setup: &Setup<'a>,
) -> Result<Box<dyn OnlineChain + 'a>, Error> {
    match setup.adjoint {
        AdjointKind::Discrete | AdjointKind::Backsolve => run_of(ode, stepper, setup),
        AdjointKind::Continuous => {
            let by = adjoint_equation_by(setup.tableau);
            let stepper = Continuous::new(stepper, by, setup.adjoint_rtol(), setup.objective)?;
            run_of(ode, stepper, setup)
        }
    }
}

fn run_of<'a, O: Vjp, M: AdjointStepper<O> + 'a>(
    ode: &'a O,
    stepper: M,
    setup: &Setup<'a>,
) -> Result<Box<dyn OnlineChain + 'a>, Error> {
    let Setup { initial, objective, span, on_step, .. } = *setup;
    Ok(match &setup.stepping {
        Stepping::Fixed(steps) => {
            let Span { start, end } = span;
            let grid = TimeGrid::Uniform { start, end, steps: *steps };
            Box::new(Fixed::new(Discretization::new(ode, initial, objective, stepper, grid)?))
        }
        Stepping::Adaptive(control) => {
            let run = Adaptive::new(ode, initial, objective, stepper, span, control.clone())?;
            Box::new(run.on_step(on_step))
        }
    })
}
