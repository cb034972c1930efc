//! The way back over one segment, from a kept state to the kept state before it.

use std::ops::Range;

use super::augmented::{Augmented, AugmentedWork};
use super::{Cause, DRIFT};
use crate::error::{Error, check_length};
use crate::method::continuous::{absolute_tolerances, largest, quadrature_error};
use crate::method::control::{Control, ControlState, Controlled, StepController, Stops};
use crate::method::stepper::{
    Counts, ExplicitRk, Slopes, StageScratch, Stages, Stepper, Taken, Tolerances, add_scaled, dot,
};
use crate::numbers::linalg::weighted_rms_norm;
use crate::ode::grid::Span;
use crate::ode::objective::Objective;
use crate::ode::{At, Bars, Ode, Vjp};
use crate::recurrence::{Adjoint, Chain};

/// The tolerance of the way back, relative to that of the run: what drift there is is the run's.
const TIGHTER: f64 = 0.1;
/// The least relative tolerance that rounding leaves room for.
const LEAST: f64 = 1e-14;
/// Attempts allowed on the way back for each step of the run, and beyond.
const ATTEMPTS: usize = 10;
const MORE_ATTEMPTS: usize = 100;
/// A backward state this many times as large as any of the run is on no way to the kept one.
const ASTRAY: f64 = 10.0;

/// The steps `from`, …, `to`−1 of a run.
pub(super) struct Segment {
    pub steps: Range<usize>,
    pub span: Span,
    /// Whether it ends the run.
    pub last: bool,
    /// The point terms in (start, end].
    points: Range<usize>,
    /// The length of its last step.
    last_step: f64,
}

impl Segment {
    pub fn new(chain: &dyn Chain, steps: Range<usize>, times: &[f64]) -> Self {
        let span = Span { start: chain.time(steps.start), end: chain.time(steps.end) };
        let last = steps.end == chain.num_steps();
        let from = times.partition_point(|&t| t <= span.start);
        let to = if last { times.len() } else { times.partition_point(|&t| t <= span.end) };
        let last_step = span.end - chain.time(steps.end - 1);
        Segment { steps, span, last, points: from..to, last_step }
    }

    /// The time of the last point term before t, or the start.
    fn before(&self, t: f64, times: &[f64]) -> f64 {
        let before = times[self.points.clone()].iter().rev().find(|&&time| time < t);
        before.copied().unwrap_or(self.span.start)
    }
}

type Work<O, J> = AugmentedWork<<O as Ode>::Work, <J as Objective>::Scratch>;

/// The integration of (y, λ, p̄) backward, and what it needs.
pub(super) struct Backward<'a, O: Vjp, J: Objective + ?Sized> {
    method: &'a ExplicitRk,
    tolerances: &'a Tolerances,
    augmented: Augmented<'a, O, J>,
    p: &'a [f64],
    control: Control,
    stages: Stages<f64, Work<O, J>>,
    step_scratch: StageScratch<f64>,
    /// y and λ.
    z: Vec<f64>,
    /// The largest |y_i| met in the segment.
    extent: Vec<f64>,
    /// dy/dt or r_y.
    rate: Vec<f64>,
    p_rate: Vec<f64>,
    work: O::Work,
    scratch: J::Scratch,
}

impl<'a, O: Vjp, J: Objective + ?Sized> Backward<'a, O, J> {
    pub fn new(
        method: &'a ExplicitRk,
        tolerances: &'a Tolerances,
        (ode, objective): (&'a O, &'a J),
        p: &'a [f64],
    ) -> Result<Self, Error> {
        let d = ode.dim();
        let augmented = Augmented { span: Span { start: 0.0, end: 0.0 }, ode, objective };
        let mut atol = match tolerances.atol[..] {
            [atol] => vec![TIGHTER * atol; d],
            ref each => each.iter().map(|atol| TIGHTER * atol).collect(),
        };
        check_length("the list of absolute tolerances", atol.len(), d)?;
        atol.resize(2 * d, f64::MIN_POSITIVE);
        let rtol = (TIGHTER * tolerances.rtol).max(LEAST);
        let control = Control::new(Tolerances { rtol, atol })?;
        control.check(method, &augmented)?;
        Ok(Backward {
            method,
            tolerances,
            p,
            control: Control { stop_if_stiff: true, ..control },
            stages: method.stages(&augmented, Slopes::Overwritten),
            step_scratch: method.scratch(&augmented, Slopes::Overwritten, 0),
            z: vec![0.0; 2 * d],
            extent: vec![0.0; d],
            rate: vec![0.0; d],
            p_rate: vec![0.0; ode.num_params()],
            work: ode.work(),
            scratch: objective.scratch(),
            augmented,
        })
    }

