//! What an observer is told of a run, and what the solution is at the times that are asked for.

use std::sync::Mutex;

use costate::adjoint::Progress;
use costate::method::Method;
use costate::method::control::StepReport;
use costate::model::Model;
use costate::ode::grid::{AT_END, Step};
use costate::ode::objective::LeastSquares;
use costate::problem::{Problem, ScheduleKind};
use costate_models::chemistry::robertson;

const ADAPTIVE: [&str; 7] =
    ["bs3", "tsit5", "dopri5", "dop853", "kvaerno3", "kencarp4", "kvaerno5"];
const FIXED: [&str; 4] = ["euler", "heun", "ssprk3", "rk4"];

/// A pendulum pushed in time with y₀ = y(0): nonlinear and not autonomous.
fn pendulum() -> Model {
    Model::trace(2, 2, |t, y, p| [y[1].clone(), -(&p[0] * y[0].sin()) + &p[1] * (2.0 * t).cos()])
        .initial(|_| [1.0.into(), 0.0.into()])
        .observe(&[0.0, 1.0, 2.5, 2.5, 6.0], &[1.0, 0.5, 0.0, 0.1, -1.0], 1.0, |_, y, _| {
            y[0].clone()
        })
        .build()
        .unwrap()
}

fn problem<'a>(model: &'a Model, name: &str) -> Problem<'a> {
    Problem::new(model, (0.0, 6.0), &[2.0, 0.5]).method(Method::by_name(name).unwrap())
}

/// The reports of what is done with an observed problem.
fn reports<T>(of: impl FnOnce(&(dyn Fn(StepReport) + Sync)) -> T) -> (Vec<StepReport>, T) {
    let reports = Mutex::new(Vec::new());
    let result = of(&|report| reports.lock().unwrap().push(report));
    (reports.into_inner().unwrap(), result)
}

fn accepted(reports: &[StepReport]) -> Vec<Step> {
    let taken = |report: &StepReport| match report {
        StepReport::Accepted { taken, .. } => Some(*taken),
        StepReport::Rejected { .. } => None,
    };
    reports.iter().filter_map(taken).collect()
}

/// Each attempt is told once, in order; steps join without a gap and end at the end; an attempt
/// that is rejected is followed by a shorter one from the same time.
fn tells_a_whole_run(reports: &[StepReport], (start, end): (f64, f64), name: &str) {
    let (mut t, mut n, mut tried) = (start, 0, f64::INFINITY);
    for report in reports {
        match *report {
            StepReport::Accepted { step, taken, error } => {
                assert_eq!((step, taken.t), (n, t), "{name}");
                assert!((0.0..=1.0).contains(&error) && taken.t_next > t, "{name}: {report:?}");
                assert!(taken.h() < tried, "{name}: {report:?}");
                (t, n, tried) = (taken.t_next, n + 1, f64::INFINITY);
            }
            StepReport::Rejected { step, tried: refused, error } => {
                assert_eq!((step, refused.t), (n, t), "{name}");
                assert!(error.is_nan() || error > 1.0, "{name}: {report:?}");
                assert!(refused.h() < tried, "{name}: {report:?}");
                tried = refused.h();
            }
        }
    }
    assert_eq!(t, end, "{name}");
}

#[test]
fn every_attempt_is_told() {
    let model = pendulum();
    let mut rejections = 0;
    for name in ADAPTIVE {
        for rtol in [1e-3, 1e-6, 1e-9] {
            let (told, g) =
                reports(|observe| problem(&model, name).rtol(rtol).on_step(observe).gradient());
            let stats = g.unwrap().stats;
            tells_a_whole_run(&told, (0.0, 6.0), name);
            assert_eq!(accepted(&told).len() as u64, stats.steps, "{name}");
            assert_eq!((told.len() - accepted(&told).len()) as u64, stats.rejected, "{name}");
            rejections += stats.rejected;
            let (by_value, value) =
                reports(|observe| problem(&model, name).rtol(rtol).on_step(observe).value());
            assert_eq!(by_value, told, "{name}");
            assert_eq!(value.unwrap().1.rejected, stats.rejected, "{name}");
        }
    }
    assert!(rejections > 0);
}

