//! Models that are borrowed or shared: `&T` and `Arc<T>` are whatever `T` is.

use std::any::Any;
use std::borrow::Borrow;
use std::sync::Arc;

use super::{At, Bars, Dots, Initial, Jvp, Ode, Rows, Vjp};
use crate::error::Error;
use crate::numbers::linalg::{Matrix, Structure};
use crate::numbers::scalar::Scalar;

macro_rules! forward_ode {
    ($($holder:ty),*) => {$(
        impl<S: Scalar, T: Ode<S> + ?Sized> Ode<S> for $holder {
            type Work = T::Work;

            fn dim(&self) -> usize {
                (**self).dim()
            }
            fn num_params(&self) -> usize {
                (**self).num_params()
            }
            fn work(&self) -> T::Work {
                (**self).work()
            }
            fn work_bytes(&self) -> usize {
                (**self).work_bytes()
            }
            fn rhs(&self, at: At<'_, S>, dy: &mut [S], work: &mut T::Work) {
                (**self).rhs(at, dy, work);
            }
        }

        impl<S: Scalar, T: Vjp<S> + ?Sized> Vjp<S> for $holder {
            fn vjp(&self, at: At<'_, S>, w: &[S], bars: Bars<'_, S>, work: &mut T::Work) {
                (**self).vjp(at, w, bars, work);
            }
            const IS_MODEL: bool = T::IS_MODEL;

            fn as_model(&self) -> Option<&dyn Any> {
                (**self).as_model()
            }
            fn structure(&self) -> Structure {
                Vjp::structure(&**self)
            }
            fn jacobian(
                &self,
                at: At<'_, S>,
                jac: &mut Matrix,
                rows: Rows<'_, S>,
                work: &mut T::Work,
            ) {
                Vjp::jacobian(&**self, at, jac, rows, work);
            }
        }

        impl<S: Scalar, T: Jvp<S> + ?Sized> Jvp<S> for $holder {
            fn jvp(&self, at: At<'_, S>, dots: Dots<'_, S>, dy_dot: &mut [S], work: &mut T::Work) {
                (**self).jvp(at, dots, dy_dot, work);
            }
        }
    )*};
}

forward_ode!(&T, Arc<T>);

macro_rules! forward_initial {
    ($($holder:ty => $target:ty, ($($generic:tt)*);)*) => {$(
        impl<S: Scalar, $($generic)*> Initial<S> for $holder {
            fn initial(&self, p: &[S], y0: &mut [S]) {
                Borrow::<$target>::borrow(self).initial(p, y0);
            }
            fn initial_vjp(&self, p: &[S], y0_bar: &[S], p_bar: &mut [S]) {
                Borrow::<$target>::borrow(self).initial_vjp(p, y0_bar, p_bar);
            }
            fn initial_jvp(&self, p: &[S], p_dot: &[S], y0_dot: &mut [S]) {
                Borrow::<$target>::borrow(self).initial_jvp(p, p_dot, y0_dot);
            }
            fn check(&self, dim: usize, num_params: usize) -> Result<(), Error> {
                Borrow::<$target>::borrow(self).check(dim, num_params)
            }
        }
    )*};
}

forward_initial! {
    &T => T, (T: Initial<S> + ?Sized);
    Arc<T> => T, (T: Initial<S> + ?Sized);
    Vec<S> => [S], ();
    [S; N] => [S], (const N: usize);
}
