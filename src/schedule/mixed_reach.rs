//! How far memory reaches where some of it keeps tapes.

use super::Sizes;

/// N_r(m): a bound on the steps that m bytes, the start among them, reverse with no step taken more
/// than r times beyond its first.
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
/// Without tapes this is C(s + r, s) with s = ⌊m / w_s⌋. Without rounding in N_0 the sum has the
/// closed form
///
/// ```text
/// N_r(m) = C(s + r, r) + (m C(s + r − 1, r) − w_s r C(s + r − 1, r + 1)) / w_t.
/// ```
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach {
    pub sizes: Sizes,
}

impl Reach {
    /// N_0(m).
    pub fn on_tape(&self, bytes: u64) -> u64 {
        1 + self.sizes.tape.map_or(0, |tape| bytes / tape)
    }

    /// N_r(m), not rounded for r > 0.
    pub fn of(&self, bytes: u64, repetition: u64) -> f64 {
        if repetition == 0 {
            return self.on_tape(bytes) as f64;
        }
        let states = bytes / self.sizes.state;
        if states == 0 {
            return 1.0;
        }
        let (s, r) = (states as f64, repetition as f64);
        let last = binomial(states + repetition - 1, repetition); // C(s+r−1, r)
        let beta = last * (s + r) / s;
        let Some(tape) = self.sizes.tape else { return beta };
        let next = last * (s - 1.0) / (r + 1.0); // C(s+r−1, r+1)
        beta + (bytes as f64 * last - self.sizes.state as f64 * r * next) / tape as f64
    }

    /// The least r with N_r(m) ≥ l.
    pub fn repetition(&self, steps: u64, bytes: u64) -> u64 {
        let reaches = |r: u64| self.of(bytes, r) >= steps as f64;
        if reaches(0) {
            return 0;
        }
        let mut high = 1;
        while !reaches(high) {
            high *= 2;
        }
        let mut low = high / 2;
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if reaches(middle) {
                high = middle;
            } else {
                low = middle;
            }
        }
        high
    }

    /// Σ_r (l − N_r(m))⁺, the least number of steps taken beyond the first time in m bytes by a
    /// persistent schedule (one that holds what it keeps until its step is reversed).
    ///
    /// With F = 1 let L(l, m) = l + Σ_r (l − N_r(m))⁺. For the S and T of the
    /// [recurrence](super::mixed_table::MixedTable) without other costs, S ≥ L and T ≥ L − 1, by
    /// induction over l: (i) a state at distance j costs
    /// j + L(l−j, m−w_s) + L(j, m) ≥ L(l, m), since
    /// (l − N_r(m))⁺ ≤ (l − j − N_r(m−w_s))⁺ + (j − N_{r−1}(m))⁺ for r > 0 and
    /// (l − N_0(m))⁺ ≤ j + (l − j − N_0(m−w_s))⁺; the same with N_r ≥ 1 bounds the choice to keep
    /// nothing; a tape at distance j does so too as w_t ≥ w_s and L falls with m. (ii) A step whose
    /// tape takes w_t costs 1 + L(l−1, m−w_t) ≥ L(l, m), since N_r(m) ≥ N_r(m−w_t) + 1.
    pub fn least_repeated(&self, steps: u64, bytes: u64) -> f64 {
        let states = (bytes / self.sizes.state).min(steps);
        if states <= EXACT {
            self.least_repeated_exact(steps, bytes, states)
        } else {
            let behind = |r: u64| steps as f64 - self.of(bytes, r);
            (0..).map(behind).take_while(|steps| *steps > 0.0).sum()
        }
    }

    /// With N_0 rounded.
    fn least_repeated_exact(&self, steps: u64, bytes: u64, states: u64) -> f64 {
        // N_r of bytes − i w_s, the least memory first.
        let left = |i: u64| bytes - (states - i) * self.sizes.state;
        let mut reach: Vec<f64> = (1..=states).map(|i| self.on_tape(left(i)) as f64).collect();
        let mut repeated = 0.0;
        while let Some(&all) = reach.last()
            && all < steps as f64
        {
            repeated += steps as f64 - all;
            let mut behind = 1.0;
            for reach in &mut reach {
                *reach += behind;
                behind = *reach;
            }
        }
        repeated
    }
}

/// The most states for which N_r is summed rather than taken in closed form.
const EXACT: u64 = 1000;

/// C(n, k), not rounded.
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
