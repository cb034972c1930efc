//! Explicit Runge–Kutta methods, forward, adjoint and tangent.
//!
//! The adjoint of y_{n+1} = y_n + h Σ b_i k_i, k_i = f(t_n + c_i h, Y_i), Y_i = y_n + h Σ a_ij k_j is,
//! for i = s, …, 1,
//!
//! k̄_i = h (b_i λ_{n+1} + Σ_{l>i} a_li Ȳ_l),  Ȳ_i = f_yᵀ k̄_i,  p̄ += f_pᵀ k̄_i,
//!
//! and λ_n = λ_{n+1} + Σ Ȳ_i (Hager, Numer. Math. 87 (2000), doi 10.1007/s002110000178).

use super::stages::{Scheme, Stages};
use super::{AdjointStepper, Bars, Counts, Part, Stepper, TangentStepper, Tolerances};
use crate::error::{StepFailure, TableauError};
use crate::grid::Step;
use crate::linalg::{weighted_rms_norm, worst};
use crate::objective::Objective;
use crate::ode::{Jvp, Ode, Vjp};
use crate::scalar::{Scalar, same_bits};
use crate::stepper::stages::dot;
use crate::tableau::Tableau;

/// An explicit Runge–Kutta method.
///
/// ```
/// use costate::grid::Step;
/// use costate::model::Model;
/// use costate::stepper::{ExplicitRk, Stepper};
/// use costate::tableau::TSIT5;
///
/// let decay = Model::trace(1, 1, |_t, y, p| [-&p[0] * &y[0]]).initial(|_| [1.0.into()]).build()?;
/// let tsit5: ExplicitRk = ExplicitRk::new(&TSIT5)?;
/// let (mut y, mut tape) = ([1.0], tsit5.tape(&decay));
/// tsit5.step(&decay, &[1.0], Step { t: 0.0, t_next: 0.1, end: 0.1 }, &mut y, &mut tape).unwrap();
/// assert!((y[0] - (-0.1_f64).exp()).abs() < 1e-9);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ExplicitRk<S: Scalar = f64> {
    pub(crate) scheme: Scheme<S>,
    first_same_as_last: bool,
}

/// The stages of one explicit step.
pub type ExplicitTape<S, W> = Stages<S, W>;

impl<S: Scalar> ExplicitRk<S> {
    /// The method of an explicit tableau.
    ///
    /// # Errors
    /// Where the tableau is not strictly lower triangular, its lists do not fit together, or its
    /// coefficients contradict each other or the orders that it claims.
    pub fn new(tableau: &Tableau) -> Result<Self, TableauError> {
        tableau.check_explicit()?;
        Ok(ExplicitRk {
            scheme: Scheme::new(tableau),
            first_same_as_last: tableau.first_same_as_last(),
        })
    }

    /// Evaluates the stages up to `count` that the tape lacks.
    fn evaluate<O: Ode<S>>(&self, ode: &O, p: &[S], tape: &mut Stages<S, O::Work>, count: usize) {
        for i in tape.evaluated..count {
            tape.explicit_part(&self.scheme, i);
            self.slope(ode, p, tape, i);
        }
        tape.evaluated = tape.evaluated.max(count);
    }

    /// Writes k_i = f(t_n + c_i h, Y_i).
    fn slope<O: Ode<S>>(&self, ode: &O, p: &[S], tape: &mut Stages<S, O::Work>, i: usize) {
        let d = tape.dim;
        let t = tape.step.at(self.scheme.c[i]);
        let y = &tape.y[i * d..(i + 1) * d];
        ode.rhs(t, y, p, &mut tape.k[i * d..(i + 1) * d], &mut tape.work[i]);
        tape.counts.rhs += 1;
    }

    /// Takes over the last stage of the step before, where its bits are those of the first.
    fn carry<O: Ode<S>>(&self, step: Step, y: &[S], tape: &mut Stages<S, O::Work>) -> bool {
        let (d, last) = (tape.dim, self.scheme.stages - 1);
        let usable = self.first_same_as_last
            && tape.has_slopes
            && tape.evaluated > last
            && tape.step.t_next.to_bits() == step.t.to_bits()
            && same_bits(tape.y(last), y);
        if usable {
            tape.k.copy_within(last * d..(last + 1) * d, 0);
            tape.work.swap(0, last);
        }
        usable
    }

    fn error_vector<W>(&self, lower: bool, tape: &mut Stages<S, W>) {
        let row = if lower { &self.scheme.error_lower } else { &self.scheme.error };
        row.weighted_sum(&mut tape.k_bar, S::of(tape.step.h()), &tape.k);
    }
}

impl<S: Scalar, O: Ode<S>> Stepper<O, S> for ExplicitRk<S> {
    type Tape = ExplicitTape<S, O::Work>;

