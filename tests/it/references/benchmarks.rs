//! The benchmark problems against references of higher precision.

use costate::adjoint::Gradient;
use costate::method::Method;
use costate::method::tableau::{DOP853, KVAERNO5, RK4};
use costate::ode::Vjp;
use costate::ode::objective::Objective;
use costate::problem::{Problem, ScheduleKind};
use costate_models::Benchmark;
use costate_models::biology::lotka_volterra::p1a;
use costate_models::chemistry::robertson::p2;
use costate_models::learning::neural_ode::p4a;
use costate_models::pde::brusselator::p3a;
use costate_models::pde::burgers::p6s;

use super::{near, number, numbers};
use crate::common::{bits, file, shared};

const AUTO: Method = Method::Auto;
const IMPLICIT: Method = Method::Named(&KVAERNO5);
const EXPLICIT: Method = Method::Named(&DOP853);

fn gradient<O: Vjp, J: Objective>(
    benchmark: &Benchmark<O, J>,
    method: Method,
    rtol: f64,
    atol: f64,
) -> (String, Gradient) {
    let Benchmark { ode, objective, y0, p, span, id, .. } = benchmark;
    let problem = Problem::new(ode, *span, p)
        .initial(y0)
        .objective(objective)
        .method(method)
        .rtol(rtol)
        .atol(atol);
    let solved = problem.solved().unwrap();
    (format!("{id} by {}", solved.method), solved.gradient)
}

fn against(id: &str, (what, gradient): (String, Gradient), bound: f64) {
    let reference = shared(&format!("reference/{id}.json"));
    near(&format!("{what}, J"), &[gradient.value], &[number(&reference["loss"])], bound);
    near(&what, &gradient.wrt_params, &numbers(&reference["grad"]), bound);
}

#[test]
#[ignore = "reads ../shared"]
fn lotka_volterra() {
    for method in [AUTO, IMPLICIT] {
        against("p1a", gradient(&p1a(), method, 1e-12, 1e-12), 1e-9);
    }
}

#[test]
#[ignore = "reads ../shared"]
fn robertson() {
    for method in [AUTO, IMPLICIT] {
        against("p2", gradient(&p2(), method, 1e-11, 1e-17), 1e-8);
    }
}

#[test]
#[ignore = "reads ../shared"]
fn brusselator() {
    for method in [AUTO, IMPLICIT, EXPLICIT] {
        against("p3a", gradient(&p3a(), method, 1e-11, 1e-11), 1e-8);
    }
}

#[test]
#[ignore = "reads ../shared"]
fn neural_ode() {
    against("p4a", gradient(&p4a(), Method::Auto, 1e-11, 1e-11), 1e-8);
}

#[test]
#[ignore = "reads ../shared"]
fn model_files_give_the_benchmarks() {
    for (name, id, atol, bound) in
        [("biology/lotka_volterra", "p1a", 1e-12, 1e-9), ("chemistry/robertson", "p2", 1e-17, 1e-8)]
    {
        let model = file(name);
        let (p, span) = (model.nominal(), model.span().unwrap());
        let problem = Problem::new(&model, span, &p).method(AUTO);
        let rtol = if id == "p2" { 1e-11 } else { 1e-12 };
        let gradient = problem.rtol(rtol).atol(atol).gradient().unwrap();
        against(id, (format!("{name}.json"), gradient), bound);
    }
}

#[test]
#[ignore = "reads ../shared"]
fn burgers_on_every_schedule() {
    let reference = shared("reference/p6s.json");
    let Benchmark { ode, objective, y0, p, span, fixed_steps, .. } = p6s();
    let problem = Problem::new(&ode, span, &p)
        .initial(&y0)
        .objective(&objective)
        .method(Method::Named(&RK4))
        .fixed_steps(fixed_steps.unwrap());
    let first = problem.gradient().unwrap();
    near("p6s, J", &[first.value], &[number(&reference["loss"])], 1e-12);
    for (name, schedule) in ScheduleKind::ALL {
        for snapshots in [3, 10, 50, 1000] {
            let problem = problem.clone().schedule(schedule);
            let problem = match schedule {
                ScheduleKind::StoreAll => problem,
                _ => problem.snapshots(snapshots),
            };
            let gradient = problem.gradient().unwrap();
            let what = format!("p6s by {name}, {snapshots} snapshots");
            near(&what, &gradient.wrt_params, &numbers(&reference["grad"]), 1e-12);
            assert!(bits(&gradient) == bits(&first), "{what}: other bits");
        }
    }
}
