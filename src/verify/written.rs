//! Each kind of hand-written derivative against differences of what it is the derivative of.

use super::added::{adds, ends, initial_adds, objective_adds, vjp_adds};
use super::differences::{Derivative, Sum, compare, compare_by_time};
use crate::error::{Error, check_length};
use crate::numbers::scalar::Scalar;
use crate::ode::objective::{AT_END, Objective};
use crate::ode::{At, Bars, Initial, Vjp, jacobian_at};
use crate::recurrence::{Adjoint, Chain, Opaque};

/// With no more states each row of a derivative is looked at alone, else two sums of them all.
const EACH: usize = 32;

/// Compares [`Vjp::vjp`] at (t, y, p) with differences of `rhs` by each state, each parameter and
/// the time. Takes six evaluations of f for each of them and each direction w, of which there are
/// d up to 32 states and two beyond.
///
/// ```
/// use costate::ode::{At, Bars, Ode, Vjp};
/// use costate::verify;
///
/// /// y' = −p y, with an `=` in place of a `+=`.
/// struct Decay;
///
/// impl Ode for Decay {
///     type Work = ();
///     fn dim(&self) -> usize {
///         1
///     }
///     fn num_params(&self) -> usize {
///         1
///     }
///     fn work(&self) {}
///     fn work_bytes(&self) -> usize {
///         0
///     }
///     fn rhs(&self, At { y, p, .. }: At<'_>, dy: &mut [f64], _: &mut ()) {
///         dy[0] = -p[0] * y[0];
///     }
/// }
///
/// impl Vjp for Decay {
///     fn vjp(&self, At { y, p, .. }: At<'_>, w: &[f64], bars: Bars<'_>, _: &mut ()) {
///         bars.y[0] -= p[0] * w[0];
///         bars.p[0] = -y[0] * w[0];
///     }
/// }
///
/// let error = verify::vjp(&Decay, 0.0, &[1.0], &[0.5]).unwrap_err().to_string();
/// assert!(error.starts_with("vjp does not add to the bar of parameter 0"));
/// ```
///
/// # Errors
/// [`Error::NotAdded`] where it overwrites a bar; where a length is wrong; where f is not finite
/// beside the point.
pub fn vjp<S: Scalar, O: Vjp<S>>(ode: &O, t: f64, y: &[S], p: &[S]) -> Result<Derivative, Error> {
    check_length("the state", y.len(), ode.dim())?;
    check_length("the parameter vector", p.len(), ode.num_params())?;
    vjp_adds(ode, t, y, p)?;
    let (mut work, mut dy) = (ode.work(), vec![S::zero(); y.len()]);
    let mut worst = Derivative::NONE;
    for w in directions::<S>(y.len()) {
        let (mut y_bar, mut p_bar) = (vec![S::zero(); y.len()], vec![S::zero(); p.len()]);
        let mut t_bar = S::zero();
        ode.rhs(At { t, y, p }, &mut dy, &mut work);
        let bars = Bars { y: &mut y_bar, p: &mut p_bar, t: &mut t_bar };
        ode.vjp(At { t, y, p }, &w, bars, &mut work);
        let mut product = |t: f64, y: &[S], p: &[S]| {
            ode.rhs(At { t, y, p }, &mut dy, &mut work);
            Ok(Sum::product(&w, &dy))
        };
        compare("state", y, &y_bar, &mut worst, &mut |y| product(t, y, p))?;
        compare("parameter", p, &p_bar, &mut worst, &mut |p| product(t, y, p))?;
        compare_by_time(t, t_bar, &mut worst, &mut |t| product(t, y, p))?;
    }
    Ok(worst)
}

/// Compares [`Vjp::jacobian`] at (t, y, p) with differences of `rhs` by each state.
///
/// # Errors
/// Where a length is wrong, f_y is too large, or f is not finite beside the point.
pub fn jacobian<O: Vjp>(ode: &O, t: f64, y: &[f64], p: &[f64]) -> Result<Derivative, Error> {
    let jac = jacobian_at(ode, At { t, y, p })?;
    let (mut work, mut dy) = (ode.work(), vec![0.0; y.len()]);
    let mut worst = Derivative::NONE;
    for w in directions::<f64>(y.len()) {
        let mut y_bar = vec![0.0; y.len()];
        jac.for_each(|i, j, entry| y_bar[j] += w[i] * entry);
        compare("state", y, &y_bar, &mut worst, &mut |y| {
            ode.rhs(At { t, y, p }, &mut dy, &mut work);
            Ok(Sum::product(&w, &dy))
        })?;
    }
    Ok(worst)
}

