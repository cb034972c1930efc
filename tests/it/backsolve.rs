//! Backsolve: where the way back can be trusted no step is replayed and memory does not grow; where
//! it cannot, what was found on it is thrown away and the gradient is right all the same.

use costate::adjoint::Gradient;
use costate::adjoint::backsolve::{Cause, Replay};
use costate::error::Error;
use costate::method::tableau::{ESDIRK, EULER, EXPLICIT, HEUN, RK4};
use costate::method::{AdjointKind, Method};
use costate::model::Model;
use costate::ode::objective::LeastSquares;
use costate::problem::{Problem, ScheduleKind, Solved};
use costate_models::biology::lotka_volterra;
use costate_models::chemistry::robertson;
use costate_models::learning::neural_ode;

use crate::common::{bits, distance, file, shared};

/// The derivatives by everything in one vector.
fn all(gradient: &Gradient) -> Vec<f64> {
    [&gradient.wrt_y0[..], &gradient.wrt_params, &[gradient.wrt_end_time]].concat()
}

fn named(name: &str) -> Method {
    Method::by_name(name).unwrap()
}

/// A gradient by backsolve whose report is consistent.
fn back(problem: &Problem<'_>) -> Solved {
    let solved = problem.clone().adjoint(AdjointKind::Backsolve).solved().unwrap();
    let (stats, replays) = (&solved.gradient.stats, &solved.replays);
    assert_eq!(stats.replayed_segments, replays.len() as u64);
    assert!(replays.is_empty() || stats.recomputed_steps > 0);
    if let Some(last) = replays.last() {
        assert_eq!(last.steps.start, 0);
        assert_ne!(replays[0].cause, Cause::AfterAnother);
        assert!(replays[1..].iter().all(|replay| replay.cause == Cause::AfterAnother));
    }
    for pair in replays.windows(2) {
        assert_eq!(pair[0].steps.start, pair[1].steps.end);
        assert_eq!(pair[0].span.start, pair[1].span.end);
    }
    solved
}

fn replays_all(replays: &[Replay], gradient: &Gradient) -> bool {
    replays.first().is_some_and(|first| first.steps.end as u64 == gradient.stats.steps)
}

/// y'' = −k y from (1, 0), J = y(T) = cos(√k T).
fn oscillator() -> Model {
    Model::trace(2, 1, |_, y, p| [y[1].clone(), -(&p[0] * &y[0])])
        .initial(|_| [1.0.into(), 0.0.into()])
        .terminal(|y, _| y[0].clone())
        .build()
        .unwrap()
}

fn lorenz() -> Model {
    Model::trace(3, 3, |_, y, p| {
        [&p[0] * (&y[1] - &y[0]), &y[0] * (&p[1] - &y[2]) - &y[1], &y[0] * &y[1] - &p[2] * &y[2]]
    })
    .initial(|_| [1.0.into(), 1.0.into(), 1.0.into()])
    .terminal(|y, _| y[2].clone())
    .build()
    .unwrap()
}

const LORENZ: [f64; 3] = [10.0, 28.0, 8.0 / 3.0];

fn tolerances(digits: std::ops::RangeInclusive<i32>) -> impl Iterator<Item = f64> {
    digits.map(|k| 10.0_f64.powi(-k))
}

/// No replay, at most the states allowed, and an error of at most `factor` tolerances.
fn assert_gentle(what: &str, problem: &Problem<'_>, exact: &[f64], factor: f64) {
    for tolerance in tolerances(4..=12) {
        let solved = back(&problem.clone().rtol(tolerance).atol(tolerance));
        let error = distance(&solved.gradient.wrt_params, exact);
        println!("{what}, {tolerance:e}: error {error:.1e}");
        assert!(solved.replays.is_empty(), "{what}, {tolerance:e}: {:?}", solved.replays[0]);
        assert!(solved.gradient.stats.snapshots_peak <= 16, "{what}, {tolerance:e}");
        assert!(error <= factor * tolerance, "{what}, {tolerance:e}: {error:e}");
    }
}

