//! The reverse sweep: one loop over the actions of a schedule.

use std::time::Instant;

use num_traits::{Float, Zero};

use crate::error::{Error, check_length};
use crate::recurrence::{Adjoint, Frontier, Recurrence, ScalarOf};
use crate::scalar::Scalar;
use crate::schedule::{Action, Keep, OnlineSchedule, Schedule};
use crate::snapshot::{MemoryStore, SnapshotStore};

/// J and its derivatives.
#[derive(Clone, Debug, PartialEq)]
pub struct Gradient<S = f64> {
    /// J.
    pub value: S,
    /// dJ/dy_0 at fixed p (d).
    pub wrt_y0: Vec<S>,
    /// dJ/dp, the way through y_0(p) included (m).
    pub wrt_params: Vec<S>,
    /// dJ/dt_N: the effect of moving the end of the last step alone.
    pub wrt_end_time: S,
    /// What it cost.
    pub stats: Stats,
}

/// What a gradient cost.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stats {
    /// N, the steps of the run.
    pub steps: u64,
    /// Attempts that error control rejected.
    pub rejected: u64,
    /// Evaluations of f.
    pub rhs: u64,
    /// Transposed derivative products.
    pub vjp: u64,
    /// Jacobians.
    pub jacobians: u64,
    /// Factorisations.
    pub factorizations: u64,
    /// Steps taken beyond the N accepted ones: those of the reverse sweep, and of a separate
    /// controller pass.
    pub recomputed_steps: u64,
    /// The most slots that held a state at once.
    pub snapshots_peak: u64,
    /// The most bytes of states that slots held at once.
    pub snapshot_bytes_peak: u64,
    /// The most bytes held in all: snapshots, the tape, the times of the steps, and the vectors of
    /// the sweep.
    pub peak_bytes: u64,
    /// Seconds until the first step was reversed.
    pub seconds_forward: f64,
    /// Seconds after that.
    pub seconds_reverse: f64,
}

impl Stats {
    /// Adds what another gradient cost; peaks become the larger of both.
    pub(crate) fn add_member(&mut self, other: &Stats) {
        self.steps += other.steps;
        self.rejected += other.rejected;
        self.rhs += other.rhs;
        self.vjp += other.vjp;
        self.jacobians += other.jacobians;
        self.factorizations += other.factorizations;
        self.recomputed_steps += other.recomputed_steps;
        self.snapshots_peak = self.snapshots_peak.max(other.snapshots_peak);
        self.snapshot_bytes_peak = self.snapshot_bytes_peak.max(other.snapshot_bytes_peak);
        self.peak_bytes = self.peak_bytes.max(other.peak_bytes);
        self.seconds_forward += other.seconds_forward;
        self.seconds_reverse += other.seconds_reverse;
    }

    /// Adds an attempt with another method, whose steps all count as recomputed.
    pub(crate) fn add_abandoned(&mut self, steps: u64, seconds: f64) {
        self.recomputed_steps += steps;
        self.seconds_forward += seconds;
    }

    /// Adds what a separate controller pass cost.
    pub(crate) fn add_pass(&mut self, pass: &Stats) {
        self.rejected += pass.rejected;
        self.rhs += pass.rhs;
        self.jacobians += pass.jacobians;
        self.factorizations += pass.factorizations;
        self.recomputed_steps += pass.steps;
        self.seconds_forward += pass.seconds_forward;
    }
}

/// How far a gradient has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Steps that the first sweep has passed.
    pub forward: usize,
    /// Steps reversed.
    pub reversed: usize,
}

/// The gradient of a chain of known length, its states kept as `schedule` says in `store`.
///
/// The bits do not depend on `schedule` or `store`.
///
/// ```
/// use costate::adjoint::gradient;
/// use costate::grid::TimeGrid;
/// use costate::model::Model;
/// use costate::recurrence::Discretization;
/// use costate::schedule::Revolve;
/// use costate::snapshot::MemoryStore;
/// use costate::stepper::ExplicitRk;
/// use costate::tableau::RK4;
///
/// let decay = Model::trace(1, 1, |_t, y, p| [-&p[0] * &y[0]])
///     .initial(|_p| [1.0.into()])
///     .terminal(|y, _p| y[0].clone())
///     .build()?;
/// let grid = TimeGrid::Uniform { start: 0.0, end: 1.0, steps: 50 };
/// let chain = Discretization::new(&decay, &decay, &decay, ExplicitRk::new(&RK4), grid)?;
/// let g = gradient(&chain, &[1.0], Revolve::new(50, 4)?, &mut MemoryStore::new())?;
/// assert!((g.wrt_params[0] + (-1.0_f64).exp()).abs() < 1e-8);
/// assert_eq!(g.stats.snapshots_peak, 4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Where a step fails, a number is not finite, the store fails, or the schedule is not one of this
/// chain's length.
pub fn gradient<R: Recurrence>(
    chain: &R,
    p: &[R::Scalar],
    schedule: impl Schedule,
    store: &mut dyn SnapshotStore<R::Scalar>,
) -> Result<Gradient<R::Scalar>, Error> {
    gradient_observed(chain, p, schedule, store, &|_| {})
}

