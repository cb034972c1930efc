//! The fastest of what there is to choose from: memory alone, a second core, a disk.

use super::measure::Measured;
use super::plan::{Candidate, Plan, Resources, Way};
use crate::error::ScheduleError;

/// The ways that the `resources` allow, the one that needs least of them first.
pub(super) fn ways(measured: &Measured, resources: &Resources) -> Vec<Way> {
    let workers = measured.two_workers(resources).map(Way::TwoWorkers);
    let disk = resources.disk.map(Way::Disk);
    [Some(Way::Memory), workers, disk].into_iter().flatten().collect()
}

/// The fastest of the plans for `ways`, of which the first must be possible.
pub(super) fn fastest(
    ways: &[Way],
    plan: impl Fn(Way) -> Result<Plan, ScheduleError>,
) -> Result<Plan, ScheduleError> {
    let mut plans: Vec<Plan> = Vec::new();
    for &way in ways {
        match plan(way) {
            Ok(plan) => plans.push(plan),
            // States on their way to a disk and back need more than the least.
            Err(ScheduleError::Budget { .. }) if !plans.is_empty() => {}
            Err(error) => return Err(error),
        }
    }
    // A plan for a disk that puts nothing there is one in memory.
    plans.retain(|plan| !plan.uses_disk() || plan.disk_bytes > 0);
    let candidates = plans.iter().map(Plan::candidate).collect();
    let mut best = 0;
    for (k, plan) in plans.iter().enumerate() {
        if plan.seconds < plans[best].seconds {
            best = k;
        }
    }
    Ok(Plan { candidates, ..plans.swap_remove(best) })
}

/// The fastest of the plans for `most` bytes of slots, half of them, and so on. Memory that is used
/// for the first time takes time, since the system has to give it; where that is more than fewer
/// slots cost, they are faster.
pub(super) fn sparing(
    most: u64,
    measured: &Measured,
    plan: impl Fn(u64) -> Result<Plan, ScheduleError>,
) -> Result<Plan, ScheduleError> {
    let Measured { sizes, touch_state, sweep_bytes, .. } = *measured;
    let slots = |plan: &Plan| plan.memory_bytes - plan.threads as u64 * sweep_bytes;
    let mut best = plan(most)?;
    while (slots(&best) / sizes.state) as f64 * touch_state > WORTH_PLANNING
        && let Ok(fewer) = plan(slots(&best) / 2)
        && fewer.seconds < best.seconds
    {
        best = fewer;
    }
    Ok(best)
}

/// Seconds that may be gained by a few more plans, each of which takes up to some 20 ms.
const WORTH_PLANNING: f64 = 0.1;

impl Plan {
    fn candidate(&self) -> Candidate {
        let (schedule, threads) = (self.name(), self.threads);
        Candidate { schedule, threads, on_disk: self.uses_disk(), seconds: self.seconds }
    }
}
