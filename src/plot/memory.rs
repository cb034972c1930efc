//! The gradient's work against its memory.

use plotters::coord::combinators::{BindKeyPoints, IntoLogRange};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::PlotError;
use super::canvas::{Area, BLUE, FAINT, GREEN, INK, ORANGE, PURPLE, SIZE, failed, letters, page};
use super::ticks;
use crate::numbers::units;
use crate::plan::curve::{Curve, CurvePoint};
use crate::schedule::optimum;

/// Draws a curve as two panels, both axes logarithmic: steps taken, each relative to N, with the
/// least possible as a line; and seconds, measured as dots, predicted as lines through them, with
/// what no schedule can beat. Across are the bytes that snapshots held, or those that were allowed.
///
/// # Errors
/// Where the curve has no points.
pub fn curve_svg(curve: &Curve, title: &str) -> Result<String, PlotError> {
    let tiers = Tier::of(curve);
    let Some(first) = tiers.first() else { return Err(PlotError::Nothing) };
    let memory = span(curve.points.iter().map(across));
    let budgets = first.points[0].budget_bytes.is_some();
    let axis = match budgets {
        true => "memory allowed",
        false => "memory held by snapshots at the peak",
    };
    let work = Panel {
        memory: memory.clone(),
        axis,
        title: "steps taken \u{f7} N",
        label: &ticks::count,
        series: work(curve, &tiers),
    };
    let time = Panel {
        memory,
        axis,
        title: "time of one gradient",
        label: &units::seconds,
        series: time(&tiers),
    };
    page(SIZE, title, &verdict(curve, budgets), |area| {
        let (left, right) = area.split_horizontally(800);
        work.draw(&left)?;
        time.draw(&right)
    })
}

/// Points of one kind.
struct Tier<'a> {
    name: &'static str,
    colour: RGBColor,
    points: Vec<&'a CurvePoint>,
}

impl<'a> Tier<'a> {
    fn of(curve: &'a Curve) -> Vec<Self> {
        let kind = |point: &CurvePoint| match (point.threads, point.schedule) {
            (_, "periodic") => 2,
            (1, _) => 0,
            _ => 1,
        };
        let names = ["one core", "two cores", "one core and a disk"];
        let colours = [BLUE, PURPLE, GREEN];
        let tiers = names.into_iter().zip(colours).enumerate().map(|(k, (name, colour))| {
            let points = curve.points.iter().filter(|point| kind(point) == k).collect();
            Tier { name, colour, points }
        });
        tiers.filter(|tier: &Tier| !tier.points.is_empty()).collect()
    }

    fn over(&self, of: impl Fn(&CurvePoint) -> f64) -> Vec<(f64, f64)> {
        self.points.iter().map(|point| (across(point), of(point))).collect()
    }
}

/// Bytes.
fn across(point: &CurvePoint) -> f64 {
    point.budget_bytes.unwrap_or(point.snapshot_bytes_peak).max(1) as f64
}

fn work(curve: &Curve, tiers: &[Tier]) -> Vec<Series> {
    let steps = curve.steps.max(1) as f64;
    let taken = |again: u64| (steps + again as f64) / steps;
    let bound = match curve.points.first() {
        Some(point) if point.budget_bytes.is_none() => bound(curve),
        _ => tiers[0].over(|point| taken(point.optimum)),
    };
    let name = if tiers.len() > 1 { "least possible on one core" } else { "least possible" };
    let mut series = vec![Series::line(name.into(), ORANGE, bound)];
    series.extend(tiers.iter().map(|tier| {
        Series::dots(
            tier.name.into(),
            tier.colour,
            tier.over(|point| taken(point.recomputed_steps)),
        )
    }));
    series
}

fn time(tiers: &[Tier]) -> Vec<Series> {
    let bound = tiers[0].over(|point| point.lower_bound_seconds);
    let name = if tiers.len() > 1 { "least possible on one core" } else { "least possible" };
    let mut series = vec![Series::line(name.into(), ORANGE, bound)];
    series.extend(tiers.iter().map(|tier| Series {
        name: format!("{} (line: predicted)", tier.name),
        colour: tier.colour,
        line: tier.over(|point| point.predicted_seconds),
        dots: tier.over(|point| point.seconds),
    }));
    series
}

