//! What fails on one lane ends all, without a hang.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use costate::adjoint::{Gradient, gradient, gradient_on_lanes};
use costate::error::Error;
use costate::recurrence::{Adjoint, Recurrence};
use costate::schedule::{Action, LaneCosts, LaneSchedule, OnLane, Pair, StoreAll};
use costate::snapshot::MemoryStore;

use crate::common::bits;
use crate::network::Network;
use crate::schedules::{
    Listed, advance, handed_over, restore, reverse, store, store_tape, three_lanes,
};

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    Error,
    Panic,
    NaN,
}

/// A network of which the step taken, or adjoint, of a given number goes wrong on one lane.
struct Faulty {
    network: Network<f64>,
    fault: Fault,
    /// Whether it happens on the thread that asks for the gradient.
    on_lane_0: bool,
    in_adjoint: bool,
    left: AtomicUsize,
    lane_0: thread::ThreadId,
}

impl Faulty {
    fn of(steps: usize, fault: Fault, on_lane_0: bool, in_adjoint: bool, after: usize) -> Faulty {
        let lane_0 = thread::current().id();
        let (network, left) = (Network::of(steps), AtomicUsize::new(after));
        Faulty { network, fault, on_lane_0, in_adjoint, left, lane_0 }
    }

    fn meet(&self, step: usize, in_adjoint: bool, y: &mut [f64]) -> Result<(), Error> {
        let on_lane_0 = thread::current().id() == self.lane_0;
        if on_lane_0 != self.on_lane_0 || in_adjoint != self.in_adjoint {
            return Ok(());
        }
        match (self.left.fetch_sub(1, Ordering::Relaxed), self.fault) {
            (0, Fault::Error) => Err(Error::NewtonFailed { step, t: 0.0 }),
            (0, Fault::Panic) => panic!("the model gave up"),
            (0, Fault::NaN) => {
                y[0] = f64::NAN;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl Recurrence for Faulty {
    type Scalar = f64;
    type Tape = [f64; 3];
    type Kept = [f64; 3];

    fn dim(&self) -> usize {
        self.network.dim()
    }
    fn num_params(&self) -> usize {
        self.network.num_params()
    }
    fn num_steps(&self) -> usize {
        self.network.num_steps()
    }
    fn tape(&self) -> [f64; 3] {
        self.network.tape()
    }
    fn kept(&self) -> Option<[f64; 3]> {
        self.network.kept()
    }
    fn exchange(&self, tape: &mut [f64; 3], kept: &mut [f64; 3]) {
        self.network.exchange(tape, kept);
    }
    fn start<'a>(&self, kept: &'a [f64; 3]) -> &'a [f64] {
        self.network.start(kept)
    }
    fn initial(&self, p: &[f64], y0: &mut [f64]) {
        self.network.initial(p, y0);
    }
    fn add_value(&self, n: usize, p: &[f64], y: &[f64], tape: &mut [f64; 3], value: &mut f64) {
        self.network.add_value(n, p, y, tape, value);
    }
    fn step(&self, n: usize, p: &[f64], y: &mut [f64], tape: &mut [f64; 3]) -> Result<(), Error> {
        self.network.step(n, p, y, tape)?;
        self.meet(n, false, y)
    }
    fn step_adjoint(
        &self,
        n: usize,
        p: &[f64],
        y_next: &[f64],
        tape: &mut [f64; 3],
        adjoint: &mut Adjoint<f64>,
    ) -> Result<(), Error> {
        self.network.step_adjoint(n, p, y_next, tape, adjoint)?;
        self.meet(n, true, &mut adjoint.lambda)
    }
}

/// Fails the test where `task` does not end.
fn in_time<T: Send + 'static>(what: &str, task: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, result) = mpsc::channel();
    thread::spawn(move || done.send(task()));
    result.recv_timeout(Duration::from_secs(60)).unwrap_or_else(|e| panic!("{what}: {e}"))
}

const STEPS: usize = 60;

fn run(
    tapes: usize,
    fault: Fault,
    on_lane_0: bool,
    in_adjoint: bool,
    after: usize,
) -> Result<Vec<u64>, String> {
    let what = format!("{fault:?} {on_lane_0} {in_adjoint} {after}");
    in_time(&what, move || {
        let chain = Faulty::of(STEPS, fault, on_lane_0, in_adjoint, after);
        let pair = Pair::with_tapes(STEPS, 5, tapes, LaneCosts::USUAL).unwrap();
        let run = || gradient_on_lanes(&chain, &Network::<f64>::weights(), pair, &|_| {});
        match catch_unwind(AssertUnwindSafe(run)) {
            Ok(result) => result.map(|g| bits(&g)).map_err(|error| error.to_string()),
            Err(panic) => Err(panic.downcast_ref::<&str>().unwrap().to_string()),
        }
    })
}

#[test]
fn a_failure_on_any_lane_ends_all() {
    for tapes in [0, 2] {
        fails_on_any_lane(&|fault, on_lane_0, in_adjoint, after| {
            run(tapes, fault, on_lane_0, in_adjoint, after)
        });
    }
}

fn fails_on_any_lane(run: &dyn Fn(Fault, bool, bool, usize) -> Result<Vec<u64>, String>) {
    let right = run(Fault::None, true, true, 0).unwrap();
    for (on_lane_0, in_adjoint) in [(true, false), (true, true), (false, false)] {
        for after in [0, 1, 2, 5, 17, 40, 59] {
            let what = format!("{on_lane_0} {in_adjoint} {after}");
            let error = run(Fault::Error, on_lane_0, in_adjoint, after).unwrap_err();
            assert!(
                error.contains("Newton's iteration did not converge in step"),
                "{what}: {error}"
            );
            let error = run(Fault::Panic, on_lane_0, in_adjoint, after).unwrap_err();
            assert_eq!(error, "the model gave up", "{what}");
        }
    }
    // Only a step of the first sweep is looked at.
    let error = run(Fault::NaN, true, false, 7).unwrap_err();
    assert!(error.contains("state 0 is not finite in step 7"), "{error}");
    let error = run(Fault::NaN, true, true, 7).unwrap_err();
    assert!(error.contains("is not finite"), "{error}");
    assert_eq!(run(Fault::Error, false, true, 0).unwrap(), right, "lane 1 applies no adjoint");
}

#[test]
fn any_list_is_followed_to_its_end() {
    let p = Network::<f64>::weights();
    let chain = Network::<f64>::of(4);
    let all = gradient(&chain, &p, StoreAll::new(4), &mut MemoryStore::new()).unwrap();
    let follow = |actions: Vec<(usize, Action)>| {
        in_time(&format!("{actions:?}"), move || {
            let p = Network::<f64>::weights();
            gradient_on_lanes(&Network::<f64>::of(4), &p, Listed::of(&actions), &|_| {})
        })
    };
    for right in [three_lanes(), handed_over()] {
        for _ in 0..100 {
            let g = follow(right.clone()).unwrap();
            assert_eq!(bits(&g), bits(&all));
            assert_eq!(g.stats.recomputed_steps, 6);
            assert_eq!(g.stats.snapshots_peak, 2);
        }
        let failed = wrong_lists_fail(&right, &bits(&all), &follow);
        assert!(failed > 40, "{failed}");
    }
}

/// How many lists that are nearly `right` fail.
fn wrong_lists_fail(
    right: &[(usize, Action)],
    all: &[u64],
    follow: &dyn Fn(Vec<(usize, Action)>) -> Result<Gradient, Error>,
) -> usize {
    // Without any one of its actions, in another order, or on another lane, it ends all the same;
    // where it gives a gradient it is the right one.
    let mut failed = 0;
    for i in 0..right.len() {
        let mut lists = vec![right.to_vec(); 4];
        lists[0].remove(i);
        lists[1][i].0 = (right[i].0 + 1) % 4;
        lists[2].swap(i, (i + 1) % right.len());
        lists[3].truncate(i);
        for list in lists {
            match follow(list.clone()) {
                Ok(g) => assert_eq!(bits(&g), all, "{list:?}"),
                Err(Error::Schedule { .. } | Error::Snapshot(_)) => failed += 1,
                Err(error) => panic!("{list:?}: {error}"),
            }
        }
    }
    failed
}

#[test]
fn wrong_actions_are_named() {
    let follow = |actions: Vec<(usize, Action)>| {
        let p = Network::<f64>::weights();
        let list = Listed::of(&actions);
        gradient_on_lanes(&Network::<f64>::of(2), &p, list, &|_| {}).unwrap_err().to_string()
    };
    let begin = [(0, store(0, 0)), (0, advance(0, 1)), (0, reverse(1))];
    for (action, text) in [
        ((1, restore(1, 0)), "slot 0 was asked for step 1 and holds step 0"),
        ((1, reverse(0)), "Reverse { step: 0 } on lane 1"),
        ((2, store(0, 1)), "Store { step: 0, slot: 1, keep: State } on lane 2"),
        ((0, store(0, 1)), "Store { step: 0, slot: 1, keep: State } while y_2"),
        ((0, restore(0, 7)), "Restore { step: 0, slot: 7 }"),
        ((9, restore(0, 0)), "nothing more"),
        ((0, store_tape(1, 1)), "Store { step: 1, slot: 1, keep: Tape }"),
        ((1, store_tape(1, 1)), "Store { step: 1, slot: 1, keep: Tape } on lane 1"),
    ] {
        let error = follow([&begin[..], &[action]].concat());
        assert!(error.contains(text), "{error}");
    }
}

/// A schedule that panics while the lanes draw from it.
struct Panics(Pair, usize);

impl Iterator for Panics {
    type Item = OnLane;

    fn next(&mut self) -> Option<OnLane> {
        self.1 = self.1.checked_sub(1).expect("no more actions");
        self.0.next()
    }
}

impl LaneSchedule for Panics {
    fn num_slots(&self) -> usize {
        self.0.num_slots()
    }
    fn num_lanes(&self) -> usize {
        self.0.num_lanes()
    }
    fn bytes(&self) -> usize {
        self.0.bytes()
    }
}

#[test]
fn a_panic_in_the_schedule_goes_on_in_the_caller() {
    for after in [0, 1, 10, 50] {
        let panicked = in_time("a schedule that panics", move || {
            let schedule = Panics(Pair::new(STEPS, 5, LaneCosts::USUAL).unwrap(), after);
            let p = Network::<f64>::weights();
            let run = || gradient_on_lanes(&Network::<f64>::of(STEPS), &p, schedule, &|_| {});
            catch_unwind(AssertUnwindSafe(run)).is_err()
        });
        assert!(panicked, "{after}");
    }
}
