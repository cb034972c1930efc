//! The gradient's bits do not depend on which states are kept, where, how often steps are taken
//! again, or what other threads do: every method and both adjoints, every schedule, number of
//! snapshots and store, over several models.

mod shared;
mod tapes;

use std::path::{Path, PathBuf};

use costate::adjoint::{Gradient, Reversal, gradient, value};
use costate::method::continuous::Continuous;
use costate::method::control::Control;
use costate::method::stepper::{AdjointStepper, TangentStepper, Tolerances};
use costate::method::tableau::TSIT5;
use costate::ode::grid::Span;
use costate::ode::objective::Objective;
use costate::ode::{Initial, Jvp, Vjp};
use costate::recurrence::{Adaptive, Discretization, Fixed, OnlineRecurrence, Recurrence};
use costate::schedule::{
    Bisection, Online, OnlineSchedule, Revolve, Schedule, StoreAll, StoreAllOnline, Uniform,
    optimum,
};
use costate::snapshot::{DiskStore, MemoryStore, NotedStore, SnapshotStore};
use tapes::tapes_and_states;

use crate::common::network::{Network, Unrolled};
use crate::common::{Case, Law, bits, everywhere};

/// The offline schedules of n steps, by name, for one number of slots.
fn schedules(steps: usize, slots: usize) -> Vec<(&'static str, Box<dyn Schedule>)> {
    vec![
        ("store-all", Box::new(StoreAll::new(steps))),
        ("uniform", Box::new(Uniform::new(steps, slots).unwrap())),
        ("bisection", Box::new(Bisection::new(steps, slots).unwrap())),
        ("revolve", Box::new(Revolve::new(steps, slots).unwrap())),
    ]
}

/// A directory of one test's snapshots, which must be empty at its end.
struct Snapshots(PathBuf);

impl Snapshots {
    fn of(test: &str) -> Self {
        let name = format!("costate-bits-{test}-{}", std::process::id());
        Snapshots(std::env::temp_dir().join(name))
    }

    fn are_gone(self) {
        std::fs::remove_dir(self.0).unwrap();
    }
}

/// A store with slots in memory, in memory and to be noted, and in a file alone.
fn records(directory: &Path, dim: usize) -> NotedStore<f64> {
    NotedStore::open(directory, 1, dim, 1, 8 * dim).unwrap()
}

/// Every schedule and number of snapshots, in memory, on disk, and on several threads at once.
fn chain_has_one_gradient(
    chain: &impl Recurrence<Scalar = f64>,
    p: &[f64],
    directory: &Path,
    name: &str,
) {
    let steps = chain.num_steps();
    let run = |schedule: Box<dyn Schedule>, store: &mut dyn SnapshotStore<f64>| -> Gradient {
        gradient(chain, p, schedule, store).unwrap()
    };
    let all = run(Box::new(StoreAll::new(steps)), &mut MemoryStore::new());
    assert_eq!(value(chain, p).unwrap().0.to_bits(), all.value.to_bits(), "{name}: J alone");
    let counts = [1, 2, 3, 5, steps - 1, steps, steps + 10];
    for slots in counts {
        for (schedule_name, schedule) in schedules(steps, slots) {
            let g = run(schedule, &mut MemoryStore::new());
            let what = format!("{name} {schedule_name} {slots}");
            assert_eq!(bits(&g), bits(&all), "{what}");
            assert_eq!(g.stats.steps, steps as u64, "{what}");
            if schedule_name == "revolve" {
                let t = optimum::t(steps as u64, slots as u64);
                assert_eq!(g.stats.recomputed_steps, t, "{what}");
            }
            if schedule_name != "store-all" {
                assert!(g.stats.snapshots_peak <= slots as u64, "{what}");
            }
            let state_bytes = 8 * chain.dim() as u64;
            let peak = g.stats.snapshot_bytes_peak;
            assert_eq!(peak, g.stats.snapshots_peak * state_bytes, "{what}");
        }
    }
    for every in [1, 2, 3] {
        let g = run(tapes_and_states(steps, every), &mut MemoryStore::new());
        assert_eq!(bits(&g), bits(&all), "{name}, every {every}th step on a tape");
        assert_eq!(g.stats.from_tape, (steps - 1).div_ceil(every) as u64, "{name} {every}");
        assert_eq!(g.stats.recomputed_steps + g.stats.from_tape, steps as u64 - 1, "{name}");
        assert!(g.stats.rhs <= all.stats.rhs, "{name} {every}");
    }
    for (schedule_name, schedule) in schedules(steps, 3) {
        let g = run(schedule, &mut DiskStore::new(directory).unwrap());
        assert_eq!(bits(&g), bits(&all), "{name} {schedule_name} on disk");
    }
    for (schedule_name, schedule) in schedules(steps, 5) {
        let mut store = records(directory, chain.dim());
        let g = run(schedule, &mut store);
        assert_eq!(bits(&g), bits(&all), "{name} {schedule_name} in records");
        // They stay for who goes on with the run.
        std::fs::remove_file(store.path()).unwrap();
    }
    std::thread::scope(|scope| {
        let at_once = counts.map(|slots| {
            let revolve = Box::new(Revolve::new(steps, slots).unwrap());
            scope.spawn(move || run(revolve, &mut MemoryStore::new()))
        });
        for thread in at_once {
            assert_eq!(bits(&thread.join().unwrap()), bits(&all), "{name} beside other threads");
        }
    });
}

