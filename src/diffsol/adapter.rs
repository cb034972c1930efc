//! diffsol's equations as a model.

use std::sync::{Mutex, MutexGuard, PoisonError};

use ::diffsol::error::DiffsolError;
use ::diffsol::op::nonlinear_op::NonLinearOpJacobian;
use ::diffsol::{
    Context, NalgebraVec, NonLinearOp, NonLinearOpAdjoint, NonLinearOpSensAdjoint,
    OdeSolverProblem, Op, Vector,
};

use super::work::{Vectors, entries, subtract};
use super::{AdapterError, AdapterWork, AdjointEquations, Equations};
use crate::numbers::linalg::Matrix;
use crate::ode::{At, Bars, Dots, Jvp, Ode, Rows, Vjp};

/// The equations y' = f(t, y, p), y(t₀) = y₀(p) of a diffsol problem as a model.
///
/// `make` builds the problem. It is called once for each scratch, because diffsol's equations hold
/// the parameters that the functions here are given, and closures cannot be cloned: it must build
/// the same problem each time. Where it fails later on, the rates become NaN and the run says so.
///
/// Gradients need `rhs_adjoint_implicit` and `init_adjoint` of diffsol's builder; without them
/// the compiler says that `NonLinearOpAdjoint` or `ConstantOpSensAdjoint` is missing.
///
/// ```
/// use costate::diffsol::Adapter;
/// use costate::ode::objective::Terminal;
/// use costate::problem::Problem;
/// use diffsol::{NalgebraMat, OdeBuilder};
///
/// let decay = Adapter::new(|| {
///     OdeBuilder::<NalgebraMat<f64>>::new()
///         .p([0.5])
///         .rhs_adjoint_implicit(
///             |y, p, _t, dy| dy[0] = -p[0] * y[0],
///             |_y, p, _t, v, jv| jv[0] = -p[0] * v[0],
///             |_y, p, _t, v, jtv| jtv[0] = p[0] * v[0], // -f_y^T v
///             |y, _p, _t, v, ptv| ptv[0] = y[0] * v[0], // -f_p^T v
///         )
///         .init_adjoint(|_p, _t, y0| y0[0] = 2.0, |_p, _t, _v, ptv| ptv[0] = 0.0, 1)
///         .build()
/// })?
/// .autonomous();
/// let end = Terminal::new(
///     |y: &[f64], _p: &[f64]| y[0],
///     |_y: &[f64], _p: &[f64], y_bar: &mut [f64], _p_bar: &mut [f64]| y_bar[0] += 1.0,
/// );
/// let problem = Problem::new(&decay, (0.0, 1.0), &[0.5]).initial(&decay).objective(&end).rtol(1e-10);
/// let gradient = problem.snapshots(3).gradient()?;
/// assert!((gradient.wrt_params[0] + 2.0 * (-0.5_f64).exp()).abs() < 1e-8);
/// # Ok::<(), costate::Error>(())
/// ```
///
/// Without the transposed closures there is no gradient:
///
/// ```compile_fail,E0277
/// use costate::diffsol::Adapter;
/// use costate::ode::Vjp;
/// use diffsol::{NalgebraMat, OdeBuilder};
///
/// fn has_vjp(_: &impl Vjp) {}
/// let decay = Adapter::new(|| {
///     OdeBuilder::<NalgebraMat<f64>>::new()
///         .p([0.5])
///         .rhs_implicit(
///             |y: &[f64], p: &[f64], _t, dy: &mut [f64]| dy[0] = -p[0] * y[0],
///             |_y: &[f64], p: &[f64], _t, v: &[f64], jv: &mut [f64]| jv[0] = -p[0] * v[0],
///         )
///         .init(|_p: &[f64], _t, y0: &mut [f64]| y0[0] = 2.0, 1)
///         .build()
/// })
/// .unwrap();
/// has_vjp(&decay);
/// ```
pub struct Adapter<E, F> {
    make: F,
    pub(super) dim: usize,
    pub(super) nominal: Vec<f64>,
    pub(super) t0: f64,
    autonomous: bool,
    /// For the initial state, which is asked for without scratch.
    initial: Mutex<AdapterWork<E>>,
}

