//! The reverse sweep on several threads: one reverses, others compute states again ahead of it.

use std::thread::{self, ScopedJoinHandle};

use num_traits::Zero;

use super::cells::{Cells, Held, Stopped, take_state};
use super::dispatch::{Dispatch, Order, Orders};
use super::sweep::Sweep;
use super::{Gradient, Progress};
use crate::error::{Error, SnapshotError};
use crate::recurrence::{Frontier, Recurrence, ScalarOf};
use crate::scalar::Scalar;
use crate::schedule::{Action, Keep, LaneSchedule, OnlineLaneSchedule};
use crate::snapshot::MemoryStore;
use crate::stepper::Counts;

/// The [`gradient`](super::gradient) of a chain of known length, with a thread for each lane of
/// `schedule` and the states in memory. Lane 0 is the calling thread.
///
/// The bits are those of [`gradient`](super::gradient): J and the adjoint are lane 0's alone, and
/// the other lanes take steps, which are pure, and hand over their states or their tapes.
///
/// Handing a state over costs some microseconds, and more where a lane has to be woken: with steps
/// of less than about 10 µs, one lane is faster.
///
/// ```
/// use costate::adjoint::{gradient, gradient_on_lanes};
/// use costate::grid::TimeGrid;
/// use costate::model::Model;
/// use costate::recurrence::Discretization;
/// use costate::schedule::{LaneCosts, Pair, Revolve};
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
/// let pair = Pair::new(50, 4, LaneCosts::USUAL)?;
/// let g = gradient_on_lanes(&chain, &[1.0], pair, &|_| {})?;
/// let one = gradient(&chain, &[1.0], Revolve::new(50, 4)?, &mut MemoryStore::new())?;
/// assert_eq!(g.wrt_params, one.wrt_params);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As [`gradient`](super::gradient). An error on one lane stops the others; a panic too, and goes
/// on in the caller.
pub fn gradient_on_lanes<R: Recurrence>(
    chain: &R,
    p: &[R::Scalar],
    schedule: impl LaneSchedule,
    observe: &dyn Fn(Progress),
) -> Result<Gradient<R::Scalar>, Error> {
    let mut unused = MemoryStore::new();
    let mut sweep = Sweep::start(chain, p, &mut unused)?;
    let mut cells = Cells::new();
    cells.grow(schedule.num_slots());
    let lanes = Lanes { chain, p, num_lanes: schedule.num_lanes(), cells: &cells };
    let mut dispatch = Dispatch::new(schedule);
    let helped = lanes.follow(&mut sweep, &dispatch, observe)?;
    sweep.note_schedule(dispatch.bytes());
    lanes.finish(sweep, helped)
}

/// The [`gradient_online`](super::gradient_online) of a chain whose length shows when its end is
/// reached: lanes serve the reverse sweep.
///
/// # Errors
/// As [`gradient_on_lanes`].
pub fn gradient_online_on_lanes<F: Frontier>(
    frontier: &mut F,
    p: &[ScalarOf<F>],
    schedule: impl OnlineLaneSchedule,
    observe: &dyn Fn(Progress),
) -> Result<Gradient<ScalarOf<F>>, Error> {
    let mut unused = MemoryStore::new();
    let mut sweep = Sweep::start_online(frontier, p, &mut unused)?;
    let (mut cells, mut dispatch) = (Cells::new(), Dispatch::new(schedule));
    let mut before = sweep.y.clone();
    loop {
        match dispatch.first() {
            Some((0, Order { action: Action::Advance { .. }, .. })) => {
                before.copy_from_slice(&sweep.y);
                let ended = frontier.extend(p, &mut sweep.y, &mut sweep.tape)?;
                sweep.count_step(frontier.chain())?;
                observe(sweep.progress());
                if ended {
                    break;
                }
            }
            Some((0, order @ Order { action: Action::Store { step, slot, .. }, .. }))
                if sweep.current() == Some(step) =>
            {
                cells.grow(slot + 1);
                // Nobody stops the only lane.
                let _ = cells.store(slot, &order, step, &mut sweep.y);
            }
            Some((lane, order)) => {
                let what = format!("{:?} on lane {lane}", order.action);
                return Err(sweep.misled(&what, frontier.chain()));
            }
            None => return Err(sweep.misled("nothing more", frontier.chain())),
        }
    }
    let chain = frontier.chain();
    let first_sweep = dispatch.bytes();
    dispatch.schedule().end(chain.num_steps());
    sweep.step_back(&before);
    drop(before);
    cells.grow(dispatch.schedule().num_slots());
    let num_lanes = dispatch.schedule().num_lanes();
    let lanes = Lanes { chain, p, num_lanes, cells: &cells };
    let helped = lanes.follow(&mut sweep, &dispatch, observe)?;
    // What the first sweep kept is handed over to the reverse sweep.
    sweep.note_schedule(first_sweep + dispatch.bytes());
    let mut gradient = lanes.finish(sweep, helped)?;
    gradient.stats.rejected = frontier.rejected();
    Ok(gradient)
}

