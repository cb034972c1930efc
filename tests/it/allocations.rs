//! Once its tape is made, neither a step nor its adjoint asks for memory.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use costate::method::continuous::Continuous;
use costate::method::stepper::{AdjointStepper, Esdirk, ExplicitRk, Newton, TangentStepper};
use costate::method::tableau::{BS3, DOP853, ESDIRK, TSIT5, Tableau};
use costate::ode::objective::Objective;
use costate::ode::{Initial, Jvp, Vjp};
use costate::recurrence::{Adjoint, Discretization, Recurrence};

use crate::common::{Case, Law, everywhere, file, model_case};

thread_local! {
    static ASKED: Cell<usize> = const { Cell::new(0) };
}

/// The system's allocator, and how often this thread asked it for memory.
struct Counting;

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ASKED.with(|asked| asked.set(asked.get() + 1));
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        unsafe { System.dealloc(ptr, layout) }
    }
    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ASKED.with(|asked| asked.set(asked.get() + 1));
        unsafe { System.realloc(ptr, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Goes over a case's chain and back, twice, and fails where memory was asked for: from the first
/// step on, or from the second time on where points inside steps leave seeds.
fn asks_for_nothing<O, I, J, M>(case: &Case<O, I, J>, stepper: M, what: &str)
where
    O: Vjp,
    I: Initial,
    J: Objective,
    M: AdjointStepper<O>,
{
    let Case { ode, initial, objective, p, grid, .. } = case;
    let chain = Discretization::new(ode, initial, objective, stepper, grid.clone()).unwrap();
    let (mut tape, mut scratch) = (chain.tape(), chain.scratch());
    let mut adjoint = Adjoint::zeros(ode.dim(), ode.num_params());
    let mut states = vec![vec![0.0; ode.dim()]; grid.num_steps() + 1];
    let on_grid = |t: &f64| (0..=grid.num_steps()).any(|n| grid.time(n) == *t);
    let has_seeds = !objective.times().iter().all(|t| !t.is_finite() || on_grid(t));
    for pass in 0..2 {
        chain.initial(p, &mut states[0]);
        let (before, mut value) = (ASKED.get(), 0.0);
        for n in 0..grid.num_steps() {
            let (from, to) = states.split_at_mut(n + 1);
            to[0].copy_from_slice(&from[n]);
            chain.step(n, p, &mut to[0], &mut tape, &mut scratch).unwrap();
            value += chain.step_value(n, p, &to[0], &mut tape, &mut scratch);
        }
        for n in (0..grid.num_steps()).rev() {
            let y = &mut states[n];
            chain.step(n, p, y, &mut tape, &mut scratch).unwrap();
            chain.step_adjoint(n, p, y, &mut tape, &mut scratch, &mut adjoint).unwrap();
        }
        let asked = ASKED.get() - before;
        assert!(value.is_finite(), "{what}");
        assert!(asked == 0 || pass == 0 && has_seeds, "{what}: memory was asked for {asked} times");
    }
    assert!(adjoint.lambda.iter().all(|x| x.is_finite()), "{what}");
}

struct Everything;

impl Law for Everything {
    fn holds<O, I, J, M>(&mut self, case: &Case<O, I, J>, stepper: M)
    where
        O: Vjp + Jvp,
        I: Initial,
        J: Objective,
        M: AdjointStepper<O> + TangentStepper<O> + Clone,
    {
        let what = format!("{} by {}", case.name, stepper.name());
        // Factors of a sparse matrix grow while faer finds them.
        if case.name == "advected Fisher" && ESDIRK.iter().any(|t| t.name == stepper.name()) {
            return;
        }
        asks_for_nothing(case, stepper.clone(), &what);
        let by_tsit5 = Continuous::new(stepper, &TSIT5, 1e-4, &case.objective).unwrap();
        asks_for_nothing(case, by_tsit5, &format!("{what}, continuous adjoint"));
    }
}

#[test]
fn steps_and_their_adjoints_ask_for_no_memory() {
    everywhere(&mut Everything);
}

fn continuous<O, I, J, M>(case: &Case<O, I, J>, forward: M, inner: &Tableau)
where
    O: Vjp,
    I: Initial,
    J: Objective,
    M: AdjointStepper<O>,
{
    let what = format!("{} by {}, back by {}", case.name, forward.name(), inner.name);
    asks_for_nothing(case, Continuous::new(forward, inner, 1e-6, &case.objective).unwrap(), &what);
}

#[test]
fn implicit_continuous_adjoints_ask_for_no_memory() {
    for (name, end) in
        [("chemistry/robertson", 1e-3), ("chemistry/hires", 0.02), ("biology/gene_expression", 1.0)]
    {
        let case = model_case(name, file(name), end);
        for tableau in ESDIRK.iter().filter(|tableau| tableau.stays_inside()) {
            continuous(&case, ExplicitRk::new(&BS3).unwrap(), tableau);
            continuous(&case, ExplicitRk::new(&DOP853).unwrap(), tableau);
            for forward in ESDIRK {
                let forward = Esdirk::new(forward, Newton::Stagnation).unwrap();
                continuous(&case, forward, tableau);
            }
        }
    }
}
