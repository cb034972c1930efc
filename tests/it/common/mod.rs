//! The lists that laws are tested over: every method, every schedule, several models.

pub mod listed;
pub mod network;
pub mod scratch;

use costate::adjoint::Gradient;
use costate::method::stepper::{AdjointStepper, Esdirk, ExplicitRk, Newton, TangentStepper};
use costate::method::tableau::{ESDIRK, EXPLICIT, Tableau};
use costate::model::Model;
use costate::ode::grid::TimeGrid;
use costate::ode::objective::Objective;
use costate::ode::{At, Bars, Initial, Jvp, Vjp};

/// A model from `models/`.
pub fn file(name: &str) -> Model {
    let path = format!("{}/models/{name}.json", env!("CARGO_MANIFEST_DIR"));
    Model::from_file(path).unwrap()
}

/// The methods of a list that can control their error.
pub fn with_error_estimate(
    list: &'static [&'static Tableau],
) -> impl Iterator<Item = &'static Tableau> {
    list.iter().copied().filter(|tableau| tableau.embedded_order > 0)
}

/// A short run of a model that has everything, on a grid of unequal steps.
pub struct Case<O, I, J> {
    pub name: &'static str,
    pub ode: O,
    pub initial: I,
    pub objective: Within<J>,
    pub p: Vec<f64>,
    pub grid: TimeGrid,
}

/// What is done with each case and method.
pub trait Law {
    fn holds<O, I, J, M>(&mut self, case: &Case<O, I, J>, stepper: M)
    where
        O: Vjp + Jvp,
        I: Initial,
        J: Objective,
        M: AdjointStepper<O> + TangentStepper<O> + Clone;
}

/// Runs a law over every explicit method.
pub fn explicit<O: Vjp + Jvp, I: Initial, J: Objective>(law: &mut impl Law, case: &Case<O, I, J>) {
    for tableau in EXPLICIT {
        law.holds(case, ExplicitRk::new(tableau).unwrap());
    }
}

/// Runs a law over every method.
pub fn all<O: Vjp + Jvp, I: Initial, J: Objective>(law: &mut impl Law, case: &Case<O, I, J>) {
    explicit(law, case);
    for tableau in ESDIRK {
        law.holds(case, Esdirk::new(tableau, Newton::Stagnation).unwrap());
    }
}

/// Runs a law over every method and model.
pub fn everywhere(law: &mut impl Law) {
    for (name, end) in [
        ("biology/lotka_volterra", 1.0),
        ("biology/gene_expression", 1.0),
        ("chemistry/robertson", 1e-3),
        ("chemistry/hires", 0.02),
        ("oscillators/van_der_pol", 1e-3),
        ("aerodynamics/pitch_plunge", 2.0),
    ] {
        all(law, &model_case(name, file(name), end));
    }
    all(law, &cells());
    all(law, &torus());
    explicit(law, &network());
}

/// A model's run over a short span with its own objective, of which the terms in the span count.
pub fn model_case(name: &'static str, model: Model, length: f64) -> Case<Model, Model, Model> {
    let start = model.span().unwrap().0;
    Case {
        name,
        p: model.nominal(),
        ode: model.clone(),
        initial: model.clone(),
        objective: Within::new(model, start + length),
        grid: unequal(start, start + length, 17),
    }
}

/// A reaction–diffusion chain with a banded Jacobian.
fn cells() -> Case<
    costate_models::pde::brusselator::Brusselator,
    Vec<f64>,
    costate::ode::objective::LeastSquares,
> {
    let problem = costate_models::pde::brusselator::p3a();
    let times = vec![0.0, 0.003, 0.01, 0.02];
    let data = [&problem.y0[..]; 4].concat();
    let fit = costate::ode::objective::LeastSquares::new(times, data, &[1.0]).unwrap();
    Case {
        name: "brusselator",
        p: problem.p,
        ode: problem.ode,
        initial: problem.y0,
        objective: Within::new(fit, 0.02),
        grid: unequal(0.0, 0.02, 11),
    }
}

/// An advection–diffusion–reaction equation in two dimensions with a sparse Jacobian.
fn torus() -> Case<
    costate_models::pde::advected_fisher::AdvectedFisher,
    Vec<f64>,
    costate::ode::objective::LeastSquares,
> {
    use costate_models::pde::advected_fisher::{AdvectedFisher, PARAMETERS};
    let ode = AdvectedFisher::new(9);
    let initial = ode.wave();
    let data = vec![0.5; 4 * initial.len()];
    let fit = costate::ode::objective::LeastSquares::new(vec![0.0, 0.02, 0.07, 0.1], data, &[1.0]);
    Case {
        name: "advected Fisher",
        p: PARAMETERS.to_vec(),
        ode,
        initial,
        objective: Within::new(fit.unwrap(), 0.1),
        grid: unequal(0.0, 0.1, 11),
    }
}

fn network() -> Case<
    costate_models::learning::neural_ode::NeuralOde,
    Vec<f64>,
    costate::ode::objective::LeastSquares,
