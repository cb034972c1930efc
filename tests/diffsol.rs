//! diffsol's problems through the adapter, against diffsol's own solver and derivatives.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};

use costate::adjoint::Gradient;
use costate::diffsol::{Adapter, to_problem};
use costate::method::Method;
use costate::method::stepper::{Esdirk, Newton, Tolerances};
use costate::method::tableau::KVAERNO5;
use costate::model::Model;
use costate::numbers::linalg::Matrix;
use costate::ode::grid::TimeGrid;
use costate::ode::objective::{Objective, Terminal};
use costate::ode::{At, Bars, Dots, Initial, Jvp, Ode, Rows, Vjp};
use costate::problem::{Problem, ScheduleKind};
use costate::verify::dot_product;
use diffsol::error::DiffsolError;
use diffsol::{
    DenseMatrix, NalgebraContext, NalgebraLU, NalgebraMat, NalgebraVec, OdeBuilder,
    OdeEquationsImplicitAdjoint, OdeEquationsImplicitSens, OdeSolverMethod, OdeSolverProblem,
    OdeSolverState, OdeSolverStopReason, SensitivitiesOdeSolverMethod, StepVjp, Vector,
};

type Rates = fn(&[f64], &[f64], f64, &mut [f64]);
type Product = fn(&[f64], &[f64], f64, &[f64], &mut [f64]);
type Start = fn(&[f64], f64, &mut [f64]);
type StartProduct = fn(&[f64], f64, &[f64], &mut [f64]);
type Lu = NalgebraLU<f64>;
type Built<E> = Result<OdeSolverProblem<E>, DiffsolError>;

/// A problem as diffsol's closures; J is a weighted sum of the states at the end.
struct Case {
    name: &'static str,
    p: &'static [f64],
    end: f64,
    atol: &'static [f64],
    weights: &'static [f64],
    rates: Rates,
    jacobian: Product,
    by_params: Product,
    minus_transposed: Product,
    minus_transposed_by_params: Product,
    start: Start,
    start_by_params: StartProduct,
    minus_start_transposed: StartProduct,
}

/// The fifth parameter is the prey at the start.
const LOTKA_VOLTERRA: Case = Case {
    name: "Lotka-Volterra",
    p: &[1.5, 1.0, 3.0, 1.0, 1.2],
    end: 10.0,
    atol: &[1e-12, 1e-12],
    weights: &[1.0, 2.0],
    rates: |y, p, _t, dy| {
        dy[0] = p[0] * y[0] - p[1] * y[0] * y[1];
        dy[1] = -p[2] * y[1] + p[3] * y[0] * y[1];
    },
    jacobian: |y, p, _t, v, out| {
        out[0] = (p[0] - p[1] * y[1]) * v[0] - p[1] * y[0] * v[1];
        out[1] = p[3] * y[1] * v[0] + (p[3] * y[0] - p[2]) * v[1];
    },
    by_params: |y, _p, _t, v, out| {
        out[0] = y[0] * v[0] - y[0] * y[1] * v[1];
        out[1] = -y[1] * v[2] + y[0] * y[1] * v[3];
    },
    minus_transposed: |y, p, _t, v, out| {
        out[0] = -(p[0] - p[1] * y[1]) * v[0] - p[3] * y[1] * v[1];
        out[1] = p[1] * y[0] * v[0] - (p[3] * y[0] - p[2]) * v[1];
    },
    minus_transposed_by_params: |y, _p, _t, v, out| {
        out.copy_from_slice(&[
            -y[0] * v[0],
            y[0] * y[1] * v[0],
            y[1] * v[1],
            -y[0] * y[1] * v[1],
            0.0,
        ]);
    },
    start: |p, _t, y| y.copy_from_slice(&[p[4], 1.0]),
    start_by_params: |_p, _t, v, out| out.copy_from_slice(&[v[4], 0.0]),
    minus_start_transposed: |_p, _t, v, out| out.copy_from_slice(&[0.0, 0.0, 0.0, 0.0, -v[0]]),
};

