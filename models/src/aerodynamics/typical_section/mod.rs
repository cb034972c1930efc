//! The typical section as a linear system: its modes, the speed at which one begins to flutter, and
//! what moves that speed.
//!
//! Without its cubic springs the section of [`pitch_plunge`] is
//!
//! y' = A(U, p) y,  y = (ξ, ξ', α, α', z₁, z₂),
//!
//! so y is a sum of modes v e^{λτ} with A v = λ v. It flutters at the least U at which a pair of
//! eigenvalues comes to the imaginary axis: Re λ(U_F, p) = 0, Im λ > 0. With the left eigenvector,
//! uᴴ A = λ uᴴ and uᴴ v = 1,
//!
//! ∂λ/∂p = uᴴ (∂A/∂p) v,  dU_F/dp = −(Re ∂λ/∂p) / (Re ∂λ/∂U).
//!
//! The same from a time signal, as a flow solver would give it: see [`growth`].
//!
//! | symbol | meaning | value | unit |
//! |---|---|---|---|
//! | λ = σ + iω | growth rate and frequency of a mode, in τ = Ut/b | | half chords⁻¹ |
//! | U | velocity, over half chord and pitch frequency ω_α | 6.2851 at flutter | – |
//! | μ | mass ratio | 100 | – |
//! | ω̄ (`wb`) | plunge over pitch frequency | 0.2 | – |
//! | a_h, x_α, r_α | elastic axis, offset of the mass, radius of gyration | −0.5, 0.25, 0.5 | half chords |
//! | ζ_ξ, ζ_α (`zx`, `za`) | damping ratios | 0 | – |
//! | u, v | left and right eigenvector | | |
//!
//! Source: B. H. K. Lee, L. Y. Jiang and Y. S. Wong, J. Fluids Struct. 13 (1999) 75–101,
//! doi:10.1006/jfls.1998.0190, for the section; R. B. Nelson, AIAA J. 14 (1976) 1201–1205,
//! doi:10.2514/3.7211, for derivatives of eigenvalues and -vectors; D. H. Hodges and G. A. Pierce,
//! Introduction to Structural Dynamics and Aeroelasticity, 2nd ed. (2011),
//! doi:10.1017/CBO9780511997112, for the section of the second known answer.
//!
//! Stresses: a derivative of a derived quantity, once by linear algebra and once through a long
//! trajectory.
//!
//! Known answers: U_F = 6.2851 (Lee, Jiang and Wong). For Hodges and Pierce's section (a_h = −1/5,
//! x_α = 1/10, μ = 20, r_α² = 6/25, ω̄ = 2/5) with these lags U_F = 2.17036 at ω/ω_α = 0.64433, and
//! it diverges, A being singular, at U = √(μ r_α²/(1 + 2a_h)) = √8. At flutter the motion is
//! harmonic, so the two by two determinant with Theodorsen's function vanishes too.

mod flutter;
pub mod growth;
mod mode;

use costate::model::Model;
use costate::ode::{At, Ode, jacobian_at};
use nalgebra::{Complex, Matrix6, Schur};

pub use flutter::{Flutter, FlutterError};
pub use mode::Mode;

use super::pitch_plunge;

/// The pitch–plunge section near rest: y' = A(p) y.
///
/// ```
/// use costate_models::aerodynamics::typical_section::TypicalSection;
///
/// let section = TypicalSection::new();
/// let flutter = section.flutter(&section.nominal(), (1.0, 10.0))?;
/// assert_eq!(format!("{:.4}", flutter.velocity), "6.2851");
/// # Ok::<(), costate_models::aerodynamics::typical_section::FlutterError>(())
/// ```
#[derive(Clone, Debug)]
pub struct TypicalSection {
    model: Model,
}

impl Default for TypicalSection {
    fn default() -> Self {
        Self::new()
    }
}

impl TypicalSection {
    /// The place of U in the parameter vector.
    pub const VELOCITY: usize = 0;
    /// The place of β_α, the cubic stiffness in pitch.
    pub const PITCH_CUBIC: usize = 9;

    /// The section of [`pitch_plunge`].
    pub fn new() -> Self {
        TypicalSection { model: pitch_plunge::model() }
    }

    /// The model in time, cubic springs included.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The published parameters of the linear section: cubic stiffness 0.
    pub fn nominal(&self) -> Vec<f64> {
        let mut p = self.model.nominal();
        p[Self::PITCH_CUBIC] = 0.0;
        p
    }

    /// A(p), the Jacobian at rest.
    ///
    /// # Errors
    /// Where the number of parameters is not the model's, or an entry is not finite.
    pub fn matrix(&self, p: &[f64]) -> Result<Matrix6<f64>, FlutterError> {
        let (expected, found) = (self.model.num_params(), p.len());
        if expected != found {
            return Err(FlutterError::Length { expected, found });
        }
        let not_finite = || FlutterError::NotFinite { velocity: velocity(p) };
        let jacobian =
            jacobian_at(&self.model, At { t: 0.0, y: &[0.0; 6], p }).map_err(|_| not_finite())?;
        let matrix = Matrix6::from_fn(|i, j| jacobian.get(i, j));
        match matrix.iter().all(|entry| entry.is_finite()) {
            true => Ok(matrix),
            false => Err(not_finite()),
        }
    }

    /// The six eigenvalues of A(p).
    ///
    /// # Errors
    /// As [`matrix`](Self::matrix), and where the QR iteration does not converge.
    pub fn eigenvalues(&self, p: &[f64]) -> Result<[Complex<f64>; 6], FlutterError> {
        let schur = Schur::try_new(self.matrix(p)?, f64::EPSILON, mode::MAX_ITERATIONS);
        let failed = FlutterError::Eigenvalues { velocity: velocity(p) };
        Ok(schur.ok_or(failed)?.complex_eigenvalues().into())
    }

    /// The mode that oscillates, Im λ > 0, and grows fastest or dies out most slowly.
    ///
    /// # Errors
    /// As [`eigenvalues`](Self::eigenvalues), and where no mode oscillates.
    pub fn critical_mode(&self, p: &[f64]) -> Result<Mode, FlutterError> {
        let none = FlutterError::NoOscillation { velocity: velocity(p) };
        self.mode(p, self.critical_eigenvalue(p)?.ok_or(none)?)
    }

    fn critical_eigenvalue(&self, p: &[f64]) -> Result<Option<Complex<f64>>, FlutterError> {
        let oscillating = self.eigenvalues(p)?.into_iter().filter(|lambda| lambda.im > 0.0);
        Ok(oscillating.max_by(|a, b| a.re.total_cmp(&b.re)))
    }
}

/// U, for messages.
fn velocity(p: &[f64]) -> f64 {
    p.get(TypicalSection::VELOCITY).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests;
