//! What error λ and p̄ may have. Both are held to a tolerance relative to their own size, and that
//! to a part of what matters: entries of λ are in units of J/y_j, of p̄ in J/p_j, and so only the
//! effects λ_j y_j and p̄_j p_j can be compared with one another.

use super::ode::{AdjointOde, AdjointWork};
use crate::method::stepper::{Coefficients, Sparse, add_scaled};
use crate::ode::objective::Objective;
use crate::ode::{At, Bars, Vjp};

/// The absolute tolerance, in relative tolerances of the size that an entry has or is about to get.
pub(crate) const ABSOLUTE: f64 = 1e-2;
/// Entries whose effect is less than this part of the largest one count as of that size.
const NEGLIGIBLE: f64 = 1e-2;
/// Rounding, in units of the last place of the largest entry.
const ULPS: f64 = 8.0;

/// The largest effect of the entries of a gradient, and their largest size.
#[derive(Clone, Copy, Default)]
pub(crate) struct Largest {
    effect: f64,
    size: f64,
}

impl Largest {
    /// Of entries of some size, by quantities of the magnitude `unit`.
    pub fn of(entries: impl Iterator<Item = (f64, f64)>) -> Self {
        let larger = |m: f64, x: f64| if x > m || x.is_nan() { x } else { m };
        entries.fold(Largest::default(), |Largest { effect, size: largest }, (size, unit)| {
            Largest { effect: larger(effect, size * unit), size: larger(largest, size) }
        })
    }

    /// The size that an entry would have whose effect is the largest, but no more than any entry's:
    /// a quantity that is zero now may have any size.
    pub fn size_by(self, unit: f64) -> f64 {
        let equal = if self.effect > 0.0 { self.effect / unit } else { self.size };
        self.size.min(equal)
    }
}

/// Overwrites the sizes of the entries of λ with their absolute tolerances; the states have the
/// magnitudes `y`.
pub(crate) fn absolute_tolerances(sizes: &mut [f64], rtol: f64, y: impl Fn(usize) -> f64) {
    let largest = Largest::of(sizes.iter().enumerate().map(|(j, &size)| (size, y(j))));
    for (j, size) in sizes.iter_mut().enumerate() {
        let equal = largest.size_by(y(j));
        let tolerance = ABSOLUTE * rtol * size.max(NEGLIGIBLE * equal);
        *size = tolerance.max(ULPS * f64::EPSILON * equal).max(f64::MIN_POSITIVE);
    }
}

/// The sizes of the states and of the running cost's derivatives in a step.
pub(super) struct Sizes {
    y: Vec<f64>,
    cost: Option<Cost>,
}

/// By states: the largest |r_y|, by how much rounding of y may change r_y, that rounding, and what
/// the running cost and the adjoint equation make of it.
struct Cost {
    largest: Vec<f64>,
    noise: Vec<f64>,
    shift: Vec<f64>,
    probe: Vec<f64>,
    change: Vec<f64>,
}

/// Where in a step its running cost is looked at. A stiff step's interpolant may be far larger
/// inside the step than at its ends.
const LOOKED_AT: [f64; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];

impl Sizes {
    pub fn new(dim: usize, has_cost: bool) -> Self {
        let zeros = || vec![0.0; dim];
        let cost = has_cost.then(|| Cost {
            largest: zeros(),
            noise: zeros(),
            shift: zeros(),
            probe: zeros(),
            change: zeros(),
        });
        Sizes { y: zeros(), cost }
    }

    pub fn bytes(dim: usize, has_cost: bool) -> usize {
        8 * dim * if has_cost { 6 } else { 1 }
    }