const ROBERTSON: Case = Case {
    name: "Robertson",
    p: &[0.04, 1e4, 3e7],
    end: 400.0,
    atol: &[1e-12, 1e-16, 1e-12],
    weights: &[1.0, 1e5, -0.5],
    rates: |y, p, _t, dy| {
        dy[0] = -p[0] * y[0] + p[1] * y[1] * y[2];
        dy[2] = p[2] * y[1] * y[1];
        dy[1] = -dy[0] - dy[2];
    },
    jacobian: |y, p, _t, v, out| {
        out[0] = -p[0] * v[0] + p[1] * (y[2] * v[1] + y[1] * v[2]);
        out[2] = 2.0 * p[2] * y[1] * v[1];
        out[1] = -out[0] - out[2];
    },
    by_params: |y, _p, _t, v, out| {
        out[0] = -y[0] * v[0] + y[1] * y[2] * v[1];
        out[2] = y[1] * y[1] * v[2];
        out[1] = -out[0] - out[2];
    },
    minus_transposed: |y, p, _t, v, out| {
        let (first, last) = (v[0] - v[1], v[2] - v[1]);
        out[0] = p[0] * first;
        out[1] = -p[1] * y[2] * first - 2.0 * p[2] * y[1] * last;
        out[2] = -p[1] * y[1] * first;
    },
    minus_transposed_by_params: |y, _p, _t, v, out| {
        let (first, last) = (v[0] - v[1], v[2] - v[1]);
        out.copy_from_slice(&[y[0] * first, -y[1] * y[2] * first, -y[1] * y[1] * last]);
    },
    start: |_p, _t, y| y.copy_from_slice(&[1.0, 0.0, 0.0]),
    start_by_params: |_p, _t, _v, out| out.fill(0.0),
    minus_start_transposed: |_p, _t, _v, out| out.fill(0.0),
};

const CASES: [&Case; 2] = [&LOTKA_VOLTERRA, &ROBERTSON];

impl Case {
    fn builder(&self) -> OdeBuilder<NalgebraMat<f64>> {
        let builder = OdeBuilder::new().p(self.p.to_vec()).rtol(1e-9).atol(self.atol.to_vec());
        builder
            .sens_rtol(1e-9)
            .sens_atol(self.atol.iter().map(|atol| 1e3 * atol).collect::<Vec<_>>())
    }

    fn with_adjoint(
        &self,
    ) -> Built<
        impl OdeEquationsImplicitAdjoint<
            M = NalgebraMat<f64>,
            V = NalgebraVec<f64>,
            T = f64,
            C = NalgebraContext,
        > + Send
        + use<>,
    > {
        let (forward, backward) =
            ((self.rates, self.jacobian), (self.minus_transposed, self.minus_transposed_by_params));
        self.builder()
            .rhs_adjoint_implicit(forward.0, forward.1, backward.0, backward.1)
            .init_adjoint(self.start, self.minus_start_transposed, self.weights.len())
            .build()
    }

    fn with_sensitivities(
        &self,
    ) -> Built<
        impl OdeEquationsImplicitSens<
            M = NalgebraMat<f64>,
            V = NalgebraVec<f64>,
            T = f64,
            C = NalgebraContext,
        > + use<>,
    > {
        self.builder()
            .rhs_sens_implicit(self.rates, self.jacobian, self.by_params)
            .init_sens(self.start, self.start_by_params, self.weights.len())
            .build()
    }

    fn model(&self) -> impl Vjp + Jvp + Initial {
        Adapter::new(|| self.with_adjoint()).unwrap().autonomous()
    }

    fn objective(&self) -> impl Objective {
        let weights = self.weights;
        Terminal::new(
            move |y: &[f64], _p: &[f64]| y.iter().zip(weights).map(|(y, w)| y * w).sum::<f64>(),
            move |_y: &[f64], _p: &[f64], y_bar: &mut [f64], _p_bar: &mut [f64]| {
                y_bar.iter_mut().zip(weights).for_each(|(bar, w)| *bar += w);
            },
        )
    }
}

