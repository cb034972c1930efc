//! A chain whose length is known when its end is reached: an adaptive run.

use super::Recurrence;
use super::chain::{Chain, Opaque, known_mut};
use crate::error::Error;
use crate::method::stepper::Counts;
use crate::numbers::scalar::Scalar;

/// What came of the attempt to take the next step of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advanced {
    /// A step was taken, and others follow.
    Step,
    /// The last step was taken.
    End,
    /// The run is stiff, and was to stop where that shows.
    Stiff,
}

/// What a pass over all steps found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pass {
    /// Number of steps.
    pub steps: usize,
    /// What they cost.
    pub counts: Counts,
    /// Whether it stopped because the run is stiff.
    pub is_stiff: bool,
    /// Where it stopped.
    pub t: f64,
}

/// A run that takes its steps one after the other and notes them in a chain, which can take them
/// again. One whose steps are known from the start says so.
pub trait OnlineRecurrence: Send + Sync {
    /// The chain of the steps taken so far.
    type Chain: Recurrence;

    /// The steps taken so far, which it replays; all of them where they are known.
    fn chain(&self) -> &Self::Chain;
    /// Whether all steps are known.
    fn is_known(&self) -> bool {
        false
    }
    /// Prepares for the first step, before a tape is made: what that needs is then not held beside it.
    fn begin(&mut self, _p: &[ScalarOf<Self>]) {}
    /// Takes the first step that was not taken yet, from `y`, and adds it to the chain.
    ///
    /// # Errors
    /// Where it cannot be taken.
    fn advance(
        &mut self,
        p: &[ScalarOf<Self>],
        y: &mut [ScalarOf<Self>],
        tape: &mut <Self::Chain as Recurrence>::Tape,
        scratch: &mut <Self::Chain as Recurrence>::Scratch,
    ) -> Result<Advanced, Error>;
    /// Begins again at the start.
    fn restart(&mut self);
    /// Number of attempts that were rejected so far.
    fn rejected(&self) -> u64 {
        0
    }
    /// What the next step depends on besides the chain so far and y, as words.
    fn control(&self) -> Vec<u64> {
        Vec::new()
    }
    /// What the chain keeps of its steps from the `from`th on, a word for each.
    fn log(&self, _from: usize) -> Vec<u64> {
        Vec::new()
    }
    /// Makes this new run that of a run with this [`log`](Self::log) and [`control`](Self::control).
    /// Returns whether they are such a run's.
    fn resume(&mut self, log: &[u64], control: &[u64]) -> bool {
        log.is_empty() && control.is_empty()
    }
    /// Has the run fail where what it notes of its steps takes more than this many bytes.
    fn limit_bytes(&mut self, _bytes: usize) {}
    /// Takes all steps, and nothing but these, from the start. Where what is noted of them takes more
    /// bytes than it may they are counted only. Tells `report` their number after each.
    ///
    /// # Errors
    /// As [`advance`](Self::advance).
    fn pass(&mut self, _p: &[ScalarOf<Self>], _report: &dyn Fn(usize)) -> Result<Pass, Error> {
        let steps = Recurrence::num_steps(self.chain());
        let t = Recurrence::time(self.chain(), steps);
        Ok(Pass { steps, counts: Counts::default(), is_stiff: false, t })
    }
    /// Takes the first steps, at most `steps`, for what can be learnt from their chain, and tells
    /// nobody; [`restart`](Self::restart) forgets them.
    ///
    /// # Errors
    /// As [`advance`](Self::advance).
    fn probe(&mut self, _p: &[ScalarOf<Self>], _steps: usize) -> Result<(), Error> {
        Ok(())
    }
}

/// The numbers that a run's chain is made of.
pub type ScalarOf<F> = <<F as OnlineRecurrence>::Chain as Recurrence>::Scalar;

/// The functions of an [`OnlineRecurrence`], whose tapes and scratch are opaque. Every one is one.
#[allow(missing_docs, reason = "each is explained where OnlineRecurrence has it")]
pub trait OnlineChain<S: Scalar = f64>: Send + Sync {
    fn chain(&self) -> &dyn Chain<S>;
    fn is_known(&self) -> bool;
    fn begin(&mut self, p: &[S]);
    fn advance(
        &mut self,
        p: &[S],
        y: &mut [S],
        tape: &mut Opaque,
        scratch: &mut Opaque,
    ) -> Result<Advanced, Error>;
    fn restart(&mut self);
    fn rejected(&self) -> u64;
    fn control(&self) -> Vec<u64>;
    fn log(&self, from: usize) -> Vec<u64>;
    fn resume(&mut self, log: &[u64], control: &[u64]) -> bool;
    fn limit_bytes(&mut self, bytes: usize);
    fn pass(&mut self, p: &[S], report: &dyn Fn(usize)) -> Result<Pass, Error>;
    fn probe(&mut self, p: &[S], steps: usize) -> Result<(), Error>;
}

impl<S, F> OnlineChain<S> for F
where
    S: Scalar,
    F: OnlineRecurrence,
    F::Chain: Recurrence<Scalar = S>,
{
    fn chain(&self) -> &dyn Chain<S> {
        OnlineRecurrence::chain(self)
    }
    fn is_known(&self) -> bool {
        OnlineRecurrence::is_known(self)
    }
    fn begin(&mut self, p: &[S]) {
        OnlineRecurrence::begin(self, p);
    }
    fn advance(
        &mut self,
        p: &[S],
        y: &mut [S],
        tape: &mut Opaque,
        scratch: &mut Opaque,
    ) -> Result<Advanced, Error> {
        OnlineRecurrence::advance(self, p, y, known_mut(tape), known_mut(scratch))
    }
    fn restart(&mut self) {
        OnlineRecurrence::restart(self);
    }
    fn rejected(&self) -> u64 {
        OnlineRecurrence::rejected(self)
    }
    fn control(&self) -> Vec<u64> {
        OnlineRecurrence::control(self)
    }
    fn log(&self, from: usize) -> Vec<u64> {
        OnlineRecurrence::log(self, from)
    }
    fn resume(&mut self, log: &[u64], control: &[u64]) -> bool {
        OnlineRecurrence::resume(self, log, control)
    }
    fn limit_bytes(&mut self, bytes: usize) {
        OnlineRecurrence::limit_bytes(self, bytes);
    }
    fn pass(&mut self, p: &[S], report: &dyn Fn(usize)) -> Result<Pass, Error> {
        OnlineRecurrence::pass(self, p, report)
    }
    fn probe(&mut self, p: &[S], steps: usize) -> Result<(), Error> {
        OnlineRecurrence::probe(self, p, steps)
    }
}
