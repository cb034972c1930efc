//! A model of which every part can be as large as a test likes.

use costate::numbers::linalg::{Matrix, Pattern, Structure};
use costate::ode::objective::Objective;
use costate::ode::{At, Bars, Ode, Rows, Vjp};

/// y_i' = −p_{i mod m} y_i + Σ_j (y_j − y_i)/4 over the neighbours j of i, from 1;
/// J = Σ ½|y(t_i)|² + ∫ ½|y|² dt over [0, 1].
#[derive(Clone)]
pub struct Sized {
    pub name: &'static str,
    pub dim: usize,
    pub params: usize,
    /// Numbers of scratch for the model, and for the objective.
    pub work: usize,
    pub scratch: usize,
    pub structure: Structure,
    pub neighbours: Vec<isize>,
    /// Of the point terms.
    pub times: Vec<f64>,
    pub running: bool,
}

impl Sized {
    /// Dense, with as few numbers as there can be, and a point term inside a step.
    pub fn new(name: &'static str, dim: usize, params: usize) -> Self {
        Sized {
            name,
            dim,
            params,
            work: 0,
            scratch: 0,
            structure: Structure::Dense,
            neighbours: vec![-1],
            times: vec![0.123_456, 0.5, 1.0],
            running: false,
        }
    }

    pub fn banded(self) -> Self {
        Sized { structure: Structure::Banded { lower: 1, upper: 0 }, ..self }
    }

    /// On a square of side × side points.
    pub fn sparse(name: &'static str, side: usize, params: usize) -> Self {
        let neighbours = vec![-1, 1, -(side as isize), side as isize];
        let mut model = Sized { neighbours, ..Sized::new(name, side * side, params) };
        let entries: Vec<_> =
            (0..model.dim).flat_map(|i| model.around(i).map(move |j| (i, j))).collect();
        model.structure = Structure::Sparse(Pattern::new(model.dim, entries).unwrap());
        model
    }

    pub fn p(&self) -> Vec<f64> {
        (0..self.params).map(|k| 1.0 + (k % 7) as f64 / 10.0).collect()
    }

    pub fn y0(&self) -> Vec<f64> {
        (0..self.dim).map(|i| 1.0 + (i % 5) as f64 / 10.0).collect()
    }

    fn around(&self, i: usize) -> impl Iterator<Item = usize> + use<'_> {
        self.neighbours
            .iter()
            .filter_map(move |by| i.checked_add_signed(*by))
            .filter(|j| *j < self.dim)
    }
}

impl Ode for Sized {
    type Work = Vec<f64>;

    fn dim(&self) -> usize {
        self.dim
    }
    fn num_params(&self) -> usize {
        self.params
    }
    fn work(&self) -> Vec<f64> {
        vec![0.0; self.work]
    }
    fn work_bytes(&self) -> usize {
        size_of::<Vec<f64>>() + 8 * self.work
    }
    fn rhs(&self, At { y, p, .. }: At<'_>, dy: &mut [f64], _: &mut Vec<f64>) {
        for i in 0..self.dim {
            dy[i] = -p[i % self.params] * y[i];
            for j in self.around(i) {
                dy[i] += 0.25 * (y[j] - y[i]);
            }
        }
    }
}

impl Vjp for Sized {
    fn vjp(
        &self,
        At { y, p, .. }: At<'_>,
        w: &[f64],
        Bars { y: y_bar, p: p_bar, .. }: Bars<'_>,
        _: &mut Vec<f64>,
    ) {
        for i in 0..self.dim {
            y_bar[i] -= p[i % self.params] * w[i];
            p_bar[i % self.params] -= y[i] * w[i];
            for j in self.around(i) {
                y_bar[j] += 0.25 * w[i];
                y_bar[i] -= 0.25 * w[i];
            }
        }
    }

    fn structure(&self) -> Structure {
        self.structure.clone()
    }
    fn jacobian(&self, At { p, .. }: At<'_>, jac: &mut Matrix, _: Rows<'_>, _: &mut Vec<f64>) {
        for i in 0..self.dim {
            jac.set(i, i, -p[i % self.params] - 0.25 * self.around(i).count() as f64);
            for j in self.around(i) {
                jac.set(i, j, 0.25);
            }
        }
    }
}

impl Objective for Sized {
    type Scratch = Vec<f64>;

    fn scratch(&self) -> Vec<f64> {
        vec![0.0; self.scratch]
    }
    fn scratch_bytes(&self) -> usize {
        size_of::<Vec<f64>>() + 8 * self.scratch
    }
    fn times(&self) -> &[f64] {
        &self.times
    }
    fn point(&self, _i: usize, At { y, .. }: At<'_>, _: &mut Vec<f64>) -> f64 {
        0.5 * y.iter().map(|y| y * y).sum::<f64>()
    }
    fn point_vjp(
        &self,
        _i: usize,
        At { y, .. }: At<'_>,
        Bars { y: y_bar, .. }: Bars<'_>,
        _: &mut Vec<f64>,
    ) {
        y_bar.iter_mut().zip(y).for_each(|(bar, y)| *bar += y);
    }
    fn has_integrand(&self) -> bool {
        self.running
    }
    fn integrand(&self, at: At<'_>, scratch: &mut Vec<f64>) -> f64 {
        if self.running { self.point(0, at, scratch) } else { 0.0 }
    }
    fn integrand_vjp(
        &self,
        At { y, .. }: At<'_>,
        weight: f64,
        Bars { y: y_bar, .. }: Bars<'_>,
        _: &mut Vec<f64>,
    ) {
        y_bar.iter_mut().zip(y).for_each(|(bar, y)| *bar += weight * y);
    }
}
