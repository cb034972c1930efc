//! A chain y_{n+1} = Φ_n(y_n, p) with an objective, as the driver knows it.

mod chain;
mod online;

mod discretization;
mod fixed;

mod adaptive;

pub use adaptive::Adaptive;
pub use chain::{Chain, Opaque};
pub use discretization::{Discretization, DiscretizationScratch};
pub use fixed::Fixed;
pub use online::{Advanced, OnlineChain, OnlineRecurrence, Pass, ScalarOf};

use crate::error::Error;
use crate::method::stepper::Counts;
use crate::numbers::scalar::Scalar;

/// What the reverse sweep carries: dJ/dy_n, dJ/dp and dJ/dT so far.
#[derive(Clone, Debug, PartialEq)]
pub struct Adjoint<S> {
    /// λ = dJ/dy_n (d).
    pub lambda: Vec<S>,
    /// dJ/dp (m).
    pub p_bar: Vec<S>,
    /// dJ/dt_N: the effect of moving the last time alone.
    pub end_time_bar: S,
}

impl<S: Scalar> Adjoint<S> {
    /// All zero.
    pub fn zeros(dim: usize, num_params: usize) -> Self {
        Adjoint {
            lambda: vec![S::zero(); dim],
            p_bar: vec![S::zero(); num_params],
            end_time_bar: S::zero(),
        }
    }
}

/// A chain of N steps that can be reversed: an ODE's discretisation, a network's layers, someone's
/// own time loop.
///
/// Each step must be a pure function of n, y_n and p, down to the bit; then the gradient's bits do
/// not depend on which states were kept and which computed again.
///
/// ```
/// use costate::adjoint::gradient;
/// use costate::error::Error;
/// use costate::recurrence::{Adjoint, Recurrence};
/// use costate::schedule::Revolve;
/// use costate::snapshot::MemoryStore;
///
/// /// y_{n+1} = p y_n (1 − y_n), twenty times; J = y_20.
/// struct Logistic;
///
/// impl Recurrence for Logistic {
///     type Scalar = f64;
///     type Tape = f64; // y_n
///     type Scratch = ();
///     fn dim(&self) -> usize {
///         1
///     }
///     fn num_params(&self) -> usize {
///         1
///     }
///     fn num_steps(&self) -> usize {
///         20
///     }
///     fn tape(&self) -> f64 {
///         0.0
///     }
///     fn scratch(&self) {}
///     fn initial(&self, _p: &[f64], y0: &mut [f64]) {
///         y0[0] = 0.4;
///     }
///     fn step(
///         &self,
///         _n: usize,
///         p: &[f64],
///         y: &mut [f64],
///         tape: &mut f64,
///         _scratch: &mut (),
///     ) -> Result<(), Error> {
///         *tape = y[0];
///         y[0] = p[0] * y[0] * (1.0 - y[0]);
///         Ok(())
///     }
///     fn step_value(
///         &self,
///         n: usize,
///         _p: &[f64],
///         y_next: &[f64],
///         _tape: &mut f64,
///         _scratch: &mut (),
///     ) -> f64 {
///         if n == 19 { y_next[0] } else { 0.0 }
///     }
///     fn step_adjoint(
///         &self,
///         n: usize,
///         p: &[f64],
///         _y_next: &[f64],
///         tape: &mut f64,
///         _scratch: &mut (),
///         adjoint: &mut Adjoint<f64>,
///     ) -> Result<(), Error> {
///         let (y, lambda) = (*tape, adjoint.lambda[0] + if n == 19 { 1.0 } else { 0.0 });
///         adjoint.p_bar[0] += lambda * y * (1.0 - y);
///         adjoint.lambda[0] = lambda * p[0] * (1.0 - 2.0 * y);
///         Ok(())
///     }
/// }
///
/// let g = gradient(&Logistic, &[2.5], Revolve::new(20, 3)?, &mut MemoryStore::new())?;
/// // It converges to 1 − 1/p, whose slope is 1/p².
/// assert!((g.value - 0.6).abs() < 1e-6);
/// assert!((g.wrt_params[0] - 0.16).abs() < 1e-4);
/// # Ok::<(), Error>(())
/// ```
pub trait Recurrence: Sync {
    /// `f64` or `f32`.
    type Scalar: Scalar;
    /// What a step leaves for its adjoint: to keep the step is to exchange its tape for another.
    type Tape: Send + 'static;
    /// What a step and its adjoint need besides.
    type Scratch: Send + 'static;