    /// Writes the absolute tolerances of λ over the step to `atol`: by the sizes of its entries
    /// now, of the `seeds`, which stand in rows, and of what the running cost makes of them.
    pub fn weigh<O: Vjp, J: Objective + ?Sized>(
        &mut self,
        adjoint: &AdjointOde<'_, O, J>,
        work: &mut AdjointWork<O::Work, J::Scratch>,
        (lambda, seeds): (&[f64], &[f64]),
        rtol: f64,
        atol: &mut [f64],
    ) {
        self.y.fill(0.0);
        for tau in [0.0, adjoint.h()] {
            adjoint.read(tau, &mut work.y);
            self.y.iter_mut().zip(&work.y).for_each(|(size, y)| *size = size.max(y.abs()));
        }
        atol.fill(0.0);
        for row in std::iter::once(lambda).chain(seeds.chunks_exact(lambda.len())) {
            atol.iter_mut().zip(row).for_each(|(size, x)| *size = size.max(x.abs()));
        }
        if let Some(cost) = &mut self.cost {
            cost.look(adjoint, &self.y, work);
            atol.iter_mut().zip(&cost.largest).for_each(|(size, cost)| *size = size.max(*cost));
        }
        absolute_tolerances(atol, rtol, |j| self.y[j]);
        if let Some(cost) = &self.cost {
            atol.iter_mut().zip(&cost.noise).for_each(|(atol, noise)| *atol = atol.max(*noise));
        }
    }
}

impl Cost {
    /// Finds about how far the running cost brings λ from zero, and how far rounding of y(t) does:
    /// h r_y where the step is short, r_y over the rate of decay where λ follows r_y and h r_y
    /// would be far too much.
    fn look<O: Vjp, J: Objective + ?Sized>(
        &mut self,
        adjoint: &AdjointOde<'_, O, J>,
        y_size: &[f64],
        work: &mut AdjointWork<O::Work, J::Scratch>,
    ) {
        let h = adjoint.h();
        let tau = self.find_largest(adjoint, y_size, work);
        self.find_noise(adjoint, work);
        let AdjointOde { ode, p, .. } = *adjoint;
        self.probe.fill(0.0);
        let t = add_cost(adjoint, tau, 1.0, &mut self.probe, work);
        // Where r_y is zero, its noise tells the rate of decay.
        for (probe, noise) in self.probe.iter_mut().zip(&self.noise) {
            *probe = h * if *probe == 0.0 { *noise } else { *probe };
        }
        self.change.fill(0.0);
        let AdjointWork { inner, y, dy, p_rate, .. } = work;
        let at = At { t, y, p };
        ode.rhs(at, dy, inner);
        let bars = Bars { y: &mut self.change, p: p_rate, t: &mut 0.0 };
        ode.vjp(at, &self.probe, bars, inner);
        for (j, (probe, change)) in self.probe.iter().zip(&self.change).enumerate() {
            let (rate, change) = (probe.abs(), h * change.abs());
            let time = h * if change > rate { rate / change } else { 1.0 };
            self.largest[j] *= time;
            self.noise[j] *= time;
        }
    }

    /// Finds the largest |r_y| and the rounding of y(t): y_n + h Σ b_i k_i is rounded at the size
    /// of its terms, and of a stiff step's h k they cancel. Returns the τ of the largest effect.
    fn find_largest<O: Vjp, J: Objective + ?Sized>(
        &mut self,
        adjoint: &AdjointOde<'_, O, J>,
        y_size: &[f64],
        work: &mut AdjointWork<O::Work, J::Scratch>,
    ) -> f64 {
        let h = adjoint.h();
        let (mut most, mut at) = (-1.0, 0.0);
        self.largest.fill(0.0);
        self.shift.fill(0.0);
        for tau in LOOKED_AT.map(|part| part * h) {
            self.change.fill(0.0);
            let t = add_cost(adjoint, tau, 1.0, &mut self.change, work);
            let mut effect = 0.0_f64;
            for ((largest, r_y), y) in self.largest.iter_mut().zip(&self.change).zip(y_size) {
                *largest = largest.max(r_y.abs());
                effect = effect.max(r_y.abs() * y);
            }
            if effect > most {
                (most, at) = (effect, tau);
            }
            let AdjointWork { inner, y, dy, .. } = work;
            adjoint.ode.rhs(At { t, y, p: adjoint.p }, dy, inner);
            for (shift, (y, slope)) in self.shift.iter_mut().zip(y.iter().zip(&*dy)) {
                *shift = shift.max(ULPS * f64::EPSILON * y.abs().max(h * slope.abs()));
            }
        }
        at
    }

