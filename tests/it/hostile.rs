//! No public constructor or function panics on a value that a caller can build: each of these gives
//! a typed error, or a result.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use costate::adjoint::backsolve::Backsolve;
use costate::adjoint::gradient;
use costate::method::Method;
use costate::method::control::{Control, ControlState, Stops};
use costate::method::solve::{Solver, Stepping};
use costate::method::stepper::{Esdirk, ExplicitRk, Newton, Tolerances};
use costate::method::tableau::{Dense, ESDIRK, EULER, EXPLICIT, KVAERNO5, TSIT5, Tableau};
use costate::model::Model;
use costate::numbers::linalg::{Lu, Matrix, Pattern, Structure};
use costate::numbers::units;
use costate::ode::grid::{AT_END, Span, TimeGrid};
use costate::ode::objective::LeastSquares;
use costate::ode::{At, Bars, Ode, Vjp, jacobian_at};
use costate::plan::budget::{Assumed, Disk, Plan, Resources};
use costate::plan::curve::{budget_sizes, snapshot_counts};
use costate::plot::{
    Bar, Panel, Quantity, Series, TimeAxis, bars_svg, lines_svg, schedule_svg, trajectory_svg,
};
use costate::problem::ensemble;
use costate::problem::{Problem, ScheduleKind};
use costate::recurrence::Discretization;
use costate::schedule::{
    Action, Bisection, Costs, Counts, Heterogeneous, Keep, KeptState, Mixed, MixedOnline,
    Multistage, Online, Periodic, Prediction, Resumed, Revolve, Sizes, SlotCosts, StepCost,
    StoreAll, TierCosts, Transfer, TwoProcessor, TwoProcessorOnline, Uniform, WorkerCosts,
    makespan, optimum,
};
use costate::snapshot::{Bandwidth, MemoryStore, SnapshotStore};
use costate::verify;

thread_local! {
    static IS_CAUGHT: Cell<bool> = const { Cell::new(false) };
}

/// Panics that are caught here print nothing; those of other tests, in other threads, do.
fn silence_what_is_caught() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let print = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !IS_CAUGHT.get() {
                print(panic);
            }
        }));
    });
}

/// Runs a case; collects the panics' names.
struct Cases(Vec<String>);

impl Cases {
    fn new() -> Self {
        silence_what_is_caught();
        Cases(Vec::new())
    }

    fn run<T>(&mut self, what: impl Into<String>, case: impl FnOnce() -> T) {
        IS_CAUGHT.set(true);
        let result = catch_unwind(AssertUnwindSafe(|| drop(case())));
        IS_CAUGHT.set(false);
        if let Err(panic) = result {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).into()));
            self.0.push(format!("{}: {}", what.into(), text.unwrap_or_default()));
        }
    }

    /// As [`run`](Self::run), for what must be refused.
    fn refuse<T, E>(&mut self, what: &str, case: impl FnOnce() -> Result<T, E>) {
        let mut refused = true;
        self.run(what, || refused = case().is_err());
        if !refused {
            self.0.push(format!("{what}: accepted"));
        }
    }
}

impl Drop for Cases {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert!(self.0.is_empty(), "{}", self.0.join("\n"));
        }
    }
}

const WHOLE: [usize; 5] = [0, 1, 2, usize::MAX / 2, usize::MAX];
const REAL: [f64; 8] =
    [0.0, -1.0, 1e-300, f64::MAX, -f64::MAX, f64::INFINITY, f64::NEG_INFINITY, f64::NAN];

fn leak<T: ?Sized>(value: Box<T>) -> &'static T {
    Box::leak(value)
}