    fn name(&self) -> &'static str {
        self.scheme.tableau.name
    }

    fn order(&self) -> u32 {
        self.scheme.tableau.order
    }

    fn embedded_order(&self) -> Option<u32> {
        Some(self.scheme.tableau.embedded_order).filter(|&q| q > 0)
    }

    fn dense_order(&self) -> u32 {
        self.scheme.tableau.dense_order()
    }

    fn tape(&self, ode: &O) -> Self::Tape {
        Stages::new(&self.scheme, ode.dim(), (0..self.scheme.total).map(|_| ode.work()).collect())
    }

    fn tape_bytes(&self, ode: &O) -> usize {
        Self::Tape::bytes(&self.scheme, ode.dim()) + self.scheme.total * ode.work_bytes()
    }

    fn kept_tape(&self, ode: &O, part: Part) -> Self::Tape {
        let work = (0..self.scheme.total).map(|_| ode.work()).collect();
        Stages::kept(&self.scheme, ode.dim(), part, work)
    }

    fn kept_tape_bytes(&self, ode: &O, part: Part) -> usize {
        let work = self.scheme.total * ode.work_bytes();
        Self::Tape::kept_bytes(&self.scheme, ode.dim(), part) + work
    }

    fn exchange(&self, part: Part, tape: &mut Self::Tape, kept: &mut Self::Tape) {
        tape.exchange(part, kept);
        std::mem::swap(&mut tape.work, &mut kept.work);
    }

    fn step(
        &self,
        ode: &O,
        p: &[S],
        step: Step,
        y: &mut [S],
        tape: &mut Self::Tape,
    ) -> Result<(), StepFailure> {
        let carried = self.carry::<O>(step, y, tape);
        tape.step = step;
        tape.seeded = false;
        tape.has_slopes = true;
        tape.y[..y.len()].copy_from_slice(y);
        if !carried {
            self.slope(ode, p, tape, 0);
        }
        tape.evaluated = 1;
        self.evaluate(ode, p, tape, self.scheme.main);
        self.scheme.b.combine(y, tape.y(0), S::of(step.h()), &tape.k);
        Ok(())
    }

    fn error_norm(
        &self,
        ode: &O,
        p: &[S],
        y_next: &[S],
        tolerances: &Tolerances,
        tape: &mut Self::Tape,
    ) -> f64 {
        self.evaluate(ode, p, tape, self.scheme.stages);
        let (rtol, atol) = (tolerances.rtol, &tolerances.atol);
        if self.scheme.error_lower.indices.is_empty() {
            self.error_vector(false, tape);
            return weighted_rms_norm(&tape.k_bar, tape.y(0), y_next, atol, rtol);
        }
        // Hairer, Nørsett & Wanner, Solving ODEs I, section II.10, eq. (10.17).
        self.error_vector(true, tape);
        let lower = weighted_rms_norm(&tape.k_bar, tape.y(0), y_next, atol, rtol);
        self.error_vector(false, tape);
        let higher = weighted_rms_norm(&tape.k_bar, tape.y(0), y_next, atol, rtol);
        let scale = (higher * higher + 0.01 * lower * lower).sqrt();
        if scale == 0.0 { 0.0 } else { higher * higher / scale }
    }

    fn worst_component(&self, y_next: &[S], tolerances: &Tolerances, tape: &Self::Tape) -> usize {
        worst(&tape.k_bar, tape.y(0), y_next, &tolerances.atol, tolerances.rtol)
    }

    fn complete(&self, ode: &O, p: &[S], tape: &mut Self::Tape) {
        self.evaluate(ode, p, tape, self.scheme.total);
    }

    fn dense(&self, theta: f64, tape: &Self::Tape, out: &mut [S]) {
        tape.dense(&self.scheme, theta, out);
    }

    fn num_quadrature(&self, _tape: &Self::Tape) -> usize {
        self.scheme.b.indices.len()
    }

    fn quadrature<'a>(&self, i: usize, tape: &'a Self::Tape) -> (S, f64, &'a [S]) {
        let stage = self.scheme.b.indices[i];
        let weight = tape.h() * self.scheme.b.coefficients[i];
        (weight, tape.step.at(self.scheme.c[stage]), tape.y(stage))
    }

    fn start<'a>(&self, tape: &'a Self::Tape) -> &'a [S] {
        tape.y(0)
    }

    /// Hairer & Wanner, Solving ODEs II, section IV.2: h‖k_s − k_{s−1}‖/‖Y_s − Y_{s−1}‖ of two
    /// stages at t_{n+1}, relative to the method's bound on the negative real axis. The norm is that
    /// of error control, which is what holds the step: in any other a large state that is not stiff
    /// hides a small one that is.
    fn stiffness(&self, tolerances: &Tolerances, tape: &Self::Tape) -> Option<f64> {
        let last = self.scheme.stages - 1;
        let both_at_end = last > 0 && self.scheme.c[last - 1] == 1.0 && self.scheme.c[last] == 1.0;
        if !both_at_end || tape.evaluated <= last {
            return None;
        }
        let Tolerances { rtol, atol } = tolerances;
        let pairs =
            |at: fn(&Self::Tape, usize) -> &[S]| at(tape, last).iter().zip(at(tape, last - 1));
        let differences = pairs(Stages::y).zip(pairs(Stages::k)).zip(tape.y(0)).enumerate();
        let (mut states, mut slopes) = (0.0, 0.0);
        for (i, (((y, y_before), (k, k_before)), y_n)) in differences {
            let atol = if let [atol] = atol[..] { atol } else { atol[i] };
            let allowed = atol + rtol * y_n.abs().to_f64().max(y.abs().to_f64());
            if allowed > 0.0 {
                let (y, k) = ((*y - *y_before).to_f64(), (*k - *k_before).to_f64());
                let weight = allowed.recip();
                states += (y * weight) * (y * weight);
                slopes += (k * weight) * (k * weight);
            }
        }
        let bound = if self.scheme.tableau.order >= 8 { 6.1 } else { 3.25 };
        (states > 0.0).then(|| tape.step.h().abs() * (slopes / states).sqrt() / bound)
    }

    fn counts(&self, tape: &Self::Tape) -> Counts {
        tape.counts
    }
}

