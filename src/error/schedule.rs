//! What is wrong with a schedule.

use thiserror::Error;

/// Why a schedule cannot be made or followed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the messages say what the fields are")]
pub enum ScheduleError {
    /// No memory at all.
    #[error("zero snapshots cannot reverse a run: give at least 1")]
    NoSlots,
    /// Not even one state fits.
    #[error(
        "a budget of {bytes} bytes for what is kept cannot hold one state: give at least {needed}"
    )]
    Budget { bytes: u64, needed: u64 },
    /// A cost that no schedule can be optimal for.
    #[error("costs must be finite and not negative, unlike {costs}")]
    Cost { costs: String },
    /// What a sweep is to go on from is not what a first sweep leaves.
    #[error(
        "what is kept must be states of ascending steps below {steps} in slots of their own, that of \
         step 0 among them, not {kept}"
    )]
    KeptStates { steps: usize, kept: String },
    /// A table that would take too long.
    #[error(
        "the optimum for {steps} steps with {fast} slots in memory and {slow} on disk takes too \
         long to find: take the periodic schedule"
    )]
    TooLong { steps: usize, fast: usize, slow: usize },
    /// A restore from a slot that holds nothing or another step's state.
    #[error(
        "the schedule restores step {step} from slot {slot}, which holds {}: it is no schedule of \
         this chain",
        super::held(.found)
    )]
    NotKept { slot: usize, step: usize, found: Option<usize> },
    /// An action on another state than the current one, out of order, or of a worker that may not.
    /// `worker` is given where there are several.
    #[error(
        "the schedule asks {}for {action} while {} is the current state{}: it is no schedule of \
         this chain",
        asked(.worker),
        super::state(.current),
        left_to_reverse(.left)
    )]
    UnexpectedAction {
        worker: Option<usize>,
        action: String,
        current: Option<usize>,
        left: Option<usize>,
    },
    /// A tape of a chain that keeps none.
    #[error("the schedule keeps tapes, and this chain keeps states alone")]
    NoTapes,
    /// A first sweep of a run that does not go on step by step.
    #[error(
        "the schedule's first sweep is not one over all steps by worker 0, which keeps states alone \
         and, where the end is not known, takes one step at a time"
    )]
    FirstSweep,
    /// Steps that are never reversed.
    #[error("the schedule ends with {left} steps not reversed")]
    Unfinished { left: usize },
}

fn asked(worker: &Option<usize>) -> String {
    worker.map_or_else(String::new, |worker| format!("worker {worker} "))
}

fn left_to_reverse(left: &Option<usize>) -> String {
    left.map_or_else(String::new, |left| format!(" and {left} steps are left to reverse"))
}
