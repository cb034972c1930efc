//! Objectives that are borrowed or shared: `&T` and `Arc<T>` are whatever `T` is.

use std::sync::Arc;

use super::Objective;
use crate::error::Error;
use crate::numbers::scalar::Scalar;
use crate::ode::{At, Bars};

macro_rules! forward_objective {
    ($($holder:ty),*) => {$(
        impl<S: Scalar, T: Objective<S> + ?Sized> Objective<S> for $holder {
            type Scratch = T::Scratch;

            fn scratch(&self) -> T::Scratch {
                (**self).scratch()
            }
            fn scratch_bytes(&self) -> usize {
                (**self).scratch_bytes()
            }
            fn times(&self) -> &[f64] {
                (**self).times()
            }
            fn point(&self, i: usize, at: At<'_, S>, scratch: &mut T::Scratch) -> S {
                (**self).point(i, at, scratch)
            }
            fn point_vjp(
                &self,
                i: usize,
                at: At<'_, S>,
                bars: Bars<'_, S>,
                scratch: &mut T::Scratch,
            ) {
                (**self).point_vjp(i, at, bars, scratch);
            }
            fn check(&self, dim: usize, num_params: usize) -> Result<(), Error> {
                (**self).check(dim, num_params)
            }
            fn has_integrand(&self) -> bool {
                (**self).has_integrand()
            }
            fn integrand(&self, at: At<'_, S>, scratch: &mut T::Scratch) -> S {
                (**self).integrand(at, scratch)
            }
            fn integrand_vjp(
                &self,
                at: At<'_, S>,
                weight: S,
                bars: Bars<'_, S>,
                scratch: &mut T::Scratch,
            ) {
                (**self).integrand_vjp(at, weight, bars, scratch);
            }
        }
    )*};
}

forward_objective!(&T, Arc<T>);
