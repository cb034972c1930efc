//! A schedule for chains of unknown length, of a chain whose length is known.

use crate::schedule::{Action, OnlineSchedule, Schedule};

/// The actions of an online schedule for a chain of this many steps, whose last step is not taken
/// until it is reversed: a driver that has to see the end takes it once more.
///
/// ```
/// use costate::schedule::{Counts, Ended, Online};
/// let counts = Counts::of(Ended::new(Online::new(5)?, 100))?;
/// assert_eq!(counts.reverses, 100);
/// // That of a driver that has to see the end.
/// assert_eq!(counts.advances + 1, Counts::of_online(Online::new(5)?, 100)?.advances);
/// # Ok::<(), costate::error::ScheduleError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Ended<T> {
    schedule: T,
    steps: usize,
    ended: bool,
}

impl<T: OnlineSchedule> Ended<T> {
    /// Of `steps` steps.
    pub fn new(schedule: T, steps: usize) -> Self {
        Ended { schedule, steps, ended: false }
    }

    fn end(&mut self) -> Option<Action> {
        self.ended = true;
        self.schedule.end(self.steps);
        self.schedule.next()
    }
}

impl<T: OnlineSchedule> Iterator for Ended<T> {
    type Item = Action;

    fn next(&mut self) -> Option<Action> {
        if self.ended {
            return self.schedule.next();
        }
        if self.steps == 0 {
            return self.end();
        }
        match self.schedule.next()? {
            // The first sweep goes step by step.
            Action::Advance { to, .. } if to >= self.steps => self.end(),
            action => Some(action),
        }
    }
}

impl<T: OnlineSchedule> Schedule for Ended<T> {
    fn num_slots(&self) -> usize {
        self.schedule.num_slots()
    }

    fn bytes(&self) -> usize {
        self.schedule.bytes()
    }
}
