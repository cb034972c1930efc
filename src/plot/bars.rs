//! Bars that lie on their side, so that their names can be read.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::PlotError;
use super::canvas::{Area, BLUE, FAINT, INK, ORANGE, RED, SIZE, failed, letters, page};
use super::linear::Linear;
use super::ticks;

/// Values to compare under one name.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar<'a> {
    /// What stands before the bars.
    pub name: &'a str,
    /// One for each kind.
    pub values: Vec<f64>,
}

/// Draws bars from zero, those of one name beside each other, one for each of `kinds`, under a
/// legend of the kinds; `x` is what their length tells. Each has its value written at its end.
///
/// ```
/// use costate::plot::{Bar, bars_svg};
///
/// let bars = [
///     Bar { name: "mass", values: vec![0.5, 0.49] },
///     Bar { name: "radius", values: vec![-1.0, -1.02] },
/// ];
/// let svg = bars_svg(&["computed", "measured"], &bars, "change in %", "Two ways", "to compare")?;
/// assert!(svg.contains("radius") && svg.contains("−1.000"));
/// # Ok::<(), costate::plot::PlotError>(())
/// ```
///
/// # Errors
/// Where there are no bars, or one has not a finite value for each kind.
pub fn bars_svg(
    kinds: &[&str],
    bars: &[Bar],
    x: &str,
    title: &str,
    below: &str,
) -> Result<String, PlotError> {
    for bar in bars {
        if bar.values.len() != kinds.len() || !bar.values.iter().all(|value| value.is_finite()) {
            return Err(PlotError::NotFinite { what: bar.name.to_owned() });
        }
    }
    if bars.is_empty() || kinds.is_empty() {
        return Err(PlotError::Nothing);
    }
    page(SIZE, title, below, |area| {
        let (legend, body) = area.split_vertically(50);
        draw_legend(&legend, kinds)?;
        draw_bars(&body, bars, x)
    })
}

const COLORS: [RGBColor; 3] = [BLUE, ORANGE, RED];

fn draw_legend(area: &Area, kinds: &[&str]) -> Result<(), PlotError> {
    let width = (SIZE.0 as i32 - 240) / kinds.len() as i32;
    for (i, (kind, color)) in kinds.iter().zip(COLORS.iter().cycle()).enumerate() {
        let x = 240 + i as i32 * width;
        area.draw(&Rectangle::new([(x, 14), (x + 44, 34)], color.filled())).map_err(failed)?;
        let left = letters(25).pos(Pos::new(HPos::Left, VPos::Center));
        area.draw_text(kind, &left, (x + 58, 24)).map_err(failed)?;
    }
    Ok(())
}

