//! Whether hand-written derivatives add to their bars: the cheapest of all checks, which builds with
//! debug assertions make of every problem.

use crate::error::Error;
use crate::numbers::linalg::Structure;
use crate::numbers::scalar::Scalar;
use crate::ode::objective::{AT_END, Objective};
use crate::ode::{At, Bars, Initial, Vjp, check_jacobian, jacobian_at};

/// Jacobians of more states are not compared with their products: a dense one would cost more than
/// a check may.
const COMPARED: usize = 256;

/// Fails where `vjp`, `initial_vjp`, `point_vjp` or `integrand_vjp` overwrites a bar that it must
/// add to, or `jacobian` is not what `vjp` transposes, at y₀(p) and the time `start`. Where f is not
/// finite nothing is said.
///
/// ```
/// use costate::model::Model;
/// use costate::ode::objective::Terminal;
/// use costate::verify::added;
///
/// let decay = Model::trace(1, 1, |_t, y, p| [-&p[0] * &y[0]]).initial(|_| [1.0.into()]).build()?;
/// let value = |y: &[f64], _p: &[f64]| y[0] * y[0];
/// let slope = |y: &[f64], _p: &[f64], y_bar: &mut [f64], _p_bar: &mut [f64]| y_bar[0] += 2.0 * y[0];
/// let slip = |y: &[f64], _p: &[f64], y_bar: &mut [f64], _p_bar: &mut [f64]| y_bar[0] = 2.0 * y[0];
/// let (adds, writes) = (Terminal::new(value, slope), Terminal::new(value, slip));
/// assert!(added(&decay, &decay, &adds, 0.0, &[0.5]).is_ok());
/// assert!(added(&decay, &decay, &writes, 0.0, &[0.5]).is_err());
/// # Ok::<(), costate::error::ModelError>(())
/// ```
///
/// # Errors
/// [`Error::NotAdded`], [`Error::JacobianNotOfVjp`].
pub fn added<O: Vjp, I: Initial + ?Sized, J: Objective + ?Sized>(
    ode: &O,
    initial: &I,
    objective: &J,
    start: f64,
    p: &[f64],
) -> Result<(), Error> {
    let (d, m) = (ode.dim(), ode.num_params());
    let mut y = vec![0.0; d];
    initial.initial(p, &mut y);
    initial_adds(initial, d, p)?;
    vjp_adds(ode, start, &y, p)?;
    objective_adds(objective, start, &y, p)?;
    let small = d <= COMPARED || !matches!(ode.structure(), Structure::Dense);
    if small && m == p.len() && check_jacobian(ode).is_ok() {
        jacobian_is_of_vjp(ode, start, &y, p)?;
    }
    Ok(())
}

/// Fails where [`Vjp::vjp`] overwrites a bar.
pub(super) fn vjp_adds<S: Scalar, O: Vjp<S>>(
    ode: &O,
    t: f64,
    y: &[S],
    p: &[S],
) -> Result<(), Error> {
    let (w, mut dy) = (vec![S::one(); y.len()], vec![S::zero(); y.len()]);
    let mut work = ode.work();
    adds("vjp", y.len(), p.len(), |y_bar, p_bar, t_bar| {
        ode.rhs(At { t, y, p }, &mut dy, &mut work);
        ode.vjp(At { t, y, p }, &w, Bars { y: y_bar, p: p_bar, t: t_bar }, &mut work);
    })
}

/// Fails where [`Initial::initial_vjp`] overwrites a bar.
pub(super) fn initial_adds<S: Scalar, I: Initial<S> + ?Sized>(
    initial: &I,
    dim: usize,
    p: &[S],
) -> Result<(), Error> {
    let y0_bar = vec![S::one(); dim];
    adds("initial_vjp", 0, p.len(), |_, p_bar, _| initial.initial_vjp(p, &y0_bar, p_bar))
}

