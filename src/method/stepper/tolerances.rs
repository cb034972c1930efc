//! The weights of error control.

use crate::error::{Error, check_length, number};

/// The weights of error control: component i counts relative to
/// `atol[i]` + `rtol` max(|y_i(t_n)|, |y_i(t_{n+1})|); `atol` has one entry or d.
#[derive(Clone, Debug, PartialEq)]
pub struct Tolerances {
    /// The relative tolerance.
    pub rtol: f64,
    /// The absolute tolerances.
    pub atol: Vec<f64>,
}

impl Tolerances {
    /// Fails unless these are tolerances, for d states.
    pub(crate) fn check(&self, dim: usize) -> Result<(), Error> {
        self.check_values()?;
        match self.atol.len() {
            1 => Ok(()),
            given => check_length("the list of absolute tolerances", given, dim),
        }
    }

    /// Fails where one is negative, not finite, or both are zero.
    pub(crate) fn check_values(&self) -> Result<(), Error> {
        let valid = |x: f64| x.is_finite() && x >= 0.0;
        let bad = |what, given: f64, required| {
            Err(Error::BadSetting { what, given: number(&given), required })
        };
        if !(valid(self.rtol) && self.rtol < 1.0) {
            return bad("rtol", self.rtol, "at least 0 and less than 1");
        }
        for &atol in &self.atol {
            if !valid(atol) {
                return bad("atol", atol, "a finite number that is not negative");
            }
            if atol == 0.0 && self.rtol == 0.0 {
                return bad("atol", atol, "positive where rtol is zero");
            }
        }
        Ok(())
    }
}
