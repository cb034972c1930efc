//! The reverse sweep: one loop over the actions of a schedule.

pub mod journal;

mod order;
mod stats;

mod closeness;
mod observer;

mod look_ahead;
mod shared;
mod slots;
mod walker;

mod queue;
mod sweep;

mod noted;
mod workers;

pub mod backsolve;

pub(crate) use noted::NOTE_COPIES;
pub use noted::Noted;
pub use observer::{Observer, Progress, Standing};
pub use stats::Stats;
pub(crate) use sweep::{check_derivatives, check_state, check_value};

use crate::adjoint::journal::Phase;
use crate::error::{Error, JournalError, ScheduleError, SnapshotError};
use crate::numbers::scalar::Scalar;
use crate::recurrence::{Advanced, Chain, OnlineChain};
use crate::schedule::{
    Action, KeptState, Machine, OnlineSchedule, OnlineWorkerSchedule, Schedule, WorkerSchedule,
};
use crate::snapshot::{MemoryStore, SnapshotStore};
use sweep::Sweep;

/// J and its derivatives.
#[derive(Clone, Debug, PartialEq)]
pub struct Gradient<S = f64> {
    /// J.
    pub value: S,
    /// dJ/dy_0 at fixed p (d).
    pub wrt_y0: Vec<S>,
    /// dJ/dp, the way through y_0(p) included (m).
    pub wrt_params: Vec<S>,
    /// dJ/dt_N: the effect of moving the end of the last step alone. Not finite where f or the
    /// objective is not differentiable by time there.
    pub wrt_end_time: S,
    /// What it cost.
    pub stats: Stats,
}

/// The gradient of a chain of known length, its states kept as `schedule` says in `store`.
///
/// The bits do not depend on `schedule` or `store`.
///
/// ```
/// use costate::adjoint::gradient;
/// use costate::ode::grid::TimeGrid;
/// use costate::model::Model;
/// use costate::recurrence::Discretization;
/// use costate::schedule::Revolve;
/// use costate::snapshot::MemoryStore;
/// use costate::method::stepper::ExplicitRk;
/// use costate::method::tableau::RK4;
///
/// let decay = Model::trace(1, 1, |_t, y, p| [-&p[0] * &y[0]])
///     .initial(|_p| [1.0.into()])
///     .terminal(|y, _p| y[0].clone())
///     .build()?;
/// let grid = TimeGrid::Uniform { start: 0.0, end: 1.0, steps: 50 };
/// let chain = Discretization::new(&decay, &decay, &decay, ExplicitRk::new(&RK4)?, grid)?;
/// let g = gradient(&chain, &[1.0], Revolve::new(50, 4)?, &mut MemoryStore::new())?;
/// assert!((g.wrt_params[0] + (-1.0_f64).exp()).abs() < 1e-8);
/// assert_eq!(g.stats.snapshots_peak, 4);
/// # Ok::<(), costate::Error>(())
/// ```
///
/// # Errors
/// Where a step fails, a number is not finite, the store fails, or the schedule is not one of this
/// chain's length.
pub fn gradient<S: Scalar>(
    chain: &dyn Chain<S>,
    p: &[S],
    mut schedule: impl Schedule,
    store: &mut dyn SnapshotStore<S>,
) -> Result<Gradient<S>, Error> {
    Reversal::new(p).gradient(chain, &mut schedule, store)
}

/// J alone: the same bits as [`gradient`] gives, and what it cost.
///
/// # Errors
/// As [`gradient`].
pub fn value<S: Scalar>(chain: &dyn Chain<S>, p: &[S]) -> Result<(S, Stats), Error> {
    let (mut silent, mut unused) = (|_| {}, MemoryStore::new());
    let mut sweep = Sweep::start(chain, p, &mut unused, &mut silent)?;
    if chain.num_steps() > 0 {
        sweep.apply(chain, Action::Advance { from: 0, to: chain.num_steps() })?;
    }
    Ok((sweep.value, sweep.stats(chain)))
}

/// Why a reversal ended early.
#[derive(Debug)]
pub enum Halt {
    /// Something failed.
    Failed(Error),
    /// The run is stiff, and was to stop where that shows.
    Stiff {
        /// Number of steps that it took or rejected.
        steps: u64,
        /// Where it stopped.
        t: f64,
    },
}

