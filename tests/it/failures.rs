//! What cannot be done is refused, in words that say what, where and what to try; and nothing that
//! is asked for runs without end.

use std::time::{Duration, Instant};

use costate::adjoint::gradient;
use costate::error::Error;
use costate::expr::Expr;
use costate::method::continuous::Continuous;
use costate::method::control::Control;
use costate::method::solve::{Solver, Stepping};
use costate::method::stepper::{ExplicitRk, Tolerances};
use costate::method::tableau::{ESDIRK, EXPLICIT, RK4, TSIT5, Tableau};
use costate::method::{AdjointKind, Method};
use costate::model::Model;
use costate::ode::grid::{Span, TimeGrid};
use costate::ode::objective::{LeastSquares, Terminal};
use costate::problem::{Problem, ScheduleKind};
use costate::recurrence::{Adaptive, Discretization};
use costate::schedule::{Action, Bisection, Keep, Online, Revolve, Schedule, StoreAll, Uniform};
use costate::snapshot::MemoryStore;
use costate_models::chemistry::robertson;

use crate::common::listed::Listed;

/// y' = f(y, p) from y(0) = `y0`, J = y(T).
fn scalar(y0: f64, rate: impl FnOnce(&Expr, &Expr, &Expr) -> Expr) -> Model {
    Model::trace(1, 1, |t, y, p| [rate(t, &y[0], &p[0])])
        .initial(|_| [y0.into()])
        .terminal(|y, _| y[0].clone())
        .build()
        .unwrap()
}

fn decay() -> Model {
    scalar(1.0, |_, y, p| -(p * y))
}

fn oscillator() -> Model {
    Model::trace(2, 1, |_, y, p| [y[1].clone(), -(&p[0] * &y[0])])
        .initial(|_| [1.0.into(), 0.0.into()])
        .terminal(|y, _| y[0].clone())
        .build()
        .unwrap()
}

fn problem<'a>(model: &'a Model, end: f64, p: &'a [f64]) -> Problem<'a> {
    Problem::new(model, (0.0, end), p).method(Method::Auto)
}

fn named(name: &str) -> Method {
    Method::by_name(name).unwrap()
}

/// Gradient, value and solution all fail with this text.
fn refuses(problem: &Problem<'_>, text: &str) {
    assert_eq!(problem.gradient().unwrap_err().to_string(), text);
    assert_eq!(problem.value().unwrap_err().to_string(), text);
    assert_eq!(problem.solve(&[]).unwrap_err().to_string(), text);
}

/// Gradient and value fail with this text.
fn fails(problem: &Problem<'_>, text: &str) {
    assert_eq!(problem.gradient().unwrap_err().to_string(), text);
    assert_eq!(problem.value().unwrap_err().to_string(), text);
}

#[test]
fn settings_that_cannot_be_used() {
    let decay = decay();
    let p = |p: &'static [f64]| problem(&decay, 1.0, p);
    let good = p(&[1.0]);
    assert!(good.gradient().is_ok());
    let rtol = |x| good.clone().rtol(x);
    let atol = |x| good.clone().atol(x);
    let cases = [
        (rtol(-1e-6), "rtol is -1e-6: it must be at least 0 and less than 1"),
        (rtol(f64::NAN), "rtol is NaN: it must be at least 0 and less than 1"),
        (rtol(1.0), "rtol is 1: it must be at least 0 and less than 1"),
        (rtol(f64::INFINITY), "rtol is inf: it must be at least 0 and less than 1"),
        (atol(-1.0), "atol is -1: it must be a finite number that is not negative"),
        (atol(f64::NAN), "atol is NaN: it must be a finite number that is not negative"),
        (atol(f64::INFINITY), "atol is inf: it must be a finite number that is not negative"),
        (atol(0.0).rtol(0.0), "atol is 0: it must be positive where rtol is zero"),
        (
            good.clone().atol_each(vec![1e-9; 2]),
            "the list of absolute tolerances has 2 entries: the model has 1",
        ),
        (
            good.clone().atol_each(vec![]),
            "the list of absolute tolerances has 0 entries: the model has 1",
        ),
        (good.clone().snapshots(0), "the number of snapshots is 0: it must be at least 1"),
        (good.clone().fixed_steps(0), "the number of steps is 0: it must be at least 1"),
        (good.clone().max_steps(0), "the step limit is 0: it must be at least 1"),
        (p(&[f64::NAN]), "parameter 0 is NaN: it must be a finite number"),
        (p(&[f64::NEG_INFINITY]), "parameter 0 is -inf: it must be a finite number"),
        (p(&[]), "the parameter vector has 0 entries: the model has 1"),
        (p(&[1.0, 2.0]), "the parameter vector has 2 entries: the model has 1"),
        (
            good.clone().method(named("rk4")),
            "rk4 has no error estimate to control steps by: give a number of fixed steps, or take \
             another method, such as tsit5",
        ),
        (
            good.clone().method(named("euler")),
            "euler has no error estimate to control steps by: give a number of fixed steps, or \
             take another method, such as tsit5",
        ),
    ];
    for (problem, text) in &cases {
        refuses(problem, text);
    }
}

