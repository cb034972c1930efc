//! The Mach number around the section, cell by cell, as SVG.

use std::fmt::Write;

use costate_models::aerodynamics::euler::gas::GAMMA;
use costate_models::aerodynamics::wing::motion;

use crate::case::Case;

/// Even steps for the eye from dark to light: viridis, by S. van der Walt and N. Smith.
const COLORS: [[f64; 3]; 10] = [
    [68.0, 1.0, 84.0],
    [72.0, 40.0, 120.0],
    [62.0, 73.0, 137.0],
    [49.0, 104.0, 142.0],
    [38.0, 130.0, 142.0],
    [31.0, 158.0, 137.0],
    [53.0, 183.0, 121.0],
    [110.0, 206.0, 88.0],
    [181.0, 222.0, 43.0],
    [253.0, 231.0, 37.0],
];

/// What is shown, in chords from the quarter chord, and where on the page.
const X: (f64, f64) = (-0.75, 1.35);
const LEFT: f64 = 130.0;
const TOP: f64 = 120.0;
const WIDTH: f64 = 1240.0;
const HEIGHT: f64 = 680.0;
const SCALE: f64 = WIDTH / (X.1 - X.0);

fn color(fraction: f64) -> String {
    let place = fraction.clamp(0.0, 1.0) * (COLORS.len() - 1) as f64;
    let k = (place as usize).min(COLORS.len() - 2);
    let mix = |c: usize| {
        (COLORS[k][c] + (place - k as f64) * (COLORS[k + 1][c] - COLORS[k][c])).round() as u8
    };
    format!("#{:02x}{:02x}{:02x}", mix(0), mix(1), mix(2))
}

fn mach(y: &[f64], cell: usize) -> f64 {
    let cells = y.len() / 4;
    let [rho, mx, my, e] = std::array::from_fn(|k| y[k * cells + cell]);
    let square = (mx * mx + my * my) / (rho * rho);
    let pressure = (GAMMA - 1.0) * (e - 0.5 * rho * square);
    (square * rho / (GAMMA * pressure)).sqrt()
}

