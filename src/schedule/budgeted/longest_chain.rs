//! How far memory suffices where some of it keeps tapes.

use crate::schedule::{Costs, Sizes};

/// N_r(m): how many steps m bytes, the start among them, reverse with no step taken more than r
/// times beyond its first.
///
/// A chain that is all on tape but for its last step, whose tape is the sweep's own, has
///
/// ```text
/// N_0(m) = ⌊m / w_t⌋ + 1
/// ```
///
/// steps; without tapes N_0 = 1. A state kept behind j steps leaves m − w_s to what follows it, and
/// the j steps are taken once more than they need when they are reversed:
///
/// ```text
/// N_r(m) = N_r(m − w_s) + N_{r−1}(m),     N_r(m) = 1 where m < w_s.
/// ```
///
/// This is Σ_q C(⌊(m − q w_t) / w_s⌋ + r, r) over q = 0, …, ⌊m / w_t⌋, and without tapes the first
/// of these terms, that of A. Griewank and A. Walther, Algorithm 799: revolve, ACM Trans. Math.
/// Softw. 26 (2000) 19–45, doi 10.1145/347837.347846.
#[derive(Clone, Copy, Debug)]
pub(super) struct LongestChain {
    pub sizes: Sizes,
    /// Steps that are reversed from a kept state without keeping anything between them, where
    /// storing costs more than a step: k of them count as one step in r, and N_r is
    /// k C(s − 1 + r, r) without tapes. 1 with tapes.
    pub leaf: u64,
}

impl LongestChain {
    pub fn new(sizes: Sizes) -> Self {
        LongestChain { sizes, leaf: 1 }
    }

    fn most_tapes(&self, bytes: u64) -> u64 {
        self.sizes.tape.map_or(0, |tape| bytes / tape)
    }

    /// N_0(m).
    pub fn on_tape(&self, bytes: u64) -> u64 {
        self.leaf.saturating_add(self.most_tapes(bytes))
    }

    /// N_r(m), where there are many tapes within about one in as many.
    pub fn of(&self, bytes: u64, repetition: u64) -> f64 {
        // ⌊x⌋ is x − (1 − w_s / w_t) / 2 on average over x = (m − i w_s) / w_t.
        let ratio = self.sizes.tape.map_or(1.0, |tape| self.sizes.state as f64 / tape as f64);
        self.sum(bytes, repetition, 64, (1.0 - ratio) / 2.0)
    }

    /// A bound on N_r(m) from above.
    fn at_most(&self, bytes: u64, repetition: u64) -> f64 {
        self.sum(bytes, repetition, 4096, 0.0)
    }

    fn sum(&self, bytes: u64, r: u64, most_terms: u64, rounding: f64) -> f64 {
        let states = bytes / self.sizes.state;
        if self.leaf > 1 {
            return self.leaf as f64 * binomial(states.saturating_add(r).saturating_sub(1), r);
        }
        let without = binomial(states.saturating_add(r), r);
        let tapes = self.most_tapes(bytes);
        let Some(tape) = self.sizes.tape.filter(|_| tapes > 0) else { return without };
        if tapes <= most_terms {
            let behind = |q: u64| (bytes - q * tape) / self.sizes.state;
            let terms = (1..=tapes).map(|q| binomial(behind(q).saturating_add(r), r));
            return without + terms.sum::<f64>();
        }
        if r == 0 {
            return self.on_tape(bytes) as f64;
        }
        // Σ_i C(i + r − 1, r − 1) (m − i w_s) / w_t over i < s, not rounded.
        let (m, s, w) = (bytes as f64, states as f64, self.sizes.state as f64);
        let all = binomial(states.saturating_add(r - 1), r);
        let weighted = all * r as f64 * (s - 1.0) / (r + 1) as f64;
        without + (m * all - w * weighted) / tape as f64 - rounding * all
    }

