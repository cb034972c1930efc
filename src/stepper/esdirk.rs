//! Diagonally implicit Runge–Kutta methods with an explicit first stage (ESDIRK), forward, adjoint
//! and tangent.
//!
//! Forward, stage i solves Y_i = b_i + hγ f(t_n + c_i h, Y_i), b_i = y_n + h Σ_{j<i} a_ij k_j, by
//! simplified Newton iteration with the factors of I − hγJ(t_n, y_n), and k_i = (Y_i − b_i)/(hγ).
//! The adjoint differentiates the solved stage: with J_i = f_y(t_n + c_i h, Y_i),
//!
//! k̄_i = h (b_i λ_{n+1} + Σ_{l>i} a_li Ȳ_l),  (I − hγJ_i)ᵀ μ_i = k̄_i,  Ȳ_i = J_iᵀ μ_i,
//! p̄ += f_pᵀ μ_i,  λ_n = λ_{n+1} + Σ Ȳ_i.
//!
//! References: Kværnø, BIT 44 (2004), doi 10.1023/B:BITN.0000046811.70614.38; Hairer & Wanner,
//! Solving ODEs II, section IV.8.

use super::stages::{Scheme, Stages, add_scaled, dot};
use super::{AdjointStepper, Bars, Counts, Part, Stepper, TangentStepper, Tolerances};
use crate::error::{Error, StepFailure, TableauError};
use crate::grid::Step;
use crate::linalg::{Lu, Matrix, Singular, Structure, weighted_rms_norm, worst};
use crate::objective::Objective;
use crate::ode::{Jacobian, Jvp, Ode, Rows, Vjp, check_jacobian};
use crate::tableau::{ESDIRK547, Tableau};

/// When Newton's iteration of a stage stops.
#[derive(Clone, Debug, PartialEq)]
pub enum Newton {
    /// At 1e-2 of the weights of error control.
    Tolerances(Tolerances),
    /// When the corrections no longer fall: the stage is solved to rounding.
    Stagnation,
}

const NEWTON_FRACTION: f64 = 1e-2;
const RATE_MEMORY: f64 = 0.3;
const MAX_ITERATIONS: usize = 12;
/// The rounding of a residual, in units of the last place of the terms that it is summed from.
const ROUNDING: f64 = 4.0 * f64::EPSILON;
/// A correction that is this part of the last one or more may be nothing but rounding.
const SLOW: f64 = 0.1;
const MAX_STAGNATION_ITERATIONS: usize = 60;

/// An ESDIRK method.
///
/// ```
/// use costate::grid::Step;
/// use costate::model::Model;
/// use costate::stepper::{Esdirk, Newton, Stepper};
/// use costate::tableau::KVAERNO3;
///
/// let decay = Model::trace(1, 1, |_t, y, p| [-&p[0] * &y[0]]).initial(|_| [1.0.into()]).build()?;
/// let kvaerno3 = Esdirk::new(&KVAERNO3, Newton::Stagnation)?;
/// let (mut y, mut tape) = ([1.0], kvaerno3.tape(&decay));
/// // L-stable: a decay a million times faster than the step is gone after it.
/// kvaerno3.step(&decay, &[1e6], Step { t: 0.0, t_next: 1.0, end: 1.0 }, &mut y, &mut tape).unwrap();
/// assert!(y[0].abs() < 1e-5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Esdirk {
    pub(crate) scheme: Scheme<f64>,
    gamma: f64,
    predictors: Vec<Vec<f64>>,
    newton: Newton,
    /// The largest abscissa.
    reach: f64,
    /// The method of the steps in which a stage of this one would lie past the end of the run.
    at_end: Option<Box<Esdirk>>,
}

/// The stages of one implicit step, its Jacobian and factors.
#[derive(Debug)]
pub struct EsdirkTape<W> {
    pub(crate) stages: Stages<f64, W>,
    jacobian: Matrix,
    lu: Lu,
    residual: Vec<f64>,
    scale: Vec<f64>,
    /// m numbers that a Jacobian by products fills and nobody reads.
    p_bar: Vec<f64>,
}

