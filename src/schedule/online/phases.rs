//! The first sweep of a chain of unknown length, in phases of one more repetition each.

use crate::numbers::bytes::grown;
use crate::schedule::binomial::optimum::beta;
use crate::schedule::binomial::{Binomial, Reversal};
use crate::schedule::{Action, Keep, KeptState};

/// A kept state of the first sweep.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    kept: KeptState,
    /// Held until the phase ends.
    binomial: bool,
}

/// The first sweep in phase r.
#[derive(Clone, Debug)]
pub(super) struct Forward {
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
    pub fn new(slots: usize) -> Self {
        Forward {
            slots,
            step: 0,
            decided: false,
            kept: Vec::new(),
            lost: Vec::new(),
            used: 0,
            repetition: 1,
            phase_end: longest_chain(slots, 1),
            longest: Vec::new(),
            next_binomial: usize::MAX,
            slots_behind: 0,
        }
    }

    pub fn next(&mut self) -> Action {
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
            self.kept.push(Candidate { kept: KeptState { step, slot }, binomial: false });
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
        self.kept.push(Candidate { kept: KeptState { step, slot }, binomial });
        if binomial {
            self.pass_binomial();
        }
        Some(slot)
    }

    /// Has come to y_`step`, and has of what it kept only what is `there`.
    pub fn resume(slots: usize, step: usize, there: &[KeptState]) -> Self {
        let mut forward = Forward::new(slots);
        while forward.step < step {
            forward.next();
        }
        forward.keep_only(there);
        forward
    }

    fn keep_only(&mut self, there: &[KeptState]) {
        let slots = |kept: &[Candidate]| kept.iter().map(|c| c.kept.slot).collect::<Vec<_>>();
        let before = slots(&self.kept);
        self.kept.retain(|candidate| there.contains(&candidate.kept));
        let after = slots(&self.kept);
        self.lost = before.into_iter().filter(|slot| !after.contains(slot)).collect();
    }

    fn start_phase(&mut self) {
        self.repetition += 1;
        let r = self.repetition;
        self.phase_end = longest_chain(self.slots, r);
        self.longest = (0..=self.slots).map(|slots| longest_chain(slots, r - 1)).collect();
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
    pub fn turn(&self, steps: usize) -> Reversal<Binomial> {
        let (kept, free) = (self.kept(), self.free(steps));
        Reversal::resume(Binomial, steps, steps.checked_sub(1), kept, free)
    }

    pub fn bytes(&self) -> usize {
        // One list of the longest makes place for the next.
        let longest = 2 * size_of::<usize>() * self.longest.capacity();
        grown::<Candidate>(self.kept.capacity()) + longest + grown::<usize>(self.lost.capacity())
    }

    pub fn kept(&self) -> Vec<KeptState> {
        self.kept.iter().map(|candidate| candidate.kept).collect()
    }

    /// The slots not used that a reverse sweep of `steps` steps may use.
    pub fn free(&self, steps: usize) -> Vec<usize> {
        let useful = self.slots.min(steps.max(self.kept.len()));
        let unused = self.used..useful.max(self.used);
        unused.rev().chain(self.lost.iter().copied()).collect()
    }
}

/// β(s, r), or the longest that can be counted.
fn longest_chain(slots: usize, repetition: usize) -> usize {
    usize::try_from(beta(slots as u64, repetition as u64)).unwrap_or(usize::MAX)
}
