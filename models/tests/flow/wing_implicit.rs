//! Long steps around a section, by implicit methods.

use costate::adjoint::Gradient;
use costate::method::Method;
use costate::method::tableau::{ESDIRK, KVAERNO3, RK4, SSPRK3};
use costate::problem::{Problem, ScheduleKind};
use costate_models::aerodynamics::checks::march;
use costate_models::aerodynamics::wing::parameters::{
    self, ALPHA, CAMBER, CAMBER_PLACE, FREQUENCY, LOWER, PITCH, PLUNGE, UPPER, names,
};
use costate_models::aerodynamics::wing::{Coefficients, Mean, Wing};

const WEIGHTS: Coefficients = Coefficients { lift: 1.0, drag: 0.7, moment: -0.4 };

/// A cambered section with bumps that pitches and plunges, and the steady flow that it starts from.
struct Case {
    wing: Wing,
    p: Vec<f64>,
    start: Vec<f64>,
    /// From where it stands still on.
    begin: f64,
}

type Implicit<'a> = Problem<'a>;

fn case() -> Case {
    let wing = Wing::new(16, 6, 10.0).unwrap();
    let mut p = parameters::symmetric(0.5, 0.05, 0.12);
    (p[CAMBER], p[CAMBER_PLACE]) = (0.02, 0.41);
    for (k, bump) in UPPER.chain(LOWER).enumerate() {
        p[bump] = 1e-3 * (k as f64).sin();
    }
    let start = march(&wing, &p, wing.free_stream(&p), 1e-9, 20_000).unwrap().y;
    (p[ALPHA], p[PITCH], p[FREQUENCY], p[PLUNGE]) = (0.03, 0.02, 0.1, 0.01);
    let begin = std::f64::consts::PI / (4.0 * p[FREQUENCY] * 0.5);
    Case { wing, p, start, begin }
}

impl Case {
    fn span(&self) -> (f64, f64) {
        (self.begin, self.begin + 12.0)
    }

    fn problem<'a>(&'a self, mean: &'a Mean<'a>, p: &'a [f64]) -> Implicit<'a> {
        Problem::new(&self.wing, self.span(), p)
            .initial(&self.start)
            .objective(mean)
            .method(Method::Named(&KVAERNO3))
            .fixed_steps(8)
    }

    fn lift(&self, y: &[f64]) -> f64 {
        self.wing.coefficients(self.span().1, y, &self.p).lift
    }
}

#[test]
fn steps_are_as_long_as_accuracy_allows() {
    let case = case();
    let (h, _) = case.wing.largest_step(&RK4, case.begin, &case.start, &case.p);
    let end = case.span().1;
    let problem = Problem::new(&case.wing, case.span(), &case.p).initial(&case.start);
    let exact = problem.clone().method(Method::Named(&RK4)).fixed_steps(2000);
    let exact = case.lift(&exact.solve(&[end]).unwrap().states[0]);
    for tableau in ESDIRK {
        let error = |steps: usize| {
            let run = problem.clone().method(Method::Named(tableau)).fixed_steps(steps);
            (case.lift(&run.solve(&[end]).unwrap().states[0]) - exact).abs()
        };
        let (few, more) = (error(8), error(128));
        let ratio = (end - case.begin) / 8.0 / h;
        println!(
            "{}: {few:e} by steps of {ratio:.1} times the explicit ones, {more:e} by a sixteenth",
            tableau.name
        );
        assert!(ratio > 30.0 && few <= 2e-5 && more <= 1e-3 * few);
    }
}

#[test]
fn the_gradient_is_that_of_central_differences() {
    let case = case();
    let end = case.span().1;
    let objectives =
        [Mean::over(&case.wing, WEIGHTS, (end - 6.0, end)), Mean::at_end(&case.wing, WEIGHTS)];
    for objective in &objectives {
        let value = |p: &[f64]| case.problem(objective, p).value().unwrap().0;
        let gradient = case.problem(objective, &case.p).gradient().unwrap();
        let mut worst = 0.0_f64;
        for (k, name) in names().iter().enumerate() {
            let central = |h: f64| {
                let at = |h: f64| {
                    let mut p = case.p.clone();
                    p[k] += h;
                    value(&p)
                };
                (at(h) - at(-h)) / (2.0 * h)
            };
            let h = 1e-4 * (0.1 + case.p[k].abs());
            let difference = (4.0 * central(h) - central(2.0 * h)) / 3.0;
            let error = (gradient.wrt_params[k] - difference).abs() / difference.abs();
            assert!(error <= 1e-8, "{name}: {} {difference}", gradient.wrt_params[k]);
            worst = worst.max(error);
        }
        println!("largest relative error of the gradient: {worst:e}");
    }
}

#[test]
fn gradients_have_the_same_bits_over_budgets() {
    let case = case();
    let objective = Mean::over(&case.wing, WEIGHTS, case.span());
    let problem = Problem::new(&case.wing, case.span(), &case.p)
        .initial(&case.start)
        .objective(&objective)
        .method(Method::Named(&KVAERNO3))
        .fixed_steps(12);
    let all = problem.gradient().unwrap();
    let check = |few: Gradient, what: &str| {
        assert_eq!(few.value.to_bits(), all.value.to_bits(), "{what}");
        assert_eq!(few.wrt_params, all.wrt_params, "{what}");
        assert_eq!(few.wrt_y0, all.wrt_y0, "{what}");
        few.stats.recomputed_steps
    };
    for kind in [ScheduleKind::Revolve, ScheduleKind::Uniform, ScheduleKind::Bisection] {
        let few = problem.clone().snapshots(2).schedule(kind).gradient().unwrap();
        assert!(check(few, &format!("{kind:?}")) > 0);
    }
    let state = 8 * case.start.len() as u64;
    let needed = all.stats.peak_bytes - 12 * state;
    for states in [2, 5, 40] {
        // A kept state has its place in lists, too.
        let budget = needed + 2048 + states * (state + 256);
        let few = problem.clone().budget(budget).gradient().unwrap();
        assert!(few.stats.peak_bytes <= budget);
        check(few, &format!("room for {states} states"));
    }
    // Explicit steps tell the same of the flow.
    let explicit = problem.clone().method(Method::Named(&SSPRK3)).fixed_steps(800);
    for (implicit, explicit) in all.wrt_params.iter().zip(explicit.gradient().unwrap().wrt_params) {
        let gap = (implicit - explicit).abs();
        assert!(gap <= 1e-3 * explicit.abs() + 1e-4, "{implicit} {explicit}");
    }
}
