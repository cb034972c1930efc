//! Two workers behind a first sweep of unknown length.

use super::{OnWorker, OnlineWorkerSchedule, TwoProcessor, WorkerCosts, WorkerSchedule};
use crate::error::ScheduleError;
use crate::schedule::{Online, Schedule};

/// The first sweep of [`Online`] on worker 0, and a reverse sweep as [`TwoProcessor`]'s.
#[derive(Clone, Debug)]
pub struct TwoProcessorOnline {
    slots: usize,
    tapes: usize,
    costs: WorkerCosts,
    sweep: TwoProcessorSweep,
}

#[derive(Clone, Debug)]
enum TwoProcessorSweep {
    Forward(Online),
    Back(TwoProcessor),
    /// The end came before the first state was kept: no schedule, and whoever follows it sees that
    /// steps are left to reverse.
    Broken,
}

impl TwoProcessorOnline {
    /// Keeps at most `slots` snapshots, the one of step 0 among them.
    ///
    /// # Errors
    /// Where `slots` is zero.
    pub fn new(slots: usize, costs: WorkerCosts) -> Result<Self, ScheduleError> {
        TwoProcessorOnline::with_tapes(slots, 0, costs)
    }

    /// The same with at most `tapes` tapes besides, as [`TwoProcessor::with_tapes`].
    ///
    /// # Errors
    /// Where `slots` is zero.
    pub fn with_tapes(
        slots: usize,
        tapes: usize,
        costs: WorkerCosts,
    ) -> Result<Self, ScheduleError> {
        Ok(TwoProcessorOnline {
            slots,
            tapes,
            costs,
            sweep: TwoProcessorSweep::Forward(Online::new(slots)?),
        })
    }
}

impl Iterator for TwoProcessorOnline {
    type Item = OnWorker;

    fn next(&mut self) -> Option<OnWorker> {
        match &mut self.sweep {
            TwoProcessorSweep::Forward(online) => {
                online.next().map(|action| OnWorker { worker: 0, action })
            }
            TwoProcessorSweep::Back(schedule) => schedule.next(),
            TwoProcessorSweep::Broken => None,
        }
    }
}

impl WorkerSchedule for TwoProcessorOnline {
    fn num_slots(&self) -> usize {
        match &self.sweep {
            TwoProcessorSweep::Forward(_) => self.slots.saturating_add(self.tapes),
            // Only now it shows how many are of use.
            TwoProcessorSweep::Back(schedule) => schedule.num_slots(),
            TwoProcessorSweep::Broken => 0,
        }
    }

    fn num_workers(&self) -> usize {
        2
    }

    fn bytes(&self) -> usize {
        match &self.sweep {
            TwoProcessorSweep::Forward(online) => online.bytes(),
            TwoProcessorSweep::Back(schedule) => schedule.bytes(),
            TwoProcessorSweep::Broken => 0,
        }
    }
}

impl OnlineWorkerSchedule for TwoProcessorOnline {
    fn end(&mut self, num_steps: usize) {
        if let TwoProcessorSweep::Forward(online) = &self.sweep {
            let (kept, free) = online.left(num_steps);
            let schedule = TwoProcessor::resume(num_steps, &kept, &free, self.tapes, self.costs);
            self.sweep = schedule.map_or(TwoProcessorSweep::Broken, TwoProcessorSweep::Back);
        }
    }
}
