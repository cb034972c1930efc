//! What must not matter to the adjoints that are integrated: the units of states and parameters, and
//! when the clock was started.

use costate::adjoint::Gradient;
use costate::expr::Expr;
use costate::method::tableau::{ESDIRK, EXPLICIT, Tableau};
use costate::method::{AdjointKind, Method};
use costate::model::Model;
use costate::ode::objective::LeastSquares;
use costate::problem::Problem;

use crate::common::{bits, distance, shared_path, with_error_estimate};

/// A model of states and parameters of very different size. Its rates do not depend on time.
struct System {
    name: &'static str,
    y0: &'static [f64],
    p: &'static [f64],
    end: f64,
    /// What an error in each state is small against, whatever the tolerance.
    scale: &'static [f64],
    is_stiff: bool,
    rates: fn(&[Expr], &[Expr]) -> Vec<Expr>,
    terminal: fn(&[Expr]) -> Expr,
    running: fn(&[Expr]) -> Expr,
}

fn times(x: &[Expr], units: &[f64]) -> Vec<Expr> {
    x.iter().zip(units).map(|(x, unit)| x * *unit).collect()
}

impl System {
    /// The model with its states and parameters as multiples of the `units`.
    fn in_units(&self, (y_units, p_units): (&[f64], &[f64])) -> Model {
        let System { y0, p, rates, terminal, running, .. } = self;
        Model::trace(y0.len(), p.len(), |_t, y, p| {
            let rates = rates(&times(y, y_units), &times(p, p_units));
            rates.into_iter().zip(y_units).map(|(rate, unit)| rate / *unit).collect::<Vec<_>>()
        })
        .initial(|_p| y0.iter().zip(y_units).map(|(y, unit)| (y / unit).into()).collect::<Vec<_>>())
        .terminal(|y, _p| terminal(&times(y, y_units)))
        .running(|_t, y, _p| running(&times(y, y_units)))
        .build()
        .unwrap()
    }

    fn ones(&self) -> (Vec<f64>, Vec<f64>) {
        (vec![1.0; self.y0.len()], vec![1.0; self.p.len()])
    }

    /// Powers of two far apart, others for each `draw`.
    fn units(&self, draw: u64) -> (Vec<f64>, Vec<f64>) {
        let mut random = fastrand::Rng::with_seed(draw);
        let mut next = || 2.0_f64.powi(random.i32(-40..=40));
        (self.y0.iter().map(|_| next()).collect(), self.p.iter().map(|_| next()).collect())
    }

    /// The effects dJ/dx x of all parameters and states, of a gradient in these units.
    fn gradient(
        &self,
        by: &'static Tableau,
        adjoint: AdjointKind,
        rtol: f64,
        (y_units, p_units): &(Vec<f64>, Vec<f64>),
    ) -> (Gradient, Vec<f64>) {
        let model = self.in_units((y_units, p_units));
        let p: Vec<f64> = self.p.iter().zip(p_units).map(|(p, unit)| p / unit).collect();
        let atol = self.scale.iter().zip(y_units).map(|(scale, unit)| rtol * scale / unit);
        let gradient = Problem::new(&model, (0.0, self.end), &p)
            .method(Method::Named(by))
            .adjoint(adjoint)
            .rtol(rtol)
            .atol_each(atol.collect())
            .gradient()
            .unwrap_or_else(|error| panic!("{} by {}, {rtol:e}: {error}", self.name, by.name));
        let by_p = gradient.wrt_params.iter().zip(p_units).zip(self.p);
        // A state that begins with zero has the effect that its scale would have.
        let y_sizes = self.y0.iter().zip(self.scale).map(|(y, scale)| y.abs().max(*scale));
        let by_y = gradient.wrt_y0.iter().zip(y_units).zip(y_sizes);
        let effects = by_p.map(|((g, unit), p)| g / unit * p);
        let effects = effects.chain(by_y.map(|((g, unit), y)| g / unit * y)).collect();
        (gradient, effects)
    }
}

/// The largest error of an effect, relative to it where it is not less than a hundredth of the
/// largest one, and to that hundredth where it is.
fn error(found: &[f64], exact: &[f64]) -> f64 {
    let largest = exact.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    let error = |(a, b): (&f64, &f64)| (a - b).abs() / b.abs().max(1e-2 * largest);
    found.iter().zip(exact).map(error).fold(0.0, f64::max)
}

/// Robertson's reactions: of y1 to y3 only y2 is small, and J is y2's.
const ROBERTSON: System = System {
    name: "Robertson",
    y0: &[1.0, 0.0, 0.0],
    p: &[0.04, 3e7, 1e4],
    end: 40.0,
    scale: &[1e-3, 1e-7, 1e-3],
    is_stiff: true,
    rates: |y, p| {
        let (first, second, third) = (&p[0] * &y[0], &p[1] * y[1].powi(2), &p[2] * &y[1] * &y[2]);
        vec![&third - &first, &first - &third - &second, second]
    },
    terminal: |y| y[1].clone(),
    running: |y| 1e-3 * &y[1] * &y[0],
};

