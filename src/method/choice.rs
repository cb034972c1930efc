//! Which integrator a problem is given to.

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::method::stepper::Tolerances;
use crate::method::tableau::{self, DOP853, ESDIRK547, TSIT5, Tableau};

/// Whether the steps' own adjoint is taken or that of the differential equation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum AdjointKind {
    /// The exact gradient of what was computed.
    #[default]
    Discrete,
    /// λ' = −f_yᵀλ, integrated backward over each step under its own error control.
    Continuous,
    /// The state integrated backward together with λ, from each of a few kept states to the one
    /// before; [with a guard](crate::adjoint::backsolve).
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

    /// The tableau that is tried first, and the one that follows where a run by it is stiff.
    pub(crate) fn tableaus(
        self,
        tolerances: Option<&Tolerances>,
    ) -> (&'static Tableau, Option<&'static Tableau>) {
        match self {
            Method::Named(tableau) => (tableau, None),
            Method::Auto => (explicit_for(tolerances), Some(&ESDIRK547)),
        }
    }
}

/// Below this relative tolerance an eighth-order step is worth its twelve stages.
const TIGHT: f64 = 1e-5;

/// The explicit method that suits the tolerance.
fn explicit_for(tolerances: Option<&Tolerances>) -> &'static Tableau {
    match tolerances {
        Some(tolerances) if tolerances.rtol < TIGHT => &DOP853,
        _ => &TSIT5,
    }
}

/// The explicit method that goes back where `tableau` went forward: the same, if it has an error
/// estimate and is explicit. An implicit one has nothing to gain: what decays fast forward grows fast
/// backward, and must be resolved.
pub(crate) fn backsolve_by(tableau: &'static Tableau, tolerances: &Tolerances) -> &'static Tableau {
    match tableau.is_explicit() && tableau.embedded_order > 0 {
        true => tableau,
        false => explicit_for(Some(tolerances)),
    }
}

/// The method that the adjoint equation is integrated by where `tableau` goes forward: the same, if
/// it has an error estimate and its stages lie inside the step.
pub(crate) fn adjoint_equation_by(tableau: &Tableau) -> &Tableau {
    match tableau {
        _ if tableau.embedded_order == 0 => &TSIT5,
        _ if !tableau.stays_inside() => &ESDIRK547,
        _ => tableau,
    }
}
