//! What worker 1 does: it opens gaps, and puts the steps before the front on tapes.

use super::look_ahead::LookAhead;
use super::{STEP, Taped, TwoProcessor};
use crate::schedule::binomial::optimum::longest_split;
use crate::schedule::{Action, Keep};

/// The steps from a kept state to the next one, or to those on tapes or already reversed.
struct Gap {
    index: usize,
    from: usize,
    length: usize,
}

impl TwoProcessor {
    /// Worker 1's next actions, where there is something to do now.
    pub(super) fn worker_loop(&mut self, look_ahead: LookAhead) -> bool {
        if let Some(from) = self.next_block(look_ahead) {
            self.keep_tapes(from);
            return true;
        }
        let Some((gap, distance)) = self.most_urgent(look_ahead) else { return false };
        self.set_current(1, self.kept[gap.index]);
        self.advance(1, gap.from, gap.from + distance);
        self.keep(1, gap.index + 1, gap.from + distance);
        true
    }

    /// The first of the steps before the front that worker 1 should put on tapes now: where the
    /// last gap is no longer than a block, or where no slot is left to make it shorter.
    fn next_block(&self, LookAhead { block, late, .. }: LookAhead) -> Option<usize> {
        let (front, last) = (self.front(), self.kept.last().filter(|_| block > 0)?);
        let length = front - last.step;
        let tapes = self.free_tapes.len().min(length);
        // Where worker 0 has taken steps again, nobody has y at the front.
        let is_end_there = self.is_end_on_tape || !self.taped.is_empty();
        let whole = length <= block && length <= tapes;
        let part = self.free.is_empty() && length > block && tapes >= block;
        let now = self.workers[1].time;
        if !is_end_there || last.ready > now || !(whole || part) {
            return None;
        }
        let in_time = (10 - late) * STEP * length as u64 <= 10 * (self.at_front() - now);
        in_time.then_some(front - tapes)
    }

    /// When worker 0 is at the front.
    fn at_front(&self) -> u64 {
        self.workers[0].time + self.adjoint * self.taped.len() as u64
    }

    /// Has worker 1 put the steps from `from` to the front on tapes.
    fn keep_tapes(&mut self, from: usize) {
        let Some(&last) = self.kept.last() else { return };
        let front = self.front();
        self.set_current(1, last);
        if last.step == from {
            self.kept.pop();
            self.free.push(last.slot);
            self.emit(1, Action::Free { slot: last.slot });
        } else {
            self.advance(1, last.step, from);
        }
        let at = self.taped.len();
        for step in from..front {
            let Some(slot) = self.free_tapes.pop() else { return };
            self.advance(1, step, step + 1);
            self.emit(1, Action::Store { step, slot, keep: Keep::Tape });
            // Reversed before those taken before it.
            self.taped.insert(at, Taped { slot, ready: self.workers[1].time });
        }
    }

    /// The gap with the shortest time before it is needed against the time that opening it takes,
    /// where it is time, and how far its next snapshot is.
    fn most_urgent(&self, look_ahead: LookAhead) -> Option<(Gap, usize)> {
        if self.free.is_empty() {
            return None;
        }
        let time = self.at_front() - self.workers[1].time;
        let alone = if look_ahead.block == 0 { 10 } else { look_ahead.alone };
        let each = self.adjoint + STEP * alone / 10;
        let needs = |length: usize| {
            STEP * (look_ahead.per_step * (length as u64).saturating_sub(1)
                + 10 * look_ahead.at_least)
        };
        let mut most = None;
        let front = self.front();
        let mut right = front;
        for (index, kept) in self.kept.iter().enumerate().rev() {
            let gap = Gap { index, from: kept.step, length: right - kept.step };
            let due = 10 * (time + each * (front - right) as u64);
            if due > needs(kept.longest.max(gap.length)) {
                break;
            }
            let need = needs(gap.length);
            let urgent = |&(_, most_due, most_need): &(Gap, u64, u64)| {
                u128::from(due) * u128::from(most_need) < u128::from(most_due) * u128::from(need)
            };
            let open = gap.length > look_ahead.block.max(1)
                && kept.ready <= self.workers[1].time
                && due <= need;
            if open && most.as_ref().is_none_or(urgent) && self.is_in_time(look_ahead, &gap, time) {
                most = Some((gap, due, need));
            }
            right = kept.step;
        }
        let (gap, ..) = most?;
        let distance = self.distance_in(look_ahead, &gap);
        Some((gap, distance))
    }

    /// Whether worker 0, which comes to the gap's end in this time, need not wait too long for
    /// worker 1.
    fn is_in_time(&self, look_ahead: LookAhead, gap: &Gap, time: u64) -> bool {
        let work = STEP * self.distance_in(look_ahead, gap) as u64;
        gap.index + 1 < self.kept.len() || (10 - look_ahead.late) * work <= 10 * time
    }

    /// How far the next snapshot in the gap is from its start.
    fn distance_in(&self, look_ahead: LookAhead, gap: &Gap) -> usize {
        let block = look_ahead.block.max(1);
        let blocks = gap.length.div_ceil(block);
        let (last, free) = (gap.index + 1 == self.kept.len(), self.free.len());
        if last && free == 1 || blocks == 2 {
            return gap.length - block;
        }
        let left = free + self.kept.len() - gap.index;
        let slots = (left * look_ahead.slots as usize + 5) / 10;
        let before = longest_split(blocks, slots.max(2));
        gap.length - (blocks - before) * block
    }
}
