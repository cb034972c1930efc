//! Laws that hold for every method of the lists.

use super::rooted_trees::{dot, elementary_weights, rooted_trees};
use super::{Dense, ESDIRK, EXPLICIT, Tableau, by_name};

/// A condition that is not met leaves more than this, which rounding never does.
const UNMET: f64 = 1e-9;

fn all() -> impl Iterator<Item = &'static Tableau> {
    EXPLICIT.iter().chain(ESDIRK).copied()
}

fn rows(tableau: &Tableau) -> Vec<&'static [f64]> {
    (0..tableau.dense_stages()).map(|i| tableau.row(i)).collect()
}

/// The largest |Σ w_i Φ_i(τ) − θ^{ρ(τ)}/γ(τ)| over the trees of at most `order` nodes, each
/// relative to the same sums over absolute values, `sizes` being those of the weights.
fn order_residual(a: &[&[f64]], weights: &[f64], sizes: &[f64], theta: f64, order: u32) -> f64 {
    let trees = rooted_trees(order);
    let absolute: Vec<Vec<f64>> =
        a.iter().map(|row| row.iter().map(|a| a.abs()).collect()).collect();
    let absolute: Vec<&[f64]> = absolute.iter().map(Vec::as_slice).collect();
    let phi = elementary_weights(a, &trees);
    let phi_sizes = elementary_weights(&absolute, &trees);
    let mut worst = 0.0_f64;
    for ((tree, phi), phi_sizes) in trees.iter().zip(&phi).zip(&phi_sizes) {
        let exact = theta.powi(tree.order as i32) / tree.density;
        let size = dot(sizes, phi_sizes).max(1.0);
        worst = worst.max((dot(weights, phi) - exact).abs() / size);
    }
    worst
}

fn sizes(weights: &[f64]) -> Vec<f64> {
    weights.iter().map(|w| w.abs()).collect()
}

/// Σ_k |b_ik| θ^k of the interpolant, which bounds how far rounding moves b_i(θ).
fn dense_sizes(tableau: &Tableau, theta: f64) -> Vec<f64> {
    match tableau.dense {
        Dense::Hermite => vec![1.0; tableau.dense_stages()],
        Dense::Polynomials { polynomials, .. } => {
            let horner =
                |row: &&[f64]| row.iter().rev().fold(0.0, |sum, b| (sum + b.abs()) * theta);
            polynomials.iter().map(horner).collect()
        }
    }
}

#[test]
fn names_are_distinct_and_found() {
    for tableau in all() {
        assert_eq!(all().filter(|other| other.name == tableau.name).count(), 1);
        assert_eq!(by_name(tableau.name).map(|found| found.order), Some(tableau.order));
    }
    assert!(by_name("rk5").is_none());
}

#[test]
fn shapes_agree() {
    for tableau in all() {
        let s = tableau.stages();
        assert_eq!(tableau.c.len(), s, "{}", tableau.name);
        assert_eq!(tableau.a.len(), s, "{}", tableau.name);
        for (i, row) in tableau.a.iter().enumerate() {
            let length = if tableau.is_explicit() { i } else { i + 1 };
            assert_eq!(row.len(), length, "{} row {i}", tableau.name);
        }
        let embedded = if tableau.embedded_order > 0 { s } else { 0 };
        assert_eq!(tableau.error.len(), embedded, "{}", tableau.name);
        assert!(tableau.error_lower.is_empty() || tableau.error_lower.len() == s);
        if let Dense::Polynomials { order, extra_c, extra_a, polynomials } = tableau.dense {
            assert_eq!(extra_c.len(), extra_a.len(), "{}", tableau.name);
            assert_eq!(polynomials.len(), tableau.dense_stages(), "{}", tableau.name);
            assert!(polynomials.iter().all(|row| row.len() >= order as usize));
            for (e, row) in extra_a.iter().enumerate() {
                assert_eq!(row.len(), s + e, "{} extra row {e}", tableau.name);
            }
        }
    }
}

#[test]
fn rows_sum_to_their_abscissae() {
    for tableau in all() {
        for i in 0..tableau.dense_stages() {
            let row = tableau.row(i);
            let size = row.iter().map(|a| a.abs()).sum::<f64>().max(1.0);
            let error = (row.iter().sum::<f64>() - tableau.abscissa(i)).abs();
            assert!(error <= 2.3e-16 * size, "{} row {i}: {error:e}", tableau.name);
        }
    }
}

#[test]
fn the_solution_has_its_order_and_no_more() {
    for tableau in all() {
        let residual = |order| order_residual(tableau.a, tableau.b, &sizes(tableau.b), 1.0, order);
        assert!(
            residual(tableau.order) <= 4e-16,
            "{}: {:e}",
            tableau.name,
            residual(tableau.order)
        );
        assert!(residual(tableau.order + 1) > UNMET, "{}", tableau.name);
    }
}