impl From<Halt> for Error {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::Failed(error) => error,
            Halt::Stiff { steps, t } => Error::Stiff { steps, t },
        }
    }
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Halt::Failed(error)
    }
}

impl From<ScheduleError> for Halt {
    fn from(error: ScheduleError) -> Self {
        Halt::Failed(error.into())
    }
}

impl From<SnapshotError> for Halt {
    fn from(error: SnapshotError) -> Self {
        Halt::Failed(error.into())
    }
}

impl From<JournalError> for Halt {
    fn from(error: JournalError) -> Self {
        Halt::Failed(error.into())
    }
}

/// A reverse sweep at the parameters p: the gradient of a chain or a run.
pub struct Reversal<'a, S: Scalar> {
    p: &'a [S],
    observer: Option<&'a mut dyn Observer<S>>,
    from: Option<(&'a Phase, &'a [KeptState])>,
}

impl<'a, S: Scalar> Reversal<'a, S> {
    /// At these parameters.
    pub fn new(p: &'a [S]) -> Self {
        Reversal { p, observer: None, from: None }
    }

    /// Tells `observer` of every action done.
    pub fn observer(self, observer: &'a mut dyn Observer<S>) -> Self {
        Reversal { observer: Some(observer), ..self }
    }

    /// Goes on from where a reversal stood, whose states `kept` are there, the schedule being the
    /// rest.
    pub fn resume(self, phase: &'a Phase, kept: &'a [KeptState]) -> Self {
        Reversal { from: Some((phase, kept)), ..self }
    }

    /// J and its gradient for a chain of known length, its states kept as `schedule` says in `store`.
    ///
    /// # Errors
    /// As [`gradient`], and those of the observer.
    pub fn gradient(
        self,
        chain: &dyn Chain<S>,
        schedule: &mut dyn Schedule,
        store: &mut dyn SnapshotStore<S>,
    ) -> Result<Gradient<S>, Error> {
        let (mut silent, from) = (|_| {}, self.from);
        let observer = self.observer.unwrap_or(&mut silent);
        let mut sweep = Sweep::start(chain, self.p, store, observer)?;
        let steps = chain.num_steps();
        sweep.machine = Machine::new(1).of_chain(steps, steps);
        if let Some((phase, kept)) = from {
            sweep.resume(chain, phase, kept)?;
        }
        sweep.follow(chain, schedule)?;
        sweep.finish(chain)
    }

    /// J and its gradient for a run whose length shows when its end is reached; its first sweep is
    /// not repeated.
    ///
    /// # Errors
    /// As [`gradient`](Self::gradient), and where the run is stiff and was to stop there.
    pub fn gradient_online(
        self,
        run: &mut dyn OnlineChain<S>,
        schedule: &mut dyn OnlineSchedule,
        store: &mut dyn SnapshotStore<S>,
    ) -> Result<Gradient<S>, Halt> {
        let (mut silent, from) = (|_| {}, self.from);
        let observer = self.observer.unwrap_or(&mut silent);
        let mut sweep = Sweep::start_online(run, self.p, store, observer)?;
        if let Some((phase, kept)) = from {
            sweep.resume(run.chain(), phase, kept)?;
        }
        let mut before = sweep.walker.y.clone();
        loop {
            match schedule.next() {
                Some(action @ Action::Advance { from, to }) if to == from.saturating_add(1) => {
                    sweep.machine.apply(0, action)?;
                    before.copy_from_slice(&sweep.walker.y);
                    match sweep.advance_run(run)? {
                        Advanced::Step => sweep.tell_forward(Some(&*run))?,
                        Advanced::End => break,
                        Advanced::Stiff => return Err(stiff(run)),
                    }
                }
                Some(action @ Action::Store { .. }) => sweep.apply(run.chain(), action)?,
                _ => return Err(ScheduleError::FirstSweep.into()),
            }
        }
        let first_sweep = schedule.bytes();
        schedule.end(run.chain().num_steps());
        // What the first sweep kept is handed over to the reverse sweep.
        sweep.count_schedule(first_sweep + schedule.bytes());
        sweep.end(run.chain().num_steps(), &before);
        drop(before);
        sweep.turn(run)?;
        sweep.follow(run.chain(), schedule)?;
        let mut gradient = sweep.finish(run.chain())?;
        gradient.stats.rejected = run.rejected();
        Ok(gradient)
    }