#[test]
fn spans_that_do_not_go_forward() {
    let decay = decay();
    let cases = [
        ((1.0, 0.0), "[1, 0]"),
        ((1.0, 1.0), "[1, 1]"),
        ((f64::NAN, 1.0), "[NaN, 1]"),
        ((0.0, f64::NAN), "[0, NaN]"),
        ((0.0, f64::INFINITY), "[0, inf]"),
        ((f64::NEG_INFINITY, 0.0), "[-inf, 0]"),
    ];
    for (span, shown) in cases {
        let text =
            format!("the time span {shown} does not go forward: its end must come after its start");
        for steps in [None, Some(3)] {
            let problem = Problem::new(&decay, span, &[1.0]);
            let problem = problem.method(Method::Auto);
            refuses(&steps.map_or(problem.clone(), |steps| problem.fixed_steps(steps)), &text);
        }
    }
}

#[test]
fn observations_that_no_step_meets() {
    let decay = decay();
    let fit = |times: &[f64]| LeastSquares::new(times.to_vec(), vec![0.0; times.len()], &[1.0]);
    let cases: [(&[f64], &str); 3] = [
        (&[0.5, 1.5], "observation 1 at t = 1.5"),
        (&[-0.5, 0.5], "observation 0 at t = -0.5"),
        (&[f64::NEG_INFINITY, 0.5], "observation 0 at t = -inf"),
    ];
    for (times, which) in cases {
        let objective = fit(times).unwrap();
        let text =
            format!("{which} lies outside the time span [0, 1]: drop it, or lengthen the span");
        let problem = Problem::new(&decay, (0.0, 1.0), &[1.0]).objective(&objective);
        let problem = problem.method(Method::Auto);
        fails(&problem, &text);
        fails(&problem.clone().fixed_steps(4), &text);
        assert_eq!(problem.solve(times).unwrap_err().to_string(), text);
    }
    let text = "observation 1 at t = 0.25 comes before the one ahead of it: sort by time";
    assert_eq!(fit(&[0.5, 0.25]).unwrap_err().to_string(), text);
    let sorted = problem(&decay, 1.0, &[1.0]);
    assert_eq!(sorted.solve(&[0.5, 0.25]).unwrap_err().to_string(), text);
    let text = "observation 0 at t = NaN lies outside the time span [0, 1]: drop it, or lengthen \
                the span";
    assert_eq!(sorted.solve(&[f64::NAN]).unwrap_err().to_string(), text);
}

#[test]
fn a_method_that_is_not_there() {
    assert_eq!(
        Method::by_name("rk45").unwrap_err().to_string(),
        "there is no method rk45: take one of auto, euler, heun, bs3, ssprk3, rk4, dopri5, tsit5, \
         dop853, kvaerno3, kencarp4, kvaerno5, esdirk547"
    );
    for name in ["", "RK4", "tsit5 "] {
        assert!(matches!(Method::by_name(name), Err(Error::UnknownMethod { .. })));
    }
}

/// The message of a stiff or endless run, without the step and time that depend on rounding.
fn step_limit(error: Error) -> (usize, f64, f64, bool, String) {
    let text = error.to_string();
    match error {
        Error::StepLimit { steps, t, end, stiff } => (steps, t, end, stiff, text),
        other => panic!("{other}"),
    }
}

#[test]
fn a_stiff_model_under_an_explicit_method() {
    let problem = robertson::p2();
    let terminal = &problem.objective;
    let stiff = Problem::new(&problem.ode, (0.0, 1e4), &problem.p)
        .initial(&problem.y0)
        .objective(terminal)
        .method(named("tsit5"))
        .max_steps(2000);
    for error in [stiff.gradient().unwrap_err(), stiff.solve(&[1.0]).unwrap_err()] {
        let (steps, t, end, stiff, text) = step_limit(error);
        assert!(steps == 2000 && stiff && end == 1e4 && t > 0.0 && t < 1e4, "{text}");
        assert_eq!(
            text,
            format!(
                "2000 steps did not reach the end: the run stopped at t = {t} of 10000; the \
                 problem is stiff: take an implicit method such as kvaerno5"
            )
        );
    }
    // What the message says to try works, and the automatic choice needs no telling.
    assert!(stiff.clone().method(named("kvaerno5")).gradient().is_ok());
    assert!(stiff.method(Method::Auto).gradient().is_ok());
}

