//! The reverse sweep by several workers: one reverses, others compute states again ahead of it.

use std::thread::{self, ScopedJoinHandle};

use super::order::{Order, Stopped};
use super::queue::{ActionQueue, Orders, Turns};
use super::shared::{Restored, SharedSlots, take_state};
use super::sweep::{Sweep, check_keeps_tapes};
use super::walker::{Place, Walker};
use super::{Gradient, Halt, stiff};
use crate::error::{Error, ScheduleError, SnapshotError};
use crate::method::stepper::Counts;
use crate::numbers::scalar::Scalar;
use crate::recurrence::{Advanced, Chain, OnlineChain};
use crate::schedule::{Effect, Keep, Machine, OnWorker, OnlineWorkerSchedule, WorkerSchedule};

/// Reverses a chain of known length.
pub(super) fn reverse<S: Scalar>(
    mut sweep: Sweep<'_, S>,
    chain: &dyn Chain<S>,
    p: &[S],
    schedule: &mut dyn WorkerSchedule,
) -> Result<Gradient<S>, Error> {
    let mut slots = SharedSlots::new();
    slots.grow(schedule.num_slots());
    let (count, steps) = (schedule.num_workers(), chain.num_steps());
    let workers = Workers { chain, p, count, slots: &slots };
    let machine = Machine::new(count).of_chain(steps, steps);
    let mut queue = ActionQueue::new(schedule, machine, Turns::default());
    let helped = workers.follow(&mut sweep, &queue)?;
    sweep.count_schedule(queue.bytes());
    workers.finish(sweep, helped)
}

/// Reverses a run whose length shows at its end: several workers serve the reverse sweep.
pub(super) fn reverse_online<S: Scalar>(
    mut sweep: Sweep<'_, S>,
    run: &mut dyn OnlineChain<S>,
    p: &[S],
    schedule: &mut dyn OnlineWorkerSchedule,
) -> Result<Gradient<S>, Halt> {
    let (mut slots, mut turns) = (SharedSlots::new(), Turns::default());
    let count = schedule.num_workers();
    sweep.machine = Machine::new(count);
    let mut before = sweep.walker.y.clone();
    loop {
        let Some(OnWorker { worker, action }) = schedule.next() else {
            return Err(ScheduleError::FirstSweep.into());
        };
        match sweep.machine.apply(worker, action)? {
            Effect::Advanced { from, to } if to == from + 1 => {
                before.copy_from_slice(&sweep.walker.y);
                match sweep.advance_run(run)? {
                    Advanced::Step => {}
                    Advanced::End => break,
                    Advanced::Stiff => return Err(stiff(run)),
                }
            }
            effect @ Effect::Stored { step, slot, keep: Keep::State, .. } => {
                slots.grow(slot + 1);
                // Nobody stops the only worker.
                let _ = slots.store(slot, &turns.alone(effect), step, &mut sweep.walker.y);
            }
            _ => return Err(ScheduleError::FirstSweep.into()),
        }
    }
    let chain = run.chain();
    let first_sweep = schedule.bytes() + turns.bytes();
    schedule.end(chain.num_steps());
    sweep.end(chain.num_steps(), &before);
    drop(before);
    slots.grow(schedule.num_slots());
    let workers = Workers { chain, p, count, slots: &slots };
    let machine = std::mem::replace(&mut sweep.machine, Machine::new(1));
    let mut queue = ActionQueue::new(schedule, machine, turns);
    let helped = workers.follow(&mut sweep, &queue)?;
    // What the first sweep kept is handed over to the reverse sweep.
    sweep.count_schedule(first_sweep + queue.bytes());
    let mut gradient = workers.finish(sweep, helped)?;
    gradient.stats.rejected = run.rejected();
    Ok(gradient)
}

/// Why a worker ended early.
enum Ended {
    Failed(Error),
    Stopped,
}

impl From<Error> for Ended {
    fn from(error: Error) -> Self {
        Ended::Failed(error)
    }
}

impl From<SnapshotError> for Ended {
    fn from(error: SnapshotError) -> Self {
        Ended::Failed(error.into())
    }
}

impl From<Stopped> for Ended {
    fn from(Stopped: Stopped) -> Self {
        Ended::Stopped
    }
}

/// What the workers beside the first did.
#[derive(Clone, Copy, Default)]
struct Helped {
    steps: u64,
    counts: Counts,
}

/// What all workers share.
struct Workers<'a, S> {
    chain: &'a dyn Chain<S>,
    p: &'a [S],
    count: usize,
    slots: &'a SharedSlots<S>,
}

