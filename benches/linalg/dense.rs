//! Microseconds of dense LU factors of I − cJ and of one solution by them: ours, nalgebra's and
//! faer's, all on one thread.

use std::hint::black_box;

use costate::numbers::linalg::{Lu, Matrix, Structure};
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::lu::partial_pivoting::{factor, solve};
use faer::{MatMut, MatRef, Par};
use nalgebra::{DMatrix, DVector};

use crate::best;

const C: f64 = 0.1;

pub fn report() {
    println!("{:>4}  {:^20}  {:^20}  {:^20}  µs", "d", "ours", "nalgebra", "faer");
    for dim in [3_usize, 10, 30, 100, 300] {
        let jacobian: Vec<f64> =
            (0..dim * dim).map(|k| 1.0 + 3.0 * ((k * k) as f64).sin()).collect();
        // A clock is too coarse for one of the smallest.
        let repetitions = 1 + 30_000 / dim.pow(3);
        print!("{dim:>4}");
        for (factor, solve) in [ours, nalgebra, faer].map(|by| by(dim, &jacobian, repetitions)) {
            print!("  {:>9.2} + {:<8.2}", 1e3 * factor, 1e3 * solve);
        }
        println!();
    }
}

/// Milliseconds of factors and of a solution, the least of many.
type Times = (f64, f64);

fn shortest<T>(repetitions: usize, mut action: impl FnMut() -> T) -> f64 {
    let many = || (0..repetitions).for_each(|_| drop(black_box(action())));
    best(100, many) / repetitions as f64
}

fn ours(dim: usize, entries: &[f64], repetitions: usize) -> Times {
    let mut jacobian = Matrix::zeros(dim, Structure::Dense).unwrap();
    for (k, &value) in entries.iter().enumerate() {
        jacobian.set(k % dim, k / dim, value);
    }
    let mut lu = Lu::new(dim, Structure::Dense).unwrap();
    let factor = shortest(repetitions, || lu.factor(C, black_box(&jacobian)).expect("regular"));
    let mut b = vec![1.0; dim];
    (factor, shortest(repetitions, || lu.solve(black_box(&mut b))))
}

fn nalgebra(dim: usize, entries: &[f64], repetitions: usize) -> Times {
    let jacobian = DMatrix::from_column_slice(dim, dim, entries);
    let make = || {
        let mut matrix = black_box(&jacobian) * -C;
        (0..dim).for_each(|j| matrix[(j, j)] += 1.0);
        matrix.lu()
    };
    let factor = shortest(repetitions, make);
    let (lu, mut b) = (make(), DVector::from_element(dim, 1.0));
    (factor, shortest(repetitions, || lu.solve_mut(black_box(&mut b))))
}

fn faer(dim: usize, entries: &[f64], repetitions: usize) -> Times {
    let (mut values, mut order, mut inverse) =
        (vec![0.0; dim * dim], vec![0_usize; dim], vec![0; dim]);
    let need = factor::lu_in_place_scratch::<usize, f64>(dim, dim, Par::Seq, Default::default())
        .or(solve::solve_in_place_scratch::<usize, f64>(dim, 1, Par::Seq));
    let mut memory = MemBuffer::new(need);
    let factor = shortest(repetitions, || {
        for (x, j) in values.iter_mut().zip(black_box(entries)) {
            *x = -C * j;
        }
        (0..dim).for_each(|j| values[j * dim + j] += 1.0);
        let matrix = MatMut::from_column_major_slice_mut(&mut values, dim, dim);
        let stack = MemStack::new(&mut memory);
        factor::lu_in_place(matrix, &mut order, &mut inverse, Par::Seq, stack, Default::default());
    });
    let factors = MatRef::from_column_major_slice(&values, dim, dim);
    let permutation = faer::perm::PermRef::new_checked(&order, &inverse, dim);
    let mut b = vec![1.0; dim];
    let solve = shortest(repetitions, || {
        let stack = MemStack::new(&mut memory);
        let b = MatMut::from_column_major_slice_mut(black_box(&mut b), dim, 1);
        solve::solve_in_place(factors, factors, permutation, b, Par::Seq, stack);
    });
    (factor, solve)
}