#[test]
fn a_run_that_is_not_stiff_but_long() {
    let oscillator = oscillator();
    let problem = problem(&oscillator, 1e3, &[1.0]).max_steps(50);
    for name in ["auto", "bs3", "tsit5", "dop853", "kvaerno5"] {
        let (steps, t, end, stiff, text) =
            step_limit(problem.clone().method(named(name)).gradient().unwrap_err());
        assert!(steps == 50 && !stiff && end == 1e3 && t > 0.0, "{name}: {text}");
        assert_eq!(
            text,
            format!(
                "50 steps did not reach the end: the run stopped at t = {t} of 1000; loosen the \
                 tolerances, raise the step limit, or end the run earlier"
            )
        );
    }
}

#[test]
fn a_solution_that_blows_up() {
    // y = 1/(1 − t): state 1 of two; the first decays.
    let model = Model::trace(2, 1, |_, y, p| [-y[0].clone(), &p[0] * &y[1] * &y[1]])
        .initial(|_| [1.0.into(), 1.0.into()])
        .terminal(|y, _| y[1].clone())
        .build()
        .unwrap();
    for name in ["auto", "bs3", "tsit5", "dopri5", "dop853", "kvaerno3", "kencarp4", "kvaerno5"] {
        let error = problem(&model, 2.0, &[1.0]).method(named(name)).gradient().unwrap_err();
        let text = error.to_string();
        match error {
            Error::StepSizeTooSmall { step, t, h, component, implicit } => {
                let advice = match implicit {
                    true => " or loosen the tolerances",
                    false => ", loosen the tolerances, or take an implicit method such as kvaerno5",
                };
                assert_eq!(implicit, name.starts_with('k'));
                assert!(component == 1 && step > 10 && (t - 1.0).abs() < 1e-3, "{name}: {text}");
                assert_eq!(
                    text,
                    format!(
                        "the step size fell to {h:e} in step {step} at t = {t} (worst: state 1): \
                         the solution blows up or is not smooth there; end the run earlier{advice}"
                    )
                );
            }
            Error::NotFinite { step, t, component } => {
                assert!(component == 1 && step > 10 && (t - 1.0).abs() < 1e-3, "{name}: {text}");
                assert_eq!(text, not_finite(1, step, t));
            }
            _ => panic!("{name}: {text}"),
        }
    }
    let fixed = problem(&model, 20.0, &[1.0]).method(named("rk4")).fixed_steps(40);
    let error = fixed.gradient().unwrap_err();
    let Error::NotFinite { step, t, component: 1 } = error else { panic!("{error}") };
    assert!((1..40).contains(&step) && t > 1.0 && t < 20.0);
    refuses(&fixed, &not_finite(1, step, t));
}

fn not_finite(component: usize, step: usize, t: f64) -> String {
    format!(
        "state {component} is not finite in step {step} at t = {t}: the solution blows up or the \
         model is undefined there; end the run earlier, or check the parameters"
    )
}

#[test]
fn a_right_hand_side_that_is_nan() {
    for name in ["auto", "tsit5", "dop853", "kvaerno5"] {
        let at_start = scalar(1.0, |_, y, p| y * (p - 2.0).sqrt());
        let start = problem(&at_start, 1.0, &[1.0]).method(named(name));
        refuses(&start, &not_finite(0, 0, 0.0));
        // √(1/2 − t) has no value after t = 1/2.
        let later = scalar(1.0, |t, y, p| p * y * (0.5 - t).sqrt());
        let error = problem(&later, 1.0, &[1.0]).method(named(name)).gradient().unwrap_err();
        let text = error.to_string();
        let (Error::NotFinite { t, .. } | Error::StepSizeTooSmall { t, .. }) = error else {
            panic!("{name}: {text}")
        };
        assert!((t - 0.5).abs() < 1e-3, "{name}: {text}");
    }
    let at_start = scalar(1.0, |_, y, p| y * (p - 2.0).sqrt());
    let fixed = problem(&at_start, 1.0, &[1.0]).method(named("rk4")).fixed_steps(4);
    refuses(&fixed, &not_finite(0, 0, 0.25));
}

#[test]
fn an_initial_state_that_is_nan() {
    let decay = decay();
    let nan = vec![f64::NAN];
    let problem = Problem::new(&decay, (0.0, 1.0), &[1.0])
        .initial(&nan)
        .objective(&decay)
        .method(Method::Auto);
    refuses(&problem, &not_finite(0, 0, 0.0));
    refuses(&problem.fixed_steps(3), &not_finite(0, 0, 0.0));
}