impl<S: Scalar> Workers<'_, S> {
    fn follow(&self, sweep: &mut Sweep<'_, S>, queue: &ActionQueue<'_>) -> Result<Helped, Error> {
        thread::scope(|scope| {
            let helper = |worker| move || self.worker_loop(worker, queue);
            let helpers: Vec<_> =
                (1..self.count).map(|worker| scope.spawn(helper(worker))).collect();
            let ended = self.main_loop(sweep, queue);
            let mut helped = Ok(Helped::default());
            for helper in helpers {
                helped = both(helped, join(helper));
            }
            match (ended, helped) {
                (Err(Ended::Failed(error)), _) | (_, Err(Ended::Failed(error))) => Err(error),
                (Ok(()), Ok(helped)) => {
                    queue.check_end()?;
                    Ok(helped)
                }
                // One that stops has been stopped by another's error.
                (Err(Ended::Stopped), _) | (_, Err(Ended::Stopped)) => Err(Error::Stopped),
            }
        })
    }

    /// The first worker, which reverses.
    fn main_loop(&self, sweep: &mut Sweep<'_, S>, queue: &ActionQueue<'_>) -> Result<(), Ended> {
        let stop = StopUnlessDone { slots: self.slots, queue };
        let mut orders = Orders::of(queue, 0);
        while let Some(order) = orders.next()? {
            match order.effect {
                Effect::Advanced { from, to } => {
                    for from in from..to {
                        self.go_on()?;
                        let effect = Effect::Advanced { from, to: from + 1 };
                        sweep.perform(self.chain, effect, false)?;
                    }
                }
                Effect::Reversed { .. } => sweep.perform(self.chain, order.effect, false)?,
                _ => {
                    sweep.read_current(self.chain);
                    self.synchronise(&order, &mut sweep.walker)?;
                }
            }
            sweep.tell_progress();
        }
        stop.done();
        Ok(())
    }

    /// Another worker.
    fn worker_loop(&self, worker: usize, queue: &ActionQueue<'_>) -> Result<Helped, Ended> {
        let stop = StopUnlessDone { slots: self.slots, queue };
        let mut walker = Walker::new(self.chain);
        let mut orders = Orders::of(queue, worker);
        while let Some(order) = orders.next()? {
            match order.effect {
                Effect::Advanced { from, to } => {
                    for n in from..to {
                        self.go_on()?;
                        walker.step(self.chain, self.p, n)?;
                    }
                }
                _ => self.synchronise(&order, &mut walker)?,
            }
        }
        stop.done();
        Ok(Helped { steps: walker.taken, counts: self.chain.counts(&walker.scratch) })
    }

    /// Ends the worker where the others were stopped.
    fn go_on(&self) -> Result<(), Stopped> {
        if self.slots.are_stopped() { Err(Stopped) } else { Ok(()) }
    }

    /// Has a worker keep or restore a state or a tape, or free a slot, when it is that slot's turn.
    fn synchronise(&self, order: &Order, walker: &mut Walker<S>) -> Result<(), Ended> {
        if let Effect::Stored { slot, .. } = order.effect {
            self.slots.check(slot)?;
        }
        match order.effect {
            Effect::Stored { step, slot, keep: Keep::State, .. } => {
                self.slots.store(slot, order, step, &mut walker.y)?;
            }
            Effect::Stored { step, slot, keep: Keep::Tape, .. } => {
                check_keeps_tapes(self.chain).map_err(Error::from)?;
                self.slots.store_tape(slot, order, step, self.chain, &mut walker.tape)?;
            }
            Effect::Restored { step, slot, .. } => {
                let take = |restored: Restored<'_, S>| match restored {
                    Restored::State(held) => {
                        take_state(order, held, &mut walker.y);
                        walker.place = Place::State;
                    }
                    Restored::Tape(tape) => walker.load(self.chain, tape),
                };
                self.slots.restore(slot, order, step, take)??;
            }
            Effect::Freed { slot, .. } => self.slots.free(slot, order)?,
            Effect::Advanced { .. } | Effect::Reversed { .. } => {}
        }
        Ok(())
    }

    fn finish(&self, mut sweep: Sweep<'_, S>, helped: Helped) -> Result<Gradient<S>, Error> {
        sweep.walker.taken += helped.steps;
        let mut gradient = sweep.finish(self.chain)?;
        let own = self.chain.largest_tape_bytes() + self.chain.scratch_bytes();
        let worker = own + self.chain.dim() * S::BYTES;
        let snapshots = self.slots.bytes_peak(self.chain);
        let stats = &mut gradient.stats;
        stats.rhs += helped.counts.rhs;
        stats.vjp += helped.counts.vjp;
        stats.jacobians += helped.counts.jacobians;
        stats.factorizations += helped.counts.factorizations;
        stats.snapshots_peak = self.slots.in_use_peak() as u64;
        stats.snapshot_bytes_peak = snapshots as u64;
        let held = snapshots + self.slots.table_bytes() + (self.count - 1) * worker;
        stats.peak_bytes += held as u64;
        Ok(gradient)
    }
}

/// Stops the other workers when one fails or panics.
struct StopUnlessDone<'a, 'q, S: Scalar> {
    slots: &'a SharedSlots<S>,
    queue: &'a ActionQueue<'q>,
}

impl<S: Scalar> StopUnlessDone<'_, '_, S> {
    fn done(self) {
        std::mem::forget(self);
    }
}

impl<S: Scalar> Drop for StopUnlessDone<'_, '_, S> {
    fn drop(&mut self) {
        self.slots.stop();
        self.queue.stop();
    }
}

/// What a worker did; its panic goes on here.
fn join(helper: ScopedJoinHandle<'_, Result<Helped, Ended>>) -> Result<Helped, Ended> {
    helper.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// What two workers did; of two ends, the failure.
fn both(one: Result<Helped, Ended>, other: Result<Helped, Ended>) -> Result<Helped, Ended> {
    match (one, other) {
        (Ok(one), Ok(other)) => {
            let (steps, counts) = (one.steps + other.steps, one.counts + other.counts);
            Ok(Helped { steps, counts })
        }
        (Err(Ended::Stopped), other) | (Ok(_), other) => other,
        (failed, _) => failed,
    }
}
