//! Gradients that are nearly equal.

use approx::{AbsDiffEq, RelativeEq};

use super::Gradient;

/// Entry by entry, J and dJ/dt_N included; what the gradients cost is not compared. An entry that is
/// not a number is near nothing.
impl<S: AbsDiffEq<Epsilon: Clone>> AbsDiffEq for Gradient<S> {
    type Epsilon = S::Epsilon;

    fn default_epsilon() -> S::Epsilon {
        S::default_epsilon()
    }

    fn abs_diff_eq(&self, other: &Self, epsilon: S::Epsilon) -> bool {
        self.all_near(other, |a, b| a.abs_diff_eq(b, epsilon.clone()))
    }
}

/// Entry by entry: |a − b| ≤ ε or |a − b| ≤ r max(|a|, |b|), where r is `max_relative`.
///
/// ```
/// use approx::assert_relative_eq;
/// # use costate::model::Model;
/// # use costate::problem::Problem;
/// # let decay = Model::trace(1, 1, |_t, y, p| [-&p[0] * &y[0]])
/// #     .initial(|_p| [1.0.into()])
/// #     .terminal(|y, _p| y[0].clone())
/// #     .build()?;
/// let problem = Problem::new(&decay, (0.0, 1.0), &[2.0]);
/// let (coarse, fine) = (problem.clone().rtol(1e-6), problem.rtol(1e-9));
/// assert_relative_eq!(coarse.gradient()?, fine.gradient()?, max_relative = 1e-4);
/// # Ok::<(), costate::Error>(())
/// ```
impl<S: RelativeEq<Epsilon: Clone>> RelativeEq for Gradient<S> {
    fn default_max_relative() -> S::Epsilon {
        S::default_max_relative()
    }

    fn relative_eq(&self, other: &Self, epsilon: S::Epsilon, max_relative: S::Epsilon) -> bool {
        self.all_near(other, |a, b| a.relative_eq(b, epsilon.clone(), max_relative.clone()))
    }
}

impl<S> Gradient<S> {
    fn all_near(&self, other: &Self, near: impl Fn(&S, &S) -> bool) -> bool {
        let lists = [(&self.wrt_y0, &other.wrt_y0), (&self.wrt_params, &other.wrt_params)];
        near(&self.value, &other.value)
            && near(&self.wrt_end_time, &other.wrt_end_time)
            && lists
                .iter()
                .all(|(a, b)| a.len() == b.len() && a.iter().zip(*b).all(|(a, b)| near(a, b)))
    }
}

#[cfg(test)]
mod tests {
    use approx::{assert_abs_diff_ne, assert_relative_eq, assert_relative_ne};

    use super::*;
    use crate::adjoint::Stats;

    fn gradient(wrt_y0: &[f64], wrt_end_time: f64) -> Gradient {
        let (wrt_y0, wrt_params) = (wrt_y0.to_vec(), vec![1e9, 1e-9]);
        Gradient { value: 2.0, wrt_y0, wrt_params, wrt_end_time, stats: Stats::default() }
    }

    #[test]
    fn every_entry_counts_by_its_own_size() {
        let one = gradient(&[1.0], 3.0);
        assert_relative_eq!(one, gradient(&[1.0 + 1e-9], 3.0), max_relative = 1e-8);
        let mut small = one.clone();
        small.wrt_params[1] *= 1.001;
        assert_relative_ne!(one, small, epsilon = 0.0, max_relative = 1e-8);
        for other in [gradient(&[1.0], 3.1), gradient(&[1.0, 0.0], 3.0), gradient(&[1.1], 3.0)] {
            assert_relative_ne!(one, other, max_relative = 1e-8);
            assert_abs_diff_ne!(one, other, epsilon = 1e-8);
        }
        assert_abs_diff_ne!(one, gradient(&[f64::NAN], 3.0), epsilon = 1e300);
    }
}
