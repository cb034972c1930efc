//! Explicit Runge–Kutta methods, forward, adjoint and tangent.
//!
//! The adjoint of y_{n+1} = y_n + h Σ b_i k_i, k_i = f(t_n + c_i h, Y_i), Y_i = y_n + h Σ a_ij k_j is,
//! for i = s, …, 1,
//!
//! k̄_i = h (b_i λ_{n+1} + Σ_{l>i} a_li Ȳ_l),  Ȳ_i = f_yᵀ k̄_i,  p̄ += f_pᵀ k̄_i,
//!
//! and λ_n = λ_{n+1} + Σ Ȳ_i (Hager, Numer. Math. 87 (2000), doi 10.1007/s002110000178).

use super::{
    AdjointStepper, Coefficients, Slopes, StageScratch, Stages, StepBars, Stepper, Taken,
    TangentStepper, Tolerances, dot,
};
use crate::error::{StepFailure, TableauError};
use crate::method::tableau::Tableau;
use crate::numbers::linalg::weighted_rms_norm;
use crate::numbers::scalar::{Scalar, same_bits};
use crate::ode::grid::Step;
use crate::ode::{At, Bars, Dots, Jvp, Ode, Vjp};

/// An explicit Runge–Kutta method.
///
/// ```
/// use costate::ode::grid::Step;
/// use costate::model::Model;
/// use costate::method::stepper::{ExplicitRk, Steps};
/// use costate::method::tableau::TSIT5;
///
/// let decay = Model::trace(1, 1, |_t, y, p| [-&p[0] * &y[0]]).initial(|_| [1.0.into()]).build()?;
/// let tsit5: ExplicitRk = ExplicitRk::new(&TSIT5)?;
/// let mut y = [1.0];
/// let step = Step { t: 0.0, t_next: 0.1, end: 0.1 };
/// let taken = Steps::of(&tsit5, &decay).take(&[1.0], step, &mut y);
/// taken.map_err(|failure| failure.at(0, step.t))?;
/// assert!((y[0] - (-0.1_f64).exp()).abs() < 1e-9);
/// # Ok::<(), costate::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ExplicitRk<S: Scalar = f64> {
    coefficients: Coefficients<S>,
    first_same_as_last: bool,
}

impl<S: Scalar> ExplicitRk<S> {
    /// The method of an explicit tableau.
    ///
    /// # Errors
    /// Where the tableau is not strictly lower triangular, its lists do not fit together, or its
    /// coefficients contradict each other or the orders that it claims.
    pub fn new(tableau: &Tableau) -> Result<Self, TableauError> {
        tableau.check_explicit()?;
        Ok(ExplicitRk {
            coefficients: Coefficients::new(tableau),
            first_same_as_last: tableau.first_same_as_last(),
        })
    }

    /// Evaluates the stages up to `count` that are not evaluated yet.
    fn evaluate<O: Ode<S>>(&self, ode: &O, p: &[S], taken: Taken<'_, S, O, Self>, count: usize) {
        let Taken { stages, scratch } = taken;
        for i in stages.evaluated..count {
            stages.explicit_part(&self.coefficients, i, scratch);
            self.slope(ode, p, stages, scratch, i);
        }
        stages.evaluated = stages.evaluated.max(count);
    }

    /// Writes k_i = f(t_n + c_i h, Y_i).
    fn slope<O: Ode<S>>(
        &self,
        ode: &O,
        p: &[S],
        stages: &mut Stages<S, O::Work>,
        scratch: &mut StageScratch<S>,
        i: usize,
    ) {
        let rows = i * stages.dim..(i + 1) * stages.dim;
        let t = stages.step.at(self.coefficients.c[i]);
        let k = if stages.k.is_empty() { &mut scratch.k } else { &mut stages.k };
        let at = At { t, y: &stages.y[rows.clone()], p };
        ode.rhs(at, &mut k[rows], &mut stages.work[i]);
        scratch.counts.rhs += 1;
    }

    /// Takes over the last stage of the step before, where its bits are those of the first.
    fn carry<W>(
        &self,
        step: Step,
        y: &[S],
        stages: &mut Stages<S, W>,
        scratch: &mut StageScratch<S>,
    ) -> bool {
        let (d, last) = (stages.dim, self.coefficients.stages - 1);
        let has_slopes = !stages.k.is_empty() || scratch.slopes_of == stages.step;
        let usable = self.first_same_as_last
            && has_slopes
            && stages.evaluated > last
            && stages.step.t_next.to_bits() == step.t.to_bits()
            && same_bits(stages.y(last), y);
        if usable {
            let k = if stages.k.is_empty() { &mut scratch.k } else { &mut stages.k };
            k.copy_within(last * d..(last + 1) * d, 0);
            stages.work.swap(0, last);
        }
        usable
    }

