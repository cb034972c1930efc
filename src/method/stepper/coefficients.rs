//! Coefficients of a method, ready for use.

use crate::method::tableau::{MAX_STAGES, Tableau};
use crate::numbers::linalg::{combine, weighted_sum};
use crate::numbers::scalar::Scalar;

/// The nonzero coefficients of a row or a column.
#[derive(Clone, Debug, Default)]
pub struct Sparse<S> {
    pub coefficients: Vec<S>,
    pub indices: Vec<usize>,
}

impl<S: Scalar> Sparse<S> {
    fn new(entries: impl Iterator<Item = (usize, f64)>) -> Self {
        let (indices, coefficients) =
            entries.filter(|&(_, a)| a != 0.0).map(|(j, a)| (j, S::of(a))).unzip();
        Sparse { coefficients, indices }
    }

    fn row(values: &[f64]) -> Self {
        Self::new(values.iter().copied().enumerate())
    }

    pub fn iter(&self) -> impl Iterator<Item = (usize, S)> {
        self.indices.iter().copied().zip(self.coefficients.iter().copied())
    }

    /// Writes `base` + `scale` Σ_j a_j v_j to `out`, v_j being row j of `vectors`.
    pub fn combine(
        &self,
        out: &mut [S],
        base: &[S],
        scale: S,
        vectors: &[S],
        terms: &mut Terms<S>,
    ) {
        combine(out, base, terms.scaled(scale, &self.coefficients), vectors, &self.indices);
    }

    /// Writes `scale` Σ_j a_j v_j to `out`.
    pub fn weighted_sum(&self, out: &mut [S], scale: S, vectors: &[S], terms: &mut Terms<S>) {
        weighted_sum(out, terms.scaled(scale, &self.coefficients), vectors, &self.indices);
    }
}

/// A tableau, converted once to the scalar type, its zeros left out.
#[derive(Clone, Debug)]
pub struct Coefficients<S> {
    pub tableau: Tableau,
    /// The stages of the method proper, s.
    pub stages: usize,
    /// The same with those that only the interpolant needs.
    pub total: usize,
    /// The stages that y_{n+1} needs: without a last one that is f(t_{n+1}, y_{n+1}).
    pub main: usize,
    pub c: Vec<f64>,
    /// a_ij for j < i.
    pub rows: Vec<Sparse<S>>,
    /// a_ij by column, for i > j.
    pub columns: Vec<Sparse<S>>,
    pub b: Sparse<S>,
    pub b_full: Vec<S>,
    pub error: Sparse<S>,
    pub error_lower: Sparse<S>,
}

impl<S: Scalar> Coefficients<S> {
    /// Of a tableau that was checked.
    pub fn new(tableau: &Tableau) -> Self {
        let stages = tableau.stages();
        let total = stages + tableau.extra_stages();
        let lower = |i: usize| {
            let row = tableau.row(i);
            &row[..row.len().min(i)]
        };
        let column =
            |j: usize| Sparse::new((j + 1..total).filter_map(|i| lower(i).get(j).map(|&a| (i, a))));
        let main = tableau.b.iter().rposition(|&b| b != 0.0).map_or(0, |i| i + 1);
        let mut b_full: Vec<S> = tableau.b.iter().map(|&b| S::of(b)).collect();
        b_full.resize(total, S::zero());
        Coefficients {
            tableau: *tableau,
            stages,
            total,
            main,
            c: (0..total).map(|i| tableau.abscissa(i)).collect(),
            rows: (0..total).map(|i| Sparse::row(lower(i))).collect(),
            columns: (0..total).map(column).collect(),
            b: Sparse::row(tableau.b),
            b_full,
            error: Sparse::row(tableau.error),
            error_lower: Sparse::row(tableau.error_lower),
        }
    }

    /// Writes y_n + h Σ b_i(θ) k_i to `out`.
    pub fn dense(&self, theta: f64, h: S, (y_n, slopes): (&[S], &[S]), out: &mut [S]) {
        let mut terms = Terms::default();
        for (i, &w) in self.dense_weights(theta)[..self.total].iter().enumerate() {
            if w != S::zero() {
                terms.add(h * w, i);
            }
        }
        terms.combine(out, y_n, slopes);
    }

    /// b_i(θ) for all stages.
    pub fn dense_weights(&self, theta: f64) -> [S; MAX_STAGES] {
        let mut weights = [0.0; MAX_STAGES];
        self.tableau.dense_weights(theta, &mut weights[..self.total]);
        weights.map(S::of)
    }

    /// db_i/dθ for all stages.
    pub fn dense_weights_derivative(&self, theta: f64) -> [S; MAX_STAGES] {
        let mut weights = [0.0; MAX_STAGES];
        self.tableau.dense_weights_derivative(theta, &mut weights[..self.total]);
        weights.map(S::of)
    }
}

/// Room for rows and their weights in a sum; written over, since to make it anew takes longer than a
/// short sum.
#[derive(Debug)]
pub struct Terms<S> {
    weights: [S; MAX_STAGES],
    rows: [usize; MAX_STAGES],
    count: usize,
}

impl<S: Scalar> Default for Terms<S> {
    fn default() -> Self {
        Terms { weights: [S::zero(); MAX_STAGES], rows: [0; MAX_STAGES], count: 0 }
    }
}

impl<S: Scalar> Terms<S> {
    /// Begins a sum.
    pub fn clear(&mut self) {
        self.count = 0;
    }

    /// `scale` times the coefficients.
    fn scaled(&mut self, scale: S, coefficients: &[S]) -> &[S] {
        let scaled = &mut self.weights[..coefficients.len()];
        for (x, &a) in scaled.iter_mut().zip(coefficients) {
            *x = scale * a;
        }
        scaled
    }

    pub fn add(&mut self, weight: S, row: usize) {
        (self.weights[self.count], self.rows[self.count]) = (weight, row);
        self.count += 1;
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Writes `base` + Σ weight · row to `out`.
    pub fn combine(&self, out: &mut [S], base: &[S], rows: &[S]) {
        combine(out, base, &self.weights[..self.count], rows, &self.rows[..self.count]);
    }

    /// Writes Σ weight · row to `out`.
    pub fn weighted_sum(&self, out: &mut [S], rows: &[S]) {
        weighted_sum(out, &self.weights[..self.count], rows, &self.rows[..self.count]);
    }
}

pub(crate) fn add_scaled<S: Scalar>(out: &mut [S], a: S, x: &[S]) {
    for (o, &x) in out.iter_mut().zip(x) {
        *o += a * x;
    }
}

pub(crate) fn dot<S: Scalar>(a: &[S], b: &[S]) -> S {
    a.iter().zip(b).map(|(&a, &b)| a * b).sum()
}