    /// The [`gradient`] of a chain of known length, with a thread for each worker of
    /// `schedule` and the states in memory. Worker 0 is the calling thread.
    ///
    /// The bits are those of [`gradient`]: J and the adjoint are worker 0's alone, and
    /// the other workers take steps, which are pure, and hand over their states or their tapes.
    ///
    /// Handing a state over costs some microseconds, and more where a worker has to be woken: with steps
    /// of less than about 10 µs, one worker is faster.
    ///
    /// ```
    /// use costate::adjoint::{Reversal, gradient};
    /// use costate::ode::grid::TimeGrid;
    /// use costate::model::Model;
    /// use costate::recurrence::Discretization;
    /// use costate::schedule::{WorkerCosts, TwoProcessor, Revolve};
    /// use costate::snapshot::MemoryStore;
    /// use costate::method::stepper::ExplicitRk;
    /// use costate::method::tableau::RK4;
    ///
    /// let decay = Model::trace(1, 1, |_t, y, p| [-&p[0] * &y[0]])
    ///     .initial(|_p| [1.0.into()])
    ///     .terminal(|y, _p| y[0].clone())
    ///     .build()?;
    /// let grid = TimeGrid::Uniform { start: 0.0, end: 1.0, steps: 50 };
    /// let chain = Discretization::new(&decay, &decay, &decay, ExplicitRk::new(&RK4)?, grid)?;
    /// let mut two = TwoProcessor::new(50, 4, WorkerCosts::USUAL)?;
    /// let g = Reversal::new(&[1.0]).gradient_by_workers(&chain, &mut two)?;
    /// let one = gradient(&chain, &[1.0], Revolve::new(50, 4)?, &mut MemoryStore::new())?;
    /// assert_eq!(g.wrt_params, one.wrt_params);
    /// # Ok::<(), costate::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`gradient`]. An error of one worker stops the others; a panic too, and goes
    /// on in the caller.
    pub fn gradient_by_workers(
        self,
        chain: &dyn Chain<S>,
        schedule: &mut dyn WorkerSchedule,
    ) -> Result<Gradient<S>, Error> {
        let (mut silent, mut unused) = (|_| {}, MemoryStore::new());
        let observer = self.observer.unwrap_or(&mut silent);
        let sweep = Sweep::start(chain, self.p, &mut unused, observer)?;
        workers::reverse(sweep, chain, self.p, schedule)
    }

    /// The [`gradient_online`](Self::gradient_online) of a run whose length shows when its end is
    /// reached: several workers serve the reverse sweep.
    ///
    /// # Errors
    /// As [`gradient_by_workers`](Self::gradient_by_workers), and where the run is stiff and was to
    /// stop there.
    pub fn gradient_online_by_workers(
        self,
        run: &mut dyn OnlineChain<S>,
        schedule: &mut dyn OnlineWorkerSchedule,
    ) -> Result<Gradient<S>, Halt> {
        let (mut silent, mut unused) = (|_| {}, MemoryStore::new());
        let observer = self.observer.unwrap_or(&mut silent);
        let sweep = Sweep::start_online(run, self.p, &mut unused, observer)?;
        workers::reverse_online(sweep, run, self.p, schedule)
    }

    /// J alone: the same bits as a gradient gives, and what it cost. The run then knows all steps.
    ///
    /// # Errors
    /// As [`gradient_online`](Self::gradient_online).
    pub fn value(self, run: &mut dyn OnlineChain<S>) -> Result<(S, Stats), Halt> {
        let (mut silent, mut unused) = (|_| {}, MemoryStore::new());
        let observer = self.observer.unwrap_or(&mut silent);
        let mut sweep = Sweep::start_online(run, self.p, &mut unused, observer)?;
        loop {
            match sweep.advance_run(run)? {
                Advanced::Step => sweep.tell_forward(Some(&*run))?,
                Advanced::End => break,
                Advanced::Stiff => return Err(stiff(run)),
            }
        }
        let stats = Stats { rejected: run.rejected(), ..sweep.stats(run.chain()) };
        Ok((sweep.value, stats))
    }
}

/// Where a run stopped that is stiff; the step that showed it is not in its chain.
pub(crate) fn stiff<S: Scalar>(run: &dyn OnlineChain<S>) -> Halt {
    let taken = run.chain().num_steps();
    Halt::Stiff { steps: taken as u64 + 1 + run.rejected(), t: run.chain().time(taken) }
}
