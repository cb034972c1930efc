//! Laws of schedules for workers, followed by an interpreter in virtual time.

use costate::error::ScheduleError;
use costate::schedule::{
    Action, Counts, Keep, KeptState, OnWorker, OnlineWorkerSchedule, Revolve, TwoProcessor,
    TwoProcessorOnline, WorkerCosts, WorkerCounts, WorkerSchedule, optimum,
};

use super::{COSTS, TAPES};

const STEPS: [usize; 17] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 15, 16, 31, 50, 100, 257, 1000];
const SLOTS: [usize; 12] = [1, 2, 3, 4, 5, 7, 8, 10, 30, 99, 1000, 5000];

/// The virtual time of `Revolve` on one core.
fn one_core(steps: usize, slots: usize, costs: WorkerCosts) -> u64 {
    let (steps, slots) = (steps as u64, slots as u64);
    optimum::t(steps, slots) * costs.step + steps * (costs.step + costs.adjoint)
}

#[test]
fn every_pair_reverses_each_step_once_within_its_slots() {
    for steps in STEPS {
        for slots in SLOTS {
            for costs in COSTS {
                let mut without = one_core(steps, slots, costs);
                for tapes in TAPES {
                    let what = format!("{steps} {slots} {tapes} {costs:?}");
                    let pair = TwoProcessor::with_tapes(steps, slots, tapes, costs).unwrap();
                    let bound = pair.num_slots() as u64;
                    assert!(pair.num_tapes() <= tapes, "{what}");
                    let counts =
                        WorkerCounts::of(pair, costs).unwrap_or_else(|e| panic!("{what}: {e}"));
                    assert_eq!(counts.reverses, steps as u64, "{what}");
                    let (states, on_tape) = (counts.snapshots_peak, counts.tapes_peak);
                    assert!(states <= slots as u64 && on_tape <= tapes as u64, "{what}");
                    assert!(states + on_tape <= bound, "{what}");
                    assert!(counts.makespan <= without, "{what}");
                    // Each step is taken once before its adjoint is applied, by worker 0.
                    let once = steps as u64 * (costs.step + costs.adjoint);
                    let again = steps.saturating_sub(1) as u64 * costs.step;
                    let least = once + if tapes == 0 { again } else { 0 };
                    assert!(counts.makespan >= least, "{what}");
                    if tapes == 0 {
                        without = counts.makespan;
                    }
                }
            }
        }
    }
}

/// The makespan depends on the ratio of the costs alone, and is the same each time.
#[test]
fn lists_are_reproducible() {
    let list = |costs| TwoProcessor::new(300, 7, costs).unwrap().collect::<Vec<OnWorker>>();
    let nanoseconds = WorkerCosts { step: 31_700, adjoint: 63_400 };
    assert_eq!(list(WorkerCosts::USUAL), list(nanoseconds));
    let with_tapes =
        |costs| TwoProcessor::with_tapes(300, 7, 3, costs).unwrap().collect::<Vec<OnWorker>>();
    assert_eq!(with_tapes(WorkerCosts::USUAL), with_tapes(nanoseconds));
    assert!(list(WorkerCosts::USUAL).iter().any(|on_worker| on_worker.worker == 1));
    for odd in [
        WorkerCosts { step: 0, adjoint: 0 },
        WorkerCosts { step: 0, adjoint: 5 },
        WorkerCosts { step: 5, adjoint: 0 },
        WorkerCosts { step: 1, adjoint: u64::MAX },
        WorkerCosts { step: u64::MAX, adjoint: 1 },
    ] {
        for tapes in TAPES {
            let pair = TwoProcessor::with_tapes(300, 7, tapes, odd).unwrap();
            let counts = WorkerCounts::of(pair, WorkerCosts::USUAL).unwrap();
            assert_eq!(counts.reverses, 300, "{odd:?}");
        }
    }
}