    fn error_vector<W>(&self, lower: bool, stages: &Stages<S, W>, scratch: &mut StageScratch<S>) {
        let Coefficients { error, error_lower, .. } = &self.coefficients;
        let row = if lower { error_lower } else { error };
        let StageScratch { k, k_bar, terms, .. } = scratch;
        let k = if stages.k.is_empty() { k } else { &stages.k };
        row.weighted_sum(k_bar, stages.h(), k, terms);
    }
}

impl<S: Scalar, O: Ode<S>> Stepper<O, S> for ExplicitRk<S> {
    type Work = O::Work;
    type Scratch = StageScratch<S>;

    fn tableau(&self) -> &Tableau {
        &self.coefficients.tableau
    }

    fn coefficients(&self, _step: Step) -> &Coefficients<S> {
        &self.coefficients
    }

    fn largest(&self) -> &Coefficients<S> {
        &self.coefficients
    }

    fn stage_works(&self, ode: &O) -> Vec<O::Work> {
        (0..self.coefficients.total).map(|_| ode.work()).collect()
    }

    fn stage_work_bytes(&self, ode: &O) -> usize {
        self.coefficients.total * ode.work_bytes()
    }

    fn scratch(&self, ode: &O, slopes: Slopes, points: usize) -> StageScratch<S> {
        StageScratch::new(&self.coefficients, ode.dim(), slopes, points)
    }

    fn scratch_bytes(&self, ode: &O, slopes: Slopes, points: usize) -> usize {
        StageScratch::bytes(&self.coefficients, ode.dim(), slopes, points)
    }

    fn stage_scratch<'a>(&self, scratch: &'a StageScratch<S>) -> &'a StageScratch<S> {
        scratch
    }

    fn works<'a>(
        &self,
        stages: &'a Stages<S, O::Work>,
        _scratch: &'a StageScratch<S>,
    ) -> &'a [O::Work] {
        &stages.work
    }

    fn step(
        &self,
        ode: &O,
        p: &[S],
        step: Step,
        y: &mut [S],
        taken: Taken<'_, S, O, Self>,
    ) -> Result<(), StepFailure> {
        let Taken { stages, scratch } = taken;
        let carried = self.carry(step, y, stages, scratch);
        stages.begin(step, y, scratch);
        if !carried {
            self.slope(ode, p, stages, scratch, 0);
        }
        stages.evaluated = 1;
        let Coefficients { main, b, .. } = &self.coefficients;
        self.evaluate(ode, p, Taken { stages, scratch }, *main);
        let StageScratch { k, terms, .. } = scratch;
        let k = if stages.k.is_empty() { k } else { &stages.k };
        b.combine(y, stages.y(0), S::of(step.h()), k, terms);
        Ok(())
    }

    fn error_norm(
        &self,
        ode: &O,
        p: &[S],
        y_next: &[S],
        tolerances: &Tolerances,
        taken: Taken<'_, S, O, Self>,
    ) -> f64 {
        let Taken { stages, scratch } = taken;
        self.evaluate(ode, p, Taken { stages, scratch }, self.coefficients.stages);
        let Tolerances { rtol, atol } = tolerances;
        let mut norm = |lower| {
            self.error_vector(lower, stages, scratch);
            weighted_rms_norm(&scratch.k_bar, stages.y(0), y_next, atol, *rtol)
        };
        if self.coefficients.error_lower.indices.is_empty() {
            return norm(false);
        }
        // Hairer, Nørsett & Wanner, Solving ODEs I, section II.10, eq. (10.17).
        let (lower, higher) = (norm(true), norm(false));
        let scale = (higher * higher + 0.01 * lower * lower).sqrt();
        if scale == 0.0 { 0.0 } else { higher * higher / scale }
    }

    fn complete(&self, ode: &O, p: &[S], taken: Taken<'_, S, O, Self>) {
        self.evaluate(ode, p, taken, self.coefficients.total);
    }

    /// Hairer & Wanner, Solving ODEs II, section IV.2: h‖k_s − k_{s−1}‖/‖Y_s − Y_{s−1}‖ of two
    /// stages at t_{n+1}, relative to the method's bound on the negative real axis. The norm is that
    /// of error control, which is what holds the step: in any other a large state that is not stiff
    /// hides a small one that is.
    fn stiffness(
        &self,
        tolerances: &Tolerances,
        stages: &Stages<S, O::Work>,
        scratch: &StageScratch<S>,
    ) -> Option<f64> {
        let Coefficients { c, stages: count, tableau, .. } = &self.coefficients;
        let last = count - 1;
        let both_at_end = last > 0 && c[last - 1] == 1.0 && c[last] == 1.0;
        if !both_at_end || stages.evaluated <= last {
            return None;
        }
        let Tolerances { rtol, atol } = tolerances;
        let y = stages.y(last).iter().zip(stages.y(last - 1));
        let k = stages.k(last, scratch).iter().zip(stages.k(last - 1, scratch));
        let (mut states, mut slopes) = (0.0, 0.0);
        for (i, (((y, y_before), (k, k_before)), y_n)) in y.zip(k).zip(stages.y(0)).enumerate() {
            let atol = if let [atol] = atol[..] { atol } else { atol[i] };
            let allowed = atol + rtol * y_n.abs().to_f64().max(y.abs().to_f64());
            if allowed > 0.0 {
                let (y, k) = ((*y - *y_before).to_f64(), (*k - *k_before).to_f64());
                let weight = allowed.recip();
                states += (y * weight) * (y * weight);
                slopes += (k * weight) * (k * weight);
            }
        }
        let bound = tableau.real_stability();
        (states > 0.0).then(|| stages.step.h().abs() * (slopes / states).sqrt() / bound)
    }
}

