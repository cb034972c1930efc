//! tanh without branches, tables or calls, so that loops over it vectorise.

/// 2/ln 2
const STEPS: f64 = 2.0 * std::f64::consts::LOG2_E;
/// The leading 33 bits of ½ ln 2, whose products with whole numbers below 2²⁰ are exact, and the
/// rest.
const HALF_LN_2_HIGH: f64 = 0.346_573_590_242_769_57;
const HALF_LN_2_LOW: f64 = 3.720_308_555_006_198_4e-11;
/// 1.5·2⁵²: adding it rounds to a whole number, found in the sum's low bits.
const ROUND: f64 = 6_755_399_441_055_744.0;
/// From here on tanh rounds to 1.
const LARGEST: f64 = 20.0;

/// tanh x, of error below 3 units in the last place (2.1 measured against 50 digits over
/// 3·10⁶ arguments in ±20 and down to 1e-300); odd to the bit; NaN stays NaN.
///
/// With |x| = ½ k ln 2 + r, |r| ≤ ¼ ln 2, and tanh r = s/q a continued fraction in r² cut where
/// its error is 5e-19: tanh |x| = (2ᵏ(q + s) − (q − s)) / (2ᵏ(q + s) + (q − s)). One division.
#[inline(always)]
pub fn tanh<const FMA: bool>(x: f64) -> f64 {
    let a = x.abs();
    let a = if a > LARGEST { LARGEST } else { a };
    let rounded = mul_add::<FMA>(a, STEPS, ROUND);
    let k = rounded - ROUND;
    let r = mul_add::<FMA>(k, -HALF_LN_2_LOW, mul_add::<FMA>(k, -HALF_LN_2_HIGH, a));
    let r2 = r * r;
    // tanh r = r / (1 + r²/(3 + r²/(5 + r²/(7 + r²/(9 + r²/11)))))
    let s = r * mul_add::<FMA>(mul_add::<FMA>(r2, 21.0, 1260.0), r2, 10395.0);
    let q = mul_add::<FMA>(mul_add::<FMA>(r2 + 210.0, r2, 4725.0), r2, 10395.0);
    let power = f64::from_bits(rounded.to_bits().wrapping_add(1023) << 52);
    let (less, more) = (power - 1.0, power + 1.0);
    let value = mul_add::<FMA>(q, less, s * more) / mul_add::<FMA>(q, more, s * less);
    value.copysign(x)
}

/// a b + c, rounded once where the processor can.
#[inline(always)]
pub fn mul_add<const FMA: bool>(a: f64, b: f64, c: f64) -> f64 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}
