//! What controlled runs of implicit methods keep to on stiff models.

use std::cell::Cell;
use std::path::PathBuf;

use super::{Control, ControlState, Controlled, StepController, StepReport, Stops};
use crate::method::stepper::{
    Esdirk, Newton, Slopes, StageScratch, Stages, Stepper, Taken, Tolerances,
};
use crate::method::tableau::ESDIRK;
use crate::model::Model;
use crate::numbers::linalg::Lu;
use crate::ode::grid::{Span, Step};
use crate::ode::{At, Initial, Ode, Vjp, jacobian_at};

/// The share of the error weights that a stage may be off by. Newton's aim is 1e-2 for an estimate
/// from two corrections, which is right but for a few stages in thousands.
const SHARE: f64 = 0.2;
const TOLERANCES: [f64; 5] = [1e-3, 1e-4, 1e-6, 1e-8, 1e-10];
/// The most steps of a run that are looked at.
const STEPS: usize = 1500;

/// A stiff model, and atol as a multiple of rtol.
struct Case {
    name: &'static str,
    model: Model,
    span: Span,
    p: Vec<f64>,
    atol: f64,
    /// Whether f is smooth in time: an error estimate rejects what meets a kink.
    smooth: bool,
}

/// Those of the project.
fn own() -> Vec<Case> {
    vec![
        file("models/chemistry/robertson", 1e-4, true),
        file("models/chemistry/hires", 1e-3, true),
        file("models/oscillators/van_der_pol", 1e-3, true),
        oregonator(),
        e5(),
    ]
}

