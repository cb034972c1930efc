//! Robertson's reactions long after their start, where step sizes and rates differ by twenty orders
//! of magnitude: the gradient against
//! truths that need no other solver.

use costate::method::Method;
use costate::method::tableau::KVAERNO5;
use costate::problem::Problem;
use costate_models::chemistry::robertson::{Robertson, p2};

use super::{component, near, near_each, numbers};
use crate::common::shared;

const ENDS: [f64; 2] = [4e10, 1e11];

fn problem<'a, J: costate::ode::objective::Objective>(
    y0: &'a Vec<f64>,
    objective: &'a J,
    end: f64,
    p: &'a [f64],
) -> Problem<'a> {
    Problem::new(&Robertson, (0.0, end), p)
        .initial(y0)
        .objective(objective)
        .method(Method::Named(&KVAERNO5))
        .rtol(1e-11)
        .atol(1e-24)
}

#[test]
#[ignore = "reads ../shared"]
fn end_state() {
    let published = shared("data/ode/ivp_endpoints.json");
    let (p2, end) = (p2(), published["rober"]["T"].as_f64().unwrap());
    let solution = problem(&p2.y0, &(), end, &p2.p).solve(&[end]).unwrap();
    let expected = numbers(&published["rober"]["y_end"]);
    near_each("rober y(1e11)", &solution.states[0], &expected, 1e-8);
}

/// y(T; ck) = y(cT; k), so that Σ ∂y(T)/∂ln k = T y'(T).
#[test]
fn faster_rates_are_a_longer_time() {
    let p2 = p2();
    for end in ENDS {
        for i in 0..2 {
            let objective = component(i);
            let gradient = problem(&p2.y0, &objective, end, &p2.p).gradient().unwrap();
            let sum: f64 = gradient.wrt_params.iter().sum();
            let what = format!("rober sum of dy{}({end:e})/dln k", i + 1);
            near(&what, &[sum], &[end * gradient.wrt_end_time], 1e-8);
        }
    }
}

/// y1 + y2 + y3 = 1, of which y1 is 1e-8 here: its derivatives come back from those of y3 less
/// the digits that this costs.
#[test]
fn what_leaves_the_first_arrives_at_the_third() {
    let p2 = p2();
    for end in ENDS {
        let of = |i: usize| {
            let objective = component(i);
            problem(&p2.y0, &objective, end, &p2.p).gradient().unwrap().wrt_params
        };
        let left: Vec<f64> = of(0).iter().zip(of(1)).map(|(a, b)| -a - b).collect();
        near(&format!("rober dy3({end:e})/dln k, conservation"), &of(2), &left, 1e-6);
    }
}

/// Late, y1 = k3²/(k1² k2 t) and y2 = k1 y1/k3 but for terms of relative size y1 and ln t/t.
#[test]
fn gradient_tends_to_the_asymptotic_one() {
    let p2 = p2();
    let k: Vec<f64> = p2.p.iter().map(|p| p.exp()).collect();
    for end in ENDS {
        let y1 = k[2] * k[2] / (k[0] * k[0] * k[1] * end);
        let y2 = k[0] * y1 / k[2];
        let (first, second) =
            ([-2.0, -1.0, 2.0].map(|e| e * y1), [-1.0, -1.0, 1.0].map(|e| e * y2));
        for (i, expected) in [first, second].iter().enumerate() {
            let objective = component(i);
            let gradient = problem(&p2.y0, &objective, end, &p2.p).gradient().unwrap();
            let what = format!("rober dy{}({end:e})/dln k, asymptotic", i + 1);
            near(&what, &gradient.wrt_params, expected, 1e-5);
        }
    }
}

#[test]
fn gradient_equals_differences() {
    let p2 = p2();
    for end in ENDS {
        for i in 0..2 {
            let objective = component(i);
            let gradient = problem(&p2.y0, &objective, end, &p2.p).gradient().unwrap();
            let difference = |j: usize| {
                let at = |h: f64| {
                    let mut p = p2.p.clone();
                    p[j] += h;
                    problem(&p2.y0, &objective, end, &p).value().unwrap().0
                };
                let (pair, h) = (|h: f64| at(h) - at(-h), 0.02);
                (45.0 * pair(h) - 9.0 * pair(2.0 * h) + pair(3.0 * h)) / (60.0 * h)
            };
            let differences: Vec<f64> = (0..3).map(difference).collect();
            let what = format!("rober dy{}({end:e})/dln k, differences", i + 1);
            near(&what, &gradient.wrt_params, &differences, 1e-8);
        }
    }
}