#[test]
fn the_embedded_solution_has_its_order_and_no_more() {
    let simple = |tableau: &&Tableau| tableau.embedded_order > 0 && tableau.error_lower.is_empty();
    for tableau in all().filter(simple) {
        assert_embedded_order(tableau, tableau.error, tableau.embedded_order);
    }
}

#[test]
fn two_estimates_have_the_orders_that_join_to_the_embedded_order() {
    for tableau in all().filter(|tableau| !tableau.error_lower.is_empty()) {
        let (high, low) = (5, 3);
        assert_embedded_order(tableau, tableau.error, high);
        assert_embedded_order(tableau, tableau.error_lower, low);
        // e_5² / √(e_5² + e_3²/100) = O(h^{2 (high + 1) − (low + 1)}).
        assert_eq!(tableau.embedded_order + 1, 2 * (high + 1) - (low + 1), "{}", tableau.name);
    }
}

fn assert_embedded_order(tableau: &Tableau, error: &[f64], order: u32) {
    let b: Vec<_> = tableau.b.iter().zip(error).map(|(b, e)| b - e).collect();
    let residual = |order| order_residual(tableau.a, &b, &sizes(&b), 1.0, order);
    assert!(residual(order) <= 4e-16, "{}: {:e}", tableau.name, residual(order));
    assert!(residual(order + 1) > UNMET, "{}: {:e}", tableau.name, residual(order + 1));
}

#[test]
fn the_interpolant_has_its_order_and_no_more() {
    for tableau in all() {
        let a = rows(tableau);
        let mut b = vec![0.0; tableau.dense_stages()];
        let mut beyond = 0.0_f64;
        for theta in [0.1, 0.25, 0.5, 0.7, 0.95, 1.0] {
            tableau.dense_weights(theta, &mut b);
            let sizes = dense_sizes(tableau, theta);
            let residual = order_residual(&a, &b, &sizes, theta, tableau.dense_order());
            assert!(residual <= 1e-15, "{} at {theta}: {residual:e}", tableau.name);
            beyond = beyond.max(order_residual(&a, &b, &sizes, theta, tableau.dense_order() + 1));
        }
        assert!(beyond > UNMET, "{}", tableau.name);
    }
}

#[test]
fn the_interpolant_meets_both_ends() {
    for tableau in all() {
        let mut weights = vec![f64::NAN; tableau.dense_stages()];
        tableau.dense_weights(0.0, &mut weights);
        assert!(weights.iter().all(|&w| w == 0.0), "{}", tableau.name);
        tableau.dense_weights(1.0, &mut weights);
        for (i, &weight) in weights.iter().enumerate() {
            let b = tableau.b.get(i).copied().unwrap_or(0.0);
            assert!((weight - b).abs() <= 1e-13, "{} b_{i}(1): {weight} {b}", tableau.name);
        }
    }
}

#[test]
fn the_interpolants_slope_is_its_weights_derivative() {
    for tableau in all() {
        let (mut plus, mut minus, mut slope) = (
            vec![0.0; tableau.dense_stages()],
            vec![0.0; tableau.dense_stages()],
            vec![0.0; tableau.dense_stages()],
        );
        for theta in [0.0, 0.3, 0.8, 1.0] {
            let step = 1e-5;
            tableau.dense_weights(theta + step, &mut plus);
            tableau.dense_weights(theta - step, &mut minus);
            tableau.dense_weights_derivative(theta, &mut slope);
            for i in 0..slope.len() {
                let difference = (plus[i] - minus[i]) / (2.0 * step);
                assert!((slope[i] - difference).abs() < 1e-6, "{} {i} {theta}", tableau.name);
            }
        }
    }
}

#[test]
fn slopes_at_the_ends_are_stages() {
    let mut slope = [0.0; 16];
    for tableau in all() {
        let slope = &mut slope[..tableau.dense_stages()];
        let is_stage = |slope: &[f64], stage: usize| {
            let unit = |i: usize| if i == stage { 1.0 } else { 0.0 };
            slope.iter().enumerate().all(|(i, value)| (value - unit(i)).abs() < 2e-12)
        };
        let end = (0..tableau.dense_stages()).find(|&i| {
            let row = tableau.row(i);
            tableau.abscissa(i) == 1.0
                && tableau
                    .b
                    .iter()
                    .enumerate()
                    .all(|(j, &b)| row.get(j).copied().unwrap_or(0.0) == b)
        });
        tableau.dense_weights_derivative(1.0, slope);
        assert!(is_stage(slope, end.unwrap()), "{}: {slope:?}", tableau.name);
        tableau.dense_weights_derivative(0.0, slope);
        assert_eq!(is_stage(slope, 0), tableau.is_explicit(), "{}: {slope:?}", tableau.name);
    }
}
