//! Derivatives against central differences whose own error is estimated.

use crate::error::Error;
use crate::numbers::scalar::Scalar;

/// A hand-written derivative and the difference quotient beside it, at the entry where they are
/// furthest apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Derivative {
    /// What it is taken by: a state, a parameter, or the time.
    pub by: &'static str,
    /// Which of them.
    pub index: usize,
    /// The derivative as written.
    pub written: f64,
    /// The difference quotient.
    pub difference: f64,
    /// |written − difference| over what the quotient's own error may be.
    pub error: f64,
}

impl Derivative {
    pub(super) const NONE: Derivative =
        Derivative { by: "nothing", index: 0, written: 0.0, difference: 0.0, error: 0.0 };

    /// Whether no entry is further off than differences can tell.
    pub fn passes(&self) -> bool {
        self.error <= 1.0
    }
}

/// Σ of terms, and Σ of their absolute values, which rounding is relative to.
#[derive(Clone, Copy, Default)]
pub(super) struct Sum {
    value: f64,
    size: f64,
}

impl Sum {
    /// Adds `weight` times x.
    pub fn add<S: Scalar>(&mut self, weight: f64, x: S) {
        let term = weight * Scalar::to_f64(x);
        self.value += term;
        self.size += term.abs();
    }

    /// Σ w_i x_i.
    pub fn product<S: Scalar>(w: &[S], x: &[S]) -> Self {
        let mut sum = Sum::default();
        w.iter().zip(x).for_each(|(&w, &x)| sum.add(Scalar::to_f64(w), x));
        sum
    }
}

/// Compares `written`, the derivative of `value` by each entry of x, with differences; keeps the
/// worst in `worst`.
pub(super) fn compare<S: Scalar>(
    by: &'static str,
    x: &[S],
    written: &[S],
    worst: &mut Derivative,
    value: &mut dyn FnMut(&[S]) -> Result<Sum, Error>,
) -> Result<(), Error> {
    compare_rounded(by, epsilon::<S>(), x, written, worst, value)
}

/// The same by the time, which is in double precision whatever the `value` is computed in, S.
pub(super) fn compare_by_time<S: Scalar>(
    t: f64,
    written: S,
    worst: &mut Derivative,
    value: &mut dyn FnMut(f64) -> Result<Sum, Error>,
) -> Result<(), Error> {
    let written = [Scalar::to_f64(written)];
    compare_rounded("time", epsilon::<S>(), &[t], &written, worst, &mut |t: &[f64]| value(t[0]))
}

/// Where `value` is rounded to `epsilon`.
fn compare_rounded<X: Scalar>(
    by: &'static str,
    epsilon: f64,
    x: &[X],
    written: &[X],
    worst: &mut Derivative,
    value: &mut dyn FnMut(&[X]) -> Result<Sum, Error>,
) -> Result<(), Error> {
    // A smaller move would be lost in what single precision rounds.
    let share = if epsilon > 1e-10 { 0.05 } else { 1e-3 };
    let largest = x.iter().fold(0.0_f64, |m, &x| m.max(Scalar::to_f64(x).abs()));
    let least = if largest > 0.0 { share * largest } else { 1.0 };
    let mut moved = x.to_vec();
    for (index, &written) in written.iter().enumerate().take(x.len()) {
        let at = Scalar::to_f64(x[index]);
        let h = epsilon.powf(0.25) * at.abs().max(least);
        let mut sides = |offset: f64| -> Result<(f64, Sum), Error> {
            moved[index] = X::of(at + offset);
            Ok((Scalar::to_f64(moved[index]), value(&moved)?))
        };
        let Some((difference, allowed)) = quotient(&mut sides, h, epsilon)? else {
            return Err(Error::BadSetting {
                what: "the point to compare derivatives at",
                given: format!("one beside which there are no finite values, by {by} {index}"),
                required: "inside the model's domain",
            });
        };
        moved[index] = x[index];
        let written = Scalar::to_f64(written);
        let gap = (written - difference).abs();
        let error = if gap == 0.0 { 0.0 } else { gap / allowed };
        if error > worst.error || error.is_nan() {
            *worst = Derivative { by, index, written, difference, error };
        }
    }
    Ok(())
}

fn epsilon<S: Scalar>() -> f64 {
    Scalar::to_f64(S::epsilon())
}

/// A difference quotient of spacing about h, and how far it may be off: central, or to one side
/// where the other has no finite values.
fn quotient(
    at: &mut dyn FnMut(f64) -> Result<(f64, Sum), Error>,
    h: f64,
    epsilon: f64,
) -> Result<Option<(f64, f64)>, Error> {
    for [left, right] in [[-1.0, 1.0], [0.0, 1.0], [-1.0, 0.0]] {
        let (mut quotients, mut size) = ([0.0; 3], 0.0_f64);
        for (k, quotient) in quotients.iter_mut().enumerate() {
            let h = h * 0.5_f64.powi(k as i32);
            let ((x0, from), (x1, to)) = (at(left * h)?, at(right * h)?);
            *quotient = (to.value - from.value) / (x1 - x0);
            size = size.max(from.size).max(to.size);
        }
        let [wide, middle, narrow] = quotients;
        if quotients.iter().all(|q| q.is_finite()) {
            // By Richardson's rule the error falls by this with each halving.
            let falls = if left + right == 0.0 { 4.0 } else { 2.0 };
            let value = (falls * middle - wide) / (falls - 1.0);
            let spread = (wide - middle).abs().max((middle - narrow).abs());
            let rounding = 100.0 * epsilon * size / h + epsilon.sqrt() * value.abs();
            return Ok(Some((value, 10.0 * spread + rounding)));
        }
    }
    Ok(None)
}
