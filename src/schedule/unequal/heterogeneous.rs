//! Chains whose steps differ in cost and size.

use super::groups::{Grouped, mean};
use crate::error::ScheduleError;
use crate::schedule::budgeted::equal_steps::{ByteBudget, EqualSteps};
use crate::schedule::budgeted::sweep::Budgeted;
use crate::schedule::{Action, Schedule, StepCost};

/// States and tapes of a chain whose steps differ, kept so that a budget of bytes buys the most
/// time.
///
/// For up to 200 steps it is the optimum among schedules that keep what they keep until its step is
/// reversed, by dynamic programming, with sizes rounded up to levels of memory (at most 500, at
/// such a distance that rounding wastes least). A longer chain is planned in at most 128 groups of
/// neighbouring steps; a group is reversed by [`Mixed`](crate::schedule::Mixed)'s rules for its
/// mean costs and its largest sizes. Planning takes up to 80 MB for about a second, the plan itself
/// little.
///
/// O. Beaumont, L. Eyraud-Dubois, J. Herrmann, A. Joly and A. Shilova, Optimal re-materialization
/// strategies for heterogeneous chains, ACM Trans. Math. Softw. 50 (2024), doi 10.1145/3648633.
///
/// ```
/// use costate::schedule::{Costs, Heterogeneous, Prediction, Sizes, StepCost};
/// let dear = |step| StepCost {
///     costs: Costs { step, ..Costs::STEPS },
///     sizes: Sizes { state: 1, tape: Some(4) },
/// };
/// // Room for one tape beside the first state: the dear step is not taken again.
/// let steps = [1.0, 10.0, 1.0].map(dear);
/// let plan = Prediction::heterogeneous(Heterogeneous::new(&steps, 5)?, 5, &steps)?;
/// assert_eq!(plan.seconds, 13.0);
/// assert!(plan.counts.bytes_peak <= 5);
/// # Ok::<(), costate::error::ScheduleError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Heterogeneous {
    actions: std::vec::IntoIter<Action>,
    num_slots: usize,
    bytes: usize,
}

impl Heterogeneous {
    /// Reverses the steps of `steps` with at most `budget` bytes of what is kept. States are in
    /// lower slots than tapes.
    ///
    /// # Errors
    /// Where the budget cannot hold the largest state, or a cost is negative or not finite.
    pub fn new(steps: &[StepCost], budget: u64) -> Result<Self, ScheduleError> {
        for step in steps {
            step.costs.check()?;
        }
        let normal = |step: &StepCost| StepCost { sizes: step.sizes.normal(), ..*step };
        let (n, steps) = (steps.len(), steps.iter().map(normal).collect::<Vec<_>>());
        let needed = steps.iter().map(|step| step.sizes.state).max().unwrap_or(0);
        if n > 1 && budget < needed {
            return Err(ScheduleError::Budget { bytes: budget, needed });
        }
        let actions: Vec<Action> = match Grouped::new(&steps, budget)? {
            Some(policy) => {
                let levels = policy.levels() as u64;
                Budgeted::new(policy, n, levels, n).collect()
            }
            None => {
                let (costs, sizes) = mean(&steps);
                let policy = EqualSteps::new(n, &ByteBudget::new(budget, sizes, costs))?;
                Budgeted::new(policy, n, budget, n).collect()
            }
        };
        let bytes = actions.capacity() * size_of::<Action>();
        Ok(Heterogeneous { actions: actions.into_iter(), num_slots: 2 * n, bytes })
    }
}

impl Iterator for Heterogeneous {
    type Item = Action;

    fn next(&mut self) -> Option<Action> {
        self.actions.next()
    }
}

impl Schedule for Heterogeneous {
    fn num_slots(&self) -> usize {
        self.num_slots
    }

    /// Without what it was planned with, which is gone.
    fn bytes(&self) -> usize {
        self.bytes
    }
}