/// `tableau` with each of its lists shortened, lengthened or spoilt, and its claims exaggerated.
fn spoilt(tableau: &Tableau) -> Vec<(String, Tableau)> {
    let mut all = Vec::new();
    let mut add = |what: &str, change: &dyn Fn(&mut Tableau)| {
        let mut spoilt = *tableau;
        change(&mut spoilt);
        all.push((format!("{} with {what}", tableau.name), spoilt));
    };
    let longer = |list: &[f64]| leak([list, &[0.5]].concat().into_boxed_slice());
    let nudged = |list: &[f64], by: f64| {
        let mut list = list.to_vec();
        list[0] += by;
        leak(list.into_boxed_slice())
    };
    add("no b", &|t| t.b = &[]);
    add("no c", &|t| t.c = &[]);
    add("no a", &|t| t.a = &[]);
    add("nothing", &|t| (t.a, t.b, t.c) = (&[], &[], &[]));
    add("a short b", &|t| t.b = &t.b[1..]);
    add("a long b", &|t| t.b = longer(t.b));
    add("a long c", &|t| t.c = longer(t.c));
    add("another b", &|t| t.b = nudged(t.b, 1e-6));
    add("another c", &|t| t.c = nudged(t.c, 1e-6));
    for x in [f64::NAN, f64::INFINITY] {
        add("a b that is not finite", &|t| t.b = nudged(t.b, x));
        add("a c that is not finite", &|t| t.c = nudged(t.c, x));
    }
    add("order 0", &|t| t.order = 0);
    add("order 99", &|t| t.order = 99);
    add("a full first row", &|t| {
        let mut rows = t.a.to_vec();
        rows[0] = longer(rows[0]);
        t.a = leak(rows.into_boxed_slice());
    });
    add("a short last row", &|t| {
        let mut rows = t.a.to_vec();
        let last = rows.len() - 1;
        rows[last] = &rows[last][..rows[last].len().saturating_sub(1)];
        t.a = leak(rows.into_boxed_slice());
        if last == 0 {
            t.order = 0;
        }
    });
    add("a long last row", &|t| {
        let mut rows = t.a.to_vec();
        let last = rows.len() - 1;
        rows[last] = longer(rows[last]);
        t.a = leak(rows.into_boxed_slice());
    });
    match tableau.embedded_order {
        0 => add("an embedded order without weights", &|t| t.embedded_order = 1),
        _ => {
            add("error weights that are not there", &|t| t.error = &[]);
            add("a short error", &|t| t.error = &t.error[1..]);
            add("another error", &|t| t.error = nudged(t.error, 1e-3));
            add("embedded order 0", &|t| t.embedded_order = 0);
        }
    }
    if let Dense::Polynomials { order, extra_c, extra_a, polynomials } = tableau.dense {
        let dense = |polynomials| Dense::Polynomials { order, extra_c, extra_a, polynomials };
        add("no polynomials", &|t| t.dense = dense(&[]));
        add("a polynomial less", &|t| t.dense = dense(&polynomials[1..]));
        add("one constant polynomial", &|t| {
            t.dense = dense(leak(vec![&[0.0][..]; polynomials.len()].into_boxed_slice()));
        });
        add("a dense output of order 99", &|t| {
            t.dense = Dense::Polynomials { order: 99, extra_c, extra_a, polynomials };
        });
        add("an extra stage without a row", &|t| {
            t.dense = Dense::Polynomials { order, extra_c: &[0.5], extra_a: &[], polynomials };
        });
    }
    all
}

#[test]
fn tableaus() {
    let mut cases = Cases::new();
    for tableau in EXPLICIT {
        cases.run(tableau.name, || ExplicitRk::<f64>::new(tableau).unwrap());
        cases.run(tableau.name, || ExplicitRk::<f32>::new(tableau).unwrap());
    }
    for tableau in ESDIRK {
        cases.run(tableau.name, || Esdirk::new(tableau, Newton::Stagnation).unwrap());
    }
    for tableau in EXPLICIT.iter().chain(ESDIRK) {
        for (what, spoilt) in spoilt(tableau) {
            cases.run(what.clone(), || {
                let shape = (spoilt.stages(), spoilt.extra_stages(), spoilt.dense_stages());
                let says = (spoilt.is_explicit(), spoilt.gamma(), spoilt.dense_order());
                (shape, says, spoilt.first_same_as_last(), spoilt.stiffly_accurate())
            });
            cases.refuse(&what, || ExplicitRk::<f64>::new(&spoilt));
            cases.refuse(&what, || ExplicitRk::<f32>::new(&spoilt));
            cases.refuse(&what, || Esdirk::new(&spoilt, Newton::Stagnation));
        }
    }
    for tableau in EXPLICIT {
        cases.refuse(tableau.name, || Esdirk::new(tableau, Newton::Stagnation));
    }
    for tableau in ESDIRK {
        cases.refuse(tableau.name, || ExplicitRk::<f64>::new(tableau));
    }
}

