//! Gradients through sparse Jacobians, against closed forms.

use costate::method::stepper::{Esdirk, Newton, Slopes, Stepper};
use costate::method::tableau::ESDIRK;
use costate::method::{AdjointKind, Method};
use costate::model::Model;
use costate::ode::objective::Terminal;
use costate::problem::Problem;
use costate_models::pde::advected_fisher::{AdvectedFisher, PARAMETERS};

/// Without growth, cos(kx + ly) keeps its form while e^{−δt} takes its height, δ ∝ D; over the
/// points of the torus its squares sum to N²/2, so J = ½ Σ u² = N²/4 e^{−2δT}. The wind only moves
/// it.
#[test]
fn a_wave_that_decays_has_the_gradient_of_the_formula() {
    let (n, [a, b, _, _], diffusion, end) = (16, PARAMETERS, 1.0, 0.01);
    let (model, dx) = (AdvectedFisher::new(n), 1.0 / n as f64);
    let tau = std::f64::consts::TAU;
    let wave = |k: usize| (tau * dx * ((k % n) as f64 + (2 * (k / n)) as f64)).cos();
    let y0: Vec<f64> = (0..n * n).map(wave).collect();
    let objective = Terminal::new(
        |y: &[f64], _p: &[f64]| 0.5 * y.iter().map(|y| y * y).sum::<f64>(),
        |y: &[f64], _p: &[f64], y_bar: &mut [f64], _p_bar: &mut [f64]| {
            y_bar.iter_mut().zip(y).for_each(|(bar, y)| *bar += y);
        },
    );
    let half = |m: f64| (0.5 * m * tau * dx).sin().powi(2);
    let delta = 4.0 * diffusion / (dx * dx) * (half(1.0) + half(2.0));
    let value = (n * n) as f64 / 4.0 * (-2.0 * delta * end).exp();
    let by_diffusion = -2.0 * end * delta / diffusion * value;
    let p = [a, b, diffusion, 0.0];
    let rtol = 1e-7;
    for tableau in ESDIRK {
        // The continuous adjoint reads the states from the dense output, which error control does
        // not see; that of kvaerno5 is the coarsest beside its long steps.
        for (adjoint, tolerance) in
            [(AdjointKind::Discrete, 10.0 * rtol), (AdjointKind::Continuous, 500.0 * rtol)]
        {
            let g = Problem::new(&model, (0.0, end), &p)
                .initial(&y0)
                .objective(&objective)
                .method(Method::Named(tableau))
                .rtol(rtol)
                .snapshots(4)
                .adjoint(adjoint)
                .gradient()
                .unwrap();
            let expected = [value, 0.0, 0.0, by_diffusion];
            let found = [g.value, g.wrt_params[0], g.wrt_params[1], g.wrt_params[2]];
            for (found, expected) in found.into_iter().zip(expected) {
                let error = (found - expected).abs() / value;
                assert!(error < tolerance, "{}: {found} for {expected}", tableau.name);
            }
        }
    }
}

/// Scratch states at least the bytes of its entries, and far fewer than a dense one.
#[test]
fn sparse_scratch_is_small() {
    let model = AdvectedFisher::new(40);
    let (d, stepper) = (1600_usize, Esdirk::new(ESDIRK[0], Newton::Stagnation).unwrap());
    let bytes = stepper.scratch_bytes(&model, Slopes::Overwritten, 0);
    assert!(bytes > 5 * 8 * 2 * d && bytes < d * d * 8 / 3, "{bytes} bytes");
}

/// The same equation from a closure: its Jacobian is found sparse, and its gradient is that of the
/// model written by hand.
#[test]
fn a_traced_model_with_a_sparse_jacobian_has_the_same_gradient() {
    let n = 12;
    let by_hand = AdvectedFisher::new(n);
    let traced = Model::trace(n * n, 4, |_t, y, p| {
        let at = |i: usize, j: usize| &y[(j % n) * n + i % n];
        let m = n as f64;
        let rate = |k: usize| {
            let (i, j) = (k % n + n, k / n + n);
            let u = at(i, j);
            let spread = at(i + 1, j) + at(i - 1, j) + at(i, j + 1) + at(i, j - 1) - 4.0 * u;
            let wind =
                &p[0] * (at(i + 1, j) - at(i - 1, j)) + &p[1] * (at(i, j + 1) - at(i, j - 1));
            &p[2] * spread * (m * m) - wind * (0.5 * m) + &p[3] * u * (1.0 - u)
        };
        (0..n * n).map(rate).collect::<Vec<_>>()
    })
    .initial(|_p| by_hand.wave().into_iter().map(Into::into).collect::<Vec<_>>())
    .terminal(|y, _p| &y[3] * &y[40])
    .build()
    .unwrap();
    let run = |use_traced: bool| {
        let (initial, span, p) = (&traced, (0.0, 0.5), &PARAMETERS);
        let method = Method::Named(ESDIRK[0]);
        if use_traced {
            Problem::new(&traced, span, p)
                .initial(initial)
                .objective(&traced)
                .method(method)
                .gradient()
        } else {
            Problem::new(&by_hand, span, p)
                .initial(initial)
                .objective(&traced)
                .method(method)
                .gradient()
        }
        .unwrap()
    };
    let (a, b) = (run(true), run(false));
    for (a, b) in a.wrt_params.iter().zip(&b.wrt_params) {
        assert!((a - b).abs() < 1e-5 * a.abs().max(1e-3), "{a} and {b}");
    }
}