#[test]
fn a_solution_tells_the_steps_of_its_grid() {
    let model = pendulum();
    let times = [0.0, 0.3, 3.0, 6.0];
    for name in ADAPTIVE {
        let (told, solution) =
            reports(|observe| problem(&model, name).on_step(observe).solve(&times));
        let solution = solution.unwrap();
        tells_a_whole_run(&told, (0.0, 6.0), name);
        let steps: Vec<Step> =
            (0..solution.grid.num_steps()).map(|n| solution.grid.step(n)).collect();
        assert_eq!(accepted(&told), steps, "{name}");
        assert_eq!((told.len() - steps.len()) as u64, solution.rejected, "{name}");
    }
    for name in FIXED.iter().chain(&ADAPTIVE) {
        let (told, solution) =
            reports(|observe| problem(&model, name).fixed_steps(60).on_step(observe).solve(&times));
        let (steps, grid) = (accepted(&told), solution.unwrap().grid);
        assert_eq!((told.len(), steps.len(), grid.num_steps()), (60, 60, 60), "{name}");
        assert!((0..60).all(|n| steps[n] == grid.step(n)), "{name}");
    }
}

/// A stiff model, where Newton's iteration fails and steps grow by many decades.
#[test]
fn a_stiff_run_is_told_too() {
    let stiff = robertson::p2();
    for name in ["kvaerno3", "kencarp4", "kvaerno5"] {
        let (told, g) = reports(|observe| {
            Problem::new(&stiff.ode, stiff.span, &stiff.p)
                .initial(&stiff.y0)
                .objective(&stiff.objective)
                .method(Method::by_name(name).unwrap())
                .on_step(observe)
                .gradient()
        });
        let stats = g.unwrap().stats;
        tells_a_whole_run(&told, stiff.span, name);
        assert_eq!(accepted(&told).len() as u64, stats.steps, "{name}");
        assert_eq!(told.len() as u64, stats.steps + stats.rejected, "{name}");
    }
}

#[test]
fn progress_never_goes_back() {
    let model = pendulum();
    for (kind, schedule) in ScheduleKind::ALL {
        let few = if schedule == ScheduleKind::StoreAll { 0..1 } else { 1..4 };
        for snapshots in few.map(|i| [None, Some(1), Some(3), Some(1000)][i]) {
            for fixed in [None, Some(1), Some(40)] {
                let told: Mutex<Vec<Progress>> = Mutex::new(Vec::new());
                let note = |progress| told.lock().unwrap().push(progress);
                let problem = problem(&model, "tsit5").schedule(schedule);
                let problem =
                    snapshots.map_or(problem.clone(), |snapshots| problem.snapshots(snapshots));
                let problem = fixed.map_or(problem.clone(), |steps| problem.fixed_steps(steps));
                let steps = problem.on_progress(&note).gradient().unwrap().stats.steps as usize;
                let told = told.into_inner().unwrap();
                progress(&told, steps, fixed.is_none(), &format!("{kind} {snapshots:?} {fixed:?}"));
            }
        }
    }
}

fn progress(told: &[Progress], steps: usize, adaptive: bool, name: &str) {
    // A controller pass is told first where the schedule needs the number of steps.
    let again = told.windows(2).position(|two| two[1].forward < two[0].forward);
    let pass = again.map_or(0, |last| last + 1);
    assert!(pass == 0 || adaptive, "{name}");
    assert!(told[..pass].iter().all(|progress| progress.reversed == 0), "{name}");
    for two in told[..pass].windows(2).chain(told[pass..].windows(2)) {
        assert!(two[0].forward <= two[1].forward && two[0].reversed <= two[1].reversed, "{name}");
        assert!(two[1].reversed - two[0].reversed <= 1, "{name}");
    }
    assert!(told.iter().all(|progress| progress.forward <= steps), "{name}");
    let end = Progress { forward: steps, reversed: steps };
    assert_eq!(told.last(), Some(&end), "{name}");
    assert_eq!(told.iter().filter(|&&progress| progress == end).count(), 1, "{name}");
}

