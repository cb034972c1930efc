//! This library's models as diffsol problems.

use std::sync::{Mutex, MutexGuard, PoisonError};

use ::diffsol::error::DiffsolError;
use ::diffsol::{
    NalgebraContext, NalgebraMat, NalgebraVec, OdeBuilder, OdeEquationsImplicitAdjoint,
    OdeSolverProblem,
};

use crate::method::stepper::Tolerances;
use crate::ode::{At, Bars, Dots, Initial, Jvp, Vjp};

/// The diffsol problem y' = f(t, y, p), y(`t0`) = y₀(p), with all that diffsol's solvers and its
/// adjoints ask for. Settings of diffsol's own are fields of the problem.
///
/// ```
/// use costate::diffsol::to_problem;
/// use costate::model::Model;
/// use costate::method::stepper::Tolerances;
/// use diffsol::{NalgebraLU, OdeSolverMethod, Vector};
///
/// let decay = Model::trace(1, 1, |_t, y, p| [-&p[0] * &y[0]]).initial(|_| [2.0.into()]).build()?;
/// let tolerances = Tolerances { rtol: 1e-8, atol: vec![1e-10] };
/// let problem = to_problem(&decay, &decay, 0.0, &[0.5], tolerances)?;
/// let mut bdf = problem.bdf::<NalgebraLU<f64>>()?;
/// bdf.set_stop_time(1.0)?;
/// while bdf.state().t < 1.0 {
///     bdf.step()?;
/// }
/// assert!((bdf.state().y.get_index(0) - 2.0 * (-0.5_f64).exp()).abs() < 1e-6);
/// # Ok::<(), costate::Error>(())
/// ```
///
/// # Errors
/// Where diffsol cannot build it, such as for a list of tolerances of another length.
pub fn to_problem<'a, O: Vjp + Jvp, I: Initial>(
    ode: &'a O,
    initial: &'a I,
    t0: f64,
    p: &[f64],
    tolerances: Tolerances,
) -> Result<
    OdeSolverProblem<
        impl OdeEquationsImplicitAdjoint<
            M = NalgebraMat<f64>,
            V = NalgebraVec<f64>,
            T = f64,
            C = NalgebraContext,
        > + 'a,
    >,
    DiffsolError,
> {
    let (d, m) = (ode.dim(), ode.num_params());
    let scratch = || Mutex::new(Scratch { work: ode.work(), y: vec![0.0; d], p: vec![0.0; m] });
    let (for_rhs, for_jvp, for_y, for_p) = (scratch(), scratch(), scratch(), scratch());
    OdeBuilder::<NalgebraMat<f64>>::new()
        .t0(t0)
        .rtol(tolerances.rtol)
        .atol(tolerances.atol)
        .p(p.to_vec())
        .rhs_adjoint_implicit(
            move |y: &[f64], p: &[f64], t: f64, dy: &mut [f64]| {
                ode.rhs(At { t, y, p }, dy, &mut lock(&for_rhs).work);
            },
            move |y: &[f64], p: &[f64], t: f64, v: &[f64], out: &mut [f64]| {
                let Scratch { work, y: dy, p: p_dot } = &mut *lock(&for_jvp);
                ode.rhs(At { t, y, p }, dy, work);
                ode.jvp(At { t, y, p }, Dots { y: v, p: p_dot }, out, work);
            },
            move |y: &[f64], p: &[f64], t: f64, v: &[f64], out: &mut [f64]| {
                let mut scratch = lock(&for_y);
                scratch.vjp(ode, t, y, p, v);
                negate(&scratch.y, out);
            },
            move |y: &[f64], p: &[f64], t: f64, v: &[f64], out: &mut [f64]| {
                let mut scratch = lock(&for_p);
                scratch.vjp(ode, t, y, p, v);
                negate(&scratch.p, out);
            },
        )
        .init_adjoint(
            move |p: &[f64], _t: f64, y0: &mut [f64]| initial.initial(p, y0),
            move |p: &[f64], _t: f64, v: &[f64], out: &mut [f64]| {
                out.fill(0.0);
                initial.initial_vjp(p, v, out);
                out.iter_mut().for_each(|out| *out = -*out);
            },
            d,
        )
        .build()
}

/// diffsol's closures are `Fn`: a mutex lets them write here.
struct Scratch<W> {
    work: W,
    y: Vec<f64>,
    p: Vec<f64>,
}

impl<W> Scratch<W> {
    /// Leaves f_yᵀ v in `self.y` and f_pᵀ v in `self.p`.
    fn vjp<O: Vjp<Work = W>>(&mut self, ode: &O, t: f64, y: &[f64], p: &[f64], v: &[f64]) {
        ode.rhs(At { t, y, p }, &mut self.y, &mut self.work);
        self.y.fill(0.0);
        self.p.fill(0.0);
        let bars = Bars { y: &mut self.y, p: &mut self.p, t: &mut 0.0 };
        ode.vjp(At { t, y, p }, v, bars, &mut self.work);
    }
}

fn lock<W>(scratch: &Mutex<Scratch<W>>) -> MutexGuard<'_, Scratch<W>> {
    scratch.lock().unwrap_or_else(PoisonError::into_inner)
}

fn negate(from: &[f64], to: &mut [f64]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = -from;
    }
}
