//! Stiffness is seen where it is, and nowhere else.

use costate::error::Error;
use costate::method::control::Control;
use costate::method::solve::{Solver, Stepping};
use costate::method::stepper::{ExplicitRk, Tolerances};
use costate::method::tableau::{DOP853, DOPRI5, TSIT5};
use costate::model::Model;
use costate::ode::grid::Span;
use costate::ode::{Initial, Ode};
use costate_models::Benchmark;
use costate_models::learning::neural_ode::p4a;

use crate::common::{file, shared_path};

const TOLERANCES: [f64; 5] = [1e-3, 1e-4, 1e-6, 1e-8, 1e-10];

/// A run by each explicit method, which gives up as soon as it meets stiffness: the steps tried, or
/// none where it was not met.
fn stopped<O: Ode>(
    ode: &O,
    span: Span,
    y0: &[f64],
    p: &[f64],
    rtol: f64,
    atol: f64,
) -> Vec<(&'static str, Option<u64>)> {
    [&TSIT5, &DOPRI5, &DOP853]
        .into_iter()
        .map(|tableau| {
            let mut control = Control::new(Tolerances { rtol, atol: vec![atol] }).unwrap();
            control.stop_if_stiff = true;
            let stepping = &Stepping::Adaptive(control);
            let stepper = &ExplicitRk::new(tableau).unwrap();
            let solver = Solver { ode, stepper, span, stepping, observe: &|_| {} };
            match solver.solve(y0, p, &[span.end]) {
                Ok(_) => (tableau.name, None),
                Err(Error::Stiff { steps, .. }) => (tableau.name, Some(steps)),
                Err(error) => panic!("{} at {rtol:e}: {error}", tableau.name),
            }
        })
        .collect()
}

fn run(model: Model) -> (Model, Span, Vec<f64>, Vec<f64>) {
    let ((start, end), p) = (model.span().unwrap(), model.nominal());
    let mut y0 = vec![0.0; model.dim()];
    model.initial(&p, &mut y0);
    (model, Span { start, end }, y0, p)
}

/// Where the fast components are there from the start, whatever the sizes of the states: at most
/// this many steps are tried by the methods that `auto` takes at the tolerance.
fn seen_within_sixty_steps(model: Model, tightest: f64, atol: f64) {
    const MOST: u64 = 60;
    let (model, span, y0, p) = run(model);
    for rtol in TOLERANCES.into_iter().filter(|&rtol| rtol >= tightest) {
        for (by, steps) in stopped(&model, span, &y0, &p, rtol, atol * rtol) {
            if rtol < 1e-5 && by != "dop853" {
                continue;
            }
            let steps = steps.unwrap_or(u64::MAX);
            let name = model.name();
            assert!(steps <= MOST, "{name} by {by} at {rtol:e}, atol {atol:e}: {steps} steps");
        }
    }
}

#[test]
fn stiffness_from_the_start_is_seen_within_sixty_steps() {
    seen_within_sixty_steps(file("chemistry/robertson"), 1e-6, 1e-4);
    seen_within_sixty_steps(file("oscillators/van_der_pol"), 1e-6, 1e-3);
}

#[test]
#[ignore = "reads ../shared"]
fn stiffness_of_air_is_seen_within_sixty_steps() {
    for (name, tightest, atol) in [
        ("auto_pollu", 1e-10, 1e-6),
        ("auto_pollu", 1e-10, 1e-10),
        ("auto_strato", 1e-8, 1e-2),
        ("auto_strato", 1e-8, 1e-10),
        ("ivp_emep", 1e-10, 1e6),
        ("ivp_emep", 1e-10, 1.0),
    ] {
        let path = shared_path(&format!("data/trials/{name}.json"));
        seen_within_sixty_steps(Model::from_file(path).unwrap(), tightest, atol);
    }
}

#[test]
fn what_is_not_stiff_is_never_taken_for_it() {
    for path in ["biology/lotka_volterra", "aerodynamics/pitch_plunge"] {
        let (model, span, y0, p) = run(file(path));
        for rtol in TOLERANCES {
            for atol in [1.0, 1e-6] {
                for (name, steps) in stopped(&model, span, &y0, &p, rtol, atol * rtol) {
                    assert_eq!(steps, None, "{path} by {name} at {rtol:e}");
                }
            }
        }
    }
    never_stiff(&p4a());
}

fn never_stiff<O: Ode, J>(benchmark: &Benchmark<O, J>) {
    let Benchmark { id, ode, y0, p, span: (start, end), .. } = benchmark;
    let span = Span { start: *start, end: *end };
    for rtol in TOLERANCES {
        for (name, steps) in stopped(ode, span, y0, p, rtol, rtol) {
            assert_eq!(steps, None, "{id} by {name} at {rtol:e}");
        }
    }
}

/// Seven bodies that attract each other (Hairer, Nørsett & Wanner, Solving ODEs I, section II.10).
#[test]
fn close_encounters_are_not_stiff() {
    let y0 = [
        3.0, 3.0, -1.0, -3.0, 2.0, -2.0, 2.0, 3.0, -3.0, 2.0, 0.0, 0.0, -4.0, 4.0, 0.0, 0.0, 0.0,
        0.0, 0.0, 1.75, -1.5, 0.0, 0.0, 0.0, -1.25, 1.0, 0.0, 0.0,
    ];
    let model = Model::trace(28, 1, |_t, y, p| {
        let mut rates: Vec<costate::expr::Expr> = y[14..].to_vec();
        for i in 0..7 {
            let (mut ax, mut ay): (costate::expr::Expr, costate::expr::Expr) =
                (0.0.into(), 0.0.into());
            for j in (0..7).filter(|&j| j != i) {
                let (dx, dy) = (&y[j] - &y[i], &y[7 + j] - &y[7 + i]);
                let r2 = &dx * &dx + &dy * &dy;
                let pull = &p[0] * (j + 1) as f64 / (&r2 * r2.sqrt());
                ax = ax + &pull * dx;
                ay = ay + pull * dy;
            }
            rates.insert(14 + i, ax);
            rates.push(ay);
        }
        rates
    });
    let model = model.initial(move |_p| y0.map(Into::into)).build().unwrap();
    for rtol in TOLERANCES {
        for (name, steps) in stopped(&model, Span { start: 0.0, end: 3.0 }, &y0, &[1.0], rtol, rtol)
        {
            assert_eq!(steps, None, "Pleiades by {name} at {rtol:e}");
        }
    }
}
