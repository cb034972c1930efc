//! f is evaluated nowhere before the start and nowhere past the end.

use std::sync::atomic::{AtomicU64, Ordering};

use costate::adjoint::gradient;
use costate::method::stepper::{AdjointStepper, Esdirk, ExplicitRk, Newton, TangentStepper};
use costate::method::tableau::{ESDIRK, EXPLICIT, Tableau};
use costate::method::{AdjointKind, Method};
use costate::model::Model;
use costate::numbers::linalg::{Matrix, Structure};
use costate::ode::grid::TimeGrid;
use costate::ode::{At, Bars, Dots, Jvp, Ode, Rows, Vjp};
use costate::problem::Problem;
use costate::recurrence::Discretization;
use costate::schedule::StoreAll;
use costate::snapshot::MemoryStore;
use costate::verify;

use crate::common::unequal;

const START: f64 = 0.25;
const END: f64 = 2.0;

/// A model that notes the times it is asked about, which are positive, so that their bits are in
/// their order.
struct Watched {
    model: Model,
    first: AtomicU64,
    last: AtomicU64,
}

impl Watched {
    fn new(model: Model) -> Self {
        let (first, last) = (AtomicU64::new(u64::MAX), AtomicU64::new(0));
        Watched { model, first, last }
    }

    fn note(&self, t: f64) {
        let bits = if t > 0.0 { t.to_bits() } else { 0 };
        self.first.fetch_min(bits, Ordering::Relaxed);
        self.last.fetch_max(bits, Ordering::Relaxed);
    }

    /// Fails where a time was outside, and forgets them.
    fn assert_inside(&self, what: &str) {
        let (first, last) =
            (self.first.swap(u64::MAX, Ordering::Relaxed), self.last.swap(0, Ordering::Relaxed));
        let (first, last) = (f64::from_bits(first), f64::from_bits(last));
        assert!(START <= first && last <= END, "{what}: f was evaluated in [{first}, {last}]");
        assert!(first == START, "{what}: only [{first}, {last}] was seen");
    }
}

impl Ode for Watched {
    type Work = <Model as Ode>::Work;

    fn dim(&self) -> usize {
        self.model.dim()
    }

    fn num_params(&self) -> usize {
        self.model.num_params()
    }

    fn work(&self) -> Self::Work {
        self.model.work()
    }

    fn work_bytes(&self) -> usize {
        self.model.work_bytes()
    }

    fn rhs(&self, At { t, y, p }: At<'_>, dy: &mut [f64], work: &mut Self::Work) {
        self.note(t);
        self.model.rhs(At { t, y, p }, dy, work);
    }
}

impl Vjp for Watched {
    fn vjp(&self, At { t, y, p }: At<'_>, w: &[f64], bars: Bars<'_>, work: &mut Self::Work) {
        self.note(t);
        self.model.vjp(At { t, y, p }, w, bars, work);
    }

    fn structure(&self) -> Structure {
        Vjp::structure(&self.model)
    }

    fn jacobian(
        &self,
        At { t, y, p }: At<'_>,
        jac: &mut Matrix,
        rows: Rows<'_>,
        work: &mut Self::Work,
    ) {
        self.note(t);
        Vjp::jacobian(&self.model, At { t, y, p }, jac, rows, work);
    }
}

impl Jvp for Watched {
    fn jvp(
        &self,
        At { t, y, p }: At<'_>,
        dots: Dots<'_>,
        dy_dot: &mut [f64],
        work: &mut Self::Work,
    ) {
        self.note(t);
        self.model.jvp(At { t, y, p }, dots, dy_dot, work);
    }
}

/// y' = −p (y − cos t), with a running cost and a point term inside the span.
fn watched() -> (Watched, Model) {
    let model = Model::trace(1, 1, |t, y, p| [&p[0] * (t.cos() - &y[0])]);
    let model = model
        .initial(|_p| [0.5.into()])
        .observe(&[1.1], &[0.3], 1.0, |_t, y, _p| y[0].clone())
        .running(|t, y, _p| &y[0] * t)
        .build()
        .unwrap();
    (Watched::new(model.clone()), model)
}

fn assert_steps_stay_inside<M>(ode: &Watched, objective: &Model, stepper: M, p: &[f64])
where
    M: AdjointStepper<Watched> + TangentStepper<Watched> + Clone,
{
    let uniform = |steps| TimeGrid::Uniform { start: START, end: END, steps };
    for grid in [uniform(1), uniform(7), unequal(START, END, 11)] {
        let what = format!("{} on {grid:?}", stepper.name());
        let steps = grid.num_steps();
        let y0 = vec![0.5];
        verify::dot_product(ode, &stepper, &grid, &y0, p, 1).unwrap();
        ode.assert_inside(&format!("tangent and adjoint of {what}"));
        let chain = Discretization::new(ode, &y0, objective, stepper.clone(), grid).unwrap();
        gradient(&chain, p, StoreAll::new(steps), &mut MemoryStore::new()).unwrap();
        ode.assert_inside(&what);
    }
}

#[test]
fn no_step_of_a_grid_looks_outside_its_run() {
    let (ode, objective) = watched();
    for tableau in EXPLICIT {
        assert_steps_stay_inside(&ode, &objective, ExplicitRk::new(tableau).unwrap(), &[1.5]);
    }
    for tableau in ESDIRK {
        let stepper = Esdirk::new(tableau, Newton::Stagnation).unwrap();
        assert_steps_stay_inside(&ode, &objective, stepper, &[1.5]);
    }
}

fn problem<'a>(
    ode: &'a Watched,
    objective: &'a Model,
    tableau: &'static Tableau,
    p: &'a [f64],
) -> Problem<'a> {
    Problem::new(ode, (START, END), p)
        .initial(objective)
        .objective(objective)
        .method(Method::Named(tableau))
}

#[test]
fn no_controlled_step_looks_outside_its_run() {
    let (ode, objective) = watched();
    for p in [[1.5], [1e4]] {
        let stiff = p[0] > 1e3;
        let explicit = EXPLICIT.iter().filter(|tableau| tableau.embedded_order > 0 && !stiff);
        for tableau in explicit.chain(ESDIRK) {
            for rtol in [1e-3, 1e-7] {
                let problem = || problem(&ode, &objective, tableau, &p).rtol(rtol).atol(rtol);
                for kind in [AdjointKind::Discrete, AdjointKind::Continuous] {
                    let what = format!("{} at {rtol:e}, {kind:?}, p = {p:?}", tableau.name);
                    problem().adjoint(kind).gradient().unwrap();
                    ode.assert_inside(&what);
                }
                problem().solve(&[0.7, END]).unwrap();
                ode.assert_inside(&format!("{} at {rtol:e}, read", tableau.name));
            }
        }
    }
}

/// y' = y √(T − t), y(T) = y_0 exp(⅔ T^{3/2}): past T there is no number.
#[test]
fn a_right_hand_side_that_ends_with_the_run_is_integrated_to_its_end() {
    let model = Model::trace(1, 1, |t, y, p| [&p[0] * &y[0] * (1.7 - t).sqrt()]);
    let model = model.initial(|_p| [1.0.into()]).terminal(|y, _p| y[0].clone()).build().unwrap();
    let exact = (2.0 / 3.0 * 1.7_f64.powf(1.5)).exp();
    for tableau in ESDIRK {
        let problem =
            Problem::new(&model, (0.0, 1.7), &[1.0]).method(Method::Named(tableau)).rtol(1e-8);
        let (value, _) = problem.value().unwrap();
        let error = (value - exact).abs() / exact;
        assert!(error < 1e-6, "{}: {error:e}", tableau.name);
    }
}