fn reference(id: &str) -> Vec<f64> {
    let figures = shared(&format!("reference/{id}.json"));
    figures["grad"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

#[test]
fn gentle_models_are_not_replayed() {
    for end in [1.0_f64, 10.0, 100.0] {
        let (model, exact) = (oscillator(), -(2.0 * end).sin() * end / 4.0);
        let problem = Problem::new(&model, (0.0, end), &[4.0]);
        assert_gentle(&format!("oscillator to {end}"), &problem, &[exact], 1.0 + 0.1 * end);
    }
}

#[test]
#[ignore = "reads ../shared"]
fn gentle_benchmarks_are_not_replayed() {
    let p1a = lotka_volterra::p1a();
    let problem =
        Problem::new(&p1a.ode, p1a.span, &p1a.p).initial(&p1a.y0).objective(&p1a.objective);
    for name in ["auto", "tsit5", "dop853", "dopri5", "kvaerno5"] {
        let problem = problem.clone().method(named(name));
        assert_gentle(&format!("p1a by {name}"), &problem, &reference("p1a"), 200.0);
    }
    let p4a = neural_ode::p4a();
    let problem =
        Problem::new(&p4a.ode, p4a.span, &p4a.p).initial(&p4a.y0).objective(&p4a.objective);
    assert_gentle("p4a", &problem, &reference("p4a"), 50.0);
}

#[test]
fn memory_does_not_grow_with_the_steps() {
    let model = oscillator();
    let problem = Problem::new(&model, (0.0, 10.0), &[4.0]).atol(1e-6);
    let problem = problem.method(Method::Named(&RK4));
    for snapshots in [1, 2, 3, 7, 16, 50] {
        let run = |steps| back(&problem.clone().snapshots(snapshots).fixed_steps(steps));
        let (short, long) = (run(1000), run(64_000));
        assert!(short.replays.is_empty() && long.replays.is_empty());
        let (short, long) = (short.gradient.stats, long.gradient.stats);
        assert_eq!(short.peak_bytes, long.peak_bytes);
        assert_eq!(short.snapshots_peak, long.snapshots_peak);
        assert!(long.snapshots_peak <= snapshots as u64);
        assert_eq!((long.steps, long.recomputed_steps), (64_000, 0));
    }
}

/// Of the models whose flow contracts faster than backward steps can bear, the whole gradient is
/// replayed: it has the bits of the discrete adjoint.
#[test]
fn stiff_models_are_replayed() {
    for name in ["oscillators/van_der_pol", "chemistry/robertson", "chemistry/hires"] {
        let model = file(name);
        let p = model.nominal();
        for tolerance in tolerances(4..=9) {
            let problem = Problem::of_model(&model, &p).unwrap();
            let problem = problem.rtol(tolerance).atol(1e-4 * tolerance);
            let (discrete, solved) = (problem.gradient().unwrap(), back(&problem));
            println!("{name}, {tolerance:e}: {}", solved.replays[0].cause);
            assert!(replays_all(&solved.replays, &solved.gradient), "{name}, {tolerance:e}");
            assert_eq!(bits(&solved.gradient), bits(&discrete), "{name}, {tolerance:e}");
            assert!(solved.gradient.stats.snapshots_peak <= 16);
        }
    }
}

#[test]
#[ignore = "reads ../shared"]
fn a_stiff_benchmark_is_replayed_and_right() {
    let (p2, exact) = (robertson::p2(), reference("p2"));
    let problem = Problem::new(&p2.ode, p2.span, &p2.p).initial(&p2.y0).objective(&p2.objective);
    for tolerance in tolerances(4..=10) {
        let problem = problem.clone().method(Method::Auto);
        let solved = back(&problem.rtol(tolerance).atol(1e-6 * tolerance));
        assert!(!solved.replays.is_empty(), "{tolerance:e}");
        let error = distance(&solved.gradient.wrt_params, &exact);
        assert!(error < 2.0 * tolerance + 1e-7 * tolerance.sqrt(), "{tolerance:e}: {error:e}");
    }
}

/// The flow of Lorenz's system contracts by exp(−13.7 t) in volume: backward errors grow by up to
/// exp(14.6 t), while the gradient is determined well up to T = 15 (forward errors grow by exp(0.9 t)).
#[test]
fn lorenz_is_replayed_and_right() {
    let model = lorenz();
    for end in [10.0, 12.0, 15.0] {
        let problem = Problem::new(&model, (0.0, end), &LORENZ);
        let exact = all(&problem.clone().rtol(1e-13).atol(1e-13).gradient().unwrap());
        for tolerance in tolerances(7..=11) {
            let problem = problem.clone().rtol(tolerance).atol(tolerance);
            let solved = back(&problem);
            let error = distance(&all(&solved.gradient), &exact);
            let discrete = distance(&all(&problem.gradient().unwrap()), &exact);
            let continuous = problem.clone().adjoint(AdjointKind::Continuous).gradient();
            let continuous = distance(&all(&continuous.unwrap()), &exact);
            println!("{end}, {tolerance:e}: {error:.1e}, {discrete:.1e}, {continuous:.1e}");
            assert!(!solved.replays.is_empty(), "{end}, {tolerance:e}");
            assert!(error <= 3.0 * discrete.max(continuous), "{end}, {tolerance:e}: {error:e}");
        }
    }
}

/// With a state kept for every few steps, drift has no room to grow.
#[test]
fn lorenz_is_not_replayed_between_close_states() {
    let model = lorenz();
    let problem = Problem::new(&model, (0.0, 10.0), &LORENZ).snapshots(2000);
    let exact = all(&problem.clone().rtol(1e-13).atol(1e-13).gradient().unwrap());
    for tolerance in tolerances(7..=11) {
        let problem = problem.clone().rtol(tolerance).atol(tolerance);
        let solved = back(&problem);
        assert!(solved.replays.is_empty(), "{tolerance:e}: {:?}", solved.replays[0]);
        let error = distance(&all(&solved.gradient), &exact);
        assert!(error < 1e3 * tolerance, "{tolerance:e}: {error:e}");
    }
}

/// y' = −k(t) (y − cos t) decays fast before t = 4 and hardly after: the way back is good for the later
/// segments and not for the earlier.
#[test]
fn what_was_found_before_the_way_is_lost_is_kept() {
    let model = Model::trace(1, 2, |t, y, p| {
        let k = &p[0] / (1.0 + (30.0 * (t - 4.0)).exp()) + &p[1];
        [-(k * (&y[0] - t.cos()))]
    })
    .initial(|_| [2.0.into()])
    .terminal(|y, _| y[0].clone())
    .running(|_, y, p| &y[0] * &y[0] * &p[1])
    .build()
    .unwrap();
    let problem = Problem::new(&model, (0.0, 20.0), &[60.0, 0.2]);
    let exact = all(&problem.clone().rtol(1e-13).atol(1e-15).gradient().unwrap());
    for tolerance in tolerances(5..=10) {
        let solved = back(&problem.clone().rtol(tolerance).atol(tolerance));
        let steps = solved.gradient.stats.steps;
        let first = solved.replays.first().unwrap();
        assert!((first.steps.end as u64) < steps, "{tolerance:e}: {first:?} of {steps}");
        assert!(first.span.start < 4.2 && first.span.end < 15.0, "{tolerance:e}: {first:?}");
        let error = distance(&all(&solved.gradient), &exact);
        println!("{tolerance:e}: {error:.1e}, from t = {}: {}", first.span.end, first.cause);
        assert!(error < 50.0 * tolerance, "{tolerance:e}: {error:e}");
    }
}

/// A model with everything: observations, two of them at one time and one at each end, a running cost
/// and a terminal cost; parameters in the rates, the initial state and the costs.
fn with_everything(times: &[f64]) -> Model {
    let data: Vec<f64> = times.iter().map(|t| t.sin()).collect();
    Model::trace(2, 3, |t, y, p| {
        [&p[0] * &y[1] + 0.1 * t.sin(), -(&p[0] * &y[0]) - 0.05 * &p[1] * &y[1]]
    })
    .initial(|p| [1.0 + &p[2], 0.5 * &p[2]])
    .observe(times, &data, 0.5, |_, y, p| &y[0] * &p[1])
    .running(|t, y, p| &y[1] * &y[1] * &p[2] * (0.1 * t).cos())
    .terminal(|y, _| &y[0] * &y[1])
    .build()
    .unwrap()
}

#[test]
fn every_term_of_the_objective_counts() {
    let times = [0.0, 0.7, 0.7, 1.3, 3.0, 5.999, 6.0];
    let (model, p) = (with_everything(&times), [1.2, 0.8, 0.3]);
    let problem = Problem::new(&model, (0.0, 6.0), &p);
    let tight = problem.clone().method(named("dop853")).rtol(1e-13).atol(1e-13);
    let exact = all(&tight.gradient().unwrap());
    for tableau in EXPLICIT.iter().chain(ESDIRK) {
        for snapshots in [1, 2, 5, 16, 100] {
            let problem = problem.clone().method(Method::Named(tableau)).snapshots(snapshots);
            let (problem, allowed) = match tableau.embedded_order {
                0 => (problem.fixed_steps(4000).rtol(1e-8).atol(1e-8), 1e-2),
                _ => (problem.rtol(1e-8).atol(1e-8), 1e-5),
            };
            let what = format!("{}, {snapshots} states", tableau.name);
            let solved = back(&problem);
            // The first-order method errs by far more than the tolerance that it is held to.
            let rough = tableau.name == EULER.name || tableau.name == HEUN.name;
            assert!(rough || solved.replays.is_empty(), "{what}: {:?}", solved.replays);
            let error = distance(&all(&solved.gradient), &exact);
            assert!(error < allowed, "{what}: {error:e}");
            let value = problem.adjoint(AdjointKind::Backsolve).value().unwrap().0;
            assert_eq!(solved.gradient.value.to_bits(), value.to_bits(), "{what}");
        }
    }
}

/// λ is zero until the only observation, near the start, is met.
#[test]
fn lambda_may_be_zero_for_long() {
    let model = Model::trace(2, 1, |_, y, p| [y[1].clone(), -(&p[0] * &y[0])])
        .initial(|_| [1.0.into(), 0.0.into()])
        .build()
        .unwrap();
    for t in [0.0, 5e-324, 1e-9, 0.5, 20.0] {
        let fit = LeastSquares::of_components(vec![0], vec![t], vec![3.0], &[1.0]).unwrap();
        let problem = Problem::new(&model, (0.0, 20.0), &[4.0]).objective(&fit).atol(1e-6);
        let solved = back(&problem);
        let outer = 2.0 * ((2.0 * t).cos() - 3.0);
        let exact = [outer * (2.0 * t).cos(), outer * (2.0 * t).sin() / 2.0];
        assert!(distance(&solved.gradient.wrt_y0, &exact) < 1e-5, "{t:e}");
        let by_k = -outer * (2.0 * t).sin() * t / 4.0;
        let error = (solved.gradient.wrt_params[0] - by_k).abs();
        assert!(error <= 1e-5 * by_k.abs() + 1e-300, "{t:e}: {error:e}");
        assert!(solved.replays.is_empty(), "{t:e}");
    }
}

#[test]
fn any_number_of_states_will_do() {
    let model = lorenz();
    let problem = Problem::new(&model, (0.0, 10.0), &LORENZ).rtol(1e-9).atol(1e-9);
    let exact = all(&problem.clone().rtol(1e-13).atol(1e-13).gradient().unwrap());
    let disk = std::env::temp_dir().join(format!("costate-backsolve-{}", std::process::id()));
    for snapshots in [1, 2, 3, 4, 6, 11, 40, 1000, usize::MAX] {
        let problem = problem.clone().snapshots(snapshots);
        let solved = back(&problem);
        assert!(solved.gradient.stats.snapshots_peak <= snapshots as u64);
        let error = distance(&all(&solved.gradient), &exact);
        assert!(error < 1e-6, "{snapshots}: {error:e}");
        let on_disk = back(&problem.on_disk(&disk));
        assert_eq!(bits(&on_disk.gradient), bits(&solved.gradient), "{snapshots}");
        assert_eq!(on_disk.replays, solved.replays);
    }
    std::fs::remove_dir_all(&disk).unwrap();
}

#[test]
fn one_step_is_a_run() {
    let model = oscillator();
    let problem = Problem::new(&model, (0.0, 1e-3), &[4.0]).atol(1e-6);
    let solved = back(&problem.fixed_steps(1));
    let exact = -(2e-3_f64).sin() * 1e-3 / 4.0;
    assert!((solved.gradient.wrt_params[0] / exact - 1.0).abs() < 1e-5);
}

/// y' = −k y: nothing of y(0) is left to come back from.
#[test]
fn says_why_the_way_was_lost() {
    let model = Model::trace(1, 1, |_, y, p| [-(&p[0] * &y[0])])
        .initial(|_| [1.0.into()])
        .terminal(|y, _| y[0].clone())
        .running(|_, y, _| y[0].clone())
        .build()
        .unwrap();
    for (k, name) in [(30.0, "dop853"), (300.0, "tsit5"), (1e5, "kvaerno5"), (1e9, "kvaerno3")] {
        let (p, end) = ([k], 10.0);
        let problem = Problem::new(&model, (0.0, end), &p).method(named(name));
        let solved = back(&problem);
        let first = &solved.replays[0];
        let text = first.cause.to_string();
        println!("{name}, {k}: {text}");
        match first.cause {
            Cause::Drift { drift, allowed } => assert!(drift > allowed, "{text}"),
            Cause::Astray { t } | Cause::Stiff { t } | Cause::GaveUp { t } => {
                assert!(first.span.start <= t && t <= first.span.end, "{text}");
            }
            Cause::AfterAnother => unreachable!(),
        }
        // J = ∫ y dt = 1/k.
        let by_k = solved.gradient.wrt_params[0];
        assert!((by_k * k * k + 1.0).abs() < 1e-4, "{name}, {k}: {by_k:e}");
    }
}

#[test]
fn a_blown_up_way_back_is_no_error() {
    // y' = −p y³ from 1e8: backward it blows up just behind the start.
    let model = Model::trace(1, 1, |_, y, p| [-(&p[0] * &y[0] * &y[0] * &y[0])])
        .initial(|_| [1e8.into()])
        .terminal(|y, _| y[0].clone())
        .build()
        .unwrap();
    let problem = Problem::new(&model, (0.0, 1.0), &[1.0]).method(Method::Auto);
    let solved = back(&problem.atol(1e-9));
    // y = (1/y0² + 2pt)^(−1/2), dy/dp = −t y³.
    let exact = -(0.5_f64).powf(1.5);
    assert!((solved.gradient.wrt_params[0] / exact - 1.0).abs() < 1e-4);
}

#[test]
fn settings_that_cannot_be_used() {
    let (model, p) = (oscillator(), [4.0]);
    let problem = Problem::new(&model, (0.0, 1.0), &p);
    let problem = problem.adjoint(AdjointKind::Backsolve);
    let schedule = "the schedule of a backsolve is revolve: it must be left to it: give no more than \
                    the number of snapshots";
    for (problem, text) in [
        (problem.clone().snapshots(0), "the number of snapshots is 0: it must be at least 1"),
        (problem.clone().schedule(ScheduleKind::Revolve), schedule),
        (
            problem.clone().fixed_steps(9).rtol(-1.0),
            "rtol is -1: it must be at least 0 and less than 1",
        ),
        (
            problem.clone().atol_each(vec![1e-9; 3]),
            "the list of absolute tolerances has 3 entries: the model has 2",
        ),
    ] {
        assert_eq!(problem.gradient().unwrap_err().to_string(), text);
    }
    let curve = problem.curve(&|_| {}).unwrap_err().to_string();
    assert_eq!(curve, "the adjoint of a curve is backsolve: it must be discrete or continuous");
}

/// J = y(T) + √p at p = 0 has no derivative by p.
#[test]
fn a_gradient_that_is_not_finite_is_refused() {
    let model = Model::trace(1, 1, |_, y, _| [-y[0].clone()])
        .initial(|_| [1.0.into()])
        .terminal(|y, p| y[0].clone() + p[0].sqrt())
        .build()
        .unwrap();
    let problem = Problem::new(&model, (0.0, 1.0), &[0.0]);
    for adjoint in [AdjointKind::Discrete, AdjointKind::Backsolve] {
        let error = problem.clone().adjoint(adjoint).gradient().unwrap_err();
        assert!(matches!(error, Error::GradientNotFinite { what: "parameter", index: 0 }));
    }
}
