//! Laws of the schedules for a budget of bytes.

mod exhaustive;

use costate::error::ScheduleError;
use costate::schedule::{
    Action, Costs, Counts, Heterogeneous, Keep, KeptState, Mixed, OnlineSchedule, Prediction,
    Schedule, Sizes, StepCost, optimum,
};
use exhaustive::least_cost;
use serde_json::Value;

use crate::common::{rows, shared};

const USUAL: Costs = Costs { step: 8.0, adjoint: 12.0, store: 1.0, restore: 1.0, keep_tape: 2.0 };
const WIDE: Costs = Costs { step: 5.0, adjoint: 6.0, store: 2.0, restore: 2.0, keep_tape: 4.0 };
const DEAR: Costs = Costs { step: 2.0, adjoint: 2.0, store: 5.0, restore: 1.0, keep_tape: 6.0 };
const COSTS: [Costs; 4] = [Costs::STEPS, USUAL, WIDE, DEAR];

const TAPES: [Option<u64>; 6] = [None, Some(1), Some(2), Some(4), Some(8), Some(13)];

fn sizes(tape: Option<u64>) -> Sizes {
    Sizes { state: 1, tape }
}

fn count(schedule: impl Schedule, sizes: Sizes) -> Counts {
    let bound = schedule.num_slots() as u64;
    let counts = Counts::of_sized(schedule, &|_, keep| sizes.of(keep)).unwrap();
    assert!(counts.snapshots_peak <= bound);
    counts
}

fn mixed(steps: usize, budget: u64, sizes: Sizes, costs: Costs) -> Counts {
    count(Mixed::new(steps, budget, sizes, costs).unwrap(), sizes)
}

fn close(a: f64, b: f64) -> bool {
    approx::relative_eq!(a, b, epsilon = 0.0, max_relative = 1e-5)
}

/// States of steps in slots.
fn states(kept: &[(usize, usize)]) -> Vec<KeptState> {
    kept.iter().map(|&(step, slot)| KeptState { step, slot }).collect()
}

#[test]
fn every_step_is_reversed_within_the_budget() {
    for steps in [0, 1, 2, 3, 4, 7, 16, 50, 257, 1000] {
        for tape in TAPES.into_iter().chain([Some(6)]) {
            // In the last case a state is 3 bytes and a tape is two and a bit.
            let sizes =
                Sizes { state: if tape == Some(6) { 3 } else { 1 }, tape: tape.map(|t| t + t / 6) };
            for budget in [3, 4, 5, 7, 11, 20, 45, 130, 700, 20_000] {
                for costs in COSTS {
                    let counts = mixed(steps, budget, sizes, costs);
                    let of = format!("{steps} {budget} {sizes:?} {costs:?}");
                    assert_eq!(counts.reverses, steps as u64, "{of}");
                    assert!(counts.bytes_peak <= budget, "{} {of}", counts.bytes_peak);
                    let bound = optimum::mixed_bound(steps, budget, sizes, costs);
                    assert!(bound <= counts.seconds(&costs) * (1.0 + 1e-12), "{of}");
                }
            }
        }
    }
}

/// A slot keeps states or tapes, never both.
#[test]
fn no_slot_changes_its_kind() {
    for tape in TAPES {
        let states = 40;
        for action in Mixed::new(300, states as u64, sizes(tape), USUAL).unwrap() {
            if let Action::Store { slot, keep, .. } = action {
                assert_eq!(keep == Keep::State, slot < states, "{action:?}");
            }
        }
    }
}

#[test]
fn short_chains_cost_the_least_that_any_actions_can() {
    for steps in 1..=5 {
        for tape in TAPES {
            for budget in 1..=16 {
                for costs in COSTS {
                    let place = StepCost { costs, sizes: sizes(tape) };
                    let least = least_cost(&vec![place; steps], budget, true);
                    let of = format!("{steps} {budget} {tape:?} {costs:?}");
                    let optimum = optimum::mixed(steps, budget, sizes(tape), costs).unwrap();
                    assert_eq!(optimum, least, "{of}");
                    assert_eq!(
                        mixed(steps, budget, sizes(tape), costs).seconds(&costs),
                        least,
                        "{of}"
                    );
                }
            }
        }
    }
}

