//! The adjoint equation of one step, as an ODE.

use crate::grid::Step;
use crate::linalg::{Matrix, Structure};
use crate::objective::Objective;
use crate::ode::{Jacobian, Ode, Rows, Vjp};
use crate::stepper::Stepper;

/// λ' over the time τ that is left behind: dλ/dτ = f_yᵀ λ + r_y. It begins with zero at the end of
/// the step and wherever λ jumps, so that a substep is resolved however late the step.
pub struct AdjointOde<'a, O: Ode, M: Stepper<O>, J> {
    pub(super) ode: &'a O,
    pub(super) forward: &'a M,
    /// The step taken; none where only the shape of the equation is asked for.
    pub(super) tape: Option<&'a M::Tape>,
    pub(super) step: Step,
    /// θ at τ = 0.
    pub(super) from: f64,
    pub(super) p: &'a [f64],
    pub(super) objective: &'a J,
}

/// The state at a time, what f left there, and f_pᵀλ + r_p.
pub struct AdjointWork<W, C> {
    pub(super) inner: W,
    pub(super) scratch: C,
    pub(super) y: Vec<f64>,
    pub(super) dy: Vec<f64>,
    pub(super) p_rate: Vec<f64>,
    /// f_y, of which an implicit method asks for the transpose: in the work that it asks with.
    pub(super) jacobian: Option<Matrix>,
}

impl<O: Ode, M: Stepper<O>, J> AdjointOde<'_, O, M, J> {
    /// Writes y(t) at the time that τ stands for, and returns that.
    pub(super) fn read(&self, tau: f64, y: &mut [f64]) -> f64 {
        let Step { t, t_next, .. } = self.step;
        let theta = (self.from - tau / self.step.h()).clamp(0.0, self.from);
        if let Some(tape) = self.tape {
            self.forward.dense(theta, tape, y);
        }
        self.step.at(theta).clamp(t, t_next)
    }
}

impl<O: Vjp, M: Stepper<O>, J: Objective> Ode for AdjointOde<'_, O, M, J> {
    type Work = AdjointWork<O::Work, J::Scratch>;

    fn dim(&self) -> usize {
        self.ode.dim()
    }

    fn num_params(&self) -> usize {
        self.ode.num_params()
    }

    fn work(&self) -> Self::Work {
        AdjointWork {
            inner: self.ode.work(),
            scratch: self.objective.scratch(),
            y: vec![0.0; self.ode.dim()],
            dy: vec![0.0; self.ode.dim()],
            p_rate: vec![0.0; self.ode.num_params()],
            jacobian: None,
        }
    }

    fn work_bytes(&self) -> usize {
        let numbers = 2 * self.ode.dim() + self.ode.num_params();
        let own = size_of::<Self::Work>() - size_of::<O::Work>() - size_of::<J::Scratch>();
        own + self.ode.work_bytes() + self.objective.scratch_bytes() + 8 * numbers
    }

    fn rhs(&self, tau: f64, lambda: &[f64], p: &[f64], rate: &mut [f64], work: &mut Self::Work) {
        let AdjointWork { inner, scratch, y, dy, p_rate, .. } = work;
        let t = self.read(tau, y);
        let mut t_bar = 0.0;
        rate.fill(0.0);
        p_rate.fill(0.0);
        self.ode.rhs(t, y, p, dy, inner);
        self.ode.vjp(t, y, p, lambda, rate, p_rate, &mut t_bar, inner);
        if self.objective.has_integrand() {
            self.objective.integrand_vjp(t, y, p, 1.0, rate, p_rate, &mut t_bar, scratch);
        }
    }
}

impl<O: Vjp, M: Stepper<O>, J: Objective> Jacobian for AdjointOde<'_, O, M, J> {
    fn structure(&self) -> Structure {
        Vjp::structure(self.ode).transposed()
    }

    fn jacobian(
        &self,
        tau: f64,
        _lambda: &[f64],
        p: &[f64],
        out: &mut Matrix,
        rows: Rows<'_>,
        work: &mut Self::Work,
    ) {
        let t = self.read(tau, &mut work.y);
        let zeros = || Matrix::fitting(self.ode.dim(), Vjp::structure(self.ode));
        let forward = work.jacobian.get_or_insert_with(zeros);
        Vjp::jacobian(self.ode, t, &work.y, p, forward, rows, &mut work.inner);
        forward.transpose_into(out);
    }
}
