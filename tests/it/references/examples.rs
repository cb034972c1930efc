//! Examples of SUNDIALS and PETSc, recomputed elsewhere to more digits than they print.

use costate::adjoint::Gradient;
use costate::method::Method;
use costate::method::tableau::KVAERNO5;
use costate::model::Model;
use costate::ode::Initial;
use costate::problem::Problem;

use super::{component, near, near_each, number, numbers};
use crate::common::{file, shared};

const IMPLICIT: Method = Method::Named(&KVAERNO5);

/// cvsLotkaVolterra_ASA: g = ½ ‖1 − y(10)‖².
#[test]
#[ignore = "reads ../shared"]
fn lotka_volterra() {
    let all = shared("data/ode/sundials_sensitivities.json");
    let reference = &all["lotka_volterra"];
    let model = Model::trace(2, 4, |_t, y, p| {
        [&p[0] * &y[0] - &p[1] * &y[0] * &y[1], -(&p[2] * &y[1]) + &p[3] * &y[0] * &y[1]]
    })
    .initial(|_p| [1.0, 1.0].map(Into::into))
    .terminal(|y, _p| 0.5 * ((1.0 - &y[0]).powi(2) + (1.0 - &y[1]).powi(2)))
    .build()
    .unwrap();
    let p = [1.5, 1.0, 3.0, 1.0];
    for method in [Method::Auto, IMPLICIT] {
        let problem = Problem::new(&model, (0.0, 10.0), &p).method(method);
        let problem = problem.rtol(1e-12).atol(1e-12);
        let end = problem.solve(&[10.0]).unwrap();
        near("SUNDIALS LV, y(T)", &end.states[0], &numbers(&reference["yT"]), 1e-8);
        let gradient = problem.gradient().unwrap();
        near("SUNDIALS LV, dg/dp", &gradient.wrt_params, &numbers(&reference["dg_dp"]), 1e-8);
        near("SUNDIALS LV, dg/dy0", &gradient.wrt_y0, &numbers(&reference["dg_du0"]), 1e-8);
    }
}

/// cvsRoberts_ASAi_dns: G = ∫ y3 dt over [0, 50].
#[test]
#[ignore = "reads ../shared"]
fn robertson() {
    let all = shared("data/ode/sundials_sensitivities.json");
    let reference = &all["roberts_T50"];
    let model = Model::trace(3, 3, |_t, y, p| {
        let (decay, back) = (&p[0] * &y[0], &p[1] * &y[1] * &y[2]);
        let pair = &p[2] * &y[1] * &y[1];
        [&back - &decay, decay - back - &pair, pair]
    })
    .initial(|_p| [1.0, 0.0, 0.0].map(Into::into))
    .running(|_t, y, _p| y[2].clone())
    .build()
    .unwrap();
    let p = [0.04, 1e4, 3e7];
    let problem = Problem::new(&model, (0.0, 50.0), &p);
    let problem = problem.method(IMPLICIT).rtol(1e-11).atol(1e-17);
    let end = problem.solve(&[50.0]).unwrap();
    near_each("SUNDIALS Robertson, y(T)", &end.states[0], &numbers(&reference["y"]), 1e-8);
    let gradient = problem.gradient().unwrap();
    near("SUNDIALS Robertson, G", &[gradient.value], &[number(&reference["G"])], 1e-8);
    let (dp, dy0) = (numbers(&reference["dG_dp"]), numbers(&reference["dG_dy0"]));
    near_each("SUNDIALS Robertson, dG/dp", &gradient.wrt_params, &dp, 1e-8);
    near_each("SUNDIALS Robertson, dG/dy0", &gradient.wrt_y0, &dy0, 1e-8);
}

/// The gradient of y_i(0.5) in steps of 2.5e-5. Error control would not do: from the slow manifold
/// it does not see the layer that a change of y0 starts, and takes steps too long to resolve it.
fn petsc<I: Initial>(model: &Model, initial: &I, i: usize, mu: f64) -> Gradient {
    let (objective, p) = (component(i), [mu]);
    let problem =
        Problem::new(model, (0.0, 0.5), &p).initial(initial).objective(&objective).method(IMPLICIT);
    problem.fixed_steps(20_000).gradient().unwrap()
}

/// ex16adj: Van der Pol with mu = 1.
#[test]
#[ignore = "reads ../shared"]
fn mild_van_der_pol() {
    let all = shared("data/ode/petsc_vdp_sensitivities.json");
    let reference = &all["petsc_ex16_mu1"];
    let model = file("oscillators/van_der_pol");
    for i in 0..2 {
        let gradient = petsc(&model, &vec![2.0, 0.66666654321], i, 1.0);
        near("PETSc ex16, y(T)", &[gradient.value], &[number(&reference["y"][i])], 1e-8);
        let dy0 = numbers(&reference["dyT_dy0"][i]);
        near_each("PETSc ex16, dy(T)/dy0", &gradient.wrt_y0, &dy0, 1e-8);
        let dmu = number(&reference["dyT_dmu"][i]);
        near("PETSc ex16, dy(T)/dmu", &gradient.wrt_params, &[dmu], 1e-8);
    }
}

/// ex20adj: y'' = mu ((1 − y²) y' − y) with mu = 1000, from the slow manifold, which mu moves.
#[test]
#[ignore = "reads ../shared"]
fn stiff_van_der_pol() {
    let all = shared("data/ode/petsc_vdp_sensitivities.json");
    let reference = &all["petsc_ex20_mu1000_T0.5"];
    let model = Model::trace(2, 1, |_t, y, p| {
        [y[1].clone(), &p[0] * ((1.0 - &y[0] * &y[0]) * &y[1] - &y[0])]
    })
    .initial(|p| {
        [2.0.into(), -2.0 / 3.0 + 10.0 / (81.0 * &p[0]) - 292.0 / (2187.0 * &p[0] * &p[0])]
    })
    .build()
    .unwrap();
    for i in 0..2 {
        let moving = petsc(&model, &model, i, 1000.0);
        near("PETSc ex20, y(T)", &[moving.value], &[number(&reference["y"][i])], 1e-8);
        let dy0 = numbers(&reference["dyT_dy0"][i]);
        near_each("PETSc ex20, dy(T)/dy0", &moving.wrt_y0, &dy0, 1e-8);
        let total = number(&reference["dyT_dmu_total"][i]);
        near("PETSc ex20, total dy(T)/dmu", &moving.wrt_params, &[total], 1e-8);
        let mut y0 = vec![0.0; 2];
        model.initial(&[1000.0], &mut y0);
        let fixed = petsc(&model, &y0, i, 1000.0);
        let partial = number(&reference["dyT_dmu_partial"][i]);
        near("PETSc ex20, partial dy(T)/dmu", &fixed.wrt_params, &[partial], 1e-8);
    }
}