/// Compares [`Initial::initial_vjp`] with differences of y₀(p), of `dim` states, by each parameter.
///
/// # Errors
/// [`Error::NotAdded`] where it overwrites a bar; where y₀ is not finite beside p, or does not fit.
pub fn initial<S: Scalar, I: Initial<S>>(
    initial: &I,
    dim: usize,
    p: &[S],
) -> Result<Derivative, Error> {
    initial.check(dim, p.len())?;
    initial_adds(initial, dim, p)?;
    let (mut y0, mut worst) = (vec![S::zero(); dim], Derivative::NONE);
    for w in directions::<S>(dim) {
        let mut p_bar = vec![S::zero(); p.len()];
        initial.initial_vjp(p, &w, &mut p_bar);
        compare("parameter", p, &p_bar, &mut worst, &mut |p| {
            initial.initial(p, &mut y0);
            Ok(Sum::product(&w, &y0))
        })?;
    }
    Ok(worst)
}

/// Compares [`Objective::point_vjp`] of the first and the last point term, and
/// [`Objective::integrand_vjp`], with differences at (y, p): by each state, each parameter and the
/// time. A term at the end is taken at time t, as the running cost is.
///
/// # Errors
/// [`Error::NotAdded`] where one overwrites a bar; where the objective does not fit, or is not finite
/// beside the point.
pub fn objective<S: Scalar, J: Objective<S>>(
    objective: &J,
    t: f64,
    y: &[S],
    p: &[S],
) -> Result<Derivative, Error> {
    /// A weight that a running cost must multiply by.
    const WEIGHT: f64 = 1.75;
    objective.check(y.len(), p.len())?;
    objective_adds(objective, t, y, p)?;
    let (mut scratch, mut worst) = (objective.scratch(), Derivative::NONE);
    let points = ends(objective.times().len()).map(Some);
    for term in points.chain(objective.has_integrand().then_some(None)) {
        let t = term.map(|i| objective.times()[i]).filter(|&time| time != AT_END).unwrap_or(t);
        let mut value = |t: f64, y: &[S], p: &[S]| {
            let mut sum = Sum::default();
            match term {
                Some(i) => sum.add(1.0, objective.point(i, At { t, y, p }, &mut scratch)),
                None => sum.add(WEIGHT, objective.integrand(At { t, y, p }, &mut scratch)),
            }
            Ok(sum)
        };
        let (mut y_bar, mut p_bar) = (vec![S::zero(); y.len()], vec![S::zero(); p.len()]);
        let (mut t_bar, mut bars) = (S::zero(), objective.scratch());
        match term {
            Some(i) => {
                objective.point_vjp(
                    i,
                    At { t, y, p },
                    Bars { y: &mut y_bar, p: &mut p_bar, t: &mut t_bar },
                    &mut bars,
                );
            }
            None => {
                let weight = S::of(WEIGHT);
                objective.integrand_vjp(
                    At { t, y, p },
                    weight,
                    Bars { y: &mut y_bar, p: &mut p_bar, t: &mut t_bar },
                    &mut bars,
                );
            }
        }
        compare("state", y, &y_bar, &mut worst, &mut |y| value(t, y, p))?;
        compare("parameter", p, &p_bar, &mut worst, &mut |p| value(t, y, p))?;
        compare_by_time(t, t_bar, &mut worst, &mut |t| value(t, y, p))?;
    }
    Ok(worst)
}

/// Compares [`Recurrence::step_adjoint`](crate::recurrence::Recurrence::step_adjoint) of the first, the middle and the last step of a run, and
/// the adjoints of its start, with differences of the steps and of their terms: by each state and
/// each parameter.
///
/// # Errors
/// [`Error::NotAdded`] where one overwrites a bar; where a length is wrong, a step fails, or a number
/// is not finite.
pub fn recurrence<S: Scalar>(chain: &dyn Chain<S>, p: &[S]) -> Result<Derivative, Error> {
    check_length("the parameter vector", p.len(), chain.num_params())?;
    let steps = chain.num_steps();
    let mut worst = Derivative::NONE;
    start_of(chain, p, &mut worst)?;
    let mut y = vec![S::zero(); chain.dim()];
    chain.initial(p, &mut y);
    let (mut tape, mut scratch) = (chain.tape(), chain.scratch());
    for n in 0..steps {
        if n == 0 || n == steps / 2 || n + 1 == steps {
            step_of(chain, n, &y, p, &mut worst)?;
        }
        chain.step(n, p, &mut y, &mut tape, &mut scratch)?;
    }
    Ok(worst)
}

/// The end of a step, its tape and its scratch.
type Taken<S> = (Vec<S>, Opaque, Opaque);

