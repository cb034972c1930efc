//! What a chain costs of which no more than the bytes is known.

use std::time::{Duration, Instant};

use super::measure::Measured;
use crate::error::{Error, number};
use crate::schedule::{Costs, Sizes};

/// A chain that is not at hand. What is not given is assumed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Assumed {
    /// Bytes of a state.
    pub state_bytes: u64,
    /// Bytes of a step with its stages; unless given, tapes are not kept.
    pub tape_bytes: Option<u64>,
    /// Seconds of a step; unless given, those of copying the state ten times.
    pub step_seconds: Option<f64>,
    /// Seconds of the adjoint of a step on tape; unless given, those of two steps.
    pub adjoint_seconds: Option<f64>,
}

/// The copies that take as long as a step.
const COPIES_A_STEP: f64 = 10.0;
/// The steps that take as long as an adjoint.
const STEPS_AN_ADJOINT: f64 = 2.0;
/// More than a processor's caches hold.
const COPIED: usize = 32 << 20;

impl Assumed {
    /// With copies of states and tapes at this machine's bandwidth of memory, which is measured
    /// in a tenth of a second. A sweep's own is a tape, or a state where none is given, and three
    /// states.
    ///
    /// ```
    /// use costate::plan::budget::{Assumed, Plan, Resources};
    ///
    /// let chain = Assumed { state_bytes: 800_000, step_seconds: Some(1e-3), ..Assumed::default() };
    /// let resources = Resources { memory: 200 << 20, disk: None, threads: 1 };
    /// let plan = Plan::new(10_000, &chain.measured()?, &resources)?;
    /// assert!(plan.memory_bytes <= 200 << 20 && plan.seconds > 30.0);
    /// # Ok::<(), costate::error::Error>(())
    /// ```
    ///
    /// # Errors
    /// Where a state has no bytes, a tape fewer than a state, or a time is not positive.
    pub fn measured(&self) -> Result<Measured, Error> {
        let Assumed { state_bytes: state, tape_bytes: tape, step_seconds, adjoint_seconds } = *self;
        check("the bytes of a state", state.to_string(), state > 0, "at least 1")?;
        if let Some(tape) = tape {
            check(
                "the bytes of a tape",
                tape.to_string(),
                tape >= state,
                "at least those of the state it holds",
            )?;
        }
        for (what, seconds) in [
            ("the seconds of a step", step_seconds),
            ("the seconds of an adjoint", adjoint_seconds),
        ] {
            let seconds = seconds.unwrap_or(1.0);
            let holds = seconds > 0.0 && seconds.is_finite();
            check(what, number(&seconds), holds, "positive and finite")?;
        }
        let bandwidth = bandwidth();
        let copy = |bytes: u64| bytes as f64 / bandwidth;
        let step = step_seconds.unwrap_or(COPIES_A_STEP * copy(state));
        let costs = Costs {
            step,
            adjoint: adjoint_seconds.unwrap_or(STEPS_AN_ADJOINT * step),
            store: copy(state),
            restore: copy(state),
            keep_tape: copy(tape.unwrap_or(0)),
        };
        let sweep_bytes = tape.unwrap_or(state).saturating_add(3u64.saturating_mul(state));
        let sizes = Sizes { state, tape };
        Ok(Measured { sizes, costs, touch_state: 0.0, sweep_bytes })
    }
}

fn check(
    what: &'static str,
    given: String,
    holds: bool,
    required: &'static str,
) -> Result<(), Error> {
    if holds { Ok(()) } else { Err(Error::BadSetting { what, given, required }) }
}

/// Pieces that are copied before a processor is likely to be given to something else.
const PIECE: usize = 1 << 20;

/// Bytes a second of a copy in memory: the best piece of as many passes as take a tenth of a second,
/// three at least, since what else the machine does makes some too long.
fn bandwidth() -> f64 {
    const LONG_ENOUGH: Duration = Duration::from_millis(100);
    let (from, mut to) = (vec![1u8; COPIED], vec![0u8; COPIED]);
    let (mut least, all) = (f64::INFINITY, Instant::now());
    for pass in 1.. {
        for (from, to) in from.chunks_exact(PIECE).zip(to.chunks_exact_mut(PIECE)) {
            let begun = Instant::now();
            to.copy_from_slice(std::hint::black_box(from));
            std::hint::black_box(to);
            least = least.min(begun.elapsed().as_secs_f64());
        }
        if pass >= 3 && all.elapsed() >= LONG_ENOUGH {
            break;
        }
    }
    PIECE as f64 / least.max(1e-9)
}
