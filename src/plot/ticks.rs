//! Ticks of logarithmic and linear axes, and their labels.

use crate::numbers::units::{MOST_DIGITS, short, short_of};

/// 1, 2.5, 30, 1 000, 2 000 000.
pub(super) fn count(value: f64) -> String {
    if !(1000.0..MOST_DIGITS).contains(&value) {
        return short(value);
    }
    let digits = format!("{value:.0}");
    let mut grouped = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push('\u{2009}');
        }
        grouped.push(digit);
    }
    grouped
}

/// Powers of two in [low, high], at most `most` of them.
pub(super) fn binary(low: f64, high: f64, most: usize) -> Vec<f64> {
    let (first, last) = (low.log2().ceil() as i32, high.log2().floor() as i32);
    let stride = (last - first + 1).max(1).div_euclid(most as i32) + 1;
    let powers = (first..=last).filter(|k| k.rem_euclid(stride) == 0);
    let ticks: Vec<f64> = powers.map(|k| f64::from(k).exp2()).collect();
    if ticks.is_empty() { vec![low, high] } else { ticks }
}

/// Round numbers in [low, high] for a logarithmic axis: as many of 1, 2, 5 times a power of ten as
/// stay at most `most`.
pub(super) fn decimal(low: f64, high: f64, most: usize) -> Vec<f64> {
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let choose = |leading: &[f64], stride: i32| -> Vec<f64> {
        let powers = (first..=last).filter(|k| k.rem_euclid(stride) == 0);
        let all = powers.flat_map(|k| leading.iter().map(move |m| m * 10f64.powi(k)));
        all.filter(|&x| low <= x && x <= high).collect()
    };
    let leadings: [&[f64]; 4] =
        [&[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0], &[1.0, 2.0, 5.0], &[1.0, 3.0], &[1.0]];
    let fine = leadings.iter().map(|leading| choose(leading, 1));
    let coarse = (2..700).map(|stride| choose(&[1.0], stride));
    fine.chain(coarse).find(|ticks| ticks.len() <= most).unwrap_or_default()
}

/// 0, d, 2d, … up to `high` with a round d, about `most` of them.
pub(super) fn linear(high: f64, most: usize) -> Vec<f64> {
    let step = round_step(high, most).max(1.0);
    (0..=(high / step) as usize).map(|k| k as f64 * step).collect()
}

/// Multiples of a round d in [low, high], about `most` of them.
pub(super) fn between(low: f64, high: f64, most: usize) -> Vec<f64> {
    let d = round_step(high - low, most);
    ((low / d).ceil() as i64..=(high / d).floor() as i64).map(|k| k as f64 * d).collect()
}

/// 1, 2 or 5 times a power of ten, so that about `most` fit into the width.
fn round_step(width: f64, most: usize) -> f64 {
    let least = width / most as f64;
    let power = 10f64.powf(least.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * power).into_iter().find(|d| *d >= least);
    step.unwrap_or(least)
}

/// Labels of these ticks, with as many decimals as tell them apart; with an exponent where all are
/// very small or some very large.
pub(super) fn labels(ticks: &[f64]) -> impl Fn(f64) -> String + use<> {
    let least = ticks.windows(2).map(|pair| pair[1] - pair[0]).fold(f64::INFINITY, f64::min);
    let largest = ticks.iter().fold(0.0_f64, |largest, tick| largest.max(tick.abs()));
    let digits = |x: f64| (x * 1.001).log10().floor();
    let has_exponent = largest > 0.0 && !(1e-3..1e7).contains(&largest) && least.is_finite();
    let exponent = if has_exponent { digits(largest) } else { 0.0 };
    let decimals = match least {
        least if has_exponent => (exponent - digits(least)).clamp(0.0, 12.0) as usize,
        least if least < 1.0 => (-digits(least)).clamp(0.0, 12.0) as usize,
        _ => 0,
    };
    move |tick| {
        let mantissa = plain(tick / 10f64.powf(exponent), decimals);
        let is_zero = mantissa.chars().all(|c| c == '0' || c == '.');
        match (exponent, is_zero) {
            (0.0, _) => mantissa,
            (_, true) => "0".to_owned(),
            _ => format!("{mantissa}e{}", plain(exponent, 0)),
        }
    }
}

/// The label of a tick of a logarithmic axis: 0.01, 300, 1e5.
pub(super) fn power(tick: f64) -> String {
    let exponent = (tick * 1.001).log10().floor();
    match tick {
        1e-3..1e5 => short_of(tick, (2.0 - exponent).max(0.0) as usize),
        _ => format!("{}e{}", short(tick / 10f64.powf(exponent)), plain(exponent, 0)),
    }
}

/// −0.50: with a minus sign rather than a hyphen, and none before zero.
pub(super) fn plain(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let zero = text.chars().all(|c| c == '0' || c == '.');
    if value < 0.0 && !zero { format!("−{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numbers::units::{bytes, seconds};

    #[test]
    fn thousands_stand_apart() {
        assert_eq!(count(1_234_567.0), "1\u{2009}234\u{2009}567");
    }

    #[test]
    fn ticks_are_few_and_inside() {
        for (low, high) in [(2.0, 3.0), (2.0, 800.0), (1e-6, 1e6), (1e-300, 1e300)] {
            let ticks = decimal(low, high, 8);
            assert!((1..=8).contains(&ticks.len()), "{low} {high}: {ticks:?}");
            assert!(ticks.iter().all(|&x| low <= x && x <= high));
        }
        assert_eq!(binary(16.0, 1024.0, 8), [16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0]);
        assert!(binary(1.0, 1e300, 8).len() <= 8);
        assert_eq!(linear(10.0, 5), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        assert_eq!(between(-0.3, 1.1, 4), [0.0, 0.5, 1.0]);
        let labels =
            |ticks: &[f64]| -> Vec<String> { ticks.iter().map(|x| labels(ticks)(*x)).collect() };
        assert_eq!(labels(&between(-0.1, 0.11, 4)), ["−0.1", "0.0", "0.1"]);
        assert_eq!(
            labels(&between(-2e6, 2e6, 4)),
            ["−2000000", "−1000000", "0", "1000000", "2000000"]
        );
        assert_eq!(labels(&between(0.0, 3.7e-5, 4)), ["0", "1e−5", "2e−5", "3e−5"]);
        assert_eq!(
            labels(&between(0.0, 2.6e8, 6)),
            ["0", "0.5e8", "1.0e8", "1.5e8", "2.0e8", "2.5e8"]
        );
        assert_eq!(
            [1e-6, 0.0015, 0.02, 300.0, 2e5].map(power),
            ["1e−6", "0.0015", "0.02", "300", "2e5"]
        );
    }

    #[test]
    fn no_two_ticks_of_a_logarithmic_axis_have_the_same_label() {
        for high in [1.6, 2.5, 7.0, 40.0, 1e4] {
            for low in [1e-8_f64, 3e-4, 0.9, 70.0, 6e8] {
                let of = |label: fn(f64) -> String, ticks: Vec<f64>| -> Vec<String> {
                    ticks.into_iter().map(label).collect()
                };
                let steps = low.max(1.0);
                for mut labels in [
                    of(seconds, decimal(low, high * low, 9)),
                    of(count, decimal(steps, high * steps, 9)),
                    of(|x| bytes(x as u64), binary(100.0 * steps, 100.0 * high * steps, 7)),
                ] {
                    let all = labels.len();
                    labels.dedup();
                    assert!(all >= 1 && labels.len() == all, "{labels:?}");
                }
            }
        }
    }
}
