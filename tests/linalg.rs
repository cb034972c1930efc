//! Laws of the factorisations, over all structures: A x = b and Aᵀ x = b are solved.

use costate::linalg::{Lu, Matrix, Singular, Structure};
use proptest::prelude::*;

/// An entry in [−1, 1) that depends on its place and a seed alone.
fn entry(seed: u64, i: usize, j: usize) -> f64 {
    let mut x = seed ^ (i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (j as u64) << 32;
    for _ in 0..3 {
        x ^= x >> 29;
        x = x.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    }
    (x >> 11) as f64 / (1u64 << 52) as f64 - 1.0
}

fn filled(seed: u64, dim: usize, structure: Structure) -> Matrix {
    let mut a = Matrix::zeros(dim, structure.clone());
    for j in 0..dim {
        for i in 0..dim {
            if a.contains(i, j) {
                a.set(i, j, entry(seed, i, j));
            }
        }
    }
    a
}

/// ‖b − (I − cJ) x‖ / (‖I − cJ‖‖x‖ + ‖b‖) in the maximum norm, transposed if asked: the backward
/// error, which partial pivoting keeps small normwise (Higham, Accuracy and Stability, theorem 9.5).
fn residual(jacobian: &Matrix, c: f64, x: &[f64], b: &[f64], transposed: bool) -> f64 {
    let n = x.len();
    let largest = |v: &[f64]| v.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    let (mut residual, mut matrix) = (0.0_f64, 0.0_f64);
    for i in 0..n {
        let (mut sum, mut row) = (b[i] - x[i], 1.0);
        for (j, x_j) in x.iter().enumerate() {
            let a = if transposed { jacobian.get(j, i) } else { jacobian.get(i, j) };
            sum += c * a * x_j;
            row += (c * a).abs();
        }
        (residual, matrix) = (residual.max(sum.abs()), matrix.max(row));
    }
    residual / (matrix * largest(x) + largest(b))
}

proptest! {
    #[test]
    fn both_systems_are_solved(seed: u64, dim in 1usize..24, lower in 0usize..5, upper in 0usize..5,
                               c in 0.01f64..100.0) {
        let band = Structure::Banded { lower: lower.min(dim - 1), upper: upper.min(dim - 1) };
        for structure in [Structure::Dense, band] {
            let jacobian = filled(seed, dim, structure.clone());
            let mut lu = Lu::new(dim, structure.clone());
            prop_assume!(lu.factor(c, &jacobian).is_ok());
            let b: Vec<f64> = (0..dim).map(|i| entry(seed ^ 1, i, 0)).collect();
            for transposed in [false, true] {
                let mut x = b.clone();
                if transposed { lu.solve_transpose(&mut x) } else { lu.solve(&mut x) }
                let r = residual(&jacobian, c, &x, &b, transposed);
                prop_assert!(r < 1e-14, "{structure:?} transposed {transposed}: residual {r:e}");
            }
        }
    }
}

#[test]
fn a_singular_matrix_names_its_column() {
    for structure in [Structure::Dense, Structure::Banded { lower: 1, upper: 1 }] {
        let mut jacobian = Matrix::zeros(3, structure.clone());
        jacobian.set(1, 1, 1.0);
        let mut lu = Lu::new(3, structure);
        assert_eq!(lu.factor(1.0, &jacobian), Err(Singular { column: 1 }));
        assert_eq!(lu.factor(0.5, &jacobian), Ok(()));
    }
}
