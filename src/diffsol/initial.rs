//! The initial state of diffsol's equations.

use ::diffsol::error::DiffsolError;
use ::diffsol::{ConstantOp, ConstantOpSensAdjoint, OdeSolverProblem};

use super::adapter::{product, unit};
use super::work::{entries, subtract};
use super::{Adapter, AdjointEquations};
use crate::error::{Error, check_length};
use crate::ode::Initial;

impl<E, F> Initial for Adapter<E, F>
where
    E: AdjointEquations,
    F: Fn() -> Result<OdeSolverProblem<E>, DiffsolError> + Send + Sync,
{
    fn initial(&self, p: &[f64], y0: &mut [f64]) {
        let mut work = self.lock();
        let Some((eqn, x)) = work.at(p) else { return y0.fill(f64::NAN) };
        entries(x.out).fill(0.0);
        eqn.init().call_inplace(self.t0, x.out);
        y0.copy_from_slice(entries(x.out));
    }

    fn initial_vjp(&self, p: &[f64], y0_bar: &[f64], p_bar: &mut [f64]) {
        let mut work = self.lock();
        let Some((eqn, x)) = work.at(p) else { return p_bar.fill(f64::NAN) };
        entries(x.v).copy_from_slice(y0_bar);
        entries(x.p_out).fill(0.0);
        eqn.init().sens_transpose_mul_inplace(self.t0, x.v, x.p_out);
        subtract(x.p_out, p_bar);
    }

    fn initial_jvp(&self, p: &[f64], p_dot: &[f64], y0_dot: &mut [f64]) {
        let mut work = self.lock();
        let Some((eqn, x)) = work.at(p) else { return y0_dot.fill(f64::NAN) };
        for (i, dot) in y0_dot.iter_mut().enumerate() {
            unit(x.v, i);
            entries(x.p_out).fill(0.0);
            eqn.init().sens_transpose_mul_inplace(self.t0, x.v, x.p_out);
            *dot = -product(x.p_out, p_dot);
        }
    }

    fn check(&self, dim: usize, num_params: usize) -> Result<(), Error> {
        check_length("the initial state", self.dim, dim)?;
        check_length("the initial state's parameter vector", self.nominal.len(), num_params)
    }
}
