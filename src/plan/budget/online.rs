//! What a gradient whose first sweep is of unknown length will take, once the length is known.

use super::best::{fastest, ways};
use super::measure::{Measured, PLACE};
use super::plan::{
    BUFFERS, Disk, FEW_PLACES, FILE_OVERHEAD, OVERLAPPED, Plan, Planned, Resources,
    SHARE_OF_PLACES, Way, count, table_bytes,
};
use crate::error::ScheduleError;
use crate::ode::grid::TimeGrid;
use crate::schedule::{Counts, Ended, MixedOnline, Online, makespan, optimum};

impl Plan {
    /// As [`new`](Self::new), where a first sweep under error control finds the `steps`: some of the
    /// memory is left for their times. Since that sweep has to know what it keeps before their number
    /// shows, the way is the fastest for a run 16 times as long as there are slots in memory.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn online(
        steps: usize,
        measured: &Measured,
        resources: &Resources,
    ) -> Result<Self, ScheduleError> {
        let chosen = measured.way_online(resources)?;
        let of = |way| Plan::online_by(way, steps, measured, resources);
        let plan = of(chosen)?;
        let Plan { candidates, .. } = fastest(&ways(measured, resources), of)?;
        let times = TimeGrid::bytes_of(steps) as u64;
        Ok(Plan { memory_bytes: plan.memory_bytes + times, candidates, ..plan })
    }

    fn online_by(
        way: Way,
        steps: usize,
        measured: &Measured,
        resources: &Resources,
    ) -> Result<Self, ScheduleError> {
        let state = measured.sizes.state;
        let slots = measured.slot_bytes(resources.memory).map(|bytes| times_left(bytes, state))?;
        match way {
            Way::Memory => Plan::online_in_memory(steps, measured, resources, slots),
            Way::TwoWorkers(bytes) => {
                let bytes = times_left(bytes, state);
                let tapes = [measured.tapes_on_workers(bytes)];
                Plan::on_workers(steps, measured, resources, bytes, &tapes)
            }
            Way::Disk(disk) => Plan::online_with_disk(steps, measured, resources, disk),
        }
    }

    fn online_in_memory(
        steps: usize,
        measured: &Measured,
        resources: &Resources,
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
            measured: *measured,
            resources: *resources,
            candidates: Vec::new(),
        })
    }

    fn online_with_disk(
        steps: usize,
        measured: &Measured,
        resources: &Resources,
        disk: Disk,
    ) -> Result<Self, ScheduleError> {
        let state = measured.sizes.state;
        let file = state.saturating_add(FILE_OVERHEAD);
        let (fast, places) = measured.tiers_beside_times(resources.memory)?;
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
            measured: *measured,
            resources: *resources,
            candidates: Vec::new(),
        })
    }
}

/// A run of unknown length is taken to have so many steps a slot in memory, ...
const STEPS_A_SLOT: usize = 16;
/// ... and as many at least.
const FEWEST_STEPS: usize = 100;
/// With more slots, as many times fewer steps take as many times less; and are planned in no time.
const MOST_SLOTS: u64 = 20;

impl Measured {
    /// What a gradient does whose first sweep has to know it before the number of steps shows.
    ///
    /// # Errors
    /// Where the memory cannot hold a state.
    pub(crate) fn way_online(&self, resources: &Resources) -> Result<Way, ScheduleError> {
        let ways = ways(self, resources);
        let slots = self.slot_bytes(resources.memory)? / self.sizes.state;
        if let [way] = ways[..] {
            return Ok(way);
        }
        let steps = (STEPS_A_SLOT * count(slots.min(MOST_SLOTS))).max(FEWEST_STEPS);
        let fewer = self.scaled(resources, (slots as f64 / MOST_SLOTS as f64).max(1.0));
        let best =
            fastest(&self::ways(self, &fewer), |way| Plan::online_by(way, steps, self, &fewer))?;
        let is_best = |way: &Way| match way {
            Way::Memory => best.threads == 1 && !best.uses_disk(),
            Way::TwoWorkers(_) => best.threads > 1,
            Way::Disk(_) => best.uses_disk(),
        };
        Ok(ways.into_iter().find(is_best).unwrap_or(Way::Memory))
    }

    /// Slots in memory, and those on disk that have places in lists, for a run whose steps are found
    /// while states are kept: beside them there is room for times.
    ///
    /// # Errors
    /// Where the memory cannot hold a state beside those on their way to files.
    pub(crate) fn tiers_beside_times(&self, memory: u64) -> Result<(usize, usize), ScheduleError> {
        let state = self.sizes.state;
        let needed =
            [self.sweep_bytes, file_buffers(state), state].into_iter().fold(0, u64::saturating_add);
        let error = ScheduleError::Budget { bytes: memory, needed };
        let bytes = memory.checked_sub(needed).ok_or(error)?;
        let places = bytes / SHARE_OF_PLACES;
        let states = bytes - bytes / share(state) - places;
        let slow = FEW_PLACES.saturating_add(count(places / PLACE));
        Ok((count(1 + states / state), slow))
    }

    /// So many times less of what there is for slots.
    fn scaled(&self, resources: &Resources, times: f64) -> Resources {
        let scaled = |bytes: u64| (bytes as f64 / times) as u64;
        let workers = if resources.threads > 1 { 2 } else { 1 };
        let own = (workers * self.sweep_bytes).min(resources.memory);
        Resources {
            memory: own + scaled(resources.memory - own),
            disk: resources.disk.map(|disk| Disk { bytes: scaled(disk.bytes), ..disk }),
            ..*resources
        }
    }
}

/// Of states on their way to a disk and back, of the one before the last, and of a few places in
/// lists.
pub(crate) fn file_buffers(state: u64) -> u64 {
    let file = state.saturating_add(FILE_OVERHEAD);
    (BUFFERS + 1).saturating_mul(file).saturating_add(FEW_PLACES as u64 * PLACE)
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
