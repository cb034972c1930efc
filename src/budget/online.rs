//! What a gradient whose first sweep is of unknown length will take, once the length is known.

use super::measure::PLACE;
use super::plan::{
    BUFFERS, FEW_PLACES, FILE_OVERHEAD, OVERLAPPED, SHARE_OF_PLACES, count, table_bytes,
};
use super::{Disk, Measured, Plan, Planned, Resources};
use crate::error::ScheduleError;
use crate::grid::TimeGrid;
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
        let times = TimeGrid::bytes_of(steps) as u64;
        let state = measured.sizes.state;
        let slots = || measured.slot_bytes(resources.memory).map(|bytes| times_left(bytes, state));
        let mut plan = match (resources.disk, measured.lanes(resources)) {
            (Some(disk), _) => {
                let tiers = measured.tiers_beside_times(resources.memory)?;
                Plan::online_with_disk(steps, measured, tiers, disk)?
            }
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
        let (slots, cells) = measured.beside_table(slots);
        let online = MixedOnline::with_table(slots, sizes, costs, cells)?;
        let schedule = Ended::new(online, steps);
        let mut counts = Counts::of_sized(schedule.clone(), &|_, keep| sizes.of(keep))?;
        // The last step shows the end.
        counts.advances += 1;
        Ok(Plan {
            steps: steps as u64,
            planned: Planned::MixedOnline(Box::new(schedule)),
            threads: 1,
            // And the state before it.
            memory_bytes: counts.bytes_peak + sizes.state + sweep_bytes + table_bytes(cells),
            disk_bytes: 0,
            recomputed_steps: counts.steps_taken().saturating_sub(steps as u64),
            seconds: counts.seconds(&costs) + measured.touching(&counts),
            lower_bound: optimum::mixed_bound(steps, slots, sizes, costs),
        })
    }

    fn online_with_disk(
        steps: usize,
        measured: &Measured,
        (fast, places): (usize, usize),
        disk: Disk,
    ) -> Result<Self, ScheduleError> {
        let state = measured.sizes.state;
        let file = state + FILE_OVERHEAD;
        let slow = count((disk.bytes / file).saturating_sub(1)).min(places);
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
            memory_bytes: in_memory * state
                + slow.min(steps).saturating_sub(FEW_PLACES) as u64 * PLACE
                + file_buffers(state)
                + measured.sweep_bytes,
            disk_bytes: (counts.snapshots_peak - in_memory) * file,
            recomputed_steps: counts.steps_taken().saturating_sub(steps as u64),
            seconds: nanoseconds as f64 * 1e-9 + in_memory as f64 * measured.touch_state,
            lower_bound: measured.once(steps),
        })
    }
}

impl Measured {
    /// Slots in memory, and those on disk that have places in lists, for a run whose steps are found
    /// while states are kept: beside them there is room for times.
    ///
    /// # Errors
    /// Where the memory cannot hold a state beside those on their way to files.
    pub(crate) fn tiers_beside_times(&self, memory: u64) -> Result<(usize, usize), ScheduleError> {
        let state = self.sizes.state;
        let needed = self.sweep_bytes + file_buffers(state) + state;
        let error = ScheduleError::Budget { bytes: memory, needed };
        let bytes = memory.checked_sub(needed).ok_or(error)?;
        let places = bytes / SHARE_OF_PLACES;
        let states = bytes - bytes / share(state) - places;
        let slow = FEW_PLACES.saturating_add(count(places / PLACE));
        Ok((count(1 + states / state), slow))
    }
}

/// Of states on their way to a disk and back, of the one before the last, and of a few places in
/// lists.
pub(crate) fn file_buffers(state: u64) -> u64 {
    (BUFFERS + 1) * (state + FILE_OVERHEAD) + FEW_PLACES as u64 * PLACE
}

/// Bytes beside a state in a slot and what is on its way of which
/// [`tiers_beside_times`](Measured::tiers_beside_times) leaves these for times.
pub(crate) fn times_with_slots(times: u64, state: u64) -> u64 {
    times.saturating_mul(share(state))
}

/// What is left for slots beside the times of steps whose number is not known yet: they are 8
/// bytes each, and count where states are small.
pub(crate) fn times_left(slots: u64, state: u64) -> u64 {
    (slots - slots / share(state)).max(state)
}

/// One part of how many is for the times.
fn share(state: u64) -> u64 {
    const SMALL: u64 = 1024;
    if state < SMALL { 2 } else { 8 }
}
