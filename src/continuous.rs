//! The continuous adjoint: instead of the step's own adjoint, the differential equation
//!
//! λ' = −f_yᵀ λ − r_y,  p̄' = −f_pᵀ λ − r_p,
//!
//! is integrated from t_{n+1} back to t_n under its own error control, y(t) read from the forward
//! step's dense output; seeds w of points inside the step make λ jump by w (Cao, Li, Petzold &
//! Serban, SIAM J. Sci. Comput. 24 (2003), doi 10.1137/S1064827501380630). Its gradient tends to
//! that of the exact solution as the tolerances fall, but is not that of the computed one.

use crate::control::{Control, ControlState, Controlled, Stops};
use crate::error::StepFailure;
use crate::grid::{Span, Step};
use crate::linalg::{Matrix, Structure};
use crate::objective::Objective;
use crate::ode::{Jacobian, Jvp, Ode, Vjp};
use crate::stepper::stages::{Scheme, Sparse, Stages, add_scaled, dot};
use crate::stepper::{
    AdjointStepper, Bars, Counts, Esdirk, EsdirkTape, ExplicitRk, Part, Stepper, TangentStepper,
    Tolerances,
};

/// What of a tolerance, relative to the largest entry, is the absolute tolerance of λ and p̄.
pub(crate) const ABSOLUTE: f64 = 1e-2;
/// Over less than this part of the step, the polynomial y(t) hardly bends and λ is resolved by its
/// own error control: the quadrature has nothing to see but rounding, which may be all that a
/// stiff step's interpolant leaves near the step's end.
const SHORT: f64 = 1e-4;

/// A method whose adjoint is that of the differential equation.
///
/// ```
/// use costate::adjoint::gradient;
/// use costate::continuous::Continuous;
/// use costate::grid::TimeGrid;
/// use costate::model::Model;
/// use costate::recurrence::Discretization;
/// use costate::schedule::Revolve;
/// use costate::snapshot::MemoryStore;
/// use costate::stepper::ExplicitRk;
/// use costate::tableau::{DOP853, TSIT5};
///
/// let decay = Model::trace(1, 1, |_t, y, p| [-&p[0] * &y[0]])
///     .initial(|_p| [1.0.into()])
///     .terminal(|y, _p| y[0].clone())
///     .build()?;
/// let grid = TimeGrid::Uniform { start: 0.0, end: 1.0, steps: 50 };
/// let stepper = Continuous::new(ExplicitRk::new(&DOP853), ExplicitRk::new(&TSIT5), 1e-10);
/// let chain = Discretization::new(&decay, &decay, &decay, stepper, grid)?;
/// let g = gradient(&chain, &[1.0], Revolve::new(50, 4)?, &mut MemoryStore::new())?;
/// assert!((g.wrt_params[0] + (-1.0_f64).exp()).abs() < 1e-9);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Continuous<M, A> {
    forward: M,
    backward: A,
    rtol: f64,
}

/// The forward step's tape, and the seeds inside it.
#[derive(Debug)]
pub struct ContinuousTape<T> {
    forward: T,
    step: Step,
    counts: Counts,
    /// θ of the seeds.
    thetas: Vec<f64>,
    /// The seeds by rows.
    seeds: Vec<f64>,
}

impl<M, A> Continuous<M, A> {
    /// Integrates forward by `forward` and the adjoint equation by `backward`, at relative
    /// tolerance `rtol`.
    pub fn new(forward: M, backward: A, rtol: f64) -> Self {
        Continuous { forward, backward, rtol }
    }
}

/// λ' over the reversed time τ = −t: dλ/dτ = f_yᵀ λ + r_y.
pub struct AdjointOde<'a, O: Ode, M: Stepper<O>, J> {
    ode: &'a O,
    forward: &'a M,
    tape: &'a M::Tape,
    step: Step,
    p: &'a [f64],
    objective: &'a J,
}

/// The state at a time, what f left there, and f_pᵀλ + r_p.
pub struct AdjointWork<W, C> {
    inner: W,
    scratch: C,
    y: Vec<f64>,
    dy: Vec<f64>,
    p_rate: Vec<f64>,
    jacobian: Option<Matrix>,
}

