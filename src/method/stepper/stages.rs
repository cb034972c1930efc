//! The stages of one step, and what is needed beside them to take and to reverse it.

use super::coefficients::{Coefficients, Terms, add_scaled, dot};
use super::{Counts, Slopes};
use crate::numbers::scalar::Scalar;
use crate::ode::grid::Step;

/// What the adjoint needs of a step: the states Y_i of its stages, and what f left there.
#[derive(Debug)]
pub struct Stages<S, W> {
    pub(crate) dim: usize,
    pub(crate) step: Step,
    /// How many of the first stages hold this step's values.
    pub(crate) evaluated: usize,
    /// Y_i by rows; Y_0 is y_n.
    pub(crate) y: Vec<S>,
    /// k_i by rows, where they are kept.
    pub(crate) k: Vec<S>,
    pub(crate) work: Vec<W>,
}

/// What a step and its adjoint need beside the stages.
#[derive(Debug)]
pub struct StageScratch<S> {
    /// k_i by rows, where the stages do not keep them.
    pub(crate) k: Vec<S>,
    /// The step that those slopes are of.
    pub(crate) slopes_of: Step,
    /// Ȳ_i by rows, and dJ/dy_{n+1} behind them.
    y_bar: Vec<S>,
    /// One of the k̄_i, or the vector of the error estimate.
    pub(crate) k_bar: Vec<S>,
    /// Seeds of k_i from points inside the step, by rows, and of y_n behind them.
    seeds: Vec<S>,
    seeded: bool,
    /// Bit i: the running cost was added to Ȳ_i.
    with_cost: u32,
    /// Bit i: Ȳ_i is not zero.
    active: u32,
    pub(crate) terms: Terms<S>,
    pub(crate) counts: Counts,
}

/// No step.
pub(crate) const NO_STEP: Step = Step { t: f64::NAN, t_next: f64::NAN, end: f64::NAN };

impl<S: Scalar, W> Stages<S, W> {
    pub(crate) fn new(
        coefficients: &Coefficients<S>,
        dim: usize,
        slopes: Slopes,
        work: Vec<W>,
    ) -> Self {
        let rows = coefficients.total * dim;
        let slope_rows = if slopes == Slopes::Kept { rows } else { 0 };
        Stages {
            dim,
            step: NO_STEP,
            evaluated: 0,
            y: vec![S::zero(); rows],
            k: vec![S::zero(); slope_rows],
            work,
        }
    }

    /// Bytes of such stages, without `work`.
    pub(crate) fn bytes(coefficients: &Coefficients<S>, dim: usize, slopes: Slopes) -> usize {
        let rows = if slopes == Slopes::Kept { 2 } else { 1 };
        rows * coefficients.total * dim * S::BYTES + size_of::<Self>()
    }

    pub(crate) fn h(&self) -> S {
        S::of(self.step.h())
    }

    pub(crate) fn y(&self, i: usize) -> &[S] {
        &self.y[i * self.dim..(i + 1) * self.dim]
    }

    /// k_i by rows, wherever they are.
    pub(crate) fn slopes<'a>(&'a self, scratch: &'a StageScratch<S>) -> &'a [S] {
        if self.k.is_empty() { &scratch.k } else { &self.k }
    }

    pub(crate) fn k<'a>(&'a self, i: usize, scratch: &'a StageScratch<S>) -> &'a [S] {
        &self.slopes(scratch)[i * self.dim..(i + 1) * self.dim]
    }

    /// Begins a step from `y`.
    pub(crate) fn begin(&mut self, step: Step, y: &[S], scratch: &mut StageScratch<S>) {
        self.step = step;
        self.y[..y.len()].copy_from_slice(y);
        scratch.slopes_of = step;
        scratch.seeded = false;
        scratch.with_cost = 0;
    }

    /// Writes y_n + h Σ_{j<i} a_ij k_j to Y_i.
    pub(crate) fn explicit_part(
        &mut self,
        coefficients: &Coefficients<S>,
        i: usize,
        scratch: &mut StageScratch<S>,
    ) {
        let (h, StageScratch { k, terms, .. }) = (self.h(), scratch);
        let k = if self.k.is_empty() { k } else { &self.k };
        let (before, from) = self.y.split_at_mut(i * self.dim);
        let out = &mut from[..self.dim];
        coefficients.rows[i].combine(out, &before[..self.dim], h, k, terms);
    }
}

impl<S: Scalar> StageScratch<S> {
    pub(crate) fn new(
        coefficients: &Coefficients<S>,
        dim: usize,
        slopes: Slopes,
        points: usize,
    ) -> Self {
        let rows = coefficients.total * dim;
        let zeros = |len| vec![S::zero(); len];
        StageScratch {
            k: zeros(if slopes == Slopes::Kept { 0 } else { rows }),
            slopes_of: NO_STEP,
            y_bar: zeros(rows + dim),
            k_bar: zeros(dim),
            seeds: zeros(if points > 0 { rows + dim } else { 0 }),
            seeded: false,
            with_cost: 0,
            active: 0,
            terms: Terms::default(),
            counts: Counts::default(),
        }
    }