#[test]
fn two_workers_save_what_is_documented() {
    // (steps, slots, adjoint in steps, against Revolve on one core, against all states on one).
    for (steps, slots, adjoint, faster, of_all) in [
        (10_000, 200, 2, 1.24, 1.001),
        (10_000, 50, 2, 1.43, 1.02),
        (10_000, 20, 2, 1.5, 1.13),
        (10_000, 10, 2, 1.48, 1.47),
        (1_000, 10, 2, 1.45, 1.15),
        (100_000, 30, 2, 1.54, 1.21),
        (10_000, 20, 1, 1.5, 1.27),
        (10_000, 20, 6, 1.32, 1.03),
        (10_000, 200, 1, 1.3, 1.01),
        (10_000, 200, 10, 1.0, 1.001),
    ] {
        let costs = WorkerCosts { step: 1, adjoint };
        let counts =
            WorkerCounts::of(TwoProcessor::new(steps, slots, costs).unwrap(), costs).unwrap();
        let all = one_core(steps, steps, costs) as f64;
        let one = one_core(steps, slots, costs) as f64;
        let makespan = counts.makespan as f64;
        let what = format!("{steps} {slots} {adjoint}: {} {}", one / makespan, makespan / all);
        assert!(one >= faster * makespan && makespan <= of_all * all, "{what}");
        assert!(counts.snapshots_peak <= slots as u64, "{what}");
    }
}

#[test]
fn tapes_save_what_is_documented() {
    // (steps, slots, tapes, adjoint in steps, against no tapes, against F + A for each step).
    for (steps, slots, tapes, adjoint, faster, of_bound) in [
        (10_000, 200, 2, 2, 1.33, 1.001),
        (10_000, 200, 4, 2, 1.33, 1.001),
        (10_000, 50, 2, 2, 1.1, 1.23),
        (10_000, 50, 4, 2, 1.14, 1.19),
        (10_000, 20, 2, 2, 1.07, 1.4),
        (10_000, 20, 4, 2, 1.08, 1.38),
        (10_000, 10, 2, 2, 1.05, 1.85),
        (1_000, 10, 2, 2, 1.12, 1.34),
        (1_000, 30, 2, 2, 1.22, 1.1),
        (100_000, 30, 2, 2, 1.04, 1.54),
        (10_000, 20, 2, 1, 1.01, 1.87),
        (10_000, 20, 2, 6, 1.1, 1.06),
        (10_000, 200, 2, 1, 1.15, 1.3),
        (10_000, 200, 4, 1, 1.2, 1.25),
        (10_000, 200, 2, 10, 1.09, 1.001),
    ] {
        let costs = WorkerCosts { step: 1, adjoint };
        let followed = |tapes| {
            let pair = TwoProcessor::with_tapes(steps, slots, tapes, costs).unwrap();
            WorkerCounts::of(pair, costs).unwrap()
        };
        let (with, without) = (followed(tapes), followed(0));
        let gain = without.makespan as f64 / with.makespan as f64;
        let bound = steps as u64 * (costs.step + costs.adjoint);
        let of_this = with.makespan as f64 / bound as f64;
        let what = format!("{steps} {slots} {tapes} {adjoint}: {gain} {of_this}");
        assert!(gain >= faster && of_this <= of_bound, "{what}");
        assert!(with.tapes_peak <= tapes as u64 && with.snapshots_peak <= slots as u64, "{what}");
        assert_eq!(without.from_tape, 0);
    }
}

