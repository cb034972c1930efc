//! Backsolve with a guard: no trajectory is stored; the state is integrated backward too,
//!
//! dy/dτ = −f,  dλ/dτ = f_yᵀ λ + r_y,  dp̄/dτ = f_pᵀ λ + r_p,  τ = −t,
//!
//! under error control, from each of a few kept states to the one before. Where a flow contracts
//! forward it expands backward, and then this gives wrong gradients (Gholami, Keutzer & Biros,
//! "ANODE", IJCAI 2019, arXiv 1902.10298; Kim, Ji, Deng, Ma & Rackauckas, Chaos 31 (2021), doi
//! 10.1063/5.0060697). So the state that arrives is compared with the kept one: where it has drifted
//! further than [`DRIFT`] allows, what this segment added is thrown away and the segment replayed
//! from its kept state with its steps' own adjoint. The gradient tends to that of the exact
//! solution as the tolerances fall.

mod augmented;
mod replay;
mod segment;
mod spaced;

pub use replay::{Cause, Replay};

use std::time::Instant;

use crate::adjoint::{
    Gradient, Halt, Progress, Stats, check_derivatives, check_state, check_value, stiff,
};
use crate::error::{Error, check_length};
use crate::method::continuous::largest;
use crate::method::control::Control;
use crate::method::stepper::{ExplicitRk, Tolerances};
use crate::ode::Vjp;
use crate::ode::objective::Objective;
use crate::recurrence::{Adjoint, Advanced, Chain, OnlineChain, Opaque};
use crate::snapshot::{SnapshotStore, Usage};
use segment::{Backward, Segment};
use spaced::Spaced;

/// How far the state that arrives may be from the kept one, in the norm of the run's tolerances,
/// for each step of the segment: as far as the run's steps may themselves have erred.
pub const DRIFT: f64 = 1.0;

/// A gradient and the segments that were replayed for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Backsolved {
    /// J and its derivatives.
    pub gradient: Gradient,
    /// What was replayed, from the end of the run to its start.
    pub replays: Vec<Replay>,
}

/// How to go back: the method, and the states that are kept to check it by.
///
/// ```
/// use costate::adjoint::backsolve::Backsolve;
/// use costate::method::control::Control;
/// use costate::ode::grid::Span;
/// use costate::model::Model;
/// use costate::recurrence::Adaptive;
/// use costate::snapshot::MemoryStore;
/// use costate::method::stepper::{ExplicitRk, Tolerances};
/// use costate::method::tableau::DOP853;
///
/// let oscillator = Model::trace(2, 1, |_t, y, p| [y[1].clone(), -(&p[0] * &y[0])])
///     .initial(|_p| [1.0.into(), 0.0.into()])
///     .terminal(|y, _p| y[0].clone())
///     .build()?;
/// let (span, dop853) = (Span { start: 0.0, end: 20.0 }, ExplicitRk::new(&DOP853)?);
/// let tolerances = Tolerances { rtol: 1e-9, atol: vec![1e-9] };
/// let control = Control::new(tolerances.clone())?;
/// let (stepper, ode) = (dop853.clone(), &oscillator);
/// let mut run = Adaptive::new(ode, ode, ode, stepper, span, control)?;
/// let back = Backsolve::new(dop853, tolerances, 8)?;
/// let found = back.gradient((ode, ode), &mut run, &[4.0], &mut MemoryStore::new(), &|_| {});
/// let found = found.map_err(costate::error::Error::from)?;
/// assert!((found.gradient.wrt_params[0] + 5.0 * 40f64.sin()).abs() < 1e-5); // J = cos(√p T)
/// assert!(found.replays.is_empty() && found.gradient.stats.snapshots_peak <= 8);
/// # Ok::<(), costate::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Backsolve {
    method: ExplicitRk,
    tolerances: Tolerances,
    snapshots: usize,
}

impl Backsolve {
    /// How many states are kept where nothing is said.
    pub const SNAPSHOTS: usize = 16;
    /// Name of how they are chosen: evenly spaced.
    pub const SCHEDULE: &str = "sparse";

    /// Goes back by `method` with at most `snapshots` kept states; `tolerances` are those of the
    /// run.
    ///
    /// # Errors
    /// Where `snapshots` is zero, or a tolerance cannot be used.
    pub fn new(
        method: ExplicitRk,
        tolerances: Tolerances,
        snapshots: usize,
    ) -> Result<Self, Error> {
        if snapshots == 0 {
            let (what, required) = ("the number of snapshots", "at least 1");
            return Err(Error::BadSetting { what, given: "0".into(), required });
        }
        let Control { tolerances, .. } = Control::new(tolerances)?;
        Ok(Backsolve { method, tolerances, snapshots })
    }

