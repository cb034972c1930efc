//! What a chain's steps, adjoints and copies cost on this machine.

use std::time::{Duration, Instant};

use crate::error::Error;
use crate::numbers::scalar::Scalar;
use crate::recurrence::{Adjoint, Chain, Opaque};
use crate::schedule::{Costs, Counts, Sizes, StepCost};
use crate::snapshot::{MemoryStore, SnapshotStore};

/// What a chain costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// Bytes that a slot takes for a state, and for a step with its stages: its place in lists
    /// included.
    pub sizes: Sizes,
    /// Seconds.
    pub costs: Costs,
    /// Seconds that the first use of a slot's memory for a state takes beyond later ones: the system
    /// has to give it.
    pub touch_state: f64,
    /// Bytes of one sweep's own tape, vectors and lists.
    pub sweep_bytes: u64,
}

/// Bytes that a slot takes beside what it keeps: its step, its places in the lists of the store, of
/// the schedule and, on several threads, of the workers, and what these lists held while they grew.
pub(super) const PLACE: u64 = 256;
/// Bytes that lists take where they have one place: allocations for a few, and a page of the
/// schedule's machine.
const LISTS: u64 = 2560;

/// Bytes that a slot takes for a state of `dim` numbers.
pub(crate) fn slot_bytes_of(dim: usize) -> u64 {
    (dim * size_of::<f64>()) as u64 + PLACE
}

/// Bytes of one sweep's own tape, vectors and lists.
pub(crate) fn sweep_bytes<S: Scalar>(chain: &dyn Chain<S>) -> u64 {
    let vectors = (3 * chain.dim() + chain.num_params()) * S::BYTES;
    (chain.largest_tape_bytes() + chain.scratch_bytes() + vectors) as u64 + LISTS
}

/// Steps that are timed, at most, where a gradient follows.
const STEPS: usize = 16;
/// They are no more than take this long.
const LONG_ENOUGH: Duration = Duration::from_millis(100);
/// The same where nothing but the figures is asked for.
const WHOLE: Duration = Duration::from_millis(400);
/// Measurements of a whole chain; other work of the machine makes some too long.
const ROUNDS: usize = 5;
/// Bytes of tapes that are kept at once to learn what that costs; more than caches hold.
const TAPES: u64 = 64 << 20;
const COPIES: usize = 16;

/// Takes the first steps of `chain`, reverses them, and copies states, in at most `budget` bytes
/// beside a sweep's own. The steps are as many as take a tenth of a second, 16 at most.
///
/// # Errors
/// Where a step fails.
pub fn measure<S: Scalar>(chain: &dyn Chain<S>, p: &[S], budget: u64) -> Result<Measured, Error> {
    Bench::new(chain, p, STEPS, LONG_ENOUGH).measured(budget, &mut MemoryStore::new())
}

/// As [`measure`], with as many steps as take less than half a second, where these do not cost what the
/// first ones do, and with states kept in `store`.
///
/// # Errors
/// As [`measure`], and where the store fails.
pub fn measure_whole<S: Scalar>(
    chain: &dyn Chain<S>,
    p: &[S],
    budget: u64,
    store: &mut dyn SnapshotStore<S>,
) -> Result<Measured, Error> {
    Bench::new(chain, p, chain.num_steps(), WHOLE).measured(budget, store)
}

struct Bench<'a, S: Scalar> {
    chain: &'a dyn Chain<S>,
    p: &'a [S],
    y: Vec<S>,
    tape: Opaque,
    scratch: Opaque,
    adjoint: Adjoint<S>,
    /// Steps to time.
    steps: usize,
    patience: Duration,
    /// The least seconds that each of those took, and its adjoint.
    least: Vec<[f64; 2]>,
}

impl<'a, S: Scalar> Bench<'a, S> {
    fn new(chain: &'a dyn Chain<S>, p: &'a [S], steps: usize, patience: Duration) -> Self {
        Bench {
            chain,
            p,
            y: vec![S::zero(); chain.dim()],
            tape: chain.tape(),
            scratch: chain.scratch(),
            adjoint: Adjoint::zeros(chain.dim(), chain.num_params()),
            steps: chain.num_steps().min(steps),
            patience,
            least: Vec::new(),
        }
    }

    fn measured(
        mut self,
        budget: u64,
        store: &mut dyn SnapshotStore<S>,
    ) -> Result<Measured, Error> {
        let chain = self.chain;
        let state = (chain.dim() * S::BYTES) as u64;
        let tape = if chain.keeps_tapes() { chain.tape_bytes(0) as u64 } else { 0 };
        let tapes_at_once = (budget / 2).min(TAPES.max(tape)) / tape.max(1);
        let keeps = tape > 0 && tapes_at_once > 0;
        let (step, adjoint) = self.steps()?;
        let keep_tape = match keeps {
            true => self.keep(usize::try_from(tapes_at_once).unwrap_or(usize::MAX))?,
            false => 0.0,
        };
        let most = (self.steps as u64).max(COPIES as u64);
        let copies = (budget.min(TAPES) / 2 / state.max(1)).clamp(1, most) as usize;
        let (store, restore, touch_state) = self.copies(store, copies)?;
        Ok(Measured {
            sizes: Sizes { state: state + PLACE, tape: keeps.then_some(tape.max(state) + PLACE) },
            costs: Costs { step, adjoint, store, restore, keep_tape },
            touch_state,
            sweep_bytes: sweep_bytes(chain),
        })
    }

    fn step(&mut self, n: usize) -> Result<f64, Error> {
        let begun = Instant::now();
        self.chain.step(n, self.p, &mut self.y, &mut self.tape, &mut self.scratch)?;
        Ok(begun.elapsed().as_secs_f64())
    }