/// The reverse sweep of what an online first sweep has kept, and so of what any may.
#[test]
fn a_first_sweep_is_taken_up() {
    for slots in [1, 2, 3, 5, 8, 20, 300] {
        for (steps, tapes) in
            [1, 2, 3, 5, 9, 21, 50, 257].into_iter().flat_map(|n| TAPES.map(|tapes| (n, tapes)))
        {
            let mut pair =
                TwoProcessorOnline::with_tapes(slots, tapes, WorkerCosts::USUAL).unwrap();
            let (mut kept, mut at): (Vec<KeptState>, usize) = (Vec::new(), 0);
            while at < steps {
                let OnWorker { worker, action } = pair.next().unwrap();
                assert_eq!(worker, 0);
                match action {
                    Action::Store { step, slot, keep: Keep::State } => {
                        kept.retain(|kept| kept.slot != slot);
                        kept.push(KeptState { step, slot });
                    }
                    Action::Advance { from, to } => {
                        assert_eq!((from, to), (at, at + 1));
                        at = to;
                    }
                    _ => panic!("{action:?}"),
                }
            }
            pair.end(steps);
            assert!(pair.num_slots() <= slots + tapes);
            let counts = WorkerCounts::of_resumed(pair, WorkerCosts::USUAL, steps, &kept).unwrap();
            assert_eq!(counts.reverses, steps as u64, "{steps} {slots}");
            assert!(counts.snapshots_peak <= slots as u64, "{steps} {slots}");
            assert!(counts.tapes_peak <= tapes as u64, "{steps} {slots}");
            assert!(tapes == 0 || steps < 50 || slots < 5 || counts.from_tape > 0);
        }
    }
    // Two equally long gaps with slots to fill: worker 1 has the lower one open in time.
    let (first, late) = (KeptState { step: 0, slot: 0 }, KeptState { step: 100, slot: 1 });
    let pair =
        TwoProcessor::resume(200, &[late, first], &[2, 3, 4, 5, 6, 7], 0, WorkerCosts::USUAL)
            .unwrap();
    let counts = WorkerCounts::of_resumed(pair, WorkerCosts::USUAL, 200, &[first, late]).unwrap();
    let alone = 2 * optimum::t(100, 7) - 99 + 200 * 3;
    assert!(counts.makespan * 5 < alone * 4, "{} {alone}", counts.makespan);
}

#[test]
fn what_cannot_be_reversed_is_refused() {
    let costs = WorkerCosts::USUAL;
    assert_eq!(TwoProcessor::new(5, 0, costs).unwrap_err(), ScheduleError::NoSlots);
    assert_eq!(TwoProcessorOnline::new(0, costs).unwrap_err(), ScheduleError::NoSlots);
    // An end before the first state is kept leaves nothing to go back by; it does not go on forward.
    let mut untold = TwoProcessorOnline::new(2, costs).unwrap();
    untold.end(5);
    assert_eq!(untold.next(), None);
    assert_eq!(
        TwoProcessor::resume(5, &[], &[0, 1], 0, costs).unwrap_err(),
        ScheduleError::NoSlots
    );
    let error =
        TwoProcessor::resume(5, &[KeptState { step: 2, slot: 0 }], &[1], 0, costs).unwrap_err();
    assert_eq!(error, ScheduleError::Unfinished { left: 2 });
    assert_eq!(TwoProcessor::resume(0, &[], &[], 0, costs).unwrap().count(), 0);
    assert_eq!(TwoProcessor::resume(1, &[], &[], 0, costs).unwrap().count(), 1);
}

#[test]
fn a_long_chain_is_planned_by_a_shorter_one() {
    let (steps, slots, costs) = (100_000, 1_000, WorkerCosts::USUAL);
    let (fewer, fewer_slots) = TwoProcessor::alike(steps, slots);
    assert!(fewer * fewer_slots <= 20_000_000, "{fewer} {fewer_slots}");
    let repetition = |steps, slots| optimum::repetition(steps as u64, slots as u64);
    assert_eq!(repetition(fewer, fewer_slots), repetition(steps, slots));
    let schedule = TwoProcessor::new(steps, slots, costs).unwrap();
    let counts = WorkerCounts::of(schedule, costs).unwrap();
    assert_eq!(counts.reverses, steps as u64);
    assert!(counts.snapshots_peak <= slots as u64);
    assert!(counts.makespan < one_core(steps, slots, costs), "{}", counts.makespan);
}

/// Any list as a schedule for workers.
pub struct Listed {
    pub actions: std::vec::IntoIter<OnWorker>,
    pub slots: usize,
    pub workers: usize,
}

