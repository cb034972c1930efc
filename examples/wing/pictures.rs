//! What is drawn.

use std::f64::consts::PI;

use costate::plan::curve::{Budgets, CurveNews};
use costate::plot::{Bar, Panel, Series, bars_svg, curve_svg, lines_svg};
use costate_models::aerodynamics::wing::motion;
use costate_models::aerodynamics::wing::parameters::{
    ALPHA, BUMPS, CAMBER, CAMBER_PLACE, FREQUENCY, LOWER, MACH, PITCH, PLUNGE, SHAPE, THICKNESS,
    UPPER,
};
use costate_models::aerodynamics::wing::section::surface;

use crate::Outcome;
use crate::case::{Case, DRAG, LIFT, Size};
use crate::design::{Design, less_drag};
use crate::field::mach_svg;
use crate::pressure::pressure_svg;
use crate::progress;
use crate::slow::slow_pitching_svg;
use crate::study::Study;

/// The name of a file, and SVG.
pub type Picture = (&'static str, String);

/// Draws each picture and hands it over as soon as it is there. The design's many gradients are left
/// out at full size.
pub fn all(case: &Case, study: &Study, keep: &dyn Fn(Picture) -> Outcome<()>) -> Outcome<()> {
    cycle(case, study)?.into_iter().try_for_each(keep)?;
    sensitivities(case, study)?.into_iter().try_for_each(keep)?;
    keep(("wing_slow_pitching.svg", slow_pitching_svg()?))?;
    keep(("wing_memory.svg", memory(case)?))?;
    match case.size {
        Size::Full => eprintln!("no wing_design.svg at full size: it takes an hour of gradients"),
        _ => keep(("wing_design.svg", design(case, &less_drag(case)?)?))?,
    }
    Ok(())
}

pub fn line<'a>(name: &'a str, points: Vec<(f64, f64)>) -> Series<'a> {
    Series { name, points, dots: false }
}

/// The loops of lift and drag over the last period, and the flow where the angle is largest, with
/// the pressure there and where it is smallest.
fn cycle(case: &Case, study: &Study) -> Outcome<Vec<Picture>> {
    const SAMPLES: usize = 120;
    let ((start, end), mean) = (case.window(), case.mean(LIFT));
    let times: Vec<f64> =
        (0..=SAMPLES).map(|k| start + (end - start) * k as f64 / SAMPLES as f64).collect();
    let run = case.run(&mean, &case.p).solve(&times).map_err(|error| case.explained(error))?;
    let (mut lift, mut drag) = (Vec::new(), Vec::new());
    for (&t, y) in times.iter().zip(&run.states) {
        let angle = motion::angle(t, &case.p).to_degrees();
        let c = case.wing.coefficients(t, y, &case.p);
        lift.push((angle, c.lift));
        drag.push((angle, c.drag));
    }
    let larger = |&a: &usize, &b: &usize| lift[a].0.total_cmp(&lift[b].0);
    let highest = (1..=SAMPLES).max_by(larger).unwrap_or(0);
    let lowest = (1..=SAMPLES).min_by(larger).unwrap_or(0);
    // It begins and ends at the mean angle, going down.
    let panel = |y, cycle: &[(f64, f64)]| {
        let series = vec![
            line("nose going up", cycle[lowest..=highest].to_vec()),
            line("nose going down", [&cycle[highest..], &cycle[..=lowest]].concat()),
            Series { name: "the cycle begins", points: vec![cycle[0]], dots: true },
        ];
        Panel { x: "angle of attack in degrees", y, series }
    };
    let panels = [panel("lift coefficient", &lift), panel("drag coefficient", &drag)];
    let (around, rings) = case.wing.size();
    let flow = format!(
        "NACA 1412, Mach number {}, reduced frequency {}, {around} × {rings} cells, \
         {} steps",
        case.p[MACH], case.p[FREQUENCY], case.steps
    );
    let title = format!("The flow at the largest angle of attack, {:.1}°", lift[highest].0);
    let at = |k: usize| (lift[k].0, &run.states[k][..]);
    let pressure = pressure_svg(&study.naca0012, case, at(highest), at(lowest))?;
    let below = format!("{flow}; dark line: Mach 1");
    Ok(vec![
        ("wing_cycle.svg", lines_svg(&panels, "Lift and drag over a cycle", &flow)?),
        ("wing_mach.svg", mach_svg(case, times[highest], &run.states[highest], &title, &below)),
        ("wing_pressure.svg", pressure),
    ])
}