impl Esdirk {
    /// The method of an ESDIRK tableau, whose stages are solved as `newton` says.
    ///
    /// Where a stage would lie past [`Step::end`], as the third of
    /// [`KVAERNO5`](crate::tableau::KVAERNO5) does in a run's last step, the step is
    /// [`ESDIRK547`]'s.
    ///
    /// # Errors
    /// Where the tableau is not diagonally implicit with one γ and an explicit first stage, is not
    /// stiffly accurate, its lists do not fit together, or its coefficients contradict each other or
    /// the orders that it claims.
    pub fn new(tableau: &Tableau, newton: Newton) -> Result<Self, TableauError> {
        tableau.check_diagonally_implicit()?;
        let scheme = Scheme::new(tableau);
        let gamma = tableau.gamma().unwrap_or_default();
        let predictors = (0..scheme.stages).map(|i| predictor(tableau.c, i)).collect();
        let reach = tableau.c.iter().copied().fold(1.0, f64::max);
        let at_end = match reach > 1.0 {
            true => Some(Box::new(Esdirk::new(&ESDIRK547, newton.clone())?)),
            false => None,
        };
        Ok(Esdirk { scheme, gamma, predictors, newton, reach, at_end })
    }

    /// The method that takes this step: a function of the step alone, so that replays agree.
    pub(crate) fn for_step(&self, step: Step) -> &Esdirk {
        match &self.at_end {
            Some(at_end) if step.at(self.reach) > step.end => at_end,
            _ => self,
        }
    }

    /// The coefficients of the most stages that a step may have.
    fn largest(&self) -> &Scheme<f64> {
        let at_end = self.at_end.as_ref().map(|at_end| &at_end.scheme);
        at_end.filter(|scheme| scheme.total > self.scheme.total).unwrap_or(&self.scheme)
    }

    fn h_gamma<W>(&self, tape: &EsdirkTape<W>) -> f64 {
        tape.stages.step.h() * self.gamma
    }

    /// Factorises I − hγ f_y(t_n + c_i h, Y_i). Overwrites the tape's residual and scale.
    fn factorize<O: Jacobian>(
        &self,
        ode: &O,
        p: &[f64],
        i: usize,
        tape: &mut EsdirkTape<O::Work>,
    ) -> Result<(), StepFailure> {
        let c = self.h_gamma(tape);
        let stages = &mut tape.stages;
        let y = &stages.y[i * stages.dim..(i + 1) * stages.dim];
        let t = stages.step.at(self.scheme.c[i]);
        let rows = Rows { w: &mut tape.scale, y_bar: &mut tape.residual, p_bar: &mut tape.p_bar };
        ode.jacobian(t, y, p, &mut tape.jacobian, rows, &mut stages.work[0]);
        stages.counts.jacobians += 1;
        stages.counts.factorizations += 1;
        tape.lu
            .factor(c, &tape.jacobian)
            .map_err(|Singular { column }| StepFailure::Singular { column })
    }

    /// Writes the weights of Newton's corrections, where they are those of error control at y_n.
    fn weights(&self, y_n: &[f64], scale: &mut [f64]) {
        if let Newton::Tolerances(Tolerances { rtol, atol }) = &self.newton {
            for (i, (w, y)) in scale.iter_mut().zip(y_n).enumerate() {
                let atol = if atol.len() == 1 { atol[0] } else { atol[i] };
                *w = 1.0 / (NEWTON_FRACTION * (atol + rtol * y.abs()));
            }
        }
    }

