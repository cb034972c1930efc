//! Laws of the flow around a section.

use costate::method::Method;
use costate::method::tableau::{EULER, RK4, SSPRK3};
use costate::ode::{At, Bars, Dots, Jvp, Ode, Vjp};
use costate::problem::{Problem, ScheduleKind};
use costate_models::aerodynamics::checks::free_stream_residual;
use costate_models::aerodynamics::euler::Complex;
use costate_models::aerodynamics::wing::parameters::{
    self, ALPHA, CAMBER, CAMBER_PLACE, FREQUENCY, LOWER, MACH, NUM_PARAMS, PITCH, PLUNGE,
    THICKNESS, UPPER, names,
};
use costate_models::aerodynamics::wing::{Coefficients, Mean, Wing, WingError, courant};

const LIFT: Coefficients = Coefficients { lift: 1.0, drag: 0.0, moment: 0.0 };

fn numbers(n: usize, seed: u64) -> Vec<f64> {
    let mut random = fastrand::Rng::with_seed(seed);
    (0..n).map(|_| 2.0 * random.f64() - 1.0).collect()
}

/// A cambered section with bumps that pitches and plunges.
fn all_moves() -> Vec<f64> {
    let mut p = parameters::symmetric(0.55, 0.03, 0.12);
    (p[PITCH], p[FREQUENCY], p[PLUNGE]) = (0.02, 0.3, 0.01);
    (p[CAMBER], p[CAMBER_PLACE]) = (0.02, 0.41);
    for (k, bump) in UPPER.chain(LOWER).enumerate() {
        p[bump] = 1e-3 * (k as f64).sin();
    }
    p
}

/// The state at a time after the section was put into the stream.
fn developed(wing: &Wing, p: &[f64], end: f64) -> Vec<f64> {
    let h = 0.8 * wing.largest_step(&SSPRK3, 0.0, &wing.free_stream(p), p).0;
    developed_by(wing, p, end, (end / h).ceil() as usize)
}

