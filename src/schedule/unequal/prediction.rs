//! What a schedule will take, before anything is run.

use crate::error::ScheduleError;
use crate::schedule::budgeted::optimum::mixed_bound;
use crate::schedule::{Costs, Counts, Effect, Keep, Schedule, Sizes, StepCost};

/// What a schedule does and takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prediction {
    /// Steps, stores, restores and the peak of bytes.
    pub counts: Counts,
    /// The sum of the actions' costs.
    pub seconds: f64,
    /// What no persistent schedule can beat in the same bytes; see
    /// [`mixed_bound`](crate::schedule::optimum::mixed_bound).
    pub lower_bound: f64,
}

impl Prediction {
    /// Of any schedule of a uniform chain for a budget of bytes.
    ///
    /// # Errors
    /// Where the schedule is none.
    pub fn uniform(
        schedule: impl Schedule,
        budget: u64,
        sizes: Sizes,
        costs: Costs,
    ) -> Result<Prediction, ScheduleError> {
        let counts = Counts::of_sized(schedule, &|_, keep| sizes.of(keep))?;
        let steps = usize::try_from(counts.reverses).unwrap_or(usize::MAX);
        let lower_bound = mixed_bound(steps, budget, sizes, costs);
        Ok(Prediction { counts, seconds: counts.seconds(&costs), lower_bound })
    }

    /// Of any schedule of a chain whose steps differ. The bound takes every step's own costs once,
    /// and the steps that have to be taken again, as many as in a uniform chain of the smallest
    /// sizes, for the least step.
    ///
    /// # Errors
    /// Where the schedule is none of a chain of this length.
    pub fn heterogeneous(
        schedule: impl Schedule,
        budget: u64,
        steps: &[StepCost],
    ) -> Result<Prediction, ScheduleError> {
        let (meter, mut seconds) = (Meter::new(steps), 0.0);
        let bytes = |step: usize, keep| steps.get(step).map_or(0, |step| step.sizes.of(keep));
        let mut add_cost = |effect| seconds += meter.cost(effect).unwrap_or(0.0);
        let counts = Counts::observed(schedule, &bytes, &mut add_cost)?;
        if counts.reverses != steps.len() as u64 {
            let left = steps.len().abs_diff(counts.reverses as usize);
            return Err(ScheduleError::Unfinished { left });
        }
        Ok(Prediction { counts, seconds, lower_bound: bound(budget, steps) })
    }
}

fn bound(budget: u64, steps: &[StepCost]) -> f64 {
    let least = |of: &dyn Fn(&StepCost) -> f64| steps.iter().map(of).fold(f64::INFINITY, f64::min);
    let state = steps.iter().map(|step| step.sizes.state).min().unwrap_or(1);
    let tape = steps.iter().filter_map(|step| step.sizes.tape).min();
    let step = least(&|step| step.costs.step);
    let costs = Costs {
        step,
        adjoint: 0.0,
        store: least(&|step| step.costs.store),
        restore: least(&|step| step.costs.restore),
        keep_tape: least(&|step| step.costs.keep_tape),
    };
    let once: f64 = steps.iter().map(|it| it.costs.step + it.costs.adjoint - step).sum();
    once + mixed_bound(steps.len(), budget, Sizes { state, tape }, costs)
}

/// What actions cost.
struct Meter<'a> {
    steps: &'a [StepCost],
    /// Costs of the steps before each.
    before: Vec<f64>,
}

impl<'a> Meter<'a> {
    fn new(steps: &'a [StepCost]) -> Self {
        let mut before = vec![0.0];
        for step in steps {
            before.push(before[before.len() - 1] + step.costs.step);
        }
        Meter { steps, before }
    }

    /// None where the chain has no such step.
    fn cost(&self, effect: Effect) -> Option<f64> {
        let costs = |step: usize| self.steps.get(step).map(|step| step.costs);
        Some(match effect {
            Effect::Stored { step, keep: Keep::State, .. } => costs(step)?.store,
            Effect::Stored { step, keep: Keep::Tape, .. } => costs(step)?.keep_tape,
            Effect::Restored { step, .. } => costs(step)?.restore,
            Effect::Advanced { from, to } => self.before.get(to)? - self.before.get(from)?,
            // The tape's cost was added when it was kept.
            Effect::Reversed { step, from_tape: Some(_) } => {
                costs(step)?.adjoint - costs(step)?.restore
            }
            Effect::Reversed { step, from_tape: None } => costs(step)?.step + costs(step)?.adjoint,
            Effect::Freed { .. } => 0.0,
        })
    }
}