    /// Solves stage i.
    fn solve_stage<O: Ode>(
        &self,
        ode: &O,
        p: &[f64],
        i: usize,
        tape: &mut EsdirkTape<O::Work>,
    ) -> Result<(), StepFailure> {
        let h_gamma = self.h_gamma(tape);
        let (d, stages) = (tape.stages.dim, &mut tape.stages);
        let t = stages.step.at(self.scheme.c[i]);
        stages.explicit_part(&self.scheme, i);
        stages.k_bar.copy_from_slice(&stages.y[i * d..(i + 1) * d]);
        let (k_before, k) = stages.k.split_at_mut(i * d);
        let (y_before, y) = stages.y.split_at_mut(i * d);
        let (base, y_n, y, k) = (&stages.k_bar, &y_before[..d], &mut y[..d], &mut k[..d]);
        for (j, &w) in self.predictors[i].iter().enumerate() {
            if w != 0.0 {
                let slope = &k_before[j * d..(j + 1) * d];
                y.iter_mut().zip(slope).for_each(|(y, k)| *y += h_gamma * w * k);
            }
        }
        // Another stage's rate says nothing of this one's: where one was solved in a single
        // iteration because it is linear, the next may not converge at all.
        let (mut last, mut rate, mut failed) = (f64::INFINITY, 1.0, false);
        for iteration in 0.. {
            ode.rhs(t, y, p, k, &mut stages.work[i]);
            stages.counts.rhs += 1;
            for (r, ((y, k), base)) in tape.residual.iter_mut().zip(y.iter().zip(&*k).zip(base)) {
                *r = base + h_gamma * k - y;
            }
            if failed || (iteration > 1 && rate > SLOW && self.newton != Newton::Stagnation) {
                let terms = &mut stages.y_bar[..d];
                sizes_of_terms(h_gamma, &tape.jacobian, y, base, terms);
                if tape.residual.iter().zip(terms).all(|(r, terms)| r.abs() <= ROUNDING * *terms) {
                    break;
                }
                if failed {
                    return Err(StepFailure::Newton);
                }
            }
            tape.lu.solve(&mut tape.residual);
            y.iter_mut().zip(&tape.residual).for_each(|(y, r)| *y += r);
            if self.newton == Newton::Stagnation {
                sizes_of_terms(h_gamma, &tape.jacobian, y, base, &mut tape.scale);
                relative_weights(h_gamma, &tape.jacobian, (y_n, y), &mut tape.scale);
            }
            let weighted = tape.residual.iter().zip(&tape.scale).map(|(r, w)| r * w);
            let sum: f64 = weighted.map(|x| x * x).sum();
            let norm = (sum / d as f64).sqrt();
            if !norm.is_finite() {
                return Err(StepFailure::Newton);
            }
            if iteration > 0 {
                rate = self.rate(norm / last, rate);
            }
            match self.verdict(iteration, norm, rate) {
                Verdict::Converged => break,
                Verdict::Failed => failed = true,
                Verdict::Continue => last = norm,
            }
        }
        // Where the step is so short that hγ rounds to zero, k is left as f(Y).
        if h_gamma > 0.0 {
            for ((k, y), base) in k.iter_mut().zip(&*y).zip(base) {
                *k = (y - base) / h_gamma;
            }
        }
        Ok(())
    }

    /// The rate to judge by, from the one measured and the one before. Two corrections may fall
    /// fast by chance, or because most of the error was linear, so that to meet tolerances the rate
    /// falls by at most `RATE_MEMORY` an iteration (CVODE, Hindmarsh et al., ACM TOMS 31 (2005),
    /// doi 10.1145/1089014.1089020).
    fn rate(&self, measured: f64, before: f64) -> f64 {
        match self.newton {
            Newton::Tolerances(_) => measured.max(RATE_MEMORY * before),
            Newton::Stagnation => measured,
        }
    }

    fn verdict(&self, iteration: usize, norm: f64, rate: f64) -> Verdict {
        if norm == 0.0 {
            return Verdict::Converged;
        }
        match self.newton {
            Newton::Tolerances(_) => {
                let remaining = if rate < 1.0 { norm * rate / (1.0 - rate) } else { f64::INFINITY };
                if remaining <= 1.0 {
                    Verdict::Converged
                } else if iteration + 1 >= MAX_ITERATIONS || (iteration > 0 && rate >= 1.5) {
                    Verdict::Failed
                } else {
                    Verdict::Continue
                }
            }
            Newton::Stagnation => {
                // Slow convergence is not rounding: only there do corrections grow again.
                let rounding = norm < 1e-12 && rate > 0.5 || norm < 1e-6 && rate >= 1.0;
                if iteration > 0 && rounding {
                    Verdict::Converged
                } else if iteration + 1 >= MAX_STAGNATION_ITERATIONS {
                    Verdict::Failed
                } else {
                    Verdict::Continue
                }
            }
        }
    }
}

