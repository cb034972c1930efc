//! Laws of the schedules, followed by an interpreter over integers.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use costate::error::{Error, ScheduleError};
use costate::schedule::{
    Action, Bisection, Counts, Keep, Multistage, Online, OnlineSchedule, Revolve, Schedule,
    SlotCosts, StoreAll, StoreAllOnline, TierCosts, Uniform, optimum,
};
use rayon::prelude::*;
use serde_json::Value;

use crate::common::listed::Listed;
use crate::common::{rows, shared};

type Make = fn(usize, usize) -> Result<Box<dyn Schedule>, ScheduleError>;
type MakeOnline = fn(usize) -> Result<Box<dyn OnlineSchedule>, ScheduleError>;

const WITH_SLOTS: [(&str, Make); 3] = [
    ("uniform", |steps, slots| Ok(Box::new(Uniform::new(steps, slots)?))),
    ("bisection", |steps, slots| Ok(Box::new(Bisection::new(steps, slots)?))),
    ("revolve", |steps, slots| Ok(Box::new(Revolve::new(steps, slots)?))),
];

const ONLINE: [(&str, MakeOnline); 2] = [
    ("online", |slots| Ok(Box::new(Online::new(slots)?))),
    ("store-all online", |_| Ok(Box::new(StoreAllOnline::new()))),
];

const STEPS: [usize; 17] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 15, 16, 31, 50, 100, 257, 1000];
const SLOTS: [usize; 12] = [1, 2, 3, 4, 5, 7, 8, 10, 30, 99, 1000, 5000];

#[test]
fn every_schedule_reverses_each_step_once_within_its_slots() {
    for (steps, slots) in grid() {
        for (name, make) in WITH_SLOTS {
            let schedule = make(steps, slots).unwrap();
            let bound = schedule.num_slots() as u64;
            let counts =
                Counts::of(schedule).unwrap_or_else(|e| panic!("{name} {steps} {slots}: {e}"));
            assert_eq!(counts.reverses, steps as u64, "{name} {steps} {slots}");
            assert!(counts.snapshots_peak <= bound, "{name} {steps} {slots}");
            assert!(bound <= slots as u64, "{name} {steps} {slots}");
            assert!(counts.advances >= optimum::t(steps as u64, slots as u64));
        }
        for (name, make) in ONLINE {
            let schedule = make(slots).unwrap();
            let bound = schedule.num_slots() as u64;
            let counts = Counts::of_online(schedule, steps)
                .unwrap_or_else(|e| panic!("{name} {steps} {slots}: {e}"));
            assert_eq!(counts.reverses, steps as u64, "{name} {steps} {slots}");
            assert!(counts.snapshots_peak <= bound, "{name} {steps} {slots}");
        }
    }
}

fn grid() -> impl Iterator<Item = (usize, usize)> {
    STEPS.into_iter().flat_map(|steps| SLOTS.map(|slots| (steps, slots)))
}

#[test]
fn no_action_is_useless() {
    for (steps, slots) in grid() {
        let store_all: (&str, Make) = ("store-all", |steps, _| Ok(Box::new(StoreAll::new(steps))));
        for (name, make) in WITH_SLOTS.into_iter().chain([store_all]) {
            let actions: Vec<Action> = make(steps, slots).unwrap().collect();
            check_use(&actions).unwrap_or_else(|what| panic!("{name} {steps} {slots}: {what}"));
        }
    }
}

fn check_use(actions: &[Action]) -> Result<(), String> {
    let mut current = Some(0);
    for (i, &action) in actions.iter().enumerate() {
        match action {
            Action::Restore { step, .. } if current == Some(step) => {
                return Err(format!("{action:?} of the current state"));
            }
            Action::Restore { step, .. } | Action::Advance { to: step, .. } => current = Some(step),
            Action::Reverse { step } => current = Some(step + 1),
            Action::Store { slot, .. } => {
                let next = actions[i + 1..].iter().find(|later| {
                    matches!(later, Action::Store { slot: s, .. } | Action::Restore { slot: s, .. }
                        if *s == slot)
                });
                if !matches!(next, Some(Action::Restore { .. })) {
                    return Err(format!("{action:?} is never restored"));
                }
            }
            Action::Free { .. } => {}
        }
    }
    Ok(())
}

