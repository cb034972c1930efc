//! Every setting of a problem with everything that is asked of one: used, of no matter where no gradient
//! is taken, or refused with what to do.

use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use costate::adjoint::Stats;
use costate::error::Error;
use costate::method::{AdjointKind, Method};
use costate::model::Model;
use costate::ode::objective::LeastSquares;
use costate::plan::curve::{Budgets, CurveNews};
use costate::problem::{Problem, ScheduleKind};

/// What a setting does to what is asked.
enum Cell {
    /// What is found depends on it.
    Used,
    /// It is about reverse sweeps, and there is none.
    Moot,
    /// The error says this.
    Refused(&'static str),
}
use Cell::{Moot, Refused, Used};

const ASKED: [&str; 6] = ["gradient", "value", "solve", "plan", "curve", "budget_curve"];

const FIXED: &str = "must be left out where steps have one length";
const ELSEWHERE: &str = "must be given with the budgets of the curve";
const OVER_SNAPSHOTS: &str = "must be left out of a curve over snapshots: take one over budgets";
const NO_GRADIENT: &str = "must be left out where no gradient is taken";
/// Of backsolve, which no plan and no curve is made of.
const WORK: &str = "must be discrete or continuous";
const NOT_NOTED: &str = "must be left out where nothing is noted: without a directory";
const BYTES: &str = "must be left out where there is a budget of bytes";

/// A row for each setting, with a column for each of [`ASKED`].
fn table() -> Vec<(&'static str, [Cell; 6])> {
    vec![
        ("initial", [Used, Used, Used, Used, Used, Used]),
        ("objective", [Used, Used, Moot, Used, Used, Used]),
        ("shared_initial", [Used, Used, Used, Used, Used, Used]),
        ("shared_objective", [Used, Used, Moot, Used, Used, Used]),
        ("method", [Used, Used, Used, Used, Used, Used]),
        ("rtol", [Used, Used, Used, Used, Used, Used]),
        ("atol", [Used, Used, Used, Used, Used, Used]),
        ("atol_each", [Used, Used, Used, Used, Used, Used]),
        ("fixed_steps", [Used, Used, Used, Used, Used, Used]),
        ("max_steps", [0; 6].map(|_| Refused("3 steps did not reach the end"))),
        ("adjoint", [Used, Moot, Moot, Refused(WORK), Refused(WORK), Refused(WORK)]),
        ("snapshots", [Used, Moot, Moot, Refused(BYTES), Used, Refused(BYTES)]),
        ("budget", [Used, Moot, Moot, Used, Refused(OVER_SNAPSHOTS), Refused(ELSEWHERE)]),
        ("disk_budget", [Used, Moot, Moot, Used, Refused(OVER_SNAPSHOTS), Refused(ELSEWHERE)]),
        ("threads", [Used, Moot, Moot, Used, Refused(OVER_SNAPSHOTS), Refused(ELSEWHERE)]),
        ("schedule", [Used, Moot, Moot, Refused(BYTES), Used, Refused(BYTES)]),
        ("on_disk", [Used, Moot, Moot, Used, Used, Refused(ELSEWHERE)]),
        (
            "resume",
            [
                Used,
                Refused(NO_GRADIENT),
                Refused(NO_GRADIENT),
                Refused(NO_GRADIENT),
                Refused(NO_GRADIENT),
                Refused(NO_GRADIENT),
            ],
        ),
        // A note is for a directory; nothing else is done with it.
        ("tag", [Moot, Moot, Moot, Moot, Moot, Moot]),
        // Only what is noted in a directory can be stopped.
        ("stop_if", [0; 6].map(|_| Refused(NOT_NOTED))),
        ("on_step", [Used, Used, Used, Used, Used, Used]),
        ("on_progress", [Used, Used, Moot, Used, Used, Used]),
    ]
}

/// A wave on a ring, in a few steps that are long enough for two cores.
fn ring() -> Model {
    const CELLS: usize = 800;
    Model::trace(CELLS, 1, |_t, y, p| {
        (0..CELLS)
            .map(|i| {
                let (left, right) = (&y[(i + CELLS - 1) % CELLS], &y[(i + 1) % CELLS]);
                &p[0] * (left - 2.0 * &y[i] + right) - &y[i] * (right - left)
            })
            .collect::<Vec<_>>()
    })
    .initial(|_p| {
        (0..CELLS).map(|i| (1.0 + 0.5 * (0.1 * i as f64).sin()).into()).collect::<Vec<_>>()
    })
    .terminal(|y, _p| &y[3] * &y[3] + &y[40])
    .build()
    .unwrap()
}

fn directory(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("costate-settings-{}-{name}", std::process::id()))
}