/// Implicit methods of other families: right coefficients that an ESDIRK step would misread.
#[test]
fn other_families_of_implicit_methods() {
    let mut cases = Cases::new();
    let g = 1.0 - std::f64::consts::FRAC_1_SQRT_2;
    let rows = |rows: Vec<Vec<f64>>| -> &'static [&'static [f64]] {
        let rows = rows.into_iter().map(|row| leak(row.into_boxed_slice()));
        leak(rows.collect::<Vec<_>>().into_boxed_slice())
    };
    let list = |list: Vec<f64>| -> &'static [f64] { leak(list.into_boxed_slice()) };
    let method = |name, order, c: Vec<f64>, a: Vec<Vec<f64>>, b: Vec<f64>| Tableau {
        name,
        order,
        embedded_order: 0,
        c: list(c),
        a: rows(a),
        b: list(b),
        error: &[],
        error_lower: &[],
        dense: Dense::Hermite,
    };
    let midpoint = method("implicit midpoint", 2, vec![0.5], vec![vec![0.5]], vec![1.0]);
    let sdirk =
        method("sdirk2", 2, vec![g, 1.0], vec![vec![g], vec![1.0 - g, g]], vec![1.0 - g, g]);
    let not_stiffly = method(
        "not stiffly accurate",
        1,
        vec![0.0, 0.5],
        vec![vec![0.0], vec![0.0, 0.5]],
        vec![0.5, 0.5],
    );
    let gammas = method(
        "two gammas",
        1,
        vec![0.0, 0.5, 1.0],
        vec![vec![0.0], vec![0.25, 0.25], vec![0.25, 0.25, 0.5]],
        vec![0.25, 0.25, 0.5],
    );
    let trapezoid =
        method("trapezoid", 2, vec![0.0, 1.0], vec![vec![0.0], vec![0.5, 0.5]], vec![0.5, 0.5]);
    for (tableau, stage) in [
        (midpoint, "implicit first stage"),
        (sdirk, "implicit first stage"),
        (not_stiffly, "stiffly accurate"),
        (gammas, "on the diagonal of stage 2"),
    ] {
        let error = Esdirk::new(&tableau, Newton::Stagnation).unwrap_err().to_string();
        assert!(error.contains(tableau.name) && error.contains(stage), "{error}");
        let (model, p) = (decay(), [1.0]);
        let problem = Problem::new(&model, (0.0, 1.0), &p);
        let named = problem.method(Method::Named(leak(Box::new(tableau))));
        cases.refuse(tableau.name, || named.clone().fixed_steps(4).gradient());
    }
    // One that fits is taken, and converges as it should: e^{-1} at order 2.
    let (model, p) = (decay(), [1.0]);
    let by = Method::Named(leak(Box::new(trapezoid)));
    let problem = Problem::new(&model, (0.0, 1.0), &p).method(by);
    let errors = [20, 40].map(|steps| {
        (problem.clone().fixed_steps(steps).value().unwrap().0 - (-1.0_f64).exp()).abs()
    });
    assert!((errors[0] / errors[1] - 4.0).abs() < 0.1, "{errors:?}");
}

fn decay() -> Model {
    Model::trace(1, 1, |_t, y, p| [-&p[0] * &y[0]])
        .initial(|_| [1.0.into()])
        .terminal(|y, _| y[0].clone())
        .build()
        .unwrap()
}

/// A model of any size whose f_y claims any structure.
struct Claims {
    dim: usize,
    structure: Structure,
}

impl Ode for Claims {
    type Work = ();
    fn dim(&self) -> usize {
        self.dim
    }
    fn num_params(&self) -> usize {
        0
    }
    fn work(&self) {}
    fn work_bytes(&self) -> usize {
        0
    }
    fn rhs(&self, At { y, .. }: At<'_>, dy: &mut [f64], _: &mut ()) {
        dy.iter_mut().zip(y).for_each(|(dy, y)| *dy = -y);
    }
}