/// The stratosphere's oxygen under a sun that does not move: molecules in a cubic centimetre.
const STRATOSPHERE: System = System {
    name: "stratosphere",
    y0: &[99.06, 6.624e8, 5.326e11, 8.725e8, 2.240e8],
    p: &[
        2.643e-10, 8.018e-17, 6.12e-4, 1.576e-15, 1.07e-3, 7.11e-11, 1.2e-10, 6.062e-15, 1.069e-11,
    ],
    end: 3600.0,
    scale: &[1.0, 1e6, 1e9, 1e6, 1e6],
    is_stiff: true,
    rates: |y, k| {
        let (o1d, o, o3, no, no2) = (&y[0], &y[1], &y[2], &y[3], &y[4]);
        let (m, o2, light) = (8.12e16, 1.697e16, 0.5);
        let from_o2 = (light * light * light * o2) * &k[0];
        let joined = &k[1] * o * o2;
        let split = light * &k[2] * o3;
        let met = &k[3] * o * o3;
        let excited = light * light * &k[4] * o3;
        let calmed = &k[5] * o1d * m;
        let lost = &k[6] * o1d * o3;
        let to_no2 = &k[7] * o3 * no;
        let to_no = &k[8] * o * no2 + 1.289e-2 * light * no2;
        vec![
            &excited - &calmed - &lost,
            2.0 * from_o2 - &joined + &split - &met + &calmed - &k[8] * o * no2
                + 1.289e-2 * light * no2,
            &joined - &split - &met - &excited - &lost - &to_no2,
            &to_no - &to_no2,
            &to_no2 - &to_no,
        ]
    },
    terminal: |y| y[0].clone(),
    running: |y| 1e-15 * y[4].clone(),
};

/// Prey in thousands and predators in millionths, and how many are eaten.
const LOTKA_VOLTERRA: System = System {
    name: "Lotka-Volterra",
    y0: &[1e3, 2e-6],
    p: &[1.1, 3e5, 2e-4, 0.7],
    end: 6.0,
    scale: &[1.0, 1e-9],
    is_stiff: false,
    rates: |y, p| {
        let met = &y[0] * &y[1];
        vec![&p[0] * &y[0] - &p[1] * &met, &p[2] * met - &p[3] * &y[1]]
    },
    terminal: |y| y[1].clone(),
    running: |y| 1e-4 * &y[0] * &y[1],
};

/// A chain of four whose members differ by 10¹⁶; nothing but the first is there in the beginning.
const CHAIN: System = System {
    name: "chain",
    y0: &[1e10, 0.0, 0.0, 0.0],
    p: &[0.9, 1e-8, 0.4, 1e-3, 1.3, 1e12],
    end: 3.0,
    scale: &[1e7, 1e-1, 1e-4, 1e8],
    is_stiff: false,
    rates: |y, p| {
        vec![
            -(&p[0] * &y[0]),
            &p[0] * &p[1] * &y[0] - &p[2] * &y[1],
            &p[2] * &p[3] * &y[1] - &p[4] * &y[2],
            &p[4] * &p[5] * &y[2],
        ]
    },
    terminal: |y| y[2].clone(),
    running: |y| 1e-13 * &y[3],
};

const SYSTEMS: [&System; 4] = [&ROBERTSON, &STRATOSPHERE, &LOTKA_VOLTERRA, &CHAIN];

