//! What of a budget two workers spend on states, and what on tapes.

use super::measure::Measured;
use super::plan::{Plan, Planned, Resources, count, nanoseconds};
use crate::error::ScheduleError;
use crate::schedule::{TwoProcessor, WorkerCosts, WorkerCounts, WorkerSchedule};

/// Steps that are shorter than this are handed over more slowly than they are taken.
const SHORTEST_STEP: f64 = 10e-6;
/// Tapes on their way from one worker to the other.
const TAPES: usize = 4;
const FEW_TAPES: usize = 2;
/// What is tried where the length is known; few last, since more even out what virtual time does
/// not know.
pub(super) const TAPES_TRIED: [usize; 3] = [0, TAPES, FEW_TAPES];
/// A later one is taken where it needs no more than this of the time.
const WORTH: f64 = 0.99;

impl Plan {
    /// With as many of `tapes` as is fastest.
    pub(super) fn on_workers(
        steps: usize,
        measured: &Measured,
        resources: &Resources,
        bytes: u64,
        tapes: &[usize],
    ) -> Result<Self, ScheduleError> {
        let costs = measured.worker_costs();
        let mut best: Option<OnWorkers> = None;
        for &tapes in tapes {
            if let Some(slots) = measured.slots_beside_tapes(bytes, tapes) {
                let found = OnWorkers::followed(steps, slots, tapes, costs)?;
                if best.as_ref().is_none_or(|best| found.nanoseconds < WORTH * best.nanoseconds) {
                    best = Some(found);
                }
            }
        }
        let OnWorkers { pair, states, tapes, taken, nanoseconds } =
            best.ok_or(ScheduleError::NoSlots)?;
        let (handed, lower_bound) = (measured.handed_over(tapes), measured.once(steps));
        Ok(Plan {
            steps: steps as u64,
            planned: Planned::TwoProcessor(pair),
            threads: 2,
            memory_bytes: states * measured.sizes.state + handed + 2 * measured.sweep_bytes,
            disk_bytes: 0,
            recomputed_steps: taken.saturating_sub(steps as u64),
            // Whole nanoseconds may be fewer.
            seconds: (nanoseconds * 1e-9).max(lower_bound) + states as f64 * measured.touch_state,
            lower_bound,
            measured: *measured,
            resources: *resources,
            candidates: Vec::new(),
        })
    }
}

/// What a list for two workers will take.
struct OnWorkers {
    pair: TwoProcessor,
    /// The most that are kept at once.
    states: u64,
    tapes: usize,
    /// Steps taken.
    taken: u64,
    nanoseconds: f64,
}

impl OnWorkers {
    /// A chain too long to be followed in no time takes as long a step as a shorter one.
    fn followed(
        steps: usize,
        slots: usize,
        tapes: usize,
        costs: WorkerCosts,
    ) -> Result<Self, ScheduleError> {
        let pair = TwoProcessor::with_tapes(steps, slots, tapes, costs)?;
        let tapes = pair.num_tapes();
        let (fewer, fewer_slots) = TwoProcessor::alike(steps, slots);
        let counts =
            WorkerCounts::of(TwoProcessor::with_tapes(fewer, fewer_slots, tapes, costs)?, costs)?;
        let scale = steps as f64 / fewer.max(1) as f64;
        let room = (pair.num_slots() - tapes) as u64;
        let states = if fewer == steps { counts.snapshots_peak } else { room };
        let taken = counts.advances.iter().sum::<u64>() + counts.reverses - counts.from_tape;
        Ok(OnWorkers {
            pair,
            states,
            tapes,
            taken: (scale * taken as f64).round() as u64,
            nanoseconds: scale * counts.makespan as f64,
        })
    }
}

impl Measured {
    /// What is left for slots beside two sweeps' own, where two are worth while.
    pub fn two_workers(&self, resources: &Resources) -> Option<u64> {
        let slots = resources.memory.checked_sub(self.sweep_bytes.saturating_mul(2))?;
        let worth = resources.threads > 1 && self.costs.step >= SHORTEST_STEP;
        (worth && slots >= self.sizes.state).then_some(slots)
    }

    /// The states that `bytes` hold beside `tapes` that workers hand over; none where that is not one,
    /// or no tapes are kept.
    pub(crate) fn slots_beside_tapes(&self, bytes: u64, tapes: usize) -> Option<usize> {
        if tapes > 0 && self.sizes.tape.is_none() {
            return None;
        }
        let slots = count(bytes.checked_sub(self.handed_over(tapes))? / self.sizes.state);
        (slots > 0).then_some(slots)
    }

    /// The bytes of `tapes` that workers hand over, and of the one before that worker 0 has yet.
    fn handed_over(&self, tapes: usize) -> u64 {
        let held = if tapes == 0 { 0 } else { tapes as u64 + 1 };
        held.saturating_mul(self.sizes.tape.unwrap_or(0))
    }

    /// How many tapes workers hand over in a chain whose length is not known: as many as take no more
    /// than a quarter of the `bytes` for slots.
    pub(crate) fn tapes_on_workers(&self, bytes: u64) -> usize {
        let fit =
            |&tapes: &usize| self.sizes.tape.is_some() && self.handed_over(tapes) <= bytes / 4;
        [TAPES, FEW_TAPES].into_iter().find(fit).unwrap_or(0)
    }

    /// In nanoseconds, for two workers.
    pub fn worker_costs(&self) -> WorkerCosts {
        WorkerCosts { step: nanoseconds(self.costs.step), adjoint: nanoseconds(self.costs.adjoint) }
    }
}