impl Vjp for Claims {
    fn vjp(&self, _: At<'_>, w: &[f64], Bars { y: y_bar, .. }: Bars<'_>, _: &mut ()) {
        y_bar.iter_mut().zip(w).for_each(|(bar, w)| *bar -= w);
    }
    fn structure(&self) -> Structure {
        self.structure.clone()
    }
}

#[test]
fn matrices() {
    let mut cases = Cases::new();
    let pattern = || Structure::Sparse(Pattern::new(3, [(0, 2)]).unwrap());
    cases.refuse("a pattern's entry", || Pattern::new(3, [(3, 0)]));
    for dim in WHOLE {
        cases.run(format!("Pattern::new, {dim}"), || (dim < 9).then(|| Pattern::new(dim, [])));
        for width in WHOLE {
            let structure = Structure::Banded { lower: width, upper: width };
            cases.run(format!("a band, {dim}, {width}"), || {
                (Matrix::zeros(dim, structure.clone()), Lu::new(dim, structure.clone()))
            });
        }
        cases.run(format!("dense, {dim}"), || {
            (Matrix::zeros(dim, Structure::Dense), Lu::new(dim, Structure::Dense))
        });
        if dim != 3 {
            cases.refuse("a pattern of another size", || Matrix::zeros(dim, pattern()));
            cases.refuse("a pattern of another size", || Lu::new(dim, pattern()));
        }
    }
}

#[test]
fn models_by_hand() {
    let mut cases = Cases::new();
    let structures = [
        Structure::Dense,
        Structure::Sparse(Pattern::new(3, []).unwrap()),
        Structure::Banded { lower: usize::MAX, upper: 1 },
        Structure::Banded { lower: 9, upper: 9 },
    ];
    for (i, structure) in structures.into_iter().enumerate() {
        for dim in [0, 2] {
            let (claims, y0) = (Claims { dim, structure: structure.clone() }, vec![1.0; dim]);
            for method in ["auto", "rk4", "tsit5", "kvaerno3", "kvaerno5"] {
                let problem = Problem::new(&claims, (0.0, 1.0), &[])
                    .initial(&y0)
                    .method(Method::by_name(method).unwrap());
                let what = format!("{method}, {dim} states, structure {i}");
                let bad = dim == 0 || (i > 0 && method.starts_with('k'));
                match bad {
                    true => {
                        cases.refuse(&what, || problem.gradient());
                        cases.refuse(&what, || problem.clone().fixed_steps(3).gradient());
                        cases.refuse(&what, || problem.solve(&[0.5]));
                    }
                    false => cases.run(what, || problem.gradient().map(|_| ())),
                }
            }
            if i > 0 {
                cases.refuse("jacobian_at", || jacobian_at(&claims, At { t: 0.0, y: &y0, p: &[] }));
                cases.refuse("verify::jacobian", || verify::jacobian(&claims, 0.0, &y0, &[]));
                let esdirk = Esdirk::new(&KVAERNO5, Newton::Stagnation).unwrap();
                let grid = TimeGrid::Uniform { start: 0.0, end: 1.0, steps: 3 };
                cases.refuse("a chain", || {
                    Discretization::new(&claims, &y0, &(), esdirk, grid).map(|_| ())
                });
            }
        }
    }
    // Newton's tolerances are a list of their own.
    for atol in [vec![], vec![1e-6; 3], vec![f64::NAN], vec![-1.0]] {
        let newton = Newton::Tolerances(Tolerances { rtol: 1e-6, atol });
        let esdirk = Esdirk::new(&KVAERNO5, newton).unwrap();
        let (model, span) = (decay(), Span { start: 0.0, end: 1.0 });
        let (ode, stepper, stepping) = (&model, &esdirk, &Stepping::Fixed(3));
        let solver = Solver { ode, stepper, span, stepping, observe: &|_| {} };
        cases.refuse("Newton's tolerances", || solver.solve(&[1.0], &[1.0], &[]));
    }
}