#[test]
fn lengths_that_do_not_fit() {
    let decay = decay();
    let long = vec![1.0, 2.0];
    let problem = Problem::new(&decay, (0.0, 1.0), &[1.0])
        .initial(&long)
        .objective(&decay)
        .method(Method::Auto);
    refuses(&problem, "the initial state has 2 entries: the model has 1");
    let fit = LeastSquares::new(vec![0.5], vec![1.0, 2.0], &[1.0]).unwrap();
    let problem = Problem::new(&decay, (0.0, 1.0), &[1.0]).objective(&fit).method(Method::Auto);
    refuses(
        &problem,
        "the observed component is 1: it must be less than the number of states of the model",
    );
    let wider = Model::trace(2, 3, |_, y, _| [y[1].clone(), y[0].clone()])
        .initial(|_| [1.0.into(), 1.0.into()])
        .terminal(|y, p| &y[1] * &p[2])
        .build()
        .unwrap();
    let problem = Problem::new(&decay, (0.0, 1.0), &[1.0])
        .initial(&wider)
        .objective(&decay)
        .method(Method::Auto);
    refuses(&problem, "the initial state has 2 entries: the model has 1");
    let problem = Problem::new(&decay, (0.0, 1.0), &[1.0]).objective(&wider).method(Method::Auto);
    refuses(&problem, "the objective's list of states has 2 entries: the model has 1");
    let (tsit5, span) = (ExplicitRk::new(&TSIT5).unwrap(), Span { start: 0.0, end: 1.0 });
    let fixed = |span, steps, y0: &[f64], p: &[f64]| {
        let (ode, stepper, stepping) = (&decay, &tsit5, &Stepping::Fixed(steps));
        let run = Solver { ode, stepper, span, stepping, observe: &|_| {} }.solve(y0, p, &[]);
        run.map(|_| ()).map_err(|error| error.to_string())
    };
    let texts = [
        (fixed(span, 2, &[1.0, 2.0], &[1.0]), "the initial state has 2 entries: the model has 1"),
        (fixed(span, 2, &[1.0], &[]), "the parameter vector has 0 entries: the model has 1"),
        (fixed(span, 0, &[1.0], &[1.0]), "the number of steps is 0: it must be at least 1"),
        (
            fixed(Span { start: 1.0, end: 0.0 }, 2, &[1.0], &[1.0]),
            "the time span [1, 0] does not go forward: its end must come after its start",
        ),
    ];
    for (result, text) in texts {
        assert_eq!(result.unwrap_err(), text);
    }
}

