//! Prothero and Robinson's y' = −λ (y − sin ωt) + ω cos ωt, y(0) = 0: y = sin ωt whatever λ is.

use costate::method::Method;
use costate::method::tableau::ESDIRK;
use costate::model::Model;
use costate::problem::Problem;

use super::Curve;

use crate::common::distance;

fn assert_order(rate: f64, order: fn(u32) -> u32) {
    let model = Model::trace(1, 1, |t, y, p| {
        let phase = &p[0] * t;
        [&p[0] * phase.cos() - rate * (&y[0] - phase.sin())]
    });
    // On the grid, and before the last step, which may be another method's: two errors of opposite
    // signs would bend the slope.
    let (omega, end, seen) = (2.0_f64, 2.0, 1.5);
    let model = model.initial(|_p| [0.0.into()]);
    let model = model.observe(&[seen], &[0.0], 1.0, |_t, y, _p| y[0].clone()).build().unwrap();
    let p = [omega];
    let (sin, cos) = (omega * seen).sin_cos();
    let exact = [sin * sin, 2.0 * seen * sin * cos];
    for tableau in ESDIRK {
        let curve = Curve::by_steps(|steps| {
            let problem = Problem::new(&model, (0.0, end), &p)
                .method(Method::Named(tableau))
                .fixed_steps(4 * steps);
            let gradient = problem.gradient().ok()?;
            Some(distance(&[gradient.value, gradient.wrt_params[0]], &exact))
        });
        let least = f64::from(order(tableau.order)) - 0.1;
        curve.assert_slope(&format!("{}, rate {rate:e}", tableau.name), least..=f64::INFINITY);
    }
}

#[test]
fn implicit_methods_keep_their_order_on_moderate_rates() {
    assert_order(10.0, |order| order);
}

/// Order reduction: what is left where hλ is large is the order of the stages, which is 2.
#[test]
fn implicit_methods_keep_the_order_of_their_stages_on_large_rates() {
    assert_order(1e4, |_| 2);
}
