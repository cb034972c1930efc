//! How long before they are needed worker 1 opens gaps.

use super::{STEP, TwoProcessor};

/// When a gap is opened. Worker 1 works on a gap of l steps as soon as worker 0 will be there
/// within `per_step` (l − 1) + `at_least` steps' time; the longer ahead, the surer it is done in
/// time, and the longer it holds slots. All fractions are in tenths.
#[derive(Clone, Copy, Debug)]
pub struct LookAhead {
    pub per_step: u64,
    pub at_least: u64,
    /// The slots that the first snapshot in a gap is placed for, of those that are left.
    pub slots: u64,
    /// Worker 1 works in the gap where worker 0 is when it is done before worker 0 asks for the
    /// state or the tape, or late by no more than this fraction of its work.
    pub late: u64,
    /// The fraction of the steps before a gap that worker 0 is thought to take where worker 1 hands
    /// over what it can.
    pub alone: u64,
    /// The most steps that worker 1 hands over on tapes at once; gaps are not opened further. 0:
    /// none are handed over.
    pub block: usize,
}

impl LookAhead {
    /// What a dry run chooses from. The test `no_other_look_ahead_is_much_better` searches others.
    const ALONE: [LookAhead; 4] = [
        LookAhead::new(40, 14, 9),
        LookAhead::new(12, 8, 8),
        LookAhead::new(12, 3, 8),
        LookAhead::new(60, 14, 8),
    ];

    /// The same with blocks of half the tapes, or all.
    const WITH_TAPES: [LookAhead; 3] =
        [LookAhead::new(25, 14, 8), LookAhead::new(12, 14, 8), LookAhead::new(60, 14, 8)];

    pub const fn new(per_step: u64, at_least: u64, slots: u64) -> Self {
        LookAhead { per_step, at_least, slots, late: 8, alone: 5, block: 0 }
    }

    pub fn all(tapes: usize) -> impl Iterator<Item = LookAhead> {
        let half = tapes.div_ceil(2);
        let blocks = [tapes, half].into_iter().take(if half < tapes { 2 } else { tapes });
        let with_tapes = blocks.flat_map(|block| {
            LookAhead::WITH_TAPES.map(|look_ahead| LookAhead { block, ..look_ahead })
        });
        with_tapes.chain(LookAhead::ALONE)
    }
}

impl TwoProcessor {
    /// The same with the look-ahead of the shortest makespan.
    pub(super) fn with_best_look_ahead(mut self) -> Self {
        let first_sweep = self.end.saturating_sub(1) - self.workers[0].current.unwrap_or(0);
        let on_worker_0 = if self.free_tapes.is_empty() { STEP } else { 0 };
        let least = STEP * first_sweep as u64 + (on_worker_0 + self.adjoint) * self.end as u64;
        let mut shortest = u64::MAX;
        for look_ahead in [None].into_iter().chain(LookAhead::all(self.free_tapes.len()).map(Some))
        {
            if shortest <= least {
                break;
            }
            let trial = TwoProcessor { look_ahead, ..self.clone() };
            if let Some(makespan) = trial.makespan_below(shortest) {
                shortest = makespan;
                self.look_ahead = look_ahead;
            }
        }
        self
    }

    /// The time of the last reversal, where it is less than `limit`.
    pub(super) fn makespan_below(mut self, limit: u64) -> Option<u64> {
        while self.end > 0 && self.clock.of(0) < limit {
            self.decide();
            self.queue.clear();
        }
        Some(self.clock.of(0)).filter(|&time| time < limit)
    }
}