/// Writes |base| + |y| + hγ |J| |y|, the sizes of what a stage's residual is summed from where f is
/// about J y: as long as the residual is rounding of these, y solves the stage as well as numbers
/// can, however far that is from the tolerances (Oettli & Prager, Numer. Math. 6 (1964),
/// doi 10.1007/BF01386090).
fn sizes_of_terms(h_gamma: f64, jacobian: &Matrix, y: &[f64], base: &[f64], terms: &mut [f64]) {
    for (terms, (y, base)) in terms.iter_mut().zip(y.iter().zip(base)) {
        *terms = y.abs() + base.abs();
    }
    jacobian.for_each(|i, j, entry| terms[i] += h_gamma * (entry * y[j]).abs());
}

/// Overwrites the sizes of a stage's terms with weights of its corrections: the reciprocal sizes of
/// y_n and the stage, of which both may be zero, and of what the terms make of a component. One that
/// is small beside others that it does not depend on has to be solved, too.
fn relative_weights(h_gamma: f64, jacobian: &Matrix, (y_n, y): (&[f64], &[f64]), w: &mut [f64]) {
    for (i, (w, (y_n, y))) in w.iter_mut().zip(y_n.iter().zip(y)).enumerate() {
        let made = *w / (1.0 + h_gamma * jacobian.get(i, i).abs());
        *w = 1.0 / (y_n.abs().max(y.abs()) + 1e-8 * made + f64::MIN_POSITIVE.sqrt());
    }
}

enum Verdict {
    Converged,
    Continue,
    Failed,
}

/// Weights that extrapolate the slopes of the last two distinct abscissae before stage i to c_i.
fn predictor(c: &[f64], i: usize) -> Vec<f64> {
    let mut weights = vec![0.0; i];
    let Some(last) = i.checked_sub(1) else { return weights };
    match (0..last).rev().find(|&j| c[j] != c[last]) {
        Some(j) => {
            let theta = (c[i] - c[j]) / (c[last] - c[j]);
            weights[last] = theta;
            weights[j] = 1.0 - theta;
        }
        None => weights[last] = 1.0,
    }
    weights
}

impl<O: Jacobian> Stepper<O> for Esdirk {
    type Tape = EsdirkTape<O::Work>;

