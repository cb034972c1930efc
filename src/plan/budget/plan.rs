//! A plan: a schedule and what it will take, and what it may use.

use super::measure::Measured;
use crate::error::ScheduleError;
use crate::schedule::{
    Ended, Mixed, MixedOnline, Online, Periodic, SlotCosts, TierCosts, Transfer, TwoProcessor,
};
use crate::snapshot::Bandwidth;

/// What a gradient may use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resources {
    /// Bytes of memory.
    pub memory: u64,
    /// The disk, where it may be used.
    pub disk: Option<Disk>,
    /// Cores.
    pub threads: usize,
}

/// A disk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Disk {
    /// Bytes of files.
    pub bytes: u64,
    /// How fast it is.
    pub bandwidth: Bandwidth,
}

/// The schedule that was chosen.
#[derive(Clone, Debug)]
pub enum Planned {
    /// States and tapes in memory.
    Mixed(Mixed),
    /// The same behind a first sweep of unknown length.
    MixedOnline(Box<Ended<MixedOnline>>),
    /// States in memory, on two threads.
    TwoProcessor(TwoProcessor),
    /// States in memory and on disk.
    Periodic(Periodic),
    /// The same behind a first sweep of unknown length.
    Online {
        /// For the length that showed.
        schedule: Ended<Online>,
        /// Slots below are in memory.
        fast: usize,
    },
}

/// A plan that was weighed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// Name of its schedule.
    pub schedule: &'static str,
    /// Threads that would take steps.
    pub threads: usize,
    /// Whether states would be in files, too.
    pub on_disk: bool,
    /// Predicted seconds.
    pub seconds: f64,
}

/// A schedule and what it will take.
#[derive(Clone, Debug)]
pub struct Plan {
    /// N.
    pub steps: u64,
    /// The schedule.
    pub planned: Planned,
    /// Threads that take steps.
    pub threads: usize,
    /// Bytes of memory at the peak: what slots hold, and each thread's own tape and vectors.
    pub memory_bytes: u64,
    /// Bytes of files at the peak.
    pub disk_bytes: u64,
    /// Steps beyond the N that have to be taken.
    pub recomputed_steps: u64,
    /// Predicted seconds.
    pub seconds: f64,
    /// No schedule takes fewer seconds with the same memory, as far as is proven: on one core, of
    /// those that hold what they keep until it is used; otherwise every step and adjoint once.
    pub lower_bound: f64,
    /// What it was planned by.
    pub measured: Measured,
    /// What was allowed.
    pub resources: Resources,
    /// What was weighed, this plan among it: memory alone first, then two cores and a disk where they
    /// were allowed and can be used.
    pub candidates: Vec<Candidate>,
}

/// What a gradient does with what it may use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Way {
    /// States and tapes in memory, on one core.
    Memory,
    /// Two cores that share what is left for slots in memory.
    TwoWorkers(u64),
    /// States in memory and on a disk, on one core.
    Disk(Disk),
}

/// Writes under way at once.
const WRITES: usize = 2;
pub(super) const OVERLAPPED: Transfer = Transfer::Overlapped { writes: WRITES };
/// States on their way out and back.
pub(super) const BUFFERS: u64 = 4;

impl Plan {
    /// The schedule's name in reports.
    pub fn name(&self) -> &'static str {
        match self.planned {
            Planned::Mixed(_) | Planned::MixedOnline(_) => "mixed",
            Planned::TwoProcessor(_) => "pair",
            Planned::Periodic(_) => "periodic",
            Planned::Online { .. } => "online",
        }
    }

    /// Whether states are kept on the disk, too.
    pub fn uses_disk(&self) -> bool {
        matches!(self.planned, Planned::Periodic(_) | Planned::Online { .. })
    }
}

/// One part of how many is for the places of slots on disk, at most, beyond a few.
pub(super) const SHARE_OF_PLACES: u64 = 8;
pub(super) const FEW_PLACES: usize = 16;
/// Header and checksum of a file.
pub(super) const FILE_OVERHEAD: u64 = 44;

impl Measured {
    /// What of `memory` is left for slots beside one sweep's own.
    ///
    /// # Errors
    /// Where that cannot hold a state.
    pub fn slot_bytes(&self, memory: u64) -> Result<u64, ScheduleError> {
        let needed = self.sweep_bytes.saturating_add(self.sizes.state);
        match memory >= needed {
            true => Ok(memory - self.sweep_bytes),
            false => Err(ScheduleError::Budget { bytes: memory, needed }),
        }
    }

    /// The states that `memory` holds beside one sweep's own.
    ///
    /// # Errors
    /// Where that is none.
    pub(crate) fn states(&self, memory: u64) -> Result<usize, ScheduleError> {
        Ok(count(self.slot_bytes(memory)? / self.sizes.state))
    }

    /// What of `slots` bytes is left beside the table that decides what is kept, and how many cells
    /// that has: it takes a part of what the slots take.
    pub(crate) fn beside_table(&self, slots: u64) -> (u64, usize) {
        // Without tapes the estimate is the binomial optimum.
        let cells = match self.sizes.tape {
            Some(_) => count(slots / BYTES_A_CELL).min(MOST_CELLS),
            None => 0,
        };
        match slots.saturating_sub(table_bytes(cells)) {
            left if left >= self.sizes.state => (left, cells),
            _ => (slots, 0),
        }
    }

    /// In nanoseconds, for two tiers.
    pub fn tier_costs(&self, disk: Bandwidth) -> TierCosts {
        let (costs, bytes) = (&self.costs, self.sizes.state as f64);
        let fast = SlotCosts { write: nanoseconds(costs.store), read: nanoseconds(costs.restore) };
        let slow = SlotCosts {
            write: nanoseconds(disk.latency + bytes / disk.write),
            read: nanoseconds(disk.latency + bytes / disk.read),
        };
        let reverse = nanoseconds(costs.step + costs.adjoint);
        TierCosts { step: nanoseconds(costs.step), reverse, fast, slow }
    }

    /// What of `slots` bytes is left for slots in memory beside the states on their way to a disk and
    /// back.
    pub(crate) fn fast_slots(slots: u64, state: u64) -> usize {
        let buffers = BUFFERS.saturating_mul(state.saturating_add(FILE_OVERHEAD));
        count(slots.saturating_sub(buffers) / state)
    }

    /// Every step and every adjoint once.
    pub(super) fn once(&self, steps: usize) -> f64 {
        steps as f64 * (self.costs.step + self.costs.adjoint)
    }
}

/// There is one cell of a table for this many bytes of slots.
const BYTES_A_CELL: u64 = 512;
/// More decide nothing better.
const MOST_CELLS: usize = 1 << 17;

/// Bytes of a table while it is made.
pub(super) fn table_bytes(cells: usize) -> u64 {
    const CELL: u64 = 24;
    CELL * cells as u64
}

pub(super) fn nanoseconds(seconds: f64) -> u64 {
    (seconds * 1e9).round().max(1.0) as u64
}

pub(super) fn count(slots: u64) -> usize {
    usize::try_from(slots).unwrap_or(usize::MAX)
}
