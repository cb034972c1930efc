//! An ensemble's bits do not depend on the number of threads; a member that fails is named.

use costate::adjoint::Gradient;
use costate::error::Error;
use costate::method::Method;
use costate::ode::objective::LeastSquares;
use costate::ode::{Initial, Ode};
use costate::problem::Problem;
use costate::problem::ensemble::{Sum, gradients, sum};

use crate::common::{bits, file};

fn run(threads: usize) -> (Vec<Gradient>, Sum) {
    let model = file("biology/lotka_volterra");
    let members: Vec<Vec<f64>> =
        (0..37).map(|i| vec![1.0 + 0.02 * i as f64, 1.0, 3.0, 1.0 + 0.01 * i as f64]).collect();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let gradients = pool.install(|| {
        gradients(&members, |p| Problem::new(&model, (0.0, 10.0), p).snapshots(4).gradient())
    });
    let gradients = gradients.unwrap();
    let total = sum(&gradients).unwrap();
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
    approx::assert_abs_diff_eq!(total.value, expected, epsilon = 1e-14 * expected);
}

#[test]
fn the_first_member_that_fails_is_named() {
    let model = file("biology/lotka_volterra");
    let members = [1.0, 2.0, f64::NAN, f64::INFINITY].map(|a| vec![a, 1.0, 3.0, 1.0]);
    let error =
        gradients(&members, |p| Problem::new(&model, (0.0, 10.0), p).gradient()).unwrap_err();
    assert!(matches!(error, Error::Member { index: 2, .. }));
    assert_eq!(
        error.to_string(),
        "member 2 of the ensemble: parameter 0 is NaN: it must be a finite number"
    );
}

/// Members may differ in their model, method, start and observations, and take long or short.
#[test]
fn members_of_all_kinds_do_not_change_a_bit() {
    let models = ["biology/lotka_volterra", "chemistry/robertson", "chemistry/hires"].map(file);
    let members: Vec<usize> = (0..24).collect();
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let member = |&i: &usize| {
            let (model, method) = (&models[i % 3], ["auto", "kvaerno5"][i % 2]);
            let p: Vec<f64> = model.nominal().iter().map(|p| p * (1.0 + 1e-3 * i as f64)).collect();
            let (start, end) = model.span().unwrap();
            let times = vec![start, start + 0.01 * (end - start) * (1 + i) as f64 / 24.0];
            let data = vec![0.1 * i as f64; 2 * model.dim()];
            let fit = LeastSquares::new(times.clone(), data, &[1.0])?;
            let mut y0 = vec![0.0; model.dim()];
            model.initial(&p, &mut y0);
            y0[0] += 1e-3 * i as f64;
            Problem::new(model, (start, times[1]), &p)
                .initial(&y0)
                .objective(&fit)
                .method(Method::by_name(method)?)
                .snapshots(1 + i)
                .gradient()
        };
        pool.install(|| gradients(&members, member)).unwrap()
    };
    let one = run(1);
    for threads in [2, 3, 8] {
        for (i, (a, b)) in one.iter().zip(&run(threads)).enumerate() {
            assert_eq!(bits(a), bits(b), "member {i}");
            let counts = |g: &Gradient| {
                let s = g.stats;
                [s.steps, s.rejected, s.rhs, s.vjp, s.recomputed_steps, s.snapshots_peak]
            };
            assert_eq!(counts(a), counts(b), "member {i}");
        }
    }
}