/// Gradients that differ by less than 10⁻⁷ of the largest entry, each times its parameter.
fn assert_close(case: &Case, ours: &[f64], theirs: &[f64]) {
    let scaled = |g: &[f64]| -> Vec<f64> { g.iter().zip(case.p).map(|(g, p)| g * p).collect() };
    let (ours, theirs) = (scaled(ours), scaled(theirs));
    let largest = theirs.iter().fold(0.0, |largest: f64, g| largest.max(g.abs()));
    for (i, (a, b)) in ours.iter().zip(&theirs).enumerate() {
        let error = (a - b).abs() / largest;
        assert!(error < 1e-7, "{}, dJ/dp {i}: {a:e} and {b:e} differ by {error:e}", case.name);
    }
}

fn gradient(case: &Case, kind: ScheduleKind, snapshots: Option<usize>) -> Gradient {
    let (model, objective) = (case.model(), case.objective());
    let method = Method::by_name("kvaerno5").unwrap();
    let problem = Problem::new(&model, (0.0, case.end), case.p)
        .initial(&model)
        .objective(&objective)
        .method(method)
        .rtol(1e-11)
        .atol_each(case.atol.to_vec())
        .schedule(kind);
    let problem = match snapshots {
        Some(snapshots) => problem.snapshots(snapshots),
        None => problem,
    };
    problem.gradient().unwrap()
}

#[test]
fn solutions_are_those_of_diffsols_bdf() {
    for case in CASES {
        let (model, objective) = (case.model(), case.objective());
        let times: Vec<f64> = (1..=4).map(|i| case.end * f64::from(i) / 4.0).collect();
        let ours = Problem::new(&model, (0.0, case.end), case.p)
            .initial(&model)
            .objective(&objective)
            .method(Method::Auto)
            .rtol(1e-9)
            .atol_each(case.atol.to_vec())
            .solve(&times)
            .unwrap();
        let problem = case.with_adjoint().unwrap();
        let (theirs, _) = problem.bdf::<Lu>().unwrap().solve_dense(&times).unwrap();
        for (column, state) in ours.states.iter().enumerate() {
            for (i, y) in state.iter().enumerate() {
                let reference = theirs.get_index(i, column);
                let error = (y - reference).abs() / reference.abs();
                assert!(error < 1e-6, "{}, state {i}: {y} and {reference}", case.name);
            }
        }
    }
}

#[test]
fn gradients_are_those_of_diffsols_forward_sensitivities() {
    for case in CASES {
        let ours = gradient(case, ScheduleKind::StoreAll, None);
        let mut problem = case.with_sensitivities().unwrap();
        problem.rtol = 1e-11;
        let mut bdf = problem.bdf_sens::<Lu>().unwrap();
        let (_, sensitivities, _) = bdf.solve_dense_sensitivities(&[case.end]).unwrap();
        let weigh = |s: &NalgebraMat<f64>| {
            case.weights.iter().enumerate().map(|(i, w)| w * s.get_index(i, 0)).sum()
        };
        let theirs: Vec<f64> = sensitivities.iter().map(weigh).collect();
        assert_close(case, &ours.wrt_params, &theirs);
    }
}

#[test]
fn gradients_are_those_of_diffsols_step_adjoints() {
    for case in CASES {
        let ours = gradient(case, ScheduleKind::StoreAll, None);
        let theirs = pulled_back(case, case.with_adjoint().unwrap());
        assert_close(case, &ours.wrt_params, &theirs);
    }
}

