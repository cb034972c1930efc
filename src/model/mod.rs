#![doc = include_str!("../../docs/model-format.md")]

mod dynamics;
mod names;
mod objective;
mod observable;
mod parameter;
mod points;
mod outputs;
mod build;
mod builder;
mod json;

pub use builder::ModelBuilder;
pub use json::{read_text, read_text_file};
pub use objective::ObjectiveRegisters;
pub use observable::Observable;
pub use outputs::{Outputs, Residual};
pub use parameter::{Parameter, Scale};

use crate::error::{ModelError, shown};
use crate::expr::{Expr, Function, nearest};
use crate::ode::objective::Objective;
use crate::ode::{At, Initial, Ode};

/// A model read from a file ([`from_file`](Model::from_file)) or traced from Rust
/// ([`trace`](Model::trace)): an ODE, its initial state and its objective, with all derivatives.
#[derive(Clone, Debug)]
pub struct Model {
    name: String,
    source: Option<String>,
    span: Option<(f64, f64)>,
    states: Vec<String>,
    parameters: Vec<Parameter>,
    dynamics: Function,
    initial: Function,
    points: points::Points,
    running: Option<Function>,
    expressions: Vec<(String, Expr)>,
    observables: Vec<Observable>,
}

impl Model {
    /// The model's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the equations come from.
    pub fn source(&self) -> Option<&str> {
        self.source.as_deref()
    }

    /// The time span (t₀, T), where one was given; a model from a file has one.
    pub fn span(&self) -> Option<(f64, f64)> {
        self.span
    }

    /// The names of the states.
    pub fn states(&self) -> &[String] {
        &self.states
    }

    /// Names, nominal values, units, scales and bounds, in the order of the parameter vector.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// The place of a parameter in the parameter vector.
    pub fn parameter_index(&self, name: &str) -> Option<usize> {
        self.parameters.iter().position(|parameter| parameter.name == name)
    }

    /// Writes the entry of the parameter vector that makes the parameter called `name` have this
    /// value, not its logarithm.
    ///
    /// # Errors
    ///
    /// Where there is no such parameter or it cannot have this value.
    pub fn set_parameter(&self, p: &mut [f64], name: &str, value: f64) -> Result<(), ModelError> {
        let names = || self.parameters.iter().map(|parameter| parameter.name.as_str());
        let index = self.parameter_index(name).ok_or_else(|| ModelError::UnknownParameter {
            name: name.to_owned(),
            suggestion: nearest(name, names()),
            known: listed(names()),
        })?;
        let theta = self.parameters[index].theta_of(value)?;
        let (path, expected, found) = ("p".to_owned(), self.parameters.len(), p.len());
        let entry = p.get_mut(index);
        *entry.ok_or(ModelError::Length { path, things: "numbers", expected, found })? = theta;
        Ok(())
    }

    /// Whether the model has any term of an objective.
    pub fn has_objective(&self) -> bool {
        self.running.is_some() || !self.points.times().is_empty()
    }

    /// The parameter vector of the nominal values: logarithms where the scale is log10.
    pub fn nominal(&self) -> Vec<f64> {
        self.parameters.iter().map(Parameter::theta).collect()
    }

    /// Checks that p fits and that y₀, the rates, and the objective's terms there are finite at
    /// the start time (0 where there is no span).
    ///
    /// # Errors
    ///
    /// Names the first value that is not finite.
    pub fn check_start(&self, p: &[f64]) -> Result<(), ModelError> {
        let (expected, found) = (self.parameters.len(), p.len());
        if expected != found {
            let path = "parameters".to_owned();
            return Err(ModelError::Length { path, things: "numbers", expected, found });
        }
        for (parameter, &value) in self.parameters.iter().zip(p) {
            if !value.is_finite() {
                let path = format!("parameters.{}", shown(&parameter.name));
                return Err(ModelError::NotFinite { path, value });
            }
        }
        let time = self.span.map_or(0.0, |(start, _)| start);
        let (mut y, mut dy) = (vec![0.0; self.states.len()], vec![0.0; self.states.len()]);
        self.initial(p, &mut y);
        self.expect_finite("states", &y, time)?;
        self.rhs(At { t: time, y: &y, p }, &mut dy, &mut self.work());
        self.expect_finite("rates", &dy, time)?;
        let value = self.integrand(At { t: time, y: &y, p }, &mut self.scratch());
        if !value.is_finite() {
            let path = "objective.running".to_owned();
            return Err(ModelError::StartNotFinite { path, value, time });
        }
        Ok(())
    }

    fn expect_finite(&self, section: &str, list: &[f64], time: f64) -> Result<(), ModelError> {
        match self.states.iter().zip(list).find(|(_, value)| !value.is_finite()) {
            Some((name, &value)) => {
                let path = format!("{section}.{}", shown(name));
                Err(ModelError::StartNotFinite { path, value, time })
            }
            None => Ok(()),
        }
    }
}

/// Names with commas between them, or the first of many.
fn listed<'a>(mut names: impl Iterator<Item = &'a str>) -> String {
    const MOST: usize = 20;
    let mut list: Vec<_> = names.by_ref().take(MOST).map(shown).collect();
    match names.count() {
        0 => {}
        more => list.push(format!("and {more} more").into()),
    }
    list.join(", ")
}
