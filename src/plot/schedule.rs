//! What a schedule does, step by step.

use std::collections::HashMap;

use plotters::prelude::*;

use super::PlotError;
use super::canvas::{Area, BLUE, FAINT, GREY, INK, ORANGE, RED, failed, letters, page};
use super::linear::Linear;
use super::ticks;
use crate::schedule::Action;

/// Draws the actions of a schedule, with the steps of the run across and the steps taken so far
/// down: advances as lines, snapshots as dots with a line for as long as they are needed, reversals
/// as ticks. `below` is a line under the title.
///
/// # Errors
/// Where there are no actions, or more steps than can be told apart.
pub fn schedule_svg(
    actions: impl IntoIterator<Item = Action>,
    title: &str,
    below: &str,
) -> Result<String, PlotError> {
    let mut trace = Trace::default();
    for action in actions {
        trace.follow(action)?;
    }
    if trace.work == 0 {
        return Err(PlotError::Nothing);
    }
    page(title, below, |area| trace.draw(area))
}

/// A piece of a line from (step, work) to (step, work).
type Stroke = [(f64, f64); 2];

#[derive(Default)]
struct Trace {
    steps: usize,
    work: u64,
    advances: Vec<Vec<(f64, f64)>>,
    reverses: Vec<Stroke>,
    stores: Vec<(f64, f64)>,
    kept: Vec<Stroke>,
    /// By slot: the step kept and the work when it was stored.
    slots: HashMap<usize, (usize, u64)>,
}

impl Trace {
    const MOST_STEPS: usize = 5000;

    fn follow(&mut self, action: Action) -> Result<(), PlotError> {
        match action {
            Action::Store { step, slot } => {
                self.release(|other, _| other == slot);
                self.slots.insert(slot, (step, self.work));
                self.stores.push((step as f64, self.work as f64));
            }
            Action::Restore { .. } => {}
            Action::Advance { from, to } => {
                let start = (from as f64, self.work as f64);
                self.work += (to - from) as u64;
                let end = (to as f64, self.work as f64);
                match self.advances.last_mut() {
                    Some(path) if path.last() == Some(&start) => path.push(end),
                    _ => self.advances.push(vec![start, end]),
                }
                self.reach(to)?;
            }
            Action::Reverse { step } => {
                let (x, y) = (step as f64, self.work as f64);
                self.work += 1;
                self.reverses.push([(x, y + 0.5), (x + 1.0, y + 0.5)]);
                self.release(|_, kept| kept >= step);
                self.reach(step + 1)?;
            }
        }
        Ok(())
    }

    fn reach(&mut self, step: usize) -> Result<(), PlotError> {
        self.steps = self.steps.max(step);
        match step > Self::MOST_STEPS {
            true => Err(PlotError::TooManySteps { steps: step, limit: Self::MOST_STEPS }),
            false => Ok(()),
        }
    }

    /// Ends the lines of the slots that `ends` names by slot and step.
    fn release(&mut self, ends: impl Fn(usize, usize) -> bool) {
        let (work, kept) = (self.work as f64, &mut self.kept);
        self.slots.retain(|&slot, &mut (step, since)| {
            let end = ends(slot, step);
            if end {
                kept.push([(step as f64, since as f64), (step as f64, work)]);
            }
            !end
        });
    }

    fn draw(&self, area: &Area) -> Result<(), PlotError> {
        let (steps, work) = (self.steps as f64, self.work as f64);
        let mut chart = ChartBuilder::on(area)
            .margin(20)
            .margin_right(40)
            .set_label_area_size(LabelAreaPosition::Left, 150)
            .set_label_area_size(LabelAreaPosition::Bottom, 90)
            .build_cartesian_2d(
                Linear { ends: (-0.02 * steps, 1.02 * steps), ticks: ticks::linear(steps, 10) },
                Linear { ends: (1.03 * work, -0.03 * work), ticks: ticks::linear(work, 8) },
            )
            .map_err(failed)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(FAINT.stroke_width(2))
            .axis_style(INK.stroke_width(2))
            .label_style(letters(24))
            .axis_desc_style(letters(27))
            .x_label_formatter(&|x| ticks::count(*x))
            .y_label_formatter(&|y| ticks::count(*y))
            .x_desc("time, in steps of the run")
            .y_desc("work, in steps taken")
            .draw()
            .map_err(failed)?;

        // Thinner where there are more of them.
        let width = if self.steps <= 60 { 6 } else { 3 };
        let legend_line = |style: ShapeStyle| {
            move |(x, y): (i32, i32)| PathElement::new([(x, y), (x + 40, y)], style)
        };
        let kept = GREY.mix(0.7).stroke_width(2);
        let lines = self.kept.iter().map(|stroke| PathElement::new(stroke.to_vec(), kept));
        chart.draw_series(lines).map_err(failed)?;
        let advance = BLUE.stroke_width(width.min(4));
        let lines = self.advances.iter().map(|path| PathElement::new(path.clone(), advance));
        let drawn = chart.draw_series(lines).map_err(failed)?;
        drawn.label("advance").legend(legend_line(advance));
        let reverse = RED.stroke_width(width);
        let lines = self.reverses.iter().map(|stroke| PathElement::new(stroke.to_vec(), reverse));
        let drawn = chart.draw_series(lines).map_err(failed)?;
        drawn.label("reverse one step").legend(legend_line(reverse));
        let radius = match self.steps {
            0..=60 => 8,
            61..=300 => 6,
            _ => 4,
        };
        let dots = self.stores.iter().map(|&point| Circle::new(point, radius, ORANGE.filled()));
        let drawn = chart.draw_series(dots).map_err(failed)?;
        drawn.label("snapshot, kept while the line lasts").legend(move |(x, y)| {
            EmptyElement::at((x + 20, y))
                + PathElement::new([(0, 0), (0, 14)], kept)
                + Circle::new((0, 0), 8, ORANGE.filled())
        });
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::LowerRight)
            .margin(28)
            .legend_area_size(50)
            .label_font(letters(25))
            .background_style(WHITE.mix(0.9))
            .border_style(GREY)
            .draw()
            .map_err(failed)
    }
}