/// dJ/dp by diffsol's adjoint of each of the steps that its BDF took. The error of derivatives is
/// not controlled there, so the states have to be better than they need be.
fn pulled_back<E>(case: &Case, mut problem: OdeSolverProblem<E>) -> Vec<f64>
where
    E: OdeEquationsImplicitAdjoint<
            M = NalgebraMat<f64>,
            V = NalgebraVec<f64>,
            T = f64,
            C = NalgebraContext,
        >,
{
    problem.rtol = 1e-11;
    problem.ode_options.derivative_solve_tolerance = 1e-7;
    let mut bdf = problem.bdf::<Lu>().unwrap();
    bdf.set_stop_time(case.end).unwrap();
    let mut ends = Vec::new();
    loop {
        let reason = bdf.step().unwrap();
        ends.push(bdf.state_clone());
        if let OdeSolverStopReason::TstopReached = reason {
            break;
        }
    }
    let context = NalgebraContext::default;
    let mut cotangent = ends[ends.len() - 1].zeros_like();
    cotangent.as_mut().y.copy_from(&NalgebraVec::from_slice(case.weights, context()));
    let mut p_bar = NalgebraVec::zeros(case.p.len(), context());
    for end in ends.iter().rev() {
        bdf.step_vjp(end, &mut cotangent, &mut p_bar).unwrap();
    }
    let (mut lambda, rate_bar) = {
        let bars = cotangent.as_ref();
        (bars.y.clone_as_vec(), bars.dy.clone_as_vec())
    };
    let mut p_bar = p_bar.clone_as_vec();
    // The BDF starts with y'(t₀) = f(t₀, y₀(p), p).
    let model = case.model();
    let (mut y0, mut work) = (vec![0.0; model.dim()], model.work());
    model.initial(case.p, &mut y0);
    let bars = Bars { y: &mut lambda, p: &mut p_bar, t: &mut 0.0 };
    model.vjp(At { t: 0.0, y: &y0, p: case.p }, &rate_bar, bars, &mut work);
    model.initial_vjp(case.p, &lambda, &mut p_bar);
    p_bar
}

#[test]
fn every_schedule_gives_the_same_bits() {
    for case in CASES {
        let all = gradient(case, ScheduleKind::StoreAll, None);
        for kind in [ScheduleKind::Revolve, ScheduleKind::Online] {
            let few = gradient(case, kind, Some(4));
            for (a, b) in all.wrt_params.iter().zip(&few.wrt_params) {
                assert_eq!(a.to_bits(), b.to_bits(), "{}, {kind:?}", case.name);
            }
            assert_eq!(all.value.to_bits(), few.value.to_bits(), "{}, {kind:?}", case.name);
            assert!(few.stats.rhs > all.stats.rhs, "{}, {kind:?}: nothing recomputed", case.name);
        }
    }
}

#[test]
fn adjoints_are_transposes_of_tangents() {
    let stepper = Esdirk::new(&KVAERNO5, Newton::Stagnation).unwrap();
    for (case, end) in CASES.into_iter().zip([2.0, 1e-3]) {
        let (model, grid) = (case.model(), TimeGrid::Uniform { start: 0.0, end, steps: 8 });
        let mut y0 = vec![0.0; model.dim()];
        model.initial(case.p, &mut y0);
        let error = dot_product(&model, &stepper, &grid, &y0, case.p, 7).unwrap().error;
        assert!(error < 1e-10, "{}: {error:e}", case.name);

        let directions: Vec<f64> = (1..=case.p.len()).map(|i| i as f64).collect();
        let (mut y0_dot, mut p_bar) = (vec![0.0; model.dim()], vec![0.0; case.p.len()]);
        model.initial_jvp(case.p, &directions, &mut y0_dot);
        model.initial_vjp(case.p, case.weights, &mut p_bar);
        let forward: f64 = y0_dot.iter().zip(case.weights).map(|(a, b)| a * b).sum();
        let backward: f64 = p_bar.iter().zip(&directions).map(|(a, b)| a * b).sum();
        assert_eq!(forward, backward, "{}", case.name);
    }
}