#[test]
fn grids_and_times() {
    let mut cases = Cases::new();
    let (model, y0) = (decay(), vec![1.0]);
    let euler = || ExplicitRk::new(&EULER).unwrap();
    let mut grids = vec![TimeGrid::Times(vec![]), TimeGrid::Times(vec![0.0])];
    for a in REAL {
        for b in REAL {
            grids.push(TimeGrid::Times(vec![0.0, a, b]));
            for steps in [0, 1, 3, usize::MAX] {
                grids.push(TimeGrid::Uniform { start: a, end: b, steps });
            }
            let span = Span { start: a, end: b };
            cases.run("Stops", || (Stops::at_each(&[b, a, f64::NAN], span), ControlState::new(a)));
            let problem =
                Problem::new(&model, (a, b), &[1.0]).initial(&y0).objective(&model).max_steps(50);
            cases.run(format!("a span, {a}, {b}"), || problem.gradient().map(|_| ()));
            cases.run("rtol, atol", || {
                let problem = Problem::new(&model, (0.0, 1.0), &[1.0])
                    .initial(&y0)
                    .objective(&model)
                    .max_steps(50);
                problem.rtol(a).atol(b).gradient().map(|_| ())
            });
        }
        cases.run("AT_END", || {
            Problem::new(&model, (0.0, 1.0), &[1.0])
                .initial(&y0)
                .objective(&model)
                .solve(&[a, AT_END])
                .map(|_| ())
        });
    }
    for grid in grids {
        let what = format!("{grid:?}");
        cases.run(what.clone(), || (grid.end(), grid.num_steps(), grid.bytes()));
        cases.run(what.clone(), || {
            let chain = Discretization::new(&model, &y0, &model, euler(), grid.clone())?;
            match grid.num_steps() {
                steps if steps < 100 => {
                    gradient(&chain, &[1.0], StoreAll::new(steps), &mut MemoryStore::new())
                }
                _ => Err(costate::error::Error::BadSpan { start: 0.0, end: 0.0 }),
            }
        });
        if grid.num_steps() < 100 {
            cases.run(what, || {
                verify::dot_product(&model, &euler(), &grid, &y0, &[1.0], 1).map(|_| ())
            });
        }
    }
}

#[test]
fn settings_of_a_problem() {
    let mut cases = Cases::new();
    let (model, y0) = (decay(), vec![1.0]);
    let problem = Problem::new(&model, (0.0, 1.0), &[1.0]).initial(&y0).objective(&model);
    for (name, kind) in ScheduleKind::ALL {
        for slots in WHOLE {
            let problem = problem.clone().schedule(kind).snapshots(slots);
            cases.run(format!("{name}, {slots}"), || problem.gradient().map(|_| ()));
            cases.run(format!("{name}, {slots}"), || {
                problem.clone().fixed_steps(7).gradient().map(|_| ())
            });
        }
    }
    for bytes in [0, 1, 1000, u64::MAX] {
        for threads in [0, 1, 2, usize::MAX] {
            let problem = problem.clone().budget(bytes).threads(threads);
            cases.run(format!("{bytes} bytes, {threads} threads"), || {
                (problem.gradient().map(|_| ()), problem.plan().map(|_| ()))
            });
            let fixed = problem.fixed_steps(9);
            cases.run(format!("fixed, {bytes} bytes, {threads} threads"), || {
                (fixed.gradient().map(|_| ()), fixed.plan().map(|_| ()))
            });
        }
    }
    for steps in [0, usize::MAX] {
        cases.refuse("steps", || problem.clone().fixed_steps(steps).gradient());
    }
    cases.run("max_steps", || problem.clone().max_steps(usize::MAX).gradient().map(|_| ()));
    for length in [0, 2] {
        let (p, atol) = (vec![1.0; length], vec![1e-6; 2 * length]);
        let problem = Problem::new(&model, (0.0, 1.0), &p).initial(&y0).objective(&model);
        cases.refuse("parameters", || problem.gradient());
        let problem = Problem::new(&model, (0.0, 1.0), &[1.0]).initial(&y0).objective(&model);
        cases.refuse("tolerances", || problem.atol_each(atol).gradient());
        let start = vec![1.0; length];
        let problem = Problem::new(&model, (0.0, 1.0), &[1.0]).initial(&start).objective(&model);
        cases.refuse("states", || problem.gradient());
    }
    for snapshots in WHOLE {
        cases.run(format!("Backsolve, {snapshots}"), || {
            let tolerances = Tolerances { rtol: 1e-6, atol: vec![1e-6] };
            Backsolve::new(ExplicitRk::new(&TSIT5)?, tolerances, snapshots).map(|_| ())
        });
        let problem = problem.clone().adjoint(costate::method::AdjointKind::Backsolve);
        cases.run(format!("backsolve, {snapshots}"), || {
            problem.snapshots(snapshots).gradient().map(|_| ())
        });
    }
    for x in REAL {
        cases.run("Control::new", || {
            Control::new(Tolerances { rtol: x, atol: vec![x; 2] }).map(|_| ())
        });
    }
}

