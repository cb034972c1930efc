//! Lines and dots over a common axis.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::PlotError;
use super::canvas::{Area, BLUE, FAINT, GREY, INK, ORANGE, RED, SIZE, failed, letters, page};
use super::linear::Linear;
use super::ticks;

/// Points with a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Series<'a> {
    /// What stands in the legend.
    pub name: &'a str,
    /// (x, y).
    pub points: Vec<(f64, f64)>,
    /// As dots, in ink, instead of a line.
    pub dots: bool,
}

/// Lines and dots with common axes.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel<'a> {
    /// What the axis across tells.
    pub x: &'a str,
    /// What the axis upward tells.
    pub y: &'a str,
    /// What is drawn, the last on top.
    pub series: Vec<Series<'a>>,
}

/// Draws panels side by side, each under its own legend.
///
/// ```
/// use costate::plot::{Panel, Series, lines_svg};
///
/// let points = (0..50).map(|i| (0.1 * f64::from(i), (0.1 * f64::from(i)).sin())).collect();
/// let series = vec![Series { name: "sine", points, dots: false }];
/// let svg = lines_svg(&[Panel { x: "t", y: "y", series }], "One line", "from 0 to 5")?;
/// assert!(svg.starts_with("<svg") && svg.contains("sine"));
/// # Ok::<(), costate::plot::PlotError>(())
/// ```
///
/// # Errors
/// Where there are no panels, or a series is empty or has numbers that are not finite.
pub fn lines_svg(panels: &[Panel], title: &str, below: &str) -> Result<String, PlotError> {
    for series in panels.iter().flat_map(|panel| &panel.series) {
        let finite = series.points.iter().all(|(x, y)| x.is_finite() && y.is_finite());
        if series.points.is_empty() || !finite {
            return Err(PlotError::NotFinite { what: series.name.to_owned() });
        }
    }
    if panels.is_empty() || panels.iter().any(|panel| panel.series.is_empty()) {
        return Err(PlotError::Nothing);
    }
    page(title, below, |area| {
        let areas = area.split_evenly((1, panels.len()));
        panels.iter().zip(&areas).try_for_each(|(panel, area)| panel.draw(area, panels.len()))
    })
}

const ROW: i32 = 42;
const COLORS: [RGBColor; 4] = [BLUE, ORANGE, RED, GREY];

impl Panel<'_> {
    fn draw(&self, area: &Area, panels: usize) -> Result<(), PlotError> {
        let rows = self.series.len().div_ceil(2) as i32;
        let (legend, body) = area.split_vertically(ROW * rows);
        self.draw_legend(&legend, SIZE.0 as i32 / panels as i32)?;
        let (x, y) = (self.axis(|point| point.0, 0.0), self.axis(|point| point.1, 0.06));
        let (x_decimals, y_decimals) = (ticks::decimals(&x.ticks), ticks::decimals(&y.ticks));
        let mut chart = ChartBuilder::on(&body)
            .margin(20)
            .margin_right(36)
            .set_label_area_size(LabelAreaPosition::Left, 130)
            .set_label_area_size(LabelAreaPosition::Bottom, 90)
            .build_cartesian_2d(x, y)
            .map_err(failed)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(FAINT.stroke_width(2))
            .axis_style(INK.stroke_width(2))
            .label_style(letters(24))
            .axis_desc_style(letters(27))
            .x_label_formatter(&|x| ticks::plain(*x, x_decimals))
            .y_label_formatter(&|y| ticks::plain(*y, y_decimals))
            .x_desc(self.x)
            .y_desc(self.y)
            .draw()
            .map_err(failed)?;
        for (series, color) in self.colored() {
            let points = series.points.iter().copied();
            if series.dots {
                let dots = points.map(|point| Circle::new(point, 7, color.filled()));
                chart.draw_series(dots).map_err(failed)?;
            } else {
                let line = LineSeries::new(points, color.stroke_width(4));
                chart.draw_series(line).map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Above the picture, since a line may be anywhere in it.
    fn draw_legend(&self, area: &Area, width: i32) -> Result<(), PlotError> {
        for (i, (series, color)) in self.colored().enumerate() {
            let (column, row) = (i as i32 % 2, i as i32 / 2);
            let (x, y) = (150 + column * (width - 150) / 2, ROW * row + ROW / 2);
            if series.dots {
                area.draw(&Circle::new((x + 22, y), 7, color.filled())).map_err(failed)?;
            } else {
                let line = PathElement::new([(x, y), (x + 44, y)], color.stroke_width(4));
                area.draw(&line).map_err(failed)?;
            }
            let left = letters(25).pos(Pos::new(HPos::Left, VPos::Center));
            area.draw_text(series.name, &left, (x + 58, y)).map_err(failed)?;
        }
        Ok(())
    }

    fn colored(&self) -> impl Iterator<Item = (&Series<'_>, RGBColor)> {
        let mut lines = COLORS.iter().cycle();
        self.series.iter().map(move |series| {
            let color = if series.dots { INK } else { *lines.next().unwrap_or(&INK) };
            (series, color)
        })
    }

    /// Wide enough for all points, with this part of it as air at both ends.
    fn axis(&self, of: impl Fn(&(f64, f64)) -> f64, air: f64) -> Linear {
        let values = self.series.iter().flat_map(|series| series.points.iter().map(&of));
        let (low, high) = values
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
        let width = high - low;
        let air = if width > 0.0 { air * width } else { 0.5 * low.abs().max(1.0) };
        let ends = (low - air, high + air);
        Linear { ends, ticks: ticks::between(ends.0, ends.1, 8) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::canvas::written;
    use super::*;

    #[test]
    fn no_two_ticks_of_an_axis_have_the_same_label() {
        for (low, high) in
            [(0.0, 1.0), (-0.2, 0.3), (0.5, 2.5), (1e-4, 7e-4), (3.0, 3.004), (-4e5, 9e5)]
        {
            let series =
                vec![Series { name: "it", points: vec![(low, low), (high, high)], dots: false }];
            let svg = lines_svg(&[Panel { x: "x", y: "y", series }], "t", "u").unwrap();
            let labels = written(&svg).into_iter().filter_map(|(x, y, text)| {
                Some((x, y, text.replace('−', "-").parse::<f64>().ok()?))
            });
            let labels: Vec<_> = labels.collect();
            for line in [|a: &(f64, f64, f64)| a.0, |a: &(f64, f64, f64)| a.1] {
                let most = labels.iter().map(|a| labels.iter().filter(|b| line(a) == line(b)));
                let axis: Vec<_> =
                    most.max_by_key(|ticks| ticks.clone().count()).unwrap().collect();
                assert!(axis.len() >= 3, "{axis:?}");
                for (k, a) in axis.iter().enumerate() {
                    assert!(axis[..k].iter().all(|b| a.2 != b.2), "{axis:?}");
                    assert!(low - 0.06 * (high - low) <= a.2 && a.2 <= high + 0.06 * (high - low));
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        let drawn = |points: &[(f64, f64)]| {
            let series = vec![Series { name: "it", points: points.to_vec(), dots: false }];
            lines_svg(&[Panel { x: "x", y: "y", series }], "title", "below")
        };
        // One point has no extent.
        assert!(drawn(&[(1.0, 2.0)]).is_ok());
        let refused = PlotError::NotFinite { what: "it".to_owned() };
        for points in [&[][..], &[(0.0, f64::NAN)], &[(f64::INFINITY, 0.0)]] {
            assert_eq!(drawn(points), Err(refused.clone()));
        }
        assert_eq!(lines_svg(&[], "title", "below"), Err(PlotError::Nothing));
    }
}
