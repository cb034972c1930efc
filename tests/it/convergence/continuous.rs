//! The continuous adjoint: its gradient tends to the exact one as the tolerance falls, and does not
//! depend on which states were kept.

use std::ops::RangeInclusive;

use costate::method::tableau::{DOP853, ESDIRK, EXPLICIT, KVAERNO5, TSIT5, Tableau};
use costate::method::{AdjointKind, Method};
use costate::model::Model;
use costate::problem::{Problem, ScheduleKind};

use super::Curve;
use super::spiral::{self, INWARD};
use crate::common::{bits, distance, file, with_error_estimate};
use costate::ode::objective::LeastSquares;

type Case = Problem<'static>;

/// A model's problem over (0, end), its absolute tolerance `scale` times the relative one.
fn problem(model: Model, p: Vec<f64>, end: f64, by: &'static Tableau) -> Case {
    let (model, p): (&Model, &[f64]) = (Box::leak(Box::new(model)), p.leak());
    Problem::new(model, (0.0, end), p).method(Method::Named(by))
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

/// Every method with an error estimate.
fn all() -> impl Iterator<Item = &'static Tableau> {
    with_error_estimate(EXPLICIT).chain(ESDIRK.iter().copied())
}

/// The tolerances that a method can serve, by their digits.
fn digits(by: &Tableau) -> RangeInclusive<i32> {
    match by.order {
        ..=3 => 4..=9,
        4..=7 => 4..=10,
        8.. => 7..=12,
    }
}

#[test]
fn tends_to_the_closed_form() {
    for by in all() {
        let model = spiral::trace().terminal(|y, _p| y[0].clone()).build().unwrap();
        let case = problem(model, INWARD.p.to_vec(), INWARD.end, by);
        let exact = INWARD.state(INWARD.end).1[0];
        assert_convergence(&format!("spiral by {}", by.name), &case, 1.0, &exact, digits(by));
    }
}

/// Of a running cost alone, for which the adjoint starts from zero.
#[test]
fn tends_to_the_closed_form_of_a_running_cost() {
    for by in all() {
        let model = spiral::trace().running(spiral::turning).build().unwrap();
        let case = problem(model, INWARD.p.to_vec(), INWARD.end, by);
        let exact = INWARD.turned(INWARD.end).1;
        let what = format!("spiral's running cost by {}", by.name);
        assert_convergence(&what, &case, 1.0, &exact, digits(by));
    }
}

/// y' = −k (y − q) from y = 1, J = y(1) + ∫ y dt: the decay is as fast as k says, the steps are not.
#[test]
fn follows_decays_faster_than_any_step() {
    let model = Model::trace(1, 2, |_, y, p| [-(&p[0] * (&y[0] - &p[1]))])
        .initial(|_| [1.0.into()])
        .terminal(|y, _| y[0].clone())
        .running(|_, y, _| y[0].clone())
        .build()
        .unwrap();
    for tableau in ESDIRK {
        for exponent in 0..=12 {
            let k = 10.0_f64.powi(exponent);
            let (p, gone, kept) = ([k, 2.0], (-k).exp(), -(-k).exp_m1());
            let by_k = gone + (kept / k - gone) / k;
            let exact = [by_k, kept + 1.0 - kept / k, gone + kept / k];
            let gradient = Problem::new(&model, (0.0, 1.0), &p)
                .method(Method::Named(tableau))
                .adjoint(AdjointKind::Continuous)
                .atol(1e-10)
                .gradient()
                .unwrap();
            let found = [gradient.wrt_params[0], gradient.wrt_params[1], gradient.wrt_y0[0]];
            // By k, the interpolant of steps about as long as the decay is what limits it.
            for ((found, exact), allowed) in found.iter().zip(exact).zip([1e-2, 1e-7, 1e-7]) {
                let error = ((found - exact) / exact).abs();
                assert!(error < allowed, "{}, k = {k:e}: {found:e}, {exact:e}", tableau.name);
            }
        }
    }
}

/// y' = −k (y − q) from y = q + 1, J = ∫ (y − q)² dt: soon λ is nothing but rounding, or follows an
/// interpolant whose terms cancel, which error control must not resolve.
#[test]
fn passes_over_a_cost_that_has_died_out() {
    for q in [0.0, 1.0] {
        let model = Model::trace(1, 1, |_, y, p| [-(&p[0] * (&y[0] - q))])
            .initial(|_| [(q + 1.0).into()])
            .running(|_, y, _| (y[0].clone() - q).powi(2))
            .build()
            .unwrap();
        for tableau in ESDIRK {
            for (exponent, rtol) in [5, 7, 10].into_iter().flat_map(|e| [(e, 1e-6), (e, 1e-9)]) {
                let k = 10.0_f64.powi(exponent);
                let gradient = Problem::new(&model, (0.0, 1.0), &[k])
                    .method(Method::Named(tableau))
                    .adjoint(AdjointKind::Continuous)
                    .rtol(rtol)
                    .gradient()
                    .unwrap_or_else(|error| panic!("{}, k = {k:e}: {error}", tableau.name));
                let by_k = gradient.wrt_params[0] * -2.0 * k * k - 1.0;
                let by_y0 = gradient.wrt_y0[0] * k - 1.0;
                let allowed = 100.0 * rtol.powf(0.75);
                let error = by_k.abs().max(by_y0.abs());
                assert!(error < allowed, "{}, k = {k:e}, {rtol:e}: {error:e}", tableau.name);
            }
        }
    }
}