/// y' = −p y + t², whose end time matters through ∂f/∂t too.
#[test]
fn a_rate_that_depends_on_time_has_the_end_time_of_its_twin() {
    let foreign = Adapter::new(|| {
        OdeBuilder::<NalgebraMat<f64>>::new()
            .p([0.5])
            .rhs_adjoint_implicit(
                |y, p, t, dy| dy[0] = -p[0] * y[0] + t * t,
                |_y, p, _t, v, out| out[0] = -p[0] * v[0],
                |_y, p, _t, v, out| out[0] = p[0] * v[0],
                |y, _p, _t, v, out| out[0] = y[0] * v[0],
            )
            .init_adjoint(|_p, _t, y| y[0] = 2.0, |_p, _t, _v, out| out[0] = 0.0, 1)
            .build()
    })
    .unwrap();
    let twin = Model::trace(1, 1, |t, y, p| [&(-&p[0]) * &y[0] + &(t * t)])
        .initial(|_| [2.0.into()])
        .build()
        .unwrap();
    let end = Terminal::new(
        |y: &[f64], _p: &[f64]| y[0],
        |_y: &[f64], _p: &[f64], y_bar: &mut [f64], _p_bar: &mut [f64]| y_bar[0] += 1.0,
    );
    let ours =
        Problem::new(&twin, (0.0, 3.0), &[0.5]).initial(&twin).objective(&end).gradient().unwrap();
    let theirs =
        Problem::new(&foreign, (0.0, 3.0), foreign.nominal()).initial(&foreign).objective(&end);
    let theirs = theirs.gradient().unwrap();
    assert!((ours.wrt_params[0] - theirs.wrt_params[0]).abs() < 1e-12);
    assert!((ours.wrt_end_time - theirs.wrt_end_time).abs() < 1e-9);
    assert_eq!(foreign.start(), 0.0);
}

#[test]
fn our_models_are_diffsol_problems() {
    for case in CASES {
        let model = case.model();
        let tolerances = Tolerances { rtol: 1e-9, atol: case.atol.to_vec() };
        let there = to_problem(&model, &model, 0.0, case.p, tolerances).unwrap();
        let ours = gradient(case, ScheduleKind::StoreAll, None);
        let theirs = pulled_back(case, there);
        assert_close(case, &ours.wrt_params, &theirs);
    }
}

/// The parameters of one call do not stay for the next.
#[test]
fn scratch_follows_the_parameters() {
    let model = LOTKA_VOLTERRA.model();
    let (mut work, mut first, mut dy) = (model.work(), [0.0; 2], [0.0; 2]);
    model.rhs(At { t: 0.0, y: &[1.0, 2.0], p: LOTKA_VOLTERRA.p }, &mut first, &mut work);
    model.rhs(At { t: 0.0, y: &[1.0, 2.0], p: &[0.0, 1.0, 0.0, 2.0, 0.0] }, &mut dy, &mut work);
    assert_eq!(dy, [-2.0, 4.0]);
    model.rhs(At { t: 0.0, y: &[1.0, 2.0], p: LOTKA_VOLTERRA.p }, &mut dy, &mut work);
    assert_eq!(dy, first);
}

type Plain = OdeBuilder<
    NalgebraMat<f64>,
    diffsol::Closure<NalgebraMat<f64>, Rates, Product>,
    diffsol::ConstantClosure<NalgebraMat<f64>, Start>,
>;

/// Counts the allocations of each thread.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: hands everything to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

#[test]
fn evaluations_do_not_allocate() {
    for case in CASES {
        let (model, d) = (case.model(), case.weights.len());
        let (mut work, mut dy, mut y_bar) = (model.work(), vec![0.0; d], vec![0.0; d]);
        let (mut p, mut p_bar) = (case.p.to_vec(), vec![0.0; case.p.len()]);
        let (mut jacobian, mut spare) =
            (Matrix::zeros(d, model.structure()).unwrap(), vec![0.0; d]);
        let before = ALLOCATIONS.get();
        for _ in 0..3 {
            p[0] *= 1.5;
            model.initial(&p, &mut dy);
            model.rhs(At { t: 0.0, y: case.weights, p: &p }, &mut dy, &mut work);
            let (y, w, t_bar) = (case.weights, case.weights, &mut 0.0);
            let bars = Bars { y: &mut y_bar, p: &mut p_bar, t: t_bar };
            model.vjp(At { t: 0.0, y, p: &p }, w, bars, &mut work);
            model.jvp(At { t: 0.0, y, p: &p }, Dots { y: w, p: &p_bar }, &mut dy, &mut work);
            let rows = Rows { w: &mut spare, y_bar: &mut y_bar, p_bar: &mut p_bar };
            model.jacobian(At { t: 0.0, y, p: &p }, &mut jacobian, rows, &mut work);
        }
        assert_eq!(ALLOCATIONS.get(), before, "{}", case.name);
    }
    let before = ALLOCATIONS.get();
    std::hint::black_box(vec![0_u8; 9]);
    assert_eq!(ALLOCATIONS.get(), before + 1);
}

