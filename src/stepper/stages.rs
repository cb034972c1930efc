//! What explicit and implicit Runge–Kutta methods share: coefficients ready for use, and the
//! stages of one step.

use super::{Counts, Part};
use crate::grid::Step;
use crate::linalg::{combine, weighted_sum};
use crate::scalar::Scalar;
use crate::tableau::{MAX_STAGES, Tableau};

/// The nonzero coefficients of a row or a column.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sparse<S> {
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

    /// `scale` times the coefficients.
    fn scaled(&self, scale: S) -> [S; MAX_STAGES] {
        let mut scaled = [S::zero(); MAX_STAGES];
        for (x, &a) in scaled.iter_mut().zip(&self.coefficients) {
            *x = scale * a;
        }
        scaled
    }

    /// Writes `base` + `scale` Σ_j a_j v_j to `out`, v_j being row j of `vectors`.
    pub fn combine(&self, out: &mut [S], base: &[S], scale: S, vectors: &[S]) {
        let c = self.scaled(scale);
        combine(out, base, &c[..self.indices.len()], vectors, &self.indices);
    }

    /// Writes `scale` Σ_j a_j v_j to `out`.
    pub fn weighted_sum(&self, out: &mut [S], scale: S, vectors: &[S]) {
        let c = self.scaled(scale);
        weighted_sum(out, &c[..self.indices.len()], vectors, &self.indices);
    }
}

