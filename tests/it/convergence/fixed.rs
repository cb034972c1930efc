//! Steps of one length: every method converges at its order.

use costate::adjoint::{Gradient, gradient};
use costate::method::solve::{Solver, Stepping};
use costate::method::stepper::{AdjointStepper, TangentStepper};
use costate::ode::grid::{Span, TimeGrid};
use costate::ode::objective::{LeastSquares, Objective};
use costate::ode::{Initial, Jvp, Vjp};
use costate::recurrence::Discretization;
use costate::schedule::StoreAll;
use costate::snapshot::MemoryStore;

use super::Curve;
use super::spiral::{self, INWARD, Run};
use crate::common::{Case, Law, Within, all, distance};

/// A model with its objective; grid and parameters are not used.
pub fn case(model: costate::model::Model) -> Case<impl Vjp + Jvp, impl Initial, impl Objective> {
    Case {
        name: "spiral",
        p: INWARD.p.to_vec(),
        ode: model.clone(),
        initial: model.clone(),
        objective: Within::new(model, INWARD.end),
        grid: TimeGrid::Uniform { start: 0.0, end: INWARD.end, steps: 1 },
    }
}

fn uniform<O, I, L, J, M>(
    case: &Case<O, I, L>,
    objective: &J,
    stepper: &M,
    steps: usize,
) -> Option<Gradient>
where
    O: Vjp,
    I: Initial,
    J: Objective,
    M: AdjointStepper<O> + Clone,
{
    let Run { end, p } = Run::for_order(stepper.order());
    let grid = TimeGrid::Uniform { start: 0.0, end, steps };
    let chain =
        Discretization::new(&case.ode, &case.initial, objective, stepper.clone(), grid).unwrap();
    gradient(&chain, &p, StoreAll::new(steps), &mut MemoryStore::new()).ok()
}

/// The states at the times, one after another, of a run in steps of one length.
fn read<O, I, J, M>(
    case: &Case<O, I, J>,
    stepper: &M,
    steps: usize,
    times: &[f64],
) -> Option<Vec<f64>>
where
    O: Vjp,
    I: Initial,
    M: AdjointStepper<O>,
{
    let Run { end, p } = Run::for_order(stepper.order());
    let mut y0 = [0.0; 2];
    case.initial.initial(&p, &mut y0);
    let span = Span { start: 0.0, end };
    let (ode, stepping) = (&case.ode, &Stepping::Fixed(steps));
    let solver = Solver { ode, stepper, span, stepping, observe: &|_| {} };
    Some(solver.solve(&y0, &p, times).ok()?.states.concat())
}

/// The least slope of something that converges at this order.
fn at_least(order: u32) -> std::ops::RangeInclusive<f64> {
    f64::from(order) - 0.1..=f64::INFINITY
}

struct States;

impl Law for States {
    fn holds<O, I, J, M>(&mut self, case: &Case<O, I, J>, stepper: M)
    where
        O: Vjp + Jvp,
        I: Initial,
        J: Objective,
        M: AdjointStepper<O> + TangentStepper<O> + Clone,
    {
        let (name, order) = (stepper.name(), stepper.order());
        let run = Run::for_order(order);
        let states = Curve::by_steps(|steps| {
            let states = read(case, &stepper, steps, &[run.end])?;
            Some(distance(&states, &run.state(run.end).0))
        });
        states.assert_slope(&format!("{name}, y(T)"), at_least(order));
        let gradients = Curve::by_steps(|steps| {
            let gradient = uniform(case, &case.objective, &stepper, steps)?;
            Some(distance(&gradient.wrt_params, &run.state(run.end).1[0]))
        });
        gradients.assert_slope(&format!("{name}, dy1(T)/dp"), at_least(order));
    }
}

#[test]
fn states_and_gradients_converge_at_the_order() {
    let model = spiral::trace().terminal(|y, _p| y[0].clone()).build().unwrap();
    all(&mut States, &case(model));
}

struct RunningCost;

impl Law for RunningCost {
    fn holds<O, I, J, M>(&mut self, case: &Case<O, I, J>, stepper: M)
    where
        O: Vjp + Jvp,
        I: Initial,
        J: Objective,
        M: AdjointStepper<O> + TangentStepper<O> + Clone,
    {
        let (name, order) = (stepper.name(), stepper.order());
        let run = Run::for_order(order);
        let exact = run.turned(run.end);
        let solve = |steps| uniform(case, &case.objective, &stepper, steps);
        let values = Curve::by_steps(|steps| Some(distance(&[solve(steps)?.value], &[exact.0])));
        values.assert_slope(&format!("{name}, running cost"), at_least(order));
        let gradients =
            Curve::by_steps(|steps| Some(distance(&solve(steps)?.wrt_params, &exact.1)));
        gradients.assert_slope(&format!("{name}, its gradient"), at_least(order));
    }
}

#[test]
fn running_costs_converge_at_the_order() {
    let model = spiral::trace().running(spiral::turning);
    all(&mut RunningCost, &case(model.build().unwrap()));
}

/// Inside a step the error is that of y_n, O(h^order), and that of the interpolant,
/// O(h^{dense_order + 1}). Read is a point at the same place in all steps; the gradient is that of
/// the mean of y1² there.
struct Inside(f64);

impl Inside {
    fn times(&self, steps: usize, end: f64) -> Vec<f64> {
        (0..steps).map(|n| (n as f64 + self.0) * end / steps as f64).collect()
    }
}

impl Law for Inside {
    fn holds<O, I, J, M>(&mut self, case: &Case<O, I, J>, stepper: M)
    where
        O: Vjp + Jvp,
        I: Initial,
        J: Objective,
        M: AdjointStepper<O> + TangentStepper<O> + Clone,
    {
        let what = format!("{}, at {} of steps", stepper.name(), self.0);
        let run = Run::for_order(stepper.order());
        let order = stepper.order().min(stepper.dense_order() + 1);
        let times = |steps: usize| self.times(steps, run.end);
        let states = Curve::by_steps(|steps| {
            let times = times(steps);
            let exact: Vec<f64> = times.iter().flat_map(|&t| run.state(t).0).collect();
            Some(distance(&read(case, &stepper, steps, &times)?, &exact))
        });
        states.assert_slope(&what, at_least(order));
        let gradients = Curve::by_steps(|steps| {
            let (times, mean) = (times(steps), 1.0 / steps as f64);
            let mut exact = [0.0; 4];
            for ([y, _], [y_by, _]) in times.iter().map(|&t| run.state(t)) {
                exact.iter_mut().zip(y_by).for_each(|(sum, by)| *sum += 2.0 * y * by * mean);
            }
            let fit = LeastSquares::of_components(vec![0], times, vec![0.0; steps], &[mean]);
            Some(distance(&uniform(case, &fit.ok()?, &stepper, steps)?.wrt_params, &exact))
        });
        gradients.assert_slope(&format!("{what}, gradient"), at_least(order));
    }
}

#[test]
fn dense_output_converges_at_its_order() {
    for theta in [0.35, 0.8] {
        all(&mut Inside(theta), &case(spiral::trace().build().unwrap()));
    }
}
