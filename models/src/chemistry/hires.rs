//! HIRES: the high irradiance response of phytochrome, eight species.
//!
//! y₁' = −k₁y₁ + k₂y₂ + k₆y₃ + o,  y₂' = k₁y₁ − (k₂ + k₃)y₂,  y₃' = −(k₆ + k₁)y₃ + k₂y₄ + k₅y₅,
//! y₄' = k₃y₂ + k₁y₃ − (k₄ + k₂)y₄,  y₅' = −(k₅ + k₁)y₅ + k₂(y₆ + y₇),
//! y₆' = −k₇y₆y₈ + k₈y₄ + k₁y₅ − k₂y₆ + k₈y₇,  y₇' = k₇y₆y₈ − (k₂ + k₈ + k₉)y₇,  y₈' = −y₇'
//!
//! | symbol | meaning | value | unit |
//! |---|---|---|---|
//! | y₁ … y₈ | concentrations | 1, 0, …, 0, 0.0057 | – |
//! | k₁ … k₉ | rate constants | 1.71, 0.43, 8.32, 0.69, 0.035, 8.32, 280, 0.69, 0.69 | 1/time |
//! | o (`oks`) | supply of y₁ | 0.0007 | 1/time |
//!
//! Source: E. Schäfer, J. Math. Biol. 2 (1975) 41–56, doi:10.1007/BF00276015; constants and end
//! time 321.8122 are those of the Bari test set for initial value problems.
//!
//! Stresses: rates over four orders of magnitude, and parameters whose effects cancel.
//!
//! Known answer: y₇ + y₈ does not change in time.

use costate::model::Model;

/// The model of `models/chemistry/hires.json`; its objective is y₈ at the end.
pub fn model() -> Model {
    Model::from_json(include_str!("../../chemistry/hires.json"))
        .expect("the file beside this one is a model")
}

#[cfg(test)]
mod tests {
    use costate::method::Method;
    use costate::method::tableau::KVAERNO5;
    use costate::problem::Problem;

    #[test]
    fn the_bound_and_the_free_stay_together() {
        let model = super::model();
        let p = model.nominal();
        let solution = Problem::new(&model, model.span().unwrap(), &p)
            .method(Method::Named(&KVAERNO5))
            .solve(&[1.0, 10.0, 321.8122])
            .unwrap();
        for y in &solution.states {
            approx::assert_abs_diff_eq!(y[6] + y[7], 0.0057, epsilon = 1e-15);
        }
        assert!(solution.states[2][6] > 1e-3);
    }
}
