//! The Mach number around the section, in bands, as SVG.

use std::fmt::Write;

use costate_models::aerodynamics::euler::gas::GAMMA;
use costate_models::aerodynamics::wing::motion;

use crate::case::Case;
use crate::contour::Mesh;

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

/// Bands to a unit of the Mach number.
const BANDS: f64 = 20.0;

/// What is shown, in chords from the quarter chord, and where on the page.
const X: (f64, f64) = (-0.75, 1.35);
const LEFT: f64 = 130.0;
const TOP: f64 = 120.0;
const WIDTH: f64 = 1240.0;
const HEIGHT: f64 = 680.0;
const SCALE: f64 = WIDTH / (X.1 - X.0);

/// Of one of the bands from `low` to `high`.
fn color(band: i32, low: i32, high: i32) -> String {
    let fraction = f64::from(band - low) / f64::from((high - 1 - low).max(1));
    let place = fraction * (COLORS.len() - 1) as f64;
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

/// The Mach number between the centres of the cells, and up to the wall.
fn mesh(case: &Case, t: f64, y: &[f64]) -> Mesh {
    let metrics = &case.wing.grid(&case.p).metrics;
    let (around, rings) = case.wing.size();
    let (sin, cos) = motion::angle(t, &case.p).sin_cos();
    let mean = |corners: &[usize]| {
        let sum = corners
            .iter()
            .fold((0.0, 0.0), |(x, y), &k| (x + metrics.nodes[k].x, y + metrics.nodes[k].y));
        on_page(sum, corners.len() as f64, sin, cos)
    };
    let wall = (0..around).map(|i| {
        let extrapolated = 1.5 * mach(y, i) - 0.5 * mach(y, i + around);
        (mean(&[i, i + 1]), extrapolated.max(0.0))
    });
    let cells = (0..around * rings).map(|cell| {
        let at = cell / around * (around + 1) + cell % around;
        (mean(&[at, at + 1, at + around + 1, at + around + 2]), mach(y, cell))
    });
    let (mut points, mut values): (Vec<_>, Vec<_>) = wall.chain(cells).unzip();
    let mut triangles = Vec::new();
    for k in 0..around * rings {
        let next = k / around * around + (k + 1) % around;
        let quad = [k, next, next + around, k + around];
        if !is_seen(&quad.map(|k| points[k])) {
            continue;
        }
        let middle = points.len();
        let sum = quad.iter().fold((0.0, 0.0), |(x, y), &k| (x + points[k].0, y + points[k].1));
        points.push((0.25 * sum.0, 0.25 * sum.1));
        values.push(0.25 * quad.iter().map(|&k| values[k]).sum::<f64>());
        triangles.extend((0..4).map(|k| [quad[k], quad[(k + 1) % 4], middle]));
    }
    Mesh { points, values, triangles }
}

fn on_page((x, y): (f64, f64), parts: f64, sin: f64, cos: f64) -> (f64, f64) {
    let (along, above) = ((cos * x + sin * y) / parts, (cos * y - sin * x) / parts);
    (LEFT + SCALE * (along - X.0), TOP + 0.5 * HEIGHT - SCALE * above)
}

fn is_seen(corners: &[(f64, f64)]) -> bool {
    let meets = |of: fn(&(f64, f64)) -> f64, start: f64, length: f64| {
        corners.iter().any(|at| of(at) > start) && corners.iter().any(|at| of(at) < start + length)
    };
    meets(|at| at.0, LEFT, WIDTH) && meets(|at| at.1, TOP, HEIGHT)
}

/// The picture of the flow y at time t. Each band is drawn over the one below it, so that no gap
/// can be seen between them.
pub fn mach_svg(case: &Case, t: f64, y: &[f64], title: &str, below: &str) -> String {
    let mesh = mesh(case, t, y);
    let seen = || mesh.triangles.iter().flatten().map(|&k| mesh.values[k]);
    let low = (seen().fold(f64::INFINITY, f64::min) * BANDS).floor() as i32;
    let high = (seen().fold(0.0, f64::max) * BANDS).ceil() as i32;

    let mut svg = head(title, below);
    for band in low..high {
        let region = path(mesh.above(f64::from(band) / BANDS));
        let _ = writeln!(svg, r#"<path d="{region}" fill="{}"/>"#, color(band, low, high));
    }
    let sonic = path(mesh.above(1.0));
    let _ = writeln!(svg, r##"<path d="{sonic}" fill="none" stroke="#262c34" stroke-width="4"/>"##);
    let grid = case.wing.grid(&case.p);
    let (sin, cos) = motion::angle(t, &case.p).sin_cos();
    let corners = grid.metrics.nodes[..grid.metrics.ni].iter();
    let section = path(vec![corners.map(|z| on_page((z.x, z.y), 1.0, sin, cos)).collect()]);
    let _ = writeln!(
        svg,
        "<path d=\"{section}\" fill=\"#ffffff\" stroke=\"#262c34\" stroke-width=\"2\"/>\n</g>"
    );
    axes(&mut svg);
    scale(&mut svg, low, high);
    svg.push_str("</svg>\n");
    svg
}

fn path(loops: Vec<Vec<(f64, f64)>>) -> String {
    let mut path = String::new();
    for points in loops {
        let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let _ = write!(path, "M{}Z", points.join(" "));
    }
    path
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
         height=\"{HEIGHT}\"/></clipPath>\n<g clip-path=\"url(#seen)\">"
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

/// The colours and what they stand for, with the line of Mach 1.
fn scale(svg: &mut String, low: i32, high: i32) {
    let (left, height) = (LEFT + WIDTH + 50.0, HEIGHT - 60.0);
    let bottom = TOP + HEIGHT;
    let tall = height / f64::from(high - low);
    let level = |band: i32| bottom - tall * f64::from(band - low);
    for band in low..high {
        let (top, fill) = (level(band + 1), color(band, low, high));
        // Up to half a pixel under the next one, so that there is no gap.
        let _ = writeln!(
            svg,
            r#"<rect x="{left}" y="{:.2}" width="44" height="{:.2}" fill="{fill}"/>"#,
            top - 0.5,
            tall + 0.5
        );
    }
    let _ = writeln!(
        svg,
        "<rect x=\"{left}\" y=\"{:.1}\" width=\"44\" height=\"{height}\" fill=\"none\" \
         stroke=\"#262c34\" stroke-width=\"2\"/>",
        bottom - height
    );
    let every = if high - low > 16 { 4 } else { 2 };
    for band in (low..=high).filter(|band| band % every == 0) {
        let value = format!("{:.1}", f64::from(band) / BANDS);
        text(svg, (left + 58.0, level(band) + 8.0), 24, "start", &value);
    }
    let sonic = BANDS as i32;
    if (low..high).contains(&sonic) {
        let (y, right) = (level(sonic), left + 44.0);
        let _ = writeln!(
            svg,
            r##"<path d="M{left},{y:.1} {right},{y:.1}" stroke="#262c34" stroke-width="4"/>"##
        );
    }
    text(svg, (left + 40.0, TOP + 24.0), 27, "middle", "Mach");
}
