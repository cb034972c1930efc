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

mod newton;
mod stage;

pub use newton::Newton;

use super::{
    AdjointStepper, Coefficients, Slopes, StageScratch, Stages, StepBars, Stepper, Taken,
    TangentStepper, Tolerances, add_scaled, dot,
};
use crate::error::{Error, StepFailure, TableauError};
use crate::method::tableau::{ESDIRK547, Tableau};
use crate::numbers::linalg::{Lu, Matrix, weighted_rms_norm};
use crate::ode::grid::Step;
use crate::ode::{At, Bars, Dots, Jacobian, Jvp, Vjp, check_jacobian};
use stage::predictor;

/// An ESDIRK method.
///
/// ```
/// use costate::ode::grid::Step;
/// use costate::model::Model;
/// use costate::method::stepper::{Esdirk, Newton, Steps};
/// use costate::method::tableau::KVAERNO3;
///
/// let decay = Model::trace(1, 1, |_t, y, p| [-&p[0] * &y[0]]).initial(|_| [1.0.into()]).build()?;
/// let kvaerno3 = Esdirk::new(&KVAERNO3, Newton::Stagnation)?;
/// // L-stable: a decay a million times faster than the step is gone after it.
/// let mut y = [1.0];
/// let step = Step { t: 0.0, t_next: 1.0, end: 1.0 };
/// let taken = Steps::of(&kvaerno3, &decay).take(&[1e6], step, &mut y);
/// taken.map_err(|failure| failure.at(0, step.t))?;
/// assert!(y[0].abs() < 1e-5);
/// # Ok::<(), costate::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Esdirk {
    coefficients: Coefficients<f64>,
    gamma: f64,
    predictors: Vec<Vec<f64>>,
    newton: Newton,
    /// The largest abscissa.
    last_abscissa: f64,
    /// The method of the steps in which a stage of this one would lie past the end of the run.
    at_end: Option<Box<Esdirk>>,
}

/// What an implicit step and its adjoint need beside the stages: the Jacobian, its factors, vectors.
#[derive(Debug)]
pub struct EsdirkScratch<W> {
    stages: StageScratch<f64>,
    work: Vec<W>,
    jacobian: Matrix,
    lu: Lu,
    residual: Vec<f64>,
    scale: Vec<f64>,
    terms: Vec<f64>,
    /// m numbers that a Jacobian by products fills and nobody reads.
    p_bar: Vec<f64>,
}

impl<W> EsdirkScratch<W> {
    /// The work that Jacobians are asked for with.
    pub(crate) fn jacobian_work(&mut self) -> &mut W {
        &mut self.work[0]
    }
}

impl Esdirk {
    /// The method of an ESDIRK tableau, whose stages are solved as `newton` says.
    ///
    /// Where a stage would lie past [`Step::end`], as the third of
    /// [`KVAERNO5`](crate::method::tableau::KVAERNO5) does in a run's last step, the step is
    /// [`ESDIRK547`]'s.
    ///
    /// # Errors
    /// Where the tableau is not diagonally implicit with one γ and an explicit first stage, is not
    /// stiffly accurate, its lists do not fit together, or its coefficients contradict each other or
    /// the orders that it claims.
    pub fn new(tableau: &Tableau, newton: Newton) -> Result<Self, TableauError> {
        tableau.check_diagonally_implicit()?;
        let coefficients = Coefficients::new(tableau);
        let gamma = tableau.gamma().unwrap_or_default();
        let predictors = (0..coefficients.stages).map(|i| predictor(tableau.c, i)).collect();
        let last_abscissa = tableau.c.iter().copied().fold(1.0, f64::max);
        let at_end = match last_abscissa > 1.0 {
            true => Some(Box::new(Esdirk::new(&ESDIRK547, newton.clone())?)),
            false => None,
        };
        Ok(Esdirk { coefficients, gamma, predictors, newton, last_abscissa, at_end })
    }

    /// The method that takes this step: a function of the step alone, so that replays agree.
    pub(crate) fn for_step(&self, step: Step) -> &Esdirk {
        match &self.at_end {
            Some(at_end) if step.at(self.last_abscissa) > step.end => at_end,
            _ => self,
        }
    }