#[test]
fn schedules() {
    let mut cases = Cases::new();
    let tiers = TierCosts {
        step: u64::MAX,
        reverse: u64::MAX,
        fast: SlotCosts { write: u64::MAX, read: 0 },
        slow: SlotCosts { write: 0, read: u64::MAX },
    };
    let transfers = [Transfer::Waited, Transfer::Overlapped { writes: 0 }];
    for steps in WHOLE {
        for slots in WHOLE {
            // Lengths that a chain can have.
            let steps = steps.min(1 << 40);
            let what = format!("{steps} steps, {slots} slots");
            // Made, and its first actions looked at.
            cases.run(format!("revolve, {what}"), || Revolve::new(steps, slots).map(look));
            cases.run(format!("uniform, {what}"), || Uniform::new(steps, slots).map(look));
            cases.run(format!("bisection, {what}"), || Bisection::new(steps, slots).map(look));
            cases.run(format!("pair, {what}"), || {
                (steps < 9).then(|| {
                    TwoProcessor::new(steps, slots, WorkerCosts::USUAL).map(|p| p.take(9).count())
                })
            });
            cases.run(format!("online, {what}"), || Online::new(slots).map(look));
            cases.run(format!("pair online, {what}"), || {
                TwoProcessorOnline::with_tapes(slots, steps.min(9), WorkerCosts::USUAL).map(|_| ())
            });
            for transfer in transfers {
                cases.run(format!("periodic, {what}"), || {
                    Periodic::new(steps, slots, slots, &tiers, transfer).map(look)
                });
            }
            cases.run(format!("multistage, {what}"), || {
                Multistage::new(steps, slots, slots, &tiers).map(look)
            });
            cases.run(format!("optimum, {what}"), || {
                let (steps, slots) = (steps as u64, slots as u64);
                (optimum::t(steps, slots), optimum::repetition(steps, slots))
            });
            cases.run(format!("binomial, {what}"), || {
                (slots < 1000).then(|| optimum::binomial(steps as u64, slots as u64))
            });
            let kept =
                [KeptState { step: slots, slot: slots }, KeptState { step: 0, slot: usize::MAX }];
            cases.run(format!("resumed, {what}"), || {
                let slots = slots.min(9);
                (
                    Resumed::forward(9, slots.min(8), &kept, slots).map(look),
                    Resumed::reverse(steps.min(9), &kept, slots).map(look),
                    Online::resume(slots, steps.min(999), &kept).map(look),
                )
            });
        }
        cases.run(format!("store all, {steps}"), || look(StoreAll::new(steps)));
    }
}

fn look(schedule: impl Iterator<Item = Action>) -> usize {
    schedule.take(9).count()
}