/// The same by a number of steps.
fn developed_by(wing: &Wing, p: &[f64], end: f64, steps: usize) -> Vec<f64> {
    let y0 = wing.free_stream(p);
    let problem = Problem::new(wing, (0.0, end), p).initial(&y0);
    let run = problem.method(Method::Named(&SSPRK3)).fixed_steps(steps).solve(&[end]).unwrap();
    run.states.into_iter().next().unwrap()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[test]
fn the_transposed_derivative_is_that_of_the_tangent() {
    for (around, rings) in [(32, 12), (16, 7), (16, 5), (16, 4), (16, 3), (16, 2)] {
        transposed_is_tangent(&Wing::new(around, rings, 10.0).unwrap());
    }
}

fn transposed_is_tangent(wing: &Wing) {
    let p = all_moves();
    wing.check(&p).unwrap();
    let y = developed(wing, &p, 0.5);
    let (t, d) = (0.5, y.len());
    let (mut dy, mut work) = (vec![0.0; d], wing.work());
    wing.rhs(At { t, y: &y, p: &p }, &mut dy, &mut work);
    for seed in 0..3 {
        let w = numbers(d, seed);
        let (mut y_bar, mut p_bar, mut t_bar) = (vec![0.0; d], vec![0.0; NUM_PARAMS], 0.0);
        let bars = Bars { y: &mut y_bar, p: &mut p_bar, t: &mut t_bar };
        wing.vjp(At { t, y: &y, p: &p }, &w, bars, &mut work);
        // The state, then each parameter.
        for k in 0..=NUM_PARAMS {
            let mut y_dot = vec![0.0; d];
            let mut p_dot = vec![0.0; NUM_PARAMS];
            if k == NUM_PARAMS {
                y_dot = numbers(d, 99 + seed);
            } else {
                p_dot[k] = 1.0;
            }
            let mut dy_dot = vec![0.0; d];
            wing.jvp(At { t, y: &y, p: &p }, Dots { y: &y_dot, p: &p_dot }, &mut dy_dot, &mut work);
            let (forward, back) = (dot(&w, &dy_dot), dot(&y_bar, &y_dot) + dot(&p_bar, &p_dot));
            let size: f64 = w.iter().zip(&dy_dot).map(|(a, b)| (a * b).abs()).sum();
            let names = names();
            let name = names.get(k).map_or("state", String::as_str);
            assert!((forward - back).abs() <= 1e-12 * size, "{name}: {forward} {back} of {size}");
            assert!(size > 0.0, "{name}");
        }
    }
}

/// The problem of the gradient's checks: the mean lift of the second half of a run.
const SPAN: (f64, f64) = (0.0, 1.5);
const STEPS: usize = 120;

#[test]
fn the_gradient_is_that_of_central_differences() {
    let (wing, p) = (Wing::new(32, 12, 10.0).unwrap(), all_moves());
    let weights = Coefficients { lift: 1.0, drag: 0.7, moment: -0.4 };
    let objectives = [Mean::over(&wing, weights, (0.75, 1.5)), Mean::at_end(&wing, weights)];
    for objective in objectives {
        let value = |p: &[f64]| {
            let problem = Problem::new(&wing, SPAN, p).initial(&wing).objective(&objective);
            problem.method(Method::Named(&SSPRK3)).fixed_steps(STEPS).value().unwrap().0
        };
        let problem = Problem::new(&wing, SPAN, &p)
            .initial(&wing)
            .objective(&objective)
            .method(Method::Named(&SSPRK3))
            .fixed_steps(STEPS);
        let gradient = problem.gradient().unwrap();
        assert_eq!(gradient.value.to_bits(), value(&p).to_bits());
        let mut worst = 0.0_f64;
        for (k, name) in names().iter().enumerate() {
            let central = |h: f64| {
                let at = |h: f64| {
                    let mut p = p.clone();
                    p[k] += h;
                    value(&p)
                };
                (at(h) - at(-h)) / (2.0 * h)
            };
            // Central differences, extrapolated.
            let h = 2e-4 * (0.1 + p[k].abs());
            let difference = (4.0 * central(h) - central(2.0 * h)) / 3.0;
            let error = (gradient.wrt_params[k] - difference).abs() / difference.abs();
            assert!(error <= 1e-6, "{name}: {} {difference}", gradient.wrt_params[k]);
            worst = worst.max(error);
        }
        println!("largest relative error of the gradient: {worst:e}");
    }
}

/// Two cores share every evaluation.
#[test]
fn gradients_have_the_same_bits_on_two_cores() {
    for (around, rings, steps) in [(16, 5, 60), (128, 32, 400)] {
        let [alone, together] = [1, 2].map(|cores| {
            let wing = Wing::new(around, rings, 10.0).unwrap().on_cores(cores);
            let objective = Mean::over(&wing, LIFT, (0.3, 0.6));
            let p = all_moves();
            let problem = Problem::new(&wing, (0.0, 0.6), &p).initial(&wing).objective(&objective);
            problem.method(Method::Named(&RK4)).fixed_steps(steps).gradient().unwrap()
        });
        assert_eq!(alone.value.to_bits(), together.value.to_bits());
        assert_eq!(alone.wrt_params, together.wrt_params);
        assert_eq!(alone.wrt_y0, together.wrt_y0);
        assert!(alone.wrt_params.iter().all(|x| *x != 0.0));
    }
}

#[test]
fn the_derivative_by_time_is_that_of_differences() {
    let (wing, p) = (Wing::new(32, 12, 10.0).unwrap(), all_moves());
    let (t, y) = (0.5, developed(&wing, &p, 0.5));
    let (mut dy, mut work, w) = (vec![0.0; y.len()], wing.work(), numbers(y.len(), 5));
    let mut at = |t: f64| {
        wing.rhs(At { t, y: &y, p: &p }, &mut dy, &mut work);
        dot(&w, &dy)
    };
    let mut central = |h: f64| (at(t + h) - at(t - h)) / (2.0 * h);
    let difference = (4.0 * central(1e-4) - central(2e-4)) / 3.0;
    at(t);
    let (mut y_bar, mut p_bar, mut t_bar) = (vec![0.0; y.len()], vec![0.0; NUM_PARAMS], 0.0);
    let bars = Bars { y: &mut y_bar, p: &mut p_bar, t: &mut t_bar };
    wing.vjp(At { t, y: &y, p: &p }, &w, bars, &mut work);
    assert!((t_bar - difference).abs() <= 1e-8 * difference.abs(), "{t_bar} {difference}");
}

/// Without the section, which is no part of a uniform flow.
#[test]
fn a_uniform_flow_stays_on_the_moving_grid() {
    let (wing, p) = (Wing::new(64, 24, 50.0).unwrap(), all_moves());
    for t in [0.0, 3.0, 10.0] {
        let residual = free_stream_residual(&wing, t, &p);
        assert!(residual <= 1e-14, "{residual:e}");
    }
}

#[test]
fn gradients_have_the_same_bits_over_schedules() {
    let (wing, p) = (Wing::new(16, 8, 8.0).unwrap(), all_moves());
    let (y0, objective) = (wing.free_stream(&p), Mean::over(&wing, LIFT, (0.3, 0.6)));
    let problem = Problem::new(&wing, (0.0, 0.6), &p)
        .initial(&y0)
        .objective(&objective)
        .method(Method::Named(&SSPRK3))
        .fixed_steps(40);
    let all = problem.gradient().unwrap();
    assert!(all.wrt_params.iter().all(|x| *x != 0.0));
    for snapshots in [1, 2, 5, 39] {
        for kind in [ScheduleKind::Revolve, ScheduleKind::Uniform, ScheduleKind::Bisection] {
            let few = problem.clone().snapshots(snapshots).schedule(kind).gradient().unwrap();
            assert_eq!(few.value, all.value);
            assert_eq!(few.wrt_params, all.wrt_params, "{snapshots} {kind:?}");
            assert_eq!(few.wrt_y0, all.wrt_y0, "{snapshots} {kind:?}");
        }
    }
}

/// The grid met last is shared by all threads, which work on two shapes at once here.
#[test]
fn gradients_have_the_same_bits_on_threads() {
    let wing = Wing::new(16, 8, 8.0).unwrap();
    let mut other = all_moves();
    other[THICKNESS] = 0.1;
    let shapes = &[all_moves(), other];
    let gradient = &|p: &[f64]| {
        let (y0, objective) = (wing.free_stream(p), Mean::over(&wing, LIFT, (0.3, 0.6)));
        let problem = Problem::new(&wing, (0.0, 0.6), p).initial(&y0).objective(&objective);
        let problem = problem.method(Method::Named(&SSPRK3)).fixed_steps(40).snapshots(3);
        problem.gradient().unwrap().wrt_params
    };
    let alone = [gradient(&shapes[0]), gradient(&shapes[1])];
    let together = std::thread::scope(|scope| {
        let run = |k: usize| scope.spawn(move || gradient(&shapes[k]));
        [0, 1, 0, 1].map(run).map(|thread| thread.join().unwrap())
    });
    for (k, bits) in together.iter().enumerate() {
        assert_eq!(bits, &alone[k % 2]);
    }
    assert!(alone[0] != alone[1]);
}

#[test]
fn grids_around_known_sections_are_sound() {
    // Thickness, camber and its place of NACA 0006, 0012, 0024, 2412, 4412 and 6409.
    let sections = [
        [0.06, 0.0, 0.4],
        [0.12, 0.0, 0.4],
        [0.24, 0.0, 0.4],
        [0.12, 0.02, 0.4],
        [0.12, 0.04, 0.4],
        [0.09, 0.06, 0.4],
    ];
    for (around, rings) in [(32, 8), (64, 24), (256, 96)] {
        let wing = Wing::new(around, rings, 50.0).unwrap();
        for [thickness, camber, place] in sections {
            let mut p = parameters::symmetric(0.5, 0.0, thickness);
            (p[CAMBER], p[CAMBER_PLACE]) = (camber, place);
            wing.check(&p).unwrap();
            let grid = wing.grid(&p);
            let enclosed = |j: usize| {
                let ring = &grid.metrics.nodes[j * (around + 1)..(j + 1) * (around + 1)];
                let cross = |pair: &[Complex]| pair[0].x * pair[1].y - pair[1].x * pair[0].y;
                0.5 * ring.windows(2).map(cross).sum::<f64>()
            };
            let (section, all) = (enclosed(0), enclosed(rings));
            let cells: f64 = grid.metrics.area.iter().sum();
            assert!((cells - (all - section)).abs() <= 1e-12 * all);
            // 2 ∫ y_t ds along the camber line, to the order of the edges.
            let exact = 10.0
                * thickness
                * (0.2969 / 1.5 - 0.126 / 2.0 - 0.3516 / 3.0 + 0.2843 / 4.0 - 0.1036 / 5.0);
            let error = (section / exact - 1.0).abs();
            let lengthening = (2.0 * camber / place).powi(2) / 2.0;
            assert!(error <= 12.0 / (around * around) as f64 + lengthening, "{error}");
        }
    }
}

#[test]
fn a_symmetric_section_at_no_angle_has_no_lift() {
    let (wing, p) = (Wing::new(64, 16, 20.0).unwrap(), parameters::symmetric(0.63, 0.0, 0.12));
    let y = developed(&wing, &p, 8.0);
    let c = wing.coefficients(8.0, &y, &p);
    assert!(c.lift.abs() <= 1e-10 && c.moment.abs() <= 1e-10, "{c:?}");
    assert!(c.drag.abs() > 1e-3);
}

#[test]
fn mirrored_sections_have_mirrored_forces() {
    let wing = Wing::new(32, 12, 10.0).unwrap();
    let up = parameters::symmetric(0.5, 0.1, 0.12);
    let mut down = up.clone();
    down[ALPHA] = -0.1;
    let force = |p: &[f64]| wing.coefficients(1.0, &developed_by(&wing, p, 1.0, 150), p);
    let (up, down) = (force(&up), force(&down));
    let gaps = [up.lift + down.lift, up.drag - down.drag, up.moment + down.moment];
    assert!(gaps.iter().all(|gap| gap.abs() <= 1e-12) && up.lift > 0.05, "{up:?} {down:?}");
}

#[test]
fn the_largest_step_is_stable_and_longer_ones_are_refused() {
    let (wing, p) = (Wing::new(32, 12, 10.0).unwrap(), all_moves());
    // Put into the stream at once, a section first meets faster flows than the stream.
    let y0 = developed(&wing, &p, 1.0);
    for tableau in [&SSPRK3, &RK4] {
        let (h, _) = wing.largest_step(tableau, 0.0, &y0, &p);
        let span = (0.0, 199.9 * h);
        wing.check_steps(tableau, span, 200, (0.0, &y0), &p).unwrap();
        let error = wing.check_steps(tableau, span, 100, (0.0, &y0), &p).unwrap_err();
        let WingError::StepTooLong { largest, steps, .. } = error else { panic!("{error}") };
        assert_eq!((largest, steps), (h, 223));
        assert!(error.to_string().contains("take 223 steps or more"), "{error}");
        let problem = Problem::new(&wing, span, &p).initial(&y0).method(Method::Named(tableau));
        assert!(problem.clone().fixed_steps(steps).solve(&[span.1]).is_ok());
        let error = problem.fixed_steps(100).solve(&[span.1]).err().unwrap();
        let place = wing.explain(&p, &error).unwrap();
        assert!(matches!(place, WingError::BlewUp { i: 0..32, j: 0..12, .. }), "{place}");
    }
}

#[test]
fn the_stable_courant_number_is_that_of_the_wave() {
    // One stage is unstable with any slopes: the scheme is central for long waves.
    assert!(courant(&EULER) < 1e-2);
    // Known of four stages with slopes: around 1.7; of three, around 1.2.
    println!("courant numbers: {} {}", courant(&SSPRK3), courant(&RK4));
    assert!((1.0..1.5).contains(&courant(&SSPRK3)) && (1.2..2.0).contains(&courant(&RK4)));
}

#[test]
fn bad_input_is_refused_with_what_to_try() {
    type Case = (fn(&mut Vec<f64>), &'static str);
    let cases: [Case; 9] = [
        (|p| p[MACH] = 1.2, "must be subsonic"),
        (|p| (p[MACH], p[FREQUENCY], p[PLUNGE]) = (0.8, 0.5, 0.3), "plunging velocity"),
        (|p| p[MACH] = 0.0, "mach = 0: it must be above 0"),
        (|p| p[THICKNESS] = -0.1, "thickness = -0.1"),
        (|p| p[CAMBER_PLACE] = 1.0, "camber_place = 1"),
        (|p| p[LOWER.start + 4] = -0.2, "not closed"),
        (|p| p[CAMBER] = f64::NAN, "camber, is not a finite number"),
        (|p| p[UPPER.start + 10] = 0.9, "folded"),
        (|p| p.truncate(5), "5 parameters were given: the wing has 30"),
    ];
    let wing = Wing::new(32, 12, 10.0).unwrap();
    for (change, words) in cases {
        let mut p = all_moves();
        change(&mut p);
        let error = wing.check(&p).expect_err(words).to_string();
        assert!(error.contains(words), "{error}");
    }
    for (around, rings, radius) in [(30, 12, 10.0), (0, 12, 10.0), (32, 1, 10.0), (32, 8, f64::NAN)]
    {
        assert!(matches!(Wing::new(around, rings, radius), Err(WingError::Rings { .. })));
    }
}

#[test]
fn a_folded_grid_stops_the_run() {
    let wing = Wing::new(32, 12, 10.0).unwrap();
    let mut p = all_moves();
    p[UPPER.start + 10] = 0.9;
    let y0 = wing.free_stream(&p);
    let problem = Problem::new(&wing, (0.0, 0.1), &p).initial(&y0).method(Method::Named(&RK4));
    assert!(problem.fixed_steps(10).solve(&[0.1]).is_err());
}