/// Times at the start, at the end, twice the same, inside one step, and many.
fn times() -> Vec<f64> {
    let many = (0..=90).map(|i| 6.0 * f64::from(i) / 90.0);
    let mut times: Vec<f64> = many.chain([0.0, 2.5, 2.5, 2.5_f64.next_up(), 6.0]).collect();
    times.sort_by(f64::total_cmp);
    times
}

fn distance(a: &[Vec<f64>], b: &[Vec<f64>]) -> f64 {
    assert_eq!(a.len(), b.len());
    let pairs = a.iter().flatten().zip(b.iter().flatten());
    pairs.fold(0.0, |most, (a, b)| f64::max(most, (a - b).abs()))
}

#[test]
fn dense_output_agrees_with_a_tight_solution() {
    let (model, times) = (pendulum(), times());
    let tight = problem(&model, "dop853").rtol(1e-13).atol(1e-14).solve(&times).unwrap();
    for name in ADAPTIVE {
        let error = |rtol| {
            let problem = problem(&model, name).rtol(rtol).atol(1e-3 * rtol);
            let all = problem.solve(&times).unwrap();
            assert_eq!(all.times, times);
            // One time alone leaves the steps as long as the tolerance allows.
            let alone = |i| problem.solve(&times[i..=i]).unwrap().states;
            let each: Vec<_> = (0..times.len()).flat_map(alone).collect();
            let error = distance(&all.states, &tight.states).max(distance(&each, &tight.states));
            assert!(error <= 100.0 * rtol, "{name} {rtol}: {error}");
            error
        };
        let (loose, close, closest) = (error(1e-4), error(1e-6), error(1e-8));
        let text = format!("{name}: {loose} {close} {closest}");
        assert!(close < 0.2 * loose && closest < 0.2 * close, "{text}");
    }
    // Of the eighth-order method fewer steps: more leave nothing but rounding.
    let orders = [
        ("euler", 1, 60),
        ("heun", 2, 60),
        ("ssprk3", 3, 60),
        ("rk4", 3, 60),
        ("tsit5", 4, 60),
        ("dop853", 7, 15),
    ];
    for (name, order, steps) in orders {
        let error = |steps| {
            let solution = problem(&model, name).fixed_steps(steps).solve(&times).unwrap();
            distance(&solution.states, &tight.states)
        };
        let rate = (error(steps) / error(2 * steps)).log2();
        assert!(rate > f64::from(order) - 0.3, "{name}: order {rate}");
    }
}

/// The start and the end are the states themselves, not a reading of a polynomial.
#[test]
fn the_start_and_the_end_are_exact() {
    let model = pendulum();
    let all = FIXED.map(|name| problem(&model, name).fixed_steps(50));
    let all = all.into_iter().chain(ADAPTIVE.map(|name| problem(&model, name)));
    for problem in all {
        let ends = problem.solve(&[0.0, 6.0]).unwrap();
        assert_eq!(ends.states[0], [1.0, 0.0]);
        assert_eq!((ends.grid.time(0), ends.grid.end()), (0.0, 6.0));
        let infinite = problem.solve(&[f64::INFINITY]).unwrap();
        assert_eq!(infinite.states, [ends.states[1].clone()]);
        let none = problem.solve(&[]).unwrap();
        assert!(none.states.is_empty() && none.grid == ends.grid);
    }
    // A step's end that is asked for is the state that the step led to.
    let fixed = problem(&model, "rk4").fixed_steps(60);
    let grid = fixed.solve(&[]).unwrap().grid;
    let at_steps: Vec<f64> = (0..=60).map(|n| grid.time(n)).collect();
    let states = fixed.solve(&at_steps).unwrap().states;
    let half = problem(&model, "rk4").fixed_steps(60).solve(&[grid.time(30)]).unwrap().states;
    assert_eq!(states[30], half[0]);
    assert_eq!(states.len(), 61);
}

