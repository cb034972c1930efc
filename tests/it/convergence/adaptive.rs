//! Error control: the error of an adaptive run falls in proportion to the tolerance.

use costate::adjoint::Reversal;
use costate::method::control::Control;
use costate::method::solve::{Solver, Stepping};
use costate::method::stepper::{AdjointStepper, TangentStepper, Tolerances};
use costate::ode::grid::Span;
use costate::ode::objective::Objective;
use costate::ode::{Initial, Jvp, Vjp};
use costate::recurrence::Adaptive;
use costate::schedule::StoreAllOnline;
use costate::snapshot::MemoryStore;

use super::Curve;
use super::spiral::{self, INWARD};
use crate::common::{Case, Law, all, distance};

struct Proportional;

impl Law for Proportional {
    fn holds<O, I, J, M>(&mut self, case: &Case<O, I, J>, stepper: M)
    where
        O: Vjp + Jvp,
        I: Initial,
        J: Objective,
        M: AdjointStepper<O> + TangentStepper<O> + Clone,
    {
        let (name, order) = (stepper.name(), stepper.order());
        if stepper.embedded_order().is_none() {
            return;
        }
        let Case { ode, initial, objective, p, .. } = case;
        let (exact, span) = (INWARD.state(INWARD.end), Span { start: 0.0, end: INWARD.end });
        let control = |rtol| Control::new(Tolerances { rtol, atol: vec![rtol] }).unwrap();
        let range = match order {
            ..3 => 3..=7,
            3..8 => 4..=10,
            8.. => 7..=12,
        };
        let states = Curve::by_tolerance(range.clone(), |rtol| {
            let mut y0 = [0.0; 2];
            initial.initial(p, &mut y0);
            let (stepper, stepping) = (&stepper, &Stepping::Adaptive(control(rtol)));
            let solver = Solver { ode, stepper, span, stepping, observe: &|_| {} };
            let solution = solver.solve(&y0, p, &[INWARD.end]);
            distance(&solution.unwrap().states[0], &exact.0)
        });
        states.assert_slope(&format!("{name}, y(T) by rtol"), 0.7..=1.3);
        let gradients = Curve::by_tolerance(range, |rtol| {
            let (stepper, control) = (stepper.clone(), control(rtol));
            let mut run = Adaptive::new(ode, initial, objective, stepper, span, control).unwrap();
            let (mut schedule, mut store) = (StoreAllOnline::new(), MemoryStore::new());
            let gradient = Reversal::new(p).gradient_online(&mut run, &mut schedule, &mut store);
            distance(&gradient.unwrap().wrt_params, &exact.1[0])
        });
        gradients.assert_slope(&format!("{name}, dy1(T)/dp by rtol"), 0.7..=1.3);
    }
}

#[test]
fn errors_are_proportional_to_the_tolerance() {
    let model = spiral::trace().terminal(|y, _p| y[0].clone()).build().unwrap();
    all(&mut Proportional, &super::fixed::case(model));
}