#[test]
fn without_tapes_it_is_revolve() {
    let steps_alone = Costs { keep_tape: 10.0, ..Costs::STEPS };
    for steps in [1, 2, 5, 10, 50, 100, 1000, 3000] {
        for slots in [1, 2, 3, 5, 10, 30, 200] {
            let least = optimum::t(steps as u64, slots);
            for (tape, costs) in [(None, Costs::STEPS), (Some(1), steps_alone)] {
                let counts = mixed(steps, slots, sizes(tape), costs);
                assert_eq!(counts.advances, least, "{steps} {slots}");
                assert_eq!(counts.from_tape, 0);
                let bound = optimum::mixed_bound(steps, slots, sizes(tape), costs);
                assert!(close(bound, (least + steps as u64) as f64), "{steps} {slots}");
            }
        }
    }
}

/// J. R. Maddison, On the implementation of checkpointing with high-level algorithmic
/// differentiation (2023), doi 10.48550/arXiv.2305.09568: a checkpoint as
/// large as a state holds the data to restart from or that for the adjoint, not both. A tape holds
/// both, so that nothing can cost more here.
#[test]
#[ignore = "reads ../shared"]
fn maddisons_mixed_checkpoints_cost_no_less() {
    let table = shared("data/checkpointing/revolve_table.json");
    let executed = shared("data/checkpointing/schedules_executed.json");
    let number = |row: &Value, key: &str| row[key].as_u64();
    let from_table = rows(&table).filter_map(|row| {
        Some((number(row, "steps")?, number(row, "snaps")?, number(row, "mixed_total")?))
    });
    let mixed_rows = rows(&executed).filter(|row| row["schedule"] == "Mixed(ram=s)");
    let from_runs = mixed_rows.filter_map(|row| {
        Some((number(row, "n")?, number(row, "s")?, number(row, "forward_steps")?))
    });
    let (mut rows, mut equal, mut most) = (0, 0, 0.0_f64);
    for (steps, slots, theirs) in from_table.chain(from_runs) {
        if steps > 300 {
            continue;
        }
        let ours =
            optimum::mixed(steps as usize, slots, sizes(Some(1)), Costs::STEPS).unwrap() as u64;
        assert!(ours <= theirs, "{steps} {slots}: {ours} {theirs}");
        rows += 1;
        equal += usize::from(ours == theirs);
        most = most.max(theirs as f64 / ours as f64);
    }
    println!("{rows} rows, {equal} equal, at most {most:.3} times as many steps");
    assert!(rows > 20);
}

#[test]
#[cfg_attr(debug_assertions, ignore = "takes minutes without optimisation")]
fn long_chains_come_near_the_optimum() {
    let mut worst = [1.0_f64; COSTS.len()];
    for (steps, budgets) in
        [(300, &[2, 3, 5, 8, 13, 20, 40, 80, 150, 300, 700, 1500][..]), (800, &[2, 4, 9, 20, 45])]
    {
        for tape in [1, 2, 4, 8, 13] {
            for &budget in budgets {
                for (costs, worst) in COSTS.into_iter().zip(&mut worst) {
                    let sizes = sizes(Some(tape));
                    let least = optimum::mixed(steps, budget, sizes, costs).unwrap();
                    let ratio = mixed(steps, budget, sizes, costs).seconds(&costs) / least;
                    let bound = optimum::mixed_bound(steps, budget, sizes, costs) / least;
                    assert!(bound <= 1.0 + 1e-9, "{steps} {budget} {tape} {costs:?}: {bound}");
                    *worst = worst.max(ratio);
                }
            }
        }
    }
    println!("at worst {worst:?} of the optimum");
    assert!(worst[..3].iter().all(|&worst| worst < 1.02), "{worst:?}");
    assert!(worst[3] < 1.15, "{worst:?}");
}

#[test]
fn more_memory_costs_no_more() {
    for tape in TAPES {
        for costs in [Costs::STEPS, USUAL, WIDE] {
            for steps in [60, 2000] {
                let mut least = f64::INFINITY;
                for budget in (1..=12).map(|k| 1 << k) {
                    let seconds = mixed(steps, budget, sizes(tape), costs).seconds(&costs);
                    assert!(seconds <= 1.02 * least, "{steps} {tape:?} {budget}");
                    least = least.min(seconds);
                }
                if steps == 60 && tape.is_some() {
                    let taped = 59.0 * costs.keep_tape;
                    assert!(close(least, 60.0 * (costs.step + costs.adjoint) + taped));
                }
            }
        }
    }
}

