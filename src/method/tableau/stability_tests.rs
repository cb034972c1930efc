//! What the diagonally implicit methods do on y' = λy, z = hλ, where y_{n+1} = R(z) y_n.

use super::rooted_trees::dot;
use super::{ESDIRK, Tableau};

/// A complex number.
type Complex = (f64, f64);

fn mul(x: Complex, y: Complex) -> Complex {
    (x.0 * y.0 - x.1 * y.1, x.0 * y.1 + x.1 * y.0)
}

fn div(x: Complex, y: Complex) -> Complex {
    let (re, im) = mul(x, (y.0, -y.1));
    let norm = y.0 * y.0 + y.1 * y.1;
    (re / norm, im / norm)
}

/// 1 + z Σ w_i Y_i with Y_i = 1 + z Σ a_ij Y_j.
fn stability(tableau: &Tableau, weights: &[f64], z: Complex) -> Complex {
    let sum = |row: &[f64], stages: &[Complex]| {
        let terms = row.iter().zip(stages);
        let (re, im) = terms.fold((0.0, 0.0), |s, (a, y)| (s.0 + a * y.0, s.1 + a * y.1));
        let (re, im) = mul(z, (re, im));
        (1.0 + re, im)
    };
    let mut stages = Vec::new();
    for (i, row) in tableau.a.iter().enumerate() {
        let diagonal = row[i];
        let pivot = (1.0 - z.0 * diagonal, -z.1 * diagonal);
        stages.push(div(sum(&row[..i], &stages), pivot));
    }
    sum(weights, &stages)
}

/// r_i and s_i of Y_i = r_i + s_i/z + O(1/z²) as z → −∞.
fn stage_limits(tableau: &Tableau) -> (Vec<f64>, Vec<f64>) {
    let (mut r, mut s) = (vec![1.0], vec![0.0]);
    for (i, row) in tableau.a.iter().enumerate().skip(1) {
        r.push(-dot(&row[..i], &r) / row[i]);
        s.push((r[i] - 1.0 - dot(&row[..i], &s)) / row[i]);
    }
    (r, s)
}

/// The growth of R(z) with z as z → −∞, which is 0 where R is bounded, and then its limit.
fn limit(tableau: &Tableau, weights: &[f64]) -> (f64, f64) {
    let (r, s) = stage_limits(tableau);
    (dot(weights, &r), 1.0 + dot(weights, &s))
}

fn embedded(tableau: &Tableau) -> Vec<f64> {
    tableau.b.iter().zip(tableau.error).map(|(b, e)| b - e).collect()
}

#[test]
fn the_first_stage_is_explicit_and_the_others_share_gamma() {
    for tableau in ESDIRK {
        let gamma = tableau.gamma().unwrap();
        assert_eq!(tableau.a[0], [0.0], "{}", tableau.name);
        assert!((1..tableau.stages()).all(|i| tableau.a[i][i] == gamma), "{}", tableau.name);
        assert!(tableau.stiffly_accurate() && !tableau.first_same_as_last(), "{}", tableau.name);
    }
}

#[test]
fn every_stage_has_order_two() {
    for tableau in ESDIRK {
        for (row, c) in tableau.a.iter().zip(tableau.c) {
            let error = dot(row, tableau.c) - c * c / 2.0;
            assert!(error.abs() <= 4e-16, "{}: {error:e}", tableau.name);
        }
    }
}

#[test]
fn solutions_are_l_stable() {
    for tableau in ESDIRK {
        let (growth, value) = limit(tableau, tableau.b);
        assert!(growth.abs() < 1e-14 && value.abs() < 1e-14, "{}: {growth} {value}", tableau.name);
    }
}

#[test]
fn embedded_solutions_are_a_stable_with_these_limits() {
    let limits = [
        ("kvaerno3", -0.9566995),
        ("kencarp4", -0.15),
        ("kvaerno5", -0.7482981),
        ("esdirk547", -0.25),
    ];
    assert_eq!(limits.len(), ESDIRK.len());
    for (tableau, (name, expected)) in ESDIRK.iter().zip(limits) {
        let (growth, value) = limit(tableau, &embedded(tableau));
        assert_eq!(tableau.name, name);
        assert!(growth.abs() < 1e-14 && (value - expected).abs() < 1e-7, "{name}: {value}");
    }
}

#[test]
fn nothing_grows_on_the_imaginary_axis() {
    for tableau in ESDIRK {
        for weights in [tableau.b, &embedded(tableau)] {
            for k in -60..160 {
                let (re, im) = stability(tableau, weights, (0.0, 10_f64.powf(f64::from(k) / 40.0)));
                assert!(re.hypot(im) <= 1.0 + 1e-12, "{} at {k}: {}", tableau.name, re.hypot(im));
            }
        }
    }
}

#[test]
fn stiff_interpolants_stay_bounded() {
    for tableau in ESDIRK {
        let mut b = vec![0.0; tableau.dense_stages()];
        let bound = if tableau.name == "kencarp4" { 3.3 } else { 1.0 + 1e-6 };
        for theta in (0..=20).map(|k| f64::from(k) / 20.0) {
            tableau.dense_weights(theta, &mut b);
            for z in [-1.0, -10.0, -1e3, -1e6, -1e8] {
                let (re, _) = stability(tableau, &b, (z, 0.0));
                assert!(re.abs() <= bound, "{} at {theta}, {z}: {re}", tableau.name);
            }
        }
    }
}
