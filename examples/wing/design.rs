//! Less drag at the same lift and the same area of the section, by a few steps along the projected
//! gradient.

use costate_models::aerodynamics::wing::Mean;
use costate_models::aerodynamics::wing::parameters::{BUMPS, LOWER, UPPER};
use costate_models::aerodynamics::wing::section::bump;

use crate::Outcome;
use crate::case::{Case, DRAG, LIFT};
use crate::progress::Bar;

/// Steps, and the largest change of a bump in the first of them, in chords.
const STEPS: usize = 8;
const FIRST: f64 = 1e-3;
const HALVINGS: usize = 6;

/// The mean lift and drag of a section.
#[derive(Clone, Copy)]
pub struct Means {
    pub lift: f64,
    pub drag: f64,
}

pub struct Design {
    /// The parameters that were found.
    pub p: Vec<f64>,
    /// Before the first step and after each.
    pub history: Vec<Means>,
}

/// The heights of the bumps are what changes.
fn bumps(x: &[f64]) -> Vec<f64> {
    x[UPPER.start..LOWER.end].to_vec()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// a − b (a·b)/(b·b)
fn without(a: &[f64], b: &[f64]) -> Vec<f64> {
    let factor = dot(a, b) / dot(b, b);
    a.iter().zip(b).map(|(a, b)| a - factor * b).collect()
}

/// ∫ b_k dx for the bumps of both surfaces: the derivative of the section's area.
fn area_slopes() -> Vec<f64> {
    const POINTS: usize = 2000;
    let integral = |k: usize| {
        let at = |i: usize| bump(k, (i as f64 + 0.5) / POINTS as f64);
        (0..POINTS).map(at).sum::<f64>() / POINTS as f64
    };
    (0..2 * BUMPS).map(|k| integral(k % BUMPS + 1)).collect()
}

pub fn less_drag(case: &Case) -> Outcome<Design> {
    let (lift, drag) = (case.mean(LIFT), case.mean(DRAG));
    let gradient = |mean: &Mean, p: &[f64]| {
        let found = case.run(mean, p).budget(case.budget()).gradient();
        found.map_err(|error| case.explained(error))
    };
    let value = |mean: &Mean, p: &[f64]| {
        Outcome::Ok(case.run(mean, p).value().map_err(|error| case.explained(error))?.0)
    };
    let bar = Bar::new("design", STEPS);
    let (mut p, mut longest, area) = (case.p.clone(), FIRST, area_slopes());
    let mut history: Vec<Means> = Vec::new();
    for _ in 0..STEPS {
        let (of_lift, of_drag) = (gradient(&lift, &p)?, gradient(&drag, &p)?);
        let now = Means { lift: of_lift.value, drag: of_drag.value };
        if history.is_empty() {
            history.push(now);
        }
        let along_lift = without(&bumps(&of_lift.wrt_params), &area);
        let down = without(&without(&bumps(&of_drag.wrt_params), &area), &along_lift);
        let steepest = down.iter().fold(0.0_f64, |a, x| a.max(x.abs()));
        let missing = (history[0].lift - now.lift) / dot(&along_lift, &along_lift);
        let mut tries = 0..HALVINGS;
        let better = loop {
            let Some(_) = tries.next() else { break None };
            let mut trial = p.clone();
            for (k, height) in trial[UPPER.start..LOWER.end].iter_mut().enumerate() {
                *height += missing * along_lift[k] - longest * down[k] / steepest;
            }
            if case.wing.check(&trial).is_ok() {
                let drag = value(&drag, &trial)?;
                if drag < now.drag {
                    break Some((drag, trial));
                }
            }
            longest *= 0.5;
        };
        let Some((drag, trial)) = better else { break };
        history.push(Means { lift: value(&lift, &trial)?, drag });
        p = trial;
        longest *= 1.3;
        bar.increase();
    }
    Ok(Design { p, history })
}
