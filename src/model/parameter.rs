//! What a model knows of a parameter.

use crate::error::{ModelError, shown};

/// How a parameter enters the parameter vector, and so what the gradient refers to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// θ is the value.
    #[default]
    Linear,
    /// θ is the decimal logarithm of the value.
    Log10,
}

impl Scale {
    /// The entry θ of the parameter vector for a value.
    pub fn to_theta(self, value: f64) -> f64 {
        match self {
            Scale::Linear => value,
            Scale::Log10 => value.log10(),
        }
    }

    /// The value for an entry θ of the parameter vector.
    pub fn to_value(self, theta: f64) -> f64 {
        match self {
            Scale::Linear => theta,
            Scale::Log10 => 10f64.powf(theta),
        }
    }
}

/// A parameter of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its name in formulas.
    pub name: String,
    /// The nominal value, not its logarithm.
    pub value: f64,
    /// Its unit, as text.
    pub unit: Option<String>,
    /// How it stands in the parameter vector.
    pub scale: Scale,
    /// Bounds of the value, not of its logarithm.
    pub bounds: Option<(f64, f64)>,
}

impl Parameter {
    /// A parameter without unit or bounds, on the linear scale.
    pub fn new(name: impl Into<String>, value: f64) -> Self {
        Parameter { name: name.into(), value, unit: None, scale: Scale::Linear, bounds: None }
    }

    /// The entry of the parameter vector that stands for `value`.
    ///
    /// # Errors
    /// Where the value is not finite, outside the bounds, or has no logarithm and needs one.
    pub fn theta_of(&self, value: f64) -> Result<f64, ModelError> {
        let path = format!("parameters.{}", shown(&self.name));
        if !value.is_finite() {
            return Err(ModelError::NotFinite { path, value });
        }
        if self.scale == Scale::Log10 && value <= 0.0 {
            return Err(ModelError::NotPositive { path, value });
        }
        match self.bounds {
            Some((lower, upper)) if !(lower <= value && value <= upper) => {
                Err(ModelError::OutsideBounds { path, value, lower, upper })
            }
            _ => Ok(self.scale.to_theta(value)),
        }
    }

    /// The entry of the parameter vector that stands for the nominal value.
    pub fn theta(&self) -> f64 {
        self.scale.to_theta(self.value)
    }
}