    /// The times of the point terms.
    pub fn times(&self) -> &[f64] {
        self.augmented.objective.times()
    }

    pub fn counts(&self) -> Counts {
        let rhs = self.step_scratch.counts.rhs;
        Counts { rhs, vjp: rhs, ..Counts::default() }
    }

    pub fn bytes(&self) -> usize {
        let vectors = [&self.z, &self.extent, &self.rate, &self.p_rate];
        let tolerances = &self.control.tolerances.atol;
        let numbers = tolerances.len() + vectors.map(Vec::len).iter().sum::<usize>();
        let Augmented { ode, objective, .. } = &self.augmented;
        // Where λ jumps, in a list and in that of the stops, which grows.
        let jumps = 4 * objective.times().len();
        let scratch = ode.work_bytes() + objective.scratch_bytes();
        let slopes = Slopes::Overwritten;
        self.method.stages_bytes(&self.augmented, slopes)
            + self.method.scratch_bytes(&self.augmented, slopes, 0)
            + scratch
            + 8 * (numbers + jumps)
    }

    /// Goes back from the kept state `y_end` to the segment's start and compares with the state
    /// `y_start` kept there; no state of the run is larger than `size`. Where it fails, `adjoint`
    /// is of no use.
    pub fn over(
        &mut self,
        segment: &Segment,
        y_end: &[f64],
        y_start: &[f64],
        size: f64,
        adjoint: &mut Adjoint<f64>,
    ) -> Result<(), Cause> {
        let (d, Span { start, end }) = (y_end.len(), segment.span);
        self.z[..d].copy_from_slice(y_end);
        self.z[d..].copy_from_slice(&adjoint.lambda);
        self.extent.iter_mut().zip(y_start).for_each(|(e, y)| *e = y.abs());
        self.add_points(segment, end, adjoint);
        if segment.last {
            adjoint.end_time_bar += self.end_time_rate(end);
        }
        self.control.first_step = Some(segment.last_step);
        self.control.max_steps = segment.steps.len().saturating_mul(ATTEMPTS) + MORE_ATTEMPTS;
        let mut state = ControlState::new(0.0);
        let (mut end, mut h) = (end, segment.last_step);
        while end > start {
            let from = segment.before(end, self.augmented.objective.times());
            self.augmented.span = Span { start: from, end };
            let span = Span { start: 0.0, end: end - from };
            let mut stops = Stops::at_each(&[], span);
            state.t = span.start;
            while state.t < span.end {
                self.weigh_lambda(self.augmented.time(state.t), h);
                h = self.advance(&mut state, &mut stops, &mut adjoint.p_bar)?;
                self.note_extent(self.augmented.time(state.t), size)?;
            }
            self.add_points(segment, from, adjoint);
            end = from;
        }
        adjoint.lambda.copy_from_slice(&self.z[d..]);
        self.compare(y_start, segment.steps.len())
    }