    fn name(&self) -> &'static str {
        self.scheme.tableau.name
    }

    fn order(&self) -> u32 {
        self.scheme.tableau.order
    }

    fn is_implicit(&self) -> bool {
        true
    }

    fn embedded_order(&self) -> Option<u32> {
        Some(self.scheme.tableau.embedded_order).filter(|&q| q > 0)
    }

    fn dense_order(&self) -> u32 {
        self.scheme.tableau.dense_order()
    }

    fn check(&self, ode: &O) -> Result<(), Error> {
        check_jacobian(ode)?;
        match &self.newton {
            Newton::Tolerances(tolerances) => tolerances.check(ode.dim()),
            Newton::Stagnation => Ok(()),
        }
    }

    fn tape(&self, ode: &O) -> Self::Tape {
        let (d, structure) = (ode.dim(), ode.structure());
        let work = (0..self.largest().total).map(|_| ode.work()).collect();
        EsdirkTape {
            stages: Stages::new(self.largest(), d, work),
            jacobian: Matrix::fitting(d, structure.clone()),
            lu: Lu::fitting(d, structure),
            residual: vec![0.0; d],
            scale: vec![0.0; d],
            p_bar: vec![0.0; ode.num_params()],
        }
    }

    fn tape_bytes(&self, ode: &O) -> usize {
        let (d, structure) = (ode.dim(), ode.structure());
        Stages::<f64, O::Work>::bytes(self.largest(), d)
            + structure.matrix_bytes(d)
            + structure.lu_bytes(d)
            + 16 * d
            + 8 * ode.num_params()
            + self.largest().total * ode.work_bytes()
    }

    /// The adjoint factorises at each stage's own Jacobian and evaluates f there, which taking the
    /// step does not: factors and `Work` of a step are of no use to it.
    fn kept_tape(&self, ode: &O, part: Part) -> Self::Tape {
        EsdirkTape {
            stages: Stages::kept(self.largest(), ode.dim(), part, Vec::new()),
            jacobian: Matrix::fitting(0, Structure::Dense),
            lu: Lu::fitting(0, Structure::Dense),
            residual: Vec::new(),
            scale: Vec::new(),
            p_bar: Vec::new(),
        }
    }

    fn kept_tape_bytes(&self, ode: &O, part: Part) -> usize {
        Stages::<f64, O::Work>::kept_bytes(self.largest(), ode.dim(), part)
            + size_of::<EsdirkTape<O::Work>>()
    }

    fn exchange(&self, part: Part, tape: &mut Self::Tape, kept: &mut Self::Tape) {
        tape.stages.exchange(part, &mut kept.stages);
    }

    fn step(
        &self,
        ode: &O,
        p: &[f64],
        step: Step,
        y: &mut [f64],
        tape: &mut Self::Tape,
    ) -> Result<(), StepFailure> {
        let (d, method) = (tape.stages.dim, self.for_step(step));
        tape.stages.step = step;
        tape.stages.seeded = false;
        tape.stages.has_slopes = true;
        tape.stages.y[..d].copy_from_slice(y);
        method.factorize(ode, p, 0, tape)?;
        let stages = &mut tape.stages;
        method.weights(&stages.y[..d], &mut tape.scale);
        ode.rhs(step.t, &stages.y[..d], p, &mut stages.k[..d], &mut stages.work[0]);
        stages.counts.rhs += 1;
        for i in 1..method.scheme.stages {
            method.solve_stage(ode, p, i, tape)?;
        }
        tape.stages.evaluated = method.scheme.stages;
        y.copy_from_slice(tape.stages.y(method.scheme.stages - 1));
        Ok(())
    }

    fn error_norm(
        &self,
        _ode: &O,
        _p: &[f64],
        y_next: &[f64],
        tolerances: &Tolerances,
        tape: &mut Self::Tape,
    ) -> f64 {
        let h = tape.stages.step.h();
        let stages = &mut tape.stages;
        self.for_step(stages.step).scheme.error.weighted_sum(&mut stages.k_bar, h, &stages.k);
        // No embedded method of this family is L-stable; unfiltered, stiff components would be
        // taken for errors (Hairer & Wanner, Solving ODEs II, eq. IV.8.20).
        tape.lu.solve(&mut stages.k_bar);
        weighted_rms_norm(&stages.k_bar, stages.y(0), y_next, &tolerances.atol, tolerances.rtol)
    }

    fn worst_component(&self, y_next: &[f64], tolerances: &Tolerances, tape: &Self::Tape) -> usize {
        let stages = &tape.stages;
        worst(&stages.k_bar, stages.y(0), y_next, &tolerances.atol, tolerances.rtol)
    }

    fn complete(&self, _ode: &O, _p: &[f64], _tape: &mut Self::Tape) {}

    fn dense(&self, theta: f64, tape: &Self::Tape, out: &mut [f64]) {
        tape.stages.dense(&self.for_step(tape.stages.step).scheme, theta, out);
    }

    fn num_quadrature(&self, tape: &Self::Tape) -> usize {
        self.for_step(tape.stages.step).scheme.b.indices.len()
    }

    fn quadrature<'a>(&self, i: usize, tape: &'a Self::Tape) -> (f64, f64, &'a [f64]) {
        let step = tape.stages.step;
        let Scheme { b, c, .. } = &self.for_step(step).scheme;
        let stage = b.indices[i];
        (step.h() * b.coefficients[i], step.at(c[stage]), tape.stages.y(stage))
    }

    fn start<'a>(&self, tape: &'a Self::Tape) -> &'a [f64] {
        tape.stages.y(0)
    }

    fn counts(&self, tape: &Self::Tape) -> Counts {
        tape.stages.counts
    }
}

impl<O: Vjp> AdjointStepper<O> for Esdirk {
    fn make_room_for_seeds(&self, points: usize, tape: &mut Self::Tape) {
        if points > 0 {
            tape.stages.make_room_for_seeds(self.largest());
        }
    }

    fn seed_bytes(&self, ode: &O, points: usize) -> usize {
        if points > 0 { Stages::<f64, O::Work>::seed_bytes(self.largest(), ode.dim()) } else { 0 }
    }

    type Scratch<C: Send + Sync> = C;

    fn scratch<J: Objective>(&self, _ode: &O, objective: &J) -> J::Scratch {
        objective.scratch()
    }

    fn scratch_bytes<J: Objective>(&self, _ode: &O, objective: &J) -> usize {
        objective.scratch_bytes()
    }