    /// Finds the change of r_y by as much as y(t) may be wrong through rounding.
    fn find_noise<O: Vjp, J: Objective + ?Sized>(
        &mut self,
        adjoint: &AdjointOde<'_, O, J>,
        work: &mut AdjointWork<O::Work, J::Scratch>,
    ) {
        // With both signs, so that the effect on a difference of two states is seen.
        self.shift.iter_mut().skip(1).step_by(2).for_each(|shift| *shift = -*shift);
        self.noise.fill(0.0);
        let AdjointOde { objective, p, .. } = *adjoint;
        for tau in LOOKED_AT.map(|part| part * adjoint.h()) {
            self.change.fill(0.0);
            let (change, mut t_bar) = (&mut self.change, 0.0);
            let t = add_cost(adjoint, tau, -1.0, change, work);
            let AdjointWork { scratch, y, p_rate, .. } = &mut *work;
            add_scaled(y, 1.0, &self.shift);
            let bars = Bars { y: &mut *change, p: p_rate, t: &mut t_bar };
            objective.integrand_vjp(At { t, y, p }, 1.0, bars, scratch);
            for (noise, change) in self.noise.iter_mut().zip(change) {
                *noise = noise.max(change.abs());
            }
        }
    }
}

/// Adds `weight` r_y at τ to `r_y`, leaves y there in `work`, and returns the time.
fn add_cost<O: Vjp, J: Objective + ?Sized>(
    adjoint: &AdjointOde<'_, O, J>,
    tau: f64,
    weight: f64,
    r_y: &mut [f64],
    work: &mut AdjointWork<O::Work, J::Scratch>,
) -> f64 {
    let AdjointWork { scratch, y, p_rate, .. } = work;
    let (t, mut t_bar) = (adjoint.read(tau, y), 0.0);
    let AdjointOde { objective, p, .. } = *adjoint;
    let bars = Bars { y: r_y, p: p_rate, t: &mut t_bar };
    objective.integrand_vjp(At { t, y, p }, weight, bars, scratch);
    t
}

/// The error norm of p̄'s increment over a step, whose rates the stages left in their work; infinite
/// where one is not a number. Of the increment `noise` is lost in any case: the part of λ that is
/// nothing but rounding.
pub(crate) fn quadrature_error<W>(
    coefficients: &Coefficients<f64>,
    h: f64,
    works: &[W],
    p_rate: impl Fn(&W) -> &[f64],
    (rtol, noise): (f64, f64),
    (p, p_bar): (&[f64], &[f64]),
) -> f64 {
    // Sums over stages run along the parameters, block by block, for the vector units.
    const BLOCK: usize = 64;
    let sum = |row: &Sparse<f64>, from: usize, count: usize| -> [f64; BLOCK] {
        let mut sums = [0.0; BLOCK];
        for (i, w) in row.iter() {
            let rates = &p_rate(&works[i])[from..from + count];
            sums.iter_mut().zip(rates).for_each(|(sum, rate)| *sum += h * w * rate);
        }
        sums
    };
    let starts = || (0..p_bar.len()).step_by(BLOCK);
    let block = |from: usize| from..p_bar.len().min(from + BLOCK);
    let size = |(p_bar, increment): (&f64, &f64)| p_bar.abs() + increment.abs();
    let largest = Largest::of(starts().flat_map(|from| {
        let increment = sum(&coefficients.b, from, block(from).len());
        block(from).map(move |j| (size((&p_bar[j], &increment[j - from])), p[j].abs()))
    }));
    if largest.size == 0.0 {
        return 0.0;
    }
    let squares = starts().map(|from| -> f64 {
        let increment = sum(&coefficients.b, from, block(from).len());
        let error = sum(&coefficients.error, from, block(from).len());
        let allowed = |j: usize| {
            let least = NEGLIGIBLE * largest.size_by(p[j].abs());
            let lost = noise * increment[j - from].abs();
            let size = size((&p_bar[j], &increment[j - from]));
            (rtol * (size + ABSOLUTE * size.max(least)) + lost).max(f64::MIN_POSITIVE)
        };
        block(from).map(|j| (error[j - from] / allowed(j)).powi(2)).sum()
    });
    let norm = (squares.sum::<f64>() / p_bar.len() as f64).sqrt();
    if norm.is_nan() { f64::INFINITY } else { norm }
}

pub(crate) fn largest(x: &[f64]) -> f64 {
    x.iter().fold(0.0_f64, |m, x| m.max(x.abs()))
}
