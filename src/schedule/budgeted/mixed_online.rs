//! A budget of bytes for a chain whose length shows when its end is reached.

use super::equal_steps::ByteBudget;
use super::mixed::Mixed;
use crate::error::ScheduleError;
use crate::schedule::{Action, Costs, Online, OnlineSchedule, Schedule, Sizes};

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
    budget: ByteBudget,
}

impl MixedOnline {
    /// In at most `budget` bytes of what is kept.
    ///
    /// # Errors
    /// Where the budget cannot hold a state.
    pub fn new(budget: u64, sizes: Sizes, costs: Costs) -> Result<Self, ScheduleError> {
        Self::within(ByteBudget::new(budget, sizes, costs))
    }

    /// [`new`](Self::new), with a table of at most this many cells: beyond it, an estimate decides.
    pub(crate) fn with_table(
        budget: u64,
        sizes: Sizes,
        costs: Costs,
        cells: usize,
    ) -> Result<Self, ScheduleError> {
        Self::within(ByteBudget { cells, ..ByteBudget::new(budget, sizes, costs) })
    }

    fn within(budget: ByteBudget) -> Result<Self, ScheduleError> {
        let (bytes, state) = (budget.bytes, budget.sizes.state.max(1));
        let slots = usize::try_from(bytes / state).unwrap_or(usize::MAX);
        if slots == 0 {
            return Err(ScheduleError::Budget { bytes, needed: state });
        }
        Ok(MixedOnline { online: Online::new(slots)?, back: None, budget })
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

    fn bytes(&self) -> usize {
        self.online.bytes() + self.back.as_ref().map_or(0, Mixed::bytes)
    }
}

impl OnlineSchedule for MixedOnline {
    fn end(&mut self, num_steps: usize) {
        let (kept, _) = self.online.left(num_steps);
        let before = num_steps.checked_sub(1);
        match Mixed::resume_within(num_steps, &self.budget, &kept, before) {
            Ok(mixed) => {
                self.back = Some(mixed);
                self.online.forget();
            }
            // It can always go back as it came.
            Err(_) => self.online.end(num_steps),
        }
    }
}
