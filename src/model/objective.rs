//! A model's objective.

use super::Model;
use crate::error::{Error, check_length};
use crate::expr::Registers;
use crate::ode::objective::Objective;
use crate::ode::{At, Bars, Dots};

/// Register files of a model's objective.
#[derive(Clone, Debug)]
pub struct ObjectiveRegisters {
    points: Vec<Registers>,
    running: Option<Registers>,
}

impl Objective for Model {
    type Scratch = ObjectiveRegisters;

    fn scratch(&self) -> ObjectiveRegisters {
        let running = self.running.as_ref().map(|function| function.registers());
        ObjectiveRegisters { points: self.points.registers(), running }
    }

    fn scratch_bytes(&self) -> usize {
        let running = self.running.as_ref().map_or(0, |function| function.register_bytes());
        size_of::<ObjectiveRegisters>() + self.points.register_bytes() + running
    }

    fn check(&self, dim: usize, num_params: usize) -> Result<(), Error> {
        check_length("the objective's list of states", self.states.len(), dim)?;
        check_length("the objective's list of parameters", self.parameters.len(), num_params)
    }

    fn times(&self) -> &[f64] {
        self.points.times()
    }

    fn point(&self, i: usize, At { t, y, p }: At<'_>, scratch: &mut Self::Scratch) -> f64 {
        let (function, registers) = self.points.evaluate(i, t, y, p, &mut scratch.points);
        function.output(0, registers)
    }

    fn point_vjp(
        &self,
        i: usize,
        At { t, y, p }: At<'_>,
        Bars { y: y_bar, p: p_bar, t: t_bar }: Bars<'_>,
        scratch: &mut Self::Scratch,
    ) {
        let (function, registers) = self.points.evaluate(i, t, y, p, &mut scratch.points);
        function.vjp(&[1.0], y_bar, p_bar, t_bar, registers);
    }

    fn has_integrand(&self) -> bool {
        self.running.is_some()
    }

    fn integrand(&self, At { t, y, p }: At<'_>, scratch: &mut Self::Scratch) -> f64 {
        let (Some(function), Some(registers)) = (&self.running, &mut scratch.running) else {
            return 0.0;
        };
        function.evaluate(t, y, p, &[], registers);
        function.output(0, registers)
    }

    fn integrand_vjp(
        &self,
        At { t, y, p }: At<'_>,
        weight: f64,
        Bars { y: y_bar, p: p_bar, t: t_bar }: Bars<'_>,
        scratch: &mut Self::Scratch,
    ) {
        if let (Some(function), Some(registers)) = (&self.running, &mut scratch.running) {
            function.evaluate(t, y, p, &[], registers);
            function.vjp(&[weight], y_bar, p_bar, t_bar, registers);
        }
    }
}

impl Model {
    /// Adds d/dε of the derivatives of J_i along (y + ε `dots.y`, p + ε `dots.p`).
    pub fn point_second_order(
        &self,
        i: usize,
        At { t, y, p }: At<'_>,
        dots: Dots<'_>,
        bar_dots: Bars<'_>,
        scratch: &mut ObjectiveRegisters,
    ) {
        let (function, registers) = self.points.evaluate(i, t, y, p, &mut scratch.points);
        function.second_order(&[1.0], dots, bar_dots, registers);
    }

    /// Adds `weight` times d/dε of the derivatives of r along (y + ε `dots.y`, p + ε `dots.p`).
    pub fn integrand_second_order(
        &self,
        At { t, y, p }: At<'_>,
        weight: f64,
        dots: Dots<'_>,
        bar_dots: Bars<'_>,
        scratch: &mut ObjectiveRegisters,
    ) {
        if let (Some(function), Some(registers)) = (&self.running, &mut scratch.running) {
            function.evaluate(t, y, p, &[], registers);
            function.second_order(&[weight], dots, bar_dots, registers);
        }
    }
}
