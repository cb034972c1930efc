//! A first sweep of unknown length that need not be repeated.

use super::optimum::binomial;
use super::reversal::{Kept, Reversal};
use super::revolve::Binomial;
use super::{Action, Keep, OnlineSchedule, Schedule, check_slots};
use crate::bytes::grown;
use crate::error::ScheduleError;

/// Keeps states while the number of steps is unknown, so that whenever the chain ends no step is
/// advanced over more often than the [optimum](super::optimum::repetition) for that length asks
/// for; the reverse sweep gives freed slots to each segment before at the [optimum](super::Revolve)
/// for it.
///
/// For every l ≤ 2000 and 2 ≤ s ≤ 40 the advances are at most 1 + 1/(s + 2) times t(l, s) + 1, the 1
/// being the last step, which shows the end.
///
/// With β(s, r) = C(s + r, s), repetition r is reached when l exceeds β(s, r−1). As long as
/// l ≤ β(s, r), the segment behind the i-th snapshot, which is reversed in the s − i slots that
/// those before it leave, may be C(s−i+r−1, r−1) steps long; where all are, that is the binomial
/// schedule of β(s, r) steps. So in phase r the states at these *binomial* steps are kept when they
/// are passed and held until the phase ends; others only where the last segment would become too
/// long. Each takes the slot of the latest state that is not binomial and whose two segments may be
/// one: the late segments are the shortest, and cost least to do again.
///
/// Online checkpointing: Q. Wang, P. Moin and G. Iaccarino, SIAM J. Sci. Comput. 31 (2009)
/// 2549–2567, doi 10.1137/080727890 (least repetition); P. Stumm and A. Walther, SIAM J. Sci.
/// Comput. 32 (2010) 836–854, doi 10.1137/080742439 (fewest advances).
///
/// ```
/// use costate::schedule::{Counts, Online, optimum};
/// let counts = Counts::of_online(Online::new(10)?, 1000)?;
/// assert_eq!(counts.max_repetition, optimum::repetition(1000, 10));
/// # Ok::<(), costate::error::ScheduleError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Online {
    slots: usize,
    sweep: Sweep,
}

#[derive(Clone, Debug)]
enum Sweep {
    Forward(Forward),
    Back(Reversal<Binomial>),
}

impl Online {
    /// Keeps at most `slots` snapshots, the one of step 0 among them.
    ///
    /// # Errors
    /// Where `slots` is zero.
    pub fn new(slots: usize) -> Result<Self, ScheduleError> {
        check_slots(slots)?;
        Ok(Online { slots, sweep: Sweep::Forward(Forward::new(slots)) })
    }

    /// What the first sweep of `steps` steps leaves: the kept states, and the free slots.
    pub(super) fn left(&self, steps: usize) -> (Vec<Kept>, Vec<usize>) {
        match &self.sweep {
            Sweep::Forward(forward) => (forward.kept(), forward.free(steps)),
            Sweep::Back(_) => (Vec::new(), Vec::new()),
        }
    }

    /// Gives back the memory of its lists: it is not asked for anything any more.
    pub(super) fn forget(&mut self) {
        self.sweep = Sweep::Back(Reversal::resume(Binomial, 0, None, Vec::new(), Vec::new()));
    }

    /// Goes on with a first sweep that has come to `step` and holds y_`step`; of the states that
    /// it had kept, only those in `kept` are still there.
    ///
    /// # Errors
    /// Where `slots` is zero.
    pub fn resume(slots: usize, step: usize, kept: &[Kept]) -> Result<Self, ScheduleError> {
        check_slots(slots)?;
        let mut forward = Forward::new(slots);
        while forward.step < step {
            forward.next();
        }
        forward.keep_only(kept);
        Ok(Online { slots, sweep: Sweep::Forward(forward) })
    }
}

/// A kept state of the first sweep.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    kept: Kept,
    /// Held until the phase ends.
    binomial: bool,
}

/// The first sweep in phase r.
#[derive(Clone, Debug)]
struct Forward {
    slots: usize,
    step: usize,
    /// What becomes of the current state is decided.
    decided: bool,
    /// In ascending order of steps.
    kept: Vec<Candidate>,
    /// Slots that held states which are no longer there.
    lost: Vec<usize>,
    /// Slots below this number were used.
    used: usize,
    repetition: usize,
    /// β(s, r).
    phase_end: usize,
    /// C(m+r−1, r−1) at index m: how long a segment that is reversed in m slots may be.
    longest: Vec<usize>,
    next_binomial: usize,
    /// Slots left for what follows the next binomial step.
    slots_behind: usize,
}

impl Forward {
    fn new(slots: usize) -> Self {
        Forward {
            slots,
            step: 0,
            decided: false,
            kept: Vec::new(),
            lost: Vec::new(),
            used: 0,
            repetition: 1,
            phase_end: reach(slots, 1),
            longest: Vec::new(),
            next_binomial: usize::MAX,
            slots_behind: 0,
        }
    }