impl<S: Scalar, O: Vjp<S>> AdjointStepper<O, S> for ExplicitRk<S> {
    fn stage_bars<'a>(&self, scratch: &'a mut StageScratch<S>) -> Option<&'a mut StageScratch<S>> {
        Some(scratch)
    }

    fn seed(&self, theta: f64, w: &[S], taken: Taken<'_, S, O, Self>, t_next_bar: Option<&mut S>) {
        taken.scratch.seed(&self.coefficients, theta, w, taken.stages, t_next_bar);
    }

    fn step_adjoint(
        &self,
        ode: &O,
        p: &[S],
        taken: Taken<'_, S, O, Self>,
        mut bars: StepBars<'_, S>,
    ) -> Result<(), StepFailure> {
        let (Taken { stages, scratch }, coefficients) = (taken, &self.coefficients);
        let (d, h) = (stages.dim, stages.h());
        scratch.begin_adjoint(coefficients, bars.lambda);
        for i in (0..stages.evaluated).rev() {
            if !scratch.gather(coefficients, i, h) {
                continue;
            }
            let (t, mut t_bar) = (stages.step.at(coefficients.c[i]), S::zero());
            let at = At { t, y: &stages.y[i * d..(i + 1) * d], p };
            let (k_bar, y) = scratch.bars(i);
            ode.vjp(at, k_bar, Bars { y, p: bars.p_bar, t: &mut t_bar }, &mut stages.work[i]);
            scratch.counts.vjp += 1;
            if let Some(bar) = &mut bars.t_next_bar {
                **bar += dot(&scratch.k_bar, stages.k(i, scratch)) / h;
                **bar += S::of(coefficients.c[i]) * t_bar;
            }
        }
        scratch.finish_adjoint(coefficients, bars.lambda);
        Ok(())
    }
}

impl<S: Scalar, O: Jvp<S>> TangentStepper<O, S> for ExplicitRk<S> {
    fn step_tangent(
        &self,
        ode: &O,
        p: &[S],
        p_dot: &[S],
        taken: Taken<'_, S, O, Self>,
        y_dot: &mut [S],
    ) -> Result<(), StepFailure> {
        let (stages, terms) = (taken.stages, &mut taken.scratch.terms);
        let Coefficients { c, rows, b, main, .. } = &self.coefficients;
        let (d, h) = (stages.dim, stages.h());
        let mut k_dot = vec![S::zero(); main * d];
        let mut stage_dot = vec![S::zero(); d];
        for i in 0..*main {
            rows[i].combine(&mut stage_dot, y_dot, h, &k_dot, terms);
            let at = At { t: stages.step.at(c[i]), y: &stages.y[i * d..(i + 1) * d], p };
            let dots = Dots { y: &stage_dot, p: p_dot };
            ode.jvp(at, dots, &mut k_dot[i * d..(i + 1) * d], &mut stages.work[i]);
        }
        let start = y_dot.to_vec();
        b.combine(y_dot, &start, h, &k_dot, terms);
        Ok(())
    }
}