#[test]
fn store_all_recomputes_nothing() {
    for steps in STEPS.map(|steps| steps as u64) {
        let counts = Counts::of(StoreAll::new(steps as usize)).unwrap();
        let others = steps.saturating_sub(1);
        let expected = Counts {
            advances: others,
            reverses: steps,
            stores: others,
            restores: others,
            tapes: 0,
            from_tape: 0,
            snapshots_peak: others,
            bytes_peak: 0,
            max_repetition: others.min(1),
        };
        assert_eq!(counts, expected);
        let online = Counts::of_online(StoreAllOnline::new(), steps as usize).unwrap();
        assert_eq!((online.advances, online.stores, online.restores), (steps, steps, others));
    }
}

#[test]
fn one_slot_recomputes_from_the_start() {
    let actions: Vec<Action> = Revolve::new(3, 1).unwrap().collect();
    let restore = Action::Restore { step: 0, slot: 0 };
    let expected = [
        Action::Store { step: 0, slot: 0, keep: Keep::State },
        Action::Advance { from: 0, to: 2 },
        Action::Reverse { step: 2 },
        restore,
        Action::Advance { from: 0, to: 1 },
        Action::Reverse { step: 1 },
        restore,
        Action::Reverse { step: 0 },
    ];
    assert_eq!(actions, expected);
}

/// t(l, s) for l ≤ `most` by the dynamic programme t(l, s) = min_m m + t(m, s) + t(l − m, s − 1).
fn least_advances(most: usize) -> Vec<Vec<u64>> {
    let mut table = vec![vec![], (0..=most as u64).map(|l| l * l.saturating_sub(1) / 2).collect()];
    for s in 2..=most {
        let mut row = vec![0; most + 1];
        for l in 2..=most {
            let before: &Vec<u64> = &table[s - 1];
            row[l] = (1..l).map(|m| m as u64 + row[m] + before[l - m]).min().unwrap();
        }
        table.push(row);
    }
    table
}

#[test]
fn revolve_takes_the_least_of_the_dynamic_programme() {
    let table = least_advances(200);
    for (s, row) in table.iter().enumerate().skip(1) {
        for (l, &least) in row.iter().enumerate() {
            assert_eq!(optimum::t(l as u64, s as u64), least, "t({l}, {s})");
            let counts = Counts::of(Revolve::new(l, s).unwrap()).unwrap();
            assert_eq!(counts.advances, least, "revolve {l} {s}");
            let r = optimum::repetition(l as u64, s as u64);
            assert_eq!(counts.max_repetition, r, "repetition {l} {s}");
        }
    }
}

/// What a schedule may stand at: the states kept, the current one, and the steps left.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Standing {
    /// A bit a step.
    kept: u32,
    current: Option<usize>,
    left: usize,
}

impl Standing {
    /// Where one action leads, and what it takes: advances and stores.
    fn next(self, slots: usize) -> Vec<((u64, u64), Standing)> {
        let Standing { kept, current, left } = self;
        let all = || (0..32).filter(move |step| kept & 1 << step != 0);
        let mut next: Vec<_> =
            all().map(|step| ((0, 0), Standing { current: Some(step), ..self })).collect();
        match current {
            Some(step) if step + 1 == left => {
                let kept = kept & ((1 << step) - 1);
                next.push(((0, 0), Standing { kept, current: None, left: step }));
            }
            Some(step) => next.push(((1, 0), Standing { current: Some(step + 1), ..self })),
            None => {}
        }
        if let Some(step) = current.filter(|step| kept & 1 << step == 0) {
            let with = |others: u32| ((0, 1), Standing { kept: others | 1 << step, ..self });
            match (kept.count_ones() as usize) < slots {
                true => next.push(with(kept)),
                false => next.extend(all().map(|other| with(kept & !(1 << other)))),
            }
        }
        next
    }
}