/// [`gradient`], telling `observe` of every action done.
///
/// # Errors
/// As [`gradient`].
pub fn gradient_observed<R: Recurrence>(
    chain: &R,
    p: &[R::Scalar],
    schedule: impl Schedule,
    store: &mut dyn SnapshotStore<R::Scalar>,
    observe: &dyn Fn(Progress),
) -> Result<Gradient<R::Scalar>, Error> {
    let mut sweep = Sweep::start(chain, p, store)?;
    sweep.follow(chain, schedule, observe)?;
    sweep.finish(chain)
}

/// J alone: the same bits as [`gradient`] gives, and what it cost.
///
/// # Errors
/// As [`gradient`].
pub fn value<R: Recurrence>(chain: &R, p: &[R::Scalar]) -> Result<(R::Scalar, Stats), Error> {
    let mut store = MemoryStore::new();
    let mut sweep = Sweep::start(chain, p, &mut store)?;
    sweep.apply(chain, Action::Advance { from: 0, to: chain.num_steps() })?;
    Ok((sweep.value, sweep.stats(chain)))
}

/// J alone of a chain whose length shows when its end is reached, and what it cost; the frontier
/// then knows all steps.
///
/// # Errors
/// As [`gradient`].
pub fn value_online<F: Frontier>(
    frontier: &mut F,
    p: &[ScalarOf<F>],
    observe: &dyn Fn(Progress),
) -> Result<(ScalarOf<F>, Stats), Error> {
    let mut store = MemoryStore::new();
    let mut sweep = Sweep::start(frontier.chain(), p, &mut store)?;
    while !frontier.extend(p, &mut sweep.y, &mut sweep.tape)? {
        sweep.count_step(frontier.chain())?;
        observe(sweep.progress());
    }
    sweep.count_step(frontier.chain())?;
    let mut stats = sweep.stats(frontier.chain());
    stats.rejected = frontier.rejected();
    Ok((sweep.value, stats))
}

/// The gradient of a chain whose length shows when its end is reached; its first sweep is not
/// repeated.
///
/// # Errors
/// As [`gradient`].
pub fn gradient_online<F: Frontier>(
    frontier: &mut F,
    p: &[ScalarOf<F>],
    mut schedule: impl OnlineSchedule,
    store: &mut dyn SnapshotStore<ScalarOf<F>>,
    observe: &dyn Fn(Progress),
) -> Result<Gradient<ScalarOf<F>>, Error> {
    let mut sweep = Sweep::start(frontier.chain(), p, store)?;
    let mut before = sweep.y.clone();
    loop {
        match schedule.next() {
            Some(Action::Advance { .. }) => {
                before.copy_from_slice(&sweep.y);
                let ended = frontier.extend(p, &mut sweep.y, &mut sweep.tape)?;
                sweep.count_step(frontier.chain())?;
                observe(sweep.progress());
                if ended {
                    break;
                }
            }
            Some(action) => sweep.apply(frontier.chain(), action)?,
            None => return Err(sweep.misled("nothing more", frontier.chain())),
        }
    }
    schedule.end(frontier.chain().num_steps());
    sweep.y.copy_from_slice(&before);
    sweep.current -= 1;
    sweep.follow(frontier.chain(), schedule, observe)?;
    let mut gradient = sweep.finish(frontier.chain())?;
    gradient.stats.rejected = frontier.rejected();
    Ok(gradient)
}

/// The state of a sweep.
struct Sweep<'a, R: Recurrence> {
    p: &'a [R::Scalar],
    y: Vec<R::Scalar>,
    /// n of the current state y_n.
    current: usize,
    tape: R::Tape,
    store: &'a mut dyn SnapshotStore<R::Scalar>,
    value: R::Scalar,
    /// Steps whose terms are in `value`.
    passed: usize,
    adjoint: Adjoint<R::Scalar>,
    /// Steps reversed.
    reversed: usize,
    /// Steps taken.
    taken: u64,
    begun: Instant,
    turned: Option<Instant>,
}

impl<'a, R: Recurrence> Sweep<'a, R> {
    fn start(
        chain: &R,
        p: &'a [R::Scalar],
        store: &'a mut dyn SnapshotStore<R::Scalar>,
    ) -> Result<Self, Error> {
        check_length("the parameter vector", p.len(), chain.num_params())?;
        let begun = Instant::now();
        let mut y = vec![R::Scalar::zero(); chain.dim()];
        let mut tape = chain.tape();
        let mut value = R::Scalar::zero();
        chain.initial(p, &mut y);
        check_state(chain, 0, 0, &y)?;
        chain.add_initial_value(p, &y, &mut tape, &mut value);
        check_value(chain, 0, 0, value)?;
        let adjoint = Adjoint::zeros(chain.dim(), chain.num_params());
        Ok(Sweep {
            p,
            y,
            current: 0,
            tape,
            store,
            value,
            passed: 0,
            adjoint,
            reversed: 0,
            taken: 0,
            begun,
            turned: None,
        })
    }