    /// The coefficients of the most stages that a step may have.
    fn largest_coefficients(&self) -> &Coefficients<f64> {
        let at_end = self.at_end.as_ref().map(|at_end| &at_end.coefficients);
        let more = at_end.filter(|at_end| at_end.total > self.coefficients.total);
        more.unwrap_or(&self.coefficients)
    }
}

impl<O: Jacobian> Stepper<O> for Esdirk {
    type Work = ();
    type Scratch = EsdirkScratch<O::Work>;

    fn tableau(&self) -> &Tableau {
        &self.coefficients.tableau
    }

    fn coefficients(&self, step: Step) -> &Coefficients<f64> {
        &self.for_step(step).coefficients
    }

    fn largest(&self) -> &Coefficients<f64> {
        self.largest_coefficients()
    }

    fn check(&self, ode: &O) -> Result<(), Error> {
        check_jacobian(ode)?;
        match &self.newton {
            Newton::Tolerances(tolerances) => tolerances.check(ode.dim()),
            Newton::Stagnation => Ok(()),
        }
    }

    /// The adjoint evaluates f at the solved stages again, which the iteration leaves short of them.
    fn stage_works(&self, _ode: &O) -> Vec<()> {
        Vec::new()
    }

    fn stage_work_bytes(&self, _ode: &O) -> usize {
        0
    }

    fn scratch(&self, ode: &O, slopes: Slopes, points: usize) -> EsdirkScratch<O::Work> {
        let (d, structure, largest) = (ode.dim(), ode.structure(), self.largest_coefficients());
        EsdirkScratch {
            stages: StageScratch::new(largest, d, slopes, points),
            work: (0..largest.total).map(|_| ode.work()).collect(),
            jacobian: Matrix::fitting(d, structure.clone()),
            lu: Lu::fitting(d, structure),
            residual: vec![0.0; d],
            scale: vec![0.0; d],
            terms: vec![0.0; d],
            p_bar: vec![0.0; ode.num_params()],
        }
    }

    fn scratch_bytes(&self, ode: &O, slopes: Slopes, points: usize) -> usize {
        let (d, structure, largest) = (ode.dim(), ode.structure(), self.largest_coefficients());
        StageScratch::bytes(largest, d, slopes, points)
            + structure.matrix_bytes(d)
            + structure.lu_bytes(d)
            + 24 * d
            + 8 * ode.num_params()
            + largest.total * ode.work_bytes()
    }

    fn stage_scratch<'a>(&self, scratch: &'a Self::Scratch) -> &'a StageScratch<f64> {
        &scratch.stages
    }

    fn works<'a>(&self, _: &'a Stages<f64, ()>, scratch: &'a Self::Scratch) -> &'a [O::Work] {
        &scratch.work
    }

    fn step(
        &self,
        ode: &O,
        p: &[f64],
        step: Step,
        y: &mut [f64],
        taken: Taken<'_, f64, O, Self>,
    ) -> Result<(), StepFailure> {
        let (Taken { stages, scratch }, method) = (taken, self.for_step(step));
        let (d, last) = (stages.dim, method.coefficients.stages - 1);
        stages.begin(step, y, &mut scratch.stages);
        method.factorize(ode, p, 0, stages, scratch)?;
        method.newton.weights(stages.y(0), &mut scratch.scale);
        let own = &mut scratch.stages;
        let k = if stages.k.is_empty() { &mut own.k } else { &mut stages.k };
        let at = At { t: step.t, y: &stages.y[..d], p };
        ode.rhs(at, &mut k[..d], &mut scratch.work[0]);
        own.counts.rhs += 1;
        for i in 1..=last {
            method.solve_stage(ode, p, i, stages, scratch)?;
        }
        stages.evaluated = last + 1;
        y.copy_from_slice(stages.y(last));
        Ok(())
    }

    fn error_norm(
        &self,
        _ode: &O,
        _p: &[f64],
        y_next: &[f64],
        tolerances: &Tolerances,
        taken: Taken<'_, f64, O, Self>,
    ) -> f64 {
        let Taken { stages, scratch } = taken;
        let (h, Coefficients { error, .. }) =
            (stages.h(), &self.for_step(stages.step).coefficients);
        let StageScratch { k, k_bar, terms, .. } = &mut scratch.stages;
        error.weighted_sum(k_bar, h, if stages.k.is_empty() { k } else { &stages.k }, terms);
        // No embedded method of this family is L-stable; unfiltered, stiff components would be
        // taken for errors (Hairer & Wanner, Solving ODEs II, eq. IV.8.20).
        scratch.lu.solve(k_bar);
        weighted_rms_norm(k_bar, stages.y(0), y_next, &tolerances.atol, tolerances.rtol)
    }

    fn complete(&self, _ode: &O, _p: &[f64], _taken: Taken<'_, f64, O, Self>) {}
}

