//! Evenly spaced snapshots of a run whose length shows at its end.

use crate::numbers::bytes::grown;
use std::ops::Range;

/// A kept state y_`step`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    pub step: usize,
    pub slot: usize,
}

/// Every `stride`-th state. Where there are as many as may be kept, every second one gives its slot
/// back and the stride doubles. A third of the slots is left for replays.
#[derive(Clone, Debug)]
pub(super) struct Spaced {
    stride: usize,
    most: usize,
    /// Slots that held something. Those that never did are not listed: there may be any number.
    free: Vec<usize>,
    unused: Range<usize>,
    /// In ascending order of steps.
    kept: Vec<Kept>,
}

/// More states than this are not kept, however many may be.
const MOST: usize = 1 << 20;

impl Spaced {
    /// With `slots` slots, at least one.
    pub fn new(slots: usize) -> Self {
        let slots = slots.min(MOST);
        let most = slots - slots / 3;
        Spaced { stride: 1, most, free: Vec::new(), unused: 0..slots, kept: Vec::new() }
    }

    /// The slot for the state y_`step`, where it is to be kept; steps come in order.
    pub fn offer(&mut self, step: usize) -> Option<usize> {
        if step.is_multiple_of(self.stride) && self.kept.len() == self.most {
            self.thin();
        }
        if !step.is_multiple_of(self.stride) || self.kept.len() == self.most {
            return None;
        }
        let slot = self.free.pop().or_else(|| self.unused.next())?;
        self.kept.push(Kept { step, slot });
        Some(slot)
    }

    /// Bytes of its lists, and of those that a replay in all slots makes, where there was one.
    pub fn bytes(&self, replayed: bool) -> usize {
        let replay = size_of::<usize>() * 2 + grown::<Kept>(2);
        let lists = grown::<usize>(self.free.capacity()) + grown::<Kept>(self.kept.capacity());
        lists + if replayed { self.free.capacity() * replay } else { 0 }
    }

    fn thin(&mut self) {
        self.stride *= 2;
        let dispensable = |kept: &Kept| !kept.step.is_multiple_of(self.stride);
        self.free.extend(self.kept.iter().filter(|kept| dispensable(kept)).map(|kept| kept.slot));
        self.kept.retain(|kept| !dispensable(kept));
    }

    /// The latest state, and slots that nothing before it is kept in, its own among them: as many
    /// as the steps from there to `end` can make use of, where there are so many.
    pub fn take_last(&mut self, end: usize) -> Option<(Kept, &[usize])> {
        let last = self.kept.pop()?;
        self.free.push(last.slot);
        let more = (end - last.step).saturating_sub(self.free.len());
        self.free.extend(self.unused.by_ref().take(more));
        Some((last, &self.free))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_evenly_spaced_states_in_distinct_slots() {
        for slots in 1..=20 {
            let mut spaced = Spaced::new(slots);
            for step in 0..2000 {
                spaced.offer(step);
                let Spaced { stride, most, free, unused, kept } = &spaced;
                assert!(kept.iter().enumerate().all(|(i, kept)| kept.step == i * stride));
                assert_eq!(kept.len(), (step / stride + 1).min(*most));
                assert!(2 * kept.len() >= (*most).min(step + 1), "{slots}, {step}: {}", kept.len());
                let mut used: Vec<usize> = kept.iter().map(|kept| kept.slot).collect();
                used.extend(free);
                used.extend(unused.clone());
                used.sort_unstable();
                assert_eq!(used, (0..slots).collect::<Vec<_>>());
            }
        }
    }
}