/// What a gradient reads at observations is what a solution reads there.
#[test]
fn the_objective_is_that_of_the_solution() {
    let model = pendulum();
    let (times, data) = ([0.0, 1.0, 2.5, 2.5, 6.0], [1.0, 0.5, 0.0, 0.1, -1.0]);
    for name in ADAPTIVE {
        let problem = problem(&model, name);
        let states = problem.solve(&times).unwrap().states;
        let misfit = states.iter().zip(data).map(|(y, data)| (y[0] - data).powi(2));
        let (expected, value) = (misfit.sum::<f64>(), problem.value().unwrap().0);
        assert!((expected - value).abs() <= 1e-14 * value, "{name}: {value} {expected}");
    }
}

/// Observations at the start, at the end, twice the same, and a rounding unit apart each count once.
#[test]
fn observations_as_close_as_time_allows() {
    let decay =
        Model::trace(1, 1, |_, y, p| [-&p[0] * &y[0]]).initial(|_| [1.0.into()]).build().unwrap();
    let half = 0.5_f64;
    let mut times =
        vec![0.0, 0.0, f64::MIN_POSITIVE, half, half.next_up(), half.next_up().next_up()];
    times.extend([1f64.next_down(), 1.0, 1.0, AT_END]);
    let fit = LeastSquares::new(times.clone(), vec![0.25; times.len()], &[1.0]).unwrap();
    let (mut value, mut slope) = (0.0, 0.0);
    for t in times.iter().map(|t| t.min(1.0)) {
        let y = (-t).exp();
        value += (y - 0.25).powi(2);
        slope -= 2.0 * (y - 0.25) * t * y;
    }
    for name in ADAPTIVE {
        for (kind, schedule) in ScheduleKind::ALL {
            let problem = Problem::new(&decay, (0.0, 1.0), &[1.0])
                .objective(&fit)
                .method(Method::by_name(name).unwrap())
                .rtol(1e-9)
                .schedule(schedule);
            let problem = match schedule {
                ScheduleKind::StoreAll => problem,
                _ => problem.snapshots(3),
            };
            let g = problem.gradient().unwrap();
            let text = format!("{name} {kind}: {} {}", g.value - value, g.wrt_params[0] - slope);
            assert!((g.value - value).abs() < 1e-8, "{text}");
            assert!((g.wrt_params[0] - slope).abs() < 1e-8, "{text}");
        }
    }
}

/// J = y_1(T) of a gradient is the last state of a solution, to the bit: both take the same steps.
#[test]
fn a_gradient_ends_where_a_solution_ends() {
    let model = Model::trace(2, 2, |t, y, p| {
        [y[1].clone(), -(&p[0] * y[0].sin()) + &p[1] * (2.0 * t).cos()]
    })
    .initial(|_| [1.0.into(), 0.0.into()])
    .terminal(|y, _| y[1].clone())
    .build()
    .unwrap();
    let fixed = FIXED.iter().chain(&ADAPTIVE).map(|name| problem(&model, name).fixed_steps(50));
    let controlled = ADAPTIVE.iter().map(|name| problem(&model, name));
    for problem in fixed.chain(controlled) {
        let solution = problem.solve(&[6.0]).unwrap();
        let name = solution.method;
        let expected = solution.states[0][1].to_bits();
        assert_eq!(problem.value().unwrap().0.to_bits(), expected, "{name}");
        for snapshots in [1, 4, 1000] {
            let g = problem.clone().snapshots(snapshots).gradient().unwrap();
            assert_eq!(g.value.to_bits(), expected, "{name} {snapshots}");
            assert_eq!(g.stats.steps as usize, solution.grid.num_steps(), "{name}");
            assert_eq!(g.stats.rejected, solution.rejected, "{name}");
        }
    }
}
