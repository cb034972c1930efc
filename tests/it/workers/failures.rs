//! What fails on one worker ends all, without a hang.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use costate::adjoint::{Gradient, Reversal, gradient};
use costate::error::Error;
use costate::recurrence::{Adjoint, Recurrence};
use costate::schedule::{Action, OnWorker, StoreAll, TwoProcessor, WorkerCosts, WorkerSchedule};
use costate::snapshot::MemoryStore;

use super::schedules::{
    Listed, advance, handed_over, restore, reverse, store, store_tape, three_workers,
};
use crate::common::bits;
use crate::common::network::Network;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    Error,
    Panic,
    NaN,
}

/// A network of which the step taken, or adjoint, of a given number goes wrong on one worker.
struct Faulty {
    network: Network<f64>,
    fault: Fault,
    /// Whether it happens on the thread that asks for the gradient.
    on_worker_0: bool,
    in_adjoint: bool,
    left: AtomicUsize,
    worker_0: thread::ThreadId,
}

impl Faulty {
    fn of(steps: usize, fault: Fault, on_worker_0: bool, in_adjoint: bool, after: usize) -> Faulty {
        let worker_0 = thread::current().id();
        let (network, left) = (Network::of(steps), AtomicUsize::new(after));
        Faulty { network, fault, on_worker_0, in_adjoint, left, worker_0 }
    }

    fn meet(&self, step: usize, in_adjoint: bool, y: &mut [f64]) -> Result<(), Error> {
        let on_worker_0 = thread::current().id() == self.worker_0;
        if on_worker_0 != self.on_worker_0 || in_adjoint != self.in_adjoint {
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
    type Scratch = ();

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
    fn keeps_tapes(&self) -> bool {
        self.network.keeps_tapes()
    }
    fn start<'a>(&self, tape: &'a [f64; 3]) -> &'a [f64] {
        self.network.start(tape)
    }
    fn scratch(&self) {}
    fn initial(&self, p: &[f64], y0: &mut [f64]) {
        self.network.initial(p, y0);
    }
    fn step_value(
        &self,
        n: usize,
        p: &[f64],
        y_next: &[f64],
        tape: &mut [f64; 3],
        scratch: &mut (),
    ) -> f64 {
        self.network.step_value(n, p, y_next, tape, scratch)
    }
    fn step(
        &self,
        n: usize,
        p: &[f64],
        y: &mut [f64],
        tape: &mut [f64; 3],
        scratch: &mut (),
    ) -> Result<(), Error> {
        self.network.step(n, p, y, tape, scratch)?;
        self.meet(n, false, y)
    }
    fn step_adjoint(
        &self,
        n: usize,
        p: &[f64],
        y_next: &[f64],
        tape: &mut [f64; 3],
        scratch: &mut (),
        adjoint: &mut Adjoint<f64>,
    ) -> Result<(), Error> {
        self.network.step_adjoint(n, p, y_next, tape, scratch, adjoint)?;
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
    on_worker_0: bool,
    in_adjoint: bool,
    after: usize,
) -> Result<Vec<u64>, String> {
    let what = format!("{fault:?} {on_worker_0} {in_adjoint} {after}");
    in_time(&what, move || {
        let chain = Faulty::of(STEPS, fault, on_worker_0, in_adjoint, after);
        let mut pair = TwoProcessor::with_tapes(STEPS, 5, tapes, WorkerCosts::USUAL).unwrap();
        let p = Network::<f64>::weights();
        let run = || Reversal::new(&p).gradient_by_workers(&chain, &mut pair);
        match catch_unwind(AssertUnwindSafe(run)) {
            Ok(result) => result.map(|g| bits(&g)).map_err(|error| error.to_string()),
            Err(panic) => Err(panic.downcast_ref::<&str>().unwrap().to_string()),
        }
    })
}

#[test]
fn a_failure_on_any_worker_ends_all() {
    for tapes in [0, 2] {
        fails_on_any_worker(&|fault, on_worker_0, in_adjoint, after| {
            run(tapes, fault, on_worker_0, in_adjoint, after)
        });
    }
}

fn fails_on_any_worker(run: &dyn Fn(Fault, bool, bool, usize) -> Result<Vec<u64>, String>) {
    let right = run(Fault::None, true, true, 0).unwrap();
    for (on_worker_0, in_adjoint) in [(true, false), (true, true), (false, false)] {
        for after in [0, 1, 2, 5, 17, 40, 59] {
            let what = format!("{on_worker_0} {in_adjoint} {after}");
            let error = run(Fault::Error, on_worker_0, in_adjoint, after).unwrap_err();
            assert!(
                error.contains("Newton's iteration did not converge in step"),
                "{what}: {error}"
            );
            let error = run(Fault::Panic, on_worker_0, in_adjoint, after).unwrap_err();
            assert_eq!(error, "the model gave up", "{what}");
        }
    }
    // Only a step of the first sweep is looked at.
    let error = run(Fault::NaN, true, false, 7).unwrap_err();
    assert!(error.contains("state 0 is not finite in step 7"), "{error}");
    let error = run(Fault::NaN, true, true, 7).unwrap_err();
    assert!(error.contains("is not finite"), "{error}");
    assert_eq!(run(Fault::Error, false, true, 0).unwrap(), right, "worker 1 applies no adjoint");
}

#[test]
fn any_list_is_followed_to_its_end() {
    let p = Network::<f64>::weights();
    let chain = Network::<f64>::of(4);
    let all = gradient(&chain, &p, StoreAll::new(4), &mut MemoryStore::new()).unwrap();
    let follow = |actions: Vec<(usize, Action)>| {
        in_time(&format!("{actions:?}"), move || {
            let p = Network::<f64>::weights();
            let (chain, mut list) = (Network::<f64>::of(4), Listed::of(&actions));
            Reversal::new(&p).gradient_by_workers(&chain, &mut list)
        })
    };
    for right in [three_workers(), handed_over()] {
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
    // Without any one of its actions, in another order, or on another worker, it ends all the same;
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
                Err(Error::Schedule(_) | Error::Snapshot(_)) => failed += 1,
                Err(error) => panic!("{list:?}: {error}"),
            }
        }
    }
    failed
}

