//! Schedules for several workers, and gradients on several threads.

mod failures;
mod plans;
mod schedules;

use costate::adjoint::{Gradient, Reversal, gradient};
use costate::method::control::Control;
use costate::method::stepper::{AdjointStepper, TangentStepper, Tolerances};
use costate::ode::grid::Span;
use costate::ode::objective::Objective;
use costate::ode::{Initial, Jvp, Vjp};
use costate::recurrence::{Adaptive, Discretization, Recurrence};
use costate::schedule::{
    Online, Revolve, StoreAll, TwoProcessor, TwoProcessorOnline, WorkerCosts, WorkerCounts,
    WorkerSchedule,
};
use costate::snapshot::MemoryStore;

use crate::common::network::{Network, Unrolled};
use crate::common::{Case, Law, bits, everywhere};

const COSTS: [WorkerCosts; 3] =
    [WorkerCosts::USUAL, WorkerCosts { step: 2, adjoint: 1 }, WorkerCosts { step: 1, adjoint: 10 }];

const TAPES: [usize; 4] = [0, 1, 2, 4];

/// Worker 0's bits on two threads are those of one, and so are the figures.
fn two_threads_give_the_bits_of_one<R: Recurrence<Scalar = f64>>(chain: &R, p: &[f64], name: &str) {
    let steps = chain.num_steps();
    let all = gradient(chain, p, StoreAll::new(steps), &mut MemoryStore::new()).unwrap();
    for slots in [1, 2, 3, 5, 8, steps - 1, steps, steps + 10] {
        for costs in COSTS {
            for tapes in TAPES {
                let what = format!("{name} {slots} {tapes} {costs:?}");
                let mut pair = TwoProcessor::with_tapes(steps, slots, tapes, costs).unwrap();
                let bound = pair.num_slots() as u64;
                let counts = WorkerCounts::of(pair.clone(), costs).unwrap();
                let g = Reversal::new(p).gradient_by_workers(chain, &mut pair).unwrap();
                assert_eq!(bits(&g), bits(&all), "{what}");
                let advances: u64 = counts.advances.iter().sum();
                let stats = g.stats;
                assert_eq!(stats.steps, steps as u64, "{what}");
                assert_eq!(stats.recomputed_steps, advances - counts.from_tape, "{what}");
                assert_eq!(stats.from_tape, counts.from_tape, "{what}");
                assert!(stats.snapshots_peak <= bound, "{what}");
                let tape_bytes = chain.tape_bytes(0) as u64;
                let held = 8 * chain.dim() as u64 * slots as u64 + tape_bytes * tapes as u64;
                assert!(stats.snapshot_bytes_peak <= held, "{what}");
                let vectors = 8 * (3 * chain.dim() + chain.num_params());
                let own = chain.largest_tape_bytes() + chain.scratch_bytes();
                let least = (own + vectors) as u64;
                assert!(stats.peak_bytes >= least, "{what}");
                // Beside them a worker of its own, the tape that worker 0 has yet, and places in lists.
                let worker = (own + 8 * chain.dim()) as u64;
                let lists = 2048 + 256 * bound;
                let most = least + worker + held + lists + if tapes > 0 { tape_bytes } else { 0 };
                assert!(stats.peak_bytes <= most, "{what}: {} {most}", stats.peak_bytes);
            }
        }
    }
}

struct Fixed;

impl Law for Fixed {
    fn holds<O, I, J, M>(&mut self, case: &Case<O, I, J>, stepper: M)
    where
        O: Vjp + Jvp,
        I: Initial,
        J: Objective,
        M: AdjointStepper<O> + TangentStepper<O> + Clone,
    {
        let Case { name, ode, initial, objective, p, grid } = case;
        let name = format!("{name} {}", stepper.name());
        let chain = Discretization::new(ode, initial, objective, stepper, grid.clone()).unwrap();
        two_threads_give_the_bits_of_one(&chain, p, &name);
        let alone = gradient(
            &chain,
            p,
            Revolve::new(chain.num_steps(), 3).unwrap(),
            &mut MemoryStore::new(),
        )
        .unwrap();
        let none = WorkerCosts { step: 1, adjoint: 0 };
        let mut pair = TwoProcessor::new(chain.num_steps(), 3, none).unwrap();
        let g = Reversal::new(p).gradient_by_workers(&chain, &mut pair).unwrap();
        let more = g.stats.recomputed_steps as f64 / alone.stats.recomputed_steps as f64;
        assert!(g.stats.rhs as f64 <= more.max(1.0) * alone.stats.rhs as f64 + 9.0, "{name}");
    }
}

