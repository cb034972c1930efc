//! The gradient against central differences on the same grid and steps.

use costate_models::aerodynamics::wing::Mean;
use costate_models::aerodynamics::wing::parameters::{
    ALPHA, FREQUENCY, MACH, NUM_PARAMS, THICKNESS, UPPER,
};

use crate::Outcome;
use crate::case::{Case, Size};
use crate::progress::Bar;

/// Those that are checked: all of them where a run takes no time.
pub fn checked(size: Size) -> Vec<usize> {
    match size {
        Size::Small => (0..NUM_PARAMS).collect(),
        Size::Medium => vec![MACH, ALPHA, FREQUENCY, THICKNESS, UPPER.start + 5],
        Size::Full => vec![ALPHA],
    }
}

/// The largest error of these derivatives, relative to differences that are extrapolated from two
/// lengths.
pub fn largest_error(case: &Case, mean: &Mean, gradient: &[f64], of: &[usize]) -> Outcome<f64> {
    let bar = Bar::new("central differences", 4 * of.len());
    let mut largest = 0.0_f64;
    for &k in of {
        let at = |h: f64| {
            let mut p = case.p.clone();
            p[k] += h;
            bar.increase();
            case.run(mean, &p).value().map_err(|error| case.explained(error))
        };
        let central = |h: f64| Outcome::Ok((at(h)?.0 - at(-h)?.0) / (2.0 * h));
        let h = 2e-5 * (0.1 + case.p[k].abs());
        let difference = (4.0 * central(h)? - central(2.0 * h)?) / 3.0;
        largest = largest.max((gradient[k] - difference).abs() / difference.abs());
    }
    Ok(largest)
}
