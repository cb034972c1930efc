//! The position of a reversal noted in a journal, from which it can go on.

use std::time::Instant;

use super::{Observer, Progress, Standing, Stats};
use crate::adjoint::journal::{Journal, Phase, adjoint_bytes, to_bytes};
use crate::error::Error;
use crate::numbers::scalar::Scalar;
use crate::recurrence::OnlineChain;

/// How many times the numbers of a note are held at once while it is written.
pub(crate) const NOTE_COPIES: usize = 5;

/// An observer that writes where a gradient stands to a journal.
pub struct Noted<'a> {
    journal: &'a mut Journal,
    /// What error control ended with, where it has.
    control: Vec<u64>,
    observe: &'a dyn Fn(Progress),
    limit: &'a dyn Fn(&Stats) -> Result<(), Error>,
    stop: &'a dyn Fn() -> bool,
    bytes: usize,
}

impl<'a> Noted<'a> {
    /// Notes in `journal`, where steps are known whose words are its last; tells `observe` of every
    /// action. `limit` fails where a reversal holds more than it may; it is asked when the length is
    /// known. Where `stop` is true the position is noted and the gradient ends.
    pub fn new(
        journal: &'a mut Journal,
        control: Vec<u64>,
        observe: &'a dyn Fn(Progress),
        limit: &'a dyn Fn(&Stats) -> Result<(), Error>,
        stop: &'a dyn Fn() -> bool,
    ) -> Self {
        Noted { journal, control, observe, limit, stop, bytes: 0 }
    }
}

impl<S: Scalar> Observer<S> for Noted<'_> {
    fn progress(&mut self, progress: Progress) {
        (self.observe)(progress);
    }

    fn is_due(&mut self) -> bool {
        self.journal.is_due() || (self.stop)()
    }

    fn stands(&mut self, standing: Standing<'_, S>) -> Result<(), Error> {
        let begun = Instant::now();
        let (mut log, mut control) = (Vec::new(), self.control.clone());
        let phase = match standing {
            Standing::Forward { step, y, value, run } => {
                if let Some(run) = run {
                    (log, control) = (run.log(self.journal.num_words()), run.control());
                }
                let (y, value) = (to_bytes(y), to_bytes([&value]));
                self.bytes = self.bytes.max(NOTE_COPIES * y.len());
                Phase::Forward { step, y, value, control }
            }
            Standing::Reverse { left, value, adjoint } => {
                let (value, adjoint) = (to_bytes([&value]), adjoint_bytes(adjoint));
                self.bytes = self.bytes.max(NOTE_COPIES * adjoint.len());
                Phase::Reverse { left, value, adjoint, control }
            }
        };
        self.journal.note(begun, &log, phase)?;
        if (self.stop)() { Err(Error::Stopped) } else { Ok(()) }
    }

    fn turns(&mut self, run: &dyn OnlineChain<S>) -> Result<(), Error> {
        self.control = run.control();
        Ok(self.journal.add(&run.log(self.journal.num_words()))?)
    }

    fn check(&self, stats: &Stats) -> Result<(), Error> {
        (self.limit)(stats)
    }

    fn bytes(&self) -> usize {
        self.bytes
    }
}
