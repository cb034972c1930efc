//! What a chain's steps, adjoints and copies cost on this machine.

use std::time::{Duration, Instant};

use num_traits::{One, Zero};

use crate::error::Error;
use crate::recurrence::{Adjoint, Recurrence};
use crate::scalar::Scalar;
use crate::schedule::{Costs, Place, Sizes};
use crate::snapshot::{MemoryStore, SnapshotStore};

/// What a chain costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// Bytes of a state and of a step with its stages.
    pub sizes: Sizes,
    /// Seconds.
    pub costs: Costs,
    /// Bytes of one sweep's own tape and vectors.
    pub sweep_bytes: u64,
}

/// Steps that are timed, at most.
const STEPS: usize = 16;
/// They are no more than take this long.
const LONG_ENOUGH: Duration = Duration::from_millis(100);

/// Takes the first steps of `chain`, reverses them, and copies states, in at most `budget` bytes
/// beside a sweep's own. The steps are as many as take a tenth of a second, 16 at most.
///
/// # Errors
/// Where a step fails.
pub fn measure<R: Recurrence>(chain: &R, p: &[R::Scalar], budget: u64) -> Result<Measured, Error> {
    measure_in(chain, p, budget, &mut MemoryStore::new())
}

/// As [`measure`], with states kept in `store`.
///
/// # Errors
/// As [`measure`], and where the store fails.
pub fn measure_in<R: Recurrence>(
    chain: &R,
    p: &[R::Scalar],
    budget: u64,
    states: &mut dyn SnapshotStore<R::Scalar>,
) -> Result<Measured, Error> {
    let state = (chain.dim() * R::Scalar::BYTES) as u64;
    let tape = chain.kept_bytes(0) as u64;
    let vectors = 3 * state + (chain.num_params() * R::Scalar::BYTES) as u64;
    let tapes_at_once = budget / 2 / tape.max(1);
    let keeps = tape > 0 && tapes_at_once > 0;
    let mut bench = Bench::new(chain, p);
    let (step, adjoint) = bench.steps()?;
    let keep_tape = match keeps {
        true => bench.keep(tapes_at_once.min(STEPS as u64) as usize, step + adjoint)?,
        false => 0.0,
    };
    let copies = (budget / 2 / state.max(1)).clamp(1, STEPS as u64) as usize;
    let (store, restore) = bench.copies(states, copies)?;
    Ok(Measured {
        sizes: Sizes { state: state.max(1), tape: keeps.then_some(tape.max(state)) },
        costs: Costs { step, adjoint, store, restore, keep_tape },
        sweep_bytes: chain.tape_bytes() as u64 + vectors,
    })
}

struct Bench<'a, R: Recurrence> {
    chain: &'a R,
    p: &'a [R::Scalar],
    y: Vec<R::Scalar>,
    tape: R::Tape,
    adjoint: Adjoint<R::Scalar>,
    /// Steps to time.
    steps: usize,
}

impl<'a, R: Recurrence> Bench<'a, R> {
    fn new(chain: &'a R, p: &'a [R::Scalar]) -> Self {
        Bench {
            chain,
            p,
            y: vec![R::Scalar::zero(); chain.dim()],
            tape: chain.tape(),
            adjoint: Adjoint::zeros(chain.dim(), chain.num_params()),
            steps: chain.num_steps().min(STEPS),
        }
    }

    fn step(&mut self, n: usize) -> Result<f64, Error> {
        let begun = Instant::now();
        self.chain.step(n, self.p, &mut self.y, &mut self.tape)?;
        Ok(begun.elapsed().as_secs_f64())
    }

    fn reverse(&mut self, n: usize) -> Result<f64, Error> {
        self.adjoint.lambda.fill(R::Scalar::one());
        let begun = Instant::now();
        self.chain.step_adjoint(n, self.p, &self.y, &mut self.tape, &mut self.adjoint)?;
        Ok(begun.elapsed().as_secs_f64())
    }

    /// The seconds of a step and of its adjoint.
    fn steps(&mut self) -> Result<(f64, f64), Error> {
        self.chain.initial(self.p, &mut self.y);
        let (mut step, mut adjoint) = (Vec::new(), Vec::new());
        let begun = Instant::now();
        for n in 0..self.steps {
            step.push(self.step(n)?);
            adjoint.push(self.reverse(n)?);
            if begun.elapsed() > LONG_ENOUGH {
                self.steps = n + 1;
                break;
            }
        }
        Ok((median(step), median(adjoint)))
    }

    /// The seconds that keeping a tape takes beyond those of its step and its adjoint.
    fn keep(&mut self, tapes: usize, without: f64) -> Result<f64, Error> {
        let tapes = tapes.min(self.steps);
        let mut kept: Vec<R::Kept> = (0..tapes).filter_map(|_| self.chain.kept()).collect();
        let mut seconds = Vec::new();
        // The first round only touches the memory.
        for _ in 0..2 {
            self.chain.initial(self.p, &mut self.y);
            let begun = Instant::now();
            for (n, kept) in kept.iter_mut().enumerate() {
                self.step(n)?;
                self.chain.exchange(&mut self.tape, kept);
            }
            for (n, kept) in kept.iter_mut().enumerate().rev() {
                self.chain.exchange(&mut self.tape, kept);
                self.reverse(n)?;
            }
            seconds.push(begun.elapsed().as_secs_f64());
        }
        let last = seconds.last().copied().unwrap_or(0.0);
        Ok((last / kept.len().max(1) as f64 - without).max(0.0))
    }

    /// The seconds of keeping a state and of making it current.
    fn copies(
        &mut self,
        store: &mut dyn SnapshotStore<R::Scalar>,
        slots: usize,
    ) -> Result<(f64, f64), Error> {
        let (mut stores, mut restores) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            let begun = Instant::now();
            for slot in 0..slots {
                store.store(slot, slot, &self.y)?;
            }
            let stored = Instant::now();
            for slot in (0..slots).rev() {
                store.restore(slot, slot, &mut self.y)?;
            }
            stores.push((stored - begun).as_secs_f64() / slots as f64);
            restores.push(stored.elapsed().as_secs_f64() / slots as f64);
        }
        Ok((median(stores), median(restores)))
    }
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_unstable_by(f64::total_cmp);
    seconds.get(seconds.len() / 2).copied().unwrap_or(0.0)
}

/// What each step of a chain whose steps differ costs: takes and reverses each once, which is a
/// gradient's work, and copies each state once. Where the figures are known they are better given.
///
/// # Errors
/// Where a step fails.
pub fn measure_places<R: Recurrence>(chain: &R, p: &[R::Scalar]) -> Result<Vec<Place>, Error> {
    let mut bench = Bench::new(chain, p);
    let mut copy = vec![R::Scalar::zero(); chain.dim()];
    chain.initial(p, &mut bench.y);
    (0..chain.num_steps())
        .map(|n| {
            let (len, tape) = (chain.state_len(n), chain.kept_bytes(n) as u64);
            let begun = Instant::now();
            copy[..len].copy_from_slice(&bench.y[..len]);
            let store = begun.elapsed().as_secs_f64();
            let (step, adjoint) = (bench.step(n)?, bench.reverse(n)?);
            let state = ((len * R::Scalar::BYTES) as u64).max(1);
            let sizes = Sizes { state, tape: (tape > 0).then_some(tape.max(state)) };
            let costs = Costs { step, adjoint, store, restore: store, keep_tape: 0.0 };
            Ok(Place { costs, sizes })
        })
        .collect()
}
