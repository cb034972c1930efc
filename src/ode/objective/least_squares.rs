//! Weighted squares of the distance from observations.

use crate::error::Error;
use crate::numbers::scalar::Scalar;
use crate::ode::objective::Objective;
use crate::ode::{At, Bars};

/// J = Σ_i Σ_k w_k (y_{c_k}(t_i) − d_ik)², summed over k first.
///
/// ```
/// use costate::ode::objective::{LeastSquares, Objective};
/// use costate::ode::At;
///
/// let fit = LeastSquares::new(vec![0.0, 1.0], vec![1.0, 2.0, 3.0, 4.0], &[0.5])?;
/// assert_eq!(fit.point(1, At { t: 1.0, y: &[4.0, 2.0], p: &[] }, &mut ()), 0.5 * (1.0 + 4.0));
/// # Ok::<(), costate::error::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct LeastSquares<S = f64> {
    times: Vec<f64>,
    components: Vec<usize>,
    data: Vec<S>,
    weights: Vec<S>,
}

impl<S: Scalar> LeastSquares<S> {
    /// Observations of every component: `data` has the d values of t_0, then those of t_1, and so
    /// on; `weights` has one entry for all components or d entries.
    ///
    /// # Errors
    /// As [`of_components`](Self::of_components); also where `data` has not the same number of
    /// values for each time.
    pub fn new(times: Vec<f64>, data: Vec<S>, weights: &[S]) -> Result<Self, Error> {
        let components = data.len() / times.len().max(1);
        Self::of_components((0..components).collect(), times, data, weights)
    }

    /// Observations of the components c_k: `data` has one value for each of `components` at t_0,
    /// then at t_1, and so on; `weights` has one entry for all or one for each component.
    ///
    /// # Errors
    /// Where the lengths do not fit together, or the times do not ascend.
    pub fn of_components(
        components: Vec<usize>,
        times: Vec<f64>,
        data: Vec<S>,
        weights: &[S],
    ) -> Result<Self, Error> {
        if data.len() != times.len() * components.len() {
            return Err(Error::BadSetting {
                what: "the number of observed values",
                given: data.len().to_string(),
                required: "the number of times multiplied by the number of observed components",
            });
        }
        if let Some(i) = times.windows(2).position(|t| !t[0].le(&t[1])) {
            return Err(Error::ObservationsUnsorted { index: i + 1, time: times[i + 1] });
        }
        let weights = match *weights {
            [weight] => vec![weight; components.len()],
            _ => weights.to_vec(),
        };
        if weights.len() != components.len() {
            return Err(Error::BadSetting {
                what: "the number of weights",
                given: weights.len().to_string(),
                required: "1 or the number of observed components",
            });
        }
        Ok(LeastSquares { times, components, data, weights })
    }

    /// (w_k, c_k, d_ik) for each k.
    fn observed(&self, i: usize) -> impl Iterator<Item = (S, usize, S)> {
        let width = self.components.len();
        let data = &self.data[i * width..(i + 1) * width];
        let columns = self.weights.iter().zip(&self.components).zip(data);
        columns.map(|((&weight, &component), &data)| (weight, component, data))
    }
}

impl<S: Scalar> Objective<S> for LeastSquares<S> {
    type Scratch = ();

    fn scratch(&self) {}
    fn scratch_bytes(&self) -> usize {
        0
    }

    fn times(&self) -> &[f64] {
        &self.times
    }

    fn check(&self, dim: usize, _num_params: usize) -> Result<(), Error> {
        match self.components.iter().find(|&&component| component >= dim) {
            Some(component) => Err(Error::BadSetting {
                what: "the observed component",
                given: component.to_string(),
                required: "less than the number of states of the model",
            }),
            None => Ok(()),
        }
    }

    fn point(&self, i: usize, At { y, .. }: At<'_, S>, _: &mut ()) -> S {
        self.observed(i).fold(S::zero(), |sum, (weight, component, data)| {
            let residual = y[component] - data;
            sum + weight * residual * residual
        })
    }

    fn point_vjp(
        &self,
        i: usize,
        At { y, .. }: At<'_, S>,
        Bars { y: y_bar, .. }: Bars<'_, S>,
        _: &mut (),
    ) {
        for (weight, component, data) in self.observed(i) {
            y_bar[component] += S::of(2.0) * weight * (y[component] - data);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derivative_is_that_of_the_sum() {
        let (times, data) = (vec![0.0, 0.5], vec![1.0, -2.0, 0.25, 4.0]);
        let fit = LeastSquares::of_components(vec![2, 0], times, data, &[3.0, 0.5]).unwrap();
        let y = [0.5, 7.0, -1.0];
        for (i, expected) in [3.0 * 4.0 + 0.5 * 6.25, 3.0 * 1.5625 + 0.5 * 12.25].iter().enumerate()
        {
            assert_eq!(fit.point(i, At { t: 0.0, y: &y, p: &[] }, &mut ()), *expected);
            let (mut y_bar, mut t_bar) = ([10.0; 3], 0.0);
            let bars = Bars { y: &mut y_bar, p: &mut [], t: &mut t_bar };
            fit.point_vjp(i, At { t: 0.0, y: &y, p: &[] }, bars, &mut ());
            for k in 0..3 {
                let shifted = |h: f64| {
                    let mut y = y;
                    y[k] += h;
                    fit.point(i, At { t: 0.0, y: &y, p: &[] }, &mut ())
                };
                // Exact up to rounding: J is quadratic.
                let difference = (shifted(0.5) - shifted(-0.5)) / 1.0;
                assert!((y_bar[k] - 10.0 - difference).abs() < 1e-13, "{i} {k}");
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let new = |times: &[f64], data: usize, weights: usize| {
            LeastSquares::new(times.to_vec(), vec![0.0; data], &vec![1.0; weights])
        };
        assert!(new(&[0.0, 1.0], 4, 1).is_ok());
        assert!(new(&[0.0, 1.0], 4, 2).is_ok());
        let errors = [
            (
                new(&[0.0, 1.0], 5, 1),
                "the number of observed values is 5: it must be the number of times \
                 multiplied by the number of observed components",
            ),
            (
                new(&[0.0, 1.0], 4, 3),
                "the number of weights is 3: it must be 1 or the number of observed components",
            ),
            (
                new(&[1.0, 0.0], 4, 1),
                "observation 1 at t = 0 comes before the one ahead of it: sort by time",
            ),
        ];
        for (result, text) in errors {
            assert_eq!(result.unwrap_err().to_string(), text);
        }
        assert!(new(&[0.0, f64::NAN], 4, 1).is_err());
    }
}
