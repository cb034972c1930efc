//! What a gradient whose first sweep is of unknown length will take, once the length is known.

use super::plan::{BUFFERS, FILE_OVERHEAD, OVERLAPPED, count};
use super::{Disk, Measured, Plan, Planned, Resources};
use crate::error::ScheduleError;
use crate::schedule::{Counts, Ended, MixedOnline, Online, makespan, optimum};

impl Plan {
    /// As [`new`](Self::new), where a first sweep under error control finds the `steps`: some of the
    /// memory is left for their times.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn online(
        steps: usize,
        measured: &Measured,
        resources: &Resources,
    ) -> Result<Self, ScheduleError> {
        // They grow by doubling.
        let times = 8 * (steps as u64 + 1).next_power_of_two();
        let state = measured.sizes.state;
        let slots = || measured.slot_bytes(resources.memory).map(|bytes| times_left(bytes, state));
        let mut plan = match (resources.disk, measured.lanes(resources)) {
            (Some(disk), _) => Plan::online_with_disk(steps, measured, slots()?, disk)?,
            (None, Some(bytes)) => {
                let bytes = times_left(bytes, state);
                Plan::on_lanes(steps, measured, bytes, &[measured.tapes_on_lanes(bytes)])?
            }
            (None, None) => Plan::online_in_memory(steps, measured, slots()?)?,
        };
        plan.memory_bytes += times;
        Ok(plan)
    }

    fn online_in_memory(
        steps: usize,
        measured: &Measured,
        slots: u64,
    ) -> Result<Self, ScheduleError> {
        let Measured { sizes, costs, sweep_bytes, .. } = *measured;
        let schedule = Ended::new(MixedOnline::new(slots, sizes, costs)?, steps);
        let mut counts = Counts::of_sized(schedule.clone(), &|_, keep| sizes.of(keep))?;
        // The last step shows the end.
        counts.advances += 1;
        Ok(Plan {
            steps: steps as u64,
            planned: Planned::MixedOnline(Box::new(schedule)),
            threads: 1,
            // And the state before it.
            memory_bytes: counts.bytes_peak + sizes.state + sweep_bytes,
            disk_bytes: 0,
            recomputed_steps: counts.steps_taken().saturating_sub(steps as u64),
            seconds: counts.seconds(&costs) + measured.touching(&counts),
            lower_bound: optimum::mixed_bound(steps, slots, sizes, costs),
        })
    }

    fn online_with_disk(
        steps: usize,
        measured: &Measured,
        slots: u64,
        disk: Disk,
    ) -> Result<Self, ScheduleError> {
        let state = measured.sizes.state;
        let file = state.saturating_add(FILE_OVERHEAD);
        let fast = Measured::fast_slots(slots, state);
        let slow = count((disk.bytes / file).saturating_sub(1));
        let schedule = Ended::new(Online::new(fast.saturating_add(slow).max(1))?, steps);
        let mut counts = Counts::of(schedule.clone())?;
        counts.advances += 1;
        let costs = measured.tier_costs(disk.bandwidth);
        let nanoseconds = makespan(schedule.clone(), fast, &costs, OVERLAPPED) + costs.step;
        let in_memory = counts.snapshots_peak.min(fast as u64);
        Ok(Plan {
            steps: steps as u64,
            planned: Planned::Online { schedule, fast },
            threads: 1,
            memory_bytes: in_memory * state + file_buffers(state) + measured.sweep_bytes,
            disk_bytes: (counts.snapshots_peak - in_memory) * file,
            recomputed_steps: counts.steps_taken().saturating_sub(steps as u64),
            seconds: nanoseconds as f64 * 1e-9 + in_memory as f64 * measured.touch_state,
            lower_bound: measured.once(steps),
        })
    }
}

/// Of states on their way to a disk and back, and of the one before the last.
pub(crate) fn file_buffers(state: u64) -> u64 {
    (BUFFERS + 1).saturating_mul(state.saturating_add(FILE_OVERHEAD))
}

/// What is left for slots beside the times of steps whose number is not known yet: they are 8
/// bytes each, and count where states are small.
pub(crate) fn times_left(slots: u64, state: u64) -> u64 {
    (slots - slots / share(state)).max(state)
}

/// Bytes for slots and times of which [`times_left`] leaves `grid` for the times, and a state for
/// the one before the last step.
pub(crate) fn slots_beside(grid: u64, state: u64) -> u64 {
    grid.saturating_add(state).saturating_mul(share(state))
}

/// One part of how many is for the times.
fn share(state: u64) -> u64 {
    const SMALL: u64 = 1024;
    if state < SMALL { 2 } else { 8 }
}
