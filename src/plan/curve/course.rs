//! The gradients that a curve is made of, one after the other.

use super::{CurvePoint, bits};
use crate::adjoint::{Gradient, Progress};
use crate::error::Error;
use crate::numbers::scalar::Scalar;

/// What is told of a curve while it is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CurveNews<'a> {
    /// The steps are known.
    Begun {
        /// Name of the method.
        method: &'static str,
        /// N.
        steps: u64,
    },
    /// A point will not be measured.
    LeftOut(&'a LeftOut),
    /// The part of all the work that is done, by the predicted times.
    Done(f64),
    /// A point was measured.
    Point(&'a CurvePoint),
}

/// A point that was not measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeftOut {
    /// Number of snapshots, where that was varied.
    pub snapshots: Option<u64>,
    /// Bytes of memory, where these were varied.
    pub budget_bytes: Option<u64>,
    /// Name of the schedule.
    pub schedule: &'static str,
    /// Threads that were allowed.
    pub threads: usize,
    /// Whether files were allowed.
    pub on_disk: bool,
    /// Predicted seconds.
    pub predicted_seconds: f64,
    /// Why it was left out.
    pub reason: Reason,
}

/// Why a point was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It would take over 20 times as long as the fastest.
    Slow,
    /// The plan is the one without what was allowed besides: more threads, or a disk.
    NoOtherPlan,
}

/// Gradients that take this many times as long as the fastest are measured only where they are
/// asked for.
const SLOW: f64 = 20.0;

/// What is to be measured, and what was told.
pub(super) struct Course<'a, T> {
    /// With predicted seconds.
    ahead: Vec<(T, f64)>,
    left_out: Vec<LeftOut>,
    observe: &'a (dyn Fn(CurveNews) + Sync),
}

impl<'a, T: Sync> Course<'a, T> {
    pub fn new(observe: &'a (dyn Fn(CurveNews) + Sync)) -> Self {
        Course { ahead: Vec::new(), left_out: Vec::new(), observe }
    }

    pub fn add(&mut self, one: T, predicted_seconds: f64) {
        self.ahead.push((one, predicted_seconds));
    }

    pub fn leave_out(&mut self, left_out: LeftOut) {
        (self.observe)(CurveNews::LeftOut(&left_out));
        self.left_out.push(left_out);
    }

    pub fn leave_slow_out(&mut self, left_out: impl Fn(&T, f64) -> LeftOut) {
        let fastest = self.ahead.iter().map(|one| one.1).fold(f64::INFINITY, f64::min);
        let is_slow = |one: &(T, f64)| one.1 > SLOW * fastest;
        let (slow, ahead) = std::mem::take(&mut self.ahead).into_iter().partition(is_slow);
        self.ahead = ahead;
        let slow: Vec<(T, f64)> = slow;
        for (one, seconds) in &slow {
            self.leave_out(left_out(one, *seconds));
        }
    }

    /// What is to be measured.
    pub fn ahead(&self) -> impl Iterator<Item = &T> {
        self.ahead.iter().map(|one| &one.0)
    }

    /// The points in the order in which they were added, each compared with the first.
    pub fn measured<S: Scalar>(
        &self,
        point: impl Fn(&T, f64, &(dyn Fn(Progress) + Sync)) -> Result<(CurvePoint, Gradient<S>), Error>,
    ) -> Result<Vec<CurvePoint>, Error> {
        let all: f64 = self.ahead.iter().map(|one| one.1).sum();
        let mut first: Option<Gradient<S>> = None;
        let (mut points, mut before) = (Vec::new(), 0.0);
        for (one, seconds) in &self.ahead {
            let inside = |progress: Progress| {
                let part = progress.reversed as f64 / progress.forward.max(1) as f64;
                (self.observe)(CurveNews::Done((before + part * seconds) / all));
            };
            let (point, found) = point(one, *seconds, &inside)?;
            let bits_equal = first.as_ref().is_none_or(|first| bits(first).eq(bits(&found)));
            let point = CurvePoint { bits_equal, ..point };
            before += seconds;
            (self.observe)(CurveNews::Point(&point));
            (self.observe)(CurveNews::Done(before / all));
            points.push(point);
            first.get_or_insert(found);
        }
        Ok(points)
    }

    pub fn left_out(self) -> Vec<LeftOut> {
        self.left_out
    }
}
