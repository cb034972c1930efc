//! The adjoint equation of one step, as an ODE.

use crate::method::stepper::{Coefficients, dot};
use crate::numbers::linalg::{Matrix, Structure};
use crate::ode::grid::Step;
use crate::ode::objective::Objective;
use crate::ode::{At, Bars, Jacobian, Ode, Rows, Vjp};

/// λ' over the time τ that is left behind: dλ/dτ = f_yᵀ λ + r_y. It begins with zero at the end of
/// the step and wherever λ jumps, so that a substep is resolved however late the step.
pub struct AdjointOde<'a, O, J: ?Sized> {
    pub(super) ode: &'a O,
    pub(super) objective: &'a J,
    /// y(t) in the step; none where only the shape of the equation is asked for.
    pub(super) y: Option<Interpolant<'a>>,
    /// θ at τ = 0.
    pub(super) from: f64,
    pub(super) p: &'a [f64],
}

impl<O, J: ?Sized> Clone for AdjointOde<'_, O, J> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<O, J: ?Sized> Copy for AdjointOde<'_, O, J> {}

/// y(t_n + θh) = y_n + h Σ b_i(θ) k_i of one step.
#[derive(Clone, Copy)]
pub(super) struct Interpolant<'a> {
    pub coefficients: &'a Coefficients<f64>,
    pub step: Step,
    pub y_n: &'a [f64],
    pub slopes: &'a [f64],
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

impl<O: Vjp, J: Objective + ?Sized> AdjointOde<'_, O, J> {
    /// h, or NaN of no step.
    pub(super) fn h(&self) -> f64 {
        self.y.map_or(f64::NAN, |y| y.step.h())
    }

    /// Writes y(t) at the time that τ stands for, and returns that.
    pub(super) fn read(&self, tau: f64, out: &mut [f64]) -> f64 {
        let Some(Interpolant { coefficients, step, y_n, slopes }) = self.y else {
            return f64::NAN;
        };
        let theta = (self.from - tau / step.h()).clamp(0.0, self.from);
        coefficients.dense(theta, step.h(), (y_n, slopes), out);
        step.at(theta).clamp(step.t, step.t_next)
    }

    /// λᵀf + r at the end of the step.
    pub(super) fn end_rate(
        &self,
        lambda: &[f64],
        work: &mut AdjointWork<O::Work, J::Scratch>,
    ) -> f64 {
        let AdjointWork { inner, scratch, y, dy, .. } = work;
        let t = self.read(0.0, y);
        let at = At { t, y, p: self.p };
        self.ode.rhs(at, dy, inner);
        dot(lambda, dy) + self.objective.integrand(at, scratch)
    }
}

impl<O: Vjp, J: Objective + ?Sized> Ode for AdjointOde<'_, O, J> {
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

    fn rhs(&self, at: At<'_>, rate: &mut [f64], work: &mut Self::Work) {
        let (At { t: tau, y: lambda, p }, mut t_bar) = (at, 0.0);
        let AdjointWork { inner, scratch, y, dy, p_rate, .. } = work;
        let t = self.read(tau, y);
        let at = At { t, y, p };
        rate.fill(0.0);
        p_rate.fill(0.0);
        self.ode.rhs(at, dy, inner);
        let mut bars = Bars { y: rate, p: p_rate, t: &mut t_bar };
        self.ode.vjp(at, lambda, bars.reborrow(), inner);
        if self.objective.has_integrand() {
            self.objective.integrand_vjp(at, 1.0, bars, scratch);
        }
    }
}

impl<O: Vjp, J: Objective + ?Sized> Jacobian for AdjointOde<'_, O, J> {
    fn structure(&self) -> Structure {
        Vjp::structure(self.ode).transposed()
    }

    fn jacobian(&self, at: At<'_>, out: &mut Matrix, rows: Rows<'_>, work: &mut Self::Work) {
        let t = self.read(at.t, &mut work.y);
        let zeros = || Matrix::fitting(self.ode.dim(), Vjp::structure(self.ode));
        let forward = work.jacobian.get_or_insert_with(zeros);
        let at = At { t, y: &work.y, p: at.p };
        Vjp::jacobian(self.ode, at, forward, rows, &mut work.inner);
        forward.transpose_into(out);
    }
}
