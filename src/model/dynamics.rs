//! A model as an ODE with derivatives, and its initial state.

use super::Model;
use std::any::Any;

use crate::error::{Error, check_length};
use crate::expr::Registers;
use crate::numbers::linalg::{Matrix, Structure};
use crate::ode::{At, Bars, Dots, Initial, Jvp, Ode, Rows, Vjp};

impl Ode for Model {
    type Work = Registers;

    fn dim(&self) -> usize {
        self.states.len()
    }
    fn num_params(&self) -> usize {
        self.parameters.len()
    }
    fn work(&self) -> Registers {
        self.dynamics.registers()
    }
    fn work_bytes(&self) -> usize {
        self.dynamics.register_bytes()
    }
    fn rhs(&self, At { t, y, p }: At<'_>, dy: &mut [f64], work: &mut Registers) {
        self.dynamics.value(t, y, p, dy, work);
    }
}

impl Vjp for Model {
    const IS_MODEL: bool = true;

    fn as_model(&self) -> Option<&dyn Any> {
        Some(self)
    }

    fn vjp(
        &self,
        _: At<'_>,
        w: &[f64],
        Bars { y: y_bar, p: p_bar, t: t_bar }: Bars<'_>,
        work: &mut Registers,
    ) {
        self.dynamics.vjp(w, y_bar, p_bar, t_bar, work);
    }
    fn structure(&self) -> Structure {
        self.dynamics.jacobian_program().map_or(Structure::Dense, |jacobian| jacobian.structure())
    }
    fn jacobian(
        &self,
        At { t, y, p }: At<'_>,
        jac: &mut Matrix,
        _: Rows<'_>,
        work: &mut Registers,
    ) {
        self.dynamics.jacobian(t, y, p, jac, work);
    }
}

impl Jvp for Model {
    fn jvp(
        &self,
        _: At<'_>,
        Dots { y: y_dot, p: p_dot }: Dots<'_>,
        dy_dot: &mut [f64],
        work: &mut Registers,
    ) {
        self.dynamics.jvp(y_dot, p_dot, dy_dot, work);
    }
}

impl Model {
    /// (row, column) of every entry of f_y that is not structurally zero, by rows.
    pub fn sparsity(&self) -> Vec<(usize, usize)> {
        self.dynamics.jacobian_program().map_or_else(Vec::new, |jac| jac.pattern().collect())
    }

    /// Adds d/dε of f_yᵀ w (d), f_pᵀ w (m) and f_tᵀ w along (y + ε `dots.y`, p + ε `dots.p`), with
    /// w held. `work` is what [`rhs`](Ode::rhs) left, as in [`Vjp::vjp`].
    pub fn second_order(
        &self,
        w: &[f64],
        dots: Dots<'_>,
        bar_dots: Bars<'_>,
        work: &mut Registers,
    ) {
        self.dynamics.second_order(w, dots, bar_dots, work);
    }

    /// Adds d/dε of (∂y₀/∂p)ᵀ `y0_bar` along p + ε `p_dot` to `p_bar_dot`.
    pub fn initial_second_order(
        &self,
        p: &[f64],
        y0_bar: &[f64],
        p_dot: &[f64],
        p_bar_dot: &mut [f64],
    ) {
        let dots = Dots { y: &[], p: p_dot };
        let bar_dots = Bars { y: &mut [], p: p_bar_dot, t: &mut 0.0 };
        self.initial.second_order(y0_bar, dots, bar_dots, &mut self.initial_at(p));
    }

    fn start(&self) -> f64 {
        self.span.map_or(0.0, |(start, _)| start)
    }

    fn initial_at(&self, p: &[f64]) -> Registers {
        let mut registers = self.initial.registers();
        self.initial.evaluate(self.start(), &[], p, &[], &mut registers);
        registers
    }
}

/// Needed once a gradient, so these make their own registers.
impl Initial for Model {
    fn initial(&self, p: &[f64], y0: &mut [f64]) {
        self.initial.value(self.start(), &[], p, y0, &mut self.initial.registers());
    }
    fn check(&self, dim: usize, num_params: usize) -> Result<(), Error> {
        check_length("the initial state", self.states.len(), dim)?;
        check_length("the initial state's list of parameters", self.parameters.len(), num_params)
    }
    fn initial_vjp(&self, p: &[f64], y0_bar: &[f64], p_bar: &mut [f64]) {
        let mut registers = self.initial_at(p);
        self.initial.vjp(y0_bar, &mut [], p_bar, &mut 0.0, &mut registers);
    }
    fn initial_jvp(&self, p: &[f64], p_dot: &[f64], y0_dot: &mut [f64]) {
        self.initial.jvp(&[], p_dot, y0_dot, &mut self.initial_at(p));
    }
}
