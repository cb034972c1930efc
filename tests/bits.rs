//! The gradient's bits do not depend on which states are kept, where, or how often steps are
//! taken again: every method, schedule, number of snapshots and store, over several models.

mod common;

use common::{Case, Law, bits, everywhere};
use costate::adjoint::{Gradient, gradient, gradient_online, value_online};
use costate::control::Control;
use costate::grid::Span;
use costate::objective::Objective;
use costate::ode::{Initial, Jvp, Vjp};
use costate::recurrence::{Adaptive, Discretization};
use costate::schedule::{
    Bisection, Online, Revolve, Schedule, StoreAll, StoreAllOnline, Uniform, optimum,
};
use costate::snapshot::{DiskStore, MemoryStore, SnapshotStore};
use costate::stepper::{AdjointStepper, TangentStepper, Tolerances};

/// The offline schedules of n steps, by name, for one number of slots.
fn schedules(steps: usize, slots: usize) -> Vec<(&'static str, Box<dyn Schedule>)> {
    vec![
        ("store-all", Box::new(StoreAll::new(steps))),
        ("uniform", Box::new(Uniform::new(steps, slots).unwrap())),
        ("bisection", Box::new(Bisection::new(steps, slots).unwrap())),
        ("revolve", Box::new(Revolve::new(steps, slots).unwrap())),
    ]
}

struct Fixed {
    directory: std::path::PathBuf,
}

impl Law for Fixed {
    fn holds<O, I, J, M>(&mut self, case: &Case<O, I, J>, stepper: M)
    where
        O: Vjp + Jvp,
        I: Initial,
        J: Objective,
        M: AdjointStepper<O> + TangentStepper<O> + Clone,
    {
        let Case { ode, initial, objective, p, grid, .. } = case;
        let method = stepper.name();
        let chain = Discretization::new(ode, initial, objective, stepper, grid.clone()).unwrap();
        let steps = grid.num_steps();
        let run = |schedule: Box<dyn Schedule>, store: &mut dyn SnapshotStore<f64>| -> Gradient {
            gradient(&chain, p, schedule, store).unwrap()
        };
        let all = run(Box::new(StoreAll::new(steps)), &mut MemoryStore::new());
        for slots in [1, 2, 3, 5, steps - 1, steps, steps + 10] {
            for (name, schedule) in schedules(steps, slots) {
                let g = run(schedule, &mut MemoryStore::new());
                let what = format!("{} {method} {name} {slots}", case.name);
                assert_eq!(bits(&g), bits(&all), "{what}");
                if name == "revolve" {
                    let t = optimum::t(steps as u64, slots as u64);
                    assert_eq!(g.stats.recomputed_steps, t, "{what}");
                }
                if name != "store-all" {
                    assert!(g.stats.snapshots_peak <= slots as u64, "{what}");
                }
                let state_bytes = 8 * ode.dim() as u64;
                let peak = g.stats.snapshot_bytes_peak;
                assert_eq!(peak, g.stats.snapshots_peak * state_bytes, "{what}");
            }
        }
        let mut disk = DiskStore::new(&self.directory).unwrap();
        let g = run(Box::new(Revolve::new(steps, 3).unwrap()), &mut disk);
        assert_eq!(bits(&g), bits(&all), "{} {method} on disk", case.name);
    }
}

#[test]
fn fixed_grids_give_the_same_bits() {
    let directory = std::env::temp_dir().join(format!("costate-bits-{}", std::process::id()));
    everywhere(&mut Fixed { directory: directory.clone() });
    std::fs::remove_dir(directory).unwrap();
}

struct Controlled;

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
        let frontier = || {
            let control = Control::new(tolerances.clone()).unwrap();
            let observe = &|_| {};
            Adaptive::new(ode, initial, objective, stepper.clone(), span, control, observe).unwrap()
        };
        let store_all = StoreAllOnline::new();
        let all = gradient_online(&mut frontier(), p, store_all, &mut MemoryStore::new(), &|_| {})
            .unwrap();
        let steps = all.stats.steps as usize;
        assert_eq!(all.stats.recomputed_steps, all.stats.steps, "{what}");
        for slots in [1, 2, 3, 5, steps, steps + 10] {
            let online = Online::new(slots).unwrap();
            let g = gradient_online(&mut frontier(), p, online, &mut MemoryStore::new(), &|_| {});
            let g = g.unwrap();
            assert_eq!(bits(&g), bits(&all), "{what} online {slots}");
            assert!(g.stats.snapshots_peak <= slots as u64, "{what} online {slots}");

            let mut pass = frontier();
            let (value, _) = value_online(&mut pass, p, &|_| {}).unwrap();
            assert_eq!(value.to_bits(), all.value.to_bits(), "{what}: J alone");
            let chain = pass.into_discretization();
            let revolve = Revolve::new(steps, slots).unwrap();
            let g = gradient(&chain, p, revolve, &mut MemoryStore::new()).unwrap();
            assert_eq!(bits(&g), bits(&all), "{what} revolve {slots} after a controller pass");
        }
    }
}

#[test]
fn controlled_runs_give_the_same_bits() {
    everywhere(&mut Controlled);
}
