//! From what defines a model, whoever wrote it, to the compiled model.

use super::names::check_names;
use super::observable::{Observable, Sigma};
use super::points::Points;
use super::{Model, Parameter};
use crate::error::{ModelError, shown};
use crate::expr::{Expr, Function, Seen, Variable};

/// A model as formulas over state and parameter symbols.
#[derive(Clone, Debug, Default)]
pub(super) struct Definition {
    pub name: String,
    pub source: Option<String>,
    pub span: Option<(f64, f64)>,
    pub states: Vec<String>,
    pub parameters: Vec<Parameter>,
    /// How many parameters the rates were traced with, where names were given later.
    pub num_traced_params: Option<usize>,
    pub initial: Vec<Expr>,
    pub rates: Vec<Expr>,
    /// Named formulas, in their order.
    pub expressions: Vec<(String, Expr)>,
    pub terminal: Option<Expr>,
    pub observables: Vec<Observable>,
    pub running: Option<Expr>,
}

impl Definition {
    /// Checks everything, differentiates, and compiles.
    pub fn build(self) -> Result<Model, ModelError> {
        self.check_counts()?;
        check_names(&self.states, self.parameters.iter().map(|p| p.name.as_str()))?;
        self.check_numbers()?;
        self.check_variables()?;
        let (dim, num_params) = (self.states.len(), self.parameters.len());
        let points = Points::new(&self.observables, self.terminal.as_ref(), dim, num_params);
        Ok(Model {
            dynamics: Function::with_jacobian(self.rates, num_params),
            initial: Function::new(&self.initial, 0, num_params, 0),
            running: self.running.map(|r| Function::new(&[r], dim, num_params, 0)),
            points,
            name: self.name,
            source: self.source,
            span: self.span,
            states: self.states,
            parameters: self.parameters,
            expressions: self.expressions,
            observables: self.observables,
        })
    }

    fn check_counts(&self) -> Result<(), ModelError> {
        let dim = self.states.len();
        if dim == 0 {
            return Err(ModelError::NoStates { path: "states".into() });
        }
        expect_length("rates", "rates", dim, self.rates.len())?;
        expect_length("initial values", "values", dim, self.initial.len())?;
        let num_params = self.num_traced_params.unwrap_or(self.parameters.len());
        expect_length("parameters", "parameters", num_params, self.parameters.len())?;
        for observable in &self.observables {
            let Observable { path, times, data, .. } = observable;
            expect_length(&format!("{path}.data"), "numbers", times.len(), data.len())?;
            if let Sigma::List(sigma) = &observable.sigma {
                expect_length(&format!("{path}.sigma"), "numbers", times.len(), sigma.len())?;
            }
            if times.is_empty() {
                return Err(ModelError::NoObservations { path: path.clone() });
            }
        }
        Ok(())
    }

    fn check_numbers(&self) -> Result<(), ModelError> {
        for Parameter { name, value, .. } in &self.parameters {
            expect_finite(format!("parameters.{}", shown(name)), *value)?;
        }
        if let Some((start, end)) = self.span {
            expect_finite("time.start".into(), start)?;
            expect_finite("time.end".into(), end)?;
            if end <= start {
                return Err(ModelError::Span { path: "time".into(), start, end });
            }
            if !(end - start).is_finite() {
                return Err(ModelError::LongSpan { path: "time".into(), start, end });
            }
        }
        self.observables.iter().try_for_each(|observable| self.check_observable(observable))
    }

    fn check_observable(&self, observable: &Observable) -> Result<(), ModelError> {
        for (i, &time) in observable.times.iter().enumerate() {
            let path = observable.place("times", i);
            expect_finite(path.clone(), time)?;
            if let Some((start, end)) = self.span
                && !(start <= time && time <= end)
            {
                return Err(ModelError::OutsideSpan { path, time, start, end });
            }
        }
        for (i, &value) in observable.data.iter().enumerate() {
            expect_finite(observable.place("data", i), value)?;
        }
        let expect_positive = |path: String, value: f64| {
            let is_good = value > 0.0 && value.is_finite();
            if is_good { Ok(()) } else { Err(ModelError::Sigma { path, value }) }
        };
        match &observable.sigma {
            Sigma::List(list) => (0..).zip(list).try_for_each(|(i, &s): (usize, _)| {
                expect_positive(observable.place("sigma", i), s)
            }),
            Sigma::Expression(sigma) => match sigma.constant_value() {
                Some(value) => expect_positive(format!("{}.sigma", observable.path), value),
                None => Ok(()),
            },
        }
    }

    /// Every variable must exist; initial values must not use the state.
    fn check_variables(&self) -> Result<(), ModelError> {
        let (dim, seen) = (self.states.len(), &mut Seen::default());
        for (name, expr) in self.states.iter().zip(&self.initial) {
            let path = || format!("states.{}", shown(name));
            let variables = expr.variables(seen);
            if variables.iter().any(|v| matches!(v, Variable::State(_))) {
                return Err(ModelError::InitialUsesState { path: path() });
            }
            self.expect_known(path, &variables, 0)?;
        }
        let seen = &mut Seen::default();
        for (name, expr) in self.states.iter().zip(&self.rates) {
            self.expect_known(|| format!("rates.{}", shown(name)), &expr.variables(seen), dim)?;
        }
        for Observable { path, expression, sigma, .. } in &self.observables {
            let variables = expression.variables(seen);
            self.expect_known(|| format!("{path}.expression"), &variables, dim)?;
            if let Sigma::Expression(sigma) = sigma {
                self.expect_known(|| format!("{path}.sigma"), &sigma.variables(seen), dim)?;
            }
        }
        for (path, cost) in [("terminal", &self.terminal), ("running", &self.running)] {
            if let Some(cost) = cost {
                self.expect_known(|| format!("objective.{path}"), &cost.variables(seen), dim)?;
            }
        }
        Ok(())
    }

    fn expect_known(
        &self,
        path: impl Fn() -> String,
        variables: &[Variable],
        dim: usize,
    ) -> Result<(), ModelError> {
        let exists = |v: &Variable| match *v {
            Variable::Time => true,
            Variable::State(i) => (i as usize) < dim,
            Variable::Param(i) => (i as usize) < self.parameters.len(),
            _ => false,
        };
        match variables.iter().find(|v| !exists(v)) {
            Some(v) => {
                Err(ModelError::UnknownVariable { path: path(), variable: format!("{v:?}") })
            }
            None => Ok(()),
        }
    }
}

fn expect_length(
    path: &str,
    things: &'static str,
    expected: usize,
    found: usize,
) -> Result<(), ModelError> {
    if expected == found {
        return Ok(());
    }
    Err(ModelError::Length { path: path.to_owned(), things, expected, found })
}

fn expect_finite(path: String, value: f64) -> Result<(), ModelError> {
    if value.is_finite() { Ok(()) } else { Err(ModelError::NotFinite { path, value }) }
}
