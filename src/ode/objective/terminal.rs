//! A function of the state at the end of the run.

use crate::numbers::scalar::Scalar;
use crate::ode::objective::{AT_END, Objective};
use crate::ode::{At, Bars};

/// J = φ(y(T), p), of two functions: φ, and one that adds ∂φ/∂y to `y_bar` and ∂φ/∂p to `p_bar`.
///
/// ```
/// use costate::ode::objective::{Objective, Terminal};
/// use costate::ode::At;
///
/// let half_square = Terminal::new(
///     |y: &[f64], _p: &[f64]| 0.5 * y[0] * y[0],
///     |y: &[f64], _p: &[f64], y_bar: &mut [f64], _p_bar: &mut [f64]| y_bar[0] += y[0],
/// );
/// assert_eq!(half_square.point(0, At { t: 1.0, y: &[3.0], p: &[] }, &mut ()), 4.5);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Terminal<V, G> {
    value: V,
    gradient: G,
}

impl<V, G> Terminal<V, G> {
    /// φ(y, p) and its gradient (y, p, `y_bar`, `p_bar`).
    pub fn new(value: V, gradient: G) -> Self {
        Terminal { value, gradient }
    }
}

impl<S, V, G> Objective<S> for Terminal<V, G>
where
    S: Scalar,
    V: Fn(&[S], &[S]) -> S + Send + Sync,
    G: Fn(&[S], &[S], &mut [S], &mut [S]) + Send + Sync,
{
    type Scratch = ();

    fn scratch(&self) {}
    fn scratch_bytes(&self) -> usize {
        0
    }

    fn times(&self) -> &[f64] {
        &[AT_END]
    }

    fn point(&self, _i: usize, At { y, p, .. }: At<'_, S>, _: &mut ()) -> S {
        (self.value)(y, p)
    }

    fn point_vjp(
        &self,
        _i: usize,
        At { y, p, .. }: At<'_, S>,
        Bars { y: y_bar, p: p_bar, .. }: Bars<'_, S>,
        _: &mut (),
    ) {
        (self.gradient)(y, p, y_bar, p_bar);
    }
}