impl Listed {
    pub fn of(actions: &[(usize, Action)]) -> Listed {
        let actions: Vec<OnWorker> =
            actions.iter().map(|&(worker, action)| OnWorker { worker, action }).collect();
        Listed { actions: actions.into_iter(), slots: 2, workers: 3 }
    }
}

impl Iterator for Listed {
    type Item = OnWorker;

    fn next(&mut self) -> Option<OnWorker> {
        self.actions.next()
    }
}

impl WorkerSchedule for Listed {
    fn num_slots(&self) -> usize {
        self.slots
    }
    fn num_workers(&self) -> usize {
        self.workers
    }
    fn bytes(&self) -> usize {
        0
    }
}

pub fn store(step: usize, slot: usize) -> Action {
    Action::Store { step, slot, keep: Keep::State }
}

pub fn store_tape(step: usize, slot: usize) -> Action {
    Action::Store { step, slot, keep: Keep::Tape }
}

pub fn restore(step: usize, slot: usize) -> Action {
    Action::Restore { step, slot }
}

pub fn advance(from: usize, to: usize) -> Action {
    Action::Advance { from, to }
}

pub fn reverse(step: usize) -> Action {
    Action::Reverse { step }
}

/// Three workers reverse four steps with two slots. Worker 1 takes y_1 ahead, worker 2 y_2.
pub fn three_workers() -> Vec<(usize, Action)> {
    vec![
        (0, store(0, 0)),
        (0, advance(0, 3)),
        (2, restore(0, 0)),
        (2, advance(0, 2)),
        (2, store(2, 1)),
        (1, restore(0, 0)),
        (1, advance(0, 1)),
        (0, reverse(3)),
        (0, restore(2, 1)),
        (0, Action::Free { slot: 1 }),
        (1, store(1, 1)),
        (0, reverse(2)),
        (0, restore(1, 1)),
        (0, reverse(1)),
        (0, restore(0, 0)),
        (0, reverse(0)),
    ]
}

/// Worker 1 hands worker 0 the steps 2 and 1 of four, in one slot that states share.
pub fn handed_over() -> Vec<(usize, Action)> {
    vec![
        (0, store(0, 0)),
        (0, advance(0, 3)),
        (1, restore(0, 0)),
        (1, advance(0, 3)),
        (1, store_tape(2, 1)),
        (1, restore(0, 0)),
        (1, advance(0, 2)),
        (0, reverse(3)),
        (0, restore(2, 1)),
        (0, reverse(2)),
        (1, store_tape(1, 1)),
        (0, restore(1, 1)),
        (0, reverse(1)),
        (0, restore(0, 0)),
        (0, reverse(0)),
    ]
}

#[test]
fn makespans_are_those_counted_by_hand() {
    let costs = WorkerCosts { step: 10, adjoint: 5 };
    let counts = WorkerCounts::of(Listed::of(&three_workers()), costs).unwrap();
    assert_eq!(counts.makespan, 3 * 10 + 4 * 15);
    assert_eq!(counts.advances, [3, 1, 2]);
    assert_eq!((counts.stores, counts.restores, counts.snapshots_peak), (3, 5, 2));
    // y_0 to y_2 takes as long as the first sweep needs to y_2, and worker 0 is at y_1 when it asks.
    let late = [
        (0, store(0, 0)),
        (0, advance(0, 1)),
        (1, restore(0, 0)),
        (1, advance(0, 2)),
        (1, store(2, 1)),
        (0, restore(2, 1)),
        (0, reverse(2)),
        (0, restore(0, 0)),
        (0, advance(0, 1)),
        (0, reverse(1)),
        (0, restore(0, 0)),
        (0, reverse(0)),
    ];
    // Worker 1 is at y_2 again after 50, when worker 0 has reversed 3 and 2.
    let tapes = WorkerCounts::of(Listed::of(&handed_over()), costs).unwrap();
    assert_eq!(tapes.makespan, 3 * 10 + 15 + 5 + 5 + 15);
    assert_eq!(tapes.advances, [3, 5, 0]);
    assert_eq!((tapes.from_tape, tapes.tapes_peak, tapes.snapshots_peak), (2, 1, 1));
    assert_eq!((tapes.stores, tapes.restores), (3, 5));
    let counts = WorkerCounts::of(Listed::of(&late), costs).unwrap();
    assert_eq!(counts.makespan, 20 + 15 + 10 + 15 + 15);
    // One worker's list is the same in both interpreters.
    let revolve: Vec<(usize, Action)> =
        Revolve::new(100, 5).unwrap().map(|action| (0, action)).collect();
    let counts = WorkerCounts::of(Listed { slots: 5, ..Listed::of(&revolve) }, costs).unwrap();
    let one = Counts::of(Revolve::new(100, 5).unwrap()).unwrap();
    assert_eq!(counts.advances, [one.advances, 0, 0]);
    assert_eq!(counts.snapshots_peak, one.snapshots_peak);
    assert_eq!(counts.makespan, one_core(100, 5, costs));
}

