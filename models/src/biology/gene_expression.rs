//! Two-stage gene expression: mRNA from a gene, protein from mRNA, both decaying.
//!
//! m' = v₀ − d₀ m,  n' = v₁ m − d₁ n
//!
//! | symbol | meaning | value | unit |
//! |---|---|---|---|
//! | m, n | mRNA, protein | m(0) = 0, n(0) = `basal` | molecules |
//! | v₀ (`transcription`) | mRNA made | 15 | 1/min |
//! | d₀ (`mrna_decay`) | mRNA lost | 0.25 | 1/min |
//! | v₁ (`translation`) | protein made by each mRNA | 6 | 1/min |
//! | d₁ (`protein_decay`) | protein lost | 0.04 | 1/min |
//!
//! The four rates are estimated as logarithms to base 10. Observed are m, with an error model, and
//! ln n.
//!
//! Source: V. Shahrezaei and P. S. Swain, PNAS 105 (2008) 17256–17261, doi:10.1073/pnas.0803850105:
//! the mean of the two-stage model. The data are made up; the file says how.
//!
//! Stresses: parameters on a logarithmic scale, an initial state that is a parameter, observations
//! whose weights depend on the state.
//!
//! Known answer: the equations are linear and have a closed solution.

use costate::model::Model;

/// The model of `models/biology/gene_expression.json`.
pub fn model() -> Model {
    Model::from_json(include_str!("../../biology/gene_expression.json"))
        .expect("the file beside this one is a model")
}

#[cfg(test)]
mod tests {
    use costate::problem::Problem;

    #[test]
    fn the_closed_solution_is_found() {
        let model = super::model();
        let p = model.nominal();
        let times = [0.0, 1.0, 5.0, 20.0, 100.0];
        let solution =
            Problem::new(&model, (0.0, 100.0), &p).rtol(1e-12).atol(1e-12).solve(&times).unwrap();
        let (v0, d0, v1, d1, basal) = (15.0, 0.25, 6.0, 0.04, 1.0);
        for (t, y) in times.iter().zip(&solution.states) {
            let decay = |d: f64| (-d * t).exp();
            let mrna = v0 / d0 * (1.0 - decay(d0));
            let protein = basal * decay(d1)
                + v1 * v0 / d0 * ((1.0 - decay(d1)) / d1 - (decay(d1) - decay(d0)) / (d0 - d1));
            assert!((y[0] - mrna).abs() <= 1e-10 * mrna, "{t}: {y:?}");
            assert!((y[1] - protein).abs() <= 1e-10 * protein, "{t}: {y:?}");
        }
    }
}