impl<E, F> Adapter<E, F>
where
    E: Equations,
    F: Fn() -> Result<OdeSolverProblem<E>, DiffsolError> + Send + Sync,
{
    /// The equations of the problem that `make` builds.
    ///
    /// # Errors
    /// Where diffsol cannot build it, and where it has a mass matrix, events or several batches.
    pub fn new(make: F) -> Result<Self, AdapterError> {
        let OdeSolverProblem { eqn, t0, .. } = make()?;
        check(&eqn)?;
        let (dim, num_params) = (eqn.rhs().nstates(), eqn.rhs().nparams());
        let mut nominal = NalgebraVec::zeros(num_params, Default::default());
        eqn.get_params(&mut nominal);
        let initial = Mutex::new(AdapterWork::new(Some(eqn), dim, num_params));
        let nominal = entries(&mut nominal).to_vec();
        Ok(Adapter { make, dim, nominal, t0, autonomous: false, initial })
    }

    /// Says that f does not depend on t. diffsol's closures have no ∂f/∂t; unless told,
    /// [`vjp`](Vjp::vjp) takes a central difference, two evaluations of f a call. Only
    /// `wrt_end_time` of the gradient depends on it.
    pub fn autonomous(mut self) -> Self {
        self.autonomous = true;
        self
    }

    /// The parameters that the diffsol problem was built with.
    pub fn nominal(&self) -> &[f64] {
        &self.nominal
    }

    /// The initial time of the diffsol problem, at which y₀ is evaluated.
    pub fn start(&self) -> f64 {
        self.t0
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, AdapterWork<E>> {
        self.initial.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn check<E: Equations>(eqn: &E) -> Result<(), AdapterError> {
    let batches = eqn.context().nbatch();
    if batches != 1 {
        return Err(AdapterError::Batches { batches });
    }
    if eqn.mass().is_some() {
        return Err(AdapterError::MassMatrix);
    }
    if eqn.root().is_some() {
        return Err(AdapterError::Events { what: "root" });
    }
    if eqn.reset().is_some() {
        return Err(AdapterError::Events { what: "reset" });
    }
    Ok(())
}

impl<E, F> Ode for Adapter<E, F>
where
    E: Equations + 'static,
    F: Fn() -> Result<OdeSolverProblem<E>, DiffsolError> + Send + Sync,
{
    type Work = AdapterWork<E>;

    fn dim(&self) -> usize {
        self.dim
    }

    fn num_params(&self) -> usize {
        self.nominal.len()
    }

    fn work(&self) -> Self::Work {
        let same = |eqn: &E| eqn.rhs().nstates() == self.dim && check(eqn).is_ok();
        let equations = (self.make)().ok().map(|problem| problem.eqn).filter(same);
        AdapterWork::new(equations, self.dim, self.nominal.len())
    }

    /// Without what diffsol's equations point to beside their parameters, which they do not tell.
    fn work_bytes(&self) -> usize {
        size_of::<Self::Work>() + size_of::<f64>() * (3 * self.dim + 3 * self.nominal.len())
    }

    fn rhs(&self, At { t, y, p }: At<'_>, dy: &mut [f64], work: &mut Self::Work) {
        let Some((eqn, x)) = work.at(p) else { return dy.fill(f64::NAN) };
        entries(x.y).copy_from_slice(y);
        eqn.rhs().call_inplace(x.y, t, x.out);
        dy.copy_from_slice(entries(x.out));
    }
}

impl<E, F> Vjp for Adapter<E, F>
where
    E: AdjointEquations + 'static,
    F: Fn() -> Result<OdeSolverProblem<E>, DiffsolError> + Send + Sync,
{
    fn vjp(
        &self,
        At { t, y, p }: At<'_>,
        w: &[f64],
        Bars { y: y_bar, p: p_bar, t: t_bar }: Bars<'_>,
        work: &mut Self::Work,
    ) {
        let Some((eqn, x)) = work.at(p) else { return y_bar.fill(f64::NAN) };
        entries(x.y).copy_from_slice(y);
        entries(x.v).copy_from_slice(w);
        let rhs = eqn.rhs();
        rhs.jac_transpose_mul_inplace(x.y, t, x.v, x.out);
        subtract(x.out, y_bar);
        rhs.sens_transpose_mul_inplace(x.y, t, x.v, x.p_out);
        subtract(x.p_out, p_bar);
        if !self.autonomous {
            *t_bar += time_product(&rhs, t, w, x);
        }
    }

    fn jacobian(
        &self,
        At { t, y, p }: At<'_>,
        jac: &mut Matrix,
        _: Rows<'_>,
        work: &mut Self::Work,
    ) {
        let Some((eqn, x)) = work.at(p) else { return jac.values_mut().fill(f64::NAN) };
        entries(x.y).copy_from_slice(y);
        let rhs = eqn.rhs();
        for (j, column) in jac.values_mut().chunks_exact_mut(self.dim).enumerate() {
            unit(x.v, j);
            rhs.jac_mul_inplace(x.y, t, x.v, x.out);
            column.copy_from_slice(entries(x.out));
        }
    }
}

/// f_tᵀ w by a central difference, at the y that is in `x`.
fn time_product<R>(rhs: &R, t: f64, w: &[f64], x: Vectors<'_>) -> f64
where
    R: NonLinearOp<V = NalgebraVec<f64>, T = f64>,
{
    let h = f64::EPSILON.cbrt() * t.abs().max(1.0);
    let (before, after) = (t - h, t + h);
    rhs.call_inplace(x.y, before, x.v);
    rhs.call_inplace(x.y, after, x.out);
    let differences =
        entries(x.out).iter().zip(entries(x.v)).map(|(after, before)| after - *before);
    w.iter().zip(differences).map(|(w, d)| w * d).sum::<f64>() / (after - before)
}

/// f_p `p_dot` takes d transposed products: diffsol's builder has no equations with both kinds.
impl<E, F> Jvp for Adapter<E, F>
where
    E: AdjointEquations + 'static,
    F: Fn() -> Result<OdeSolverProblem<E>, DiffsolError> + Send + Sync,
{
    fn jvp(
        &self,
        At { t, y, p }: At<'_>,
        Dots { y: y_dot, p: p_dot }: Dots<'_>,
        dy_dot: &mut [f64],
        work: &mut Self::Work,
    ) {
        let Some((eqn, x)) = work.at(p) else { return dy_dot.fill(f64::NAN) };
        entries(x.y).copy_from_slice(y);
        entries(x.v).copy_from_slice(y_dot);
        let rhs = eqn.rhs();
        rhs.jac_mul_inplace(x.y, t, x.v, x.out);
        dy_dot.copy_from_slice(entries(x.out));
        for (i, dot) in dy_dot.iter_mut().enumerate() {
            unit(x.v, i);
            rhs.sens_transpose_mul_inplace(x.y, t, x.v, x.p_out);
            *dot -= product(x.p_out, p_dot);
        }
    }
}

pub(super) fn unit(v: &mut NalgebraVec<f64>, i: usize) {
    let v = entries(v);
    v.fill(0.0);
    v[i] = 1.0;
}

pub(super) fn product(a: &mut NalgebraVec<f64>, b: &[f64]) -> f64 {
    entries(a).iter().zip(b).map(|(a, b)| a * b).sum()
}