#[test]
fn fixed_grids_give_the_same_bits() {
    everywhere(&mut Fixed);
}

#[derive(Default)]
struct Controlled {
    from_tape: u64,
}

impl Law for Controlled {
    fn holds<O, I, J, M>(&mut self, case: &Case<O, I, J>, stepper: M)
    where
        O: Vjp + Jvp,
        I: Initial,
        J: Objective,
        M: AdjointStepper<O> + TangentStepper<O> + Clone,
    {
        if stepper.embedded_order().is_none() {
            return;
        }
        let Case { ode, initial, objective, p, grid, .. } = case;
        let what = format!("{} {}", case.name, stepper.name());
        let span = Span { start: grid.time(0), end: grid.end() };
        let tolerances = Tolerances { rtol: 1e-4, atol: vec![1e-7] };
        let run = || {
            let control = Control::new(tolerances.clone()).unwrap();
            Adaptive::new(ode, initial, objective, stepper.clone(), span, control).unwrap()
        };
        for slots in [1, 2, 3, 5, 30] {
            let (mut online, mut store) = (Online::new(slots).unwrap(), MemoryStore::new());
            let one = Reversal::new(p).gradient_online(&mut run(), &mut online, &mut store);
            let one = one.unwrap();
            for tapes in TAPES {
                let what = format!("{what} {slots} {tapes}");
                let mut pair =
                    TwoProcessorOnline::with_tapes(slots, tapes, WorkerCosts::USUAL).unwrap();
                let two = Reversal::new(p).gradient_online_by_workers(&mut run(), &mut pair);
                let two = two.unwrap();
                assert_eq!(bits(&two), bits(&one), "{what}");
                assert_eq!(two.stats.steps, one.stats.steps, "{what}");
                assert_eq!(two.stats.rejected, one.stats.rejected, "{what}");
                assert!(two.stats.snapshots_peak <= (slots + tapes) as u64, "{what}");
                self.from_tape += two.stats.from_tape;
            }
        }
    }
}

#[test]
fn controlled_runs_give_the_same_bits() {
    let mut controlled = Controlled::default();
    everywhere(&mut controlled);
    assert!(controlled.from_tape > 0);
}

#[test]
fn an_own_time_loop_gives_the_same_bits() {
    let p = Network::<f64>::weights();
    for steps in [2, 3, 23, 1000] {
        two_threads_give_the_bits_of_one(&Network::of(steps), &p, "recurrent network");
    }
    let all: Gradient =
        gradient(&Network::of(23), &p, StoreAll::new(23), &mut MemoryStore::new()).unwrap();
    for slots in [1, 2, 3, 5, 22, 23, 33, 1_000_000] {
        for tapes in TAPES {
            let mut run = Unrolled { chain: Network::of(0), end: 23 };
            let mut pair =
                TwoProcessorOnline::with_tapes(slots, tapes, WorkerCosts::USUAL).unwrap();
            let g = Reversal::new(&p).gradient_online_by_workers(&mut run, &mut pair);
            assert_eq!(bits(&g.unwrap()), bits(&all), "online {slots} {tapes}");
        }
    }
}

#[test]
fn a_chain_without_steps_has_a_gradient() {
    let p = Network::<f64>::weights();
    for steps in [0, 1] {
        let chain = Network::<f64>::of(steps);
        let one = gradient(&chain, &p, StoreAll::new(steps), &mut MemoryStore::new()).unwrap();
        for tapes in TAPES {
            let mut pair = TwoProcessor::with_tapes(steps, 3, tapes, WorkerCosts::USUAL).unwrap();
            let two = Reversal::new(&p).gradient_by_workers(&chain, &mut pair).unwrap();
            assert_eq!(bits(&two), bits(&one));
        }
    }
}
