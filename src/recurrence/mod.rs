//! A chain y_{n+1} = Φ_n(y_n, p) with an objective, as the driver knows it.

mod adaptive;
mod discretization;

pub use adaptive::Adaptive;
pub use discretization::{Discretization, DiscretizationTape};

use crate::error::Error;
use crate::scalar::Scalar;
use crate::stepper::Counts;

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
///     type Kept = ();
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
///     fn initial(&self, _p: &[f64], y0: &mut [f64]) {
///         y0[0] = 0.4;
///     }
///     fn step(&self, _n: usize, p: &[f64], y: &mut [f64], tape: &mut f64) -> Result<(), Error> {
///         *tape = y[0];
///         y[0] = p[0] * y[0] * (1.0 - y[0]);
///         Ok(())
///     }
///     fn add_value(&self, n: usize, _p: &[f64], y: &[f64], _tape: &mut f64, value: &mut f64) {
///         if n == 19 {
///             *value += y[0];
///         }
///     }
///     fn step_adjoint(
///         &self,
///         n: usize,
///         p: &[f64],
///         _y_next: &[f64],
///         tape: &mut f64,
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
    /// What a step leaves for its adjoint; scratch, too.
    type Tape: Send;
    /// What of a step is kept where memory is spent so that it need not be taken again; `()` where
    /// that is not offered.
    type Kept: Send;

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
    /// A tape for one step.
    fn tape(&self) -> Self::Tape;
    /// How many of the first numbers of y_n are of use: d, but for chains whose states differ in
    /// length. The others are not kept.
    fn state_len(&self, _n: usize) -> usize {
        self.dim()
    }
    /// Bytes that a tape occupies.
    fn tape_bytes(&self) -> usize {
        0
    }
    /// Room to keep a step in; `None` where that is not offered.
    fn kept(&self) -> Option<Self::Kept> {
        None
    }
    /// Bytes that the kept step n occupies.
    fn kept_bytes(&self, _n: usize) -> usize {
        0
    }
    /// Exchanges the step on `tape` for the one in `kept`.
    fn exchange(&self, _tape: &mut Self::Tape, _kept: &mut Self::Kept) {}
    /// The state y_n that the kept step n started from.
    fn start<'a>(&self, _kept: &'a Self::Kept) -> &'a [Self::Scalar] {
        &[]
    }
    /// Bytes that the times of the steps occupy.
    fn grid_bytes(&self) -> usize {
        0
    }
    /// Writes y_0(p).
    fn initial(&self, p: &[Self::Scalar], y0: &mut [Self::Scalar]);
    /// Adds the objective's terms at the start to `value`.
    fn add_initial_value(
        &self,
        _p: &[Self::Scalar],
        _y0: &[Self::Scalar],
        _tape: &mut Self::Tape,
        _value: &mut Self::Scalar,
    ) {
    }
    /// Overwrites y_n with y_{n+1}.
    fn step(
        &self,
        n: usize,
        p: &[Self::Scalar],
        y: &mut [Self::Scalar],
        tape: &mut Self::Tape,
    ) -> Result<(), Error>;
    /// Adds the terms that belong to step n, which is on the tape and ended at `y_next`, to `value`.
    fn add_value(
        &self,
        n: usize,
        p: &[Self::Scalar],
        y_next: &[Self::Scalar],
        tape: &mut Self::Tape,
        value: &mut Self::Scalar,
    );
    /// [`verify::recurrence`](crate::verify::recurrence) compares this and the other adjoints with
    /// differences.
    ///
    /// With λ = dJ/dy_{n+1} of all later terms: adds the derivatives of step n's own terms, then
    /// makes λ = dJ/dy_n and adds to the other bars. Step n is on the tape and ended at `y_next`.
    fn step_adjoint(
        &self,
        n: usize,
        p: &[Self::Scalar],
        y_next: &[Self::Scalar],
        tape: &mut Self::Tape,
        adjoint: &mut Adjoint<Self::Scalar>,
    ) -> Result<(), Error>;
    /// Adds the derivatives of the terms at the start to λ = dJ/dy_0 and to p̄.
    fn initial_terms_adjoint(
        &self,
        _p: &[Self::Scalar],
        _y0: &[Self::Scalar],
        _tape: &mut Self::Tape,
        _adjoint: &mut Adjoint<Self::Scalar>,
    ) {
    }
    /// Adds (∂y_0/∂p)ᵀ λ to p̄.
    fn initial_adjoint(&self, _p: &[Self::Scalar], _adjoint: &mut Adjoint<Self::Scalar>) {}
    /// What was counted on this tape.
    fn counts(&self, _tape: &Self::Tape) -> Counts {
        Counts::default()
    }
}

/// A chain whose length is known when its end is reached: an adaptive run.
pub trait Frontier: Send {
    /// The chain of the steps taken so far.
    type Chain: Recurrence;

    /// The steps taken so far, which it replays.
    fn chain(&self) -> &Self::Chain;
    /// Prepares for the first step, before a tape is made: what that needs is then not held beside it.
    fn begin(&mut self, _p: &[ScalarOf<Self>]) {}
    /// Takes the first step that was not taken yet, from `y`, and adds it to the chain. Returns
    /// whether the end was reached.
    fn extend(
        &mut self,
        p: &[ScalarOf<Self>],
        y: &mut [ScalarOf<Self>],
        tape: &mut <Self::Chain as Recurrence>::Tape,
    ) -> Result<bool, Error>;
    /// Attempts that were rejected so far.
    fn rejected(&self) -> u64;
    /// What the next step depends on besides the chain so far and y, as words.
    fn control(&self) -> Vec<u64> {
        Vec::new()
    }
    /// What the chain keeps of its steps from the `from`th on, a word for each.
    fn log(&self, _from: usize) -> Vec<u64> {
        Vec::new()
    }
    /// Makes this new frontier that of a run with this [`log`](Self::log) and
    /// [`control`](Self::control). Returns whether they are such a run's.
    fn go_on(&mut self, log: &[u64], control: &[u64]) -> bool {
        log.is_empty() && control.is_empty()
    }
}

/// The numbers that a frontier's chain is made of.
pub type ScalarOf<F> = <<F as Frontier>::Chain as Recurrence>::Scalar;
