//! How long a schedule of two tiers takes.

use std::collections::{HashMap, VecDeque};

use super::costs::{SlotTier, TierCosts, Transfer};
use crate::schedule::{Action, Schedule};

/// How long the actions of a schedule take whose slots below `fast` are fast and whose others are
/// slow, in the unit of `costs`.
///
/// Where transfers overlap with steps, one disk does them in the order in which they are asked for.
/// A read is asked for as soon as the slow `Restore` before it is done and its own write was asked
/// for; one that thereby comes ahead of writes delays them.
///
/// ```
/// use costate::schedule::{TierCosts, Periodic, SlotCosts, Transfer, makespan};
///
/// let slow = SlotCosts { write: 1000, read: 1000 };
/// let costs = TierCosts { step: 100, reverse: 300, fast: SlotCosts::default(), slow };
/// let overlapped = Transfer::Overlapped { writes: 2 };
/// let time = |transfer| {
///     let schedule = Periodic::new(1000, 5, 100, &costs, overlapped)?;
///     Ok::<u64, costate::error::ScheduleError>(makespan(schedule, 5, &costs, transfer))
/// };
/// assert!(time(overlapped)? < time(Transfer::Waited)?);
/// # Ok::<(), costate::error::ScheduleError>(())
/// ```
pub fn makespan(
    schedule: impl Schedule,
    fast: usize,
    costs: &TierCosts,
    transfer: Transfer,
) -> u64 {
    let mut clock = TierClock { costs: *costs, ..TierClock::default() };
    for action in schedule {
        match action {
            Action::Advance { from, to } => {
                clock.work(costs.step.saturating_mul(to.saturating_sub(from) as u64))
            }
            Action::Reverse { .. } => clock.work(costs.reverse),
            Action::Store { slot, .. } if slot < fast => clock.work(costs.fast.write),
            Action::Restore { slot, .. } if slot < fast => clock.work(costs.fast.read),
            Action::Store { slot, .. } => clock.write(slot, transfer),
            Action::Restore { slot, .. } => clock.read(slot, transfer),
            Action::Free { .. } => {}
        }
    }
    clock.now
}

#[derive(Default)]
struct TierClock {
    costs: TierCosts,
    now: u64,
    /// When the disk has done all that was asked for.
    idle: u64,
    /// When the writes under way end.
    writing: VecDeque<u64>,
    /// When each slot's state was on its way to the disk, and when it is there.
    kept: HashMap<usize, (u64, u64)>,
    /// When the last slow `Restore` was done, and when the disk was idle then.
    restored: (u64, u64),
}

impl TierClock {
    fn work(&mut self, time: u64) {
        self.now = self.now.saturating_add(time);
    }

    fn write(&mut self, slot: usize, transfer: Transfer) {
        let time = self.costs.of(SlotTier::Slow).write;
        let Transfer::Overlapped { writes } = transfer else { return self.work(time) };
        while self.writing.len() >= writes.max(1)
            && let Some(end) = self.writing.pop_front()
        {
            self.now = self.now.max(end);
        }
        self.idle = self.idle.max(self.now).saturating_add(time);
        self.writing.push_back(self.idle);
        self.kept.insert(slot, (self.now, self.idle));
    }

    fn read(&mut self, slot: usize, transfer: Transfer) {
        let time = self.costs.of(SlotTier::Slow).read;
        if transfer == Transfer::Waited {
            return self.work(time);
        }
        let (asked, there) = self.kept.get(&slot).copied().unwrap_or_default();
        let (restored, idle_then) = self.restored;
        let begin = if asked <= restored { restored.max(idle_then) } else { there };
        let end = begin.saturating_add(time);
        // Writes asked for since then come after it.
        self.idle = if self.idle > begin { self.idle.saturating_add(time) } else { end };
        self.now = self.now.max(end);
        self.restored = (self.now, self.idle);
    }
}
