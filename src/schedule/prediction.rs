//! What a schedule will take, before anything is run.

use super::{Action, Costs, Counts, Keep, Schedule, Sizes, optimum};
use crate::error::ScheduleError;

/// A step of a chain whose steps differ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// What the step's actions cost; store and restore are those of the state before it.
    pub costs: Costs,
    /// Of the state before the step, and of the step's tape.
    pub sizes: Sizes,
}

/// What a schedule does and takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prediction {
    /// Steps, stores, restores and the peak of bytes.
    pub counts: Counts,
    /// The sum of the actions' costs.
    pub seconds: f64,
    /// What no persistent schedule can beat in the same bytes; see
    /// [`mixed_bound`](optimum::mixed_bound).
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
        let lower_bound = optimum::mixed_bound(steps, budget, sizes, costs);
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
        places: &[Place],
    ) -> Result<Prediction, ScheduleError> {
        let mut meter = Meter::new(schedule, places);
        let bytes = |step: usize, keep| places.get(step).map_or(0, |place| place.sizes.of(keep));
        let counts = Counts::of_sized(&mut meter, &bytes)?;
        if counts.reverses != places.len() as u64 {
            let left = places.len().abs_diff(counts.reverses as usize);
            return Err(ScheduleError::Unfinished { left });
        }
        let seconds = meter.seconds;
        Ok(Prediction { counts, seconds, lower_bound: bound(budget, places) })
    }
}

fn bound(budget: u64, places: &[Place]) -> f64 {
    let least = |of: &dyn Fn(&Place) -> f64| places.iter().map(of).fold(f64::INFINITY, f64::min);
    let state = places.iter().map(|place| place.sizes.state).min().unwrap_or(1);
    let tape = places.iter().filter_map(|place| place.sizes.tape).min();
    let step = least(&|place| place.costs.step);
    let costs = Costs {
        step,
        adjoint: 0.0,
        store: least(&|place| place.costs.store),
        restore: least(&|place| place.costs.restore),
        keep_tape: least(&|place| place.costs.keep_tape),
    };
    let once: f64 = places.iter().map(|place| place.costs.step + place.costs.adjoint - step).sum();
    once + optimum::mixed_bound(places.len(), budget, Sizes { state, tape }, costs)
}

/// Adds up what the actions cost that pass.
struct Meter<'a, I> {
    schedule: I,
    places: &'a [Place],
    /// Costs of the steps before each.
    before: Vec<f64>,
    /// The step of the last action where that restored it.
    restored: Option<usize>,
    on_tape: Vec<bool>,
    seconds: f64,
}

impl<'a, I> Meter<'a, I> {
    fn new(schedule: I, places: &'a [Place]) -> Self {
        let mut before = vec![0.0];
        let mut sum = 0.0;
        for place in places {
            sum += place.costs.step;
            before.push(sum);
        }
        let on_tape = vec![false; places.len()];
        Meter { schedule, places, before, restored: None, on_tape, seconds: 0.0 }
    }

    fn cost(&mut self, action: Action) -> Option<f64> {
        let restored = self.restored.take();
        Some(match action {
            Action::Store { step, keep, .. } => {
                *self.on_tape.get_mut(step)? = keep == Keep::Tape;
                let costs = self.places.get(step)?.costs;
                if keep == Keep::Tape { costs.keep_tape } else { costs.store }
            }
            Action::Restore { step, .. } => {
                self.restored = Some(step);
                self.places.get(step)?.costs.restore
            }
            Action::Advance { from, to } => self.before.get(to)? - self.before.get(from)?,
            Action::Reverse { step } => {
                let Costs { step: taken, adjoint, restore, .. } = self.places.get(step)?.costs;
                let from_tape = restored == Some(step) && *self.on_tape.get(step)?;
                if from_tape { adjoint - restore } else { taken + adjoint }
            }
            Action::Free { .. } => 0.0,
        })
    }
}

impl<I: Schedule> Iterator for Meter<'_, I> {
    type Item = Action;

    fn next(&mut self) -> Option<Action> {
        let action = self.schedule.next()?;
        self.seconds += self.cost(action).unwrap_or(0.0);
        Some(action)
    }
}

impl<I: Schedule> Schedule for &mut Meter<'_, I> {
    fn num_slots(&self) -> usize {
        self.schedule.num_slots()
    }

    fn bytes(&self) -> usize {
        self.schedule.bytes()
    }
}
