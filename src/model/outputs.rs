//! What can be read from a solution beside its states: named expressions, observables, residuals.

use serde::Serialize;

use super::observable::Sigma;
use super::points::by_time;
use super::{Model, Observable};
use crate::error::ModelError;
use crate::expr::{Expr, Function, Registers};

/// Named expressions and observables of a model, as functions of (t, y, p).
#[derive(Clone, Debug)]
pub struct Outputs {
    names: Vec<String>,
    function: Function,
    registers: Registers,
}

impl Outputs {
    /// Names: those of the expressions, in the order of the model, then those of the observables
    /// that are neither states nor expressions themselves.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Values at (t, y, p), one for each name.
    pub fn values(&mut self, t: f64, y: &[f64], p: &[f64]) -> Vec<f64> {
        let mut values = vec![0.0; self.names.len()];
        self.function.value(t, y, p, &mut values, &mut self.registers);
        values
    }
}

/// A measurement and what the model says of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Residual<'a> {
    /// Name of the observable g.
    pub observable: &'a str,
    /// Time t_i.
    pub t: f64,
    /// Measured number d_i.
    pub data: f64,
    /// Standard deviation σ_i.
    pub sigma: f64,
    /// Prediction g(t_i, y(t_i), p).
    pub prediction: f64,
    /// (g(t_i, y(t_i), p) − d_i)/σ_i, whose square is its part of the objective.
    pub residual: f64,
}

impl Model {
    /// Observables with their measurements, in the order of the model.
    pub fn observables(&self) -> &[Observable] {
        &self.observables
    }

    /// Times of all measurements, ascending, each once.
    pub fn measured_times(&self) -> Vec<f64> {
        by_time(&self.observables).into_iter().map(|(time, _)| time).collect()
    }

    /// Named expressions and observables, compiled.
    pub fn outputs(&self) -> Outputs {
        let (mut names, mut formulas): (Vec<String>, Vec<Expr>) =
            self.expressions.iter().cloned().unzip();
        for Observable { name, expression, .. } in &self.observables {
            if !self.states.contains(name) && !names.contains(name) {
                names.push(name.clone());
                formulas.push(expression.clone());
            }
        }
        let function = Function::new(&formulas, self.states.len(), self.parameters.len(), 0);
        let registers = function.registers();
        Outputs { names, function, registers }
    }

    /// Residuals of all measurements by time, from the states at the
    /// [`measured_times`](Self::measured_times).
    ///
    /// ```
    /// use costate::model::Model;
    /// use costate::problem::Problem;
    ///
    /// let model = Model::from_json(r#"{ "name": "decay", "time": { "start": 0, "end": 2 },
    ///     "states": { "x": 1 }, "parameters": { "k": 0.5 }, "rates": { "x": "-k * x" },
    ///     "objective": { "observations":
    ///         [{ "expression": "x", "times": [1, 2], "data": [0.6, 0.4], "sigma": 0.1 }] } }"#)?;
    /// let p = model.nominal();
    /// let solution = Problem::of_model(&model, &p)?.solve(&model.measured_times())?;
    /// let residuals = model.residuals(&p, &solution.states)?;
    /// assert!((residuals[0].prediction - (-0.5_f64).exp()).abs() < 1e-5);
    /// assert!((residuals[1].residual - ((-1.0_f64).exp() - 0.4) / 0.1).abs() < 1e-4);
    /// # Ok::<(), costate::Error>(())
    /// ```
    ///
    /// # Errors
    /// Where there is not one state for each of these times.
    pub fn residuals(
        &self,
        p: &[f64],
        states: &[Vec<f64>],
    ) -> Result<Vec<Residual<'_>>, ModelError> {
        let measured = by_time(&self.observables);
        let (expected, found) = (measured.len(), states.len());
        if expected != found {
            let path = "the measured times".to_owned();
            return Err(ModelError::Length { path, things: "states", expected, found });
        }
        let (mut predicted, mut deviations) = (Vec::new(), Vec::new());
        for Observable { expression, sigma, .. } in &self.observables {
            predicted.push(expression.clone());
            deviations.push(match sigma {
                Sigma::Expression(sigma) => sigma.clone(),
                Sigma::List(_) => 1.0.into(),
            });
        }
        predicted.append(&mut deviations);
        let function = Function::new(&predicted, self.states.len(), self.parameters.len(), 0);
        let mut registers = function.registers();
        let mut residuals = Vec::new();
        for ((t, here), y) in measured.into_iter().zip(states) {
            function.evaluate(t, y, p, &[], &mut registers);
            for (k, i) in here {
                let Observable { name, data, sigma, .. } = &self.observables[k];
                let (data, prediction) = (data[i], function.output(k, &registers));
                let sigma = match sigma {
                    Sigma::List(list) => list[i],
                    Sigma::Expression(_) => function.output(self.observables.len() + k, &registers),
                };
                let residual = (prediction - data) / sigma;
                residuals.push(Residual { observable: name, t, data, sigma, prediction, residual });
            }
        }
        Ok(residuals)
    }
}