    /// J and its gradient by a run of `ode` with `objective`, with no more than the given number of
    /// states kept in `store`, whatever the number of steps. J has the bits that the other adjoints
    /// give it; its gradient has not.
    ///
    /// # Errors
    /// Where a setting cannot be used, a step fails, a number is not finite, or the store fails; where
    /// the run is stiff and was to stop there. That the way back is lost is no error.
    pub fn gradient<O: Vjp, J: Objective + ?Sized>(
        &self,
        (ode, objective): (&O, &J),
        run: &mut dyn OnlineChain,
        p: &[f64],
        store: &mut dyn SnapshotStore<f64>,
        observe: &dyn Fn(Progress),
    ) -> Result<Backsolved, Halt> {
        check_length("the parameter vector", p.len(), run.chain().num_params())?;
        run.begin(p);
        let chain = run.chain();
        let mut back = Backward::new(&self.method, &self.tolerances, (ode, objective), p)?;
        let begun = Instant::now();
        let mut sweep = Sweep {
            p,
            y: vec![0.0; chain.dim()],
            tape: chain.tape(),
            scratch: chain.scratch(),
            store: Kept::new(store),
            value: 0.0,
            size: 0.0,
            spaced: Spaced::new(self.snapshots),
            adjoint: Adjoint::zeros(chain.dim(), chain.num_params()),
            taken: 0,
        };
        sweep.forward(run, observe)?;
        let turned = Instant::now();
        let chain = run.chain();
        let replays = sweep.back(chain, &mut back, observe)?;
        let stats = Stats {
            rejected: run.rejected(),
            replayed_segments: replays.len() as u64,
            seconds_forward: (turned - begun).as_secs_f64(),
            seconds_reverse: turned.elapsed().as_secs_f64(),
            ..sweep.stats(chain, &back, !replays.is_empty())
        };
        Ok(Backsolved { gradient: sweep.finish(chain, stats)?, replays })
    }
}

/// The state of both sweeps.
struct Sweep<'s> {
    p: &'s [f64],
    y: Vec<f64>,
    tape: Opaque,
    scratch: Opaque,
    store: Kept<'s>,
    value: f64,
    /// The largest entry of any state of the run.
    size: f64,
    spaced: Spaced,
    adjoint: Adjoint<f64>,
    /// Steps taken.
    taken: u64,
}

impl Sweep<'_> {
    fn forward(
        &mut self,
        run: &mut dyn OnlineChain,
        observe: &dyn Fn(Progress),
    ) -> Result<(), Halt> {
        let (chain, p) = (run.chain(), self.p);
        chain.initial(p, &mut self.y);
        check_state(chain, 0, 0, &self.y)?;
        self.value += chain.initial_value(p, &self.y, &mut self.scratch);
        check_value(chain, 0, 0, self.value)?;
        self.size = largest(&self.y);
        for n in 0.. {
            if let Some(slot) = self.spaced.offer(n) {
                self.store.store(slot, n, &self.y)?;
            }
            let advanced = run.advance(p, &mut self.y, &mut self.tape, &mut self.scratch)?;
            if advanced == Advanced::Stiff {
                return Err(stiff(run));
            }
            let chain = run.chain();
            self.taken += 1;
            check_state(chain, n, n + 1, &self.y)?;
            self.value += chain.step_value(n, p, &self.y, &mut self.tape, &mut self.scratch);
            check_value(chain, n, n + 1, self.value)?;
            self.size = self.size.max(largest(&self.y));
            observe(Progress { forward: n + 1, reversed: 0 });
            if advanced == Advanced::End {
                break;
            }
        }
        Ok(())
    }

    fn finish(mut self, chain: &dyn Chain, stats: Stats) -> Result<Gradient, Error> {
        let adjoint = &mut self.adjoint;
        chain.initial(self.p, &mut self.y);
        chain.initial_terms_adjoint(self.p, &self.y, &mut self.scratch, adjoint);
        let wrt_y0 = adjoint.lambda.clone();
        chain.initial_adjoint(self.p, adjoint);
        check_derivatives(&wrt_y0, adjoint)?;
        let Adjoint { p_bar: wrt_params, end_time_bar: wrt_end_time, .. } = self.adjoint;
        Ok(Gradient { value: self.value, wrt_y0, wrt_params, wrt_end_time, stats })
    }
}

