//! The speed at which flutter begins.

use costate::error::Error;

use super::{Mode, TypicalSection};

/// Where a mode first stops to die out.
#[derive(Clone, Debug, PartialEq)]
pub struct Flutter {
    /// U_F.
    pub velocity: f64,
    /// ω/ω_α of the mode that flutters: U_F Im λ.
    pub frequency: f64,
    /// dU_F/dp; 0 for U itself.
    pub wrt_params: Vec<f64>,
}

/// Why there is no flutter speed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FlutterError {
    /// Another number of parameters.
    #[error("the section has {expected} parameters, and {found} were given")]
    Length {
        /// The model's number.
        expected: usize,
        /// The given number.
        found: usize,
    },
    /// The speeds are not an interval.
    #[error("speeds from {low} to {high}: give finite speeds with 0 < low < high")]
    Speeds {
        /// Its lower end.
        low: f64,
        /// Its upper end.
        high: f64,
    },
    /// The system has entries that are not numbers.
    #[error(
        "the section at U = {velocity} is not finite: a mass, a radius or a speed is zero or not \
         a number"
    )]
    NotFinite {
        /// U.
        velocity: f64,
    },
    /// An iteration of linear algebra did not converge.
    #[error("the eigenvalues at U = {velocity} were not found")]
    Eigenvalues {
        /// U.
        velocity: f64,
    },
    /// All eigenvalues are real.
    #[error("at U = {velocity} no mode oscillates: the damping is beyond critical, or U too large")]
    NoOscillation {
        /// U.
        velocity: f64,
    },
    /// It flutters at the lowest speed that was to be searched.
    #[error("the section flutters already at U = {velocity}: search from a lower speed")]
    Already {
        /// The lowest speed.
        velocity: f64,
    },
    /// The growth rate of the response did not come to zero.
    #[error(
        "after {trials} trials the response at U = {velocity} still grows by {growth:e} in a half \
         chord: start nearer to the flutter speed, or take longer windows"
    )]
    NotNeutral {
        /// The trials.
        trials: usize,
        /// The last U.
        velocity: f64,
        /// The growth rate there.
        growth: f64,
    },
    /// The response was not computed.
    #[error("the response of the section was not computed: {0}")]
    Response(#[from] Error),
    /// It does not flutter.
    #[error("the section does not flutter at U from {low} to {high}: search at higher speeds")]
    Never {
        /// The lowest speed.
        low: f64,
        /// The highest speed.
        high: f64,
    },
}

/// In how many equal pieces the speeds are searched.
const PIECES: usize = 200;

impl TypicalSection {
    /// The least U in `speeds` at which a mode that oscillates stops to die out, whatever U stands
    /// in p, and its derivatives.
    ///
    /// A pair that becomes unstable and stable again within a two hundredth of the interval is not
    /// seen.
    ///
    /// # Errors
    /// Where there is no such speed, it is below `speeds`, or the system is not finite.
    pub fn flutter(&self, p: &[f64], speeds: (f64, f64)) -> Result<Flutter, FlutterError> {
        let (low, high) = speeds;
        if !(0.0 < low && low < high && high.is_finite()) {
            return Err(FlutterError::Speeds { low, high });
        }
        let mut p = p.to_vec();
        if self.growth_at(&mut p, low)? >= 0.0 {
            return Err(FlutterError::Already { velocity: low });
        }
        let speed = |k: usize| low + (high - low) * k as f64 / PIECES as f64;
        for k in 1..=PIECES {
            if self.growth_at(&mut p, speed(k))? >= 0.0 {
                let mode = self.neutral(&mut p, speed(k - 1), speed(k))?;
                return Ok(self.sensitivities(&p, &mode));
            }
        }
        Err(FlutterError::Never { low, high })
    }

    /// The largest Re λ, −∞ where no mode oscillates; p is left with this U.
    fn growth_at(&self, p: &mut [f64], velocity: f64) -> Result<f64, FlutterError> {
        if let Some(entry) = p.get_mut(Self::VELOCITY) {
            *entry = velocity;
        }
        let critical = self.critical_eigenvalue(p)?;
        Ok(critical.map_or(f64::NEG_INFINITY, |lambda| lambda.re))
    }

    /// The mode with Re λ = 0 to rounding, by Newton's method within stable < U ≤ unstable, halving
    /// where that leaves them; p is left with its U.
    fn neutral(
        &self,
        p: &mut [f64],
        mut stable: f64,
        mut unstable: f64,
    ) -> Result<Mode, FlutterError> {
        p[Self::VELOCITY] = 0.5 * (stable + unstable);
        let mut mode = self.critical_mode(p)?;
        for _ in 0..100 {
            let velocity = p[Self::VELOCITY];
            match mode.lambda.re < 0.0 {
                true => stable = velocity,
                false => unstable = velocity,
            }
            let slope = self.mode_wrt_params(p, &mode)[Self::VELOCITY].re;
            let newton = velocity - mode.lambda.re / slope;
            let inside = stable < newton && newton < unstable;
            let next = if inside { newton } else { 0.5 * (stable + unstable) };
            if mode.lambda.re == 0.0 || (next - velocity).abs() <= 2.0 * f64::EPSILON * velocity {
                break;
            }
            p[Self::VELOCITY] = next;
            mode = self.critical_mode(p)?;
        }
        Ok(mode)
    }

    fn sensitivities(&self, p: &[f64], mode: &Mode) -> Flutter {
        let lambda_p = self.mode_wrt_params(p, mode);
        let slope = lambda_p[Self::VELOCITY].re;
        let mut wrt_params: Vec<f64> = lambda_p.iter().map(|d| (0.0 - d.re) / slope).collect();
        wrt_params[Self::VELOCITY] = 0.0;
        let velocity = p[Self::VELOCITY];
        Flutter { velocity, frequency: velocity * mode.lambda.im, wrt_params }
    }
}
