//! What the actions of a schedule mean, over integers: which are legal, and what each does.

mod slots;
#[cfg(test)]
mod tests;

pub use slots::Content;

use super::{Action, Keep, KeptState};
use crate::error::ScheduleError;
use slots::Slots;

/// The current states of one or several workers, and what the slots hold. The driver, the counters
/// and the predictions of time all follow a schedule through it.
///
/// Each worker has a current state and a tape of its own; the slots are shared. Worker 0 alone
/// reverses. Where there are several, the others alone keep tapes, worker 0 alone restores them,
/// and a tape leaves its slot when it is restored; a single worker's tape stays there until its
/// step is reversed, and serves as a state as often as it is restored.
///
/// ```
/// use costate::schedule::{Effect, Machine, Revolve};
/// let (mut machine, mut advances) = (Machine::new(1), 0);
/// for action in Revolve::new(10, 3)? {
///     if let Effect::Advanced { from, to } = machine.apply(0, action)? {
///         advances += to - from;
///     }
/// }
/// assert_eq!((machine.left(), advances), (Some(0), 15));
/// # Ok::<(), costate::error::ScheduleError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Machine {
    workers: Vec<Worker>,
    slots: Slots,
    num_steps: Option<usize>,
    /// Steps not yet reversed, once known.
    left: Option<usize>,
}

/// Where a worker stands.
#[derive(Clone, Copy, Debug, Default)]
struct Worker {
    current: Option<usize>,
    /// The step on its own tape.
    on_tape: Option<usize>,
    /// The slot whose tape its last action restored.
    restored: Option<usize>,
}

/// What an action did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the other fields are the action's own")]
pub enum Effect {
    /// The current state, or the tape of the step that led to it, was kept. `replaced`: what the
    /// slot had memory for before.
    Stored { step: usize, slot: usize, keep: Keep, replaced: Option<Content> },
    /// y_`step`, kept as a state or on a tape, became current. `is_taken`: it has left the slot.
    Restored { step: usize, slot: usize, keep: Keep, is_taken: bool },
    /// The steps `from`, …, `to`−1 were taken.
    Advanced { from: usize, to: usize },
    /// The adjoint of `step` was applied; what slots held of it is needed no more. `from_tape`: the
    /// slot whose tape it was reversed from; otherwise the step was taken again.
    Reversed { step: usize, from_tape: Option<usize> },
    /// The memory that a slot had for `content` was given back.
    Freed { slot: usize, content: Content },
}

impl Machine {
    /// A chain of unknown length at its start: worker 0 holds y_0, the others have no state.
    pub fn new(workers: usize) -> Self {
        let mut all = vec![Worker::default(); workers];
        all.iter_mut().take(1).for_each(|first| first.current = Some(0));
        Machine { workers: all, slots: Slots::default(), num_steps: None, left: None }
    }

    /// The same where it is known that the chain has `num_steps` steps, of which the first `left`
    /// are not yet reversed.
    pub fn of_chain(mut self, num_steps: usize, left: usize) -> Self {
        (self.num_steps, self.left) = (Some(num_steps), Some(left));
        self
    }

    /// The same where worker 0 holds y_`current`, and slots hold the states `kept`.
    pub fn resume(mut self, current: Option<usize>, kept: &[KeptState]) -> Self {
        self.workers.iter_mut().take(1).for_each(|first| first.current = current);
        for &KeptState { step, slot } in kept {
            self.slots.set(slot, Some(Content { step, keep: Keep::State, is_held: true }));
        }
        self
    }

    /// Says that the chain has `num_steps` steps, right after worker 0 has taken the last one and
    /// gone back to y_{N−1}.
    pub fn end(&mut self, num_steps: usize) {
        (self.num_steps, self.left) = (Some(num_steps), Some(num_steps));
        self.workers.iter_mut().take(1).for_each(|it| it.current = num_steps.checked_sub(1));
    }

    /// n of a worker's current state y_n; none before it restores one, nor after a step was
    /// reversed from a tape.
    pub fn current(&self, worker: usize) -> Option<usize> {
        self.workers.get(worker)?.current
    }

    /// Number of steps not yet reversed, where it is known.
    pub fn left(&self) -> Option<usize> {
        self.left
    }

    /// What a slot has memory for.
    pub fn content(&self, slot: usize) -> Option<Content> {
        let content = self.slots.get(slot)?;
        Some(Content { is_held: content.is_held && self.is_left(content.step), ..content })
    }

    /// Bytes of its tables.
    pub fn bytes(&self) -> usize {
        self.workers.capacity() * size_of::<Worker>() + self.slots.bytes()
    }

