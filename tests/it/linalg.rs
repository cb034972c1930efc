//! Laws of the factorisations, over all structures: A x = b and Aᵀ x = b are solved.

use costate::numbers::linalg::{Lu, Matrix, OutOfMatrix, Pattern, Singular, Structure};
use proptest::prelude::*;

/// An entry in [−1, 1) that depends on its place and a seed alone.
fn entry(seed: u64, i: usize, j: usize) -> f64 {
    2.0 * fastrand::Rng::with_seed(seed ^ i as u64 ^ (j as u64) << 32).f64() - 1.0
}

fn filled(seed: u64, dim: usize, structure: Structure) -> Matrix {
    let mut a = Matrix::zeros(dim, structure.clone()).unwrap();
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

/// `per_row` entries a row, at places that depend on a seed alone, and the diagonal.
fn scattered(seed: u64, dim: usize, per_row: usize) -> Structure {
    let place = |i: usize, k: usize| ((entry(seed, i, k) + 1.0) / 2.0 * dim as f64) as usize;
    let row = |i: usize| (0..per_row).map(move |k| (i, place(i, k)));
    Structure::Sparse(Pattern::new(dim, (0..dim).flat_map(row)).unwrap())
}

/// J of a square of points coupled to their neighbours by `weights`: itself, east, west, north,
/// south; row k of it is row `order(k)` of the matrix returned.
fn grid(n: usize, weights: [f64; 5], order: impl Fn(usize) -> usize) -> Matrix {
    let mut list = Vec::new();
    for k in 0..n * n {
        let (x, y) = (k % n, k / n);
        list.push((order(k), k, weights[0]));
        let inside = [x + 1 < n, x > 0, y + 1 < n, y > 0];
        let place = [k + 1, k.wrapping_sub(1), k + n, k.wrapping_sub(n)];
        for s in (0..4).filter(|&s| inside[s]) {
            list.push((order(k), place[s], weights[s + 1]));
        }
    }
    let pattern = Pattern::new(n * n, list.iter().map(|&(i, j, _)| (i, j))).unwrap();
    let mut matrix = Matrix::zeros(n * n, Structure::Sparse(pattern)).unwrap();
    list.iter().for_each(|&(i, j, value)| matrix.set(i, j, value));
    matrix
}

/// A Laplacian, a convection–diffusion operator whose diagonal does not dominate, and that with its
/// rows in reverse, so that no pivot is on the diagonal.
fn grids(n: usize) -> [Matrix; 3] {
    let convection = [-4.0, 6.0, -4.0, 9.0, -7.0];
    [
        grid(n, [-4.0, 1.0, 1.0, 1.0, 1.0], |k| k),
        grid(n, convection, |k| k),
        grid(n, convection, |k| n * n - 1 - k),
    ]
}

fn right_hand_side(dim: usize) -> Vec<f64> {
    (0..dim).map(|i| entry(1, i, 0)).collect()
}

/// (I − cJ)⁻¹ b and (I − cJ)⁻ᵀ b.
fn solutions(lu: &mut Lu, c: f64, jacobian: &Matrix) -> [Vec<f64>; 2] {
    lu.factor(c, jacobian).unwrap();
    let b = right_hand_side(jacobian.dim());
    let (mut x, mut transposed) = (b.clone(), b);
    lu.solve(&mut x);
    lu.solve_transpose(&mut transposed);
    [x, transposed]
}

fn dense(matrix: &Matrix) -> Matrix {
    let dim = matrix.dim();
    let mut dense = Matrix::zeros(dim, Structure::Dense).unwrap();
    for j in 0..dim {
        (0..dim).for_each(|i| dense.set(i, j, matrix.get(i, j)));
    }
    dense
}

#[test]
fn sparse_factors_solve_what_dense_ones_do() {
    for n in [1, 2, 3, 5, 10, 20] {
        for jacobian in grids(n) {
            for c in [0.0, 0.01, 0.3, 7.0] {
                let mut lu = Lu::new(n * n, jacobian.structure().clone()).unwrap();
                let mut reference = Lu::new(n * n, Structure::Dense).unwrap();
                let found = solutions(&mut lu, c, &jacobian);
                let expected = solutions(&mut reference, c, &dense(&jacobian));
                let b = right_hand_side(n * n);
                for (k, (found, expected)) in found.iter().zip(&expected).enumerate() {
                    let r = residual(&jacobian, c, found, &b, k == 1);
                    assert!(r < 1e-14, "{n} × {n}, c = {c}: residual {r:e}");
                    let largest = expected.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
                    let gap = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
                    let gap = gap.fold(0.0, f64::max) / largest;
                    assert!(gap < 1e-9, "{n} × {n}, c = {c}: {gap:e} from the dense solution");
                }
            }
        }
    }
}

/// Whatever was factorised before, wherever the memory lies, and on whatever thread.
#[test]
fn sparse_factors_have_the_same_bits_every_time() {
    let bits = |x: [Vec<f64>; 2]| x.map(|x| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>());
    for n in [3, 9, 24, 40] {
        for jacobian in grids(n) {
            let fresh = || Lu::new(n * n, jacobian.structure().clone()).unwrap();
            let expected = bits(solutions(&mut fresh(), 0.3, &jacobian));
            let mut used = fresh();
            for (k, other) in [0.1, 0.3, 50.0, 0.0].into_iter().enumerate() {
                let _shift: Vec<u8> = Vec::with_capacity(8 * (2 * k + 1));
                solutions(&mut used, other, &jacobian);
                assert_eq!(bits(solutions(&mut used, 0.3, &jacobian)), expected);
                assert_eq!(bits(solutions(&mut fresh(), 0.3, &jacobian)), expected);
                assert_eq!(bits(solutions(&mut used.clone(), 0.3, &jacobian)), expected);
            }
            std::thread::scope(|scope| {
                let run = || bits(solutions(&mut fresh(), 0.3, &jacobian));
                let threads: Vec<_> = (0..4).map(|_| scope.spawn(run)).collect();
                for thread in threads {
                    assert_eq!(thread.join().unwrap(), expected);
                }
            });
        }
    }
}

/// A right-hand side's place in memory, which vector units see, leaves the solution alone.
#[test]
fn sparse_solutions_do_not_depend_on_alignment() {
    let jacobian = &grids(24)[1];
    let mut lu = Lu::new(24 * 24, jacobian.structure().clone()).unwrap();
    let [expected, transposed] = solutions(&mut lu, 0.3, jacobian);
    for shift in 0..9 {
        let mut room = vec![0.0; shift];
        room.extend(right_hand_side(24 * 24));
        let mut other = room.clone();
        lu.solve(&mut room[shift..]);
        lu.solve_transpose(&mut other[shift..]);
        assert_eq!(room[shift..], expected, "shifted by {shift} numbers");
        assert_eq!(other[shift..], transposed, "shifted by {shift} numbers");
    }
}

#[test]
fn singular_sparse_matrices_name_a_column() {
    let laplacian = &grids(8)[0];
    let mut lu = Lu::new(64, laplacian.structure().clone()).unwrap();
    // Column 37 of I − J is zero, or holds what is not a number.
    for (diagonal, others) in [(1.0, 0.0), (f64::NAN, 1.0), (f64::INFINITY, 0.0)] {
        let mut jacobian = laplacian.clone();
        for i in (0..64).filter(|&i| laplacian.contains(i, 37)) {
            jacobian.set(i, 37, if i == 37 { diagonal } else { others });
        }
        assert_eq!(lu.factor(1.0, &jacobian), Err(Singular { column: 37 }));
        assert_eq!(lu.factor(1.0, laplacian), Ok(()));
    }
    // Two equal rows of I − J: no single column is to blame.
    let pattern = Pattern::new(64, [(3, 4), (4, 3)]).unwrap();
    let mut jacobian = Matrix::zeros(64, Structure::Sparse(pattern.clone())).unwrap();
    jacobian.set(3, 4, -1.0);
    jacobian.set(4, 3, -1.0);
    let outcome = Lu::new(64, Structure::Sparse(pattern)).unwrap().factor(1.0, &jacobian);
    assert!(matches!(outcome, Err(Singular { column: 3 | 4 })), "{outcome:?}");
}

#[test]
fn patterns_hold_the_diagonal_and_refuse_what_is_outside() {
    let pattern = Pattern::new(3, [(2, 0), (0, 1), (2, 0)]).unwrap();
    let columns: Vec<&[usize]> = (0..3).map(|j| pattern.column(j)).collect();
    assert_eq!(columns, [&[0, 2][..], &[0, 1], &[2]]);
    assert_eq!((pattern.position(2, 0), pattern.position(1, 0)), (Some(1), None));
    assert_eq!(pattern.transposed(), &Pattern::new(3, [(0, 2), (1, 0)]).unwrap());
    let outside = Pattern::new(3, [(1, 3)]).unwrap_err();
    assert_eq!(outside, OutOfMatrix { row: 1, column: 3, dim: 3 });
    let matrix = filled(5, 3, Structure::Sparse(pattern.clone()));
    let mut transposed = Matrix::zeros(3, matrix.structure().transposed()).unwrap();
    matrix.transpose_into(&mut transposed);
    for (i, j) in (0..9).map(|k| (k / 3, k % 3)) {
        assert_eq!(matrix.get(i, j), transposed.get(j, i));
        assert_eq!(matrix.get(i, j) != 0.0, pattern.position(i, j).is_some());
    }
}

proptest! {
    #[test]
    fn both_systems_are_solved(seed: u64, dim in 1usize..24, lower in 0usize..5, upper in 0usize..5,
                               c in 0.01f64..100.0) {
        let band = Structure::Banded { lower: lower.min(dim - 1), upper: upper.min(dim - 1) };
        for structure in [Structure::Dense, band, scattered(seed, dim, lower)] {
            let jacobian = filled(seed, dim, structure.clone());
            let mut lu = Lu::new(dim, structure.clone()).unwrap();
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
    let diagonal = Structure::Sparse(Pattern::new(3, []).unwrap());
    for structure in [Structure::Dense, Structure::Banded { lower: 1, upper: 1 }, diagonal] {
        let mut jacobian = Matrix::zeros(3, structure.clone()).unwrap();
        jacobian.set(1, 1, 1.0);
        let mut lu = Lu::new(3, structure).unwrap();
        assert_eq!(lu.factor(1.0, &jacobian), Err(Singular { column: 1 }));
        assert_eq!(lu.factor(0.5, &jacobian), Ok(()));
    }
}