> {
    let problem = costate_models::learning::neural_ode::p4a();
    Case {
        name: "neural ODE",
        p: problem.p,
        ode: problem.ode,
        initial: problem.y0,
        objective: Within::new(problem.objective, 1.5),
        grid: unequal(0.0, 1.5, 13),
    }
}

/// A grid whose steps grow and shrink.
pub fn unequal(start: f64, end: f64, steps: usize) -> TimeGrid {
    let place = |n: usize| {
        let x = n as f64 / steps as f64;
        start + (end - start) * (x + 0.3 * x * (1.0 - x) * (2.0 * x - 0.7))
    };
    let mut times: Vec<f64> = (0..=steps).map(place).collect();
    times[steps] = end;
    TimeGrid::Times(times)
}

/// An objective without the point terms after a time.
pub struct Within<J> {
    inner: J,
    times: Vec<f64>,
    keep: Vec<usize>,
}

impl<J: Objective> Within<J> {
    pub fn new(inner: J, end: f64) -> Self {
        let all = inner.times();
        let keep: Vec<usize> =
            (0..all.len()).filter(|&i| all[i] <= end || all[i].is_infinite()).collect();
        let times = keep.iter().map(|&i| all[i]).collect();
        Within { inner, times, keep }
    }

    /// The same terms, those at `from` now at `to`.
    pub fn moved(&self, from: f64, to: f64) -> Moved<'_, J> {
        let times = self.times.iter().map(|&t| if t == from { to } else { t }).collect();
        Moved { inner: self, times }
    }
}

impl<J: Objective> Objective for Within<J> {
    type Scratch = J::Scratch;
    fn scratch(&self) -> J::Scratch {
        self.inner.scratch()
    }
    fn scratch_bytes(&self) -> usize {
        self.inner.scratch_bytes()
    }
    fn times(&self) -> &[f64] {
        &self.times
    }
    fn point(&self, i: usize, at: At<'_>, s: &mut J::Scratch) -> f64 {
        self.inner.point(self.keep[i], at, s)
    }
    fn point_vjp(&self, i: usize, at: At<'_>, bars: Bars<'_>, s: &mut J::Scratch) {
        self.inner.point_vjp(self.keep[i], at, bars, s);
    }
    fn has_integrand(&self) -> bool {
        self.inner.has_integrand()
    }
    fn integrand(&self, at: At<'_>, s: &mut J::Scratch) -> f64 {
        self.inner.integrand(at, s)
    }
    fn integrand_vjp(&self, at: At<'_>, weight: f64, bars: Bars<'_>, s: &mut J::Scratch) {
        self.inner.integrand_vjp(at, weight, bars, s);
    }
}

/// An objective with other times.
pub struct Moved<'a, J> {
    inner: &'a Within<J>,
    times: Vec<f64>,
}

impl<J: Objective> Objective for Moved<'_, J> {
    type Scratch = J::Scratch;
    fn scratch(&self) -> J::Scratch {
        self.inner.scratch()
    }
    fn scratch_bytes(&self) -> usize {
        self.inner.scratch_bytes()
    }
    fn times(&self) -> &[f64] {
        &self.times
    }
    fn point(&self, i: usize, at: At<'_>, s: &mut J::Scratch) -> f64 {
        self.inner.point(i, at, s)
    }
    fn point_vjp(&self, i: usize, at: At<'_>, bars: Bars<'_>, s: &mut J::Scratch) {
        self.inner.point_vjp(i, at, bars, s);
    }
    fn has_integrand(&self) -> bool {
        self.inner.has_integrand()
    }
    fn integrand(&self, at: At<'_>, s: &mut J::Scratch) -> f64 {
        self.inner.integrand(at, s)
    }
    fn integrand_vjp(&self, at: At<'_>, weight: f64, bars: Bars<'_>, s: &mut J::Scratch) {
        self.inner.integrand_vjp(at, weight, bars, s);
    }
}

/// The bits of everything in a gradient that is not a cost.
pub fn bits(gradient: &Gradient) -> Vec<u64> {
    let ends = [gradient.value, gradient.wrt_end_time];
    let all = ends.iter().chain(&gradient.wrt_y0).chain(&gradient.wrt_params);
    all.map(|x| x.to_bits()).collect()
}

/// ‖a − b‖/‖b‖ in the 2-norm.
pub fn distance(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let norm = |x: &mut dyn Iterator<Item = f64>| x.map(|x| x * x).sum::<f64>().sqrt();
    norm(&mut a.iter().zip(b).map(|(a, b)| a - b)) / norm(&mut b.iter().copied())
}

/// A file beside the project. What reads one is `#[ignore = "reads ../shared"]`, so that it never
/// passes unseen where there is none; `.ci/run` runs it where there is.
pub fn shared_path(path: &str) -> std::path::PathBuf {
    let full = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared").join(path);
    assert!(full.exists(), "{} is not there, and this test needs it", full.display());
    full
}

/// Published figures beside the project.
pub fn shared(path: &str) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(shared_path(path)).unwrap()).unwrap()
}

/// The entries of a list of figures.
pub fn rows(figures: &serde_json::Value) -> impl Iterator<Item = &serde_json::Value> {
    figures.as_array().unwrap().iter()
}
