//! What a budget of bytes is spent on for two workers.

use costate::adjoint::{Gradient, gradient};
use costate::method::Method;
use costate::method::tableau::BS3;
use costate::ode::objective::LeastSquares;
use costate::plan::budget::{Measured, Plan, Resources};
use costate::problem::Problem;
use costate::schedule::{Costs, Sizes, StoreAll};
use costate::snapshot::MemoryStore;
use costate_models::pde::burgers;

use crate::common::bits;
use crate::common::network::Network;

/// A slot with three numbers and its places in lists; a sweep's own.
const STATE: u64 = 24 + 256;
const OWN: u64 = 168 + 2560;

/// As a network's, but for the costs, which are A = 2F with long steps.
fn measured(tape: Option<u64>) -> Measured {
    let costs = Costs { step: 1e-3, adjoint: 2e-3, store: 0.0, restore: 0.0, keep_tape: 0.0 };
    Measured { sizes: Sizes { state: STATE, tape }, costs, touch_state: 0.0, sweep_bytes: OWN }
}

fn plan(steps: usize, memory: u64, tape: Option<u64>) -> Plan {
    let resources = Resources { memory, disk: None, threads: 2 };
    Plan::new(steps, &measured(tape), &resources).unwrap()
}

#[test]
fn tapes_are_handed_over_where_that_is_faster_and_fits() {
    let p = Network::<f64>::weights();
    for steps in [2, 10, 100, 1000] {
        let chain = Network::of(steps);
        let all = gradient(&chain, &p, StoreAll::new(steps), &mut MemoryStore::new()).unwrap();
        for states in [1, 2, 3, 5, 6, 7, 8, 13, 30, 100] {
            let (memory, what) = (2 * OWN + STATE * states, format!("{steps} {states}"));
            let with = plan(steps, memory, Some(STATE));
            let without = plan(steps, memory, None);
            assert!(with.memory_bytes <= memory && without.memory_bytes <= memory, "{what}");
            assert!(with.seconds <= without.seconds, "{what}");
            assert!(with.seconds >= with.lower_bound, "{what}");
            assert!(steps < 100 || states < 13 || with.seconds < without.seconds, "{what}");
            for plan in [with, without] {
                let g = plan.gradient(&chain, &p, None, &mut |_| {}).unwrap();
                assert_eq!(bits(&g), bits(&all), "{what}");
                assert_eq!(g.stats.recomputed_steps, plan.recomputed_steps, "{what}");
                assert!(g.stats.peak_bytes <= plan.memory_bytes, "{what}");
            }
        }
    }
    // Without room for a state beside them, none are.
    let on_two = |plan: Plan| {
        let two = plan.candidates.iter().find(|candidate| candidate.threads == 2);
        two.map(|candidate| candidate.seconds)
    };
    let room = 2 * OWN + 3 * STATE;
    let (with, without) = (plan(100, room, Some(STATE)), plan(100, room, None));
    assert!(on_two(with.clone()).is_some());
    assert_eq!(on_two(with), on_two(without));
    // Dear ones take the room of a few states, where there are many.
    let dear = plan(10_000, 2 * OWN + STATE * 200, Some(5 * STATE));
    assert!(dear.seconds <= 1.01 * dear.lower_bound, "{}", dear.seconds);
}

#[test]
fn a_controlled_run_hands_tapes_over_in_its_budget() {
    const BUDGET: u64 = 40 << 20;
    let problem = burgers::p6();
    let end = problem.span.0 + 0.1 * (problem.span.1 - problem.span.0);
    let objective = LeastSquares::new(vec![end], problem.y0.clone(), &[1.0]).unwrap();
    let run = |threads| -> Gradient {
        let span = (problem.span.0, end);
        Problem::new(&problem.ode, span, &problem.p)
            .initial(&problem.y0)
            .objective(&objective)
            .method(Method::Named(&BS3))
            .rtol(1e-6)
            .atol(1e-9)
            .budget(BUDGET)
            .threads(threads)
            .gradient()
            .unwrap()
    };
    let (one, two) = (run(1), run(2));
    assert_eq!(bits(&one), bits(&two));
    assert!(two.stats.peak_bytes <= BUDGET, "{:?}", two.stats);
    assert!(two.stats.from_tape > 0 && two.stats.steps > 10, "{:?}", two.stats);
}
