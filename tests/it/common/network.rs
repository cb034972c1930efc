//! A time loop that is no ODE's: a recurrent network, and one that is unrolled until it ends.

use costate::error::Error;
use costate::numbers::scalar::Scalar;
use costate::recurrence::{Adjoint, Advanced, OnlineRecurrence, Recurrence};

const D: usize = 3;

/// y_{n+1} = tanh(W y_n + x_n), x_n = sin n in each component, y_0 = b; p = (W by rows, b) and
/// J = Σ_{n=0}^{N} ½ |y_n|².
pub struct Network<S> {
    steps: usize,
    scalar: std::marker::PhantomData<S>,
}

impl<S: Scalar> Network<S> {
    pub fn of(steps: usize) -> Self {
        Network { steps, scalar: std::marker::PhantomData }
    }

    pub fn weights() -> Vec<S> {
        (0..D * D + D).map(|i| S::of((1.7 * i as f64).cos())).collect()
    }
}

fn half_square<S: Scalar>(y: &[S]) -> S {
    S::of(0.5) * y.iter().map(|&y| y * y).sum::<S>()
}

impl<S: Scalar> Recurrence for Network<S> {
    type Scalar = S;
    /// y_n.
    type Tape = [S; D];
    type Scratch = ();

    fn dim(&self) -> usize {
        D
    }
    fn num_params(&self) -> usize {
        D * D + D
    }
    fn num_steps(&self) -> usize {
        self.steps
    }
    fn tape(&self) -> [S; D] {
        [S::zero(); D]
    }
    fn tape_bytes(&self, _n: usize) -> usize {
        D * S::BYTES
    }
    fn keeps_tapes(&self) -> bool {
        true
    }
    fn start<'a>(&self, tape: &'a [S; D]) -> &'a [S] {
        tape
    }
    fn scratch(&self) {}
    fn initial(&self, p: &[S], y0: &mut [S]) {
        y0.copy_from_slice(&p[D * D..]);
    }
    fn initial_value(&self, _p: &[S], y0: &[S], _scratch: &mut ()) -> S {
        half_square(y0)
    }

    fn step(
        &self,
        n: usize,
        p: &[S],
        y: &mut [S],
        tape: &mut [S; D],
        _scratch: &mut (),
    ) -> Result<(), Error> {
        tape.copy_from_slice(y);
        for (row, y) in p.chunks(D).zip(y) {
            let sum: S = row.iter().zip(&*tape).map(|(&w, &y)| w * y).sum();
            *y = (sum + S::of((n as f64).sin())).tanh();
        }
        Ok(())
    }

    fn step_value(
        &self,
        _n: usize,
        _p: &[S],
        y_next: &[S],
        _tape: &mut [S; D],
        _scratch: &mut (),
    ) -> S {
        half_square(y_next)
    }

    fn step_adjoint(
        &self,
        _n: usize,
        p: &[S],
        y_next: &[S],
        tape: &mut [S; D],
        _scratch: &mut (),
        adjoint: &mut Adjoint<S>,
    ) -> Result<(), Error> {
        let mut y_bar = [S::zero(); D];
        for (i, &y) in y_next.iter().enumerate() {
            let sum_bar = (adjoint.lambda[i] + y) * (S::one() - y * y);
            for j in 0..D {
                adjoint.p_bar[i * D + j] += sum_bar * tape[j];
                y_bar[j] += sum_bar * p[i * D + j];
            }
        }
        adjoint.lambda.copy_from_slice(&y_bar);
        Ok(())
    }

    fn initial_terms_adjoint(
        &self,
        _p: &[S],
        y0: &[S],
        _scratch: &mut (),
        adjoint: &mut Adjoint<S>,
    ) {
        for (lambda, &y) in adjoint.lambda.iter_mut().zip(y0) {
            *lambda += y;
        }
    }

    fn initial_adjoint(&self, _p: &[S], adjoint: &mut Adjoint<S>) {
        for (bar, &lambda) in adjoint.p_bar[D * D..].iter_mut().zip(&adjoint.lambda) {
            *bar += lambda;
        }
    }
}

/// The network, its end unknown to whoever asks for steps.
pub struct Unrolled<S> {
    pub chain: Network<S>,
    pub end: usize,
}

impl<S: Scalar> OnlineRecurrence for Unrolled<S> {
    type Chain = Network<S>;

    fn chain(&self) -> &Network<S> {
        &self.chain
    }
    fn advance(
        &mut self,
        p: &[S],
        y: &mut [S],
        tape: &mut [S; D],
        scratch: &mut (),
    ) -> Result<Advanced, Error> {
        self.chain.step(self.chain.steps, p, y, tape, scratch)?;
        self.chain.steps += 1;
        Ok(if self.chain.steps == self.end { Advanced::End } else { Advanced::Step })
    }
    fn restart(&mut self) {
        self.chain.steps = 0;
    }
}
