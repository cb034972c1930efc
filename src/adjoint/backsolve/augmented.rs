//! The state and λ as one system in the time that is left behind.

use crate::ode::grid::Span;
use crate::ode::objective::Objective;
use crate::ode::{At, Bars, Ode, Vjp};

/// (y, λ) over τ, which is zero at the end of `span`: dy/dτ = −f, dλ/dτ = f_yᵀ λ + r_y.
pub(super) struct Augmented<'a, O, J: ?Sized> {
    pub span: Span,
    pub ode: &'a O,
    pub objective: &'a J,
}

/// What f left, and dp̄/dτ = f_pᵀ λ + r_p.
pub(super) struct AugmentedWork<W, C> {
    inner: W,
    scratch: C,
    pub p_rate: Vec<f64>,
}

impl<O, J: ?Sized> Augmented<'_, O, J> {
    /// t at τ, and the start of the span itself at its length.
    pub fn time(&self, tau: f64) -> f64 {
        let Span { start, end } = self.span;
        if tau >= end - start { start } else { end - tau }
    }
}

impl<O: Vjp, J: Objective + ?Sized> Ode for Augmented<'_, O, J> {
    type Work = AugmentedWork<O::Work, J::Scratch>;

    fn dim(&self) -> usize {
        2 * self.ode.dim()
    }

    fn num_params(&self) -> usize {
        self.ode.num_params()
    }

    fn work(&self) -> Self::Work {
        AugmentedWork {
            inner: self.ode.work(),
            scratch: self.objective.scratch(),
            p_rate: vec![0.0; self.ode.num_params()],
        }
    }

    fn work_bytes(&self) -> usize {
        let own = size_of::<Vec<f64>>() + 8 * self.ode.num_params();
        self.ode.work_bytes() + self.objective.scratch_bytes() + own
    }

    fn rhs(&self, At { t: tau, y: z, p }: At<'_>, rate: &mut [f64], work: &mut Self::Work) {
        let AugmentedWork { inner, scratch, p_rate } = work;
        let (t, mut t_bar) = (self.time(tau), 0.0);
        let (y, lambda) = z.split_at(self.ode.dim());
        let (y_rate, lambda_rate) = rate.split_at_mut(self.ode.dim());
        self.ode.rhs(At { t, y, p }, y_rate, inner);
        y_rate.iter_mut().for_each(|rate| *rate = -*rate);
        lambda_rate.fill(0.0);
        p_rate.fill(0.0);
        let bars = Bars { y: lambda_rate, p: p_rate, t: &mut t_bar };
        self.ode.vjp(At { t, y, p }, lambda, bars, inner);
        if self.objective.has_integrand() {
            let bars = Bars { y: lambda_rate, p: p_rate, t: &mut t_bar };
            self.objective.integrand_vjp(At { t, y, p }, 1.0, bars, scratch);
        }
    }
}
