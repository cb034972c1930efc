//! The pitch–plunge airfoil: gradients of ∫ α² + ξ² dt and of α(T), below and beyond flutter.

use costate::adjoint::Gradient;
use costate::method::Method;
use costate::model::Model;
use costate::ode::objective::Objective;
use costate::problem::Problem;
use serde_json::Value;

use super::{component, near, number, numbers};
use crate::common::{file, shared};

/// Values in the order of the model's parameters.
fn by_name(model: &Model, values: &Value) -> Vec<f64> {
    model.parameters().iter().map(|parameter| number(&values[&parameter.name])).collect()
}

fn gradient<J: Objective>(
    model: &Model,
    objective: &J,
    case: &Value,
    method: Method,
    rtol: f64,
) -> Gradient {
    let (p, y0) = (by_name(model, &case["params"]), numbers(&case["y0"])[..6].to_vec());
    let problem =
        Problem::new(model, (0.0, number(&case["T"])), &p).initial(&y0).objective(objective);
    problem.method(method).rtol(rtol).atol(rtol).gradient().unwrap()
}

#[test]
#[ignore = "reads ../shared"]
fn sensitivities() {
    let cases = shared("data/aero/pitch_plunge_sensitivities.json");
    let model = file("aerodynamics/pitch_plunge");
    let alpha = component(2);
    for (by, rtol) in [("auto", 1e-12), ("kvaerno5", 1e-11)] {
        let method = Method::by_name(by).unwrap();
        for (name, case) in cases.as_object().unwrap() {
            let what = format!("{name} by {by}");
            let energy = gradient(&model, &model, case, method, rtol);
            let end = numbers(&case["yT"]);
            near(&format!("{what}, Q"), &[energy.value], &end[6..], 1e-8);
            let (p, y0) = (by_name(&model, &case["dQ_dparams"]), numbers(&case["dQ_dy0"]));
            near(&format!("{what}, dQ/dp"), &energy.wrt_params, &p, 1e-8);
            near(&format!("{what}, dQ/dy0"), &energy.wrt_y0, &y0, 1e-8);
            let pitch = gradient(&model, &alpha, case, method, rtol);
            near(&format!("{what}, alpha(T)"), &[pitch.value], &end[2..3], 1e-8);
            let (p, y0) =
                (by_name(&model, &case["dalphaT_dparams"]), numbers(&case["dalphaT_dy0"]));
            near(&format!("{what}, dalpha(T)/dp"), &pitch.wrt_params, &p, 1e-8);
            near(&format!("{what}, dalpha(T)/dy0"), &pitch.wrt_y0, &y0, 1e-8);
        }
    }
}
