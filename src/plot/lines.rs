//! Lines and dots over a common axis.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::PlotError;
use super::canvas::{Area, BLUE, FAINT, GREY, INK, ORANGE, RED, SIZE, failed, letters, page};
use super::linear::linear;
use super::look::Look;
use super::ticks;

/// Points with a name. Series of one name have one colour and stand in the legend once.
#[derive(Clone, Debug, PartialEq)]
pub struct Series<'a> {
    /// What stands in the legend.
    pub name: &'a str,
    /// (x, y).
    pub points: Vec<(f64, f64)>,
    /// As dots instead of a line: in ink, or in the colour of the line of the same name.
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
    page(SIZE, title, below, |area| {
        let areas = area.split_evenly((1, panels.len()));
        let width = SIZE.0 as i32 / panels.len() as i32;
        let look = Look::large(&COLORS);
        panels.iter().zip(&areas).try_for_each(|(panel, area)| panel.draw(area, width, &look))
    })
}

const COLORS: [RGBColor; 4] = [BLUE, ORANGE, RED, GREY];

impl Panel<'_> {
    /// Draws on an area of this width.
    pub(super) fn draw(&self, area: &Area, width: i32, look: &Look) -> Result<(), PlotError> {
        let rows = self.names().len().div_ceil(look.columns) as i32;
        let (legend, body) = area.split_vertically(look.row * rows);
        self.draw_legend(&legend, width, look)?;
        let x = look.axis(self.extent(|point| look.across(point.0)), 0.0);
        let y = linear(self.extent(|point| point.1), 0.06, look.ticks);
        let (x_labels, y_labels) = (look.labels(&x.ticks), ticks::labels(&y.ticks));
        let described = |text| if look.described { text } else { "" };
        let mut chart = ChartBuilder::on(&body)
            .margin(look.margin)
            .margin_right(look.margin + 16)
            .set_label_area_size(LabelAreaPosition::Left, look.left)
            .set_label_area_size(LabelAreaPosition::Bottom, look.bottom)
            .build_cartesian_2d(x, y)
            .map_err(failed)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(FAINT.stroke_width(2))
            .axis_style(INK.stroke_width(2))
            .label_style(letters(look.letters))
            .axis_desc_style(letters(look.letters + 3))
            .x_label_formatter(&|x| x_labels(*x))
            .y_label_formatter(&|y| y_labels(*y))
            .x_desc(described(self.x))
            .y_desc(described(self.y))
            .draw()
            .map_err(failed)?;
        for series in &self.series {
            let color = self.color(series.name, look);
            let points = series.points.iter().map(|&(x, y)| (look.across(x), y));
            if series.dots {
                let dots = points.map(|point| Circle::new(point, look.dot, color.filled()));
                chart.draw_series(dots).map_err(failed)?;
            } else {
                let line = LineSeries::new(points, color.stroke_width(look.line));
                chart.draw_series(line).map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Above the picture, since a line may be anywhere in it.
    fn draw_legend(&self, area: &Area, width: i32, look: &Look) -> Result<(), PlotError> {
        let (left, names) = (look.margin + look.left, self.names());
        let columns = look.columns.min(names.len()) as i32;
        for (i, name) in names.into_iter().enumerate() {
            let (column, row) = (i as i32 % columns, i as i32 / columns);
            let (x, y) = (left + column * (width - left) / columns, look.row * row + look.row / 2);
            let color = self.color(name, look);
            let has = |dots| self.series.iter().any(|s| s.name == name && s.dots == dots);
            if has(false) {
                let line = PathElement::new([(x, y), (x + 44, y)], color.stroke_width(look.line));
                area.draw(&line).map_err(failed)?;
            }
            if has(true) {
                area.draw(&Circle::new((x + 22, y), look.dot, color.filled())).map_err(failed)?;
            }
            let left = letters(look.letters + 1).pos(Pos::new(HPos::Left, VPos::Center));
            area.draw_text(name, &left, (x + 58, y)).map_err(failed)?;
        }
        Ok(())
    }

    /// The names of the series, each once.
    fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for series in &self.series {
            if !names.contains(&series.name) {
                names.push(series.name);
            }
        }
        names
    }

    /// That of the line of this name, or ink.
    fn color(&self, name: &str, look: &Look) -> RGBColor {
        let mut lines: Vec<&str> = Vec::new();
        for series in self.series.iter().filter(|series| !series.dots) {
            if !lines.contains(&series.name) {
                lines.push(series.name);
            }
        }
        let place = lines.iter().position(|line| *line == name);
        place.map_or(INK, |k| look.colors[k % look.colors.len()])
    }

    /// The least and the largest of a coordinate of all points.
    fn extent(&self, of: impl Fn(&(f64, f64)) -> f64) -> (f64, f64) {
        let values = self.series.iter().flat_map(|series| series.points.iter().map(&of));
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)))
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