    fn reverse(&mut self, n: usize) -> Result<f64, Error> {
        self.adjoint.lambda.fill(S::one());
        let begun = Instant::now();
        let (tape, scratch) = (&mut self.tape, &mut self.scratch);
        self.chain.step_adjoint(n, self.p, &self.y, tape, scratch, &mut self.adjoint)?;
        Ok(begun.elapsed().as_secs_f64())
    }

    /// The seconds of a step and of its adjoint: the mean over steps of the least of a few rounds.
    fn steps(&mut self) -> Result<(f64, f64), Error> {
        let mut least = vec![[f64::INFINITY; 2]; self.steps];
        let (mut taken, begun) = (least.len(), Instant::now());
        for round in 0..ROUNDS {
            self.chain.initial(self.p, &mut self.y);
            for (n, least) in least.iter_mut().enumerate() {
                let found = [self.step(n)?, self.reverse(n)?];
                *least = [least[0].min(found[0]), least[1].min(found[1])];
                if round == 0 && begun.elapsed() > self.patience {
                    taken = n + 1;
                    break;
                }
            }
            least.truncate(taken);
            if begun.elapsed() > self.patience {
                break;
            }
        }
        let mean =
            |k: usize| least.iter().map(|one| one[k]).sum::<f64>() / least.len().max(1) as f64;
        let means = (mean(0), mean(1));
        self.least = least;
        Ok(means)
    }

    /// The seconds that keeping a tape takes beyond those of its step and its adjoint: the least of a
    /// few rounds, in each of which the memory is touched for the first time, as in a gradient.
    fn keep(&mut self, tapes: usize) -> Result<f64, Error> {
        let tapes = tapes.min(self.least.len());
        let mut least = f64::INFINITY;
        let begun = Instant::now();
        for _ in 0..ROUNDS {
            least = least.min(self.back_and_forth(tapes)?);
            if begun.elapsed() > self.patience {
                break;
            }
        }
        let without: f64 = self.least[..tapes].iter().flatten().sum();
        Ok(((least - without) / tapes.max(1) as f64).max(0.0))
    }

    /// The seconds of the first steps and their adjoints with all tapes kept.
    fn back_and_forth(&mut self, tapes: usize) -> Result<f64, Error> {
        let mut kept: Vec<Opaque> = Vec::new();
        self.chain.initial(self.p, &mut self.y);
        let begun = Instant::now();
        for n in 0..tapes {
            self.step(n)?;
            kept.push(std::mem::replace(&mut self.tape, self.chain.tape()));
        }
        for (n, kept) in kept.iter_mut().enumerate().rev() {
            std::mem::swap(&mut self.tape, kept);
            self.reverse(n)?;
        }
        drop(kept);
        Ok(begun.elapsed().as_secs_f64())
    }

    /// The seconds of keeping a state and of making it current, in the memory of a few slots that is
    /// used again and again; and those that a slot among many takes beyond, once.
    fn copies(
        &mut self,
        store: &mut dyn SnapshotStore<S>,
        slots: usize,
    ) -> Result<(f64, f64, f64), Error> {
        let few = slots.min(COPIES);
        let first = self.copied(store, slots)?;
        let (mut stores, mut restores) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            let [stored, restored] = self.copied(store, few)?;
            stores.push(stored);
            restores.push(restored);
        }
        let (stored, restored) = (median(stores), median(restores));
        Ok((stored, restored, (first[0] + first[1] - stored - restored).max(0.0)))
    }

    /// The seconds of a store and of a restore.
    fn copied(
        &mut self,
        store: &mut dyn SnapshotStore<S>,
        slots: usize,
    ) -> Result<[f64; 2], Error> {
        let begun = Instant::now();
        for slot in 0..slots {
            store.store(slot, slot, &self.y)?;
        }
        let stored = Instant::now();
        for slot in (0..slots).rev() {
            store.restore(slot, slot, &mut self.y)?;
        }
        let seconds = [stored - begun, stored.elapsed()];
        Ok(seconds.map(|time| time.as_secs_f64() / slots.max(1) as f64))
    }
}

impl Measured {
    /// Seconds that the first use of memory for states takes in what was counted.
    pub(crate) fn touching(&self, counts: &Counts) -> f64 {
        let tapes = counts.tapes.saturating_mul(self.sizes.tape.unwrap_or(0));
        let states = counts.bytes_peak.saturating_sub(tapes) / self.sizes.state;
        states as f64 * self.touch_state
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
pub fn measure_places<S: Scalar>(chain: &dyn Chain<S>, p: &[S]) -> Result<Vec<StepCost>, Error> {
    let mut bench = Bench::new(chain, p, chain.num_steps(), LONG_ENOUGH);
    let mut copy = vec![S::zero(); chain.dim()];
    chain.initial(p, &mut bench.y);
    (0..chain.num_steps())
        .map(|n| {
            let tape = if chain.keeps_tapes() { chain.tape_bytes(n) as u64 } else { 0 };
            let len = chain.state_len(n);
            let begun = Instant::now();
            copy[..len].copy_from_slice(&bench.y[..len]);
            let store = begun.elapsed().as_secs_f64();
            let (step, adjoint) = (bench.step(n)?, bench.reverse(n)?);
            let state = ((len * S::BYTES) as u64).max(1);
            let sizes = Sizes { state, tape: (tape > 0).then_some(tape.max(state)) };
            let costs = Costs { step, adjoint, store, restore: store, keep_tape: 0.0 };
            Ok(StepCost { costs, sizes })
        })
        .collect()
}