fn step_of<S: Scalar>(
    chain: &dyn Chain<S>,
    n: usize,
    y: &[S],
    p: &[S],
    worst: &mut Derivative,
) -> Result<(), Error> {
    let (from, to) = (chain.state_len(n), chain.state_len(n + 1));
    let taken = |y: &[S], p: &[S]| -> Result<Taken<S>, Error> {
        let (mut tape, mut scratch) = (chain.tape(), chain.scratch());
        let mut next = vec![S::zero(); chain.dim()];
        next[..y.len()].copy_from_slice(y);
        chain.step(n, p, &mut next, &mut tape, &mut scratch)?;
        Ok((next, tape, scratch))
    };
    for mut w in directions::<S>(to) {
        w.resize(chain.dim(), S::zero());
        let back = |adjoint: &mut Adjoint<S>| -> Result<(), Error> {
            let (next, mut tape, mut scratch) = taken(&y[..from], p)?;
            adjoint.lambda.copy_from_slice(&w);
            chain.step_adjoint(n, p, &next, &mut tape, &mut scratch, adjoint)
        };
        let mut failed = Ok(());
        adds("step_adjoint", 0, p.len(), |_, p_bar, t_bar| {
            let mut adjoint = Adjoint::zeros(chain.dim(), 0);
            (adjoint.p_bar, adjoint.end_time_bar) = (p_bar.to_vec(), *t_bar);
            failed = back(&mut adjoint);
            p_bar.copy_from_slice(&adjoint.p_bar);
            *t_bar = adjoint.end_time_bar;
        })?;
        failed?;
        let mut adjoint = Adjoint::zeros(chain.dim(), p.len());
        back(&mut adjoint)?;
        let value = |y: &[S], p: &[S]| {
            let (next, mut tape, mut scratch) = taken(y, p)?;
            let mut sum = Sum::product(&w[..to], &next[..to]);
            sum.add(1.0, chain.step_value(n, p, &next, &mut tape, &mut scratch));
            Ok(sum)
        };
        let (y, lambda) = (&y[..from], &adjoint.lambda[..from]);
        compare("state", y, lambda, worst, &mut |y| value(y, p))?;
        compare("parameter", p, &adjoint.p_bar, worst, &mut |p| value(y, p))?;
    }
    Ok(())
}

/// The terms at the start, and y_0(p).
fn start_of<S: Scalar>(chain: &dyn Chain<S>, p: &[S], worst: &mut Derivative) -> Result<(), Error> {
    let used = chain.state_len(0);
    let first = |p: &[S]| {
        let mut y0 = vec![S::zero(); chain.dim()];
        chain.initial(p, &mut y0);
        y0
    };
    let y0 = first(p);
    for mut w in directions::<S>(used) {
        w.resize(chain.dim(), S::zero());
        let terms = |adjoint: &mut Adjoint<S>| {
            chain.initial_terms_adjoint(p, &y0, &mut chain.scratch(), adjoint);
        };
        adds("initial_terms_adjoint", chain.dim(), p.len(), |y_bar, p_bar, _| {
            let mut adjoint = Adjoint::zeros(0, 0);
            (adjoint.lambda, adjoint.p_bar) = (y_bar.to_vec(), p_bar.to_vec());
            terms(&mut adjoint);
            y_bar.copy_from_slice(&adjoint.lambda);
            p_bar.copy_from_slice(&adjoint.p_bar);
        })?;
        adds("initial_adjoint", 0, p.len(), |_, p_bar, _| {
            let mut adjoint = Adjoint::zeros(0, 0);
            (adjoint.lambda, adjoint.p_bar) = (w.clone(), p_bar.to_vec());
            chain.initial_adjoint(p, &mut adjoint);
            p_bar.copy_from_slice(&adjoint.p_bar);
        })?;
        let mut adjoint = Adjoint::zeros(chain.dim(), p.len());
        adjoint.lambda.copy_from_slice(&w);
        terms(&mut adjoint);
        let value = |y: &[S], p: &[S]| {
            let mut sum = Sum::product(&w[..used], y);
            let mut whole = vec![S::zero(); chain.dim()];
            whole[..y.len()].copy_from_slice(y);
            sum.add(1.0, chain.initial_value(p, &whole, &mut chain.scratch()));
            Ok(sum)
        };
        let lambda = &adjoint.lambda[..used];
        compare("state", &y0[..used], lambda, worst, &mut |y| value(y, p))?;
        chain.initial_adjoint(p, &mut adjoint);
        compare("parameter", p, &adjoint.p_bar, worst, &mut |p| value(&first(p)[..used], p))?;
    }
    Ok(())
}

/// The directions w that products are taken along.
fn directions<S: Scalar>(dim: usize) -> Vec<Vec<S>> {
    if dim <= EACH {
        let unit = |i: usize| (0..dim).map(|j| if i == j { S::one() } else { S::zero() }).collect();
        return (0..dim).map(unit).collect();
    }
    let mut random = fastrand::Rng::with_seed(1);
    let mut number = || {
        let size = 0.5 + 0.5 * random.f64();
        S::of(if random.bool() { size } else { -size })
    };
    (0..2).map(|_| (0..dim).map(|_| number()).collect()).collect()
}
