//! Functions of time: lines, and dots where they were measured.

use plotters::prelude::RGBColor;

use super::PlotError;
use super::canvas::{BLUE, GREEN, GREY, HEAD, ORANGE, PURPLE, RED, SIZE, page};
use super::lines::{Panel, Series};
use super::look::Look;
use crate::error::number;

/// A function of time. What is not finite is left out, and the line interrupted there.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantity<'a> {
    /// Name in the legend.
    pub name: &'a str,
    /// Points (t, value) of a line, with ascending t.
    pub line: Vec<(f64, f64)>,
    /// Measurements (t, value), as dots of the line's colour.
    pub measured: Vec<(f64, f64)>,
}

/// How the axis of time goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TimeAxis {
    /// By t.
    Linear,
    /// By the logarithm of t − `start`. What is measured at the start is left out.
    Logarithmic {
        /// Time t₀.
        start: f64,
    },
}

/// Most quantities in one picture.
const MOST: usize = 40;
/// Most quantities that share panels.
const FEW: usize = 6;
/// Ratio of the magnitudes of two quantities, beyond which one is flat beside the other.
const FLAT: f64 = 10.0;

const COLORS: [RGBColor; FEW] = [BLUE, ORANGE, GREEN, PURPLE, RED, GREY];

/// Draws quantities over time. Up to six share a panel where their magnitudes are alike; of more,
/// each has a small panel to itself. Beyond 40 the first 40 are drawn, and the line below says so.
///
/// ```
/// use costate::plot::{Quantity, TimeAxis, trajectory_svg};
///
/// let line = (0..50).map(|i| f64::from(i) / 10.0).map(|t| (t, (-t).exp())).collect();
/// let decay = Quantity { name: "decay", line, measured: vec![(1.0, 0.4), (2.0, 0.1)] };
/// let svg = trajectory_svg(&[decay], TimeAxis::Linear, "Decay", "with two measurements")?;
/// assert!(svg.starts_with("<svg") && svg.contains("decay"));
/// # Ok::<(), costate::plot::PlotError>(())
/// ```
///
/// # Errors
/// Where no quantity has a finite value.
pub fn trajectory_svg(
    quantities: &[Quantity],
    axis: TimeAxis,
    title: &str,
    below: &str,
) -> Result<String, PlotError> {
    let drawn: Vec<&Quantity> = quantities.iter().filter(|q| axis.has(q)).take(MOST).collect();
    if drawn.is_empty() {
        return Err(PlotError::Nothing);
    }
    let mut below = below.to_owned();
    if quantities.len() > MOST {
        below += &format!("; the first {MOST} of {}", quantities.len());
    }
    let groups = groups(&drawn);
    let x = axis.label();
    let panels: Vec<Panel> = groups
        .iter()
        .map(|group| Panel {
            x: &x,
            y: "",
            series: group.iter().flat_map(|q| axis.series(q)).collect(),
        })
        .collect();
    let look = Look {
        logarithmic: axis != TimeAxis::Linear,
        ..if drawn.len() > FEW { Look::small(&COLORS) } else { Look::large(&COLORS) }
    };
    if !look.described {
        below += &format!("; across: {x}");
    }
    let (columns, height) = layout(panels.len());
    let rows = panels.len().div_ceil(columns);
    page((SIZE.0, HEAD + rows as u32 * height), title, &below, |area| {
        let areas = area.split_evenly((rows, columns));
        let width = SIZE.0 as i32 / columns as i32;
        panels.iter().zip(&areas).try_for_each(|(panel, area)| panel.draw(area, width, &look))
    })
}

/// Columns of panels, and the height of a row.
fn layout(panels: usize) -> (usize, u32) {
    match panels {
        1..=3 => (panels, SIZE.1 - HEAD),
        4 => (2, 500),
        5..=6 => (3, 500),
        7..=12 => (4, 320),
        _ => (5, 260),
    }
}

/// Quantities that share a panel, those of alike magnitude where there are few.
fn groups<'a, 'b>(quantities: &[&'b Quantity<'a>]) -> Vec<Vec<&'b Quantity<'a>>> {
    if quantities.len() > FEW {
        return quantities.iter().map(|quantity| vec![*quantity]).collect();
    }
    let mut sorted: Vec<(f64, usize)> =
        quantities.iter().enumerate().map(|(k, quantity)| (magnitude(quantity), k)).collect();
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut last = 0.0;
    for (size, k) in sorted {
        // What is always zero is flat anywhere.
        match groups.last_mut() {
            Some(group) if size == 0.0 || last / size <= FLAT => group.push(k),
            _ => groups.push(vec![k]),
        }
        last = size;
    }
    groups.iter_mut().for_each(|group| group.sort_unstable());
    groups.sort_unstable();
    groups.iter().map(|group| group.iter().map(|&k| quantities[k]).collect()).collect()
}