/// A million steps' plan takes a table of 512 KiB, beside the list of what is kept.
#[test]
fn a_million_steps_come_near_the_bound() {
    let state = 800_000;
    let sizes = Sizes { state, tape: Some(8 * state) };
    let costs = Costs { step: 1e-3, adjoint: 2e-3, store: 5e-5, restore: 5e-5, keep_tape: 2e-4 };
    for states in [5, 20, 100, 1000, 20_000, 10_000_000] {
        let budget = states * state;
        let schedule = Mixed::new(1_000_000, budget, sizes, costs).unwrap();
        assert!(schedule.bytes() <= 512 << 10, "{states}: {} bytes", schedule.bytes());
        let plan = Prediction::uniform(schedule, budget, sizes, costs).unwrap();
        let ratio = plan.seconds / plan.lower_bound;
        assert!(plan.counts.bytes_peak <= budget);
        assert!((1.0..1.1).contains(&ratio), "{states}: {ratio}");
    }
}

#[test]
fn what_cannot_be_planned_is_refused() {
    let sizes = Sizes { state: 100, tape: Some(300) };
    let small = Mixed::new(10, 99, sizes, USUAL).unwrap_err();
    assert_eq!(small, ScheduleError::Budget { bytes: 99, needed: 100 });
    assert!(small.to_string().contains("at least 100"));
    for cost in [-1.0, f64::NAN, f64::INFINITY] {
        let costs = Costs { store: cost, ..USUAL };
        assert!(matches!(Mixed::new(10, 500, sizes, costs), Err(ScheduleError::Cost { .. })));
        let places = [StepCost { costs, sizes }; 3];
        assert!(matches!(Heterogeneous::new(&places, 500), Err(ScheduleError::Cost { .. })));
    }
    for kept in [&[][..], &[(1, 0)], &[(0, 0), (0, 1)], &[(0, 1), (3, 1)], &[(0, 0), (10, 1)]] {
        let resumed = Mixed::resume(10, 500, sizes, USUAL, &states(kept), None);
        assert!(matches!(resumed, Err(ScheduleError::KeptStates { .. })), "{kept:?}");
    }
    let kept = [(0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (5, 5)];
    assert!(matches!(
        Mixed::resume(10, 500, sizes, USUAL, &states(&kept), None),
        Err(ScheduleError::Budget { bytes: 500, needed: 600 })
    ));
    let places = [StepCost { costs: USUAL, sizes }; 3];
    assert!(matches!(
        Heterogeneous::new(&places, 99),
        Err(ScheduleError::Budget { bytes: 99, needed: 100 })
    ));
}

/// A first sweep that keeps what it is told, and goes on with tapes.
struct Resumed {
    first: std::vec::IntoIter<Action>,
    rest: Mixed,
}

impl Iterator for Resumed {
    type Item = Action;

    fn next(&mut self) -> Option<Action> {
        self.first.next().or_else(|| self.rest.next())
    }
}

impl Schedule for Resumed {
    fn num_slots(&self) -> usize {
        self.rest.num_slots()
    }
    fn bytes(&self) -> usize {
        0
    }
}

#[test]
fn a_first_sweep_of_unknown_length_is_gone_on_from() {
    let costs = USUAL;
    for (steps, slots) in [(2, 1), (10, 3), (100, 5), (777, 12), (3000, 40)] {
        for tape in TAPES {
            let budget = slots as u64;
            let (mut online, mut first) =
                (costate::schedule::Online::new(slots).unwrap(), Vec::new());
            let mut kept: Vec<(usize, usize)> = Vec::new();
            loop {
                match online.next().unwrap() {
                    Action::Advance { from, to } if to == steps => {
                        assert_eq!(from + 1, steps);
                        break;
                    }
                    action => {
                        if let Action::Store { step, slot, .. } = action {
                            kept.retain(|kept| kept.1 != slot);
                            kept.push((step, slot));
                        }
                        first.push(action);
                    }
                }
            }
            online.end(steps);
            kept.sort_unstable();
            let current = Some(steps - 1);
            let rest =
                Mixed::resume(steps, budget, sizes(tape), costs, &states(&kept), current).unwrap();
            let counts = count(Resumed { first: first.into_iter(), rest }, sizes(tape));
            assert_eq!(counts.reverses, steps as u64);
            assert!(counts.bytes_peak <= budget);
            let states_alone =
                Counts::of_online(costate::schedule::Online::new(slots).unwrap(), steps);
            let alone = states_alone.unwrap().seconds(&costs);
            assert!(counts.seconds(&costs) <= alone * 1.0001, "{steps} {slots} {tape:?}");
        }
    }
}

fn random_places(n: usize, seed: u64) -> Vec<StepCost> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut draw = |most: u64| random.u64(1..=most);
    let mut place = || {
        let costs = Costs {
            step: draw(9) as f64,
            adjoint: draw(9) as f64,
            store: draw(3) as f64 - 1.0,
            restore: draw(3) as f64 - 1.0,
            keep_tape: draw(4) as f64 - 1.0,
        };
        let state = draw(3);
        StepCost {
            costs,
            sizes: Sizes { state, tape: Some(state + draw(4)).filter(|_| draw(5) > 1) },
        }
    };
    (0..n).map(|_| place()).collect()
}

