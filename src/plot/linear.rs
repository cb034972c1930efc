//! A linear axis with given ticks, which may run backward.

use std::ops::Range;

use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};

use super::ticks;

pub(super) struct Linear {
    /// Values at the left or lower end and at the other.
    pub ends: (f64, f64),
    pub ticks: Vec<f64>,
}

/// An axis wide enough for these ends, with this part of it as air beyond both.
pub(super) fn linear((low, high): (f64, f64), air: f64, most: usize) -> Linear {
    let width = high - low;
    let air = if width > 0.0 { air * width } else { 0.5 * low.abs().max(1.0) };
    let ends = (low - air, high + air);
    Linear { ends, ticks: ticks::between(ends.0, ends.1, most) }
}

impl Ranged for Linear {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        let (first, last) = self.ends;
        from + ((value - first) / (last - first) * f64::from(to - from)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() { Vec::new() } else { self.ticks.clone() }
    }

    fn range(&self) -> Range<f64> {
        self.ends.0..self.ends.1
    }
}