    fn seed(&self, theta: f64, w: &[f64], tape: &mut Self::Tape, t_next_bar: Option<&mut f64>) {
        tape.stages.seed(&self.for_step(tape.stages.step).scheme, theta, w, t_next_bar);
    }

    fn step_adjoint<J: Objective>(
        &self,
        ode: &O,
        p: &[f64],
        objective: &J,
        scratch: &mut J::Scratch,
        tape: &mut Self::Tape,
        mut bars: Bars<'_, f64>,
    ) -> Result<(), StepFailure> {
        let method = self.for_step(tape.stages.step);
        let (scheme, gamma) = (&method.scheme, method.gamma);
        let (d, h) = (tape.stages.dim, tape.stages.h());
        let mut active = 0_u32;
        tape.stages.begin_adjoint(scheme, bars.lambda);
        for i in (0..scheme.stages).rev() {
            let weight = h * scheme.b_full[i];
            let has_cost = objective.has_integrand() && weight != 0.0;
            let reached = tape.stages.gather(scheme, i, active);
            if !reached && !has_cost {
                continue;
            }
            active |= 1 << i;
            let t = tape.stages.step.at(scheme.c[i]);
            let mut t_bar = 0.0;
            let rows = i * d..(i + 1) * d;
            tape.stages.y_bar[rows.clone()].fill(0.0);
            if has_cost {
                let (y, y_bar) =
                    (&tape.stages.y[rows.clone()], &mut tape.stages.y_bar[rows.clone()]);
                objective.integrand_vjp(t, y, p, weight, y_bar, bars.p_bar, &mut t_bar, scratch);
            }
            if i > 0 {
                method.factorize(ode, p, i, tape)?;
                if has_cost {
                    add_scaled(&mut tape.stages.k_bar, h * gamma, &tape.stages.y_bar[rows.clone()]);
                }
                tape.lu.solve_transpose(&mut tape.stages.k_bar);
            }
            let stages = &mut tape.stages;
            let (y, y_bar) = (&stages.y[rows.clone()], &mut stages.y_bar[rows]);
            ode.rhs(t, y, p, &mut tape.residual, &mut stages.work[i]);
            ode.vjp(t, y, p, &stages.k_bar, y_bar, bars.p_bar, &mut t_bar, &mut stages.work[i]);
            stages.counts.rhs += 1;
            stages.counts.vjp += 1;
            if let Some(bar) = &mut bars.t_next_bar {
                **bar += dot(&stages.k_bar, stages.k(i)) / h + scheme.c[i] * t_bar;
                if has_cost {
                    **bar += scheme.b_full[i] * objective.integrand(t, stages.y(i), p, scratch);
                }
            }
        }
        tape.stages.finish_adjoint(scheme, active, bars.lambda);
        Ok(())
    }
}

impl<O: Jacobian + Jvp> TangentStepper<O> for Esdirk {
    fn step_tangent(
        &self,
        ode: &O,
        p: &[f64],
        p_dot: &[f64],
        tape: &mut Self::Tape,
        y_dot: &mut [f64],
    ) -> Result<(), StepFailure> {
        let method = self.for_step(tape.stages.step);
        let (scheme, d, h) = (&method.scheme, tape.stages.dim, tape.stages.h());
        let mut k_dot = vec![0.0; scheme.stages * d];
        let mut stage_dot = vec![0.0; d];
        for i in 0..scheme.stages {
            scheme.rows[i].combine(&mut stage_dot, y_dot, h, &k_dot);
            if i > 0 {
                method.factorize(ode, p, i, tape)?;
            }
            let stages = &mut tape.stages;
            let (t, y) = (stages.step.at(scheme.c[i]), &stages.y[i * d..(i + 1) * d]);
            let out = &mut k_dot[i * d..(i + 1) * d];
            ode.rhs(t, y, p, &mut tape.residual, &mut stages.work[i]);
            ode.jvp(t, y, p, &stage_dot, p_dot, out, &mut stages.work[i]);
            if i > 0 {
                tape.lu.solve(out);
            }
        }
        let start = y_dot.to_vec();
        scheme.b.combine(y_dot, &start, h, &k_dot);
        Ok(())
    }
}