/// The picture of the flow y at time t.
pub fn mach_svg(case: &Case, t: f64, y: &[f64], title: &str, below: &str) -> String {
    let grid = case.wing.grid(&case.p);
    let (sin, cos) = motion::angle(t, &case.p).sin_cos();
    let place = |k: usize| {
        let z = grid.metrics.nodes[k];
        let (x, y) = (cos * z.x + sin * z.y, cos * z.y - sin * z.x);
        (LEFT + SCALE * (x - X.0), TOP + 0.5 * HEIGHT - SCALE * y)
    };
    let (around, stride) = (grid.metrics.ni, grid.metrics.ni + 1);
    let corners = |cell: usize| {
        let at = cell / around * stride + cell % around;
        [at, at + 1, at + stride + 1, at + stride].map(place)
    };
    let seen = |cell: &usize| {
        corners(*cell)
            .iter()
            .any(|&(x, y)| (LEFT..LEFT + WIDTH).contains(&x) && (TOP..TOP + HEIGHT).contains(&y))
    };
    let cells: Vec<usize> = (0..grid.metrics.area.len()).filter(seen).collect();
    let values: Vec<f64> = cells.iter().map(|&cell| mach(y, cell)).collect();
    let low = (values.iter().fold(f64::INFINITY, |a, &b| a.min(b)) * 10.0).floor() / 10.0;
    let high = (values.iter().fold(0.0_f64, |a, &b| a.max(b)) * 10.0).ceil() / 10.0;

    let mut svg = head(title, below);
    for (&cell, &value) in cells.iter().zip(&values) {
        let fill = color((value - low) / (high - low));
        let points: Vec<String> =
            corners(cell).iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        // The line of the same colour hides the gaps that smoothed edges leave.
        let _ =
            writeln!(svg, r#"<path d="M{}Z" fill="{fill}" stroke="{fill}"/>"#, points.join(" "));
    }
    let section: Vec<String> =
        (0..around).map(place).map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let _ = writeln!(
        svg,
        "<path d=\"M{}Z\" fill=\"#ffffff\" stroke=\"#262c34\" stroke-width=\"2\"/>\n</g>",
        section.join(" ")
    );
    axes(&mut svg);
    scale(&mut svg, low, high);
    svg.push_str("</svg>\n");
    svg
}

fn text(svg: &mut String, (x, y): (f64, f64), size: u32, anchor: &str, words: &str) {
    let _ = writeln!(
        svg,
        r#"<text x="{x:.0}" y="{y:.0}" font-size="{size}" text-anchor="{anchor}">{words}</text>"#
    );
}

fn head(title: &str, below: &str) -> String {
    let mut svg = String::from(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1600\" height=\"900\" \
         viewBox=\"0 0 1600 900\" font-family=\"Helvetica, Arial, sans-serif\" fill=\"#262c34\">\n\
         <rect width=\"1600\" height=\"900\" fill=\"#ffffff\"/>\n",
    );
    text(&mut svg, (800.0, 54.0), 40, "middle", title);
    text(&mut svg, (800.0, 96.0), 25, "middle", below);
    let _ = writeln!(
        svg,
        "<clipPath id=\"seen\"><rect x=\"{LEFT}\" y=\"{TOP}\" width=\"{WIDTH}\" \
         height=\"{HEIGHT}\"/></clipPath>\n<g clip-path=\"url(#seen)\" stroke-width=\"0.8\">"
    );
    svg
}

/// Chords behind and above the quarter chord.
fn axes(svg: &mut String) {
    let _ = writeln!(
        svg,
        "<rect x=\"{LEFT}\" y=\"{TOP}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"none\" \
         stroke=\"#262c34\" stroke-width=\"2\"/>"
    );
    for k in -1..=2 {
        let x = 0.5 * f64::from(k);
        text(svg, (LEFT + SCALE * (x - X.0), TOP + HEIGHT + 34.0), 24, "middle", &signed(x));
    }
    for k in -1..=1 {
        let y = 0.5 * f64::from(k);
        let at = (LEFT - 14.0, TOP + 0.5 * HEIGHT - SCALE * y + 8.0);
        text(svg, at, 24, "end", &signed(y));
    }
    let middle = LEFT + 0.5 * WIDTH;
    let words = "behind the quarter chord, along the stream, in chords";
    text(svg, (middle, TOP + HEIGHT + 72.0), 27, "middle", words);
    let _ = writeln!(
        svg,
        "<text transform=\"translate(44 {:.0}) rotate(-90)\" font-size=\"27\" \
         text-anchor=\"middle\">above it, in chords</text>",
        TOP + 0.5 * HEIGHT
    );
}

fn signed(x: f64) -> String {
    if x < 0.0 { format!("−{:.1}", -x) } else { format!("{x:.1}") }
}

/// The colours and what they stand for.
fn scale(svg: &mut String, low: f64, high: f64) {
    const STRIPES: usize = 128;
    let (left, height) = (LEFT + WIDTH + 50.0, HEIGHT - 60.0);
    let bottom = TOP + HEIGHT;
    for k in 0..STRIPES {
        let top = bottom - height * (k + 1) as f64 / STRIPES as f64;
        let fill = color((k as f64 + 0.5) / STRIPES as f64);
        let tall = height / STRIPES as f64 + 0.5;
        let _ = writeln!(
            svg,
            r#"<rect x="{left}" y="{top:.2}" width="44" height="{tall:.2}" fill="{fill}"/>"#
        );
    }
    let _ = writeln!(
        svg,
        "<rect x=\"{left}\" y=\"{:.1}\" width=\"44\" height=\"{height}\" fill=\"none\" \
         stroke=\"#262c34\" stroke-width=\"2\"/>",
        bottom - height
    );
    let every = if high - low > 0.8 { 2 } else { 1 };
    for k in ((10.0 * low).round() as i32..=(10.0 * high).round() as i32).filter(|k| k % every == 0)
    {
        let value = 0.1 * f64::from(k);
        let y = bottom - height * (value - low) / (high - low) + 8.0;
        text(svg, (left + 58.0, y), 24, "start", &format!("{value:.1}"));
    }
    text(svg, (left + 40.0, TOP + 24.0), 27, "middle", "Mach");
}
