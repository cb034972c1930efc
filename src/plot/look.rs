//! How large things are in a panel, and how its axis across goes.

use plotters::prelude::RGBColor;

use super::linear::{Linear, linear};
use super::ticks;

/// Sizes in pixels, colours of lines, and whether the axis across is logarithmic.
pub(super) struct Look<'a> {
    pub colors: &'a [RGBColor],
    pub logarithmic: bool,
    /// Size of the letters at ticks.
    pub letters: i32,
    pub margin: i32,
    /// Widths of what stands beside and below the axes.
    pub left: i32,
    pub bottom: i32,
    /// Height of a row of the legend, and the number of names in it.
    pub row: i32,
    pub columns: usize,
    pub line: u32,
    pub dot: i32,
    /// Number of ticks, about.
    pub ticks: usize,
    /// Whether the axes say what they tell.
    pub described: bool,
}

impl<'a> Look<'a> {
    /// For a few panels on a page.
    pub fn large(colors: &'a [RGBColor]) -> Self {
        Look {
            colors,
            logarithmic: false,
            letters: 24,
            margin: 20,
            left: 130,
            bottom: 90,
            row: 42,
            columns: 2,
            line: 4,
            dot: 7,
            ticks: 8,
            described: true,
        }
    }

    /// For many panels on a page.
    pub fn small(colors: &'a [RGBColor]) -> Self {
        Look {
            letters: 18,
            margin: 10,
            left: 76,
            bottom: 36,
            row: 32,
            line: 3,
            dot: 5,
            ticks: 5,
            described: false,
            ..Self::large(colors)
        }
    }

    /// Where x is on the axis across.
    pub fn across(&self, x: f64) -> f64 {
        if self.logarithmic { x.log10() } else { x }
    }

    /// The axis across, between places on it.
    pub fn axis(&self, ends: (f64, f64), air: f64) -> Linear {
        if !self.logarithmic {
            return linear(ends, air, self.ticks);
        }
        let axis = linear(ends, air, 1);
        let end = |place: f64| 10f64.powf(place).clamp(f64::MIN_POSITIVE, f64::MAX);
        let powers = ticks::decimal(end(axis.ends.0), end(axis.ends.1), self.ticks);
        Linear { ticks: powers.into_iter().map(f64::log10).collect(), ..axis }
    }

    /// Labels of ticks of the axis across.
    pub fn labels(&self, list: &[f64]) -> Box<dyn Fn(f64) -> String> {
        match self.logarithmic {
            true => Box::new(|tick| ticks::power(10f64.powf(tick))),
            false => Box::new(ticks::labels(list)),
        }
    }
}