#[test]
fn the_interpreter_finds_every_fault() {
    let begin = [(0, store(0, 0)), (0, advance(0, 1))];
    let handed = [(1, restore(0, 0)), (1, advance(0, 1)), (1, store_tape(0, 1))];
    // Worker 0's tape is that of step 0 when it takes the one handed over.
    let again = [(0, reverse(1)), (0, restore(0, 0)), (0, advance(0, 1))];
    let again = [&handed[..], &again, &[(0, restore(0, 1)), (0, reverse(0))]].concat();
    for (more, text) in [
        (vec![(1, advance(0, 1))], "asks worker 1 for Advance { from: 0, to: 1 } while no state"),
        (vec![(1, restore(1, 0))], "restores step 1 from slot 0, which holds step 0"),
        (vec![(1, restore(0, 1))], "restores step 0 from slot 1, which holds nothing"),
        (vec![(1, restore(0, 0)), (1, store(1, 1))], "asks worker 1 for Store"),
        (vec![(1, restore(0, 0)), (1, reverse(0))], "asks worker 1 for Reverse"),
        (
            vec![(0, store(0, 1))],
            "asks worker 0 for Store { step: 0, slot: 1, keep: State } while y_1",
        ),
        (vec![(3, advance(0, 1))], "asks worker 3"),
        (vec![(0, Action::Free { slot: 1 })], "asks worker 0 for Free"),
        (vec![(0, reverse(1)), (0, reverse(1))], "and 1 steps are left to reverse"),
        (vec![(0, reverse(1))], "ends with 1 steps not reversed"),
        (vec![], "ends with 1 steps not reversed"),
        (vec![(0, store_tape(0, 1))], "asks worker 0 for Store { step: 0, slot: 1, keep: Tape }"),
        (vec![(1, restore(0, 0)), (1, store_tape(0, 1))], "asks worker 1 for Store"),
        ([&handed[..], &[(1, store_tape(0, 2))]].concat(), "asks worker 1 for Store"),
        ([&handed[..], &[(2, restore(0, 1))]].concat(), "asks worker 2 for Restore"),
        // y_1, which the adjoint of step 0 needs, is on the tape of step 1, which is not there.
        (
            [&handed[..], &[(0, restore(0, 1)), (0, reverse(0))]].concat(),
            "asks worker 0 for Reverse",
        ),
        (again, "asks worker 0 for Reverse { step: 0 }"),
        (
            [&handed[..], &[(0, reverse(1)), (0, restore(0, 1)), (0, restore(0, 1))]].concat(),
            "restores step 0 from slot 1, which holds nothing",
        ),
    ] {
        let actions = [&begin[..], &more].concat();
        let error =
            WorkerCounts::of(Listed::of(&actions), WorkerCosts::USUAL).unwrap_err().to_string();
        assert!(error.contains(text), "{error}");
    }
}
