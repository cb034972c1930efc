//! The times t_0 < t_1 < … < t_N of a run, and one step between two of them.

use crate::error::{Error, number};
use crate::numbers::bytes::Blocks;

/// The step from t_n = `t` to t_{n+1} = `t_next`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// t_n.
    pub t: f64,
    /// t_{n+1}.
    pub t_next: f64,
    /// The end of the run, past which f is never evaluated.
    pub end: f64,
}

impl Step {
    /// h = t_{n+1} − t_n.
    #[inline]
    pub fn h(self) -> f64 {
        self.t_next - self.t
    }

    /// t_n + c h, and t_{n+1} itself for c = 1.
    #[inline]
    pub fn at(self, c: f64) -> f64 {
        if c == 1.0 { self.t_next } else { self.t + c * self.h() }
    }

    /// θ with t = t_n + θh.
    #[inline]
    pub fn fraction(self, t: f64) -> f64 {
        (t - self.t) / self.h()
    }
}

/// The time span of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// t_0.
    pub start: f64,
    /// T.
    pub end: f64,
}

impl Span {
    /// Fails unless the end comes after the start.
    pub(crate) fn check(self) -> Result<(), Error> {
        let Span { start, end } = self;
        if start.is_finite() && end.is_finite() && start < end {
            Ok(())
        } else {
            Err(Error::BadSpan { start, end })
        }
    }

    /// Fails unless `times` ascend inside the span; [`AT_END`] is its end.
    pub(crate) fn check_times(self, times: &[f64]) -> Result<(), Error> {
        let Span { start, end } = self;
        let mut before = f64::NEG_INFINITY;
        for (index, &time) in times.iter().enumerate() {
            if time != AT_END && !(start <= time && time <= end) {
                return Err(Error::ObservationOutside { index, time, start, end });
            }
            if time < before {
                return Err(Error::ObservationsUnsorted { index, time });
            }
            before = time;
        }
        Ok(())
    }
}

/// The time of what belongs to the end of a run, wherever that is.
pub const AT_END: f64 = f64::INFINITY;

/// Steps longer than this times |t| end at times that ascend, however they are rounded.
const RESOLVED: f64 = 8.0 * f64::EPSILON;

/// The times of a run: what replays follow to the bit.
#[derive(Clone, Debug)]
pub enum TimeGrid {
    /// t_n = `start` + (`end` − `start`) n / `steps`; takes no memory.
    Uniform {
        /// t_0.
        start: f64,
        /// t_N.
        end: f64,
        /// N.
        steps: usize,
    },
    /// t_0, …, t_N as a controller chose them.
    Times(Vec<f64>),
    /// The same while more come, one by one: they lie in blocks, so that no copy of them is made.
    Growing(Blocks<f64>),
}

/// The same times, however they are stored; a uniform grid is equal to another uniform one only.
impl PartialEq for TimeGrid {
    fn eq(&self, other: &Self) -> bool {
        use TimeGrid::Uniform;
        match (self, other) {
            (
                Uniform { start, end, steps },
                Uniform { start: other_start, end: other_end, steps: other_steps },
            ) => (start, end, steps) == (other_start, other_end, other_steps),
            (Uniform { .. }, _) | (_, Uniform { .. }) => false,
            _ => self.len() == other.len() && self.times().eq(other.times()),
        }
    }
}

impl TimeGrid {
    /// The start of a run, to which times are added.
    pub(crate) fn growing(start: f64) -> Self {
        TimeGrid::Growing(Blocks::of(start))
    }

    /// N, the number of steps.
    pub fn num_steps(&self) -> usize {
        self.len().saturating_sub(1)
    }

    /// Number of times.
    fn len(&self) -> usize {
        match self {
            TimeGrid::Uniform { steps, .. } => steps.saturating_add(1),
            TimeGrid::Times(times) => times.len(),
            TimeGrid::Growing(times) => times.len(),
        }
    }

    fn times(&self) -> impl Iterator<Item = f64> {
        (0..self.len()).map(|n| self.time(n))
    }

    /// Fails unless the times ascend.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let bad = |what, given: String, required| Err(Error::BadSetting { what, given, required });
        match self {
            TimeGrid::Times(times) if times.is_empty() => {
                bad("the number of times of the grid", "0".into(), "at least 1")
            }
            _ if self.num_steps() == 0 && !self.end().is_finite() => {
                bad("the time of the grid", number(&self.end()), "a finite number")
            }
            TimeGrid::Uniform { steps: 0, .. } => Ok(()),
            TimeGrid::Uniform { start, end, steps } => {
                Span { start: *start, end: *end }.check()?;
                let h = (end - start) / *steps as f64;
                if *steps > 1 && h <= RESOLVED * start.abs().max(end.abs()) {
                    let required = "small enough for each step to be longer than time's rounding";
                    return bad("the number of steps", steps.to_string(), required);
                }
                Ok(())
            }
            TimeGrid::Times(_) | TimeGrid::Growing(_) => (0..self.num_steps())
                .try_for_each(|n| Span { start: self.time(n), end: self.time(n + 1) }.check()),
        }
    }

    /// t_n for 0 ≤ n ≤ N; NaN beyond the last of a list.
    #[inline]
    pub fn time(&self, n: usize) -> f64 {
        match self {
            TimeGrid::Uniform { start, end, steps } => {
                if n == *steps {
                    *end
                } else {
                    start + (end - start) * n as f64 / *steps as f64
                }
            }
            TimeGrid::Times(times) => times.get(n).copied().unwrap_or(f64::NAN),
            TimeGrid::Growing(times) => times.at(n),
        }
    }

    /// Step n, for 0 ≤ n < N, of the run that ends with the grid.
    #[inline]
    pub fn step(&self, n: usize) -> Step {
        Step { t: self.time(n), t_next: self.time(n + 1), end: self.end() }
    }

    /// t_N.
    pub fn end(&self) -> f64 {
        self.time(self.num_steps())
    }

    /// Appends t_{N+1}. A uniform grid becomes a list of times.
    pub(crate) fn push(&mut self, t: f64) {
        if let TimeGrid::Uniform { .. } = self {
            *self = TimeGrid::Times(self.times().collect());
        }
        match self {
            TimeGrid::Times(times) => times.push(t),
            TimeGrid::Growing(times) => times.push(t),
            TimeGrid::Uniform { .. } => {}
        }
    }

    /// Bytes that the stored times occupy.
    pub fn bytes(&self) -> usize {
        match self {
            TimeGrid::Uniform { .. } => 0,
            TimeGrid::Times(times) => 8 * times.capacity(),
            TimeGrid::Growing(times) => times.bytes(),
        }
    }

    /// Bytes that the times of `steps` steps occupy at most where they are added one by one.
    pub(crate) fn bytes_of(steps: usize) -> usize {
        Blocks::<f64>::bytes_of(steps + 1)
    }
}