/// Why a lane ended early.
enum Halt {
    Failed(Error),
    Stopped,
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Halt::Failed(error)
    }
}

impl From<SnapshotError> for Halt {
    fn from(error: SnapshotError) -> Self {
        Halt::Failed(error.into())
    }
}

impl From<Stopped> for Halt {
    fn from(Stopped: Stopped) -> Self {
        Halt::Stopped
    }
}

/// What the lanes beside lane 0 did.
#[derive(Clone, Copy, Default)]
struct Helped {
    steps: u64,
    counts: Counts,
}

/// What all lanes share.
struct Lanes<'a, R: Recurrence> {
    chain: &'a R,
    p: &'a [R::Scalar],
    num_lanes: usize,
    cells: &'a Cells<R>,
}

impl<R: Recurrence> Lanes<'_, R> {
    fn follow<T: LaneSchedule>(
        &self,
        sweep: &mut Sweep<'_, R>,
        dispatch: &Dispatch<T>,
        observe: &dyn Fn(Progress),
    ) -> Result<Helped, Error> {
        thread::scope(|scope| {
            let help = |lane| move || self.help(lane, dispatch);
            let helpers: Vec<_> = (1..self.num_lanes).map(|lane| scope.spawn(help(lane))).collect();
            let led = self.lead(sweep, dispatch, observe);
            let mut helped = Ok(Helped::default());
            for helper in helpers {
                helped = both(helped, join(helper));
            }
            match (led, helped) {
                (Err(Halt::Failed(error)), _) | (_, Err(Halt::Failed(error))) => Err(error),
                (Ok(()), Ok(helped)) if sweep.progress().reversed == self.chain.num_steps() => {
                    Ok(helped)
                }
                _ => Err(sweep.misled("nothing more", self.chain)),
            }
        })
    }

    /// Lane 0.
    fn lead<T: LaneSchedule>(
        &self,
        sweep: &mut Sweep<'_, R>,
        dispatch: &Dispatch<T>,
        observe: &dyn Fn(Progress),
    ) -> Result<(), Halt> {
        let stop = StopUnlessDone { cells: self.cells, dispatch };
        let mut orders = Orders::of(dispatch, 0);
        while let Some(order) = orders.next()? {
            match order.action {
                Action::Advance { from, to } => {
                    for step in from..to {
                        self.look()?;
                        let action = Action::Advance { from: step, to: step + 1 };
                        sweep.apply(self.chain, action)?;
                    }
                }
                Action::Reverse { .. } => sweep.apply(self.chain, order.action)?,
                Action::Restore { step, slot } if self.cells.has(slot) => {
                    let take = |held: Held<'_, R>| match held {
                        Held::State(y) => {
                            take_state(&order, y, &mut sweep.y);
                            sweep.stand_at(Some(step));
                        }
                        Held::Tape(kept) => sweep.stand_at_tape(self.chain, step, kept),
                    };
                    self.cells.restore(slot, &order, step, take)??;
                }
                _ => {
                    sweep.read_current(self.chain);
                    if !self.meet(&order, sweep.current(), &mut sweep.y)? {
                        let action = format!("{:?}", order.action);
                        return Err(sweep.misled(&action, self.chain).into());
                    }
                }
            }
            observe(sweep.progress());
        }
        stop.done();
        Ok(())
    }

    /// Another lane.
    fn help<T: LaneSchedule>(&self, lane: usize, dispatch: &Dispatch<T>) -> Result<Helped, Halt> {
        let stop = StopUnlessDone { cells: self.cells, dispatch };
        let (mut y, mut tape) = (vec![R::Scalar::zero(); self.chain.dim()], self.chain.tape());
        let (mut current, mut on_tape, mut steps) = (None, None, 0);
        let mut orders = Orders::of(dispatch, lane);
        while let Some(order) = orders.next()? {
            let may = match order.action {
                Action::Advance { from, to }
                    if current == Some(from) && from < to && to <= self.chain.num_steps() =>
                {
                    for step in from..to {
                        self.look()?;
                        self.chain.step(step, self.p, &mut y, &mut tape)?;
                        steps += 1;
                    }
                    (current, on_tape) = (Some(to), Some(to - 1));
                    true
                }
                Action::Store { step, slot, keep: Keep::Tape }
                    if on_tape.take() == Some(step)
                        && current == Some(step + 1)
                        && self.cells.has(slot) =>
                {
                    self.cells.store_tape(slot, &order, step, self.chain, &mut tape)?
                }
                Action::Restore { step, slot } if self.cells.has(slot) => {
                    current = Some(step);
                    let take = |held: Held<'_, R>| match held {
                        Held::State(held) => {
                            take_state(&order, held, &mut y);
                            true
                        }
                        // Lane 0 alone applies adjoints.
                        Held::Tape(_) => false,
                    };
                    self.cells.restore(slot, &order, step, take)??
                }
                _ => self.meet(&order, current, &mut y)?,
            };
            if !may {
                let action = format!("{:?} on lane {lane}", order.action);
                let (reversed, steps) = (0, self.chain.num_steps());
                return Err(Error::Schedule { action, current, reversed, steps }.into());
            }
        }
        stop.done();
        Ok(Helped { steps, counts: self.chain.counts(&tape) })
    }

    /// Ends the lane where the others were stopped.
    fn look(&self) -> Result<(), Stopped> {
        if self.cells.are_stopped() { Err(Stopped) } else { Ok(()) }
    }

    /// Has a lane with this current state keep it, or free a slot. Returns whether it may.
    fn meet(
        &self,
        order: &Order,
        current: Option<usize>,
        y: &mut Vec<R::Scalar>,
    ) -> Result<bool, Halt> {
        match order.action {
            Action::Store { step, slot, keep: Keep::State }
                if current == Some(step) && self.cells.has(slot) =>
            {
                self.cells.store(slot, order, step, y)?;
            }
            Action::Free { slot } if self.cells.has(slot) => self.cells.free(slot, order)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn finish(
        &self,
        mut sweep: Sweep<'_, R>,
        helped: Helped,
    ) -> Result<Gradient<R::Scalar>, Error> {
        sweep.count_help(helped.steps);
        let mut gradient = sweep.finish(self.chain)?;
        let (dim, tape) = (self.chain.dim(), self.chain.tape_bytes());
        let lane = tape + dim * <R::Scalar as Scalar>::BYTES;
        let snapshots = self.cells.bytes_peak(self.chain);
        let stats = &mut gradient.stats;
        stats.rhs += helped.counts.rhs;
        stats.vjp += helped.counts.vjp;
        stats.jacobians += helped.counts.jacobians;
        stats.factorizations += helped.counts.factorizations;
        stats.snapshots_peak = self.cells.in_use_peak() as u64;
        stats.snapshot_bytes_peak = snapshots as u64;
        let held = snapshots + self.cells.table_bytes() + (self.num_lanes - 1) * lane;
        stats.peak_bytes += held as u64;
        Ok(gradient)
    }
}

/// Stops the other lanes when a lane fails or panics.
struct StopUnlessDone<'a, R: Recurrence, T: LaneSchedule> {
    cells: &'a Cells<R>,
    dispatch: &'a Dispatch<T>,
}

impl<R: Recurrence, T: LaneSchedule> StopUnlessDone<'_, R, T> {
    fn done(self) {
        std::mem::forget(self);
    }
}

impl<R: Recurrence, T: LaneSchedule> Drop for StopUnlessDone<'_, R, T> {
    fn drop(&mut self) {
        self.cells.stop();
        self.dispatch.stop();
    }
}

/// What a lane did; its panic goes on here.
fn join(helper: ScopedJoinHandle<'_, Result<Helped, Halt>>) -> Result<Helped, Halt> {
    helper.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// What two lanes did; of two ends, the failure.
fn both(one: Result<Helped, Halt>, other: Result<Helped, Halt>) -> Result<Helped, Halt> {
    match (one, other) {
        (Ok(one), Ok(other)) => {
            let (steps, counts) = (one.steps + other.steps, one.counts + other.counts);
            Ok(Helped { steps, counts })
        }
        (Err(Halt::Stopped), other) | (Ok(_), other) => other,
        (failed, _) => failed,
    }
}