/// J = (y(t) − 3)² of y' = −k y at the least positive time, where a substep has no length to divide by.
#[test]
fn reads_observations_at_the_least_time() {
    let model =
        Model::trace(1, 1, |_, y, p| [-(&p[0] * &y[0])]).initial(|_| [1.0.into()]).build().unwrap();
    for tableau in all() {
        for t in [5e-324, 1e-310, 1e-300, 1e-20] {
            let fit = LeastSquares::new(vec![t], vec![3.0], &[1.0]).unwrap();
            let gradient = Problem::new(&model, (0.0, 1.0), &[1.0])
                .objective(&fit)
                .method(Method::Named(tableau))
                .adjoint(AdjointKind::Continuous)
                .gradient()
                .unwrap();
            approx::assert_abs_diff_eq!(gradient.wrt_y0[0], -4.0, epsilon = 1e-9);
            let error = (gradient.wrt_params[0] - 4.0 * t).abs();
            // Each product h b_i f_p λ may be rounded by the least positive number.
            assert!(error <= 1e-6 * t + 5e-323, "{}, {t:e}: {error:e}", tableau.name);
        }
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
    let name = "biology/lotka_volterra";
    let exact = tight(&from_file(name, &DOP853), 1.0);
    for by in with_error_estimate(EXPLICIT) {
        let what = format!("{name} by {}", by.name);
        let digits = 4..=digits(by).end().min(&10).to_owned();
        assert_convergence(&what, &from_file(name, by), 1.0, &exact, digits);
    }
    for (name, scale) in [("biology/gene_expression", 1.0), ("chemistry/hires", 1e-3)] {
        let exact = tight(&from_file(name, &KVAERNO5), scale);
        for &by in ESDIRK {
            let what = format!("{name} by {}", by.name);
            assert_convergence(&what, &from_file(name, by), scale, &exact, digits(by));
        }
    }
}

/// How many times the discrete adjoint's error, or the tolerance where that is more, the continuous
/// one's may be. Both are of one trajectory; the continuous adjoint reads it inside the steps, where
/// the interpolant of a stiff step has the order of its stages, kencarp4's the largest error, and
/// esdirk547's steps are the longest.
fn allowed(by: &Tableau) -> f64 {
    match by.name {
        "kencarp4" => 200.0,
        "esdirk547" => 100.0,
        _ => 30.0,
    }
}

#[test]
fn is_as_accurate_as_the_discrete_adjoint_on_stiff_models() {
    for (name, scale) in [
        ("biology/gene_expression", 1.0),
        ("chemistry/robertson", 1e-6),
        ("chemistry/hires", 1e-3),
        ("oscillators/van_der_pol", 1e-3),
    ] {
        let exact = tight(&from_file(name, &KVAERNO5), scale);
        for &by in ESDIRK {
            for rtol in digits(by).map(|k| 10.0_f64.powi(-k)) {
                let case = from_file(name, by).rtol(rtol).atol(scale * rtol);
                let error = |adjoint| {
                    let gradient = case.clone().adjoint(adjoint).gradient().unwrap();
                    distance(&gradient.wrt_params, &exact)
                };
                let discrete = error(AdjointKind::Discrete);
                // Where the trajectory is another one, neither adjoint has a digit.
                if discrete > 0.1 {
                    continue;
                }
                let allowed = allowed(by) * discrete.max(rtol);
                let error = error(AdjointKind::Continuous);
                println!("{name} by {}, {rtol:e}: {error:.1e} of {allowed:.1e}", by.name);
                assert!(error <= allowed, "{name} by {}, {rtol:e}: {error:e}", by.name);
            }
        }
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
            // That takes no number of snapshots.
            if kind == ScheduleKind::StoreAll {
                continue;
            }
            for snapshots in [3, 8, 1000] {
                let gradient = case.clone().schedule(kind).snapshots(snapshots).gradient();
                let same = bits(&gradient.unwrap()) == all;
                assert!(same, "{name} by {}, {schedule}, {snapshots} snapshots", by.name);
            }
        }
    }
}
