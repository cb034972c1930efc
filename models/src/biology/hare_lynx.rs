//! Snowshoe hares and lynxes in Canada: predators and prey, with pelts as the data.
//!
//! u' = α u − β u v,  v' = δ u v − γ v
//!
//! | symbol | meaning | value | unit |
//! |---|---|---|---|
//! | u (`hare`), v (`lynx`) | pelts bought in a year | u(1900) = 34, v(1900) = 5.9 | thousands |
//! | α (`birth`) | birth rate of the hares | 0.55 | 1/year |
//! | β (`hunting`) | loss of hares by a thousand lynxes | 0.028 | 1/year |
//! | γ (`death`) | death rate of the lynxes | 0.8 | 1/year |
//! | δ (`feeding`) | gain of lynxes by a thousand hares | 0.024 | 1/year |
//!
//! The four rates are estimated as logarithms to base 10. Observed are u and v in each year from
//! 1900 to 1920, in the table `hare_lynx.csv`.
//!
//! Source: as [`lotka_volterra`](super::lotka_volterra). Data and parameters: B. Carpenter,
//! Predator-Prey Population Dynamics: the Lotka-Volterra model in Stan (2018), after P. Howard.
//!
//! Stresses: data in a table beside the model; a span that does not begin at 0.
//!
//! Known answer: δ u − γ ln u + β v − α ln v does not change in time (Volterra).

use costate::model::Model;

/// The model of `models/biology/hare_lynx.json`, with the table beside it.
pub fn model() -> Model {
    Model::from_file(concat!(env!("CARGO_MANIFEST_DIR"), "/biology/hare_lynx.json"))
        .expect("the file beside this one is a model")
}

#[cfg(test)]
mod tests {
    use costate::problem::Problem;

    #[test]
    fn volterras_invariant_is_kept_and_the_data_are_near() {
        let model = super::model();
        let p = model.nominal();
        let times = model.measured_times();
        assert_eq!(times, (1900..=1920).map(f64::from).collect::<Vec<_>>());
        let problem = Problem::new(&model, (1900.0, 1920.0), &p);
        let solution = problem.rtol(1e-12).atol(1e-12).solve(&times).unwrap();
        let invariant =
            |y: &[f64]| 0.024 * y[0] - 0.8 * y[0].ln() + 0.028 * y[1] - 0.55 * y[1].ln();
        let first = invariant(&solution.states[0]);
        for y in &solution.states {
            assert!((invariant(y) - first).abs() < 1e-9, "{y:?}");
        }
        let residuals = model.residuals(&p, &solution.states).unwrap();
        assert_eq!(residuals.len(), 2 * 21);
        let last = residuals.last().unwrap();
        assert_eq!((last.observable, last.t, last.data, last.sigma), ("lynx", 1920.0, 8.6, 5.0));
        // The cycles are met: residuals are a third of what the data vary by.
        let sum: f64 = residuals.iter().map(|r| r.residual * r.residual).sum();
        assert!(sum < 42.0 * 2.0, "{sum}");
    }
}