    /// Bytes of such scratch.
    pub(crate) fn bytes(
        coefficients: &Coefficients<S>,
        dim: usize,
        slopes: Slopes,
        points: usize,
    ) -> usize {
        let rows = coefficients.total;
        let slope_rows = if slopes == Slopes::Kept { 0 } else { rows };
        let seed_rows = if points > 0 { rows + 1 } else { 0 };
        (slope_rows + rows + 2 + seed_rows) * dim * S::BYTES + size_of::<Self>()
    }

    /// Ȳ_i, to which the running cost is added: zero but for what was added.
    pub(crate) fn cost_bar(&mut self, i: usize) -> &mut [S] {
        let d = self.k_bar.len();
        let y_bar = &mut self.y_bar[i * d..(i + 1) * d];
        if self.with_cost >> i & 1 == 0 {
            y_bar.fill(S::zero());
            self.with_cost |= 1 << i;
        }
        y_bar
    }

    /// Adds the seed w of y(t_n + θh) to those of y_n and k_i, and to that of t_{n+1} what comes
    /// of θ = (t − t_n)/h at fixed t.
    pub(crate) fn seed<W>(
        &mut self,
        coefficients: &Coefficients<S>,
        theta: f64,
        w: &[S],
        stages: &Stages<S, W>,
        t_next_bar: Option<&mut S>,
    ) {
        let (d, h) = (stages.dim, stages.h());
        if !self.seeded {
            // A step of more points than were known has no room yet.
            self.seeds.resize((coefficients.total + 1) * d, S::zero());
            self.seeds.fill(S::zero());
            self.seeded = true;
        }
        let weights = coefficients.dense_weights(theta);
        let (k_seeds, y_seed) = self.seeds.split_at_mut(coefficients.total * d);
        for (row, &b) in k_seeds.chunks_exact_mut(d).zip(&weights) {
            if b != S::zero() {
                add_scaled(row, h * b, w);
            }
        }
        add_scaled(&mut y_seed[..d], S::one(), w);
        if let Some(bar) = t_next_bar {
            let derivatives = coefficients.dense_weights_derivative(theta);
            for (i, &derivative) in derivatives[..coefficients.total].iter().enumerate() {
                *bar -= S::of(theta) * derivative * dot(w, stages.k(i, self));
            }
        }
    }

    /// Keeps `lambda` for [`gather`](Self::gather) and [`finish_adjoint`](Self::finish_adjoint).
    pub(crate) fn begin_adjoint(&mut self, coefficients: &Coefficients<S>, lambda: &[S]) {
        let end = coefficients.total * lambda.len();
        self.y_bar[end..end + lambda.len()].copy_from_slice(lambda);
        self.active = 0;
    }

    /// Writes h (b_i λ + Σ_{l>i} a_li Ȳ_l) + seed to k̄, over the active stages l, and prepares Ȳ_i.
    /// Returns whether anything contributes to either.
    pub(crate) fn gather(&mut self, coefficients: &Coefficients<S>, i: usize, h: S) -> bool {
        let (d, terms) = (self.k_bar.len(), &mut self.terms);
        terms.clear();
        if coefficients.b_full[i] != S::zero() {
            terms.add(h * coefficients.b_full[i], coefficients.total);
        }
        for (l, a) in coefficients.columns[i].iter() {
            if self.active >> l & 1 == 1 {
                terms.add(h * a, l);
            }
        }
        if self.seeded {
            terms.combine(&mut self.k_bar, &self.seeds[i * d..(i + 1) * d], &self.y_bar);
        } else {
            terms.weighted_sum(&mut self.k_bar, &self.y_bar);
        }
        let has_cost = self.has_cost(i);
        let contributes = !self.terms.is_empty() || self.seeded || has_cost;
        if contributes {
            self.active |= 1 << i;
            if !has_cost {
                self.y_bar[i * d..(i + 1) * d].fill(S::zero());
            }
        }
        contributes
    }

    /// Whether the running cost was added to Ȳ_i.
    pub(crate) fn has_cost(&self, i: usize) -> bool {
        self.with_cost >> i & 1 == 1
    }

    /// k̄ and Ȳ_i.
    pub(crate) fn bars(&mut self, i: usize) -> (&mut [S], &mut [S]) {
        let d = self.k_bar.len();
        (&mut self.k_bar, &mut self.y_bar[i * d..(i + 1) * d])
    }

    /// Writes dJ/dy_n = λ + Σ Ȳ_l + seed to `lambda`.
    pub(crate) fn finish_adjoint(&mut self, coefficients: &Coefficients<S>, lambda: &mut [S]) {
        let (d, end, terms) = (lambda.len(), coefficients.total, &mut self.terms);
        terms.clear();
        for l in (0..end).filter(|l| self.active >> l & 1 == 1) {
            terms.add(S::one(), l);
        }
        terms.combine(lambda, &self.y_bar[end * d..(end + 1) * d], &self.y_bar);
        if self.seeded {
            add_scaled(lambda, S::one(), &self.seeds[end * d..(end + 1) * d]);
        }
        (self.seeded, self.with_cost) = (false, 0);
    }
}
