//! The growth rate of a computed response, with its gradient by the adjoint.
//!
//! Between a window that begins at τ₁ and one that begins at τ₂ the energy of a response grows by
//!
//! g = ln (J₂/J₁) / (2(τ₂ − τ₁)),  J_k = ∫ w(τ − τ_k) (ξ² + α²) dτ,  w(s) = sin¹²(πs/W), 0 ≤ s ≤ W.
//!
//! Of a single mode e^{στ} cos(ωτ + φ) the part of ξ² + α² that does not oscillate is e^{2στ} and
//! gives g = σ exactly, whatever W. What is left stems from three things. The rest oscillates at
//! 2ω; of n = ωW/π periods of it in a window, sin¹² leaves about
//! 6!²/((n² − 1)(n² − 4) … (n² − 36)) / πn: 7e-7 for n = 8.5, 8e-11 for 15.5. The phase at τ₂ is
//! τ₂ω(p), so ∂g/∂p has τ₂ ∂ω/∂p times as much. And other modes, which die out by
//! e^{(σ₂ − σ)τ₁} until the first window.
//!
//! A signal is all that is needed: of a flow solver no one has the eigenvalues. Flutter begins at
//! g(U, p) = 0, which Newton's method finds with the adjoint's ∂g/∂U, and
//! dU_F/dp = −(∂g/∂p) / (∂g/∂U).

use costate::adjoint::Gradient;
use costate::error::Error;
use costate::method::Method;
use costate::method::tableau::DOP853;
use costate::model::Model;
use costate::ode::objective::Objective;
use costate::ode::{At, Bars, Ode};
use costate::problem::Problem;

use super::{FlutterError, TypicalSection};

/// J = ∫ w(τ − `start`) (ξ² + α²) dτ with w(s) = sin¹²(πs/`width`) for 0 ≤ s ≤ `width`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WindowedEnergy {
    /// τ at which the window begins.
    pub start: f64,
    /// Its length.
    pub width: f64,
}

/// The places of ξ and α in the state.
const DISPLACEMENTS: [usize; 2] = [0, 2];

/// α(0), so small that the cubic springs do not count.
const AMPLITUDE: f64 = 1e-6;

impl WindowedEnergy {
    /// w and its derivative.
    fn weight(&self, tau: f64) -> (f64, f64) {
        let turn = std::f64::consts::PI / self.width;
        let s = tau - self.start;
        if !(0.0..=self.width).contains(&s) {
            return (0.0, 0.0);
        }
        let (sin, cos) = (turn * s).sin_cos();
        (sin.powi(12), 12.0 * turn * cos * sin.powi(11))
    }
}

fn energy(y: &[f64]) -> f64 {
    DISPLACEMENTS.iter().map(|&i| y[i] * y[i]).sum()
}

impl Objective for WindowedEnergy {
    type Scratch = ();

    fn scratch(&self) {}
    fn scratch_bytes(&self) -> usize {
        0
    }

    fn times(&self) -> &[f64] {
        &[]
    }

    fn point(&self, _i: usize, _: At<'_>, _: &mut ()) -> f64 {
        0.0
    }

    fn point_vjp(&self, _i: usize, _: At<'_>, _: Bars<'_>, _: &mut ()) {}

    fn has_integrand(&self) -> bool {
        true
    }

    fn integrand(&self, At { t, y, .. }: At<'_>, _: &mut ()) -> f64 {
        self.weight(t).0 * energy(y)
    }

    fn integrand_vjp(
        &self,
        At { t, y, .. }: At<'_>,
        weight: f64,
        Bars { y: y_bar, t: t_bar, .. }: Bars<'_>,
        _: &mut (),
    ) {
        let (w, w_t) = self.weight(t);
        for i in DISPLACEMENTS {
            y_bar[i] += weight * w * 2.0 * y[i];
        }
        *t_bar += weight * w_t * energy(y);
    }
}

