//! An ensemble's bits do not depend on the number of threads; a member that fails is named.

mod common;

use common::{bits, file};
use costate::adjoint::Gradient;
use costate::ensemble::{Sum, gradients, sum};
use costate::error::Error;
use costate::problem::Problem;

fn run(threads: usize) -> (Vec<Gradient>, Sum) {
    let model = file("biology/lotka_volterra");
    let members: Vec<Vec<f64>> =
        (0..37).map(|i| vec![1.0 + 0.02 * i as f64, 1.0, 3.0, 1.0 + 0.01 * i as f64]).collect();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let gradients = pool.install(|| {
        gradients(&members, |p| {
            Problem::new(&model, &model, &model, (0.0, 10.0), p).snapshots(4).gradient()
        })
    });
    let gradients = gradients.unwrap();
    let total = sum(&gradients);
    (gradients, total)
}

#[test]
fn threads_do_not_change_a_bit() {
    let (one, total) = run(1);
    assert!(one.windows(2).any(|pair| pair[0].stats.steps != pair[1].stats.steps));
    for threads in [2, 3, 8] {
        let (many, sum) = run(threads);
        for (a, b) in one.iter().zip(&many) {
            assert_eq!(bits(a), bits(b));
        }
        let same = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits());
        assert!(same(&total.wrt_params, &sum.wrt_params));
        assert_eq!(total.value.to_bits(), sum.value.to_bits());
    }
    let expected: f64 = one.iter().map(|g| g.value).sum();
    assert!((total.value - expected).abs() <= 1e-14 * expected);
}

#[test]
fn the_first_member_that_fails_is_named() {
    let model = file("biology/lotka_volterra");
    let members = [1.0, 2.0, f64::NAN, f64::INFINITY].map(|a| vec![a, 1.0, 3.0, 1.0]);
    let error =
        gradients(&members, |p| Problem::new(&model, &model, &model, (0.0, 10.0), p).gradient())
            .unwrap_err();
    assert!(matches!(error, Error::Member { index: 2, .. }));
    assert_eq!(
        error.to_string(),
        "member 2 of the ensemble: parameter 0 is NaN: it must be a finite number"
    );
}
