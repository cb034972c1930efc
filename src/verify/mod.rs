//! Checks that a user can run on their own model: the dot-product test and the Taylor test, and
//! comparisons of hand-written derivatives with differences, which ask for no tangent.

mod added;
mod differences;
mod written;

pub use added::added;
pub use differences::Derivative;
pub use written::{initial, jacobian, objective, recurrence, vjp};

use crate::error::{Error, check_length};
use crate::method::stepper::{AdjointStepper, StepBars, Steps, TangentStepper};
use crate::numbers::linalg::Lu;
use crate::ode::grid::{Step, TimeGrid};
use crate::ode::{At, Jacobian, Jvp, Vjp, jacobian_at};

/// How well ⟨Φ'v, w⟩ = ⟨v, Φ'ᵀw⟩ holds, at the step where it holds worst.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DotProduct {
    /// That step.
    pub step: usize,
    /// ⟨Φ'v, w⟩, from the tangent.
    pub tangent: f64,
    /// ⟨v, Φ'ᵀw⟩, from the adjoint.
    pub adjoint: f64,
    /// |difference| / (‖Φ'v‖‖w‖ + ‖v‖‖Φ'ᵀw‖).
    pub error: f64,
}

/// Tests the adjoint of each step y_{n+1} = Φ_n(y_n, p) of a run against its tangent, with
/// directions v = (ẏ_n, ṗ) and w drawn from `seed`: a right adjoint gives errors near rounding.
///
/// ```
/// use costate::ode::grid::TimeGrid;
/// use costate::model::Model;
/// use costate::method::stepper::{Esdirk, Newton};
/// use costate::method::tableau::KVAERNO5;
/// use costate::verify::dot_product;
///
/// let decay = Model::trace(1, 1, |_t, y, p| [-&p[0] * y[0].exp()]).initial(|_| [1.0.into()]).build()?;
/// let grid = TimeGrid::Uniform { start: 0.0, end: 1.0, steps: 8 };
/// let stepper = Esdirk::new(&KVAERNO5, Newton::Stagnation)?;
/// let test = dot_product(&decay, &stepper, &grid, &[1.0], &[2.0], 1)?;
/// assert!(test.error < 1e-12);
/// # Ok::<(), costate::Error>(())
/// ```
///
/// # Errors
/// Where a step fails or a length is wrong.
pub fn dot_product<O, M>(
    ode: &O,
    stepper: &M,
    grid: &TimeGrid,
    y0: &[f64],
    p: &[f64],
    seed: u64,
) -> Result<DotProduct, Error>
where
    O: Vjp + Jvp,
    M: AdjointStepper<O> + TangentStepper<O>,
{
    check_length("the initial state", y0.len(), ode.dim())?;
    check_length("the parameter vector", p.len(), ode.num_params())?;
    grid.check()?;
    stepper.check(ode)?;
    let mut random = fastrand::Rng::with_seed(seed);
    let mut steps = Steps::of(stepper, ode);
    let mut y = y0.to_vec();
    let mut worst = DotProduct { step: 0, tangent: 0.0, adjoint: 0.0, error: 0.0 };
    for n in 0..grid.num_steps() {
        let (step, fail) = (grid.step(n), |f: crate::error::StepFailure| f.at(n, grid.time(n)));
        let (y_dot, p_dot) = (direction(&y, &mut random), direction(p, &mut random));
        steps.take(p, step, &mut y).map_err(fail)?;
        let mut taken = steps.taken();
        let w = direction(&y, &mut random);

        let mut end_dot = y_dot.clone();
        stepper.step_tangent(ode, p, &p_dot, taken.reborrow(), &mut end_dot).map_err(fail)?;
        let (mut lambda, mut p_bar) = (w.clone(), vec![0.0; p.len()]);
        let bars = StepBars { lambda: &mut lambda, p_bar: &mut p_bar, t_next_bar: None };
        stepper.step_adjoint(ode, p, taken, bars).map_err(fail)?;

        let tangent = dot(&end_dot, &w);
        let adjoint = dot(&y_dot, &lambda) + dot(&p_dot, &p_bar);
        let size =
            norm(&[&end_dot]) * norm(&[&w]) + norm(&[&y_dot, &p_dot]) * norm(&[&lambda, &p_bar]);
        let error = (tangent - adjoint).abs() / size;
        if error > worst.error || error.is_nan() {
            worst = DotProduct { step: n, tangent, adjoint, error };
        }
    }
    Ok(worst)
}