impl<O: Ode, M: Stepper<O>, J> AdjointOde<'_, O, M, J> {
    /// Reads the state at time −τ.
    fn read(&self, tau: f64, y: &mut [f64]) -> f64 {
        let t = (-tau).clamp(self.step.t, self.step.t_next);
        self.forward.dense(self.step.fraction(t), self.tape, y);
        t
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

impl<O: Vjp + Jacobian, M: Stepper<O>, J: Objective> Jacobian for AdjointOde<'_, O, M, J> {
    fn structure(&self) -> Structure {
        self.ode.structure().transposed()
    }

    fn jacobian(
        &self,
        tau: f64,
        _lambda: &[f64],
        p: &[f64],
        out: &mut Matrix,
        work: &mut Self::Work,
    ) {
        let t = self.read(tau, &mut work.y);
        let zeros = || Matrix::zeros(self.ode.dim(), self.ode.structure());
        let forward = work.jacobian.get_or_insert_with(zeros);
        self.ode.jacobian(t, &work.y, p, forward, &mut work.inner);
        forward.transpose_into(out);
    }
}

/// A method that can integrate the adjoint equation of models of type `O`.
pub trait Backward<O: Vjp>: Clone + Send + Sync {
    /// Integrates over the step, from λ = dJ/dy_{n+1} to dJ/dy_n.
    fn backward<M: Stepper<O>, J: Objective>(
        &self,
        adjoint: &AdjointOde<'_, O, M, J>,
        seeds: Seeds<'_>,
        rtol: f64,
        lambda: &mut [f64],
        p_bar: &mut [f64],
    ) -> Result<Counts, StepFailure>;
}

/// Seeds at θ, by rows.
#[derive(Clone, Copy)]
pub struct Seeds<'a> {
    thetas: &'a [f64],
    rows: &'a [f64],
}

impl<O: Vjp> Backward<O> for ExplicitRk {
    fn backward<M: Stepper<O>, J: Objective>(
        &self,
        adjoint: &AdjointOde<'_, O, M, J>,
        seeds: Seeds<'_>,
        rtol: f64,
        lambda: &mut [f64],
        p_bar: &mut [f64],
    ) -> Result<Counts, StepFailure> {
        integrate(self, adjoint, seeds, rtol, lambda, p_bar)
    }
}

impl<O: Vjp + Jacobian> Backward<O> for Esdirk {
    fn backward<M: Stepper<O>, J: Objective>(
        &self,
        adjoint: &AdjointOde<'_, O, M, J>,
        seeds: Seeds<'_>,
        rtol: f64,
        lambda: &mut [f64],
        p_bar: &mut [f64],
    ) -> Result<Counts, StepFailure> {
        integrate(self, adjoint, seeds, rtol, lambda, p_bar)
    }
}

/// A Runge–Kutta method whose stages can be looked at.
trait Staged<O: Ode>: Stepper<O> {
    fn scheme(&self) -> &Scheme<f64>;
    fn stages<'a>(&self, tape: &'a Self::Tape) -> &'a Stages<f64, O::Work>;
}

impl<O: Ode> Staged<O> for ExplicitRk {
    fn scheme(&self) -> &Scheme<f64> {
        &self.scheme
    }
    fn stages<'a>(&self, tape: &'a Stages<f64, O::Work>) -> &'a Stages<f64, O::Work> {
        tape
    }
}

impl<O: Jacobian> Staged<O> for Esdirk {
    fn scheme(&self) -> &Scheme<f64> {
        &self.scheme
    }
    fn stages<'a>(&self, tape: &'a EsdirkTape<O::Work>) -> &'a Stages<f64, O::Work> {
        &tape.stages
    }
}

fn integrate<'a, O, M, J, A>(
    method: &A,
    adjoint: &AdjointOde<'a, O, M, J>,
    seeds: Seeds<'_>,
    rtol: f64,
    lambda: &mut [f64],
    p_bar: &mut [f64],
) -> Result<Counts, StepFailure>
where
    O: Vjp,
    M: Stepper<O>,
    J: Objective,
    A: Staged<AdjointOde<'a, O, M, J>>,
{
    let step = adjoint.step;
    let mut tape = method.tape(adjoint);
    let atol = absolute_tolerance(adjoint, seeds, rtol, lambda);
    let mut control =
        Control::new(Tolerances { rtol, atol: vec![atol] }).map_err(|_| StepFailure::Backward)?;
    // The guess follows from the forward step alone, so that this step's adjoint does too.
    control.first_step = Some(step.h());
    let tau = |theta: f64| -step.at(theta);
    let mut jumps: Vec<f64> = seeds.thetas.iter().map(|&theta| tau(theta)).collect();
    jumps.sort_by(f64::total_cmp);
    let mut stops = Stops::at_each(&jumps, Span { start: -step.t_next, end: -step.t });
    let mut state = ControlState::new(-step.t_next);
    while state.t < -step.t {
        let error_beside = |tape: &A::Tape| {
            let (scheme, stages) = (method.scheme(), method.stages(tape));
            let seen = stages.h() > SHORT * step.h();
            if seen { quadrature_error(scheme, stages, |w| &w.p_rate, rtol, p_bar) } else { 0.0 }
        };
        let controlled = Controlled {
            control: &control,
            stepper: method,
            ode: adjoint,
            p: adjoint.p,
            observe: &|_| {},
            error_beside: Some(&error_beside),
        };
        controlled
            .advance(&mut state, &mut stops, lambda, &mut tape)
            .map_err(|_| StepFailure::Backward)?;
        let (scheme, stages) = (method.scheme(), method.stages(&tape));
        for (i, b) in scheme.b.iter() {
            add_scaled(p_bar, stages.h() * b, &stages.work[i].p_rate);
        }
        for (row, _) in seeds
            .rows
            .chunks_exact(lambda.len())
            .zip(seeds.thetas)
            .filter(|(_, theta)| tau(**theta) == state.t)
        {
            add_scaled(lambda, 1.0, row);
        }
    }
    let counts = method.counts(&tape);
    Ok(Counts { vjp: counts.rhs, ..counts })
}

