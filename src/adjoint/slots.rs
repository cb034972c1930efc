//! The slots of a sweep: states in a store, tapes beside it.

use crate::error::SnapshotError;
use crate::recurrence::Recurrence;
use crate::schedule::Keep;
use crate::snapshot::SnapshotStore;

/// A step kept in a slot.
struct KeptStep<K> {
    /// Its number, until it is used.
    step: Option<usize>,
    kept: K,
}

/// What slots hold, and the most they held.
pub(super) struct Slots<'a, R: Recurrence> {
    store: &'a mut dyn SnapshotStore<R::Scalar>,
    tapes: Vec<Option<KeptStep<R::Kept>>>,
    /// Slots whose tape is in use, and the bytes of what they keep.
    tapes_in_use: usize,
    tape_bytes: usize,
    pub peak: Peak,
}

/// The most that was held at once.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Peak {
    pub slots: usize,
    pub memory_bytes: usize,
    pub disk_bytes: usize,
    pub bytes: usize,
}

impl<'a, R: Recurrence> Slots<'a, R> {
    pub fn new(store: &'a mut dyn SnapshotStore<R::Scalar>) -> Self {
        Slots { store, tapes: Vec::new(), tapes_in_use: 0, tape_bytes: 0, peak: Peak::default() }
    }

    pub fn store_state(
        &mut self,
        chain: &R,
        slot: usize,
        step: usize,
        y: &[R::Scalar],
    ) -> Result<(), SnapshotError> {
        self.drop_tape(chain, slot);
        self.store.store(slot, step, &y[..chain.state_len(step)])?;
        self.note_peak();
        Ok(())
    }

    /// Exchanges the step on `tape` for what the slot holds. Returns whether the chain keeps
    /// tapes.
    pub fn store_tape(
        &mut self,
        chain: &R,
        slot: usize,
        step: usize,
        tape: &mut R::Tape,
    ) -> Result<bool, SnapshotError> {
        self.store.free(slot)?;
        if self.tapes.len() <= slot {
            self.tapes.resize_with(slot + 1, || None);
        }
        if self.tapes[slot].is_none() {
            self.tapes[slot] = chain.kept().map(|kept| KeptStep { step: None, kept });
        }
        let Some(place) = &mut self.tapes[slot] else { return Ok(false) };
        chain.exchange(tape, &mut place.kept);
        let before = place.step.replace(step);
        self.count_tape(chain, before, -1);
        self.count_tape(chain, Some(step), 1);
        self.note_peak();
        Ok(true)
    }

    /// Exchanges `kept`, a tape of `step` that another thread made, for what slot 0 holds.
    pub fn hand_over(&mut self, chain: &R, step: usize, kept: &mut R::Kept) {
        if self.tapes.is_empty() {
            self.tapes.push(chain.kept().map(|kept| KeptStep { step: None, kept }));
        }
        if let Some(Some(place)) = self.tapes.first_mut() {
            std::mem::swap(&mut place.kept, kept);
            let before = place.step.replace(step);
            self.count_tape(chain, before, -1);
            self.count_tape(chain, Some(step), 1);
            self.note_peak();
        }
    }

    /// Writes y_`step` to `y`, or says that it is on a tape. What is restored for the `last` time may
    /// be gone afterwards.
    pub fn restore(
        &mut self,
        chain: &R,
        slot: usize,
        step: usize,
        y: &mut Vec<R::Scalar>,
        last: bool,
    ) -> Result<Keep, SnapshotError> {
        match self.tapes.get(slot) {
            Some(Some(kept)) if kept.step == Some(step) => Ok(Keep::Tape),
            _ => {
                let len = chain.state_len(step);
                match last && len == y.len() {
                    true => self.store.take(slot, step, y)?,
                    false => self.store.restore(slot, step, &mut y[..len])?,
                }
                Ok(Keep::State)
            }
        }
    }

    /// The state that the tape in the slot started from.
    pub fn start(&self, chain: &R, slot: usize) -> &[R::Scalar] {
        match self.tapes.get(slot) {
            Some(Some(place)) => chain.start(&place.kept),
            _ => &[],
        }
    }

    /// Puts the step kept in the slot on `tape`, and what was there in the slot, which counts as
    /// empty.
    pub fn take_tape(&mut self, chain: &R, slot: usize, tape: &mut R::Tape) {
        if let Some(Some(place)) = self.tapes.get_mut(slot) {
            chain.exchange(tape, &mut place.kept);
            let before = place.step.take();
            self.count_tape(chain, before, -1);
        }
    }

    /// Writes down what is to outlive the process.
    pub fn note(&mut self) -> Result<(), SnapshotError> {
        self.store.note()?;
        self.note_peak();
        Ok(())
    }

    pub fn expect(&mut self, slot: usize, step: usize) {
        self.store.expect(slot, step);
    }

    pub fn free(&mut self, chain: &R, slot: usize) -> Result<(), SnapshotError> {
        self.drop_tape(chain, slot);
        self.store.free(slot)
    }

    fn drop_tape(&mut self, chain: &R, slot: usize) {
        if let Some(place) = self.tapes.get_mut(slot)
            && let Some(kept) = place.take()
        {
            self.count_tape(chain, kept.step, -1);
        }
    }

    /// Counts the tape of `step`, where there is one, `times` more.
    fn count_tape(&mut self, chain: &R, step: Option<usize>, times: isize) {
        if let Some(step) = step {
            let bytes = chain.kept_bytes(step) as isize;
            self.tapes_in_use = self.tapes_in_use.saturating_add_signed(times);
            self.tape_bytes = self.tape_bytes.saturating_add_signed(times * bytes);
        }
    }

    fn note_peak(&mut self) {
        let usage = self.store.usage();
        let memory_bytes = usage.memory_bytes + self.tape_bytes;
        let peak = &mut self.peak;
        peak.slots = peak.slots.max(usage.slots + self.tapes_in_use);
        peak.memory_bytes = peak.memory_bytes.max(memory_bytes);
        peak.disk_bytes = peak.disk_bytes.max(usage.disk_bytes);
        peak.bytes = peak.bytes.max(memory_bytes + usage.disk_bytes);
    }
}