/// κ₁(I − hγJ) with J = f_y(t_n, `y`): by how much an implicit step of this γ may enlarge rounding,
/// and so what [`dot_product`] can at best find. Infinite where the matrix is singular.
///
/// # Errors
/// Where a length is wrong, or f_y too large.
pub fn condition<O: Jacobian>(
    ode: &O,
    gamma: f64,
    step: Step,
    y: &[f64],
    p: &[f64],
) -> Result<f64, Error> {
    let (d, c, jacobian) = (ode.dim(), step.h() * gamma, jacobian_at(ode, At { t: step.t, y, p })?);
    let mut lu = Lu::fitting(d, ode.structure());
    if lu.factor(c, &jacobian).is_err() {
        return Ok(f64::INFINITY);
    }
    let (mut size, mut inverse_size) = (0.0_f64, 0.0_f64);
    let mut column = vec![0.0; d];
    for j in 0..d {
        let entry = |i: usize| f64::from(u8::from(i == j)) - c * jacobian.get(i, j);
        size = size.max((0..d).map(|i| entry(i).abs()).sum());
        column.fill(0.0);
        column[j] = 1.0;
        lu.solve(&mut column);
        inverse_size = inverse_size.max(column.iter().map(|x| x.abs()).sum());
    }
    Ok(size * inverse_size)
}

/// The remainders J(p + εv) − J(p) − ε∇J·v along a direction v, as ε is halved.
#[derive(Clone, Debug, PartialEq)]
pub struct Taylor {
    /// ε, as a fraction of each parameter's size.
    pub steps: Vec<f64>,
    /// The remainders' absolute values.
    pub remainders: Vec<f64>,
    /// log₂ of each remainder over the next: 2 for a right gradient, 1 for a wrong one.
    pub rates: Vec<f64>,
    /// The size below which a remainder is rounding.
    pub floor: f64,
}

impl Taylor {
    /// The median rate of the last three halvings whose remainders stand clear of rounding; `None`
    /// where there are fewer, as for an objective that is linear in p. The first ones say less: at
    /// a large ε a wrong gradient still shows 2, and a right one not yet.
    pub fn rate(&self) -> Option<f64> {
        let clear = self.remainders.iter().take_while(|&&r| r > self.floor).count();
        let last = clear.checked_sub(1)?;
        let mut rates = self.rates.get(last.checked_sub(3)?..last)?.to_vec();
        rates.sort_unstable_by(f64::total_cmp);
        Some(rates[1])
    }

    /// Whether the gradient stands the test.
    pub fn passes(&self) -> bool {
        self.rate().is_none_or(|rate| rate > 1.9)
    }
}

/// Tests the gradient of `value` at p by the rate at which the first-order remainder falls.
///
/// `value` must keep its time grid from call to call, as [`adjoint::value`](crate::adjoint::value)
/// does; otherwise it is not smooth. ε is halved until the remainder is rounding, sixteen times at
/// most. The largest ε is 1e-3, and less where `value` fails so far off,
/// as on a grid whose short steps no longer meet a jump that has moved.
///
/// ```
/// use costate::verify::taylor;
///
/// let value = |p: &[f64]| Ok(p[0].sin() * p[1]);
/// let p = [0.3_f64, 2.0];
/// let right = [2.0 * p[0].cos(), p[0].sin()];
/// assert!(taylor(value, &p, &right, 1)?.passes());
/// assert!(!taylor(value, &p, &[right[0], 1.1 * right[1]], 1)?.passes());
/// # Ok::<(), costate::error::Error>(())
/// ```
///
/// # Errors
/// Those of `value`, and where the gradient has another length than p.
pub fn taylor(
    mut value: impl FnMut(&[f64]) -> Result<f64, Error>,
    p: &[f64],
    gradient: &[f64],
    seed: u64,
) -> Result<Taylor, Error> {
    const HALVINGS: usize = 16;
    const FIRST: f64 = 1e-3;
    const LEAST: f64 = 1e-9;
    check_length("the gradient", gradient.len(), p.len())?;
    let mut random = fastrand::Rng::with_seed(seed);
    let v = direction(p, &mut random);
    let (base, slope) = (value(p)?, dot(gradient, &v));
    let floor = 1e-11 * base.abs().max(1e-3 * slope.abs());
    let mut remainder = |epsilon: f64| -> Result<f64, Error> {
        let moved: Vec<f64> = p.iter().zip(&v).map(|(p, v)| p + epsilon * v).collect();
        Ok((value(&moved)? - base - epsilon * slope).abs())
    };
    let mut epsilon = FIRST;
    let mut last = loop {
        match remainder(epsilon) {
            Err(_) if epsilon > LEAST => epsilon /= 16.0,
            result => break result?,
        }
    };
    let mut test = Taylor { steps: vec![epsilon], remainders: vec![last], rates: vec![], floor };
    while last > floor && test.steps.len() <= HALVINGS {
        epsilon *= 0.5;
        last = remainder(epsilon)?;
        test.steps.push(epsilon);
        test.remainders.push(last);
    }
    test.rates = test.remainders.windows(2).map(|r| (r[0] / r[1]).log2()).collect();
    Ok(test)
}

/// A direction with entries of about the size of those of `x`, and never all zero.
fn direction(x: &[f64], random: &mut fastrand::Rng) -> Vec<f64> {
    let largest = x.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    let least = if largest > 0.0 { 1e-3 * largest } else { 1.0 };
    x.iter().map(|x| (2.0 * random.f64() - 1.0) * x.abs().max(least)).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The Euclidean norm of the parts one behind another.
fn norm(parts: &[&[f64]]) -> f64 {
    parts.iter().map(|x| dot(x, x)).sum::<f64>().sqrt()
}