    fn next(&mut self) -> Action {
        if !self.decided {
            self.decided = true;
            if let Some(slot) = self.take_slot() {
                return Action::Store { step: self.step, slot, keep: Keep::State };
            }
        }
        self.decided = false;
        self.step += 1;
        Action::Advance { from: self.step - 1, to: self.step }
    }

    /// The slot for the current state, where it is to be kept.
    fn take_slot(&mut self) -> Option<usize> {
        let (step, filled) = (self.step, self.kept.len());
        if filled < self.slots {
            let slot = self.lost.pop().unwrap_or_else(|| {
                self.used += 1;
                self.used - 1
            });
            self.kept.push(Candidate { kept: Kept { step, slot }, binomial: false });
            return Some(slot);
        }
        if step >= self.phase_end {
            self.start_phase();
        }
        let binomial = step == self.next_binomial;
        let last_segment = step + 1 - self.kept[filled - 1].kept.step;
        if self.repetition == 1 || !(binomial || last_segment > self.longest[1]) {
            return None;
        }
        let index = self.dispensable()?;
        let slot = self.kept.remove(index).kept.slot;
        self.kept.push(Candidate { kept: Kept { step, slot }, binomial });
        if binomial {
            self.pass_binomial();
        }
        Some(slot)
    }

    fn keep_only(&mut self, there: &[Kept]) {
        let slots = |kept: &[Candidate]| kept.iter().map(|c| c.kept.slot).collect::<Vec<_>>();
        let before = slots(&self.kept);
        self.kept.retain(|candidate| there.contains(&candidate.kept));
        let after = slots(&self.kept);
        self.lost = before.into_iter().filter(|slot| !after.contains(slot)).collect();
    }

    fn start_phase(&mut self) {
        self.repetition += 1;
        let r = self.repetition;
        self.phase_end = reach(self.slots, r);
        self.longest = (0..=self.slots).map(|slots| reach(slots, r - 1)).collect();
        self.kept.iter_mut().for_each(|candidate| candidate.binomial = false);
        self.next_binomial = 0;
        self.slots_behind = self.slots;
        self.pass_binomial();
    }

    fn pass_binomial(&mut self) {
        self.next_binomial = match self.slots_behind {
            0 | 1 => usize::MAX,
            slots => self.next_binomial.saturating_add(self.longest[slots]),
        };
        self.slots_behind = self.slots_behind.saturating_sub(1);
    }

    /// The latest state that can be done without, for one at the current step.
    fn dispensable(&self) -> Option<usize> {
        let mut next = self.step;
        for index in (1..self.kept.len()).rev() {
            let merged = next - self.kept[index - 1].kept.step;
            if !self.kept[index].binomial && merged <= self.longest[self.slots - index + 1] {
                return Some(index);
            }
            next = self.kept[index].kept.step;
        }
        None
    }

    /// The reverse sweep of `steps` steps, from y_{N−1}.
    fn turn(&self, steps: usize) -> Reversal<Binomial> {
        let (kept, free) = (self.kept(), self.free(steps));
        Reversal::resume(Binomial, steps, steps.checked_sub(1), kept, free)
    }

    fn bytes(&self) -> usize {
        // One list of the longest makes place for the next.
        let longest = 2 * size_of::<usize>() * self.longest.capacity();
        grown::<Candidate>(self.kept.capacity()) + longest + grown::<usize>(self.lost.capacity())
    }

    fn kept(&self) -> Vec<Kept> {
        self.kept.iter().map(|candidate| candidate.kept).collect()
    }

    /// The slots not used that a reverse sweep of `steps` steps may use.
    fn free(&self, steps: usize) -> Vec<usize> {
        let useful = self.slots.min(steps.max(self.kept.len()));
        let unused = self.used..useful.max(self.used);
        unused.rev().chain(self.lost.iter().copied()).collect()
    }
}

/// β(s, r) = C(s + r, s), the most steps that s snapshots reverse in r repetitions.
fn reach(slots: usize, repetition: usize) -> usize {
    let reach = binomial((slots as u64).saturating_add(repetition as u64), repetition as u64);
    usize::try_from(reach).unwrap_or(usize::MAX)
}

impl Iterator for Online {
    type Item = Action;

    fn next(&mut self) -> Option<Action> {
        match &mut self.sweep {
            Sweep::Forward(forward) => Some(forward.next()),
            Sweep::Back(reversal) => reversal.next(),
        }
    }
}

impl Schedule for Online {
    fn num_slots(&self) -> usize {
        self.slots
    }

    fn bytes(&self) -> usize {
        match &self.sweep {
            Sweep::Forward(forward) => forward.bytes(),
            Sweep::Back(reversal) => reversal.bytes(),
        }
    }
}

impl OnlineSchedule for Online {
    fn end(&mut self, num_steps: usize) {
        if let Sweep::Forward(forward) = &self.sweep {
            self.sweep = Sweep::Back(forward.turn(num_steps));
        }
    }
}