/// Of schedules that keep what they keep until its step is reversed. Where sizes differ another may
/// cost less by keeping something for a while, which equal steps never need.
#[test]
fn short_chains_of_unequal_steps_cost_the_least() {
    for seed in 0..60 {
        for steps in 1..=5 {
            let places = random_places(steps, seed);
            for budget in 3..=14 {
                let least = least_cost(&places, budget, false);
                let schedule = Heterogeneous::new(&places, budget).unwrap();
                let plan = Prediction::heterogeneous(schedule, budget, &places).unwrap();
                assert!(plan.counts.bytes_peak <= budget);
                assert!(plan.lower_bound <= least_cost(&places, budget, true));
                assert!(close(plan.seconds, least), "{seed} {budget} {places:?}: {plan:?} {least}");
            }
        }
    }
}

#[test]
fn equal_steps_are_no_special_case() {
    for tape in TAPES {
        for budget in [1, 2, 3, 5, 10, 40, 200] {
            for costs in COSTS {
                let places = vec![StepCost { costs, sizes: sizes(tape) }; 40];
                let plan = Prediction::heterogeneous(
                    Heterogeneous::new(&places, budget).unwrap(),
                    budget,
                    &places,
                );
                let least = optimum::mixed(40, budget, sizes(tape), costs).unwrap();
                let seconds = plan.unwrap().seconds;
                assert!(close(seconds, least), "{budget} {tape:?} {costs:?}: {seconds} {least}");
            }
        }
    }
}

/// Costs that change slowly along the chain, as with error control, and sizes that do not.
fn slowly_changing(n: usize) -> Vec<StepCost> {
    let place = |i: usize| {
        let step = 4.0 + 3.0 * (i as f64 * 12.0 / n as f64).sin();
        let costs = Costs { step, adjoint: 1.5 * step, store: 0.3, restore: 0.3, keep_tape: 0.5 };
        StepCost { costs, sizes: Sizes { state: 1000, tape: Some(8100) } }
    };
    (0..n).map(place).collect()
}

#[test]
#[cfg_attr(debug_assertions, ignore = "takes minutes without optimisation")]
fn two_hundred_unequal_steps_come_near_the_bound() {
    let places = slowly_changing(200);
    for (budget, most) in [(10_000, 1.65), (100_000, 1.3), (1_000_000, 1.05)] {
        let schedule = Heterogeneous::new(&places, budget).unwrap();
        let plan = Prediction::heterogeneous(schedule, budget, &places).unwrap();
        let ratio = plan.seconds / plan.lower_bound;
        assert!((1.0..most).contains(&ratio), "{budget}: {ratio}");
        assert!(plan.counts.bytes_peak <= budget);
    }
}

/// Against a uniform chain's own rules, which are near the optimum.
#[test]
#[cfg_attr(debug_assertions, ignore = "takes minutes without optimisation")]
fn groups_lose_little() {
    let mut worst = 1.0_f64;
    for n in [400, 2000] {
        let place = StepCost { costs: USUAL, sizes: Sizes { state: 1000, tape: Some(8000) } };
        let places = vec![place; n];
        for budget in [5_000, 20_000, 100_000] {
            let schedule = Heterogeneous::new(&places, budget).unwrap();
            let plan = Prediction::heterogeneous(schedule, budget, &places).unwrap();
            assert!(plan.counts.bytes_peak <= budget);
            let fine = mixed(n, budget, place.sizes, USUAL).seconds(&USUAL);
            println!("{n} {budget}: {:.4}", plan.seconds / fine);
            worst = worst.max(plan.seconds / fine);
        }
    }
    println!("groups cost at most {worst:.3} of single steps");
    assert!(worst < 1.25, "{worst}");
}
