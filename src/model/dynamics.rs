//! A model as an ODE with derivatives, and its initial state.

use super::Model;
use crate::error::{Error, check_length};
use crate::expr::Registers;
use crate::linalg::{Matrix, Structure};
use crate::ode::{Initial, Jvp, Ode, Rows, Vjp};

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
    fn rhs(&self, t: f64, y: &[f64], p: &[f64], dy: &mut [f64], work: &mut Registers) {
        self.dynamics.value(t, y, p, dy, work);
    }
}

impl Vjp for Model {
    fn vjp(
        &self,
        _t: f64,
        _y: &[f64],
        _p: &[f64],
        w: &[f64],
        y_bar: &mut [f64],
        p_bar: &mut [f64],
        t_bar: &mut f64,
        work: &mut Registers,
    ) {
        self.dynamics.vjp(w, y_bar, p_bar, t_bar, work);
    }
    fn structure(&self) -> Structure {
        self.dynamics.jacobian_program().map_or(Structure::Dense, |jacobian| jacobian.structure())
    }
    fn jacobian(
        &self,
        t: f64,
        y: &[f64],
        p: &[f64],
        jac: &mut Matrix,
        _rows: Rows<'_>,
        work: &mut Registers,
    ) {
        self.dynamics.jacobian(t, y, p, jac, work);
    }
}

impl Jvp for Model {
    fn jvp(
        &self,
        _t: f64,
        _y: &[f64],
        _p: &[f64],
        y_dot: &[f64],
        p_dot: &[f64],
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

    /// Adds d/dε of f_yᵀ w (d), f_pᵀ w (m) and f_tᵀ w along (y + ε `y_dot`, p + ε `p_dot`), with
    /// w held. `work` is what [`rhs`](Ode::rhs) left, as in [`Vjp::vjp`].
    #[allow(clippy::too_many_arguments)]
    pub fn second_order(
        &self,
        w: &[f64],
        y_dot: &[f64],
        p_dot: &[f64],
        y_bar_dot: &mut [f64],
        p_bar_dot: &mut [f64],
        t_bar_dot: &mut f64,
        work: &mut Registers,
    ) {
        self.dynamics.second_order(w, y_dot, p_dot, y_bar_dot, p_bar_dot, t_bar_dot, work);
    }

    /// Adds d/dε of (∂y₀/∂p)ᵀ `y0_bar` along p + ε `p_dot` to `p_bar_dot`.
    pub fn initial_second_order(
        &self,
        p: &[f64],
        y0_bar: &[f64],
        p_dot: &[f64],
        p_bar_dot: &mut [f64],
    ) {
        let mut registers = self.initial_at(p);
        let t_bar_dot = &mut 0.0;
        self.initial.second_order(
            y0_bar,
            &[],
            p_dot,
            &mut [],
            p_bar_dot,
            t_bar_dot,
            &mut registers,
        );
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