fn magnitude(quantity: &Quantity) -> f64 {
    let points = quantity.line.iter().chain(&quantity.measured);
    points.map(|(_, value)| value.abs()).filter(|value| value.is_finite()).fold(0.0, f64::max)
}

impl TimeAxis {
    fn label(self) -> String {
        match self {
            TimeAxis::Linear => "t".to_owned(),
            TimeAxis::Logarithmic { start: 0.0 } => "t (logarithmic)".to_owned(),
            TimeAxis::Logarithmic { start } => format!("t − {} (logarithmic)", number(&start)),
        }
    }

    /// Where a point is, if it can be drawn.
    fn place(self, (t, value): (f64, f64)) -> Option<(f64, f64)> {
        let t = match self {
            TimeAxis::Linear => t,
            TimeAxis::Logarithmic { start } => t - start,
        };
        let on_axis = t.is_finite() && (self == TimeAxis::Linear || t > 0.0);
        (on_axis && value.is_finite()).then_some((t, value))
    }

    fn has(self, quantity: &Quantity) -> bool {
        quantity.line.iter().chain(&quantity.measured).any(|&point| self.place(point).is_some())
    }

    /// The pieces of the line, then the dots.
    fn series<'a>(self, quantity: &Quantity<'a>) -> Vec<Series<'a>> {
        let name = quantity.name;
        let places: Vec<_> = quantity.line.iter().map(|&point| self.place(point)).collect();
        let pieces = places.split(Option::is_none).filter(|piece| !piece.is_empty());
        let line = pieces.map(|piece| piece.iter().copied().flatten().collect());
        let mut series: Vec<Series> =
            line.map(|points| Series { name, points, dots: false }).collect();
        let points: Vec<_> =
            quantity.measured.iter().filter_map(|&point| self.place(point)).collect();
        if !points.is_empty() {
            series.push(Series { name, points, dots: true });
        }
        series
    }
}

#[cfg(test)]
mod tests {
    use super::super::canvas::written;
    use super::*;

    fn quantity(name: &str, size: f64) -> Quantity<'_> {
        let line = (0..9).map(|k| (f64::from(k), size * f64::from(k))).collect();
        Quantity { name, line, measured: vec![(0.0, size), (4.0, size)] }
    }

    fn drawn(quantities: &[Quantity], axis: TimeAxis) -> String {
        trajectory_svg(quantities, axis, "title", "below").unwrap()
    }

    #[test]
    fn dots_have_the_colour_of_their_line() {
        let svg = drawn(&[quantity("a", 1.0), quantity("b", 2.0)], TimeAxis::Linear);
        for color in ["#0062B1", "#DE7000"] {
            let dots = svg.lines().filter(|l| l.starts_with("<circle") && l.contains(color));
            // One of them in the legend.
            assert_eq!(dots.count(), 2 + 1, "{color}");
        }
        let svg = drawn(&[quantity("a", 1.0)], TimeAxis::Logarithmic { start: 0.0 });
        assert_eq!(svg.matches("<circle").count(), 1 + 1, "what is at the start is left out");
    }

    #[test]
    fn a_quantity_that_is_small_has_a_panel_of_its_own() {
        let quantities = [quantity("large", 1.0), quantity("tiny", 1e-5), quantity("none", 0.0)];
        let groups = groups(&quantities.iter().collect::<Vec<_>>());
        let names: Vec<Vec<&str>> =
            groups.iter().map(|group| group.iter().map(|q| q.name).collect()).collect();
        assert_eq!(names, [vec!["large"], vec!["tiny", "none"]]);
    }

    #[test]
    fn many_quantities_have_a_panel_each_and_the_rest_is_told() {
        let names: Vec<String> = (0..50).map(|k| format!("y{k}")).collect();
        let all: Vec<Quantity> = names.iter().map(|name| quantity(name, 1.0)).collect();
        for count in [7, 20, 50] {
            let svg = drawn(&all[..count], TimeAxis::Linear);
            let texts = written(&svg);
            let shown = names.iter().filter(|name| texts.iter().any(|(_, _, t)| t == *name));
            assert_eq!(shown.count(), count.min(MOST));
            assert_eq!(svg.contains("the first 40 of 50"), count == 50);
        }
    }

    #[test]
    fn what_is_not_finite_interrupts_the_line() {
        let mut broken = quantity("a", 1.0);
        broken.line[3].1 = f64::NAN;
        assert_eq!(TimeAxis::Linear.series(&broken).len(), 2 + 1);
        let nothing = Quantity { line: vec![(0.0, f64::INFINITY)], measured: vec![], ..broken };
        let svg = |list: &[Quantity]| trajectory_svg(list, TimeAxis::Linear, "", "");
        assert_eq!(svg(std::slice::from_ref(&nothing)), Err(PlotError::Nothing));
        assert!(svg(&[nothing, quantity("b", 1.0)]).is_ok());
        assert_eq!(svg(&[]), Err(PlotError::Nothing));
    }
}
