//! Results at tight tolerances against figures computed elsewhere.

mod airfoil;
mod benchmarks;
mod examples;
mod late_robertson;
mod stiff;

use costate::ode::objective::Terminal;
use serde_json::Value;

/// The numbers of a list; some are printed as text.
fn numbers(value: &Value) -> Vec<f64> {
    let list = value.as_array().unwrap_or_else(|| panic!("not a list: {value}"));
    list.iter().map(number).collect()
}

fn number(value: &Value) -> f64 {
    let parsed = value.as_f64().or_else(|| value.as_str()?.parse().ok());
    parsed.unwrap_or_else(|| panic!("not a number: {value}"))
}

fn norm(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// Fails unless ‖found − expected‖ ≤ `bound` ‖expected‖ in the 2-norm.
fn near(what: &str, found: &[f64], expected: &[f64], bound: f64) {
    assert_eq!(found.len(), expected.len(), "{what}");
    assert!(norm(expected) > 0.0, "{what}: nothing is expected");
    let difference: Vec<f64> = found.iter().zip(expected).map(|(a, b)| a - b).collect();
    let error = norm(&difference) / norm(expected);
    println!("{what}: {error:.1e}");
    assert!(error <= bound, "{what}: error {error:e}, {found:?} is not {expected:?}");
}

/// [`near`] of each entry by itself.
fn near_each(what: &str, found: &[f64], expected: &[f64], bound: f64) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let error = |(a, b): (&f64, &f64)| if a == b { 0.0 } else { (a - b).abs() / b.abs() };
    let errors: Vec<f64> = found.iter().zip(expected).map(error).collect();
    println!("{what}: {:.1e} in an entry", errors.iter().fold(0.0, |m: f64, &e| m.max(e)));
    let all = errors.iter().all(|&e| e <= bound);
    assert!(all, "{what}: errors {errors:?}, {found:?} is not {expected:?}");
}

type ValueFn = Box<dyn Fn(&[f64], &[f64]) -> f64 + Send + Sync>;
type GradientFn = Box<dyn Fn(&[f64], &[f64], &mut [f64], &mut [f64]) + Send + Sync>;

/// J = y_i(T).
fn component(i: usize) -> Terminal<ValueFn, GradientFn> {
    Terminal::new(
        Box::new(move |y: &[f64], _: &[f64]| y[i]),
        Box::new(move |_: &[f64], _: &[f64], y_bar: &mut [f64], _: &mut [f64]| y_bar[i] += 1.0),
    )
}