/// A problem that builds only once makes NaN later on, which a run reports.
#[test]
fn a_problem_that_fails_later_is_reported() {
    let built = AtomicBool::new(false);
    let model = Adapter::new(|| match built.swap(true, Ordering::Relaxed) {
        false => LOTKA_VOLTERRA.with_adjoint(),
        true => Err(DiffsolError::Other("not again".into())),
    })
    .unwrap();
    let objective = LOTKA_VOLTERRA.objective();
    let problem =
        Problem::new(&model, (0.0, 1.0), LOTKA_VOLTERRA.p).initial(&model).objective(&objective);
    let error = problem.gradient().unwrap_err();
    assert!(error.to_string().contains("is not finite in step 0 at t = 0"), "{error}");
}

#[test]
fn threads_share_an_adapter() {
    let (model, objective) = (LOTKA_VOLTERRA.model(), LOTKA_VOLTERRA.objective());
    let run = || {
        Problem::new(&model, (0.0, 5.0), LOTKA_VOLTERRA.p)
            .initial(&model)
            .objective(&objective)
            .gradient()
            .unwrap()
    };
    let alone = run();
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..3).map(|_| scope.spawn(run)).collect();
        for other in runs {
            assert_eq!(other.join().unwrap().wrt_params, alone.wrt_params);
        }
    });
}

fn plain() -> Plain {
    let case = &LOTKA_VOLTERRA;
    case.builder().rhs_implicit(case.rates, case.jacobian).init(case.start, 2)
}

#[test]
fn what_a_model_has_not_is_refused() {
    let mass: fn(&[f64], &[f64], f64, f64, &mut [f64]) = |v, _p, _t, beta, y| {
        y.iter_mut().zip(v).for_each(|(y, v)| *y = v + beta * *y);
    };
    let context = NalgebraContext::with_nbatch(2);
    let messages = [
        (
            Adapter::new(|| plain().mass(mass).build()).err().unwrap(),
            "the diffsol problem has a mass matrix, and only y' = f(t, y, p) can be differentiated \
             here: multiply the rates by its inverse, or leave `mass` out",
        ),
        (
            Adapter::new(|| plain().root(|y, _p, _t, g| g[0] = y[0] - 1.0, 1).build())
                .err()
                .unwrap(),
            "the diffsol problem has a root function, and events are not taken over: leave `root` \
             out and split the time span at the events",
        ),
        (
            Adapter::new(|| plain().reset(|y, _p, _t, after| after.copy_from_slice(y)).build())
                .err()
                .unwrap(),
            "the diffsol problem has a reset function, and events are not taken over: leave \
             `reset` out and split the time span at the events",
        ),
        (
            Adapter::new(|| {
                let case = &LOTKA_VOLTERRA;
                let builder = OdeBuilder::<NalgebraMat<f64>>::new().context(context);
                let builder = builder.p([case.p, case.p].concat());
                builder.rhs_implicit(case.rates, case.jacobian).init(case.start, 2).build()
            })
            .err()
            .unwrap(),
            "the diffsol problem has a context of 2 batches, and a model has 1: make an adapter \
             for each",
        ),
        (
            Adapter::new(|| plain().atol([1e-6; 3]).build()).err().unwrap(),
            "diffsol cannot build the problem: ODE solver error: ",
        ),
    ];
    for (error, message) in messages {
        let text = error.to_string();
        match text.strip_prefix(message) {
            Some(rest) => assert_eq!(rest.is_empty(), !message.ends_with(": "), "{text}"),
            None => panic!("{text}"),
        }
    }
}
