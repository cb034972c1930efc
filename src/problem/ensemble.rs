//! Many gradients at once: other parameters, initial states or data for each, one objective in sum.
//!
//! Each member takes its own steps on one thread, and the sum is taken in the members' order, so
//! that no bit depends on the number of threads.
//!
//! ```
//! use costate::problem::ensemble;
//! use approx::assert_abs_diff_eq;
//! use costate::model::Model;
//! use costate::problem::Problem;
//!
//! let decay = Model::trace(1, 1, |_, y, p| [-&p[0] * &y[0]])
//!     .initial(|_| [1.0.into()])
//!     .terminal(|y, _| y[0].clone())
//!     .build()?;
//! let starts = [vec![1.0], vec![2.0], vec![3.0]];
//! let members = ensemble::gradients(&starts, |y0| {
//!     Problem::new(&decay, (0.0, 1.0), &[0.5]).initial(y0).objective(&decay).rtol(1e-10).atol(1e-12).gradient()
//! })?;
//! let sum = ensemble::sum(&members)?;
//! assert_abs_diff_eq!(sum.value, 6.0 * (-0.5_f64).exp(), epsilon = 1e-8);
//! assert_abs_diff_eq!(sum.wrt_params[0], -6.0 * (-0.5_f64).exp(), epsilon = 1e-8);
//! # Ok::<(), costate::Error>(())
//! ```

use rayon::prelude::*;

use crate::adjoint::{Gradient, Stats};
use crate::error::{Error, check_length};

/// Σ J over an ensemble and its gradient by the parameters that the members share.
#[derive(Clone, Debug, PartialEq)]
pub struct Sum {
    /// Σ J.
    pub value: f64,
    /// d(Σ J)/dp.
    pub wrt_params: Vec<f64>,
    /// What all members cost together; peaks are those of the member that held the most.
    pub stats: Stats,
}

/// The gradient of each member, in order, on all of rayon's threads.
///
/// # Errors
/// The first member's that fails, with its index.
pub fn gradients<T: Sync>(
    members: &[T],
    gradient: impl Fn(&T) -> Result<Gradient, Error> + Sync,
) -> Result<Vec<Gradient>, Error> {
    let results: Vec<_> = members.par_iter().map(&gradient).collect();
    results
        .into_iter()
        .enumerate()
        .map(|(index, result)| {
            result.map_err(|error| Error::Member { index, source: Box::new(error) })
        })
        .collect()
}

/// Adds the members up in their order.
///
/// # Errors
/// Where they have not all the same number of parameters.
pub fn sum(members: &[Gradient]) -> Result<Sum, Error> {
    let num_params = members.first().map_or(0, |member| member.wrt_params.len());
    let mut sum = Sum { value: 0.0, wrt_params: vec![0.0; num_params], stats: Stats::default() };
    for member in members {
        check_length("a member's gradient", member.wrt_params.len(), num_params)?;
        sum.value += member.value;
        for (total, bar) in sum.wrt_params.iter_mut().zip(&member.wrt_params) {
            *total += bar;
        }
        sum.stats.add_member(&member.stats);
    }
    Ok(sum)
}