/// Those of the trials beside the project.
fn of_the_trials() -> Vec<Case> {
    vec![
        file("../shared/data/trials/auto_pollu", 1e-6, true),
        file("../shared/data/trials/robertson_4e10", 1e-6, true),
        file("../shared/data/trials/auto_strato", 1e-2, false),
        file("../shared/data/trials/ivp_emep", 1e6, false),
    ]
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn file(name: &'static str, atol: f64, smooth: bool) -> Case {
    let model = Model::from_file(root().join(name).with_extension("json")).unwrap();
    let (start, end) = model.span().unwrap();
    Case { name, p: model.nominal(), model, span: Span { start, end }, atol, smooth }
}

/// Field & Noyes' Oregonator (Hairer & Wanner, Solving ODEs II, section IV.10).
fn oregonator() -> Case {
    let model = Model::trace(3, 1, |_t, y, p| {
        [
            &p[0] * (&y[1] + &y[0] * (1.0 - 8.375e-6 * &y[0] - &y[1])),
            (&y[2] - (1.0 + &y[0]) * &y[1]) / &p[0],
            0.161 * (&y[0] - &y[2]),
        ]
    });
    traced(
        "Oregonator",
        model.initial(|_p| [1.0.into(), 2.0.into(), 3.0.into()]),
        77.27,
        360.0,
        1e-3,
    )
}

/// E5 (Hairer & Wanner, Solving ODEs II, section IV.10).
fn e5() -> Case {
    let (a, b, c, cm) = (7.89e-10, 1.1e7, 1.13e3, 1.13e9);
    let model = Model::trace(4, 1, |_t, y, p| {
        let made = &p[0] * a * &y[0];
        let (used, lost, back) = (b * &y[0] * &y[2], cm * &y[1] * &y[2], c * &y[3]);
        [-&made - &used, &made - &lost, &made - &used + &back - &lost, used - back]
    });
    let start = |_p: &[crate::expr::Expr]| [1.76e-3.into(), 0.0.into(), 0.0.into(), 0.0.into()];
    traced("E5", model.initial(start), 1.0, 1e11, 1e-18)
}

fn traced(
    name: &'static str,
    model: crate::model::ModelBuilder,
    p: f64,
    end: f64,
    atol: f64,
) -> Case {
    let (model, span) = (model.build().unwrap(), Span { start: 0.0, end });
    Case { name, model, span, p: vec![p], atol, smooth: true }
}

/// What a run showed.
struct Seen {
    steps: usize,
    rejected: usize,
    /// The largest movement of a stage that is solved again, in the error weights.
    moved: f64,
}

fn run(case: &Case, stepper: &Esdirk, tolerances: &Tolerances) -> Seen {
    let Case { model, span, p, .. } = case;
    let control = Control::new(tolerances.clone()).unwrap();
    let rejected = Cell::new(0);
    let observe = |report| {
        if let StepReport::Rejected { .. } = report {
            rejected.set(rejected.get() + 1);
        }
    };
    let controller = StepController {
        control: &control,
        stepper,
        ode: model,
        p,
        observe: &observe,
        error_beside: None,
    };
    let (mut state, mut stops) = (ControlState::new(span.start), Stops::at_each(&[], *span));
    let mut y = vec![0.0; model.dim()];
    let mut stages = stepper.stages(model, Slopes::Kept);
    let mut scratch = stepper.scratch(model, Slopes::Kept, 0);
    model.initial(p, &mut y);
    let mut moved = 0.0_f64;
    while state.t < span.end && state.accepted < STEPS {
        let taken = Taken { stages: &mut stages, scratch: &mut scratch };
        let controlled = controller.advance(&mut state, &mut stops, &mut y, taken).unwrap();
        let Controlled::Taken(step) = controlled else { panic!("an implicit method is not stiff") };
        let own = Stepper::<Model>::stage_scratch(stepper, &scratch);
        moved = moved.max(movement(case, stepper, step, (&stages, own), tolerances));
    }
    Seen { steps: state.accepted, rejected: rejected.get(), moved }
}

/// How far the stages of a step move when they are solved by Newton's method with the Jacobian
/// at each iterate until they move no more.
fn movement(
    case: &Case,
    stepper: &Esdirk,
    step: Step,
    (stages, scratch): (&Stages<f64, ()>, &StageScratch<f64>),
    tolerances: &Tolerances,
) -> f64 {
    let Case { model, p, .. } = case;
    let d = model.dim();
    let tableau = Stepper::<Model>::coefficients(stepper, step).tableau;
    let h_gamma = step.h() * tableau.gamma().unwrap();
    let weight = |i: usize| 1.0 / (tolerances.atol[0] + tolerances.rtol * stages.y(0)[i].abs());
    let norm = |x: &dyn Fn(usize) -> f64| {
        ((0..d).map(|i| (x(i) * weight(i)).powi(2)).sum::<f64>() / d as f64).sqrt()
    };
    let mut work = model.work();
    let mut lu = Lu::new(d, Vjp::structure(model)).unwrap();
    let mut moved = 0.0_f64;
    for stage in 1..tableau.stages() {
        let (found, slope, t) =
            (stages.y(stage), stages.k(stage, scratch), step.at(tableau.c[stage]));
        let (mut y, mut f) = (found.to_vec(), vec![0.0; d]);
        let mut last = f64::INFINITY;
        loop {
            let jacobian = jacobian_at(model, At { t, y: &y, p }).unwrap();
            lu.factor(h_gamma, &jacobian).unwrap();
            model.rhs(At { t, y: &y, p }, &mut f, &mut work);
            let base = |i: usize| found[i] - h_gamma * slope[i];
            let mut correction: Vec<f64> =
                (0..d).map(|i| base(i) + h_gamma * f[i] - y[i]).collect();
            lu.solve(&mut correction);
            let size = norm(&|i| correction[i]);
            if size >= last || size < 1e-6 {
                break;
            }
            y.iter_mut().zip(&correction).for_each(|(y, c)| *y += c);
            last = size;
        }
        moved = moved.max(norm(&|i| y[i] - found[i]));
    }
    moved
}

#[test]
fn accepted_stages_are_solved_and_few_steps_are_rejected() {
    solved_and_seldom_rejected(own());
}

#[test]
#[ignore = "reads ../shared"]
fn so_are_those_of_the_trials() {
    solved_and_seldom_rejected(of_the_trials());
}

fn solved_and_seldom_rejected(cases: Vec<Case>) {
    for case in cases {
        for tableau in ESDIRK {
            for rtol in TOLERANCES {
                let tolerances = Tolerances { rtol, atol: vec![case.atol * rtol] };
                let stepper = Esdirk::new(tableau, Newton::Tolerances(tolerances.clone())).unwrap();
                let Seen { steps, rejected, moved } = run(&case, &stepper, &tolerances);
                let at = format!("{} by {} at {rtol:e}", case.name, tableau.name);
                assert!(moved <= SHARE, "{at}: a stage is off by {moved:.2} of the weights");
                let attempts = steps + rejected;
                let few = rejected as f64 <= 0.2 * attempts as f64;
                assert!(few || !case.smooth, "{at}: {rejected} of {attempts} were rejected");
            }
        }
    }
}

/// v' = ω² (cos t − x) − ω v, x' = v, where ω² x is rounded at far more than v's tolerance: what
/// Newton's corrections do not fall below is no reason for short steps.
#[test]
fn rounding_of_stages_holds_no_step() {
    let omega = 1e4;
    let model = Model::trace(2, 1, |t, y, p| {
        let force = omega * omega * (&p[0] * t.cos() - &y[0]);
        [y[1].clone(), force - omega * &y[1]]
    });
    let start = |_p: &[crate::expr::Expr]| [1.0.into(), 0.0.into()];
    let case = traced("a spring", model.initial(start), 1.0, 10.0, 1e-3);
    let Case { model, span, p, .. } = &case;
    for tableau in ESDIRK {
        let tolerances = Tolerances { rtol: 1e-9, atol: vec![1e-12] };
        let stepper = Esdirk::new(tableau, Newton::Tolerances(tolerances.clone())).unwrap();
        let control = Control::new(tolerances).unwrap();
        let controller = StepController {
            control: &control,
            stepper: &stepper,
            ode: model,
            p,
            observe: &|_| {},
            error_beside: None,
        };
        let (mut state, mut stops) = (ControlState::new(0.0), Stops::at_each(&[], *span));
        let mut y = vec![1.0, 0.0];
        let mut stages = stepper.stages(model, Slopes::Kept);
        let mut scratch = stepper.scratch(model, Slopes::Kept, 0);
        while state.t < span.end {
            let taken = Taken { stages: &mut stages, scratch: &mut scratch };
            controller.advance(&mut state, &mut stops, &mut y, taken).unwrap();
        }
        let ControlState { accepted, rejected, .. } = state;
        println!("{}: {accepted} steps, {rejected} rejected", tableau.name);
        assert!(rejected < accepted as u64 / 50, "{}: {rejected} of {accepted}", tableau.name);
    }
}