#[test]
fn grids_that_are_none() {
    let decay = decay();
    let new = |times: &[f64]| {
        let grid = TimeGrid::Times(times.to_vec());
        let chain = Discretization::new(
            &decay,
            &decay,
            &decay,
            ExplicitRk::<f64>::new(&RK4).unwrap(),
            grid,
        );
        chain.map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(new(&[0.0, 0.5, 1.0]), Ok(()));
    let span = "does not go forward: its end must come after its start";
    let cases: [(&[f64], String); 3] = [
        (&[], "the number of times of the grid is 0: it must be at least 1".into()),
        (&[0.0, 0.5, 0.5, 1.0], format!("the time span [0.5, 0.5] {span}")),
        (&[0.0, f64::NAN, 1.0], format!("the time span [0, NaN] {span}")),
    ];
    for (times, text) in cases {
        assert_eq!(new(times), Err(text));
    }
}

#[test]
fn an_objective_that_is_not_finite() {
    let decay = decay();
    let costs: [fn(f64) -> f64; 2] = [|y| (y - 2.0).ln(), |y| y / 0.0];
    for cost in costs {
        let cost = move |y: &[f64], _: &[f64]| cost(y[0]);
        let objective =
            Terminal::new(cost, |_: &[f64], _: &[f64], _: &mut [f64], _: &mut [f64]| {});
        let problem = Problem::new(&decay, (0.0, 1.0), &[1.0]).objective(&objective);
        let problem = problem.method(Method::Auto).fixed_steps(4);
        fails(
            &problem,
            "the objective is not finite in step 3, at or before t = 1: check its expression and data",
        );
    }
    let fit = LeastSquares::new(vec![0.25, 0.5], vec![1.0, f64::NAN], &[1.0]).unwrap();
    let problem = Problem::new(&decay, (0.0, 1.0), &[1.0]).objective(&fit).method(Method::Auto);
    fails(
        &problem.fixed_steps(4),
        "the objective is not finite in step 1, at or before t = 0.5: check its expression and data",
    );
}

#[test]
fn a_gradient_that_is_not_finite() {
    // J = √(p y) at p = 0: J = 0, dJ/dp infinite; y itself has a finite derivative of zero times it.
    let by_param = Model::trace(1, 1, |_, y, _| [-y[0].clone()])
        .initial(|_| [1.0.into()])
        .terminal(|y, p| y[0].clone() + p[0].sqrt())
        .build()
        .unwrap();
    let ending = "is not finite: the model or the objective is not differentiable at the states \
                  it meets";
    let text = |what| format!("the derivative by {what} 0 {ending}");
    let error = problem(&by_param, 1.0, &[0.0]).gradient().unwrap_err();
    assert_eq!(error.to_string(), text("parameter"));
    assert!(problem(&by_param, 1.0, &[0.0]).value().is_ok());
    let by_state = Model::trace(1, 1, |_, y, _| [0.0 * &y[0]])
        .initial(|_| [0.0.into()])
        .terminal(|y, _| y[0].sqrt())
        .build()
        .unwrap();
    let error = problem(&by_state, 1.0, &[0.0]).gradient().unwrap_err();
    assert_eq!(error.to_string(), text("state"));
    assert!(problem(&by_state, 1.0, &[0.0]).value().is_ok());
}

#[test]
fn more_snapshots_than_steps_change_nothing() {
    let decay = decay();
    for steps in [None, Some(1), Some(2), Some(7)] {
        let all = problem(&decay, 1.0, &[1.5]);
        let all = steps.map_or(all.clone(), |steps| all.fixed_steps(steps));
        let expected = all.gradient().unwrap();
        for (name, kind) in ScheduleKind::ALL {
            // Every state is kept by it, and a number of them refused.
            if kind == ScheduleKind::StoreAll {
                continue;
            }
            for snapshots in [1, 1000, usize::MAX] {
                let few = all.clone().schedule(kind).snapshots(snapshots).gradient().unwrap();
                assert_eq!(few.value.to_bits(), expected.value.to_bits(), "{name}");
                assert_eq!(few.wrt_params[0].to_bits(), expected.wrt_params[0].to_bits(), "{name}");
                assert_eq!(few.wrt_y0[0].to_bits(), expected.wrt_y0[0].to_bits(), "{name}");
            }
        }
    }
}

#[test]
fn a_schedule_of_another_chain() {
    let decay = decay();
    let grid = TimeGrid::Uniform { start: 0.0, end: 1.0, steps: 6 };
    let chain =
        Discretization::new(&decay, &decay, &decay, ExplicitRk::new(&RK4).unwrap(), grid).unwrap();
    let run = |schedule: Box<dyn Schedule>| {
        gradient(&chain, &[1.0], schedule, &mut MemoryStore::new()).map_err(|e| e.to_string())
    };
    let list = |actions: Vec<Action>| Box::new(Listed::new(1, actions));
    let expected = run(Box::new(StoreAll::new(6))).unwrap();
    assert_eq!(run(Box::new(Revolve::new(6, 2).unwrap())).unwrap().wrt_params, expected.wrt_params);
    let asks = |action, current, left| {
        format!(
            "the schedule asks for {action} while y_{current} is the current state and {left} \
             steps are left to reverse: it is no schedule of this chain"
        )
    };
    let ends = |left: usize| format!("the schedule ends with {left} steps not reversed");
    let cases: [(Box<dyn Schedule>, String); 8] = [
        (Box::new(StoreAll::new(5)), asks("Reverse { step: 4 }", 4, 6)),
        (Box::new(StoreAll::new(9)), asks("Store { step: 6, slot: 6, keep: State }", 6, 6)),
        (Box::new(StoreAll::new(0)), ends(6)),
        (Box::new(Revolve::new(20, 1).unwrap()), asks("Advance { from: 0, to: 19 }", 0, 6)),
        (
            list(vec![Action::Store { step: 1, slot: 0, keep: Keep::State }]),
            asks("Store { step: 1, slot: 0, keep: State }", 0, 6),
        ),
        (list(vec![Action::Advance { from: 0, to: 5 }]), ends(6)),
        (list(vec![Action::Advance { from: 0, to: 5 }, Action::Reverse { step: 5 }]), ends(5)),
        (
            list(vec![Action::Restore { step: 2, slot: 0 }]),
            "the schedule restores step 2 from slot 0, which holds nothing: it is no schedule of \
             this chain"
                .into(),
        ),
    ];
    for (schedule, text) in cases {
        assert_eq!(run(schedule).unwrap_err(), text);
    }
    // An advance to the past takes no step, and one far beyond the end is refused at once.
    let far = Action::Advance { from: 0, to: usize::MAX };
    let text = asks(&format!("Advance {{ from: 0, to: {} }}", usize::MAX), 0, 6);
    assert_eq!(run(list(vec![far])).unwrap_err(), text);
}

#[test]
fn newton_where_a_stage_has_no_solution() {
    // y = a + hγ(1 + y²) has no real solution for large hγ.
    let tangent = scalar(0.0, |_, y, p| p * (y * y + 1.0));
    for name in ["kvaerno3", "kencarp4", "kvaerno5"] {
        let huge = problem(&tangent, 300.0, &[1.0]).method(named(name)).fixed_steps(3);
        refuses(
            &huge,
            "Newton's iteration did not converge in step 0 at t = 0: take shorter steps, or an \
             adaptive grid",
        );
    }
}

/// A state that others dwarf has to be solved as one alone: here Newton's iteration ends in a circle.
#[test]
fn newton_where_a_small_state_is_not_solved() {
    for (unit, large) in [(1.0, 1.0), (1e-3, 1e10), (1e-9, 1e10), (1e-20, 1e10)] {
        let steep = Model::trace(2, 1, |_t, y, p| {
            let x = &y[0] / unit;
            [unit * (1.0 - &p[0] * x.powi(3) - x.exp()), -0.1 * &y[1]]
        });
        let steep = steep.initial(|_| [unit.into(), large.into()]);
        let steep = steep.terminal(|y, _| y[0].clone()).build().unwrap();
        for name in ["kvaerno3", "kencarp4", "kvaerno5", "esdirk547"] {
            let coarse = problem(&steep, 5.0, &[30.0]).method(named(name)).fixed_steps(40);
            refuses(
                &coarse,
                "Newton's iteration did not converge in step 0 at t = 0: take shorter steps, or an \
                 adaptive grid",
            );
        }
    }
}

#[test]
fn a_singular_matrix_of_a_stage() {
    // I − hγJ = 0 where J = 1/(hγ); γ of kvaerno3, h = 1.
    let growth = scalar(1.0, |_, y, p| p * y);
    let gamma = costate::method::tableau::KVAERNO3.gamma().unwrap();
    let p = [1.0 / gamma];
    let run = problem(&growth, 1.0, &p).method(named("kvaerno3")).fixed_steps(1);
    refuses(
        &run,
        "I - h*gamma*J is singular (column 0) in step 0 at t = 0: check the Jacobian there, or \
         change the step size",
    );
}

/// What `Problem` refuses is refused one level below, too: no panic, and no run without control.
#[test]
fn control_that_does_not_fit() {
    let oscillator = oscillator();
    let (span, y0) = (Span { start: 0.0, end: 1.0 }, [1.0, 0.0]);
    let control =
        |atol: usize| Control::new(Tolerances { rtol: 1e-6, atol: vec![1e-9; atol] }).unwrap();
    let first_step = |h| Control { first_step: Some(h), ..control(1) };
    let refused = |tableau, control: Control, text: &str| {
        let stepper = ExplicitRk::<f64>::new(tableau).unwrap();
        let (stepping, ode) = (&Stepping::Adaptive(control.clone()), &oscillator);
        let solver = Solver { ode, stepper: &stepper, span, stepping, observe: &|_| {} };
        assert_eq!(solver.solve(&y0, &[1.0], &[]).unwrap_err().to_string(), text);
        let run = Adaptive::new(ode, ode, ode, stepper, span, control);
        assert_eq!(run.err().unwrap().to_string(), text);
    };
    for atol in [0, 3] {
        let text = format!("the list of absolute tolerances has {atol} entries: the model has 2");
        refused(&TSIT5, control(atol), &text);
    }
    let text = "rk4 has no error estimate to control steps by: give a number of fixed steps, or \
                take another method, such as tsit5";
    refused(&RK4, control(1), text);
    for h in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let text = format!("the first step is {h}: it must be a positive finite number");
        refused(&TSIT5, first_step(h), &text);
    }
    for h in [1e-300, 0.5, 1e300] {
        let (stepper, stepping) =
            (&ExplicitRk::new(&TSIT5).unwrap(), &Stepping::Adaptive(first_step(h)));
        let solver = Solver { ode: &oscillator, stepper, span, stepping, observe: &|_| {} };
        assert!(
            (solver.solve(&y0, &[1.0], &[1.0]).unwrap().states[0][0] - 1f64.cos()).abs() < 1e-5,
            "{h}"
        );
    }
}