    /// Takes a step and returns its length.
    fn advance(
        &mut self,
        state: &mut ControlState,
        stops: &mut Stops,
        p_bar: &mut [f64],
    ) -> Result<f64, Cause> {
        let Backward { method, augmented, p, control, stages, step_scratch, z, .. } = self;
        let (method, rtol): (&ExplicitRk, _) = (method, control.tolerances.rtol);
        let error_beside = |stages: &Stages<f64, Work<O, J>>, _: &StageScratch<f64>, _| {
            let coefficients = Stepper::<Augmented<'_, O, J>>::largest(method);
            let (h, works) = (stages.step.h(), &stages.work[..]);
            quadrature_error(coefficients, h, works, |w| &w.p_rate, (rtol, 0.0), (p, p_bar))
        };
        let controller = StepController {
            control,
            stepper: method,
            ode: &*augmented,
            p,
            observe: &|_| {},
            error_beside: Some(&error_beside),
        };
        let taken = Taken { stages, scratch: step_scratch };
        let step = match controller.advance(state, stops, z, taken) {
            Ok(Controlled::Taken(step)) => step,
            Ok(Controlled::Stiff) => return Err(Cause::Stiff { t: augmented.time(state.t) }),
            Err(_) => return Err(Cause::GaveUp { t: augmented.time(state.t) }),
        };
        for (i, b) in Stepper::<Augmented<'_, O, J>>::largest(method).b.iter() {
            add_scaled(p_bar, step.h() * b, &stages.work[i].p_rate);
        }
        Ok(step.h())
    }

    /// Sets λ's absolute tolerances by the sizes of its entries, now or soon through the running
    /// cost.
    fn weigh_lambda(&mut self, t: f64, h: f64) {
        let objective = self.augmented.objective;
        let (y, lambda) = self.z.split_at(self.rate.len());
        let Tolerances { rtol, atol } = &mut self.control.tolerances;
        let sizes = &mut atol[y.len()..];
        sizes.iter_mut().zip(lambda).for_each(|(size, lambda)| *size = lambda.abs());
        if objective.has_integrand() {
            let (r_y, r_p, mut r_t) = (&mut self.rate, &mut self.p_rate, 0.0);
            r_y.fill(0.0);
            let bars = Bars { y: r_y, p: r_p, t: &mut r_t };
            objective.integrand_vjp(At { t, y, p: self.p }, 1.0, bars, &mut self.scratch);
            sizes.iter_mut().zip(r_y).for_each(|(size, r_y)| *size = size.max(h * r_y.abs()));
        }
        absolute_tolerances(sizes, *rtol, |j| y[j].abs());
    }

    /// λᵀf + r at the end of the run.
    fn end_time_rate(&mut self, t: f64) -> f64 {
        let Augmented { ode, objective, .. } = self.augmented;
        let (y, lambda) = self.z.split_at(self.rate.len());
        ode.rhs(At { t, y, p: self.p }, &mut self.rate, &mut self.work);
        dot(lambda, &self.rate) + objective.integrand(At { t, y, p: self.p }, &mut self.scratch)
    }

    /// Adds the point terms at t to λ and p̄.
    fn add_points(&mut self, segment: &Segment, t: f64, adjoint: &mut Adjoint<f64>) {
        let objective = self.augmented.objective;
        let (y, lambda) = self.z.split_at_mut(self.rate.len());
        for i in segment.points.clone() {
            if objective.times()[i].min(segment.span.end) == t {
                let (p_bar, mut t_bar) = (&mut adjoint.p_bar, 0.0);
                let scratch = &mut self.scratch;
                let bars = Bars { y: lambda, p: p_bar, t: &mut t_bar };
                objective.point_vjp(i, At { t, y, p: self.p }, bars, scratch);
                if segment.last && t == segment.span.end {
                    adjoint.end_time_bar += t_bar;
                }
            }
        }
    }

    fn note_extent(&mut self, t: f64, size: f64) -> Result<(), Cause> {
        let y = &self.z[..self.rate.len()];
        self.extent.iter_mut().zip(y).for_each(|(e, y)| *e = e.max(y.abs()));
        if largest(y) <= ASTRAY * size { Ok(()) } else { Err(Cause::Astray { t }) }
    }

    /// Fails where the state has drifted from the kept one further than the run's own steps could
    /// have taken it.
    fn compare(&mut self, y_start: &[f64], steps: usize) -> Result<(), Cause> {
        let difference = &mut self.rate;
        for (to, (z, y)) in difference.iter_mut().zip(self.z.iter().zip(y_start)) {
            *to = z - y;
        }
        let Tolerances { rtol, atol } = self.tolerances;
        let drift = weighted_rms_norm(difference, &self.extent, &self.extent, atol, *rtol);
        let allowed = DRIFT * steps as f64;
        if drift <= allowed { Ok(()) } else { Err(Cause::Drift { drift, allowed }) }
    }
}