/// What the setting needs beside it to have a meaning.
fn context<'a>(setting: &str, asked: &str, problem: Problem<'a>) -> Problem<'a> {
    let problem = if asked == "plan" { problem.budget(10_000_000) } else { problem };
    match setting {
        "disk_budget" => problem.on_disk(directory(asked)),
        _ => problem,
    }
}

fn set<'a>(setting: &str, asked: &str, problem: Problem<'a>, given: &'a Given) -> Problem<'a> {
    match setting {
        "initial" => problem.initial(&*given.start),
        "objective" => problem.objective(&*given.fit),
        "shared_initial" => problem.shared_initial(Arc::clone(&given.start)),
        "shared_objective" => problem.shared_objective(Arc::clone(&given.fit)),
        "method" => problem.method(Method::by_name("dopri5").unwrap()),
        "rtol" => problem.rtol(1e-3),
        "atol" => problem.atol(1e-1),
        "atol_each" => problem.atol_each(vec![1e-1; 800]),
        "fixed_steps" => problem.fixed_steps(31),
        "max_steps" => problem.max_steps(3),
        "adjoint" if asked == "gradient" => problem.adjoint(AdjointKind::Continuous),
        "adjoint" => problem.adjoint(AdjointKind::Backsolve),
        "snapshots" => problem.snapshots(4),
        "budget" => problem.budget(1_000_000),
        "disk_budget" => problem.disk_budget(30_000),
        "threads" => problem.threads(2),
        "schedule" if asked == "curve" => problem.schedule(ScheduleKind::Uniform),
        "schedule" => problem.schedule(ScheduleKind::Revolve),
        "on_disk" => problem.on_disk(directory(asked)),
        "resume" => problem.resume(directory(asked)),
        "tag" => problem.tag("another", "note"),
        "stop_if" => problem.stop_if(&|| true),
        "on_step" => problem.on_step(&*given.step),
        "on_progress" => problem.on_progress(&*given.progress),
        other => panic!("{other} is not set by this test"),
    }
}

type Observer<T> = Box<dyn Fn(T) + Sync>;

/// Observers that count, and other parts of a problem.
struct Given {
    step: Observer<costate::method::control::StepReport>,
    progress: Observer<costate::adjoint::Progress>,
    start: Arc<Vec<f64>>,
    fit: Arc<LeastSquares>,
}

static TOLD: AtomicU64 = AtomicU64::new(0);

impl Given {
    fn new() -> Self {
        let count = || {
            TOLD.fetch_add(1, Ordering::Relaxed);
        };
        // Observed inside steps, whose slopes are then kept.
        let fit = LeastSquares::of_components(vec![3], vec![0.013, 0.05], vec![1.0; 2], &[0.1]);
        Given {
            step: Box::new(move |_| count()),
            progress: Box::new(move |_| count()),
            start: Arc::new((0..800).map(|i| 3.0 + (0.5 * f64::from(i)).sin()).collect()),
            fit: Arc::new(fit.unwrap()),
        }
    }
}

/// What is found, but for what took how long.
fn found(asked: &str, problem: &Problem) -> String {
    TOLD.store(0, Ordering::Relaxed);
    let timeless = |stats: Stats| Stats { seconds_forward: 0.0, seconds_reverse: 0.0, ..stats };
    fn said(result: Result<impl Debug, Error>) -> String {
        result.map_or_else(|error| format!("error: {error}"), |found| format!("{found:?}"))
    }
    let point = |p: &costate::plan::curve::CurvePoint| {
        (p.snapshots, p.schedule, p.snapshot_bytes_peak, p.peak_bytes, p.disk_bytes_peak)
    };
    let curve_news = |_: CurveNews| {};
    let text = match asked {
        "gradient" => said(problem.solved().map(|mut solved| {
            solved.gradient.stats = timeless(solved.gradient.stats);
            let plan = solved.plan.map(|plan| (plan.budget_bytes, plan.threads));
            (solved.method, solved.gradient, plan)
        })),
        // The tape of a step is the adjoint's, too.
        "value" => said(
            problem
                .value()
                .map(|(value, stats)| (value, timeless(Stats { peak_bytes: 0, ..stats }))),
        ),
        "solve" => {
            said(problem.solve(&[0.01]).map(|found| (found.method, found.states, found.grid)))
        }
        "plan" => said(problem.plan().map(|(plan, method)| {
            let ways: Vec<_> = plan.candidates.iter().map(|c| (c.threads, c.on_disk)).collect();
            let disk = plan.resources.disk.map(|disk| disk.bytes);
            let sizes = (plan.measured.sizes, plan.measured.sweep_bytes);
            (method, plan.steps, ways, plan.resources.memory, disk, sizes)
        })),
        "curve" => said(problem.curve(&curve_news).map(|(curve, method)| {
            (method, curve.steps, curve.points.iter().map(point).collect::<Vec<_>>())
        })),
        "budget_curve" => {
            let budgets = Budgets { bytes: vec![1_130_000], ..Budgets::default() };
            said(problem.budget_curve(&budgets, &curve_news).map(|(curve, method)| {
                // No tape has room, whatever was measured.
                (method, curve.steps, curve.points.iter().map(point).collect::<Vec<_>>())
            }))
        }
        other => panic!("{other} is not asked by this test"),
    };
    let told = if TOLD.load(Ordering::Relaxed) > 0 { "told" } else { "" };
    format!("{text} {told}")
}