impl<S: Scalar, O: Vjp<S>> AdjointStepper<O, S> for ExplicitRk<S> {
    fn make_room_for_seeds(&self, points: usize, tape: &mut Self::Tape) {
        if points > 0 {
            tape.make_room_for_seeds(&self.scheme);
        }
    }

    fn seed_bytes(&self, ode: &O, points: usize) -> usize {
        if points > 0 { Self::Tape::seed_bytes(&self.scheme, ode.dim()) } else { 0 }
    }

    type Scratch<C: Send + Sync> = C;

    fn scratch<J: Objective<S>>(&self, _ode: &O, objective: &J) -> J::Scratch {
        objective.scratch()
    }

    fn scratch_bytes<J: Objective<S>>(&self, _ode: &O, objective: &J) -> usize {
        objective.scratch_bytes()
    }

    fn seed(&self, theta: f64, w: &[S], tape: &mut Self::Tape, t_next_bar: Option<&mut S>) {
        tape.seed(&self.scheme, theta, w, t_next_bar);
    }

    fn step_adjoint<J: Objective<S>>(
        &self,
        ode: &O,
        p: &[S],
        objective: &J,
        scratch: &mut J::Scratch,
        tape: &mut Self::Tape,
        mut bars: Bars<'_, S>,
    ) -> Result<(), StepFailure> {
        let (d, h) = (tape.dim, tape.h());
        let mut active = 0_u32;
        tape.begin_adjoint(&self.scheme, bars.lambda);
        for i in (0..tape.evaluated).rev() {
            let weight = h * self.scheme.b_full[i];
            let has_cost = objective.has_integrand() && weight != S::zero();
            let reached = tape.gather(&self.scheme, i, active);
            if !reached && !has_cost {
                continue;
            }
            active |= 1 << i;
            let t = tape.step.at(self.scheme.c[i]);
            let (y, y_bar) = (&tape.y[i * d..(i + 1) * d], &mut tape.y_bar[i * d..(i + 1) * d]);
            let mut t_bar = S::zero();
            y_bar.fill(S::zero());
            ode.vjp(t, y, p, &tape.k_bar, y_bar, bars.p_bar, &mut t_bar, &mut tape.work[i]);
            tape.counts.vjp += 1;
            if has_cost {
                objective.integrand_vjp(t, y, p, weight, y_bar, bars.p_bar, &mut t_bar, scratch);
            }
            if let Some(bar) = &mut bars.t_next_bar {
                **bar += dot(&tape.k_bar, tape.k(i)) / h + S::of(self.scheme.c[i]) * t_bar;
                if has_cost {
                    **bar += self.scheme.b_full[i] * objective.integrand(t, tape.y(i), p, scratch);
                }
            }
        }
        tape.finish_adjoint(&self.scheme, active, bars.lambda);
        Ok(())
    }
}

impl<S: Scalar, O: Jvp<S>> TangentStepper<O, S> for ExplicitRk<S> {
    fn step_tangent(
        &self,
        ode: &O,
        p: &[S],
        p_dot: &[S],
        tape: &mut Self::Tape,
        y_dot: &mut [S],
    ) -> Result<(), StepFailure> {
        let (d, h) = (tape.dim, tape.h());
        let mut k_dot = vec![S::zero(); self.scheme.main * d];
        let mut stage_dot = vec![S::zero(); d];
        for i in 0..self.scheme.main {
            self.scheme.rows[i].combine(&mut stage_dot, y_dot, h, &k_dot);
            let t = tape.step.at(self.scheme.c[i]);
            let y = &tape.y[i * d..(i + 1) * d];
            let out = &mut k_dot[i * d..(i + 1) * d];
            ode.jvp(t, y, p, &stage_dot, p_dot, out, &mut tape.work[i]);
        }
        let start = y_dot.to_vec();
        self.scheme.b.combine(y_dot, &start, h, &k_dot);
        Ok(())
    }
}