    /// Does an action.
    ///
    /// # Errors
    /// Where there is no such worker; where it acts on another state than its current one, or keeps
    /// another tape than that of the step it has just taken, that of the chain's last step, or
    /// anything of a step already reversed; where it restores what the slot does not hold, frees a
    /// slot without memory, takes a step beyond the end, or reverses another step than the last one
    /// left; where a tape is restored and its step then reversed, and the worker's own tape before
    /// was not that of the step after it, where y_{n+1} is; and where one of several workers does
    /// what only others may. Nothing has then changed.
    pub fn apply(&mut self, worker: usize, action: Action) -> Result<Effect, ScheduleError> {
        let Some(&at) = self.workers.get(worker) else {
            return Err(self.unexpected(worker, action));
        };
        let effect = match action {
            Action::Store { step, slot, keep } => self.store(at, worker, (step, slot, keep)),
            Action::Restore { step, slot } => {
                let held = self.content(slot).filter(|content| content.is_held);
                match held.filter(|content| content.step == step) {
                    Some(content) => self.restore(worker, slot, content),
                    None => {
                        let found = held.map(|content| content.step);
                        return Err(ScheduleError::NotKept { slot, step, found });
                    }
                }
            }
            Action::Advance { from, to } => self.advance(at, worker, from, to),
            Action::Reverse { step } => self.reverse(at, worker, step),
            Action::Free { slot } => self.free(worker, slot),
        };
        effect.ok_or_else(|| self.unexpected(worker, action))
    }

    /// Checks that every step is reversed; where nothing was done, there was none.
    ///
    /// # Errors
    /// Where steps are left.
    pub fn check_end(&self) -> Result<(), ScheduleError> {
        let is_at_start = || self.current(0) == Some(0) && self.slots.are_unused();
        match self.left {
            Some(0) => Ok(()),
            Some(left) => Err(ScheduleError::Unfinished { left }),
            None if is_at_start() => Ok(()),
            None => Err(ScheduleError::Unfinished { left: self.current(0).unwrap_or(0) }),
        }
    }

    /// Whether a step is still to be reversed.
    fn is_left(&self, step: usize) -> bool {
        self.left.is_none_or(|left| step < left)
    }

    fn store(
        &mut self,
        at: Worker,
        worker: usize,
        (step, slot, keep): (usize, usize, Keep),
    ) -> Option<Effect> {
        let next = step.checked_add(1);
        let is_there = match keep {
            Keep::State => at.current == Some(step),
            Keep::Tape => {
                let is_handed_over = worker > 0 || self.workers.len() == 1;
                at.on_tape == Some(step)
                    && at.current == next
                    && next != self.num_steps
                    && is_handed_over
            }
        };
        if !is_there || !self.is_left(step) {
            return None;
        }
        let replaced = self.content(slot);
        self.slots.set(slot, Some(Content { step, keep, is_held: true }));
        let on_tape = at.on_tape.filter(|_| keep == Keep::State);
        self.workers[worker] = Worker { on_tape, restored: None, ..at };
        Some(Effect::Stored { step, slot, keep, replaced })
    }

    fn restore(&mut self, worker: usize, slot: usize, content: Content) -> Option<Effect> {
        let Content { step, keep, .. } = content;
        let is_tape = keep == Keep::Tape;
        if is_tape && worker > 0 {
            return None;
        }
        let is_taken = is_tape && self.workers.len() > 1;
        if is_taken {
            self.slots.set(slot, Some(Content { is_held: false, ..content }));
        }
        let at = &mut self.workers[worker];
        (at.current, at.restored) = (Some(step), is_tape.then_some(slot));
        Some(Effect::Restored { step, slot, keep, is_taken })
    }

    fn advance(&mut self, at: Worker, worker: usize, from: usize, to: usize) -> Option<Effect> {
        let is_within = self.num_steps.is_none_or(|n| to <= n);
        if at.current != Some(from) || from >= to || !is_within {
            return None;
        }
        self.workers[worker] = Worker { current: Some(to), on_tape: Some(to - 1), restored: None };
        Some(Effect::Advanced { from, to })
    }

    fn reverse(&mut self, at: Worker, worker: usize, step: usize) -> Option<Effect> {
        let next = step.checked_add(1);
        let is_next = self.left.is_none_or(|left| next == Some(left));
        let has_y_next = at.restored.is_none() || at.on_tape == next;
        if worker > 0 || at.current != Some(step) || !is_next || !has_y_next {
            return None;
        }
        self.num_steps = self.num_steps.or(next);
        self.left = Some(step);
        // Where the step was taken again, that has led to y_{n+1}.
        let current = if at.restored.is_none() { next } else { None };
        self.workers[0] = Worker { current, on_tape: Some(step), restored: None };
        Some(Effect::Reversed { step, from_tape: at.restored })
    }

    fn free(&mut self, worker: usize, slot: usize) -> Option<Effect> {
        let content = self.content(slot)?;
        self.slots.set(slot, None);
        self.workers[worker].restored = None;
        Some(Effect::Freed { slot, content })
    }

    #[cold]
    pub(super) fn unexpected(&self, worker: usize, action: Action) -> ScheduleError {
        ScheduleError::UnexpectedAction {
            worker: (self.workers.len() > 1).then_some(worker),
            action: format!("{action:?}"),
            current: self.current(worker),
            left: self.left,
        }
    }
}
