//! A rigid section on springs in plunge and pitch, in incompressible unsteady flow.
//!
//! With τ = Ut/b, h = 1/2 − a_h, the velocity at three quarters of the chord v = α + ξ' + hα', lags
//! z_i' = v − ε_i z_i, and the circulatory lift D = (1 − c₁ − c₂)v + c₁ε₁z₁ + c₂ε₂z₂:
//!
//! (1 + 1/μ) ξ'' + (x_α − a_h/μ) α''
//!   = −2ζ_ξ(ω̄/U)ξ' − (ω̄/U)²(ξ + β_ξξ³) − α'/μ − 2D/μ,
//!
//! (x_α − a_h/μ)/r_α² ξ'' + (1 + (1 + 8a_h²)/(8μr_α²)) α''
//!   = −2ζ_α/U α' − (α + β_αα³)/U² + 2(1/2 + a_h)D/(μr_α²) − hα'/(μr_α²).
//!
//! | symbol | meaning | value | unit |
//! |---|---|---|---|
//! | ξ, α | plunge in half chords, pitch angle | α(0) = 0.1 | –, rad |
//! | z₁, z₂ | lags of Wagner's function | 0 | – |
//! | U | velocity, over half chord and pitch frequency | 6.6 | – |
//! | μ | mass ratio | 100 | – |
//! | ω̄ (`wb`) | plunge over pitch frequency | 0.2 | – |
//! | a_h, x_α, r_α | elastic axis, offset of the mass, radius of gyration | −0.5, 0.25, 0.5 | half chords |
//! | ζ_ξ, ζ_α (`zx`, `za`) | damping ratios | 0 | – |
//! | β_ξ, β_α (`bx`, `ba`) | cubic stiffness | 0, 3 | – |
//! | c₁, c₂, ε₁, ε₂ | Wagner's function | 0.165, 0.335, 0.0455, 0.3 | – |
//!
//! Source: B. H. K. Lee, L. Y. Jiang and Y. S. Wong, J. Fluids Struct. 13 (1999) 75–101,
//! doi:10.1006/jfls.1998.0190; Wagner's function after R. T. Jones, NACA Report 681 (1940).
//!
//! Stresses: a long oscillation with a running cost, ∫ (α² + ξ²) dτ, and ten parameters that enter
//! through a mass matrix.
//!
//! Known answer: without damping and cubic stiffness it flutters at U = 6.2851 (Lee, Jiang and
//! Wong).

use costate::model::Model;

/// The model of `models/aerodynamics/pitch_plunge.json`; its objective is ∫ (α² + ξ²) dτ.
pub fn model() -> Model {
    Model::from_json(include_str!("../../aerodynamics/pitch_plunge.json"))
        .expect("the file beside this one is a model")
}

#[cfg(test)]
mod tests {
    use costate::problem::Problem;

    /// ∫ (α² + ξ²) over τ in [300, 600] over that in [0, 300], of the linear section.
    fn growth(velocity: f64) -> f64 {
        let model = super::model();
        let mut p = model.nominal();
        p[0] = velocity;
        p[9] = 0.0;
        let energy = |end: f64| {
            let problem = Problem::new(&model, (0.0, end), &p);
            problem.rtol(1e-9).atol(1e-12).value().unwrap().0
        };
        let first = energy(300.0);
        (energy(600.0) - first) / first
    }

    #[test]
    fn it_flutters_where_published() {
        assert!(growth(6.2) < 1.0);
        assert!(growth(6.37) > 1.0);
    }
}
