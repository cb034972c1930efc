//! The least number of steps that reverse a chain in a number of slots, and where snapshots go.
//!
//! A. Griewank and A. Walther, Algorithm 799: revolve, ACM Trans. Math. Softw. 26 (2000) 19–45,
//! doi 10.1145/347837.347846.

/// C(n, k), or `u64::MAX` where it is larger.
pub fn binomial(n: u64, k: u64) -> u64 {
    if k > n {
        return 0;
    }
    let mut value: u128 = 1;
    for i in 1..=k.min(n - k) {
        value = value * u128::from(n - k.min(n - k) + i) / u128::from(i);
        if value > u128::from(u64::MAX) {
            return u64::MAX;
        }
    }
    value as u64
}

/// β(s, r) = C(s + r, s): the longest chain that s snapshots reverse with no step advanced over
/// more than r times.
pub fn beta(slots: u64, repetition: u64) -> u64 {
    // Where s + r is no number, fewer slots do for as many steps as a number says.
    let slots = slots.min(u64::MAX - repetition);
    binomial(slots + repetition, slots)
}

/// More slots are of no use, and C(s + r, s) of the largest would saturate.
fn of_use(steps: u64, slots: u64) -> u64 {
    slots.min(steps).min(u64::MAX / 4)
}

/// The least r with C(s + r, s) ≥ l: how often some step has to be advanced over when l steps are
/// reversed with s snapshots, the one of step 0 among them. `u64::MAX` where it cannot be done
/// (s = 0 and l > 1).
pub fn repetition(steps: u64, slots: u64) -> u64 {
    let slots = of_use(steps, slots);
    match (steps, slots) {
        (0 | 1, _) => return 0,
        (_, 0) => return u64::MAX,
        (_, 1) => return steps - 1,
        _ => {}
    }
    let mut high = 1;
    while beta(slots, high) < steps {
        high = high.saturating_mul(2);
    }
    let mut low = high / 2;
    // β(s, low) < steps ≤ β(s, high)
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if beta(slots, middle) < steps {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// t(l, s) = r l − C(s + r, r − 1) with r = [`repetition`]`(l, s)`: the least number of steps
/// advanced over when l steps are reversed with s snapshots, the one of step 0 among them; the
/// steps taken by the reversals themselves are not counted. `u64::MAX` where it is larger or
/// cannot be done (s = 0 and l > 1).
///
/// ```
/// use costate::schedule::optimum;
/// assert_eq!(optimum::t(50, 7), 105);
/// ```
pub fn t(steps: u64, slots: u64) -> u64 {
    let slots = of_use(steps, slots);
    let r = repetition(steps, slots);
    match r {
        0 => 0,
        u64::MAX => u64::MAX,
        _ => {
            let saved = binomial(slots.saturating_add(r), r - 1);
            let least = u128::from(r) * u128::from(steps) - u128::from(saved);
            u64::try_from(least).unwrap_or(u64::MAX)
        }
    }
}

/// The number m of steps between a snapshot and the next one when `steps` > 1 steps are reversed
/// with `slots` > 1 snapshots, the one at their start among them: of the distances with the fewest
/// advances one that stores least.
///
/// With r the [`repetition`] of l steps in s snapshots, the advances are fewest where neither part
/// needs more than its share of repetitions, nor leaves some of it unused:
///
/// ```text
/// max(β(s, r−2), l − β(s−1, r)) ≤ m ≤ min(β(s, r−1), l − β(s−1, r−1))
/// ```
///
/// Of these, the stores σ(l, s) = min_m [l − m > 1] + σ(l − m, s − 1) + σ(m, s) do not grow with l
/// from β(s, r−1) to λ(s, r) = β(s, r−1) + β(s−1, r−1), and by one with each step from there to
/// β(s, r). So m is λ(s, r−1), or as near to it as they allow: what comes before the next snapshot
/// then stores as little as its repetitions permit.
pub fn split(steps: usize, slots: usize) -> usize {
    let (l, s) = (steps as u64, slots as u64);
    let r = repetition(l, s);
    let beta = |slots, r: Option<u64>| r.map_or(0, |r| beta(slots, r));
    let twice = r.checked_sub(2);
    let least = beta(s, twice).max(l.saturating_sub(beta(s - 1, Some(r)))).max(1);
    let most = farthest(l, s, r);
    let cheapest = beta(s, twice).saturating_add(beta(s - 1, twice));
    cheapest.min(most).max(least) as usize
}

/// The longest of the distances that [`split`] chooses from: for two workers, the second of which
/// takes the steps behind it.
pub fn longest_split(steps: usize, slots: usize) -> usize {
    let (l, s) = (steps as u64, slots as u64);
    farthest(l, s, repetition(l, s)) as usize
}

/// What follows the next snapshot must not need more than r repetitions with one slot less, what
/// comes before it no more than r − 1.
fn farthest(l: u64, s: u64, r: u64) -> u64 {
    beta(s, r - 1).min(l - beta(s - 1, r - 1).min(l - 1))
}