/// Also where it was run before and begins again.
fn a_run_of_known_steps_has_the_gradient_of_its_chain(
    chain: impl Recurrence<Scalar = f64> + Send,
    p: &[f64],
    name: &str,
) {
    let schedule = StoreAll::new(chain.num_steps());
    let all = gradient(&chain, p, schedule, &mut MemoryStore::new()).unwrap();
    let mut run = Fixed::new(chain);
    let (value, _) = Reversal::new(p).value(&mut run).unwrap();
    assert_eq!(value.to_bits(), all.value.to_bits(), "{name}: J of a run");
    for slots in [1, 3, 30] {
        OnlineRecurrence::restart(&mut run);
        let (mut online, mut store) = (Online::new(slots).unwrap(), MemoryStore::new());
        let g = Reversal::new(p).gradient_online(&mut run, &mut online, &mut store);
        assert_eq!(bits(&g.unwrap()), bits(&all), "{name}: a run, {slots} slots");
    }
}

struct OnGrids(Snapshots);

impl Law for OnGrids {
    fn holds<O, I, J, M>(&mut self, case: &Case<O, I, J>, stepper: M)
    where
        O: Vjp + Jvp,
        I: Initial,
        J: Objective,
        M: AdjointStepper<O> + TangentStepper<O> + Clone,
    {
        let Case { name, ode, initial, objective, p, grid } = case;
        let name = format!("{name} {}", stepper.name());
        let discrete =
            Discretization::new(ode, initial, objective, stepper.clone(), grid.clone()).unwrap();
        chain_has_one_gradient(&discrete, p, &self.0.0, &name);
        a_run_of_known_steps_has_the_gradient_of_its_chain(discrete, p, &name);
        let stepper = Continuous::new(stepper, &TSIT5, 1e-6, objective).unwrap();
        let continuous =
            Discretization::new(ode, initial, objective, stepper, grid.clone()).unwrap();
        chain_has_one_gradient(&continuous, p, &self.0.0, &format!("{name}, continuous adjoint"));
    }
}

#[test]
fn fixed_grids_give_the_same_bits() {
    let mut law = OnGrids(Snapshots::of("fixed"));
    everywhere(&mut law);
    law.0.are_gone();
}

