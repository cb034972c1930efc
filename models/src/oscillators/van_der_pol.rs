//! The Van der Pol oscillator, relaxing.
//!
//! y₁' = y₂,  y₂' = μ (1 − y₁²) y₂ − y₁
//!
//! | symbol | meaning | value | unit |
//! |---|---|---|---|
//! | y₁ | current | y₁(0) = 2 | – |
//! | y₂ | its rate | y₂(0) = 0 | – |
//! | μ | strength of the damping | 1000 | – |
//!
//! Source: B. van der Pol, Phil. Mag. 2 (1926) 978–992, doi:10.1080/14786442608564127; μ and the end
//! time 2000 are those of the Bari test set for initial value problems.
//!
//! Stresses: step sizes over seven orders of magnitude, as slow arcs end in jumps.
//!
//! Known answer: for large μ the period is μ (3 − 2 ln 2) + 7.01432 μ^{−1/3} up to terms of order
//! ln μ / μ (Dorodnicyn 1947), after which the run is back at y₁ = 2.

use costate::model::Model;

/// The model of `models/oscillators/van_der_pol.json`; its objective is y₁ at the end.
pub fn model() -> Model {
    Model::from_json(include_str!("../../oscillators/van_der_pol.json"))
        .expect("the file beside this one is a model")
}

#[cfg(test)]
mod tests {
    use costate::method::Method;
    use costate::method::tableau::KVAERNO5;
    use costate::problem::Problem;

    #[test]
    fn a_period_brings_it_back() {
        let (model, mu) = (super::model(), 1000.0_f64);
        let p = [mu];
        let period = mu * (3.0 - 2.0 * 2.0_f64.ln()) + 7.01432 * mu.powf(-1.0 / 3.0);
        let problem = Problem::new(&model, (0.0, period), &p)
            .method(Method::Named(&KVAERNO5))
            .rtol(1e-9)
            .atol(1e-12);
        let solution = problem.solve(&[0.5 * period, period]).unwrap();
        // On the slow arc y₁ changes by 2/(3μ) in a unit of time.
        approx::assert_abs_diff_eq!(solution.states[1][0], 2.0, epsilon = 1e-4);
        approx::assert_abs_diff_eq!(solution.states[0][0], -2.0, epsilon = 1e-4);
    }
}