/// A tableau, converted once to the scalar type, its zeros left out.
#[derive(Clone, Debug)]
pub(crate) struct Scheme<S> {
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

impl<S: Scalar> Scheme<S> {
    /// Of a tableau that was checked.
    pub fn new(tableau: &Tableau) -> Self {
        let stages = tableau.stages();
        let total = stages + tableau.extra_stages();
        let lower = |i: usize| {
            let row = tableau.row(i);
            row[..row.len().min(i)].to_vec()
        };
        let column =
            |j: usize| Sparse::new((j + 1..total).filter_map(|i| lower(i).get(j).map(|&a| (i, a))));
        let main = tableau.b.iter().rposition(|&b| b != 0.0).map_or(0, |i| i + 1);
        let mut b_full: Vec<S> = tableau.b.iter().map(|&b| S::of(b)).collect();
        b_full.resize(total, S::zero());
        Scheme {
            tableau: *tableau,
            stages,
            total,
            main,
            c: (0..total).map(|i| tableau.abscissa(i)).collect(),
            rows: (0..total).map(|i| Sparse::row(&lower(i))).collect(),
            columns: (0..total).map(column).collect(),
            b: Sparse::row(tableau.b),
            b_full,
            error: Sparse::row(tableau.error),
            error_lower: Sparse::row(tableau.error_lower),
        }
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

/// The stages of one step: states Y_i, slopes k_i, what f left behind, and their bars.
#[derive(Debug)]
pub struct Stages<S, W> {
    pub(crate) dim: usize,
    pub(crate) step: Step,
    /// How many of the first stages hold this step's values.
    pub(crate) evaluated: usize,
    /// Y_i by rows; Y_0 is y_n.
    pub(crate) y: Vec<S>,
    /// k_i by rows.
    pub(crate) k: Vec<S>,
    /// Whether the slopes belong to the states: they do unless these were exchanged alone.
    pub(crate) has_slopes: bool,
    pub(crate) work: Vec<W>,
    /// Ȳ_i by rows, and dJ/dy_{n+1} behind them.
    pub(crate) y_bar: Vec<S>,
    pub(crate) k_bar: Vec<S>,
    /// Seeds of k_i from points inside the step, by rows, and of y_n behind them.
    pub(crate) seeds: Vec<S>,
    pub(crate) seeded: bool,
    pub(crate) counts: Counts,
}

impl<S: Scalar, W> Stages<S, W> {
    pub(crate) fn new(scheme: &Scheme<S>, dim: usize, work: Vec<W>) -> Self {
        let rows = scheme.total * dim;
        Stages {
            dim,
            step: Step { t: f64::NAN, t_next: f64::NAN, end: f64::NAN },
            evaluated: 0,
            y: vec![S::zero(); rows],
            k: vec![S::zero(); rows],
            has_slopes: true,
            work,
            y_bar: vec![S::zero(); rows + dim],
            k_bar: vec![S::zero(); dim],
            seeds: Vec::new(),
            seeded: false,
            counts: Counts::default(),
        }
    }

    /// Stages to keep a step in.
    pub(crate) fn kept(scheme: &Scheme<S>, dim: usize, part: Part, work: Vec<W>) -> Self {
        let rows = scheme.total * dim;
        let slopes = if part == Part::StatesAndSlopes { rows } else { 0 };
        Stages {
            dim,
            y: vec![S::zero(); rows],
            k: vec![S::zero(); slopes],
            ..Self::new(scheme, 0, work)
        }
    }

    /// Bytes of such stages, without `work`.
    pub(crate) fn kept_bytes(scheme: &Scheme<S>, dim: usize, part: Part) -> usize {
        let rows = if part == Part::StatesAndSlopes { 2 } else { 1 };
        rows * scheme.total * dim * S::BYTES + size_of::<Self>()
    }

    /// Exchanges the step for the one in `kept`.
    pub(crate) fn exchange(&mut self, part: Part, kept: &mut Self) {
        std::mem::swap(&mut self.step, &mut kept.step);
        std::mem::swap(&mut self.evaluated, &mut kept.evaluated);
        std::mem::swap(&mut self.y, &mut kept.y);
        self.has_slopes = part == Part::StatesAndSlopes;
        if self.has_slopes {
            std::mem::swap(&mut self.k, &mut kept.k);
        }
    }

    /// Bytes of a tape of this scheme.
    pub(crate) fn bytes(scheme: &Scheme<S>, dim: usize) -> usize {
        (3 * scheme.total + 2) * dim * S::BYTES
    }

    /// Makes room for the seeds of any number of points inside a step.
    pub(crate) fn make_room_for_seeds(&mut self, scheme: &Scheme<S>) {
        self.seeds = vec![S::zero(); (scheme.total + 1) * self.dim];
    }

    /// Bytes of that room.
    pub(crate) fn seed_bytes(scheme: &Scheme<S>, dim: usize) -> usize {
        (scheme.total + 1) * dim * S::BYTES
    }

    pub(crate) fn h(&self) -> S {
        S::of(self.step.h())
    }

    pub(crate) fn y(&self, i: usize) -> &[S] {
        &self.y[i * self.dim..(i + 1) * self.dim]
    }

    pub(crate) fn k(&self, i: usize) -> &[S] {
        &self.k[i * self.dim..(i + 1) * self.dim]
    }

    /// Writes y_n + h Σ_{j<i} a_ij k_j to Y_i.
    pub(crate) fn explicit_part(&mut self, scheme: &Scheme<S>, i: usize) {
        let h = self.h();
        let (before, from) = self.y.split_at_mut(i * self.dim);
        let base = &before[..self.dim];
        scheme.rows[i].combine(&mut from[..self.dim], base, h, &self.k);
    }

    /// Writes y_n + h Σ b_i(θ) k_i to `out`.
    pub(crate) fn dense(&self, scheme: &Scheme<S>, theta: f64, out: &mut [S]) {
        let h = self.h();
        let (mut c, mut rows, mut count) = ([S::zero(); MAX_STAGES], [0; MAX_STAGES], 0);
        for (i, &w) in scheme.dense_weights(theta)[..scheme.total].iter().enumerate() {
            if w != S::zero() {
                (c[count], rows[count]) = (h * w, i);
                count += 1;
            }
        }
        combine(out, self.y(0), &c[..count], &self.k, &rows[..count]);
    }

    /// Adds the seed w of y(t_n + θh) to those of y_n and k_i, and to that of t_{n+1} what comes
    /// of θ = (t − t_n)/h at fixed t.
    pub(crate) fn seed(
        &mut self,
        scheme: &Scheme<S>,
        theta: f64,
        w: &[S],
        t_next_bar: Option<&mut S>,
    ) {
        let (d, h) = (self.dim, self.h());
        if !self.seeded {
            self.seeds.clear();
            self.seeds.resize((scheme.total + 1) * d, S::zero());
            self.seeded = true;
        }
        let weights = scheme.dense_weights(theta);
        let (k_seeds, y_seed) = self.seeds.split_at_mut(scheme.total * d);
        for (row, &b) in k_seeds.chunks_exact_mut(d).zip(&weights) {
            if b != S::zero() {
                add_scaled(row, h * b, w);
            }
        }
        add_scaled(y_seed, S::one(), w);
        if let Some(bar) = t_next_bar {
            let slopes = scheme.dense_weights_derivative(theta);
            for (i, &slope) in slopes[..scheme.total].iter().enumerate() {
                *bar -= S::of(theta) * slope * dot(w, self.k(i));
            }
        }
    }

    /// Keeps `lambda` for [`k_bar`](Self::gather) and [`finish_adjoint`](Self::finish_adjoint).
    pub(crate) fn begin_adjoint(&mut self, scheme: &Scheme<S>, lambda: &[S]) {
        let end = scheme.total * self.dim;
        self.y_bar[end..end + self.dim].copy_from_slice(lambda);
    }

    /// Writes h (b_i λ + Σ_{l>i} a_li Ȳ_l) + seed to `k_bar`, over the active stages l.
    /// Returns whether anything contributed.
    pub(crate) fn gather(&mut self, scheme: &Scheme<S>, i: usize, active: u32) -> bool {
        let (d, h) = (self.dim, self.h());
        let (mut c, mut rows, mut count) = ([S::zero(); MAX_STAGES], [0; MAX_STAGES], 0);
        if scheme.b_full[i] != S::zero() {
            (c[0], rows[0], count) = (h * scheme.b_full[i], scheme.total, 1);
        }
        for (l, a) in scheme.columns[i].iter() {
            if active >> l & 1 == 1 {
                (c[count], rows[count]) = (h * a, l);
                count += 1;
            }
        }
        if self.seeded {
            let seed = &self.seeds[i * d..(i + 1) * d];
            combine(&mut self.k_bar, seed, &c[..count], &self.y_bar, &rows[..count]);
        } else {
            weighted_sum(&mut self.k_bar, &c[..count], &self.y_bar, &rows[..count]);
        }
        count > 0 || self.seeded
    }

    /// Writes dJ/dy_n = λ + Σ Ȳ_l + seed to `lambda`.
    pub(crate) fn finish_adjoint(&mut self, scheme: &Scheme<S>, active: u32, lambda: &mut [S]) {
        let d = self.dim;
        let (mut rows, mut count) = ([0; MAX_STAGES], 0);
        for l in (0..scheme.total).filter(|l| active >> l & 1 == 1) {
            rows[count] = l;
            count += 1;
        }
        let end = &self.y_bar[scheme.total * d..(scheme.total + 1) * d];
        combine(lambda, end, &[S::one(); MAX_STAGES][..count], &self.y_bar, &rows[..count]);
        if self.seeded {
            add_scaled(lambda, S::one(), &self.seeds[scheme.total * d..]);
            self.seeded = false;
        }
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
