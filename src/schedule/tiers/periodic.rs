//! Slow snapshots at multiples of a period, fast ones inside a period.

use super::costs::{TierCosts, Transfer};
use crate::error::ScheduleError;
use crate::schedule::binomial::optimum::{beta, t};
use crate::schedule::{Action, Revolve, Schedule, check_slots, useful_slots};

/// Periods up to this length, and up to this many periods, are all tried.
const TRIED: usize = 2048;

/// [`Revolve`] over periods of J steps in d slow slots, and in each period, once it is to be
/// reversed, [`Revolve`] over its steps in s fast slots. For chains of any length.
///
/// Where the slow slots hold the first states of all periods but the last, which is reversed in
/// memory at once, the first sweep writes each and the reverse sweep reads each once. With
/// N = (K − 1) J + m, 0 < m ≤ J, F the time of a step, B that of a `Reverse`, w and r those of
/// writing and reading a slow slot, and [`t`](crate::schedule::optimum::t)(l, s) the least number of
/// advances, the sweeps take at most
///
/// ```text
/// waited       t(K, d) J F + (K − 1)(w + r + t(J, s) F + J B) + t(m, s) F + m B
/// overlapped   max(t(K, d) J F, (K − 1) w) + (K − 1) max(r, t(J, s) F + J B) + t(m, s) F + m B
/// ```
///
/// where copies in memory are left out, and overlapped writes and reads come evenly. J is the
/// length for which this is least, among all up to 2048, those that cut the chain into at most 2048
/// periods, the longest ones for each number of repetitions in memory, and the shortest whose
/// snapshots all have slow slots. That equal periods cost little is from G. Aupy and J. Herrmann,
/// Periodicity in optimal hierarchical checkpointing schemes for adjoint computations, Optim.
/// Methods Softw. 32 (2017) 594–624, doi 10.1080/10556788.2016.1230612;
/// [`Multistage`](super::Multistage) is the optimum.
///
/// ```
/// use costate::schedule::{TierCosts, Counts, Periodic, SlotCosts, Transfer};
///
/// let slow = SlotCosts { write: 500, read: 500 };
/// let costs = TierCosts { step: 100, reverse: 300, fast: SlotCosts::default(), slow };
/// let overlapped = Transfer::Overlapped { writes: 2 };
/// let counts = Counts::of(Periodic::new(100_000, 20, 20_000, &costs, overlapped)?)?;
/// assert!(counts.advances < 200_000); // each step is advanced over twice
/// # Ok::<(), costate::error::ScheduleError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Periodic {
    period: usize,
    fast: usize,
    slow: usize,
    /// Over periods.
    outer: Revolve,
    /// Over the steps of the period that is being reversed, if any.
    inner: Option<Inner>,
    /// Over a whole period.
    whole: Revolve,
    /// Over the last one.
    last: Revolve,
    num_periods: usize,
}

#[derive(Clone, Debug)]
struct Inner {
    start: usize,
    revolve: Revolve,
}

impl Periodic {
    /// Reverses `steps` steps with at most `fast` and `slow` slots.
    ///
    /// # Errors
    /// Where there are no slots.
    pub fn new(
        steps: usize,
        fast: usize,
        slow: usize,
        costs: &TierCosts,
        transfer: Transfer,
    ) -> Result<Self, ScheduleError> {
        check_slots(fast.saturating_add(slow))?;
        let (fast, slow) = (useful_slots(steps, fast), useful_slots(steps, slow));
        let chain = Chain { steps, fast, slow };
        let period = chain.best_period(costs, transfer);
        let cut = chain.cut(period);
        let revolve = |steps, slots: usize| Revolve::new(steps, slots.max(1));
        let outer = revolve(cut.num_periods, slow)?;
        let slow = if cut.num_periods > 1 { outer.num_slots() } else { 0 };
        let (whole, last) = (revolve(period, fast)?, revolve(cut.last, fast)?);
        let (num_periods, inner) = (cut.num_periods, None);
        Ok(Periodic { period, fast, slow, outer, inner, whole, last, num_periods })
    }

