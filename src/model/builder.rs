//! A model from Rust closures over symbols.

use super::build::Definition;
use super::observable::{Observable, Sigma};
use super::{Model, Parameter};
use crate::error::ModelError;
use crate::expr::Expr;

/// A model under construction, begun by [`Model::trace`].
#[derive(Clone, Debug)]
pub struct ModelBuilder {
    definition: Definition,
    initial_given: bool,
}

impl Model {
    /// Runs `rates` once over the symbols t, y₁ … y_`dim`, p₁ … p_`num_params`; what it returns
    /// is f(t, y, p), one expression for each state. All derivatives follow from it.
    ///
    /// ```
    /// use costate::model::Model;
    /// use costate::ode::{At, Bars, Ode, Vjp};
    ///
    /// let model = Model::trace(2, 2, |_t, y, p| [&p[0] * &y[1], -(&p[1] * &y[0])])
    ///     .initial(|p| [p[0].clone(), 0.0.into()])
    ///     .terminal(|y, _p| y[0].powi(2))
    ///     .build()?;
    /// let (y, p, mut dy, mut work) = ([1.0, 2.0], [3.0, 4.0], [0.0; 2], model.work());
    /// let at = At { t: 0.0, y: &y, p: &p };
    /// model.rhs(at, &mut dy, &mut work);
    /// assert_eq!(dy, [6.0, -4.0]);
    /// let (mut y_bar, mut p_bar, mut t_bar) = ([0.0; 2], [0.0; 2], 0.0);
    /// let bars = Bars { y: &mut y_bar, p: &mut p_bar, t: &mut t_bar };
    /// model.vjp(at, &[1.0, 0.0], bars, &mut work);
    /// assert_eq!((y_bar, p_bar), ([0.0, 3.0], [2.0, 0.0]));
    /// # Ok::<(), costate::error::ModelError>(())
    /// ```
    pub fn trace<R: IntoIterator<Item = Expr>>(
        dim: usize,
        num_params: usize,
        rates: impl FnOnce(&Expr, &[Expr], &[Expr]) -> R,
    ) -> ModelBuilder {
        let (y, p) = (states(dim), params(num_params));
        let rates = rates(&Expr::time(), &y, &p).into_iter().collect();
        let definition = Definition {
            states: (0..dim).map(|i| format!("y{i}")).collect(),
            parameters: (0..num_params).map(|i| Parameter::new(format!("p{i}"), 0.0)).collect(),
            rates,
            ..Definition::default()
        };
        ModelBuilder { definition, initial_given: false }
    }
}

impl ModelBuilder {
    /// The initial state y₀(p), one expression for each state.
    pub fn initial<R: IntoIterator<Item = Expr>>(
        mut self,
        initial: impl FnOnce(&[Expr]) -> R,
    ) -> Self {
        let p = params(self.definition.parameters.len());
        self.definition.initial = initial(&p).into_iter().collect();
        self.initial_given = true;
        self
    }

    /// Adds g(y(T), p) to the objective.
    pub fn terminal(mut self, cost: impl FnOnce(&[Expr], &[Expr]) -> Expr) -> Self {
        let (y, p) = self.symbols();
        let cost = cost(&y, &p);
        self.definition.terminal = Some(match self.definition.terminal.take() {
            Some(other) => other + cost,
            None => cost,
        });
        self
    }

    /// Adds ∫ r(t, y(t), p) dt over the whole span to the objective.
    pub fn running(mut self, cost: impl FnOnce(&Expr, &[Expr], &[Expr]) -> Expr) -> Self {
        let (y, p) = self.symbols();
        let cost = cost(&Expr::time(), &y, &p);
        self.definition.running = Some(match self.definition.running.take() {
            Some(other) => other + cost,
            None => cost,
        });
        self
    }

    /// Adds Σ_i ((g(t_i, y(t_i), p) − data_i)/sigma)² to the objective.
    pub fn observe(
        mut self,
        times: &[f64],
        data: &[f64],
        sigma: f64,
        observable: impl FnOnce(&Expr, &[Expr], &[Expr]) -> Expr,
    ) -> Self {
        let (y, p) = self.symbols();
        let name = format!("observation {}", self.definition.observables.len());
        self.definition.observables.push(Observable {
            path: name.clone(),
            name,
            expression: observable(&Expr::time(), &y, &p),
            times: times.to_vec(),
            data: data.to_vec(),
            sigma: Sigma::Expression(sigma.into()),
            column: None,
        });
        self
    }

    /// The time span.
    pub fn span(mut self, start: f64, end: f64) -> Self {
        self.definition.span = Some((start, end));
        self
    }

    /// The model's name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.definition.name = name.into();
        self
    }

    /// The names of the states, otherwise `y0`, `y1`, …
    pub fn state_names<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.definition.states = names.into_iter().map(Into::into).collect();
        self
    }

    /// Names and nominal values of the parameters, otherwise `p0`, `p1`, … and 0. They are as
    /// the rates see them: the scale is linear.
    pub fn parameters<N: Into<String>>(
        mut self,
        parameters: impl IntoIterator<Item = (N, f64)>,
    ) -> Self {
        let list = parameters.into_iter().map(|(name, value)| Parameter::new(name, value));
        let expected = self.definition.parameters.len();
        self.definition.parameters = list.collect();
        self.definition.num_traced_params.get_or_insert(expected);
        self
    }

    /// Differentiates and compiles.
    ///
    /// # Errors
    ///
    /// Where a count or a name does not fit, a number is not finite, or an index is out of range.
    pub fn build(self) -> Result<Model, ModelError> {
        if !self.initial_given {
            let call = ".initial(|p| …)";
            return Err(ModelError::NotGiven { path: "initial values".into(), call });
        }
        self.definition.build()
    }

    fn symbols(&self) -> (Vec<Expr>, Vec<Expr>) {
        (states(self.definition.rates.len()), params(self.definition.parameters.len()))
    }
}

fn states(dim: usize) -> Vec<Expr> {
    (0..dim as u32).map(Expr::state).collect()
}

fn params(num_params: usize) -> Vec<Expr> {
    (0..num_params as u32).map(Expr::param).collect()
}