fn fresh<'a>(ring: &'a Model, p: &'a [f64]) -> Problem<'a> {
    Problem::new(ring, (0.0, 0.05), p).method(Method::by_name("tsit5").unwrap())
}

#[test]
fn every_setting_is_used_or_refused_by_everything_that_is_asked() {
    let (ring, p, given) = (ring(), [20.0], Given::new());
    for (setting, cells) in table() {
        for (asked, cell) in ASKED.into_iter().zip(cells) {
            let problem = context(setting, asked, fresh(&ring, &p));
            let plain = context("", asked, fresh(&ring, &p));
            let with = found(asked, &set(setting, asked, problem.clone(), &given));
            let what = format!("{setting} {asked}: {with:.300}");
            match cell {
                Used => {
                    assert!(with != found(asked, &problem), "{what}");
                    assert!(!with.contains("must be"), "{what}");
                }
                Moot => assert!(with == found(asked, &plain), "{what}"),
                Refused(text) => {
                    assert!(with.starts_with("error: ") && with.contains(text), "{what}")
                }
            }
            let _ = std::fs::remove_dir_all(directory(asked));
        }
    }
}

/// The table has a row for each method of `Problem` that sets something.
#[test]
fn the_table_is_whole() {
    let source = include_str!("../../src/problem/setters.rs");
    let setters = source.lines().filter_map(|line| {
        let (name, arguments) = line.strip_prefix("    pub fn ")?.split_once('(')?;
        let by_value = arguments.starts_with("mut self") || arguments.starts_with("self");
        by_value.then(|| name.split('<').next().unwrap_or(name).to_owned())
    });
    let mut setters: Vec<String> = setters.collect();
    let mut rows: Vec<String> = table().iter().map(|row| row.0.to_owned()).collect();
    setters.sort_unstable();
    rows.sort_unstable();
    assert_eq!(rows, setters);
}

#[test]
fn settings_that_do_not_go_together_are_refused() {
    let (ring, p) = (ring(), [20.0]);
    let fixed = || fresh(&ring, &p).fixed_steps(20);
    let back = || fresh(&ring, &p).adjoint(AdjointKind::Backsolve);
    let refused: Vec<(Problem, &str)> = vec![
        (fixed().rtol(1e-3), FIXED),
        (fixed().atol(1e-3), FIXED),
        (fixed().atol_each(vec![1e-3; 800]), FIXED),
        (fixed().max_steps(100), FIXED),
        (fixed().adjoint(AdjointKind::Continuous).rtol(1e-3), FIXED),
        (fixed().schedule(ScheduleKind::StoreAll).snapshots(3), "where every state is kept"),
        (fixed().schedule(ScheduleKind::Revolve).threads(2), "where several threads take steps"),
        (fixed().budget(1_000_000).snapshots(3), BYTES),
        (fixed().disk_budget(1_000_000), "must be left out without a directory"),
        (back().disk_budget(100_000).on_disk(directory("back")), "must be left out with backsolve"),
        (back().budget(1_000_000), "must be left out with backsolve"),
        (back().resume(directory("back")), "must be discrete or continuous"),
        (back().schedule(ScheduleKind::Revolve), "must be left to it"),
    ];
    for (problem, text) in refused {
        let error = problem.gradient().unwrap_err().to_string();
        assert!(error.contains(text), "{error}");
    }
    let plan = fixed().plan().unwrap_err().to_string();
    assert_eq!(plan, "the budget of a plan is not given: it must be a number of bytes");
    assert!(fixed().adjoint(AdjointKind::Backsolve).rtol(1e-3).gradient().is_ok());
}
