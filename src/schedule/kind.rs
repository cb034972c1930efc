//! The schedules by name.

use super::{
    Bisection, Online, OnlineSchedule, Revolve, Schedule, StoreAll, StoreAllOnline, Uniform,
};
use crate::error::ScheduleError;

/// Which states are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScheduleKind {
    /// All of them.
    StoreAll,
    /// Equally spaced ones.
    Uniform,
    /// Midpoints of midpoints.
    Bisection,
    /// The binomial optimum for a known number of steps.
    Revolve,
    /// For steps whose number shows at the end: the first sweep is not repeated.
    Online,
}

impl ScheduleKind {
    /// All kinds with their names in commands.
    pub const ALL: [(&'static str, ScheduleKind); 5] = [
        ("store-all", ScheduleKind::StoreAll),
        ("uniform", ScheduleKind::Uniform),
        ("bisection", ScheduleKind::Bisection),
        ("revolve", ScheduleKind::Revolve),
        ("online", ScheduleKind::Online),
    ];

    /// The name in commands.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }

    /// The schedule for a known number of steps, with at most `slots` snapshots; all states
    /// unless told. `Online` has nothing to gain from the number and is `Revolve` here.
    ///
    /// # Errors
    /// Where `slots` is zero.
    pub fn offline(
        self,
        steps: usize,
        slots: Option<usize>,
    ) -> Result<Box<dyn Schedule>, ScheduleError> {
        let slots = slots.unwrap_or(steps.max(1));
        Ok(match self {
            ScheduleKind::StoreAll => Box::new(StoreAll::new(steps)),
            ScheduleKind::Uniform => Box::new(Uniform::new(steps, slots)?),
            ScheduleKind::Bisection => Box::new(Bisection::new(steps, slots)?),
            ScheduleKind::Revolve | ScheduleKind::Online => Box::new(Revolve::new(steps, slots)?),
        })
    }

    /// The schedule that the first sweep can begin with before the number of steps is known, where
    /// there is one.
    ///
    /// # Errors
    /// Where `slots` is zero.
    pub fn online(
        self,
        slots: Option<usize>,
    ) -> Result<Option<Box<dyn OnlineSchedule>>, ScheduleError> {
        Ok(match (self, slots) {
            (ScheduleKind::StoreAll, _) | (ScheduleKind::Online, None) => {
                Some(Box::new(StoreAllOnline::new()))
            }
            (ScheduleKind::Online, Some(slots)) => Some(Box::new(Online::new(slots)?)),
            _ => None,
        })
    }
}