/// Runs a law over every system, method with an error estimate and adjoint that is integrated.
fn everywhere(mut law: impl FnMut(&System, &'static Tableau, AdjointKind)) {
    for system in SYSTEMS {
        for by in with_error_estimate(EXPLICIT).chain(ESDIRK.iter().copied()) {
            if by.is_explicit() && system.is_stiff {
                continue;
            }
            for adjoint in [AdjointKind::Continuous, AdjointKind::Backsolve] {
                if adjoint == AdjointKind::Backsolve && system.is_stiff {
                    continue;
                }
                law(system, by, adjoint);
            }
        }
    }
}

#[test]
fn units_do_not_matter() {
    everywhere(|system, by, adjoint| {
        for rtol in [1e-5, 1e-7] {
            let what = format!("{} by {}, {}, {rtol:e}", system.name, by.name, adjoint.name());
            let (gradient, effects) = system.gradient(by, adjoint, rtol, &system.ones());
            let (_, exact) = system.gradient(by, AdjointKind::Discrete, 1e-10, &system.ones());
            // Roundings differ, and with them where a substep ends: the error may, a little.
            let allowed = 10.0 * rtol + 0.3 * error(&effects, &exact);
            for draw in 1..=4 {
                let (other, others) = system.gradient(by, adjoint, rtol, &system.units(draw));
                let steps = (gradient.stats.steps, other.stats.steps);
                // Pivots differ with the units, and now and then a stage takes another iteration.
                let most = if by.is_explicit() { 1 } else { 1 + steps.0 / 20 };
                assert!(steps.0.abs_diff(steps.1) <= most, "{what}: {steps:?} steps");
                let error = error(&others, &effects);
                println!("{what}, draw {draw}: {error:.1e} of {allowed:.1e}");
                assert!(error <= allowed, "{what}, draw {draw}: {error:e}, {allowed:e} allowed");
            }
        }
    });
}

/// The bits of J = Σ w (y(t_i) − y₀)² + ∫ r dt and of its derivatives, over 2⁹ steps from the clock's
/// time `start`. Where that is a whole number the grid's times are not rounded.
fn bits_from(
    system: &System,
    by: &'static Tableau,
    adjoint: AdjointKind,
    start: f64,
) -> Option<Vec<u64>> {
    let ones = system.ones();
    let model = system.in_units((&ones.0, &ones.1));
    let at = [0.0, 0.25, 0.3125, 0.3125, 0.9375, 1.0].map(|part| start + part * system.end);
    let weights: Vec<f64> = system.scale.iter().map(|scale| 1e-6 / scale.powi(2)).collect();
    let fit = LeastSquares::new(at.to_vec(), [system.y0; 6].concat(), &weights).unwrap();
    let gradient = Problem::new(&model, (start, start + system.end), system.p)
        .objective(&fit)
        .method(Method::Named(by))
        .adjoint(adjoint)
        .fixed_steps(512)
        .gradient();
    gradient.ok().map(|gradient| bits(&gradient))
}

/// The rates do not depend on time: from t₀ = 2²⁰, where time is rounded to 1e-10, each step is that
/// from zero, and so is its adjoint, to the bit.
#[test]
fn the_time_of_the_clock_does_not_matter() {
    let mut compared = 0;
    everywhere(|system, by, adjoint| {
        let what = format!("{} by {}, {}", system.name, by.name, adjoint.name());
        let early = bits_from(system, by, adjoint, 0.0);
        assert_eq!(bits_from(system, by, adjoint, 2.0_f64.powi(20)), early, "{what}");
        compared += usize::from(early.is_some());
    });
    println!("{compared} compared");
    assert!(compared >= 20, "only {compared} compared");
}

/// A stiff run whose substeps time could not tell apart, were they counted from its beginning.
#[test]
#[ignore = "reads ../shared"]
fn substeps_far_shorter_than_the_time_are_taken() {
    let path = shared_path("data/trials/pollu_y3.json");
    let model = Model::from_file(path).unwrap();
    let p = model.nominal();
    let by = |adjoint| {
        let problem = Problem::of_model(&model, &p).unwrap().rtol(1e-10).atol(1e-12);
        problem.adjoint(adjoint).gradient().unwrap().wrt_params
    };
    let error = distance(&by(AdjointKind::Continuous), &by(AdjointKind::Discrete));
    assert!(error <= 1e-8, "{error:e}");
}

/// The absolute tolerance of a state that is zero asks for a first step that late times do not resolve.
#[test]
fn a_late_run_begins_where_a_state_is_zero() {
    let model = Model::trace(2, 1, |_t, y, p| [&p[0] * &y[1] - &y[0], -0.5 * &y[1]])
        .initial(|_p| [0.0.into(), 1.0.into()])
        .terminal(|y, _p| y[0].clone())
        .build()
        .unwrap();
    let exact = 2.0 * ((-2.5_f64).exp() - (-5.0_f64).exp());
    for tableau in with_error_estimate(EXPLICIT).chain(ESDIRK.iter().copied()) {
        for start in [0.0, -1.0, 1e3, 1e6] {
            for atol in [1e-12, 1e-16, 1e-20, 1e-30] {
                let run = Problem::new(&model, (start, start + 5.0), &[1.0]);
                let gradient = run.method(Method::Named(tableau)).rtol(1e-6).atol(atol).gradient();
                let found = gradient.unwrap().wrt_params[0];
                let error = (found / exact - 1.0).abs();
                assert!(error < 1e-4, "{} from {start}, {atol:e}: {error:e}", tableau.name);
            }
        }
    }
}

/// y' = √t − k y: no stage of the way back may ask for a time before the run's.
#[test]
fn the_way_back_looks_at_no_time_before_the_start() {
    let model = Model::trace(1, 1, |t, y, p| [t.sqrt() - &p[0] * &y[0]])
        .initial(|_| [1.0.into()])
        .terminal(|y, _| y[0].clone())
        .running(|t, y, _| t.sqrt() * &y[0])
        .build()
        .unwrap();
    for by in with_error_estimate(EXPLICIT).chain(ESDIRK.iter().copied()) {
        let by_kind = |adjoint, rtol| {
            Problem::new(&model, (0.0, 1.0), &[2.0])
                .method(Method::Named(by))
                .adjoint(adjoint)
                .rtol(rtol)
                .gradient()
                .unwrap_or_else(|error| panic!("{}: {error}", by.name))
        };
        let exact = by_kind(AdjointKind::Discrete, 1e-9).wrt_params[0];
        for adjoint in [AdjointKind::Continuous, AdjointKind::Backsolve] {
            let error = (by_kind(adjoint, 1e-6).wrt_params[0] / exact - 1.0).abs();
            assert!(error <= 1e-4, "{}, {}: {error:e}", by.name, adjoint.name());
        }
    }
}
