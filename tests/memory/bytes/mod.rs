//! Bytes that are held are counted: what a gradient has allocated at its peak, by an allocator that
//! counts, is no more than what it reports, and no more than its budget.

mod budgets;
mod model;

use costate::method::tableau::{BS3, DOP853, KVAERNO3, KVAERNO5, TSIT5, Tableau};
use costate::method::{AdjointKind, Method};
use costate::problem::{Problem, ScheduleKind};
use model::Sized;

use crate::counting::{alone, peak_of};

/// What does not grow with states, parameters, steps, slots or the budget: a method's coefficients
/// (6 kB for dop853), the actions that are looked ahead or wait for a worker (25 kB), a block of small
/// states and one of times (10 kB), names and paths.
const CONSTANT: usize = 64 << 10;

/// What faer keeps for each thread that has factorised a sparse matrix, as large as a core's second
/// cache; the first thread has it before anything is measured.
const WORKSPACE: usize = 4 << 20;

type Run<'a> = Problem<'a>;

/// What did not hold.
#[derive(Default)]
struct Report {
    runs: usize,
    failures: Vec<String>,
}

impl Report {
    /// Runs the gradient and gives the bytes that it reports.
    fn holds(&mut self, name: &str, run: &Run<'_>, budget: Option<u64>) -> u64 {
        self.runs += 1;
        let (result, peak) = peak_of(|| run.gradient());
        let stats = match result {
            Ok(gradient) => gradient.stats,
            Err(error) => {
                self.fails(format!("{name}: {error}"));
                return 0;
            }
        };
        let on_threads =
            if name.contains("sparse") && name.contains("two threads") { WORKSPACE } else { 0 };
        let allocated = peak.saturating_sub(CONSTANT + on_threads);
        let told = stats.peak_bytes as usize;
        // A budget is also for what is tried out before the run.
        let most = budget.map_or(told, |budget| budget as usize);
        let within = told <= most && allocated <= most;
        // What is counted is there: memory that is paid for is used.
        let used = told < 1 << 20 || 2 * peak >= told;
        let line = format!(
            "{name}: {peak} allocated, {told} told, budget {budget:?}, {} steps, {} kept",
            stats.steps, stats.snapshots_peak
        );
        match within && used {
            true => println!("ok {line}"),
            false => self.fails(line),
        }
        stats.peak_bytes
    }

    fn fails(&mut self, line: String) {
        println!("FAILS {line}");
        self.failures.push(line);
    }

    fn finish(self) {
        println!("{} runs", self.runs);
        assert!(self.failures.is_empty(), "{}", self.failures.join("\n"));
    }
}

fn problem<'a>(model: &'a Sized, y0: &'a Vec<f64>, p: &'a [f64]) -> Run<'a> {
    Problem::new(model, (0.0, 1.0), p).initial(y0).objective(model).method(Method::Auto)
}

/// Models each of which has one thing large, and what takes its steps.
fn models() -> Vec<(Sized, &'static [&'static Tableau])> {
    const EXPLICIT: &[&Tableau] = &[&BS3, &DOP853];
    const IMPLICIT: &[&Tableau] = &[&KVAERNO3, &KVAERNO5];
    let running = |model: Sized| Sized { running: true, ..model };
    vec![
        (running(Sized::new("small", 2, 2)), &[&TSIT5, &DOP853, &KVAERNO5]),
        (Sized::new("wide", 5000, 1), EXPLICIT),
        (running(Sized::new("many parameters", 3, 50_000)), EXPLICIT),
        (Sized { work: 20_000, ..Sized::new("large work", 10, 10) }, &[&TSIT5, &KVAERNO3]),
        (
            running(Sized { scratch: 100_000, ..Sized::new("large scratch", 10, 10) }),
            &[&TSIT5, &KVAERNO3],
        ),
        (Sized::new("dense", 80, 3), IMPLICIT),
        (running(Sized::new("banded", 3000, 3000)).banded(), IMPLICIT),
        (Sized::sparse("sparse", 25, 5), IMPLICIT),
    ]
}

const ADJOINTS: [AdjointKind; 3] =
    [AdjointKind::Discrete, AdjointKind::Continuous, AdjointKind::Backsolve];

/// Runs by each method with each adjoint, on steps of one length and under error control.
fn everywhere(adjoints: &[AdjointKind], mut see: impl FnMut(&str, &Run<'_>)) {
    for (model, methods) in models() {
        let (y0, p) = (model.y0(), model.p());
        for method in methods {
            for &adjoint in adjoints {
                let named = Method::Named(method);
                let run = problem(&model, &y0, &p).method(named).adjoint(adjoint);
                // What a model makes once and keeps is its own.
                run.clone().fixed_steps(2).gradient().unwrap();
                let name = format!("{} {} {}", model.name, method.name, adjoint.name());
                see(&format!("{name} fixed"), &run.clone().fixed_steps(30));
                see(&format!("{name} controlled"), &run.rtol(1e-5).atol(1e-7));
            }
        }
    }
}

fn what_is_allocated_is_told() {
    let mut report = Report::default();
    everywhere(&ADJOINTS, |name, run| {
        report.holds(name, run, None);
        report.holds(&format!("{name}, few"), &run.clone().snapshots(3), None);
        if name.contains("discrete") {
            let two = run.clone().snapshots(4).threads(2);
            report.holds(&format!("{name}, two threads"), &two, None);
            let bisected = run.clone().snapshots(4).schedule(ScheduleKind::Bisection);
            report.holds(&format!("{name}, bisection"), &bisected, None);
        }
    });
    report.finish();
}

/// Lists and tables of slots and of times, beside states that are smaller than they.
fn what_many_small_states_take_is_told() {
    let mut report = Report::default();
    let model = Sized { times: vec![1.0], ..Sized::new("small", 1, 1) };
    let (y0, p) = (model.y0(), model.p());
    let all = problem(&model, &y0, &p).method(Method::Named(&BS3));
    for run in [all.clone().fixed_steps(100_000), all.rtol(1e-14).atol(1e-14)] {
        report.holds("all", &run, None);
        for slots in [10, 1000, 20_000] {
            report.holds(&format!("{slots} slots"), &run.clone().snapshots(slots), None);
            for kind in [ScheduleKind::Uniform, ScheduleKind::Bisection, ScheduleKind::Revolve] {
                let run = run.clone().snapshots(slots).schedule(kind);
                report.holds(&format!("{} {slots} slots", kind.name()), &run, None);
            }
            let run = run.clone().snapshots(slots).adjoint(AdjointKind::Backsolve);
            report.holds(&format!("backsolve {slots} slots"), &run, None);
        }
    }
    report.finish();
}

/// One test, so that nothing else of the process takes or gives back memory.
#[test]
fn bytes_that_are_held_are_told() {
    let _alone = alone();
    what_is_allocated_is_told();
    what_many_small_states_take_is_told();
    budgets::a_budget_is_kept_and_the_least_one_known();
    budgets::a_budget_beside_a_disk_is_kept();
    budgets::a_budget_for_many_small_states_is_kept();
}
