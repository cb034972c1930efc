//! What a schedule does, step by step.

use std::collections::HashMap;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::PlotError;
use super::canvas::{Area, BLUE, FAINT, GREY, INK, ORANGE, RED, SIZE, failed, letters, page};
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
    page(SIZE, title, below, |area| trace.draw(area))
}

const KEPT: ShapeStyle =
    ShapeStyle { color: RGBAColor(GREY.0, GREY.1, GREY.2, 1.0), filled: false, stroke_width: 2 };

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
            Action::Store { step, slot, .. } => {
                self.release(|other, _| other == slot);
                self.slots.insert(slot, (step, self.work));
                self.stores.push((step as f64, self.work as f64));
            }
            Action::Restore { .. } => {}
            Action::Free { slot } => self.release(|other, _| other == slot),
            Action::Advance { from, to } => {
                let start = (from as f64, self.work as f64);
                self.work = self.work.saturating_add(to.abs_diff(from) as u64);
                let end = (to as f64, self.work as f64);
                match self.advances.last_mut() {
                    Some(path) if path.last() == Some(&start) => path.push(end),
                    _ => self.advances.push(vec![start, end]),
                }
                self.extend_to(to.max(from))?;
            }
            Action::Reverse { step } => {
                let (x, y) = (step as f64, self.work as f64);
                self.work += 1;
                self.reverses.push([(x, y + 0.5), (x + 1.0, y + 0.5)]);
                self.release(|_, kept| kept >= step);
                self.extend_to(step.saturating_add(1))?;
            }
        }
        Ok(())
    }

    fn extend_to(&mut self, step: usize) -> Result<(), PlotError> {
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
        let (head, body) = area.split_vertically(40);
        self.draw_legend(&head)?;
        let mut chart = ChartBuilder::on(&body)
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

        for stroke in &self.kept {
            chart.plotting_area().draw(&PathElement::new(stroke.to_vec(), KEPT)).map_err(failed)?;
        }
        for path in &self.advances {
            let line = PathElement::new(path.clone(), BLUE.stroke_width(self.width().min(4)));
            chart.plotting_area().draw(&line).map_err(failed)?;
        }
        for stroke in &self.reverses {
            let line = PathElement::new(stroke.to_vec(), RED.stroke_width(self.width()));
            chart.plotting_area().draw(&line).map_err(failed)?;
        }
        for &store in &self.stores {
            let dot = Circle::new(store, self.radius(), ORANGE.filled());
            chart.plotting_area().draw(&dot).map_err(failed)?;
        }
        Ok(())
    }

    /// Above the picture, since a schedule may fill any corner of it.
    fn draw_legend(&self, area: &Area) -> Result<(), PlotError> {
        let middle = 22;
        let line = |x: i32, style: ShapeStyle| {
            area.draw(&PathElement::new([(x, middle), (x + 44, middle)], style)).map_err(failed)
        };
        let name = |x: i32, text: &str| {
            let left = letters(25).pos(Pos::new(HPos::Left, VPos::Center));
            area.draw_text(text, &left, (x, middle)).map_err(failed)
        };
        line(300, BLUE.stroke_width(self.width().min(4)))?;
        name(358, "advance")?;
        line(560, RED.stroke_width(self.width()))?;
        name(618, "reverse one step")?;
        area.draw(&PathElement::new([(950, middle), (950, middle + 20)], KEPT)).map_err(failed)?;
        area.draw(&Circle::new((950, middle), 8, ORANGE.filled())).map_err(failed)?;
        name(976, "snapshot, kept while the line lasts")
    }

    /// Of lines: thinner where there are more of them.
    fn width(&self) -> u32 {
        if self.steps <= 60 { 6 } else { 3 }
    }

    /// Of dots.
    fn radius(&self) -> i32 {
        match self.steps {
            0..=60 => 8,
            61..=300 => 6,
            _ => 4,
        }
    }
}