impl<O: Vjp> AdjointStepper<O> for Esdirk {
    fn stage_bars<'a>(&self, scratch: &'a mut Self::Scratch) -> Option<&'a mut StageScratch<f64>> {
        Some(&mut scratch.stages)
    }

    fn seed(
        &self,
        theta: f64,
        w: &[f64],
        taken: Taken<'_, f64, O, Self>,
        t_next_bar: Option<&mut f64>,
    ) {
        let Taken { stages, scratch } = taken;
        let coefficients = &self.for_step(stages.step).coefficients;
        scratch.stages.seed(coefficients, theta, w, stages, t_next_bar);
    }

    fn step_adjoint(
        &self,
        ode: &O,
        p: &[f64],
        taken: Taken<'_, f64, O, Self>,
        mut bars: StepBars<'_, f64>,
    ) -> Result<(), StepFailure> {
        let Taken { stages, scratch } = taken;
        let method = self.for_step(stages.step);
        let (coefficients, h) = (&method.coefficients, stages.h());
        scratch.stages.begin_adjoint(coefficients, bars.lambda);
        for i in (0..coefficients.stages).rev() {
            if !scratch.stages.gather(coefficients, i, h) {
                continue;
            }
            let at = At { t: stages.step.at(coefficients.c[i]), y: stages.y(i), p };
            if i > 0 {
                method.factorize(ode, p, i, stages, scratch)?;
                let has_cost = scratch.stages.has_cost(i);
                let (k_bar, y_bar) = scratch.stages.bars(i);
                if has_cost {
                    add_scaled(k_bar, h * method.gamma, y_bar);
                }
                scratch.lu.solve_transpose(k_bar);
            }
            let EsdirkScratch { stages: own, residual: dy, work, .. } = &mut *scratch;
            ode.rhs(at, dy, &mut work[i]);
            let ((k_bar, y), mut t_bar) = (own.bars(i), 0.0);
            ode.vjp(at, k_bar, Bars { y, p: bars.p_bar, t: &mut t_bar }, &mut work[i]);
            own.counts.rhs += 1;
            own.counts.vjp += 1;
            if let Some(bar) = &mut bars.t_next_bar {
                **bar += dot(&own.k_bar, stages.k(i, own)) / h + coefficients.c[i] * t_bar;
            }
        }
        scratch.stages.finish_adjoint(coefficients, bars.lambda);
        Ok(())
    }
}

impl<O: Jacobian + Jvp> TangentStepper<O> for Esdirk {
    fn step_tangent(
        &self,
        ode: &O,
        p: &[f64],
        p_dot: &[f64],
        taken: Taken<'_, f64, O, Self>,
        y_dot: &mut [f64],
    ) -> Result<(), StepFailure> {
        let Taken { stages, scratch } = taken;
        let method = self.for_step(stages.step);
        let (Coefficients { rows, c, b, .. }, d, h) =
            (&method.coefficients, stages.dim, stages.h());
        let mut k_dot = vec![0.0; method.coefficients.stages * d];
        let mut stage_dot = vec![0.0; d];
        for i in 0..method.coefficients.stages {
            rows[i].combine(&mut stage_dot, y_dot, h, &k_dot, &mut scratch.stages.terms);
            if i > 0 {
                method.factorize(ode, p, i, stages, scratch)?;
            }
            let at = At { t: stages.step.at(c[i]), y: stages.y(i), p };
            let out = &mut k_dot[i * d..(i + 1) * d];
            ode.rhs(at, &mut scratch.residual, &mut scratch.work[i]);
            ode.jvp(at, Dots { y: &stage_dot, p: p_dot }, out, &mut scratch.work[i]);
            if i > 0 {
                scratch.lu.solve(out);
            }
        }
        let start = y_dot.to_vec();
        b.combine(y_dot, &start, h, &k_dot, &mut scratch.stages.terms);
        Ok(())
    }
}
