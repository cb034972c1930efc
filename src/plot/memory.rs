//! The gradient's work against its memory.

use plotters::coord::combinators::{BindKeyPoints, IntoLogRange};
use plotters::prelude::*;

use super::PlotError;
use super::canvas::{Area, BLUE, FAINT, GREY, INK, ORANGE, failed, letters, page};
use super::ticks;
use crate::curve::{Curve, CurvePoint};
use crate::schedule::optimum;

/// Draws a curve as two panels over the bytes that snapshots held: steps taken, each relative to
/// N, with the least that the snapshots allow as a line; and seconds.
///
/// # Errors
/// Where the curve has no points.
pub fn curve_svg(curve: &Curve, title: &str) -> Result<String, PlotError> {
    let (Some(fewest), Some(all)) = (curve.points.first(), curve.points.last()) else {
        return Err(PlotError::Nothing);
    };
    let steps = curve.steps.max(1) as f64;
    let per_snapshot = all.snapshot_bytes_peak as f64 / all.snapshots.max(1) as f64;
    let x = |point: &CurvePoint| (point.snapshot_bytes_peak as f64).max(per_snapshot).max(1.0);
    let memory = span([x(fewest), x(all)].into_iter());

    let bound = bound(curve, per_snapshot.max(1.0), fewest.snapshots, all.snapshots);
    let taken: Vec<_> =
        curve.points.iter().map(|p| (x(p), (steps + p.recomputed_steps as f64) / steps)).collect();
    let timed: Vec<_> = curve.points.iter().map(|p| (x(p), p.seconds)).collect();
    let work = Panel {
        memory: memory.clone(),
        title: "steps taken ÷ N",
        label: &ticks::count,
        lines: vec![
            Line { name: "least possible: (N + t(N, s)) ÷ N", points: bound, dots: false },
            Line { name: "measured", points: taken, dots: true },
        ],
    };
    let time = Panel {
        memory,
        title: "time of one gradient",
        label: &ticks::seconds,
        lines: vec![
            Line {
                name: "all states kept",
                points: vec![(x(fewest), all.seconds), (x(all), all.seconds)],
                dots: false,
            },
            Line { name: "measured", points: timed, dots: true },
        ],
    };
    page(title, &verdict(curve), |area| {
        let (left, right) = area.split_horizontally(800);
        work.draw(&left)?;
        time.draw(&right)
    })
}

fn verdict(curve: &Curve) -> String {
    let (all, equal) =
        (curve.points.len(), curve.points.iter().filter(|point| point.bits_equal).count());
    if all == equal {
        format!("the gradient is the same in every bit with each of {all} numbers of snapshots")
    } else {
        format!("{} of {all} gradients differ in bits from that with all states kept", all - equal)
    }
}

/// The least work for each number of snapshots; a few hundred of them where there are more.
fn bound(curve: &Curve, per_snapshot: f64, fewest: u64, most: u64) -> Vec<(f64, f64)> {
    let steps = curve.steps.max(1);
    let ratio = (most as f64 / fewest.max(1) as f64).powf(1.0 / 400.0);
    let mut counts: Vec<u64> =
        (0..=400).map(|k| (fewest.max(1) as f64 * ratio.powi(k)).round() as u64).collect();
    counts.dedup();
    let relative = |s| (steps as f64 + optimum::t(steps, s) as f64) / steps as f64;
    counts.into_iter().map(|s| (s as f64 * per_snapshot, relative(s))).collect()
}

struct Line {
    name: &'static str,
    points: Vec<(f64, f64)>,
    /// Measured points rather than a line to hold them against.
    dots: bool,
}

struct Panel<'a> {
    memory: std::ops::Range<f64>,
    title: &'a str,
    label: &'a dyn Fn(f64) -> String,
    lines: Vec<Line>,
}

impl Panel<'_> {
    fn draw(&self, area: &Area) -> Result<(), PlotError> {
        let (low, high) = (self.memory.start, self.memory.end);
        let heights = self.lines.iter().flat_map(|line| line.points.iter().map(|point| point.1));
        let height = span(heights);
        let rows = ticks::decimal(height.start, height.end, 9);
        let mut chart = ChartBuilder::on(area)
            .margin(20)
            .margin_right(36)
            .set_label_area_size(LabelAreaPosition::Left, 130)
            .set_label_area_size(LabelAreaPosition::Bottom, 96)
            .build_cartesian_2d(
                (low..high).log_scale().with_key_points(ticks::binary(low, high, 7)),
                height.log_scale().with_key_points(rows),
            )
            .map_err(failed)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(FAINT.stroke_width(2))
            .axis_style(INK.stroke_width(2))
            .label_style(letters(24))
            .axis_desc_style(letters(27))
            .x_label_formatter(&|x| ticks::bytes(*x as u64))
            .y_label_formatter(&|y| (self.label)(*y))
            .x_desc("memory held by snapshots at the peak")
            .y_desc(self.title)
            .draw()
            .map_err(failed)?;
        for line in &self.lines {
            let points = line.points.iter().copied();
            if line.dots {
                let dots = points.map(|point| Circle::new(point, 7, BLUE.filled()));
                let drawn = chart.draw_series(dots).map_err(failed)?;
                drawn.label(line.name).legend(|(x, y)| Circle::new((x + 20, y), 7, BLUE.filled()));
            } else {
                let style = ORANGE.stroke_width(4);
                let drawn = chart.draw_series(LineSeries::new(points, style)).map_err(failed)?;
                drawn
                    .label(line.name)
                    .legend(move |(x, y)| PathElement::new([(x, y), (x + 40, y)], style));
            }
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperRight)
            .margin(16)
            .legend_area_size(50)
            .label_font(letters(25))
            .background_style(WHITE.mix(0.9))
            .border_style(GREY)
            .draw()
            .map_err(failed)
    }
}

/// The range of positive numbers on a logarithmic axis, with some air around it.
fn span(values: impl Iterator<Item = f64>) -> std::ops::Range<f64> {
    let (low, high) =
        values.fold((f64::MAX, f64::MIN_POSITIVE), |(low, high), x| (low.min(x), high.max(x)));
    let air = (high / low).powf(0.06).max(1.25);
    low / air..high * air
}