    fn follow(
        &mut self,
        chain: &R,
        schedule: impl Schedule,
        observe: &dyn Fn(Progress),
    ) -> Result<(), Error> {
        for action in schedule {
            self.apply(chain, action)?;
            observe(self.progress());
        }
        if self.reversed == chain.num_steps() {
            Ok(())
        } else {
            Err(self.misled("nothing more", chain))
        }
    }

    fn progress(&self) -> Progress {
        Progress { forward: self.passed, reversed: self.reversed }
    }

    fn apply(&mut self, chain: &R, action: Action) -> Result<(), Error> {
        match action {
            Action::Store { step, slot, keep: Keep::State } if step == self.current => {
                self.store.store(slot, step, &self.y)?;
            }
            Action::Restore { step, slot } => {
                self.store.restore(slot, step, &mut self.y)?;
                self.current = step;
            }
            Action::Advance { from, to } if from == self.current && to <= chain.num_steps() => {
                for _ in from..to {
                    self.take(chain)?;
                }
            }
            Action::Reverse { step }
                if step == self.current && step + 1 + self.reversed == chain.num_steps() =>
            {
                self.turned.get_or_insert_with(Instant::now);
                self.take(chain)?;
                chain.step_adjoint(step, self.p, &self.y, &mut self.tape, &mut self.adjoint)?;
                self.reversed += 1;
            }
            _ => return Err(self.misled(&format!("{action:?}"), chain)),
        }
        Ok(())
    }

    fn take(&mut self, chain: &R) -> Result<(), Error> {
        chain.step(self.current, self.p, &mut self.y, &mut self.tape)?;
        self.count_step(chain)
    }

    /// Notes that the current state's step was taken, and adds its terms when it is the first time.
    fn count_step(&mut self, chain: &R) -> Result<(), Error> {
        let n = self.current;
        self.taken += 1;
        self.current += 1;
        if n == self.passed {
            check_state(chain, n, n + 1, &self.y)?;
            chain.add_value(n, self.p, &self.y, &mut self.tape, &mut self.value);
            check_value(chain, n, n + 1, self.value)?;
            self.passed += 1;
        }
        Ok(())
    }

    fn finish(mut self, chain: &R) -> Result<Gradient<R::Scalar>, Error> {
        chain.initial(self.p, &mut self.y);
        chain.initial_terms_adjoint(self.p, &self.y, &mut self.tape, &mut self.adjoint);
        let wrt_y0 = self.adjoint.lambda.clone();
        chain.initial_adjoint(self.p, &mut self.adjoint);
        check_derivatives("state", &wrt_y0)?;
        check_derivatives("parameter", &self.adjoint.p_bar)?;
        let stats = self.stats(chain);
        Ok(Gradient {
            value: self.value,
            wrt_y0,
            wrt_params: self.adjoint.p_bar,
            wrt_end_time: self.adjoint.end_time_bar,
            stats,
        })
    }

    fn stats(&self, chain: &R) -> Stats {
        let now = Instant::now();
        let turned = self.turned.unwrap_or(now);
        let (steps, counts) = (chain.num_steps() as u64, chain.counts(&self.tape));
        let numbers = 3 * chain.dim() + chain.num_params();
        let vectors = numbers * <R::Scalar as Scalar>::BYTES;
        let bytes = self.store.bytes_peak();
        Stats {
            steps,
            rejected: 0,
            rhs: counts.rhs,
            vjp: counts.vjp,
            jacobians: counts.jacobians,
            factorizations: counts.factorizations,
            recomputed_steps: self.taken - steps,
            snapshots_peak: self.store.slots_peak() as u64,
            snapshot_bytes_peak: bytes as u64,
            peak_bytes: (bytes + chain.tape_bytes() + chain.grid_bytes() + vectors) as u64,
            seconds_forward: (turned - self.begun).as_secs_f64(),
            seconds_reverse: (now - turned).as_secs_f64(),
        }
    }

    fn misled(&self, action: &str, chain: &R) -> Error {
        Error::Schedule {
            action: action.into(),
            current: self.current,
            reversed: self.reversed,
            steps: chain.num_steps(),
        }
    }
}

fn check_state<R: Recurrence>(
    chain: &R,
    step: usize,
    at: usize,
    y: &[R::Scalar],
) -> Result<(), Error> {
    match y.iter().position(|y| !y.is_finite()) {
        Some(component) => Err(Error::NotFinite { step, t: chain.time(at), component }),
        None => Ok(()),
    }
}

fn check_value<R: Recurrence>(
    chain: &R,
    step: usize,
    at: usize,
    value: R::Scalar,
) -> Result<(), Error> {
    if value.is_finite() {
        Ok(())
    } else {
        Err(Error::ObjectiveNotFinite { step, t: chain.time(at) })
    }
}

fn check_derivatives<S: Scalar>(what: &'static str, bars: &[S]) -> Result<(), Error> {
    match bars.iter().position(|bar| !bar.is_finite()) {
        Some(index) => Err(Error::GradientNotFinite { what, index }),
        None => Ok(()),
    }
}
