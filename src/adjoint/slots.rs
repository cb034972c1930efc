//! The slots of a sweep: states in a store, tapes beside it.

use crate::error::SnapshotError;
use crate::numbers::bytes::grown;
use crate::numbers::scalar::Scalar;
use crate::recurrence::{Chain, Opaque};
use crate::schedule::Keep;
use crate::snapshot::SnapshotStore;

/// A tape kept in a slot.
struct KeptTape {
    /// The step on it, until it is used.
    step: Option<usize>,
    /// What it occupies, used or not.
    bytes: usize,
    tape: Opaque,
}

/// Bytes that a kept tape takes beside its own.
const PLACE: usize = size_of::<KeptTape>();

/// What slots hold, and the most they held.
pub(super) struct Slots<'a, S: Scalar> {
    store: &'a mut dyn SnapshotStore<S>,
    /// Of the slots from `first_tape` on; those before hold none.
    tapes: Vec<Option<Box<KeptTape>>>,
    first_tape: usize,
    /// Slots whose tape is in use.
    tapes_in_use: usize,
    /// Bytes of all tapes that slots have, in use or not.
    tape_bytes: usize,
    /// Slots that hold a tape, in use or not.
    tapes_held: usize,
    pub peak: Peak,
}

/// The most that was held at once.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Peak {
    pub slots: usize,
    /// The tables of slots among them.
    pub memory_bytes: usize,
    pub disk_bytes: usize,
    /// What was kept, in memory and in files.
    pub bytes: usize,
}

impl<'a, S: Scalar> Slots<'a, S> {
    pub fn new(store: &'a mut dyn SnapshotStore<S>) -> Self {
        let (tapes, peak) = (Vec::new(), Peak::default());
        Slots { store, tapes, first_tape: 0, tapes_in_use: 0, tape_bytes: 0, tapes_held: 0, peak }
    }

    fn tape(&self, slot: usize) -> Option<&KeptTape> {
        self.tapes.get(slot.checked_sub(self.first_tape)?)?.as_deref()
    }

    /// The place for a tape in `slot`, whatever is there.
    fn tape_place(&mut self, slot: usize) -> Option<&mut Option<Box<KeptTape>>> {
        self.tapes.get_mut(slot.checked_sub(self.first_tape)?)
    }

    /// The same, which is made where it is not there.
    fn made_tape_place(&mut self, slot: usize) -> &mut Option<Box<KeptTape>> {
        if self.tapes.is_empty() {
            self.first_tape = slot;
        }
        if slot < self.first_tape {
            let before = self.first_tape - slot;
            self.tapes.splice(0..0, std::iter::repeat_with(|| None).take(before));
            self.first_tape = slot;
        }
        let place = slot - self.first_tape;
        if self.tapes.len() <= place {
            self.tapes.resize_with(place + 1, || None);
        }
        &mut self.tapes[place]
    }

    pub fn store_state(
        &mut self,
        chain: &dyn Chain<S>,
        slot: usize,
        step: usize,
        y: &[S],
    ) -> Result<(), SnapshotError> {
        self.drop_tape(slot);
        self.store.store(slot, step, &y[..chain.state_len(step)])?;
        self.note_peak();
        Ok(())
    }

    /// Exchanges `tape` for the one in the slot.
    pub fn store_tape(
        &mut self,
        chain: &dyn Chain<S>,
        slot: usize,
        step: usize,
        tape: &mut Opaque,
    ) -> Result<(), SnapshotError> {
        self.store.free(slot)?;
        let place = self.made_tape_place(slot);
        let new = || Box::new(KeptTape { step: None, bytes: 0, tape: chain.tape() });
        let kept = place.get_or_insert_with(new);
        std::mem::swap(tape, &mut kept.tape);
        self.hold(chain, slot, step);
        Ok(())
    }

    /// Writes y_`step` to `y`, or says that it is on a tape. What is restored for the `last` time may
    /// be gone afterwards.
    pub fn restore(
        &mut self,
        chain: &dyn Chain<S>,
        slot: usize,
        step: usize,
        y: &mut Vec<S>,
        last: bool,
    ) -> Result<Keep, SnapshotError> {
        match self.tape(slot) {
            Some(kept) if kept.step == Some(step) => Ok(Keep::Tape),
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
    pub fn start(&self, chain: &dyn Chain<S>, slot: usize) -> &[S] {
        self.tape(slot).map_or(&[], |kept| chain.start(&kept.tape))
    }

    /// Exchanges `tape` for the one in the slot, which then counts as empty and still has its memory.
    pub fn take_tape(&mut self, slot: usize, tape: &mut Opaque) {
        if let Some(Some(kept)) = self.tape_place(slot) {
            std::mem::swap(tape, &mut kept.tape);
            let was_in_use = kept.step.take().is_some();
            self.tapes_in_use -= usize::from(was_in_use);
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

    pub fn free(&mut self, slot: usize) -> Result<(), SnapshotError> {
        self.drop_tape(slot);
        self.store.free(slot)
    }

    fn drop_tape(&mut self, slot: usize) {
        if let Some(place) = self.tape_place(slot)
            && let Some(kept) = place.take()
        {
            self.tapes_in_use -= usize::from(kept.step.is_some());
            self.tape_bytes -= kept.bytes;
            self.tapes_held -= usize::from(kept.bytes > 0);
        }
    }

    /// Notes that the tape in `slot` is that of `step` from now on.
    fn hold(&mut self, chain: &dyn Chain<S>, slot: usize, step: usize) {
        let bytes = chain.tape_bytes(step) + PLACE;
        if let Some(Some(place)) = self.tape_place(slot) {
            let was_in_use = place.step.replace(step).is_some();
            let before = std::mem::replace(&mut place.bytes, bytes);
            self.tapes_in_use += usize::from(!was_in_use);
            self.tape_bytes = self.tape_bytes + bytes - before;
            self.tapes_held += usize::from(before == 0);
        }
        self.note_peak();
    }

    fn note_peak(&mut self) {
        let usage = self.store.usage();
        let memory_bytes = usage.memory_bytes + self.tape_bytes;
        let table_bytes =
            self.store.table_bytes() + grown::<Option<Box<KeptTape>>>(self.tapes.capacity());
        let peak = &mut self.peak;
        peak.slots = peak.slots.max(usage.slots + self.tapes_in_use);
        peak.memory_bytes = peak.memory_bytes.max(memory_bytes + table_bytes);
        peak.disk_bytes = peak.disk_bytes.max(usage.disk_bytes);
        // What is kept, without its places.
        let places = self.tapes_held * PLACE;
        peak.bytes = peak.bytes.max(memory_bytes - places + usage.disk_bytes);
    }
}