/// The fewest advances of any order of actions, and the fewest stores among those, by searching
/// them all.
fn least_of_all(steps: usize, slots: usize) -> (u64, u64) {
    let first = Standing { kept: 0, current: Some(0), left: steps };
    let mut found = HashMap::from([(first, (0, 0))]);
    let mut open = BinaryHeap::from([(Reverse((0, 0)), first)]);
    while let Some((Reverse(so_far), standing)) = open.pop() {
        if standing.left == 0 {
            return so_far;
        }
        if found[&standing] < so_far {
            continue;
        }
        for (more, next) in standing.next(slots) {
            let cost = (so_far.0 + more.0, so_far.1 + more.1);
            if found.get(&next).is_none_or(|&known| cost < known) {
                found.insert(next, cost);
                open.push((Reverse(cost), next));
            }
        }
    }
    unreachable!("one slot reverses any chain")
}

#[test]
fn revolve_stores_least_of_all_with_as_few_advances() {
    for (steps, slots) in (1..=10).flat_map(|steps| (1..=5).map(move |slots| (steps, slots))) {
        let counts = Counts::of(Revolve::new(steps, slots).unwrap()).unwrap();
        let found = (counts.advances, counts.stores);
        assert_eq!(found, least_of_all(steps, slots), "{steps} steps, {slots} slots");
    }
}

/// The fewest stores after the first for l ≤ `most`, among all ways to place the next snapshot with
/// t(l, s) advances.
fn least_stores(most: usize, t: &[Vec<u64>]) -> Vec<Vec<u64>> {
    let mut table = vec![vec![], vec![0; most + 1]];
    for s in 2..=most {
        let mut row = vec![0; most + 1];
        for l in 2..=most {
            let optimal = (1..l).filter(|&m| m as u64 + t[s][m] + t[s - 1][l - m] == t[s][l]);
            let stores = |m: usize| u64::from(l - m > 1) + row[m] + table[s - 1][l - m];
            row[l] = optimal.map(stores).min().unwrap();
        }
        table.push(row);
    }
    table
}

#[test]
fn revolve_stores_the_least_of_the_dynamic_programme() {
    let advances = least_advances(130);
    for (s, row) in least_stores(130, &advances).iter().enumerate().skip(1) {
        for (l, &least) in row.iter().enumerate().skip(2) {
            let counts = Counts::of(Revolve::new(l, s).unwrap()).unwrap();
            assert_eq!((counts.advances, counts.stores), (advances[s][l], 1 + least), "{l} {s}");
        }
    }
    let fifty = Counts::of(Revolve::new(50, 7).unwrap()).unwrap();
    assert_eq!((fifty.advances, fifty.stores), (105, 28));
}

/// Where two tiers cost the same they are one, and a store costs as good as nothing.
#[test]
fn revolve_stores_no_more_than_multistage() {
    let alike = SlotCosts { write: 1, read: 0 };
    let costs = TierCosts { step: 1_000_000, reverse: 0, fast: alike, slow: alike };
    for (steps, slots) in [(50, 7), (100, 5), (64, 3), (33, 10)] {
        let ours = Counts::of(Revolve::new(steps, slots).unwrap()).unwrap();
        let other = Counts::of(Multistage::new(steps, slots, 0, &costs).unwrap()).unwrap();
        assert_eq!((ours.advances, ours.stores), (other.advances, other.stores), "{steps} {slots}");
    }
}

#[test]
#[ignore = "reads ../shared"]
fn revolve_equals_the_published_counts() {
    let table = shared("data/checkpointing/revolve_table.json");
    assert!(rows(&table).count() >= 100);
    for row in rows(&table) {
        let get = |key: &str| row[key].as_u64().unwrap();
        let (l, s) = (get("steps"), get("snaps"));
        assert_eq!(optimum::t(l, s), get("gw_forward_steps"), "t({l}, {s})");
        assert_eq!(optimum::repetition(l, s), get("repetition_r"), "r({l}, {s})");
        let counts = Counts::of(Revolve::new(l as usize, s as usize).unwrap()).unwrap();
        assert_eq!(counts.advances, get("gw_forward_steps"), "revolve {l} {s}");
    }
}

