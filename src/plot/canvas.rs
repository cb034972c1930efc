//! What the pictures share: size, colours, letters.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::FontDesc;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::PlotError;

pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Sixteen to nine, as slides are.
pub(super) const SIZE: (u32, u32) = (1600, 900);
pub(super) const INK: RGBColor = RGBColor(38, 44, 52);
pub(super) const FAINT: RGBColor = RGBColor(226, 230, 235);
pub(super) const GREY: RGBColor = RGBColor(150, 158, 168);
pub(super) const BLUE: RGBColor = RGBColor(0, 98, 177);
pub(super) const ORANGE: RGBColor = RGBColor(222, 112, 0);
pub(super) const GREEN: RGBColor = RGBColor(0, 128, 96);
pub(super) const PURPLE: RGBColor = RGBColor(140, 60, 160);
pub(super) const RED: RGBColor = RGBColor(196, 30, 58);

pub(super) fn letters(size: i32) -> TextStyle<'static> {
    let font: FontDesc = ("Helvetica, Arial, sans-serif", size).into();
    font.color(&INK)
}

/// Height of what stands above a picture.
pub(super) const HEAD: u32 = 110;

/// Draws on a white page of this width and height, under a title and a line below it.
pub(super) fn page(
    size: (u32, u32),
    title: &str,
    below: &str,
    draw: impl FnOnce(&Area) -> Result<(), PlotError>,
) -> Result<String, PlotError> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        root.fill(&WHITE).map_err(failed)?;
        let (head, body) = root.split_vertically(HEAD);
        let centred = |size| letters(size).pos(Pos::new(HPos::Center, VPos::Top));
        let middle = size.0 as i32 / 2;
        head.draw_text(title, &centred(40), (middle, 22)).map_err(failed)?;
        head.draw_text(below, &centred(25).color(&GREY.mix(1.0)), (middle, 74)).map_err(failed)?;
        draw(&body)?;
        root.present().map_err(failed)?;
    }
    Ok(svg)
}

pub(super) fn failed(error: impl std::fmt::Display) -> PlotError {
    PlotError::Drawing(error.to_string())
}

/// The texts of a picture and where they are, in order.
#[cfg(test)]
pub(super) fn written(svg: &str) -> Vec<(f64, f64, String)> {
    let number = |tag: &str, name: &str| {
        let (_, rest) = tag.split_once(&format!("{name}=\"")).unwrap();
        rest.split('"').next().unwrap().parse().unwrap()
    };
    let texts = svg.split("<text ").skip(1);
    texts
        .map(|text| {
            let (tag, rest) = text.split_once('>').unwrap();
            let words = rest.split("</text>").next().unwrap().trim();
            (number(tag, "x"), number(tag, "y"), words.to_owned())
        })
        .collect()
}