impl Sweep<'_> {
    /// Goes back from segment to segment. Once one had to be replayed no other is tried: a flow
    /// that contracts seldom does so in one place alone, and each attempt costs.
    fn back<O: Vjp, J: Objective + ?Sized>(
        &mut self,
        chain: &dyn Chain,
        back: &mut Backward<'_, O, J>,
        observe: &dyn Fn(Progress),
    ) -> Result<Vec<Replay>, Error> {
        let steps = chain.num_steps();
        let (mut end, mut y_end, mut y_start) = (steps, self.y.clone(), self.y.clone());
        let (mut replays, mut before) = (Vec::new(), self.adjoint.clone());
        while let Some((kept, slots)) = self.spaced.take_last(end) {
            let slots = slots.to_vec();
            let segment = Segment::new(chain, kept.step..end, back.times());
            self.store.restore(kept.slot, kept.step, &mut y_start)?;
            copy(&self.adjoint, &mut before);
            let verdict = match replays.is_empty() {
                true => back.over(&segment, &y_end, &y_start, self.size, &mut self.adjoint),
                false => Err(Cause::AfterAnother),
            };
            if let Err(cause) = verdict {
                copy(&before, &mut self.adjoint);
                self.replay(chain, &segment.steps, &y_start, &slots)?;
                replays.push(Replay { steps: segment.steps, span: segment.span, cause });
            }
            std::mem::swap(&mut y_start, &mut y_end);
            end = kept.step;
            observe(Progress { forward: steps, reversed: steps - end });
        }
        Ok(replays)
    }

    fn stats<O: Vjp, J: Objective + ?Sized>(
        &self,
        chain: &dyn Chain,
        back: &Backward<'_, O, J>,
        replayed: bool,
    ) -> Stats {
        let steps = chain.num_steps() as u64;
        let counts = chain.counts(&self.scratch) + back.counts();
        let Usage { slots, memory_bytes, disk_bytes } = self.store.peak;
        // y three times, λ and p̄ twice.
        let vectors = 8 * (5 * chain.dim() + 2 * chain.num_params());
        let tables = self.store.tables + self.spaced.bytes(replayed);
        let own = chain.largest_tape_bytes() + chain.scratch_bytes() + vectors;
        let held = own + back.bytes() + chain.grid_bytes() + tables;
        Stats {
            steps,
            rhs: counts.rhs,
            vjp: counts.vjp,
            jacobians: counts.jacobians,
            factorizations: counts.factorizations,
            recomputed_steps: self.taken - steps,
            snapshots_peak: slots as u64,
            snapshot_bytes_peak: (memory_bytes + disk_bytes) as u64,
            peak_bytes: (memory_bytes + held) as u64,
            disk_bytes_peak: disk_bytes as u64,
            ..Stats::default()
        }
    }
}

/// In place: `clone_from` would make a new one.
fn copy(from: &Adjoint<f64>, to: &mut Adjoint<f64>) {
    to.lambda.copy_from_slice(&from.lambda);
    to.p_bar.copy_from_slice(&from.p_bar);
    to.end_time_bar = from.end_time_bar;
}

/// A store and the most that it held.
struct Kept<'s> {
    store: &'s mut dyn SnapshotStore<f64>,
    peak: Usage,
    /// Bytes of the store's tables at their largest.
    tables: usize,
}

impl<'s> Kept<'s> {
    fn new(store: &'s mut dyn SnapshotStore<f64>) -> Self {
        Kept { store, peak: Usage::default(), tables: 0 }
    }

    fn store(&mut self, slot: usize, step: usize, y: &[f64]) -> Result<(), Error> {
        self.store.store(slot, step, y)?;
        let (now, peak) = (self.store.usage(), &mut self.peak);
        peak.slots = peak.slots.max(now.slots);
        peak.memory_bytes = peak.memory_bytes.max(now.memory_bytes);
        peak.disk_bytes = peak.disk_bytes.max(now.disk_bytes);
        self.tables = self.tables.max(self.store.table_bytes());
        Ok(())
    }

    fn restore(&mut self, slot: usize, step: usize, y: &mut [f64]) -> Result<(), Error> {
        Ok(self.store.restore(slot, step, y)?)
    }
}
