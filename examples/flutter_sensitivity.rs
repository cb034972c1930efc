//! At which speed an airfoil begins to flutter, and what moves that speed, found in two ways.
//!
//! By linear algebra: an eigenvalue pair of A(U, p) comes to the imaginary axis. By the response in
//! time, as a flow solver would give it: its growth rate g(U, p), from the energy in two windows,
//! comes to zero; ∂g/∂U and ∂g/∂p are two reverse sweeps that keep thirty states each. Either way
//! dU_F/dp follows from the implicit function.
//!
//!     cargo run --release --example flutter_sensitivity -- --out DIR
//!
//! writes flutter_speed.svg and flutter_sensitivities.svg to the directory, if there is one.

use std::path::Path;

use costate::plot::{Bar, Panel, Series, bars_svg, lines_svg};
use costate_models::aerodynamics::typical_section::growth::{GrowthRate, Onset};
use costate_models::aerodynamics::typical_section::{Flutter, TypicalSection};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let out = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => None,
        ["--out", directory] => Some(Path::new(directory).to_owned()),
        _ => return Err("the only option is --out DIR".into()),
    };
    let section = TypicalSection::new();
    let p = section.nominal();
    let flutter = section.flutter(&p, (1.0, 10.0))?;
    let onset = GrowthRate::default().flutter(section.model(), &p, 6.1)?;

    for (velocity, growth) in &onset.trials {
        println!("U = {velocity:.8}  growth {growth:+.2e}");
    }
    println!("           eigenvalues  time signal  difference");
    print_row("U_F", flutter.velocity, onset.velocity);
    for (i, name) in names(&section) {
        print_row(&format!("dU_F/d{name}"), flutter.wrt_params[i], onset.wrt_params[i]);
        let scale = flutter.wrt_params[i].abs().max(1e-3);
        assert!((onset.wrt_params[i] - flutter.wrt_params[i]).abs() < 1e-8 * scale);
    }
    // Lee, Jiang and Wong, J. Fluids Struct. 13 (1999) 75–101, give 6.2851.
    assert_eq!(format!("{:.4} {:.4}", flutter.velocity, onset.velocity), "6.2851 6.2851");

    if let Some(directory) = out {
        std::fs::create_dir_all(&directory)?;
        let speed = directory.join("flutter_speed.svg");
        std::fs::write(&speed, speed_picture(&section, &p, &flutter)?)?;
        let bars = directory.join("flutter_sensitivities.svg");
        std::fs::write(&bars, sensitivity_picture(&section, &p, &flutter, &onset)?)?;
        println!("{}\n{}", speed.display(), bars.display());
    }
    Ok(())
}

/// Places and names of the parameters other than U.
fn names(section: &TypicalSection) -> impl Iterator<Item = (usize, &str)> {
    section.model().parameters().iter().map(|parameter| parameter.name.as_str()).enumerate().skip(1)
}

fn print_row(name: &str, eigenvalues: f64, signal: f64) {
    let difference = (signal - eigenvalues).abs();
    println!("{name:9} {eigenvalues:+12.8} {signal:+12.8}  {difference:.0e}");
}

/// Growth rate and frequency of both modes over U, in units of ω_α, and measured growth rates.
fn speed_picture(section: &TypicalSection, p: &[f64], flutter: &Flutter) -> Outcome<String> {
    let mut p = p.to_vec();
    let mut curves = [const { Vec::new() }; 4];
    for k in 0..=375 {
        let velocity = 0.5 + 0.02 * f64::from(k);
        p[TypicalSection::VELOCITY] = velocity;
        let mut modes = section.eigenvalues(&p)?.map(|lambda| lambda * velocity);
        // The faster one at low speed stays the faster one, and flutters.
        modes.sort_by(|a, b| b.im.total_cmp(&a.im));
        let oscillating = modes.iter().filter(|lambda| lambda.im > 0.0);
        for (i, lambda) in oscillating.take(2).enumerate() {
            curves[i].push((velocity, lambda.re));
            curves[2 + i].push((velocity, lambda.im));
        }
    }
    let mut measured = Vec::new();
    for k in 0..10 {
        p[TypicalSection::VELOCITY] = 6.1 + 0.2 * f64::from(k);
        let growth = GrowthRate::default().measure(section.model(), &p)?.value;
        measured.push((p[TypicalSection::VELOCITY], p[TypicalSection::VELOCITY] * growth));
    }
    let line = |name, points: &[(f64, f64)]| Series { name, points: points.to_vec(), dots: false };
    let names = ["mode that flutters", "other mode"];
    let growth = Panel {
        x: "U = V / (b ω_α)",
        y: "growth rate ÷ ω_α",
        series: vec![
            line(names[0], &curves[0]),
            line(names[1], &curves[1]),
            line("growth rate 0", &[(0.5, 0.0), (8.0, 0.0)]),
            Series { name: "from the time signal", points: measured, dots: true },
        ],
    };
    let at_flutter = vec![(flutter.velocity, flutter.frequency)];
    let frequency = Panel {
        x: "U = V / (b ω_α)",
        y: "frequency ÷ ω_α",
        series: vec![
            line(names[0], &curves[2]),
            line(names[1], &curves[3]),
            Series { name: "flutter begins", points: at_flutter, dots: true },
        ],
    };
    let below = format!("it flutters from U = {:.4} on", flutter.velocity);
    Ok(lines_svg(&[growth, frequency], "The modes of the typical section over its speed", &below)?)
}

/// What 1 % of a parameter, or a damping ratio of 0.01, changes in U_F, in percent.
fn sensitivity_picture(
    section: &TypicalSection,
    p: &[f64],
    flutter: &Flutter,
    onset: &Onset,
) -> Outcome<String> {
    let labels = [
        ("mu", "mass ratio μ"),
        ("wb", "plunge freq. ω̄"),
        ("ah", "elastic axis a_h"),
        ("xa", "mass offset x_α"),
        ("ra", "gyration r_α"),
        ("zx", "damping ζ_ξ"),
        ("za", "damping ζ_α"),
    ];
    let percent = |i: usize, slope: f64| {
        let change = if p[i] == 0.0 { 0.01 } else { 0.01 * p[i].abs() };
        100.0 * slope * change / flutter.velocity
    };
    let bars = labels.iter().filter_map(|(parameter, name)| {
        let i = section.model().parameter_index(parameter)?;
        let values = [flutter.wrt_params[i], onset.wrt_params[i]].map(|slope| percent(i, slope));
        Some(Bar { name, values: values.to_vec() })
    });
    Ok(bars_svg(
        &["through the eigenvalues", "through the time signal and the adjoint"],
        &bars.collect::<Vec<_>>(),
        "change of the flutter speed in %",
        "What moves the flutter speed",
        "each parameter by 1 % of its size, the damping ratios by 0.01",
    )?)
}