/// Each name has a row of height 1, of which its bars take the middle.
fn draw_bars(area: &Area, bars: &[Bar], x: &str) -> Result<(), PlotError> {
    let values = || bars.iter().flat_map(|bar| bar.values.iter().copied());
    let (low, high) = values().fold((0.0_f64, 0.0_f64), |(low, high), x| (low.min(x), high.max(x)));
    // Four digits of the longest.
    let largest = low.abs().max(high);
    let shown = if largest > 0.0 { (3.0 - largest.log10().floor()).clamp(0.0, 12.0) } else { 1.0 };
    // Room for a number beyond the longest bars.
    let air = if high > low { 0.12 * (high - low) } else { 1.0 };
    let (low, high) = (low - air, high + air);
    let axis = Linear { ends: (low, high), ticks: ticks::between(low, high, 8) };
    let labels = ticks::labels(&axis.ticks);
    let rows = bars.len() as f64;
    let mut chart = ChartBuilder::on(area)
        .margin(20)
        .margin_right(36)
        .set_label_area_size(LabelAreaPosition::Left, 200)
        .set_label_area_size(LabelAreaPosition::Bottom, 90)
        .build_cartesian_2d(axis, rows..0.0)
        .map_err(failed)?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .y_labels(0)
        .light_line_style(TRANSPARENT)
        .bold_line_style(FAINT.stroke_width(2))
        .axis_style(INK.stroke_width(2))
        .label_style(letters(24))
        .axis_desc_style(letters(27))
        .x_label_formatter(&|x| labels(*x))
        .x_desc(x)
        .draw()
        .map_err(failed)?;
    let plot = chart.plotting_area();
    let base = area.get_base_pixel();
    let write = |words: &str, size: i32, side: HPos, point: (f64, f64)| {
        let (x, y) = plot.map_coordinate(&point);
        let gap = if matches!(side, HPos::Right) { -10 } else { 10 };
        let style = letters(size).pos(Pos::new(side, VPos::Center));
        area.draw_text(words, &style, (x + gap - base.0, y - base.1)).map_err(failed)
    };
    for (row, bar) in bars.iter().enumerate() {
        let thick = 0.7 / bar.values.len() as f64;
        let pixels = f64::from(plot.dim_in_pixel().1) * thick / rows;
        for (k, (&value, color)) in bar.values.iter().zip(COLORS.iter().cycle()).enumerate() {
            let top = row as f64 + 0.15 + thick * k as f64;
            let corners = [(0.0, top), (value, top + 0.9 * thick)];
            plot.draw(&Rectangle::new(corners, color.filled())).map_err(failed)?;
            let side = if value < 0.0 { HPos::Right } else { HPos::Left };
            let number = ticks::plain(value, shown as usize);
            write(&number, pixels.clamp(10.0, 24.0) as i32, side, (value, top + 0.45 * thick))?;
        }
        write(bar.name, 25, HPos::Right, (low, row as f64 + 0.5))?;
    }
    let (top, bottom) = ((0.0, 0.0), (0.0, rows));
    plot.draw(&PathElement::new([top, bottom], INK.stroke_width(2))).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::super::canvas::written;
    use super::*;

    #[test]
    fn each_bar_has_its_own_number_and_each_tick_its_own_label() {
        for scale in [1e-3, 0.07, 1.0, 30.0, 4e4] {
            let values =
                [[0.31, 0.29], [0.5, -1.2], [-0.02, 3.7]].map(|two| two.map(|x| x * scale));
            let bars: Vec<Bar> =
                values.iter().map(|two| Bar { name: "name", values: two.to_vec() }).collect();
            let svg = bars_svg(&["a", "b"], &bars, "x", "t", "u").unwrap();
            let numbers: Vec<_> = written(&svg)
                .into_iter()
                .filter_map(|(x, y, text)| {
                    Some((x, y, text.replace('−', "-").parse::<f64>().ok()?))
                })
                .collect();
            let bottom = numbers.iter().fold(0.0_f64, |bottom, number| bottom.max(number.1));
            let (ticks, mut at_bars): (Vec<_>, Vec<_>) =
                numbers.into_iter().partition(|&(_, y, _)| y == bottom);
            assert!(ticks.len() >= 4);
            assert!(ticks.windows(2).all(|pair| pair[0].2 != pair[1].2), "{ticks:?}");
            let per_unit = (ticks[1].0 - ticks[0].0) / (ticks[1].2 - ticks[0].2);
            let zero = ticks[0].0 - per_unit * ticks[0].2;
            at_bars.sort_by(|a, b| a.1.total_cmp(&b.1));
            assert_eq!(at_bars.len(), 6);
            for ((x, _, number), value) in at_bars.into_iter().zip(values.into_iter().flatten()) {
                assert!((number - value).abs() <= 0.002 * scale, "{number} {value}");
                let gap = (x - zero - per_unit * value) * value.signum();
                assert!((5.0..15.0).contains(&gap), "{number} is {gap} beyond its bar");
            }
        }
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        let drawn = |values: &[f64]| {
            bars_svg(&["a", "b"], &[Bar { name: "it", values: values.to_vec() }], "x", "t", "u")
        };
        assert!(drawn(&[0.0, 0.0]).is_ok());
        for values in [&[][..], &[1.0], &[1.0, f64::NAN]] {
            assert_eq!(drawn(values), Err(PlotError::NotFinite { what: "it".to_owned() }));
        }
        assert_eq!(bars_svg(&["a"], &[], "x", "t", "u"), Err(PlotError::Nothing));
    }
}