    /// d, the length of a state.
    fn dim(&self) -> usize;
    /// m, the number of parameters.
    fn num_params(&self) -> usize;
    /// N, the number of steps.
    fn num_steps(&self) -> usize;
    /// t_n, for messages.
    fn time(&self, n: usize) -> f64 {
        n as f64
    }
    /// How many of the first numbers of y_n are of use: d, but for chains whose states differ in
    /// length. The others are not kept.
    fn state_len(&self, _n: usize) -> usize {
        self.dim()
    }
    /// A tape for one step.
    fn tape(&self) -> Self::Tape;
    /// Bytes that a tape occupies with step n on it.
    fn tape_bytes(&self, _n: usize) -> usize {
        0
    }
    /// Bytes that a tape occupies at most.
    fn largest_tape_bytes(&self) -> usize {
        (0..self.num_steps()).map(|n| self.tape_bytes(n)).max().unwrap_or(0)
    }
    /// Whether tapes may be kept, so that steps need not be taken again: they then hold y_n.
    fn keeps_tapes(&self) -> bool {
        false
    }
    /// The state y_n that the step on the tape started from, where tapes may be kept.
    fn start<'a>(&self, _tape: &'a Self::Tape) -> &'a [Self::Scalar] {
        &[]
    }
    /// Scratch for steps and their adjoints.
    fn scratch(&self) -> Self::Scratch;
    /// Bytes that scratch occupies.
    fn scratch_bytes(&self) -> usize {
        0
    }
    /// Bytes that the times of the steps occupy.
    fn grid_bytes(&self) -> usize {
        0
    }
    /// Writes y_0(p).
    fn initial(&self, p: &[Self::Scalar], y0: &mut [Self::Scalar]);
    /// The objective's terms at the start.
    fn initial_value(
        &self,
        _p: &[Self::Scalar],
        _y0: &[Self::Scalar],
        _scratch: &mut Self::Scratch,
    ) -> Self::Scalar {
        num_traits::Zero::zero()
    }
    /// Overwrites y_n with y_{n+1}.
    fn step(
        &self,
        n: usize,
        p: &[Self::Scalar],
        y: &mut [Self::Scalar],
        tape: &mut Self::Tape,
        scratch: &mut Self::Scratch,
    ) -> Result<(), Error>;
    /// The objective's terms that belong to step n, which was just taken and ended at `y_next`.
    fn step_value(
        &self,
        n: usize,
        p: &[Self::Scalar],
        y_next: &[Self::Scalar],
        tape: &mut Self::Tape,
        scratch: &mut Self::Scratch,
    ) -> Self::Scalar;
    /// With λ = dJ/dy_{n+1} of all later terms: adds the derivatives of step n's own terms, then
    /// makes λ = dJ/dy_n and adds to the other bars. Step n is on the tape and ended at `y_next`.
    /// [`verify::recurrence`](crate::verify::recurrence) compares this and the other adjoints with
    /// differences.
    fn step_adjoint(
        &self,
        n: usize,
        p: &[Self::Scalar],
        y_next: &[Self::Scalar],
        tape: &mut Self::Tape,
        scratch: &mut Self::Scratch,
        adjoint: &mut Adjoint<Self::Scalar>,
    ) -> Result<(), Error>;
    /// Adds the derivatives of the terms at the start to λ = dJ/dy_0 and to p̄.
    fn initial_terms_adjoint(
        &self,
        _p: &[Self::Scalar],
        _y0: &[Self::Scalar],
        _scratch: &mut Self::Scratch,
        _adjoint: &mut Adjoint<Self::Scalar>,
    ) {
    }
    /// Adds (∂y_0/∂p)ᵀ λ to p̄.
    fn initial_adjoint(&self, _p: &[Self::Scalar], _adjoint: &mut Adjoint<Self::Scalar>) {}
    /// What was counted with this scratch.
    fn counts(&self, _scratch: &Self::Scratch) -> Counts {
        Counts::default()
    }
}
