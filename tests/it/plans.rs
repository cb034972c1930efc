//! Laws of plans: the best of what there is, and what a gradient then does.

use costate::plan::budget::{Disk, Measured, Plan, Resources};
use costate::schedule::{Costs, Sizes};
use costate::snapshot::Bandwidth;

/// Any chain: a state of 8 B to 8 MB, tapes of up to 12 states, steps of a microsecond to a second.
fn any_chain(random: &mut fastrand::Rng) -> Measured {
    let state = 8 * 10f64.powf(6.0 * random.f64()) as u64;
    let tape = random.bool().then(|| (state as f64 * (1.0 + 11.0 * random.f64())) as u64);
    let step = 10f64.powf(6.0 * random.f64() - 6.0);
    let copy = step * 10f64.powf(-3.0 * random.f64());
    let costs = Costs {
        step,
        adjoint: step * (0.5 + 4.0 * random.f64()),
        store: copy,
        restore: copy * random.f64(),
        keep_tape: 10.0 * random.f64() * copy,
    };
    let touch_state = if random.bool() { 0.0 } else { 5.0 * random.f64() * copy };
    let sweep_bytes = tape.unwrap_or(state) + 3 * state;
    Measured { sizes: Sizes { state, tape }, costs, touch_state, sweep_bytes }
}

fn any_disk(random: &mut fastrand::Rng, measured: &Measured) -> Disk {
    let write =
        measured.sizes.state as f64 / measured.costs.step * 10f64.powf(2.0 * random.f64() - 1.0);
    let read = write * (0.5 + 3.0 * random.f64());
    let latency = measured.costs.step * 0.3 * random.f64();
    let bytes = (measured.sizes.state + 44) * random.u64(2..2000);
    Disk { bytes, bandwidth: Bandwidth { write, read, latency } }
}

/// Seconds may be this much longer: a schedule for a long chain is near the optimum (1 % in
/// tests/it/budget_schedules), and what the first use of memory takes is looked at from a tenth of a
/// second on.
fn no_slower(more: f64, fewer: f64) -> bool {
    more <= 1.01 * fewer + 0.1
}

#[test]
fn more_resources_never_make_a_plan_slower() {
    for seed in 0..40 {
        let mut random = fastrand::Rng::with_seed(seed);
        let measured = any_chain(&mut random);
        let steps = 10f64.powf(0.5 + 2.0 * random.f64()) as usize;
        let slots = (steps as f64).powf(1.2 * random.f64()) as u64 + 1;
        let memory = 2 * measured.sweep_bytes + slots * measured.sizes.state;
        let disk = any_disk(&mut random, &measured);
        let plan = |resources: Resources| {
            let plan = Plan::new(steps, &measured, &resources).unwrap();
            assert!(plan.memory_bytes <= resources.memory, "{seed} {resources:?}");
            assert!(plan.disk_bytes <= resources.disk.map_or(0, |disk| disk.bytes), "{seed}");
            assert!(plan.lower_bound <= plan.seconds * (1.0 + 1e-9), "{seed} {resources:?}");
            // Two cores and disks are planned in whole nanoseconds.
            let fastest =
                plan.candidates.iter().map(|other| other.seconds).fold(f64::MAX, f64::min);
            assert!(plan.seconds <= 1.001 * fastest, "{seed} {resources:?}");
            plan.seconds
        };
        for disk in [None, Some(disk)] {
            for threads in [1, 2] {
                let has = Resources { memory, disk, threads };
                let seconds = plan(has);
                let law = |more: Resources| {
                    let faster = plan(more);
                    assert!(no_slower(faster, seconds), "{seed} {more:?}: {faster} {seconds}");
                };
                for factor in [1.02, 2.0, 7.0] {
                    let scaled = |bytes: u64| (bytes as f64 * factor) as u64;
                    law(Resources { memory: scaled(memory), ..has });
                    law(Resources {
                        disk: disk.map(|disk| Disk { bytes: scaled(disk.bytes), ..disk }),
                        ..has
                    });
                }
                law(Resources { threads: threads + 1, ..has });
                law(Resources {
                    disk: disk.or(Some(any_disk(&mut random.clone(), &measured))),
                    ..has
                });
            }
        }
    }
}

/// A plan for one that has everything to choose from; the figures are those of a run
/// of 100 000 steps in 10 GiB.
#[test]
fn a_slow_disk_and_a_second_core_are_used_only_where_they_help() {
    let costs = Costs { step: 1e-3, adjoint: 2e-3, store: 8e-5, restore: 8e-5, keep_tape: 1e-4 };
    let sizes = Sizes { state: 800_000, tape: Some(1_000_000) };
    let measured = Measured { sizes, costs, touch_state: 0.0, sweep_bytes: 3_400_000 };
    let bandwidth = Bandwidth { write: 3e8, read: 2e9, latency: 1e-4 };
    let disk = Some(Disk { bytes: u64::MAX, bandwidth });
    let plan = |memory, disk, threads| {
        Plan::new(100_000, &measured, &Resources { memory, disk, threads }).unwrap()
    };
    let much = 10 << 30;
    let (memory, slow_disk) = (plan(much, None, 1), plan(much, disk, 1));
    assert_eq!((slow_disk.name(), slow_disk.seconds), (memory.name(), memory.seconds));
    assert!(!slow_disk.uses_disk() && slow_disk.candidates.iter().any(|other| other.on_disk));
    let (cores, both) = (plan(much, None, 2), plan(much, disk, 2));
    assert_eq!((both.threads, both.seconds), (2, cores.seconds));
    assert!(cores.seconds < 0.8 * memory.seconds);
    let fast = Bandwidth { write: 3e9, read: 3e9, latency: 1e-5 };
    let fast = Some(Disk { bytes: u64::MAX, bandwidth: fast });
    let (little, fast_disk) = (plan(100 << 20, None, 1), plan(100 << 20, fast, 1));
    assert!(fast_disk.uses_disk() && fast_disk.seconds < 0.9 * little.seconds);
}
