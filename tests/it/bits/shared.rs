//! A model that is borrowed or shared is the model, and an array or a slice is a vector.

use std::sync::Arc;

use costate::error::Error;
use costate::method::Method;
use costate::method::tableau::{KVAERNO5, TSIT5};
use costate::model::Model;
use costate::ode::objective::Objective;
use costate::ode::{At, Initial, Ode, Vjp, jacobian_at};
use costate::problem::Problem;

use crate::common::{bits, file};

/// With observations, with a running cost, and with a sparse f_y.
const MODELS: [(&str, f64); 3] = [
    ("biology/lotka_volterra", 10.0),
    ("aerodynamics/pitch_plunge", 30.0),
    ("chemistry/hires", 1.0),
];

/// The bits of gradients by an explicit and an implicit method, and of f_y.
fn all_bits<O: Vjp, I: Initial, J: Objective>(
    (ode, initial, objective): (O, I, J),
    end: f64,
    p: &[f64],
) -> Vec<u64> {
    let gradient = |tableau| {
        let problem = Problem::new(&ode, (0.0, end), p).initial(&initial).objective(&objective);
        let problem = problem.method(Method::Named(tableau)).rtol(1e-4).snapshots(4);
        bits(&problem.gradient().unwrap())
    };
    let mut y0 = vec![0.0; ode.dim()];
    initial.initial(p, &mut y0);
    let f_y = jacobian_at(&ode, At { t: 0.0, y: &y0, p }).unwrap();
    let f_y = f_y.values().iter().map(|x| x.to_bits()).collect();
    [gradient(&TSIT5), gradient(&KVAERNO5), f_y].concat()
}

#[test]
fn borrowed_and_shared_models_have_its_gradient() {
    for (name, end) in MODELS {
        let (model, p) = (file(name), file(name).nominal());
        let expected = all_bits((file(name), file(name), file(name)), end, &p);
        let arc: Arc<Model> = Arc::new(file(name));
        assert_eq!(all_bits((&model, arc.clone(), &model), end, &p), expected, "{name}");
        assert_eq!(all_bits((arc.clone(), &model, arc), end, &p), expected, "{name}");
    }
}

#[test]
fn what_a_model_says_of_itself_is_passed_on() {
    let (model, few) = (file("chemistry/hires"), [0.0; 3]);
    let arc = Arc::new(file("chemistry/hires"));
    assert_eq!(Vjp::structure(&&model), Vjp::structure(&model));
    assert_eq!(Vjp::structure(&arc), Vjp::structure(&model));
    assert_eq!(Ode::work_bytes(&&model), Ode::work_bytes(&arc));
    let refused = |what: Result<(), Error>| assert!(what.is_err());
    refused(Initial::check(&&model, 3, few.len()));
    refused(Initial::check(&arc, 3, few.len()));
    refused(Objective::check(&&model, 3, few.len()));
    refused(Objective::check(&arc, 3, few.len()));
}

#[test]
fn an_array_and_a_slice_are_initial_states() {
    let model = file("biology/lotka_volterra");
    let (p, y0) = (model.nominal(), [1.0, 2.0]);
    let expected = all_bits((&model, y0.to_vec(), &model), 10.0, &p);
    assert_eq!(all_bits((&model, y0, &model), 10.0, &p), expected);
    assert_eq!(all_bits((&model, &y0[..], &model), 10.0, &p), expected);
    for longer in [Initial::check(&[0.0; 3], 2, 5), Initial::check(&&[0.0; 3][..], 2, 5)] {
        let text = longer.unwrap_err().to_string();
        assert_eq!(text, Initial::check(&vec![0.0; 3], 2, 5).unwrap_err().to_string());
    }
}