/// The absolute tolerance of λ: relative to its largest entry, now, through the seeds, or through
/// the running cost, and no less than what rounding of y(t) does to λ.
fn absolute_tolerance<O: Vjp, M: Stepper<O>, J: Objective>(
    adjoint: &AdjointOde<'_, O, M, J>,
    seeds: Seeds<'_>,
    rtol: f64,
    lambda: &[f64],
) -> f64 {
    let (through_cost, noise) =
        if adjoint.objective.has_integrand() { reached(adjoint) } else { (0.0, 0.0) };
    let size = largest(lambda).max(largest(seeds.rows)).max(through_cost);
    (ABSOLUTE * rtol * size).max(noise).max(f64::MIN_POSITIVE)
}

pub(crate) fn largest(x: &[f64]) -> f64 {
    x.iter().fold(0.0_f64, |m, x| m.max(x.abs()))
}

/// Where in a step its running cost is looked at. A stiff step's interpolant may be far larger
/// inside the step than at its ends.
const LOOKED_AT: [f64; 5] = [1.0, 0.75, 0.5, 0.25, 0.0];

/// About how far the running cost brings λ from zero, and how far rounding of y(t) does: h r_y
/// where the step is short, r_y over the rate of decay where λ follows r_y and h r_y would be far
/// too much.
fn reached<O: Vjp, M: Stepper<O>, J: Objective>(adjoint: &AdjointOde<'_, O, M, J>) -> (f64, f64) {
    let (d, h) = (adjoint.ode.dim(), adjoint.step.h());
    let mut work = adjoint.work();
    let mut slopes = |tau: f64, lambda: &[f64]| {
        let mut rate = vec![0.0; d];
        adjoint.rhs(tau, lambda, adjoint.p, &mut rate, &mut work);
        rate
    };
    let taus = LOOKED_AT.map(|theta| -adjoint.step.at(theta));
    let zero = vec![0.0; d];
    let costs = taus.map(|tau| (tau, slopes(tau, &zero)));
    let larger = |a: &(f64, Vec<f64>), b: &(f64, Vec<f64>)| largest(&a.1).total_cmp(&largest(&b.1));
    let Some((tau, cost)) = costs.into_iter().max_by(larger) else { return (0.0, 0.0) };
    let noise = noise(adjoint, &taus);
    // Where r_y is nothing but rounding or zero, any direction tells the rate of decay.
    let probe = if largest(&cost) > 0.0 { cost.clone() } else { vec![1.0; d] };
    let lambda: Vec<f64> = probe.iter().map(|rate| h * rate).collect();
    let change: Vec<f64> = slopes(tau, &lambda).iter().zip(&cost).map(|(a, b)| a - b).collect();
    let (rate, change) = (largest(&probe), largest(&change));
    let time = h * if change > rate { rate / change } else { 1.0 };
    (time * largest(&cost), time * noise)
}

