//! The reverse sweep: one loop over the actions of a schedule.

mod ahead;
mod cells;
mod dispatch;
mod lanes;
mod slots;
mod stats;
mod sweep;

pub use lanes::{gradient_on_lanes, gradient_online_on_lanes};
pub use stats::{Progress, Stats};
pub(crate) use sweep::{NOTE_COPIES, check_derivatives, check_state, check_value};

use crate::error::Error;
use crate::journal::{Journal, Phase};
use crate::recurrence::{Frontier, Recurrence, ScalarOf};
use crate::schedule::{Action, OnlineSchedule, Schedule};
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
/// let chain = Discretization::new(&decay, &decay, &decay, ExplicitRk::new(&RK4)?, grid)?;
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
    value_observed(chain, p, &|_| {})
}

/// [`value`], telling `observe` of every step done.
///
/// # Errors
/// As [`gradient`].
pub fn value_observed<R: Recurrence>(
    chain: &R,
    p: &[R::Scalar],
    observe: &dyn Fn(Progress),
) -> Result<(R::Scalar, Stats), Error> {
    let mut store = MemoryStore::new();
    let mut sweep = Sweep::start(chain, p, &mut store)?;
    for n in 0..chain.num_steps() {
        sweep.apply(chain, Action::Advance { from: n, to: n + 1 })?;
        observe(sweep.progress());
    }
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
    value_online_until(frontier, p, observe, &|| false)
}

/// As [`value_online`], unless it is to `stop`.
pub(crate) fn value_online_until<F: Frontier>(
    frontier: &mut F,
    p: &[ScalarOf<F>],
    observe: &dyn Fn(Progress),
    stop: &dyn Fn() -> bool,
) -> Result<(ScalarOf<F>, Stats), Error> {
    let mut store = MemoryStore::new();
    let mut sweep = Sweep::start_online(frontier, p, &mut store)?;
    while !frontier.extend(p, &mut sweep.y, &mut sweep.tape)? {
        sweep.count_step(frontier.chain())?;
        observe(sweep.progress());
        if stop() {
            return Err(Error::Stopped);
        }
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
    schedule: impl OnlineSchedule,
    store: &mut dyn SnapshotStore<ScalarOf<F>>,
    observe: &dyn Fn(Progress),
) -> Result<Gradient<ScalarOf<F>>, Error> {
    let sweep = Sweep::start_online(frontier, p, store)?;
    to_the_end_and_back(sweep, frontier, p, schedule, observe)
}

/// As [`gradient_observed`], its position noted in `journal`; goes on from `phase` where there is
/// one, `schedule` being the rest.
///
/// # Errors
/// As [`gradient`], and where the journal cannot be written.
pub fn gradient_noted<R: Recurrence>(
    chain: &R,
    p: &[R::Scalar],
    schedule: impl Schedule,
    store: &mut dyn SnapshotStore<R::Scalar>,
    observe: &dyn Fn(Progress),
    noted: Noted<'_>,
) -> Result<Gradient<R::Scalar>, Error> {
    let mut sweep = Sweep::start(chain, p, store)?;
    sweep.note_in(chain, noted)?;
    sweep.follow(chain, schedule, observe)?;
    sweep.finish(chain)
}

/// As [`gradient_online`], its position noted in `journal`; goes on from `phase`, one of the first
/// sweep, where there is one, `frontier` and `schedule` being the rest.
///
/// # Errors
/// As [`gradient`], and where the journal cannot be written.
pub fn gradient_online_noted<F: Frontier>(
    frontier: &mut F,
    p: &[ScalarOf<F>],
    schedule: impl OnlineSchedule,
    store: &mut dyn SnapshotStore<ScalarOf<F>>,
    observe: &dyn Fn(Progress),
    noted: Noted<'_>,
) -> Result<Gradient<ScalarOf<F>>, Error> {
    let mut sweep = Sweep::start_online(frontier, p, store)?;
    sweep.note_in(frontier.chain(), noted)?;
    to_the_end_and_back(sweep, frontier, p, schedule, observe)
}

/// Where a gradient notes its position, and the one that it goes on from.
pub struct Noted<'a> {
    /// The notes.
    pub journal: &'a mut Journal,
    /// Where a killed run stood.
    pub from: Option<&'a Phase>,
    /// What the journal does not know of the chain's steps.
    pub log: Vec<u64>,
    /// What error control ended with, where it has.
    pub control: Vec<u64>,
    /// Fails where a sweep holds more than it may, of which the times of its steps are so many bytes;
    /// asked where its length is known.
    pub limit: &'a dyn Fn(&Stats, usize) -> Result<(), Error>,
    /// Whether the sweep is to end, its position noted.
    pub stop: &'a dyn Fn() -> bool,
}

fn to_the_end_and_back<F: Frontier>(
    mut sweep: Sweep<'_, F::Chain>,
    frontier: &mut F,
    p: &[ScalarOf<F>],
    mut schedule: impl OnlineSchedule,
    observe: &dyn Fn(Progress),
) -> Result<Gradient<ScalarOf<F>>, Error> {
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
                if let Some(known) = sweep.due() {
                    sweep.note_forward(&frontier.log(known), frontier.control())?;
                }
            }
            Some(action) => sweep.apply(frontier.chain(), action)?,
            None => return Err(sweep.misled("nothing more", frontier.chain())),
        }
    }
    let first_sweep = schedule.bytes();
    schedule.end(frontier.chain().num_steps());
    // What the first sweep kept is handed over to the reverse sweep.
    sweep.note_schedule(first_sweep + schedule.bytes());
    sweep.step_back(&before);
    drop(before);
    let control = frontier.control();
    sweep.note_turn(frontier.chain(), |known| frontier.log(known), control)?;
    sweep.follow(frontier.chain(), schedule, observe)?;
    let mut gradient = sweep.finish(frontier.chain())?;
    gradient.stats.rejected = frontier.rejected();
    Ok(gradient)
}