#[test]
fn budgets() {
    let mut cases = Cases::new();
    let bytes = [0, 1, 100, u64::MAX];
    for x in REAL {
        for state in bytes {
            for tape in [None, Some(0), Some(u64::MAX)] {
                let costs = Costs { step: x, adjoint: 1.0, store: x, restore: x, keep_tape: x };
                let sizes = Sizes { state, tape };
                let places = [StepCost { costs, sizes }; 3];
                for budget in bytes {
                    let what = format!("{x:e}, {state}, {tape:?}, {budget}");
                    cases.run(format!("mixed, {what}"), || {
                        for steps in [0, 1, 7] {
                            let mixed = Mixed::new(steps, budget, sizes, costs)?;
                            Prediction::uniform(mixed, budget, sizes, costs)?;
                            optimum::mixed(steps, budget, sizes, costs)?;
                            optimum::mixed_bound(steps, budget, sizes, costs);
                        }
                        MixedOnline::new(budget, sizes, costs).map(|_| ())
                    });
                    cases.run(format!("heterogeneous, {what}"), || {
                        Heterogeneous::new(&places, budget)?;
                        Heterogeneous::new(&[], budget).map(|_| ())
                    });
                }
                let assumed = Assumed {
                    state_bytes: state,
                    tape_bytes: tape,
                    step_seconds: Some(x),
                    adjoint_seconds: Some(1.0),
                };
                cases.run(format!("plan, {x:e}, {state}, {tape:?}"), || {
                    let measured = assumed.measured()?;
                    for memory in bytes {
                        for threads in [0, 1, 2, usize::MAX] {
                            let bandwidth = Bandwidth { write: x, read: x, latency: x };
                            for disk in [None, Some(Disk { bytes: memory, bandwidth })] {
                                let resources = Resources { memory, disk, threads };
                                let _ = Plan::new(50, &measured, &resources);
                            }
                        }
                    }
                    Ok::<_, costate::error::Error>(())
                });
            }
        }
    }
    for (a, b) in [(0, 0), (0, u64::MAX), (u64::MAX, 0), (u64::MAX, u64::MAX)] {
        cases.run("budget_sizes", || budget_sizes(a, b));
    }
    for a in WHOLE {
        cases.run("snapshot_counts", || WHOLE.map(|b| snapshot_counts(a, b)));
    }
}

/// Actions of no schedule.
#[test]
fn actions() {
    let mut cases = Cases::new();
    let state = Keep::State;
    for from in WHOLE {
        for to in WHOLE {
            let lists = [
                vec![Action::Advance { from, to }],
                vec![Action::Store { step: from, slot: to, keep: state }],
                vec![Action::Restore { step: from, slot: to }],
                vec![Action::Reverse { step: from }, Action::Free { slot: to }],
            ];
            for list in lists {
                let what = format!("{list:?}");
                let schedule = || List(list.clone().into_iter(), to.min(3));
                cases.run(format!("counts, {what}"), || Counts::of(schedule()).map(|_| ()));
                cases.run(format!("makespan, {what}"), || {
                    makespan(schedule(), 1, &TierCosts::default(), Transfer::Waited)
                });
                cases.run(format!("picture, {what}"), || {
                    schedule_svg(list.clone(), "t", "b").map(|_| ())
                });
                let (model, y0) = (decay(), vec![1.0]);
                let grid = TimeGrid::Uniform { start: 0.0, end: 1.0, steps: 3 };
                let euler = ExplicitRk::new(&EULER).unwrap();
                let chain = Discretization::new(&model, &y0, &model, euler, grid).unwrap();
                cases.run(format!("driver, {what}"), || {
                    gradient(&chain, &[1.0], schedule(), &mut MemoryStore::new()).map(|_| ())
                });
            }
        }
        cases.run(format!("a slot, {from}"), || {
            let mut store = MemoryStore::new();
            store.store(from, usize::MAX, &[1.0])?;
            store.store(from, 0, &[1.0, 2.0])?;
            store.restore(from, 0, &mut [0.0])
        });
    }
}

struct List(std::vec::IntoIter<Action>, usize);

impl Iterator for List {
    type Item = Action;
    fn next(&mut self) -> Option<Action> {
        self.0.next()
    }
}

impl costate::schedule::Schedule for List {
    fn bytes(&self) -> usize {
        0
    }

    fn num_slots(&self) -> usize {
        self.1
    }
}

