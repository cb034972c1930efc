//! The continuous adjoint: its gradient tends to the exact one as the tolerance falls, and does not
//! depend on which states were kept.

use std::ops::RangeInclusive;

use costate::method::{AdjointKind, AnyMethod};
use costate::model::Model;
use costate::problem::{Problem, ScheduleKind};
use costate::tableau::{DOP853, KVAERNO5, TSIT5, Tableau};

use crate::common::{bits, file};
use crate::spiral::{self, INWARD};
use crate::{Curve, distance};

type Case = Problem<'static, Model, Model, Model, AnyMethod>;

/// A model's problem over (0, end), its absolute tolerance `scale` times the relative one.
fn problem(model: Model, p: Vec<f64>, end: f64, by: &'static Tableau) -> Case {
    let (model, p): (&Model, &[f64]) = (Box::leak(Box::new(model)), p.leak());
    Problem::new(model, model, model, (0.0, end), p).method(AnyMethod::Named(by))
}

fn assert_convergence(
    what: &str,
    case: &Case,
    scale: f64,
    exact: &[f64],
    digits: RangeInclusive<i32>,
) {
    let continuous = case.clone().adjoint(AdjointKind::Continuous);
    let curve = Curve::by_tolerance(digits, |rtol| {
        let gradient = continuous.clone().rtol(rtol).atol(scale * rtol).gradient().unwrap();
        distance(&gradient.wrt_params, exact)
    });
    curve.assert_slope(&format!("{what}, continuous adjoint by rtol"), 0.7..=1.3);
}

const EXPLICIT: [&Tableau; 2] = [&TSIT5, &DOP853];
const ALL: [(&Tableau, RangeInclusive<i32>); 3] =
    [(&TSIT5, 4..=10), (&DOP853, 7..=12), (&KVAERNO5, 4..=10)];

#[test]
fn tends_to_the_closed_form() {
    for (by, digits) in ALL {
        let model = spiral::trace().terminal(|y, _p| y[0].clone()).build().unwrap();
        let case = problem(model, INWARD.p.to_vec(), INWARD.end, by);
        let exact = INWARD.state(INWARD.end).1[0];
        assert_convergence(&format!("spiral by {}", by.name), &case, 1.0, &exact, digits);
    }
}

/// Of a running cost alone, for which the adjoint starts from zero.
#[test]
fn tends_to_the_closed_form_of_a_running_cost() {
    for (by, digits) in ALL {
        let model = spiral::trace().running(spiral::turning).build().unwrap();
        let case = problem(model, INWARD.p.to_vec(), INWARD.end, by);
        let exact = INWARD.turned(INWARD.end).1;
        let what = format!("spiral's running cost by {}", by.name);
        assert_convergence(&what, &case, 1.0, &exact, digits);
    }
}

fn from_file(name: &str, by: &'static Tableau) -> Case {
    let model = file(name);
    let (p, (_, end)) = (model.nominal(), model.span().unwrap());
    problem(model, p, end, by)
}

/// The exact gradient by the discrete adjoint at a tight tolerance.
fn tight(case: &Case, scale: f64) -> Vec<f64> {
    case.clone().rtol(1e-12).atol(1e-12 * scale).gradient().unwrap().wrt_params
}

#[test]
fn tends_to_the_discrete_gradient() {
    for by in EXPLICIT {
        let case = from_file("biology/lotka_volterra", by);
        let exact = tight(&from_file("biology/lotka_volterra", &DOP853), 1.0);
        assert_convergence(&format!("Lotka-Volterra by {}", by.name), &case, 1.0, &exact, 4..=10);
    }
    for (name, scale) in [("biology/gene_expression", 1.0), ("chemistry/robertson", 1e-6)] {
        let case = from_file(name, &KVAERNO5);
        let exact = tight(&case, scale);
        assert_convergence(&format!("{name} by kvaerno5"), &case, scale, &exact, 4..=10);
    }
}

#[test]
fn bits_do_not_depend_on_the_schedule() {
    for (name, by) in [
        ("biology/lotka_volterra", &TSIT5),
        ("biology/lotka_volterra", &DOP853),
        ("biology/gene_expression", &KVAERNO5),
        ("chemistry/robertson", &KVAERNO5),
    ] {
        let case = from_file(name, by).adjoint(AdjointKind::Continuous).atol(1e-11);
        let all = bits(&case.gradient().unwrap());
        for (schedule, kind) in ScheduleKind::ALL {
            for snapshots in [3, 8, 1000] {
                let gradient = case.clone().schedule(kind).snapshots(snapshots).gradient();
                let same = bits(&gradient.unwrap()) == all;
                assert!(same, "{name} by {}, {schedule}, {snapshots} snapshots", by.name);
            }
        }
    }
}