/// What moves the mean lift and drag: the flow and the section's form as bars, the bumps as lines.
fn sensitivities(case: &Case, study: &Study) -> Outcome<Vec<Picture>> {
    let mean = case.mean(DRAG);
    let bar = progress::Bar::new("gradient of the drag", case.steps);
    let observe = |progress| bar.on_progress(progress);
    let run = || case.run(&mean, &case.p).budget(case.budget()).on_progress(&observe).gradient();
    let drag = run().map_err(|error| case.explained(error))?.wrt_params;
    drop(bar);
    let degree = 1_f64.to_radians();
    let changes = [
        (MACH, "Mach +0.001", 0.001),
        (ALPHA, "angle +0.01°", 0.01 * degree),
        (PITCH, "pitching +0.01°", 0.01 * degree),
        (FREQUENCY, "frequency +0.01", 0.01),
        (PLUNGE, "plunging +0.01 c", 0.01),
        (THICKNESS, "thickn. +0.001 c", 0.001),
        (CAMBER, "camber +0.0001 c", 0.0001),
        (CAMBER_PLACE, "its place +0.01 c", 0.01),
    ];
    let bars: Vec<Bar> = changes
        .iter()
        .map(|&(k, name, change)| {
            let lift = 100.0 * study.gradient[k] * change / study.lift_mean;
            Bar { name, values: vec![lift, 100.0 * drag[k] * change / study.drag_mean] }
        })
        .collect();
    let kinds = ["mean lift", "mean drag"];
    let below = format!(
        "mean lift {:.4}, mean drag {:.5}; all from two gradients by 30 parameters",
        study.lift_mean, study.drag_mean
    );
    let title = "What moves the means over a cycle";
    let bars = bars_svg(&kinds, &bars, "change of the mean in %", title, &below)?;
    let along = |slopes: &[f64], surface: std::ops::Range<usize>| -> Vec<(f64, f64)> {
        let heights = slopes[surface].iter().enumerate();
        heights.map(|(k, x)| ((k + 1) as f64 / (BUMPS + 1) as f64, 1e-3 * x)).collect()
    };
    let panel = |y, slopes: &[f64]| {
        let upper = line("on the upper surface", along(slopes, UPPER));
        let lower = line("on the lower surface", along(slopes, LOWER));
        Panel { x: "place of the bump in chords", y, series: vec![upper, lower] }
    };
    let panels = [
        panel("mean lift per 0.001 chords", &study.gradient),
        panel("mean drag per 0.001 chords", &drag),
    ];
    let below = "change of the means by an outward bump of 0.001 chords";
    let bumps = lines_svg(&panels, "Where the section is best changed", below)?;
    Ok(vec![("wing_sensitivities.svg", bars), ("wing_bumps.svg", bumps)])
}

/// Seconds and steps of the gradient in ever more memory; a few at full size, where each takes
/// minutes.
fn memory(case: &Case) -> Outcome<String> {
    // A sweep's own tape and vectors are up to 55 states.
    let least = 64 * 8 * costate::ode::Ode::dim(&case.wing) as u64;
    let bytes: Vec<u64> = match case.size {
        Size::Full => [60, 120, 200, 400].map(|megabytes| megabytes * 1_000_000).to_vec(),
        _ => (0..).map(|k| least << k).take_while(|&bytes| bytes <= 300_000_000).collect(),
    };
    let bar = progress::Bar::new("gradients by memory", bytes.len());
    let mean = case.mean(LIFT);
    let budgets = Budgets { bytes, ..Budgets::default() };
    let run = case.run(&mean, &case.p);
    let (curve, _) = run
        .budget_curve(&budgets, &|news| {
            if let CurveNews::Point(_) = news {
                bar.increase();
            }
        })
        .map_err(|error| case.explained(error))?;
    if !curve.points.iter().all(|point| point.bits_equal) {
        return Err("the gradient is not the same in each amount of memory".into());
    }
    let title = format!("The gradient of {} steps in ever more memory", case.steps);
    Ok(curve_svg(&curve, &title)?)
}

/// The section before and after, and the drag on the way.
fn design(case: &Case, design: &Design) -> Outcome<String> {
    const POINTS: usize = 240;
    let outline = |p: &[f64]| -> Vec<(f64, f64)> {
        let at = |k: usize| {
            let z = surface(&p[SHAPE], 2.0 * PI * k as f64 / POINTS as f64);
            (z.x, z.y)
        };
        (0..=POINTS).map(at).collect()
    };
    let section = Panel {
        x: "x in chords",
        y: "y in chords (enlarged)",
        series: vec![line("before", outline(&case.p)), line("after", outline(&design.p))],
    };
    let history = design.history.iter().enumerate();
    let drag: Vec<(f64, f64)> = history.map(|(k, means)| (k as f64, 1e4 * means.drag)).collect();
    let history = Panel {
        x: "steps along the projected gradient",
        y: "mean drag in 1/10 000",
        series: vec![
            line("mean drag", drag.clone()),
            Series { name: "after each step", points: drag, dots: true },
        ],
    };
    let (first, last) = (&design.history[0], &design.history[design.history.len() - 1]);
    let below = format!(
        "mean drag from {:.5} to {:.5}, mean lift from {:.4} to {:.4}, same area of the section",
        first.drag, last.drag, first.lift, last.lift
    );
    let below = below.replace('-', "−");
    Ok(lines_svg(&[section, history], "Less drag at the same lift", &below)?)
}