/// The change of r_y at some times by as much as y(t) may be wrong through rounding: y_n + h Σ b_i k_i
/// is rounded at the size of its terms, and of a stiff step's h k they cancel.
fn noise<O: Vjp, M: Stepper<O>, J: Objective>(
    adjoint: &AdjointOde<'_, O, M, J>,
    taus: &[f64],
) -> f64 {
    const ULPS: f64 = 8.0;
    let AdjointOde { ode, objective, p, step, .. } = *adjoint;
    let (d, h, mut work) = (ode.dim(), step.h(), ode.work());
    let (mut scratch, mut p_bar, mut t_bar) = (objective.scratch(), vec![0.0; p.len()], 0.0);
    let (mut y, mut slope, mut shift) = (vec![0.0; d], vec![0.0; d], vec![0.0_f64; d]);
    for &tau in taus {
        let t = adjoint.read(tau, &mut y);
        ode.rhs(t, &y, p, &mut slope, &mut work);
        for (i, shift) in shift.iter_mut().enumerate() {
            *shift = shift.max(ULPS * f64::EPSILON * y[i].abs().max(h * slope[i].abs()));
        }
    }
    // With both signs, so that the effect on a difference of two states is seen.
    shift.iter_mut().skip(1).step_by(2).for_each(|shift| *shift = -*shift);
    let mut change_at = |&tau: &f64| {
        let (t, mut change) = (adjoint.read(tau, &mut y), vec![0.0; d]);
        let mut add = |y: &[f64], w: f64| {
            objective.integrand_vjp(t, y, p, w, &mut change, &mut p_bar, &mut t_bar, &mut scratch);
        };
        add(&y, -1.0);
        add_scaled(&mut y, 1.0, &shift);
        add(&y, 1.0);
        largest(&change)
    };
    taus.iter().map(&mut change_at).fold(0.0, f64::max)
}

/// The error norm of p̄'s increment over a step, whose rates the stages left in their work; infinite
/// where one is not a number.
pub(crate) fn quadrature_error<W>(
    scheme: &Scheme<f64>,
    stages: &Stages<f64, W>,
    p_rate: impl Fn(&W) -> &[f64],
    rtol: f64,
    p_bar: &[f64],
) -> f64 {
    // Sums over stages run along the parameters, block by block, for the vector units.
    const BLOCK: usize = 64;
    let h = stages.h();
    let sum = |row: &Sparse<f64>, from: usize, count: usize| -> [f64; BLOCK] {
        let mut sums = [0.0; BLOCK];
        for (i, w) in row.iter() {
            let rates = &p_rate(&stages.work[i])[from..from + count];
            sums.iter_mut().zip(rates).for_each(|(sum, rate)| *sum += h * w * rate);
        }
        sums
    };
    let blocks = || p_bar.chunks(BLOCK).enumerate().map(|(k, block)| (k * BLOCK, block));
    let weight = |(p_bar, increment): (&f64, &f64)| p_bar.abs() + increment.abs();
    let largest = blocks().fold(0.0_f64, |largest, (from, block)| {
        let increment = sum(&scheme.b, from, block.len());
        let larger = |m: f64, x: f64| if x > m || x.is_nan() { x } else { m };
        block.iter().zip(&increment).map(weight).fold(largest, larger)
    });
    if largest == 0.0 {
        return 0.0;
    }
    let squares = blocks().map(|(from, block)| -> f64 {
        let increment = sum(&scheme.b, from, block.len());
        let error = sum(&scheme.error, from, block.len());
        let allowed = block.iter().zip(&increment).map(|x| rtol * (weight(x) + ABSOLUTE * largest));
        error.iter().zip(allowed).map(|(error, allowed)| (error / allowed).powi(2)).sum()
    });
    let norm = (squares.sum::<f64>() / p_bar.len() as f64).sqrt();
    if norm.is_nan() { f64::INFINITY } else { norm }
}

impl<O: Ode, M: Stepper<O>, A: Clone + Send + Sync> Stepper<O> for Continuous<M, A> {
    type Tape = ContinuousTape<M::Tape>;

