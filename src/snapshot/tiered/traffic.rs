//! States on their way to files and back.

use super::{Kept, Note, READS, Slow, TieredStore, WRITES, Wanted};
use crate::error::SnapshotError;
use crate::numbers::scalar::Scalar;
use crate::snapshot::file::{self, Label};
use crate::snapshot::transfer::{Done, Job};

impl<S: Scalar> TieredStore<S> {
    pub(super) fn kept(&self, slot: usize) -> Option<Kept> {
        self.slots.get(slot.checked_sub(self.fast)?)?.kept
    }

    /// Notes that `slot` holds a state now. Returns its number.
    pub(super) fn keep(&mut self, slot: usize, step: usize, dim: usize) -> u64 {
        let place = slot - self.fast;
        if self.slots.len() <= place {
            self.slots.resize(place + 1, Slow::default());
        }
        self.number += 1;
        self.slots[place].kept = Some(Kept { step, dim, number: self.number });
        self.used += 1;
        self.number
    }

    /// Notes that `slot` holds nothing now, and that nothing read from it is wanted.
    pub(super) fn forget(&mut self, slot: usize) {
        if let Some(slow) = self.slots.get_mut(slot.wrapping_sub(self.fast))
            && slow.kept.take().is_some()
        {
            self.used -= 1;
        }
        self.announced.retain(|wanted| wanted.slot != slot);
        while let Some(place) = self.ready.iter().position(|(wanted, _)| wanted.slot == slot)
            && let Some((_, done)) = self.ready.remove(place)
        {
            self.spare.push(done.bytes);
        }
    }

    /// A buffer of `size` bytes.
    pub(super) fn buffer(&mut self, size: usize) -> Vec<u8> {
        let mut bytes = self.spare.pop().unwrap_or_default();
        self.buffer_bytes -= bytes.capacity();
        bytes.truncate(size);
        bytes.reserve_exact(size - bytes.len());
        bytes.resize(size, 0);
        self.buffer_bytes += bytes.capacity();
        bytes
    }

    /// The first error that was not told.
    pub(super) fn tell(&mut self) -> Result<(), SnapshotError> {
        self.failed.pop_front().map_or(Ok(()), Err)
    }

    /// Takes note of what the thread has done by now.
    pub(super) fn catch_up(&mut self) -> Result<(), SnapshotError> {
        while let Some((note, done)) = self.transfer.try_take()? {
            self.note(note, done);
        }
        self.tell()
    }

    pub(super) fn note(&mut self, note: Note, done: Done) {
        match note {
            Note::Write { slot, number, size } => self.note_write(slot, number, size, done),
            Note::Read(wanted) => {
                if self.kept(wanted.slot).is_some_and(|kept| kept.number == wanted.number) {
                    self.ready.push_back((wanted, done));
                } else {
                    self.spare.push(done.bytes);
                }
            }
            Note::Remove { slot } => match done.result {
                Ok(()) => {
                    let slow = &mut self.slots[slot - self.fast];
                    self.disk_bytes -= std::mem::take(&mut slow.file);
                }
                Err(error) => self.failed.push_back(error),
            },
        }
    }

    pub(super) fn note_write(&mut self, slot: usize, number: u64, size: usize, done: Done) {
        self.spare.push(done.bytes);
        match done.result {
            Ok(()) => {
                let slow = &mut self.slots[slot - self.fast];
                self.disk_bytes -= std::mem::replace(&mut slow.file, size);
            }
            Err(error) => {
                self.disk_bytes -= size;
                self.failed.push_back(error);
                if self.kept(slot).is_some_and(|kept| kept.number == number) {
                    self.forget(slot);
                }
            }
        }
    }

    pub(super) fn writes(&self) -> usize {
        self.transfer.pending().filter(|note| matches!(note, Note::Write { .. })).count()
    }

    pub(super) fn reads(&self) -> usize {
        let pending = self.transfer.pending().filter(|note| matches!(note, Note::Read(_)));
        pending.count() + self.ready.len()
    }

    /// Waits until a write may begin and its file has room.
    pub(super) fn make_room(&mut self, size: usize) -> Result<(), SnapshotError> {
        while self.writes() >= WRITES
            || (self.disk_bytes.saturating_add(size) > self.disk_budget
                && self.transfer.pending().next().is_some())
        {
            if let Some((note, done)) = self.transfer.take()? {
                self.note(note, done);
            }
        }
        self.tell()?;
        let needed = self.disk_bytes.saturating_add(size);
        if needed > self.disk_budget {
            return Err(SnapshotError::DiskBudget { needed, budget: self.disk_budget });
        }
        Ok(())
    }

    pub(super) fn read(&mut self, wanted: Wanted, kept: Kept) -> Result<(), SnapshotError> {
        let bytes = self.buffer(file::size::<S>(kept.dim));
        let label = Label::of::<S>(self.run, kept.step, kept.dim);
        let path = self.path(wanted.slot);
        self.transfer.ask(Job::Read { path, bytes, label }, Note::Read(wanted))
    }

    /// Begins announced reads while there are buffers.
    pub(super) fn read_ahead(&mut self) -> Result<(), SnapshotError> {
        while self.reads() < READS
            && let Some(wanted) = self.announced.pop_front()
        {
            if let Some(kept) = self.kept(wanted.slot) {
                self.read(wanted, kept)?;
            }
        }
        Ok(())
    }

    /// Gives up what was read ahead until a read may begin.
    pub(super) fn drop_reads(&mut self) -> Result<(), SnapshotError> {
        while self.reads() >= READS {
            if let Some((_, done)) = self.ready.pop_front() {
                self.spare.push(done.bytes);
            } else if let Some((note, done)) = self.transfer.take()? {
                self.note(note, done);
            }
        }
        Ok(())
    }

    /// The file of `wanted`, read ahead or now.
    pub(super) fn fetch(&mut self, wanted: Wanted, kept: Kept) -> Result<Done, SnapshotError> {
        let is_read = |note: &Note| matches!(note, Note::Read(read) if *read == wanted);
        let ready = self.ready.iter().any(|(ready, _)| *ready == wanted);
        if !ready && !self.transfer.pending().any(is_read) {
            if let Some(place) = self.announced.iter().position(|other| *other == wanted) {
                self.announced.remove(place);
            }
            self.drop_reads()?;
            self.read(wanted, kept)?;
        }
        loop {
            if let Some(place) = self.ready.iter().position(|(ready, _)| *ready == wanted)
                && let Some((_, done)) = self.ready.remove(place)
            {
                return Ok(done);
            }
            match self.transfer.take()? {
                Some((note, done)) => self.note(note, done),
                None => {
                    // Its write failed meanwhile.
                    self.tell()?;
                    let (slot, step) = (wanted.slot, kept.step);
                    return Err(SnapshotError::WrongStep { slot, step, found: None });
                }
            }
        }
    }
}