#[test]
#[ignore = "reads ../shared"]
fn revolve_keeps_no_more_than_an_independent_program() {
    let table = shared("data/checkpointing/schedules_executed.json");
    let rows: Vec<&Value> = rows(&table).filter(|row| row["schedule"] == "Revolve").collect();
    assert!(!rows.is_empty());
    for row in rows {
        let get = |key: &str| row[key].as_u64().unwrap();
        let (n, s) = (get("n"), get("s"));
        let counts = Counts::of(Revolve::new(n as usize, s as usize).unwrap()).unwrap();
        assert_eq!(counts.advances + counts.reverses, get("forward_steps"), "{n} {s}");
        assert!(counts.stores <= get("stores"), "{n} {s}: {} stores", counts.stores);
        assert!(counts.restores <= get("loads"), "{n} {s}: {} restores", counts.restores);
        assert!(counts.snapshots_peak <= get("peak_ram"), "{n} {s}");
    }
}

#[test]
fn the_optimum_is_safe_for_long_chains() {
    for (l, s) in [(1_000_000_000, 1), (1_000_000_000, 2), (1_000_000_000, 1_000_000)] {
        let r = optimum::repetition(l, s);
        assert!(optimum::binomial(s + r, s) >= l && optimum::binomial(s + r - 1, s) < l);
        assert!(optimum::t(l, s) >= l - 1 && optimum::t(l, s) <= r * l, "t({l}, {s})");
    }
    assert_eq!(optimum::t(1_000_000_000, 1), 499_999_999_500_000_000);
    assert_eq!(optimum::binomial(200, 100), u64::MAX);
    assert_eq!(optimum::t(2, 0), u64::MAX);
}

#[test]
fn a_million_steps_are_planned() {
    let (l, s) = (1_000_000, 30);
    let counts = Counts::of(Revolve::new(l, s).unwrap()).unwrap();
    assert_eq!(counts.advances, optimum::t(l as u64, s as u64));
    assert_eq!(counts.max_repetition, optimum::repetition(l as u64, s as u64));
    let counts = Counts::of_online(Online::new(s).unwrap(), l).unwrap();
    assert_eq!(counts.max_repetition, optimum::repetition(l as u64, s as u64));
    assert_eq!(counts.snapshots_peak, s as u64);
}

#[test]
fn online_repeats_no_more_than_the_optimum_for_every_length() {
    (2..=40).into_par_iter().for_each(|slots| {
        let bound = 1.0 + 1.0 / (slots as f64 + 2.0);
        let worst = worst_online_factor(slots);
        assert!(worst <= bound, "{slots} slots: {worst}");
        assert!(slots != 2 || worst == bound, "the factor can be lowered to {worst}");
    });
}

/// The largest ratio of Online's advances to t(l, s) + 1 over l ≤ 2000: the last step has to be
/// taken once to show that it is the last.
fn worst_online_factor(slots: usize) -> f64 {
    let mut worst = 0.0_f64;
    for steps in 1..=2000 {
        let counts = Counts::of_online(Online::new(slots).unwrap(), steps).unwrap();
        let (l, s) = (steps as u64, slots as u64);
        let (least, repetition) = (optimum::t(l, s), optimum::repetition(l, s));
        let found = counts.max_repetition;
        assert!(found <= repetition.max(1), "{l} steps, {s} slots: {found} > {repetition}");
        assert!(counts.snapshots_peak <= s, "{l} steps, {s} slots");
        if l <= s + 1 {
            assert_eq!(counts.advances, least + 1, "{l} steps, {s} slots");
        }
        worst = worst.max(counts.advances as f64 / (least + 1) as f64);
    }
    worst
}