#[test]
fn objectives_and_sums() {
    let mut cases = Cases::new();
    for times in [vec![], vec![f64::NAN], vec![0.5, 0.1], vec![AT_END, 0.5], vec![0.5; 3]] {
        for data in [vec![], vec![1.0], vec![f64::NAN; 3], vec![1.0; 6]] {
            for weights in [vec![], vec![1.0], vec![f64::INFINITY; 3]] {
                cases.run(format!("{times:?} {data:?} {weights:?}"), || {
                    let fit = LeastSquares::new(times.clone(), data.clone(), &weights)?;
                    let model = decay();
                    let problem = Problem::new(&model, (0.0, 1.0), &[1.0]).objective(&fit);
                    problem.gradient().map(|_| ())
                });
                let components = vec![usize::MAX, 0];
                cases.run("components", || {
                    let fit = LeastSquares::of_components(
                        components,
                        times.clone(),
                        data.clone(),
                        &weights,
                    )?;
                    let model = decay();
                    Problem::new(&model, (0.0, 1.0), &[1.0]).objective(&fit).gradient().map(|_| ())
                });
            }
        }
    }
    let (one, two) = (decay(), Model::trace(1, 2, |_t, y, p| [-&p[0] * &y[0] * &p[1]]));
    let two = two.initial(|_| [1.0.into()]).terminal(|y, _| y[0].clone()).build().unwrap();
    let members = vec![
        Problem::new(&one, (0.0, 1.0), &[1.0]).gradient().unwrap(),
        Problem::new(&two, (0.0, 1.0), &[1.0, 2.0]).gradient().unwrap(),
    ];
    cases.refuse("members that do not fit together", || ensemble::sum(&members));
    cases.run("no members", || ensemble::sum(&[]).map(|_| ()));
    cases.refuse("a gradient of another length", || {
        verify::taylor(|p| Ok(p[0]), &[1.0], &[1.0, 2.0], 1)
    });
}

#[test]
fn models_by_closure() {
    let mut cases = Cases::new();
    for rates in 0..4 {
        for (d, m) in [(0, 0), (0, 1), (2, 0), (2, 1)] {
            cases.run(format!("{d} states, {m} parameters, {rates} rates"), || {
                Model::trace(d, m, |t, _y, _p| vec![t.clone(); rates])
                    .initial(|_p| vec![1.0.into(); rates])
                    .observe(&[0.5, f64::NAN], &[1.0], 0.0, |t, _y, _p| t.clone())
                    .build()
                    .map(|_| ())
            });
            cases.run("names", || {
                Model::trace(d, m, |t, _y, _p| vec![t.clone(); d])
                    .initial(|_p| vec![1.0.into(); d])
                    .parameters([("a", 1.0), ("a", f64::NAN), ("b", 1.0)].into_iter().take(rates))
                    .build()
                    .map(|_| ())
            });
        }
    }
}

#[test]
fn pictures() {
    let mut cases = Cases::new();
    let names = ["", "<a & b>", "\u{1b}[31m", "é𝔸"];
    for a in REAL {
        cases.run(format!("seconds {a}"), || units::seconds(a));
        for b in REAL {
            for name in names {
                for points in [vec![], vec![(a, b)], vec![(a, b), (b, a)], vec![(0.0, a), (1.0, b)]]
                {
                    for dots in [false, true] {
                        let series = Series { name, points: points.clone(), dots };
                        let panel = Panel { x: name, y: name, series: vec![series] };
                        cases.run(format!("lines, {name:?}, {points:?}"), || {
                            lines_svg(&[panel], name, name).map(|_| ())
                        });
                    }
                }
            }
            for axis in [TimeAxis::Linear, TimeAxis::Logarithmic { start: a }] {
                let line = vec![(0.0, a), (a, b), (b, 1.0)];
                let measured = vec![(b, a)];
                let quantities = vec![Quantity { name: "<y>", line, measured }; 8];
                for count in [1, 8] {
                    cases.run(format!("trajectories, {axis:?}, {b}"), || {
                        trajectory_svg(&quantities[..count], axis, "t", "b").map(|_| ())
                    });
                }
            }
            let bar = || Bar { name: "x", values: vec![a, b] };
            cases.run(format!("bars, {a}, {b}"), || {
                bars_svg(&["k", "l"], &[bar()], "x", "t", "b").map(|_| ())
            });
            cases.run("too few kinds", || bars_svg(&["k"], &[bar()], "x", "t", "b").map(|_| ()));
        }
    }
    cases.run("no lines", || lines_svg(&[], "", "").map(|_| ()));
    cases.run("an empty panel", || {
        lines_svg(&[Panel { x: "", y: "", series: vec![] }], "", "").map(|_| ())
    });
    cases.run("no bars", || bars_svg(&[], &[], "", "", "").map(|_| ()));
    let long = "x".repeat(100_000);
    cases.run("a long name", || schedule_svg(StoreAll::new(4), &long, &long).map(|_| ()));
    for bytes in [0, 1, u64::MAX] {
        cases.run("bytes", || units::bytes(bytes));
    }
}