    /// The slots below this number are fast.
    pub fn fast_slots(&self) -> usize {
        self.fast
    }

    /// J.
    pub fn period(&self) -> usize {
        self.period
    }

    fn begin(&mut self, period: usize) {
        let revolve = if period + 1 == self.num_periods { &self.last } else { &self.whole };
        self.inner = Some(Inner { start: period * self.period, revolve: revolve.clone() });
    }
}

impl Iterator for Periodic {
    type Item = Action;

    fn next(&mut self) -> Option<Action> {
        loop {
            if let Some(Inner { start, revolve }) = &mut self.inner
                && let Some(action) = revolve.next()
            {
                return Some(placed(action, |step| step + *start, 0));
            }
            match self.outer.next()? {
                Action::Reverse { step: period } => self.begin(period),
                action => return Some(placed(action, |step| step * self.period, self.fast)),
            }
        }
    }
}

/// The action at other steps and in later slots.
fn placed(action: Action, at: impl Fn(usize) -> usize, later: usize) -> Action {
    match action {
        Action::Store { step, slot, keep } => {
            Action::Store { step: at(step), slot: slot + later, keep }
        }
        Action::Restore { step, slot } => Action::Restore { step: at(step), slot: slot + later },
        Action::Advance { from, to } => Action::Advance { from: at(from), to: at(to) },
        Action::Reverse { step } => Action::Reverse { step: at(step) },
        Action::Free { slot } => Action::Free { slot: slot + later },
    }
}

impl Schedule for Periodic {
    fn num_slots(&self) -> usize {
        self.fast + self.slow
    }

    fn bytes(&self) -> usize {
        let inner = self.whole.bytes().max(self.last.bytes());
        self.outer.bytes() + self.whole.bytes() + self.last.bytes() + inner
    }
}

/// What is to be cut into periods.
struct Chain {
    steps: usize,
    fast: usize,
    slow: usize,
}

struct Cut {
    /// K.
    num_periods: usize,
    /// m.
    last: usize,
}

impl Chain {
    fn cut(&self, period: usize) -> Cut {
        let num_periods = self.steps.div_ceil(period);
        Cut { num_periods, last: self.steps - num_periods.saturating_sub(1) * period }
    }

    fn best_period(&self, costs: &TierCosts, transfer: Transfer) -> usize {
        let steps = self.steps.max(1);
        if self.fast == 0 || self.slow == 0 {
            return if self.fast == 0 { 1 } else { steps };
        }
        let lengths = 1..=TRIED;
        let numbers = (1..=TRIED).map(|periods| steps.div_ceil(periods));
        let repetitions = 1..=TRIED as u64;
        let longest = repetitions.map(|r| usize::try_from(beta(self.fast as u64, r)));
        let longest = longest.map_while(|length| length.ok().filter(|&length| length < steps));
        lengths
            .chain(numbers)
            .chain(longest)
            .chain([steps.div_ceil(self.slow + 1)])
            .filter(|&period| period <= steps)
            .min_by_key(|&period| self.time(period, costs, transfer))
            .unwrap_or(steps)
    }

    fn time(&self, period: usize, costs: &TierCosts, transfer: Transfer) -> u128 {
        let Cut { num_periods, last } = self.cut(period);
        let [step, reverse] = [costs.step, costs.reverse].map(u128::from);
        let [write, read] = [costs.slow.write, costs.slow.read].map(u128::from);
        let advances = |steps: usize, slots: usize| u128::from(t(steps as u64, slots as u64));
        let in_memory = |l: usize| {
            advances(l, self.fast).saturating_mul(step).saturating_add(l as u128 * reverse)
        };
        let others = num_periods as u128 - 1;
        let along = (advances(num_periods, self.slow) * period as u128).saturating_mul(step);
        let apiece = in_memory(period);
        let before = match transfer {
            Transfer::Waited => {
                along.saturating_add(others.saturating_mul(apiece.saturating_add(write + read)))
            }
            Transfer::Overlapped { .. } => {
                along.max(others * write).saturating_add(others.saturating_mul(apiece.max(read)))
            }
        };
        before.saturating_add(in_memory(last))
    }
}
