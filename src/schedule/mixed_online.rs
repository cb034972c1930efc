//! A budget of bytes for a chain whose length shows when its end is reached.

use super::{Action, Costs, Mixed, Online, OnlineSchedule, Schedule, Sizes};
use crate::error::ScheduleError;

/// The first sweep of [`Online`] with as many states as the budget holds; then the reverse sweep of
/// [`Mixed`], which keeps tapes in what is left and becomes free.
///
/// ```
/// use costate::schedule::{Costs, Counts, MixedOnline, Sizes};
/// let sizes = Sizes { state: 10, tape: Some(40) };
/// let schedule = MixedOnline::new(10_000, sizes, Costs::STEPS)?;
/// let counts = Counts::of_online(schedule, 200)?;
/// // No step is taken more than twice.
/// assert!(counts.steps_taken() <= 400);
/// # Ok::<(), costate::error::ScheduleError>(())
/// ```
#[derive(Clone, Debug)]
pub struct MixedOnline {
    online: Online,
    back: Option<Mixed>,
    budget: u64,
    sizes: Sizes,
    costs: Costs,
}

impl MixedOnline {
    /// In at most `budget` bytes of what is kept.
    ///
    /// # Errors
    /// Where the budget cannot hold a state.
    pub fn new(budget: u64, sizes: Sizes, costs: Costs) -> Result<Self, ScheduleError> {
        let state = sizes.state.max(1);
        let slots = usize::try_from(budget / state).unwrap_or(usize::MAX);
        if slots == 0 {
            return Err(ScheduleError::Budget { bytes: budget, needed: state });
        }
        Ok(MixedOnline { online: Online::new(slots)?, back: None, budget, sizes, costs })
    }
}

impl Iterator for MixedOnline {
    type Item = Action;

    fn next(&mut self) -> Option<Action> {
        match &mut self.back {
            Some(mixed) => mixed.next(),
            None => self.online.next(),
        }
    }
}

impl Schedule for MixedOnline {
    fn num_slots(&self) -> usize {
        self.back.as_ref().map_or(self.online.num_slots(), Mixed::num_slots)
    }
}

impl OnlineSchedule for MixedOnline {
    fn end(&mut self, num_steps: usize) {
        let (kept, _) = self.online.left(num_steps);
        let before = num_steps.checked_sub(1);
        let (budget, sizes, costs) = (self.budget, self.sizes, self.costs);
        match Mixed::resume(num_steps, budget, sizes, costs, &kept, before) {
            Ok(mixed) => self.back = Some(mixed),
            // It can always go back as it came.
            Err(_) => self.online.end(num_steps),
        }
    }
}