/// Steps that end where they begin would count the terms at the end once for each.
#[test]
fn steps_shorter_than_time_resolves() {
    let decay = decay();
    let spans = [(1.0, 1f64.next_up()), (1e15, 1e15 + 1.0), (-1e15, 1.0 - 1e15)];
    for ((start, end), steps) in spans.into_iter().zip([4, 20, 20]) {
        let problem = Problem::new(&decay, (start, end), &[1.0]);
        let problem = problem.method(named("rk4")).fixed_steps(steps);
        let text = format!(
            "the number of steps is {steps}: it must be small enough for each step to be longer \
             than time's rounding"
        );
        refuses(&problem, &text);
    }
    let one = Problem::new(&decay, spans[0], &[1.0]).fixed_steps(1);
    assert!((one.gradient().unwrap().value - 1.0).abs() < 1e-15);
    // A grid of no step has its one time.
    for grid in
        [TimeGrid::Times(vec![f64::NAN]), TimeGrid::Uniform { start: 0.0, end: f64::NAN, steps: 0 }]
    {
        let chain = Discretization::new(
            &decay,
            &decay,
            &decay,
            ExplicitRk::<f64>::new(&RK4).unwrap(),
            grid,
        );
        assert_eq!(
            chain.err().unwrap().to_string(),
            "the time of the grid is NaN: it must be a finite number"
        );
    }
    let endless = Problem::new(&decay, (-f64::MAX, f64::MAX), &[1.0]);
    for steps in [1, 2, 7] {
        assert!(endless.clone().fixed_steps(steps).gradient().is_err());
    }
}

