//! Laws of the adjoint, over every method and model: ⟨Φ'v, w⟩ = ⟨v, Φ'ᵀw⟩, the first-order
//! remainder falls at second order, and moving y_0 or the end time does what the gradient says.

use costate::adjoint::{gradient, value};
use costate::method::Method;
use costate::method::stepper::{AdjointStepper, TangentStepper};
use costate::method::tableau::ESDIRK;
use costate::model::Model;
use costate::ode::grid::TimeGrid;
use costate::ode::objective::Objective;
use costate::ode::{Initial, Jvp, Vjp};
use costate::problem::Problem;
use costate::recurrence::Discretization;
use costate::schedule::StoreAll;
use costate::snapshot::MemoryStore;
use costate::verify;

use crate::common::{Case, Law, everywhere};

fn is_implicit(name: &str) -> bool {
    ESDIRK.iter().any(|tableau| tableau.name == name)
}

struct DotProduct;

impl Law for DotProduct {
    fn holds<O, I, J, M>(&mut self, case: &Case<O, I, J>, stepper: M)
    where
        O: Vjp + Jvp,
        I: Initial,
        J: Objective,
        M: AdjointStepper<O> + TangentStepper<O> + Clone,
    {
        let mut y0 = vec![0.0; case.ode.dim()];
        case.initial.initial(&case.p, &mut y0);
        let bound = if is_implicit(stepper.name()) { 1e-11 } else { 1e-13 };
        for seed in 0..3 {
            let test = verify::dot_product(&case.ode, &stepper, &case.grid, &y0, &case.p, seed);
            let test = test.unwrap();
            assert!(test.tangent != 0.0);
            assert!(test.error <= bound, "{} {}: {test:?}", case.name, stepper.name());
        }
    }
}

#[test]
fn tangent_and_adjoint_are_transposes() {
    everywhere(&mut DotProduct);
}

struct Remainder;

impl Law for Remainder {
    fn holds<O, I, J, M>(&mut self, case: &Case<O, I, J>, stepper: M)
    where
        O: Vjp + Jvp,
        I: Initial,
        J: Objective,
        M: AdjointStepper<O> + TangentStepper<O> + Clone,
    {
        let name = format!("{} {}", case.name, stepper.name());
        let Case { ode, initial, objective, p, grid, .. } = case;
        let chain = Discretization::new(ode, initial, objective, stepper, grid.clone()).unwrap();
        let schedule = StoreAll::new(grid.num_steps());
        let g = gradient(&chain, p, schedule, &mut MemoryStore::new()).unwrap();
        assert_eq!(g.value.to_bits(), value(&chain, p).unwrap().0.to_bits(), "{name}");
        let of = |p: &[f64]| value(&chain, p).map(|(value, _)| value);
        let test = verify::taylor(of, p, &g.wrt_params, 7).unwrap();
        assert!(test.passes(), "{name}: {test:?}");
        let mut wrong = g.wrt_params.clone();
        wrong.iter_mut().for_each(|g| *g *= 1.01);
        let test = verify::taylor(of, p, &wrong, 7).unwrap();
        assert!(test.rate().is_none_or(|rate| rate < 1.5), "{name}: a wrong gradient passes");
    }
}

#[test]
fn the_remainder_falls_at_second_order() {
    everywhere(&mut Remainder);
}

struct Ends;

impl Law for Ends {
    fn holds<O, I, J, M>(&mut self, case: &Case<O, I, J>, stepper: M)
    where
        O: Vjp + Jvp,
        I: Initial,
        J: Objective,
        M: AdjointStepper<O> + TangentStepper<O> + Clone,
    {
        let name = format!("{} {}", case.name, stepper.name());
        let Case { ode, initial, objective, p, grid, .. } = case;
        let TimeGrid::Times(times) = grid else { panic!("a grid of stored times") };
        let (last, end) = (times.len() - 1, grid.end());
        let chain =
            Discretization::new(ode, initial, objective, stepper.clone(), grid.clone()).unwrap();
        let schedule = StoreAll::new(grid.num_steps());
        let g = gradient(&chain, p, schedule, &mut MemoryStore::new()).unwrap();

        let ended = |t: f64| {
            let mut times = times.clone();
            times[last] = t;
            let (objective, grid) = (objective.moved(end, t), TimeGrid::Times(times));
            let chain =
                Discretization::new(ode, initial, &objective, stepper.clone(), grid).unwrap();
            value(&chain, p).unwrap().0
        };
        let step = (end - times[last - 1]) * 1e-2;
        close(&name, "end time", g.wrt_end_time, central(ended, end, step), g.value / end);

        let mut y0 = vec![0.0; ode.dim()];
        initial.initial(p, &mut y0);
        for i in [0, y0.len() - 1] {
            let started = |y: f64| {
                let mut y0 = y0.clone();
                y0[i] = y;
                let chain = Discretization::new(ode, &y0, objective, stepper.clone(), grid.clone())
                    .unwrap();
                value(&chain, p).unwrap().0
            };
            let size = y0[i].abs().max(1e-3);
            let difference = central(started, y0[i], 1e-3 * size);
            close(&name, "y_0", g.wrt_y0[i], difference, g.value / size);
        }
    }
}

/// A central difference of order 6.
fn central(f: impl Fn(f64) -> f64, x: f64, h: f64) -> f64 {
    let pair = |k: f64| f(x + k * h) - f(x - k * h);
    (45.0 * pair(1.0) - 9.0 * pair(2.0) + pair(3.0)) / (60.0 * h)
}

fn close(name: &str, what: &str, derivative: f64, difference: f64, scale: f64) {
    let error = (derivative - difference).abs();
    let bound = 1e-7 * difference.abs() + 1e-9 * scale.abs();
    assert!(error <= bound, "{name}: by {what} {derivative:e}, by differences {difference:e}");
}

#[test]
fn initial_state_and_end_time_are_differentiated() {
    everywhere(&mut Ends);
}

/// Solved to stagnation, a stage is measured by its own size where y_n is zero.
#[test]
fn implicit_stages_are_solved_from_zero() {
    let model = Model::trace(1, 0, |t, y, _p| [t.cos() - 20.0 * &y[0]]);
    let model = model.initial(|_p| [0.0.into()]).terminal(|y, _p| y[0].clone()).build().unwrap();
    for tableau in ESDIRK {
        for steps in 1..40 {
            let problem = Problem::new(&model, (0.0, 1.0), &[])
                .method(Method::Named(tableau))
                .fixed_steps(steps);
            let gradient = problem.gradient().unwrap_or_else(|e| panic!("{}: {e}", tableau.name));
            assert!(gradient.value.is_finite() && gradient.value != 0.0);
        }
    }
}