fn verdict(curve: &Curve, budgets: bool) -> String {
    let (all, equal) =
        (curve.points.len(), curve.points.iter().filter(|point| point.bits_equal).count());
    let of = if budgets { "plans" } else { "numbers of snapshots" };
    if all == equal {
        format!("the gradient is the same in every bit with each of {all} {of}")
    } else {
        format!("{} of {all} gradients differ in bits from that with most memory", all - equal)
    }
}

/// The least work for each number of snapshots; a few hundred of them where there are more.
fn bound(curve: &Curve) -> Vec<(f64, f64)> {
    let ends = (curve.points.first(), curve.points.last());
    let (Some(few), Some(all)) = ends else { return Vec::new() };
    let per_snapshot = across(all) / all.snapshots.max(1) as f64;
    let (steps, fewest) = (curve.steps.max(1), few.snapshots.max(1));
    let ratio = (all.snapshots as f64 / fewest as f64).powf(1.0 / 400.0);
    let mut counts: Vec<u64> =
        (0..=400).map(|k| (fewest as f64 * ratio.powi(k)).round() as u64).collect();
    counts.dedup();
    let relative = |s| (steps as f64 + optimum::t(steps, s) as f64) / steps as f64;
    counts.into_iter().map(|s| (s as f64 * per_snapshot, relative(s))).collect()
}

/// Dots, a line, or both.
struct Series {
    name: String,
    colour: RGBColor,
    line: Vec<(f64, f64)>,
    dots: Vec<(f64, f64)>,
}

impl Series {
    fn line(name: String, colour: RGBColor, line: Vec<(f64, f64)>) -> Self {
        Series { name, colour, line, dots: Vec::new() }
    }

    fn dots(name: String, colour: RGBColor, dots: Vec<(f64, f64)>) -> Self {
        Series { name, colour, line: Vec::new(), dots }
    }
}

const RADIUS: i32 = 7;
const LINE: u32 = 3;

struct Panel<'a> {
    memory: std::ops::Range<f64>,
    axis: &'a str,
    title: &'a str,
    label: &'a dyn Fn(f64) -> String,
    series: Vec<Series>,
}

impl Panel<'_> {
    fn draw(&self, area: &Area) -> Result<(), PlotError> {
        let (legend, area) = area.split_vertically(LEGEND_ROW * self.series.len() as u32);
        self.draw_legend(&legend)?;
        let (low, high) = (self.memory.start, self.memory.end);
        let heights = self.series.iter().flat_map(|series| series.line.iter().chain(&series.dots));
        let height = span(heights.map(|point| point.1));
        let rows = ticks::decimal(height.start, height.end, 9);
        let mut chart = ChartBuilder::on(&area)
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
            .x_label_formatter(&|x| units::bytes(*x as u64))
            .y_label_formatter(&|y| (self.label)(*y))
            .x_desc(self.axis)
            .y_desc(self.title)
            .draw()
            .map_err(failed)?;
        for Series { colour, line, dots, .. } in &self.series {
            let line = LineSeries::new(line.iter().copied(), colour.stroke_width(LINE));
            chart.draw_series(line).map_err(failed)?;
            let dots = dots.iter().map(|&point| Circle::new(point, RADIUS, colour.filled()));
            chart.draw_series(dots).map_err(failed)?;
        }
        Ok(())
    }

    /// Above the points, a row for each series.
    fn draw_legend(&self, area: &Area) -> Result<(), PlotError> {
        let left = letters(25).pos(Pos::new(HPos::Left, VPos::Center));
        for (row, Series { name, colour, line, dots }) in self.series.iter().enumerate() {
            let y = LEGEND_ROW as i32 * row as i32 + LEGEND_ROW as i32 / 2;
            if !line.is_empty() {
                let stroke = PathElement::new([(160, y), (204, y)], colour.stroke_width(LINE));
                area.draw(&stroke).map_err(failed)?;
            }
            if !dots.is_empty() {
                area.draw(&Circle::new((182, y), RADIUS, colour.filled())).map_err(failed)?;
            }
            area.draw_text(name, &left, (220, y)).map_err(failed)?;
        }
        Ok(())
    }
}

const LEGEND_ROW: u32 = 32;

/// The range of positive numbers on a logarithmic axis, with some air around it.
fn span(values: impl Iterator<Item = f64>) -> std::ops::Range<f64> {
    let (low, high) =
        values.fold((f64::MAX, f64::MIN_POSITIVE), |(low, high), x| (low.min(x), high.max(x)));
    let air = (high / low).powf(0.06).max(1.25);
    low / air..high * air
}