#[test]
fn a_continuous_adjoint_that_cannot_go_back() {
    // The steps pass over the pole at 0.951; the adjoint equation cannot be integrated over it.
    let rough = scalar(1.0, |t, y, p| p * y / (t - 0.951));
    for name in ["rk4", "tsit5"] {
        let problem = problem(&rough, 1.0, &[1.0]).method(named(name)).fixed_steps(10);
        assert!(problem.gradient().is_ok());
        assert_eq!(
            problem.adjoint(AdjointKind::Continuous).gradient().unwrap_err().to_string(),
            "the continuous adjoint could not be integrated back over step 9 from t = 0.9: loosen \
             the tolerances, or take another method or the discrete adjoint"
        );
    }
}

#[test]
fn a_continuous_adjoint_by_a_method_that_cannot_go_back() {
    let error = |tableau: &'static Tableau, rtol| {
        let forward = ExplicitRk::<f64>::new(&TSIT5).unwrap();
        Continuous::new(forward, tableau, rtol, &()).err().map(|error| error.to_string())
    };
    for &tableau in EXPLICIT.iter().chain(ESDIRK) {
        let expected = if tableau.embedded_order == 0 {
            let advice = "give a number of fixed steps, or take another method, such as tsit5";
            Some(format!("{} has no error estimate to control steps by: {advice}", tableau.name))
        } else if tableau.c.iter().any(|c| *c > 1.0) {
            let required = "one whose stages lie inside its step, such as esdirk547";
            let what = "the method of the adjoint equation";
            Some(format!("{what} is {}: it must be {required}", tableau.name))
        } else {
            None
        };
        assert_eq!(error(tableau, 1e-6), expected, "{}", tableau.name);
    }
    for rtol in [0.0, -1.0, 1.0, f64::NAN, f64::INFINITY] {
        let expected = format!("the adjoint's rtol is {rtol}: it must be positive and less than 1");
        assert_eq!(error(&TSIT5, rtol), Some(expected));
    }
}

#[test]
fn a_derivative_by_the_end_time_that_is_not_finite() {
    // f_t = p y/(2√(1 − t)) is infinite at the end, where the last stage is; nothing else is.
    let rough = scalar(1.0, |t, y, p| -(p * y * (1.0 - t).sqrt()));
    for name in ["rk4", "tsit5", "dop853"] {
        for steps in [1, 10] {
            let problem = problem(&rough, 1.0, &[1.0]).method(named(name)).fixed_steps(steps);
            let gradient = problem.gradient().unwrap();
            assert!(!gradient.wrt_end_time.is_finite(), "{name}: {}", gradient.wrt_end_time);
            let at = |p: f64| {
                let p = [p];
                let problem = Problem::new(&rough, (0.0, 1.0), &p);
                problem.method(named(name)).fixed_steps(steps).value().unwrap().0
            };
            let difference = (at(1.0 + 1e-5) - at(1.0 - 1e-5)) / 2e-5;
            let slope = gradient.wrt_params[0];
            assert!((slope - difference).abs() < 1e-9, "{name}: {slope} {difference}");
        }
    }
}

