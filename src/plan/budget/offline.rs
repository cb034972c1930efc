//! Which schedule makes the most of memory, disk and cores for a chain of known length.

use super::best::{fastest, sparing, ways};
use super::measure::{Measured, PLACE};
use super::on_workers::TAPES_TRIED;
use super::plan::{
    BUFFERS, Disk, FEW_PLACES, FILE_OVERHEAD, OVERLAPPED, Plan, Planned, Resources,
    SHARE_OF_PLACES, Way, count, table_bytes,
};
use crate::error::ScheduleError;
use crate::schedule::{Counts, Mixed, Periodic, Prediction, Schedule, Sizes, makespan, optimum};

impl Plan {
    /// For a chain of `steps` steps whose costs are `measured`: the fastest of states and tapes in
    /// memory, of two threads where there are several and steps are long enough, and of states in memory
    /// and on the disk where there is one. Not all of the memory is used where less is faster.
    ///
    /// ```
    /// use costate::plan::budget::{Measured, Plan, Resources};
    /// use costate::schedule::{Costs, Sizes};
    ///
    /// let measured = Measured {
    ///     sizes: Sizes { state: 800_000, tape: Some(4_000_000) },
    ///     costs: Costs { step: 1e-3, adjoint: 2e-3, store: 1e-4, restore: 1e-4, keep_tape: 3e-4 },
    ///     touch_state: 0.0,
    ///     sweep_bytes: 8_000_000,
    /// };
    /// let resources = Resources { memory: 200 << 20, disk: None, threads: 1 };
    /// let plan = Plan::new(10_000, &measured, &resources)?;
    /// assert!(plan.memory_bytes <= 200 << 20);
    /// assert!(plan.lower_bound <= plan.seconds && plan.seconds < 2.0 * 30.0);
    /// # Ok::<(), costate::error::ScheduleError>(())
    /// ```
    ///
    /// # Errors
    /// Where the memory cannot hold a state beside the sweep's own tape.
    pub fn new(
        steps: usize,
        measured: &Measured,
        resources: &Resources,
    ) -> Result<Self, ScheduleError> {
        Plan::by(&ways(measured, resources), steps, measured, resources)
    }

    /// On two cores, in `bytes` for slots.
    pub(crate) fn on_two_cores(
        steps: usize,
        measured: &Measured,
        resources: &Resources,
        bytes: u64,
    ) -> Result<Self, ScheduleError> {
        Plan::by(&[Way::TwoWorkers(bytes)], steps, measured, resources)
    }

    fn by(
        ways: &[Way],
        steps: usize,
        measured: &Measured,
        resources: &Resources,
    ) -> Result<Self, ScheduleError> {
        let slots = measured.slot_bytes(resources.memory)?;
        fastest(ways, |way| match way {
            Way::Memory => {
                let plan = |bytes| Plan::in_memory(steps, measured, resources, bytes);
                let lower_bound =
                    optimum::mixed_bound(steps, slots, measured.sizes, measured.costs);
                Ok(Plan { lower_bound, ..sparing(slots, measured, plan)? })
            }
            Way::TwoWorkers(slots) => sparing(slots, measured, |bytes| {
                Plan::on_workers(steps, measured, resources, bytes, &TAPES_TRIED)
            }),
            Way::Disk(disk) => sparing(slots, measured, |bytes| {
                Plan::with_disk(steps, measured, resources, bytes, disk)
            }),
        })
    }

    fn in_memory(
        steps: usize,
        measured: &Measured,
        resources: &Resources,
        slots: u64,
    ) -> Result<Self, ScheduleError> {
        let Measured { sizes, costs, sweep_bytes, .. } = *measured;
        let (slots, cells) = measured.beside_table(slots);
        let mixed = Mixed::with_table(steps, slots, sizes, costs, cells)?;
        let prediction = Prediction::uniform(mixed.clone(), slots, sizes, costs)?;
        let counts = prediction.counts;
        Ok(Plan {
            steps: steps as u64,
            planned: Planned::Mixed(mixed),
            threads: 1,
            memory_bytes: counts.bytes_peak + sweep_bytes + table_bytes(cells),
            disk_bytes: 0,
            recomputed_steps: counts.steps_taken().saturating_sub(steps as u64),
            seconds: prediction.seconds + measured.touching(&counts),
            lower_bound: prediction.lower_bound,
            measured: *measured,
            resources: *resources,
            candidates: Vec::new(),
        })
    }

    fn with_disk(
        steps: usize,
        measured: &Measured,
        resources: &Resources,
        slots: u64,
        disk: Disk,
    ) -> Result<Self, ScheduleError> {
        let Sizes { state, .. } = measured.sizes;
        let file = state.saturating_add(FILE_OVERHEAD);
        let buffers = BUFFERS.saturating_mul(file);
        // Slots on disk have their places in lists, too.
        let slow = count((disk.bytes / file).saturating_sub(1)).min(steps);
        let slow = slow.min(FEW_PLACES.max(count(slots / SHARE_OF_PLACES / PLACE)));
        let places = slow as u64 * PLACE;
        let least = buffers.saturating_add(places);
        if slots < least {
            let own = measured.sweep_bytes;
            let (bytes, needed) = (own.saturating_add(slots), own.saturating_add(least));
            return Err(ScheduleError::Budget { bytes, needed });
        }
        let fast = Measured::fast_slots(slots.saturating_sub(places), state);
        let costs = measured.tier_costs(disk.bandwidth);
        let transfer = OVERLAPPED;
        let periodic = Periodic::new(steps, fast, slow, &costs, transfer)?;
        let fast = periodic.fast_slots();
        let files = (periodic.num_slots() - fast) as u64;
        let counts = Counts::of(periodic.clone())?;
        let nanoseconds = makespan(periodic.clone(), fast, &costs, transfer);
        Ok(Plan {
            steps: steps as u64,
            planned: Planned::Periodic(periodic),
            threads: 1,
            memory_bytes: (fast as u64)
                .saturating_mul(state)
                .saturating_add(buffers)
                .saturating_add(measured.sweep_bytes)
                .saturating_add(places),
            disk_bytes: files.saturating_mul(file),
            recomputed_steps: counts.steps_taken().saturating_sub(steps as u64),
            seconds: nanoseconds as f64 * 1e-9 + fast as f64 * measured.touch_state,
            lower_bound: measured.once(steps),
            measured: *measured,
            resources: *resources,
            candidates: Vec::new(),
        })
    }
}
