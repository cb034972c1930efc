//! What lane 1 does: it opens gaps, and puts the steps before the front on tapes.

use super::{Pair, STEP, Taped};
use crate::schedule::optimum::longest;
use crate::schedule::{Action, Keep};

/// Lane 1 helps in the gap where lane 0 is when it is done before lane 0 asks for the state or the
/// tape, or late by no more than this fraction of its work.
const LATE_TENTHS: u64 = 8;
/// Of the steps before a gap this fraction is taken by lane 0 where lane 1 hands over what it can.
const ALONE_TENTHS: u64 = 5;

/// The steps from a kept state to the next one, or to those on tapes or already reversed.
struct Gap {
    index: usize,
    from: usize,
    length: usize,
}

impl Pair {
    /// Lane 1's next actions, where there is something to do now.
    pub(super) fn go_ahead(&mut self) -> bool {
        if let Some(from) = self.next_block() {
            self.keep_tapes(from);
            return true;
        }
        let Some((gap, distance)) = self.most_urgent() else { return false };
        self.stand_at(1, self.kept[gap.index]);
        self.advance(1, gap.from, gap.from + distance);
        self.keep(1, gap.index + 1, gap.from + distance);
        true
    }

    /// The first of the steps before the front that lane 1 should put on tapes now: where the last
    /// gap is no longer than a block, or where no slot is left to make it shorter.
    fn next_block(&self) -> Option<usize> {
        let (pace, last) = (self.pace.filter(|pace| pace.block > 0)?, self.kept.last()?);
        let front = self.front();
        let length = front - last.step;
        let tapes = self.free_tapes.len().min(length);
        // Where lane 0 has taken steps again, nobody has y at the front.
        let is_end_there = self.is_end_on_tape || !self.taped.is_empty();
        let whole = length <= pace.block && length <= tapes;
        let part = self.free.is_empty() && length > pace.block && tapes >= pace.block;
        let now = self.lanes[1].time;
        if !is_end_there || last.ready > now || !(whole || part) {
            return None;
        }
        let in_time = (10 - LATE_TENTHS) * STEP * length as u64 <= 10 * (self.at_front() - now);
        in_time.then_some(front - tapes)
    }

    /// When lane 0 is at the front.
    fn at_front(&self) -> u64 {
        self.lanes[0].time + self.adjoint * self.taped.len() as u64
    }

    /// Has lane 1 put the steps from `from` to the front on tapes.
    fn keep_tapes(&mut self, from: usize) {
        let Some(&last) = self.kept.last() else { return };
        let front = self.front();
        self.stand_at(1, last);
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
            self.taped.insert(at, Taped { slot, ready: self.lanes[1].time });
        }
    }

    /// The gap with the shortest time before it is needed against the time that opening it takes,
    /// where it is time, and how far its next snapshot is.
    fn most_urgent(&self) -> Option<(Gap, usize)> {
        let pace = self.pace.filter(|_| !self.free.is_empty())?;
        let late = self.at_front() - self.lanes[1].time;
        let alone = if pace.block == 0 { 10 } else { ALONE_TENTHS };
        let each = self.adjoint + STEP * alone / 10;
        let needs = |length: usize| {
            STEP * (pace.per_step * (length as u64).saturating_sub(1) + 10 * pace.at_least)
        };
        let mut most = None;
        let front = self.front();
        let mut right = front;
        for (index, kept) in self.kept.iter().enumerate().rev() {
            let gap = Gap { index, from: kept.step, length: right - kept.step };
            let due = 10 * (late + each * (front - right) as u64);
            if due > needs(kept.longest.max(gap.length)) {
                break;
            }
            let need = needs(gap.length);
            let urgent = |&(_, most_due, most_need): &(Gap, u64, u64)| {
                u128::from(due) * u128::from(most_need) < u128::from(most_due) * u128::from(need)
            };
            let open =
                gap.length > pace.block.max(1) && kept.ready <= self.lanes[1].time && due <= need;
            if open && most.as_ref().is_none_or(urgent) && !self.is_lane_0_faster(&gap, late) {
                most = Some((gap, due, need));
            }
            right = kept.step;
        }
        let (gap, ..) = most?;
        let distance = self.distance_in(&gap);
        Some((gap, distance))
    }

    /// Whether lane 0 is at the gap's end and would have to wait for lane 1.
    fn is_lane_0_faster(&self, gap: &Gap, late: u64) -> bool {
        gap.index + 1 == self.kept.len()
            && (10 - LATE_TENTHS) * STEP * self.distance_in(gap) as u64 > 10 * late
    }

    fn distance_in(&self, gap: &Gap) -> usize {
        let block = self.pace.map_or(1, |pace| pace.block.max(1));
        let blocks = gap.length.div_ceil(block);
        let (last, free) = (gap.index + 1 == self.kept.len(), self.free.len());
        if last && free == 1 || blocks == 2 {
            return gap.length - block;
        }
        let left = free + self.kept.len() - gap.index;
        let tenths = self.pace.map_or(10, |pace| pace.slots as usize);
        let ahead = longest(blocks, ((left * tenths + 5) / 10).max(2));
        gap.length - (blocks - ahead) * block
    }
}