#[test]
fn schedules_without_memory() {
    let text = "zero snapshots cannot reverse a run: give at least 1";
    assert_eq!(Revolve::new(4, 0).unwrap_err().to_string(), text);
    assert_eq!(Uniform::new(4, 0).unwrap_err().to_string(), text);
    assert_eq!(Bisection::new(4, 0).unwrap_err().to_string(), text);
    assert_eq!(Online::new(0).unwrap_err().to_string(), text);
    for (name, kind) in ScheduleKind::ALL {
        let endless = kind.offline(4, Some(0)).map(|_| ());
        assert_eq!(endless.is_ok(), kind == ScheduleKind::StoreAll, "{name}");
    }
    let decay = decay();
    for (name, kind) in [("store-all", ScheduleKind::StoreAll), ("online", ScheduleKind::Online)] {
        let problem = problem(&decay, 1.0, &[1.0]).schedule(kind);
        assert_eq!(
            problem.curve(&|_| {}).unwrap_err().to_string(),
            format!("the schedule of a curve is {name}: it must be revolve, uniform or bisection")
        );
    }
}

#[test]
fn observations_that_do_not_fit_together() {
    let fit = |values: usize, weights: usize| {
        let fit = LeastSquares::new(vec![0.5, 0.7], vec![1.0; values], &vec![1.0; weights]);
        fit.map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(fit(4, 1), Ok(()));
    assert_eq!(fit(4, 2), Ok(()));
    assert_eq!(
        fit(3, 1).unwrap_err(),
        "the number of observed values is 3: it must be the number of times multiplied by the \
         number of observed components"
    );
    for weights in [0, 3] {
        assert_eq!(
            fit(4, weights).unwrap_err(),
            format!(
                "the number of weights is {weights}: it must be 1 or the number of observed \
                 components"
            )
        );
    }
}

/// Whatever comes of it, it comes soon.
#[test]
fn nothing_runs_without_end() {
    let decay = decay();
    let growing = scalar(1.0, |t, y, p| p * y * t.sin());
    let still = scalar(0.0, |_, y, p| p * y);
    // Steps that chatter, a pole at the start, and a blow-up beyond all numbers.
    let sliding = scalar(0.1, |_, y, p| -(p * y.sign()));
    let pole = scalar(1.0, |t, y, p| p * y / t);
    let cubic = scalar(1e100, |_, y, p| p * y * y * y);
    let spans = [
        (0.0, 1.0),
        (0.0, 1e300),
        (0.0, f64::MAX),
        (-f64::MAX, f64::MAX),
        (1.0, 1f64.next_up()),
        (1e300, 1e300_f64.next_up()),
        (1e15, 1e15 + 1.0),
        (0.0, f64::MIN_POSITIVE),
        (0.0, 0f64.next_up()),
    ];
    let tolerances = [(1e-6, 1e-9), (1e-300, 1e-300), (1e-300, 0.0), (0.0, 1e-300), (0.99, 1e300)];
    for model in [&decay, &growing, &still, &sliding, &pole, &cubic] {
        for name in ["auto", "bs3", "tsit5", "dop853", "kvaerno3", "kvaerno5"] {
            for span in spans {
                for (rtol, atol) in tolerances {
                    let begun = Instant::now();
                    let problem = Problem::new(model, span, &[1.0])
                        .method(named(name))
                        .rtol(rtol)
                        .atol(atol)
                        .max_steps(20_000);
                    let result = problem.snapshots(20).gradient().map(|g| g.value);
                    let taken = begun.elapsed();
                    let what = format!("{name} {span:?} {rtol} {atol}: {result:?}");
                    assert!(taken < Duration::from_secs(5), "{what} took {taken:?}");
                    assert!(result.is_err() || result.unwrap().is_finite(), "{what}");
                }
            }
        }
    }
}

/// One rounding unit of time is a short run, not an error.
#[test]
fn a_span_of_one_rounding_unit() {
    let decay = decay();
    let next = |start: f64| (start, start.next_up());
    for (start, end) in [(0.0, f64::MIN_POSITIVE), next(1.0), next(-3.0), next(1e10)] {
        for name in ["auto", "bs3", "tsit5", "dop853", "kvaerno3", "kencarp4", "kvaerno5"] {
            let problem = Problem::new(&decay, (start, end), &[1.0]);
            let g = problem.method(named(name)).gradient().unwrap();
            assert!((g.value - 1.0).abs() <= 2.0 * (end - start), "{name} {start}: {}", g.value);
            assert_eq!(g.stats.steps, 1, "{name} {start}");
        }
    }
}

#[test]
fn an_ensemble_says_which_member_failed() {
    let decay = decay();
    let members = [vec![1.0], vec![f64::NAN], vec![f64::INFINITY]];
    let error = costate::problem::ensemble::gradients(&members, |p| {
        Problem::new(&decay, (0.0, 1.0), p).gradient()
    });
    assert_eq!(
        error.unwrap_err().to_string(),
        "member 1 of the ensemble: parameter 0 is NaN: it must be a finite number"
    );
}