#[test]
fn uniform_and_bisection_advance_as_documented() {
    for (steps, slots) in grid().filter(|grid| grid.0 > 1) {
        let counts = Counts::of(Uniform::new(steps, slots).unwrap()).unwrap();
        let s = slots.min(steps - 1);
        let start = |i: usize| i * steps / s;
        let reversal = |i| optimum::t((start(i + 1) - start(i)) as u64, (s - i) as u64);
        let expected = start(s - 1) as u64 + (0..s).map(reversal).sum::<u64>();
        assert_eq!(counts.advances, expected, "uniform {steps} {slots}");
    }
    for log in 1..=14 {
        let counts = Counts::of(Bisection::new(1 << log, log).unwrap()).unwrap();
        assert_eq!(counts.advances, (log as u64) << (log - 1), "bisection 2^{log}");
        assert_eq!(counts.snapshots_peak, log as u64);
    }
}

/// However many slots there are beyond the steps.
#[test]
fn slots_without_number_are_as_many_as_the_steps() {
    const STEPS: usize = 100;
    for many in [usize::MAX, usize::MAX - 1, usize::MAX - STEPS, usize::MAX / 2 + 1] {
        assert_eq!(optimum::repetition(STEPS as u64, many as u64), 1);
        assert_eq!(optimum::t(STEPS as u64, many as u64), STEPS as u64 - 1);
        for (name, make) in WITH_SLOTS {
            let counts = |slots| Counts::of(make(STEPS, slots).unwrap()).unwrap();
            assert_eq!(counts(many), counts(STEPS), "{name} {many}");
        }
        for (name, make) in ONLINE {
            let counts = |slots| Counts::of_online(make(slots).unwrap(), STEPS).unwrap();
            assert_eq!(counts(many), counts(STEPS), "{name} {many}");
        }
    }
}

#[test]
fn zero_slots_are_refused() {
    for (name, make) in WITH_SLOTS {
        assert_eq!(make(5, 0).err(), Some(ScheduleError::NoSlots), "{name}");
    }
    let error = Online::new(0).unwrap_err();
    assert_eq!(error, ScheduleError::NoSlots);
    assert_eq!(
        Error::from(error).to_string(),
        "zero snapshots cannot reverse a run: give at least 1"
    );
}

#[test]
fn the_interpreter_finds_every_fault() {
    let (store, advance) =
        (Action::Store { step: 0, slot: 0, keep: Keep::State }, Action::Advance { from: 0, to: 1 });
    let (restore, reverse) =
        (Action::Restore { step: 0, slot: 0 }, |step| Action::Reverse { step });
    let faults = [
        (vec![restore], "restores step 0 from slot 0, which holds nothing"),
        (vec![store, Action::Restore { step: 1, slot: 0 }], "slot 0, which holds step 0"),
        (
            vec![advance, store],
            "Store { step: 0, slot: 0, keep: State } while y_1 is the current state",
        ),
        (vec![advance, advance], "Advance { from: 0, to: 1 } while y_1"),
        (vec![reverse(1)], "Reverse { step: 1 } while y_0"),
        (vec![store, advance, reverse(1), restore], "ends with 1 steps not reversed"),
        (vec![store, advance, reverse(1), advance], "and 1 steps are left to reverse"),
        (vec![store, reverse(0), restore], "which holds nothing"),
        (vec![Action::Advance { from: 0, to: 0 }], "Advance { from: 0, to: 0 } while y_0"),
        (vec![store, advance], "ends with 1 steps not reversed"),
    ];
    for (actions, text) in faults {
        let error = Counts::of(Listed::new(1, actions)).unwrap_err().to_string();
        assert!(error.contains(text), "{error}");
    }
    let fine = vec![store, advance, reverse(1), restore, reverse(0)];
    let counts = Counts::of(Listed::new(1, fine)).unwrap();
    assert_eq!((counts.advances, counts.reverses, counts.snapshots_peak), (1, 2, 1));
}