    fn name(&self) -> &'static str {
        self.forward.name()
    }

    fn order(&self) -> u32 {
        self.forward.order()
    }

    fn embedded_order(&self) -> Option<u32> {
        self.forward.embedded_order()
    }

    fn dense_order(&self) -> u32 {
        self.forward.dense_order()
    }

    fn tape(&self, ode: &O) -> Self::Tape {
        ContinuousTape {
            forward: self.forward.tape(ode),
            step: Step { t: f64::NAN, t_next: f64::NAN },
            counts: Counts::default(),
            thetas: Vec::new(),
            seeds: Vec::new(),
        }
    }

    fn tape_bytes(&self, ode: &O) -> usize {
        // The backward integration holds about as much as a step.
        2 * self.forward.tape_bytes(ode)
    }

    fn kept_tape(&self, ode: &O, _part: Part) -> Self::Tape {
        ContinuousTape {
            forward: self.forward.kept_tape(ode, Part::StatesAndSlopes),
            step: Step { t: f64::NAN, t_next: f64::NAN },
            counts: Counts::default(),
            thetas: Vec::new(),
            seeds: Vec::new(),
        }
    }

    fn kept_tape_bytes(&self, ode: &O, _part: Part) -> usize {
        size_of::<Self::Tape>() + self.forward.kept_tape_bytes(ode, Part::StatesAndSlopes)
    }

    /// The adjoint reads the dense output, which needs the slopes.
    fn exchange(&self, _part: Part, tape: &mut Self::Tape, kept: &mut Self::Tape) {
        self.forward.exchange(Part::StatesAndSlopes, &mut tape.forward, &mut kept.forward);
        std::mem::swap(&mut tape.step, &mut kept.step);
        tape.thetas.clear();
        tape.seeds.clear();
    }

    fn step(
        &self,
        ode: &O,
        p: &[f64],
        step: Step,
        y: &mut [f64],
        tape: &mut Self::Tape,
    ) -> Result<(), StepFailure> {
        tape.step = step;
        tape.thetas.clear();
        tape.seeds.clear();
        self.forward.step(ode, p, step, y, &mut tape.forward)
    }

    fn error_norm(
        &self,
        ode: &O,
        p: &[f64],
        y_next: &[f64],
        tolerances: &Tolerances,
        tape: &mut Self::Tape,
    ) -> f64 {
        self.forward.error_norm(ode, p, y_next, tolerances, &mut tape.forward)
    }

    fn worst_component(&self, y_next: &[f64], tolerances: &Tolerances, tape: &Self::Tape) -> usize {
        self.forward.worst_component(y_next, tolerances, &tape.forward)
    }

    fn complete(&self, ode: &O, p: &[f64], tape: &mut Self::Tape) {
        self.forward.complete(ode, p, &mut tape.forward);
    }

    fn dense(&self, theta: f64, tape: &Self::Tape, out: &mut [f64]) {
        self.forward.dense(theta, &tape.forward, out);
    }

    fn num_quadrature(&self) -> usize {
        self.forward.num_quadrature()
    }

    fn quadrature<'a>(&self, i: usize, tape: &'a Self::Tape) -> (f64, f64, &'a [f64]) {
        self.forward.quadrature(i, &tape.forward)
    }

    fn start<'a>(&self, tape: &'a Self::Tape) -> &'a [f64] {
        self.forward.start(&tape.forward)
    }

    fn stiffness(&self, tape: &Self::Tape) -> Option<f64> {
        self.forward.stiffness(&tape.forward)
    }

    fn counts(&self, tape: &Self::Tape) -> Counts {
        self.forward.counts(&tape.forward) + tape.counts
    }
}

impl<O: Vjp, M: Stepper<O>, A: Backward<O>> AdjointStepper<O> for Continuous<M, A> {
    fn seed(&self, theta: f64, w: &[f64], tape: &mut Self::Tape, _t_next_bar: Option<&mut f64>) {
        tape.thetas.push(theta);
        tape.seeds.extend_from_slice(w);
    }

    fn step_adjoint<J: Objective>(
        &self,
        ode: &O,
        p: &[f64],
        objective: &J,
        scratch: &mut J::Scratch,
        tape: &mut Self::Tape,
        bars: Bars<'_, f64>,
    ) -> Result<(), StepFailure> {
        self.forward.complete(ode, p, &mut tape.forward);
        let step = tape.step;
        if let Some(bar) = bars.t_next_bar {
            let (mut y, mut dy) = (vec![0.0; ode.dim()], vec![0.0; ode.dim()]);
            self.forward.dense(1.0, &tape.forward, &mut y);
            ode.rhs(step.t_next, &y, p, &mut dy, &mut ode.work());
            *bar += dot(bars.lambda, &dy) + objective.integrand(step.t_next, &y, p, scratch);
        }
        let adjoint =
            AdjointOde { ode, forward: &self.forward, tape: &tape.forward, step, p, objective };
        let seeds = Seeds { thetas: &tape.thetas, rows: &tape.seeds };
        let counts = self.backward.backward(&adjoint, seeds, self.rtol, bars.lambda, bars.p_bar)?;
        tape.counts = tape.counts + counts;
        Ok(())
    }
}

impl<O: Jvp, M: TangentStepper<O>, A: Clone + Send + Sync> TangentStepper<O> for Continuous<M, A> {
    fn step_tangent(
        &self,
        ode: &O,
        p: &[f64],
        p_dot: &[f64],
        tape: &mut Self::Tape,
        y_dot: &mut [f64],
    ) -> Result<(), StepFailure> {
        self.forward.step_tangent(ode, p, p_dot, &mut tape.forward, y_dot)
    }
}
