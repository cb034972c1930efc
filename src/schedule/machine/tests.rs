//! Random actions, against rules written down one by one.

use std::collections::BTreeMap;

use super::*;

/// As [`Machine`], with everything given up when it is.
#[derive(Clone, Debug, Default)]
struct Rules {
    /// Current state, step on the own tape, and whether the last action restored a tape.
    workers: Vec<(Option<usize>, Option<usize>, bool)>,
    slots: BTreeMap<usize, (usize, Keep, bool)>,
    num_steps: Option<usize>,
    left: Option<usize>,
}

impl Rules {
    fn allow(&self, worker: usize, action: Action) -> bool {
        let (current, on_tape, restored) = self.workers[worker];
        let alone = self.workers.len() == 1;
        let is_left = |step: usize| self.left.is_none_or(|left| step < left);
        match action {
            Action::Store { step, keep: Keep::State, .. } => current == Some(step) && is_left(step),
            Action::Store { step, keep: Keep::Tape, .. } => {
                let is_last = self.num_steps == Some(step + 1);
                let just_taken = on_tape == Some(step) && current == Some(step + 1);
                just_taken && is_left(step) && !is_last && (alone || worker > 0)
            }
            Action::Restore { step, slot } => match self.slots.get(&slot) {
                Some(&(n, keep, true)) => n == step && (keep == Keep::State || worker == 0),
                _ => false,
            },
            Action::Advance { from, to } => {
                current == Some(from) && from < to && self.num_steps.is_none_or(|n| to <= n)
            }
            Action::Reverse { step } => {
                let is_next = self.left.is_none_or(|left| left == step + 1);
                let has_y_next = !restored || on_tape == Some(step + 1);
                worker == 0 && current == Some(step) && is_next && has_y_next
            }
            Action::Free { slot } => self.slots.contains_key(&slot),
        }
    }

    fn follow(&mut self, worker: usize, action: Action) {
        let alone = self.workers.len() == 1;
        let at = &mut self.workers[worker];
        let from_tape = std::mem::take(&mut at.2);
        match action {
            Action::Store { step, slot, keep } => {
                if keep == Keep::Tape {
                    at.1 = None;
                }
                self.slots.insert(slot, (step, keep, true));
            }
            Action::Restore { step, slot } => {
                let held = self.slots.get_mut(&slot).unwrap();
                at.0 = Some(step);
                at.2 = held.1 == Keep::Tape;
                held.2 = held.1 == Keep::State || alone;
            }
            Action::Advance { to, .. } => (at.0, at.1) = (Some(to), Some(to - 1)),
            Action::Reverse { step } => {
                (at.0, at.1) = (Some(step + 1).filter(|_| !from_tape), Some(step));
                self.left = Some(step);
                self.num_steps = self.num_steps.or(Some(step + 1));
                self.slots
                    .values_mut()
                    .filter(|held| held.0 >= step)
                    .for_each(|held| held.2 = false);
            }
            Action::Free { slot } => drop(self.slots.remove(&slot)),
        }
    }
}

const SLOTS: [usize; 3] = [0, 70, usize::MAX];

fn draw(random: &mut fastrand::Rng, rules: &Rules, worker: usize) -> Action {
    let (current, on_tape, _) = rules.workers[worker];
    let step = if random.bool() { current.unwrap_or(0) } else { random.usize(..6) };
    let slot = SLOTS[random.usize(..3)];
    let left = rules.left.unwrap_or(6);
    if random.bool() && rules.allow(worker, Action::Reverse { step: left.saturating_sub(1) }) {
        return Action::Reverse { step: left - 1 };
    }
    match random.u8(..7) {
        0 => Action::Store { step, slot, keep: Keep::State },
        1 => Action::Store { step: on_tape.unwrap_or(step), slot, keep: Keep::Tape },
        2 | 3 => {
            let step = rules.slots.get(&slot).map_or(step, |held| held.0);
            Action::Restore { step, slot }
        }
        4 => Action::Advance { from: step, to: step + random.usize(..3) },
        5 => Action::Reverse { step },
        _ => Action::Free { slot },
    }
}

#[test]
fn every_action_does_what_the_rules_say() {
    let (mut random, mut legal, mut from_tape) = (fastrand::Rng::with_seed(1), 0, 0);
    for trial in 0..12_000 {
        let workers = trial % 3 + 1;
        let (mut machine, mut rules) = (Machine::new(workers), Rules::default());
        rules.workers = vec![(None, None, false); workers];
        rules.workers[0].0 = Some(0);
        if trial % 2 == 0 {
            machine = machine.of_chain(5, 5);
            (rules.num_steps, rules.left) = (Some(5), Some(5));
        }
        for _ in 0..60 {
            let worker = random.usize(..workers);
            let tries = [1, 4][random.usize(..2)];
            let mut drawn = (0..tries).map(|_| draw(&mut random, &rules, worker));
            let last = drawn.next_back().unwrap();
            let action = drawn.find(|&action| rules.allow(worker, action)).unwrap_or(last);
            let effect = machine.apply(worker, action);
            assert_eq!(
                effect.is_ok(),
                rules.allow(worker, action),
                "{worker} {action:?} {rules:?}"
            );
            if let Ok(effect) = effect {
                legal += 1;
                from_tape +=
                    u32::from(matches!(effect, Effect::Reversed { from_tape: Some(_), .. }));
                rules.follow(worker, action);
            }
            let currents = (0..workers).map(|worker| machine.current(worker));
            assert!(currents.eq(rules.workers.iter().map(|at| at.0)), "{action:?} {rules:?}");
            assert_eq!(machine.left(), rules.left);
            for slot in SLOTS {
                let found = machine.content(slot).map(|it| (it.step, it.keep, it.is_held));
                assert_eq!(found, rules.slots.get(&slot).copied(), "{action:?} {rules:?}");
            }
        }
    }
    assert!(legal > 50_000 && from_tape > 100, "{legal} {from_tape}");
}

#[test]
fn a_chain_is_taken_up_where_it_stood() {
    let kept = [KeptState { step: 0, slot: 3 }, KeptState { step: 4, slot: 0 }];
    let mut machine = Machine::new(1).of_chain(9, 6).resume(None, &kept);
    assert!(machine.apply(0, Action::Reverse { step: 5 }).is_err());
    machine.apply(0, Action::Restore { step: 4, slot: 0 }).unwrap();
    machine.apply(0, Action::Advance { from: 4, to: 5 }).unwrap();
    machine.apply(0, Action::Reverse { step: 5 }).unwrap();
    assert_eq!((machine.left(), machine.current(0)), (Some(5), Some(6)));
    assert_eq!(machine.check_end(), Err(ScheduleError::Unfinished { left: 5 }));
    machine.end(0);
    assert_eq!((machine.check_end(), machine.current(0)), (Ok(()), None));
}
