//! Orders of convergence: of states, gradients, running costs and dense output by step size; of
//! adaptive runs and of the continuous adjoint by tolerance; and what must not change the latter.

mod adaptive;
mod continuous;
mod fixed;
mod invariance;
mod single;
mod spiral;
mod stiff;

/// Errors by step size or tolerance.
struct Curve(Vec<(f64, f64)>);

impl Curve {
    /// Errors of runs of 8, 11, 16, 23, … steps, each √2 times the one before: the last six
    /// between 8ε for each step, above what rounding leaves, and 1e-2. Runs may fail where steps are
    /// long.
    fn by_steps(error: impl Fn(usize) -> Option<f64>) -> Self {
        let mut points = vec![];
        for half_doublings in 6..=27 {
            let steps = 2.0_f64.powf(0.5 * f64::from(half_doublings)).round();
            let error = error(steps as usize).unwrap_or(f64::INFINITY);
            if error < 8.0 * f64::EPSILON * steps {
                break;
            }
            if error < 1e-2 {
                points.push((1.0 / steps, error));
            }
        }
        let coarse = points.len().saturating_sub(6);
        Curve(points.split_off(coarse))
    }

    /// Errors at the tolerances 10^−k.
    fn by_tolerance(k: impl Iterator<Item = i32>, error: impl Fn(f64) -> f64) -> Self {
        Curve(k.map(|k| 10.0_f64.powi(-k)).map(|rtol| (rtol, error(rtol))).collect())
    }

    /// The exponent s of error = C xˢ, by least squares over logarithms.
    fn slope(&self) -> f64 {
        let count = self.0.len() as f64;
        let logs = || self.0.iter().map(|(x, error)| (x.ln(), error.ln()));
        let (x, e) = logs().fold((0.0, 0.0), |(x, e), (a, b)| (x + a / count, e + b / count));
        let up: f64 = logs().map(|(a, b)| (a - x) * (b - e)).sum();
        up / logs().map(|(a, _)| (a - x).powi(2)).sum::<f64>()
    }

    /// Fails unless there are five errors or more, and the slope is in `range`.
    fn assert_slope(&self, what: &str, range: std::ops::RangeInclusive<f64>) {
        assert!(self.0.len() >= 5, "{what}: {} errors in the window", self.0.len());
        let slope = self.slope();
        let (first, last) = (self.0[0].1, self.0[self.0.len() - 1].1);
        println!("{what}: {slope:.2} over {} errors, {first:.1e} to {last:.1e}", self.0.len());
        assert!(range.contains(&slope), "{what}: slope {slope:.3}, {:?}", self.0);
    }
}