/// How the growth rate is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GrowthRate {
    /// τ₁ and τ₂.
    pub starts: [f64; 2],
    /// W.
    pub width: f64,
    /// The relative tolerance of the trajectory.
    pub rtol: f64,
    /// How many states the reverse sweep may keep.
    pub snapshots: usize,
}

impl Default for GrowthRate {
    /// For the published section, whose flutter has a period of 75 half chords: 27 periods of 2ω
    /// in a window.
    fn default() -> Self {
        GrowthRate { starts: [500.0, 1500.0], width: 1000.0, rtol: 1e-10, snapshots: 30 }
    }
}

/// A growth rate with its derivatives.
#[derive(Clone, Debug, PartialEq)]
pub struct Growth {
    /// g, for one half chord travelled.
    pub value: f64,
    /// ∂g/∂p.
    pub wrt_params: Vec<f64>,
    /// Bytes that snapshots held at the peak.
    pub snapshot_bytes_peak: u64,
    /// Steps of the longer run.
    pub steps: u64,
}

/// A flutter speed found in responses.
#[derive(Clone, Debug, PartialEq)]
pub struct Onset {
    /// U_F.
    pub velocity: f64,
    /// dU_F/dp; 0 for U itself.
    pub wrt_params: Vec<f64>,
    /// The speeds that were tried and the growth rates there.
    pub trials: Vec<(f64, f64)>,
}

impl GrowthRate {
    const MAX_TRIALS: usize = 12;

    /// The speed at which the response neither grows nor dies out, from a guess of it, whatever U
    /// stands in p.
    ///
    /// # Errors
    /// As [`measure`](Self::measure), and where Newton's method does not come to such a speed.
    pub fn flutter(&self, model: &Model, p: &[f64], guess: f64) -> Result<Onset, FlutterError> {
        let (mut p, mut trials) = (p.to_vec(), Vec::new());
        let (mut velocity, mut growth) = (guess, f64::NAN);
        while trials.len() < Self::MAX_TRIALS {
            if let Some(entry) = p.get_mut(TypicalSection::VELOCITY) {
                *entry = velocity;
            }
            let measured = self.measure(model, &p)?;
            growth = measured.value;
            trials.push((velocity, growth));
            let slope = measured.wrt_params[TypicalSection::VELOCITY];
            let change = -growth / slope;
            if change.abs() <= 10.0 * self.rtol * velocity {
                let mut wrt_params: Vec<f64> =
                    measured.wrt_params.iter().map(|g_p| (0.0 - g_p) / slope).collect();
                wrt_params[TypicalSection::VELOCITY] = 0.0;
                return Ok(Onset { velocity, wrt_params, trials });
            }
            velocity += change;
        }
        Err(FlutterError::NotNeutral { trials: trials.len(), velocity, growth })
    }

    /// g of the response to a small turn in pitch, and ∂g/∂p.
    ///
    /// # Errors
    /// Where a setting cannot be used or a step fails.
    pub fn measure(&self, model: &Model, p: &[f64]) -> Result<Growth, Error> {
        let [first, second] = self.starts.map(|start| self.window(model, p, start));
        let (first, second) = (first?, second?);
        let between = 2.0 * (self.starts[1] - self.starts[0]);
        let slopes = first.wrt_params.iter().zip(&second.wrt_params);
        Ok(Growth {
            value: (second.value / first.value).ln() / between,
            wrt_params: slopes
                .map(|(a, b)| (b / second.value - a / first.value) / between)
                .collect(),
            snapshot_bytes_peak: second.stats.snapshot_bytes_peak,
            steps: second.stats.steps,
        })
    }

    fn window(&self, model: &Model, p: &[f64], start: f64) -> Result<Gradient, Error> {
        let objective = WindowedEnergy { start, width: self.width };
        let mut y0 = vec![0.0; model.dim()];
        y0[2] = AMPLITUDE;
        Problem::new(model, (0.0, start + self.width), p)
            .initial(&y0)
            .objective(&objective)
            .method(Method::Named(&DOP853))
            .rtol(self.rtol)
            .atol(1e-3 * self.rtol * AMPLITUDE)
            .snapshots(self.snapshots)
            .gradient()
    }
}