/// Fails where the first or the last point term or the running cost overwrites a bar. Terms at the
/// end are looked at at time `t`.
pub(super) fn objective_adds<S: Scalar, J: Objective<S> + ?Sized>(
    objective: &J,
    t: f64,
    y: &[S],
    p: &[S],
) -> Result<(), Error> {
    let mut scratch = objective.scratch();
    let times = objective.times();
    for i in ends(times.len()) {
        let t = if times[i] == AT_END { t } else { times[i] };
        adds("point_vjp", y.len(), p.len(), |y_bar, p_bar, t_bar| {
            let bars = Bars { y: y_bar, p: p_bar, t: t_bar };
            objective.point_vjp(i, At { t, y, p }, bars, &mut scratch);
        })?;
    }
    if !objective.has_integrand() {
        return Ok(());
    }
    adds("integrand_vjp", y.len(), p.len(), |y_bar, p_bar, t_bar| {
        let bars = Bars { y: y_bar, p: p_bar, t: t_bar };
        objective.integrand_vjp(At { t, y, p }, S::one(), bars, &mut scratch);
    })
}

/// The first and the last of n.
pub(super) fn ends(n: usize) -> impl Iterator<Item = usize> {
    let last = n.checked_sub(1);
    last.map(|_| 0).into_iter().chain(last.filter(|&last| last > 0))
}

/// Fails where `write` leaves less in a bar than was there: a number that no derivative comes near,
/// so that neither rounding nor cancellation is taken for it.
pub(super) fn adds<S: Scalar>(
    what: &'static str,
    dim: usize,
    num_params: usize,
    mut write: impl FnMut(&mut [S], &mut [S], &mut S),
) -> Result<(), Error> {
    const SHARE: f64 = 1e-3;
    let before = if S::BYTES == 4 { 1e25 } else { 1e150 };
    let mut bars = |start: f64| {
        let (mut y_bar, mut p_bar) = (vec![S::of(start); dim], vec![S::of(start); num_params]);
        let mut t_bar = S::of(start);
        write(&mut y_bar, &mut p_bar, &mut t_bar);
        [y_bar, p_bar, vec![t_bar]]
    };
    let (alone, onto) = (bars(0.0), bars(before));
    for (by, (alone, onto)) in BY.iter().zip(alone.iter().zip(&onto)) {
        for (index, (&alone, &found)) in alone.iter().zip(onto).enumerate() {
            let (alone, found) = (Scalar::to_f64(alone), Scalar::to_f64(found));
            let telling = alone.abs() < SHARE * before;
            let stays = (found - before).abs() <= 2.0 * SHARE * before;
            if telling && !stays {
                return Err(Error::NotAdded { what, by, index, before, found });
            }
        }
    }
    Ok(())
}

/// What bars are taken by, in their order.
pub(super) const BY: [&str; 3] = ["state", "parameter", "time"];

/// Fails where f_yᵀ w by the matrix is not what the product gives.
fn jacobian_is_of_vjp<O: Vjp>(ode: &O, t: f64, y: &[f64], p: &[f64]) -> Result<(), Error> {
    const CLOSE: f64 = 1e-6;
    let (d, jac) = (y.len(), jacobian_at(ode, At { t, y, p })?);
    let w: Vec<f64> = (0..d).map(|i| 1.0 + 0.5 * (i as f64).sin()).collect();
    let (mut dy, mut y_bar, mut p_bar) = (vec![0.0; d], vec![0.0; d], vec![0.0; p.len()]);
    let mut work = ode.work();
    ode.rhs(At { t, y, p }, &mut dy, &mut work);
    ode.vjp(At { t, y, p }, &w, Bars { y: &mut y_bar, p: &mut p_bar, t: &mut 0.0 }, &mut work);
    let mut sums = vec![(0.0_f64, 0.0_f64); d];
    jac.for_each(|i, j, entry| {
        sums[j].0 += w[i] * entry;
        sums[j].1 += (w[i] * entry).abs();
    });
    let largest = sums.iter().fold(0.0_f64, |m, &(_, size)| m.max(size));
    for (index, (&(sum, size), &product)) in sums.iter().zip(&y_bar).enumerate() {
        let close = CLOSE * (size + product.abs()) + f64::EPSILON * largest;
        let agree = (sum - product).abs() <= close;
        if product.is_finite() && !agree {
            let (by_jacobian, by_products) = (sum, product);
            return Err(Error::JacobianNotOfVjp { t, index, by_jacobian, by_products });
        }
    }
    Ok(())
}