    /// The least r with N_r(m) ≥ l.
    pub fn repetition(&self, steps: u64, bytes: u64) -> u64 {
        let suffices = |r: u64| self.of(bytes, r) >= steps as f64;
        if suffices(0) || bytes < self.sizes.state {
            return 0;
        }
        let mut high = 1;
        while high < steps && !suffices(high) {
            high *= 2;
        }
        let mut low = high / 2;
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if suffices(middle) {
                high = middle;
            } else {
                low = middle;
            }
        }
        high
    }

    /// A bound from below on what a persistent schedule costs.
    ///
    /// It is l (F + A) + (l − 1) min(r, c_t) + F G(l, m) with
    ///
    /// ```text
    /// G(l, m) = Σ_r (l − N_r(m))⁺ + γ min(l − 1, N_0(m) − 1),   γ = (c_t − r)/F within [0, 1].
    /// ```
    ///
    /// Every step but the last has its tape kept (c_t) or a state restored before it (r). What is
    /// left to show is that the steps taken, plus γ for every tape kept, are at least
    /// L(l, m) = l + G(l, m). With S and T of [`MixedTable`](super::table::MixedTable) for these
    /// costs, S ≥ L and T ≥ L − 1 − γ by induction over l:
    ///
    /// 1. A state or tape at distance j: j + L(l−j, m−w_s) + L(j, m) ≥ L(l, m). For r > 0,
    ///    (l − N_r(m))⁺ ≤ (l − j − N_r(m−w_s))⁺ + (j − N_{r−1}(m))⁺; the terms of r = 0 grow by at
    ///    most 1 a step and fall with m, so that j outweighs what is left. With N_r ≥ 1 the same
    ///    holds where nothing is kept at distance l − 1. As w_t ≥ w_s, it holds behind a tape.
    /// 2. A step whose tape takes w_t: 1 + γ + L(l−1, m−w_t) ≥ L(l, m), since
    ///    N_0(m) = N_0(m−w_t) + 1 and N_r(m) ≥ N_r(m−w_t) + 1.
    ///
    /// Without tapes, storing costs ν = c_s/F within [0, 1] more for all but two of the steps that
    /// are taken once more, the first N_1(m): with ν (min(l, N_1(m)) − 2)⁺ added to G the induction
    /// goes through as the terms for j have slope 1 + ν where 1 − ν suffices.
    pub fn least_cost(&self, steps: u64, bytes: u64, costs: &Costs) -> f64 {
        let (l, c) = (steps as f64, costs);
        let pays = self.sizes.tape.filter(|_| c.tapes_pay());
        let chain = LongestChain::new(Sizes { tape: pays, ..self.sizes });
        let back = pays.map_or(c.restore, |_| c.restore.min(c.keep_tape));
        let taken = l * (c.step + c.adjoint) + (l - 1.0).max(0.0) * back;
        if bytes < self.sizes.state || steps < 2 || c.step == 0.0 {
            return taken;
        }
        let behind = |r: u64| l - chain.at_most(bytes, r);
        let repeated: f64 = (0..).map(behind).take_while(|steps| *steps > 0.0).sum();
        let weigh = |cost: f64| (cost / c.step).clamp(0.0, 1.0);
        let kept = match pays {
            Some(_) => {
                weigh(c.keep_tape - c.restore) * (l - 1.0).min(chain.at_most(bytes, 0) - 1.0)
            }
            None => weigh(c.store) * (l.min(chain.at_most(bytes, 1)) - 2.0).max(0.0),
        };
        taken + c.step * (repeated + kept)
    }

    /// About what the schedule with this N_r costs.
    pub fn estimate(&self, steps: u64, bytes: u64, costs: &Costs) -> f64 {
        let (l, states) = (steps as f64, bytes / self.sizes.state);
        if states == 0 {
            return 0.0;
        }
        let last = self.repetition(steps, bytes);
        let repeated: f64 = (0..last).map(|r| l - self.of(bytes, r)).sum();
        // Of the N_r steps that the last repetition suffices.
        let share = |part: f64| l * (part / self.of(bytes, last)).min(1.0);
        let runs = share(binomial((states - 1).saturating_add(last), last));
        let off_tape = match self.sizes.tape {
            Some(_) => share(binomial(states.saturating_add(last), last)),
            None => l,
        };
        costs.step * (l + repeated + off_tape * (self.leaf - 1) as f64 / 2.0)
            + costs.restore * off_tape
            + costs.keep_tape * (l - off_tape)
            + costs.store * runs
    }
}

/// C(n, k), not rounded, or a part of it beyond 10^18.
fn binomial(n: u64, k: u64) -> f64 {
    let fewer = k.min(n - k);
    let mut value = 1.0;
    for i in 1..=fewer {
        value *= (n - fewer + i) as f64 / i as f64;
        if value > 1e18 {
            break;
        }
    }
    value
}
