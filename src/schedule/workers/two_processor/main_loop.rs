//! What worker 0 does: the first sweep, the reversals, and what worker 1 has not done in time.

use super::{STEP, TwoProcessor};
use crate::schedule::Action;
use crate::schedule::binomial::optimum::longest_split;

impl TwoProcessor {
    /// Worker 0's next actions.
    pub(super) fn main_loop(&mut self) {
        let current = self.workers[0].current;
        if current == Some(self.end - 1) {
            return self.reverse();
        }
        if let Some(&taped) = self.taped.front() {
            match taped.ready > self.workers[0].time {
                true => self.workers[0].time = taped.ready,
                false => self.reverse_from(taped.slot),
            }
            return;
        }
        let Some(&last) = self.kept.last() else {
            let from = current.unwrap_or(0);
            return self.keep(0, 0, from);
        };
        if last.ready > self.workers[0].time {
            self.workers[0].time = last.ready;
            return;
        }
        self.set_current(0, last);
        let to = match (self.end - last.step, self.free.len()) {
            (1, _) => last.step,
            (_, 0) => self.end - 1,
            (length, free) => last.step + longest_split(length, free + 1),
        };
        if to > last.step {
            self.advance(0, last.step, to);
            self.is_end_on_tape = false;
        }
        if to + 1 == self.end {
            self.reverse();
        } else {
            self.keep(0, self.kept.len(), to);
        }
    }

    fn reverse(&mut self) {
        if !self.turned {
            self.turned = true;
            self.workers[1].time = self.workers[0].time;
        }
        self.end -= 1;
        self.is_end_on_tape = true;
        if let Some(kept) = self.kept.pop_if(|kept| kept.step == self.end) {
            self.free.push(kept.slot);
            self.emit(0, Action::Free { slot: kept.slot });
        }
        self.emit(0, Action::Reverse { step: self.end });
        self.spend(0, STEP + self.adjoint);
        self.workers[0].current = None;
    }

    /// Reverses the last step from its tape.
    fn reverse_from(&mut self, slot: usize) {
        self.taped.pop_front();
        self.free_tapes.push(slot);
        self.end -= 1;
        self.is_end_on_tape = true;
        self.emit(0, Action::Restore { step: self.end, slot });
        self.emit(0, Action::Reverse { step: self.end });
        self.spend(0, self.adjoint);
        self.workers[0].current = None;
    }
}
