//! Which integrator a problem is given to.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::continuous::Continuous;
use crate::error::{Error, TableauError};
use crate::ode::Vjp;
use crate::stepper::{AdjointStepper, ExplicitRk, Newton, RungeKutta, Tolerances};
use crate::tableau::{self, DOP853, ESDIRK547, TSIT5, Tableau};

/// Whether the steps' own adjoint is taken or that of the differential equation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum AdjointKind {
    /// The exact gradient of what was computed.
    #[default]
    Discrete,
    /// λ' = −f_yᵀλ, integrated backward over each step under its own error control.
    Continuous,
    /// The state integrated backward together with λ, from each of a few kept states to the one
    /// before; [with a guard](crate::backsolve).
    Backsolve,
}

impl AdjointKind {
    /// All kinds with their names in commands.
    pub const ALL: [(&'static str, AdjointKind); 3] = [
        ("discrete", AdjointKind::Discrete),
        ("continuous", AdjointKind::Continuous),
        ("backsolve", AdjointKind::Backsolve),
    ];

    /// The name in commands.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }
}

/// What is done with a stepper once a method has chosen it.
pub trait Task<O: Vjp> {
    /// The result.
    type Output;
    /// Does it. With `stop_if_stiff` it gives up when it meets stiffness.
    fn run<M: AdjointStepper<O>>(
        &self,
        stepper: M,
        stop_if_stiff: bool,
    ) -> Result<Self::Output, Error>;
    /// Adds what an abandoned attempt cost to the result of the one that followed.
    fn charge(&self, output: &mut Self::Output, abandoned: Abandoned);
}

/// An attempt that was given up for another method.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Abandoned {
    /// The steps that it took or rejected.
    pub steps: u64,
    /// The time that it took.
    pub seconds: f64,
}

/// What a method needs to know of the run.
#[derive(Clone, Debug)]
pub struct MethodSettings {
    /// Which adjoint is taken.
    pub adjoint: AdjointKind,
    /// Of error control; `None` for fixed steps.
    pub tolerances: Option<Tolerances>,
}

/// Which integrator is taken.
#[derive(Clone, Copy, Debug, Default)]
pub enum Method {
    /// An explicit method that suits the tolerance, and an implicit one from the start again where
    /// that meets stiffness.
    #[default]
    Auto,
    /// The method of this tableau.
    Named(&'static Tableau),
}

impl Method {
    /// The method of this name; `auto` for the library's choice.
    ///
    /// # Errors
    /// Where there is none.
    pub fn by_name(name: &str) -> Result<Self, Error> {
        if name == "auto" {
            return Ok(Method::Auto);
        }
        tableau::by_name(name).map(Method::Named).ok_or_else(|| Error::UnknownMethod {
            name: name.into(),
            known: Self::names().collect::<Vec<_>>().join(", "),
        })
    }

    /// The names of all methods.
    pub fn names() -> impl Iterator<Item = &'static str> {
        let tableaus = tableau::EXPLICIT.iter().chain(tableau::ESDIRK);
        std::iter::once("auto").chain(tableaus.map(|tableau| tableau.name))
    }

    /// Builds the stepper and hands it to `task`.
    ///
    /// # Errors
    /// Where the tableau cannot be used, and those of the task.
    pub fn dispatch<O: Vjp, T: Task<O>>(
        self,
        settings: &MethodSettings,
        task: &T,
    ) -> Result<T::Output, Error> {
        let tableau = match self {
            Method::Named(tableau) => return run(tableau, settings, task, false),
            Method::Auto => explicit_for(&settings.tolerances),
        };
        let begun = Instant::now();
        match run(tableau, settings, task, true) {
            Err(Error::StepLimit { steps, stiff: true, .. }) => {
                let seconds = begun.elapsed().as_secs_f64();
                let implicit = run(&ESDIRK547, settings, task, false);
                let mut output = implicit.map_err(|error| match error {
                    Error::DenseJacobian { dim, most, .. } => {
                        Error::DenseJacobian { dim, most, stiff: true }
                    }
                    error => error,
                })?;
                task.charge(&mut output, Abandoned { steps: steps as u64, seconds });
                Ok(output)
            }
            result => result,
        }
    }
}

/// Below this relative tolerance an eighth-order step is worth its twelve stages.
const TIGHT: f64 = 1e-5;

/// The explicit method that suits the tolerance.
fn explicit_for(tolerances: &Option<Tolerances>) -> &'static Tableau {
    match tolerances {
        Some(tolerances) if tolerances.rtol < TIGHT => &DOP853,
        _ => &TSIT5,
    }
}

/// The explicit method that goes back where the one called `name` went forward: the same, if it has
/// an error estimate and is explicit. An implicit one has nothing to gain: what decays fast forward
/// grows fast backward, and must be resolved.
pub(crate) fn backward_for(
    name: &str,
    tolerances: &Tolerances,
) -> Result<ExplicitRk, TableauError> {
    let same = tableau::by_name(name).filter(|t| t.is_explicit() && t.embedded_order > 0);
    ExplicitRk::new(same.unwrap_or_else(|| explicit_for(&Some(tolerances.clone()))))
}

fn run<O: Vjp, T: Task<O>>(
    tableau: &Tableau,
    settings: &MethodSettings,
    task: &T,
    stop_if_stiff: bool,
) -> Result<T::Output, Error> {
    let newton = match &settings.tolerances {
        Some(tolerances) => Newton::Tolerances(tolerances.clone()),
        None => Newton::Stagnation,
    };
    let stepper = RungeKutta::new(tableau, newton)?;
    match settings.adjoint {
        AdjointKind::Discrete | AdjointKind::Backsolve => task.run(stepper, stop_if_stiff),
        AdjointKind::Continuous => {
            let by = match tableau {
                _ if tableau.embedded_order == 0 => &TSIT5,
                _ if !tableau.stays_inside() => &ESDIRK547,
                _ => tableau,
            };
            task.run(Continuous::new(stepper, by, adjoint_rtol(settings))?, stop_if_stiff)
        }
    }
}

fn adjoint_rtol(settings: &MethodSettings) -> f64 {
    const FIXED_STEPS: f64 = 1e-8;
    settings.tolerances.as_ref().map_or(FIXED_STEPS, |tolerances| tolerances.rtol.max(1e-14))
}