struct Controlled(Snapshots);

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
        let online = |schedule: &mut dyn OnlineSchedule, store: &mut dyn SnapshotStore<f64>| {
            Reversal::new(p).gradient_online(&mut run(), schedule, store).unwrap()
        };
        let all = online(&mut StoreAllOnline::new(), &mut MemoryStore::new());
        let steps = all.stats.steps as usize;
        assert_eq!(all.stats.recomputed_steps, all.stats.steps, "{what}");
        let mut pass = run();
        let (value, _) = Reversal::new(p).value(&mut pass).unwrap();
        assert_eq!(value.to_bits(), all.value.to_bits(), "{what}: J alone");
        OnlineRecurrence::restart(&mut pass);
        let again = Reversal::new(p)
            .gradient_online(&mut pass, &mut Online::new(3).unwrap(), &mut MemoryStore::new())
            .unwrap();
        assert_eq!(bits(&again), bits(&all), "{what}: begun again");
        let chain = pass.into_discretization();
        for slots in [1, 2, 3, 5, (steps - 1).max(1), steps, steps + 10] {
            let stores: [Box<dyn SnapshotStore<f64>>; 2] =
                [Box::new(MemoryStore::new()), Box::new(DiskStore::new(&self.0.0).unwrap())];
            for mut store in stores {
                let g = online(&mut Online::new(slots).unwrap(), &mut *store);
                assert_eq!(bits(&g), bits(&all), "{what} online {slots}");
                assert_eq!(g.stats.rejected, all.stats.rejected, "{what} online {slots}");
                assert!(g.stats.snapshots_peak <= slots as u64, "{what} online {slots}");
            }
            let mixed = ("tapes", tapes_and_states(steps, slots));
            for (name, schedule) in schedules(steps, slots).into_iter().chain([mixed]) {
                let g = gradient(&chain, p, schedule, &mut MemoryStore::new()).unwrap();
                assert_eq!(bits(&g), bits(&all), "{what} {name} {slots} after a controller pass");
            }
        }
    }
}

#[test]
fn controlled_runs_give_the_same_bits() {
    let mut law = Controlled(Snapshots::of("controlled"));
    everywhere(&mut law);
    law.0.are_gone();
}

#[test]
fn an_own_time_loop_gives_the_same_bits() {
    let (chain, p) = (Network::<f64>::of(23), Network::<f64>::weights());
    let snapshots = Snapshots::of("own");
    chain_has_one_gradient(&chain, &p, &snapshots.0, "recurrent network");
    snapshots.are_gone();
    a_run_of_known_steps_has_the_gradient_of_its_chain(Network::of(23), &p, "recurrent network");
    let all = gradient(&chain, &p, StoreAll::new(23), &mut MemoryStore::new()).unwrap();
    for slots in [1, 2, 3, 5, 22, 23, 33] {
        let mut run = Unrolled { chain: Network::of(0), end: 23 };
        let (mut online, mut store) = (Online::new(slots).unwrap(), MemoryStore::new());
        let g = Reversal::new(&p).gradient_online(&mut run, &mut online, &mut store);
        assert_eq!(bits(&g.unwrap()), bits(&all), "online {slots}");
    }
    // The gradient is that of J.
    for (i, bar) in all.wrt_params.iter().enumerate() {
        let shifted = |h: f64| {
            let mut p = p.clone();
            p[i] += h;
            value(&chain, &p).unwrap().0
        };
        let difference = (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
        assert!((bar - difference).abs() <= 1e-8 * (1.0 + bar.abs()), "{i}: {bar} {difference}");
    }
}

#[test]
fn single_precision_gives_the_same_bits() {
    let (chain, p) = (Network::<f32>::of(40), Network::<f32>::weights());
    let all = gradient(&chain, &p, StoreAll::new(40), &mut MemoryStore::new()).unwrap();
    let numbers = |g: &Gradient<f32>| -> Vec<u32> {
        let ends = [g.value, g.wrt_end_time];
        ends.iter().chain(&g.wrt_y0).chain(&g.wrt_params).map(|x| x.to_bits()).collect()
    };
    let snapshots = Snapshots::of("single");
    for slots in [1, 2, 3, 5, 39, 40, 50] {
        for (name, schedule) in schedules(40, slots) {
            let disk = &mut DiskStore::new(&snapshots.0).unwrap();
            let g = gradient(&chain, &p, schedule, disk).unwrap();
            assert_eq!(numbers(&g), numbers(&all), "{name} {slots}");
            assert_eq!(g.stats.disk_bytes_peak, g.stats.snapshots_peak * (4 * 3 + 44), "{name}");
        }
    }
    snapshots.are_gone();
    let (chain, p) = (Network::<f64>::of(40), Network::<f64>::weights());
    let double = gradient(&chain, &p, StoreAll::new(40), &mut MemoryStore::new()).unwrap();
    for (single, double) in all.wrt_params.iter().zip(&double.wrt_params) {
        assert!((f64::from(*single) - double).abs() <= 1e-4 * (1.0 + double.abs()));
    }
}