#[test]
fn wrong_actions_are_named() {
    let follow = |actions: Vec<(usize, Action)>| {
        let (p, mut list) = (Network::<f64>::weights(), Listed::of(&actions));
        let result = Reversal::new(&p).gradient_by_workers(&Network::<f64>::of(2), &mut list);
        result.unwrap_err().to_string()
    };
    let begin = [(0, store(0, 0)), (0, advance(0, 1)), (0, reverse(1))];
    for (action, text) in [
        ((1, restore(1, 0)), "restores step 1 from slot 0, which holds step 0"),
        ((1, reverse(0)), "worker 1 for Reverse { step: 0 }"),
        ((2, store(0, 1)), "worker 2 for Store { step: 0, slot: 1, keep: State }"),
        ((0, store(0, 1)), "Store { step: 0, slot: 1, keep: State } while y_2"),
        ((0, restore(0, 7)), "restores step 0 from slot 7, which holds nothing"),
        ((9, restore(0, 0)), "worker 9 for Restore { step: 0, slot: 0 }"),
        ((0, store_tape(1, 1)), "Store { step: 1, slot: 1, keep: Tape }"),
        ((1, store_tape(1, 1)), "worker 1 for Store { step: 1, slot: 1, keep: Tape }"),
    ] {
        let error = follow([&begin[..], &[action]].concat());
        assert!(error.contains(text), "{error}");
    }
}

/// A schedule that panics while the workers draw from it.
struct Panics(TwoProcessor, usize);

impl Iterator for Panics {
    type Item = OnWorker;

    fn next(&mut self) -> Option<OnWorker> {
        self.1 = self.1.checked_sub(1).expect("no more actions");
        self.0.next()
    }
}

impl WorkerSchedule for Panics {
    fn num_slots(&self) -> usize {
        self.0.num_slots()
    }
    fn num_workers(&self) -> usize {
        self.0.num_workers()
    }
    fn bytes(&self) -> usize {
        self.0.bytes()
    }
}

#[test]
fn a_panic_in_the_schedule_goes_on_in_the_caller() {
    for after in [0, 1, 10, 50] {
        let panicked = in_time("a schedule that panics", move || {
            let mut schedule =
                Panics(TwoProcessor::new(STEPS, 5, WorkerCosts::USUAL).unwrap(), after);
            let (p, chain) = (Network::<f64>::weights(), Network::<f64>::of(STEPS));
            let run = || Reversal::new(&p).gradient_by_workers(&chain, &mut schedule);
            catch_unwind(AssertUnwindSafe(run)).is_err()
        });
        assert!(panicked, "{after}");
    }
}
