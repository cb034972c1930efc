//! The optimum for a known number of steps and slots of two tiers.

use super::costs::{SlotTier, TierCosts};
use super::table::{FreeSlots, Stages, TierChoice};
use crate::error::ScheduleError;
use crate::schedule::{Action, Keep, Schedule, check_slots, useful_slots};

/// Above this many candidates for the next snapshot the table takes seconds.
const MOST_WORK: u64 = 1_000_000_000;
/// Above this many entries the table takes more than 64 MiB.
const MOST_ENTRIES: u64 = 1 << 23;

/// The least time of reversing a chain with s fast slots, numbered from 0, and d slow ones,
/// numbered from [`fast_slots`](Self::fast_slots), where writes and reads are waited for.
///
/// Let C_τ(l, s, d) be the least time of reversing l steps from their first state, which is current
/// and kept in tier τ, with s fast and d slow slots free. With F the time of a step, w_σ and r_σ
/// those of writing and reading, and (s, d)−σ one slot of tier σ less,
///
/// ```text
/// A_τ(l, s, d) = min { (l − 1) F + r_τ + C_τ(l − 1, s, d),
///                      min_{σ, 0 < j < l − 1}  j F + w_σ + C_σ(l − j, (s, d)−σ) + r_τ + C_τ(j, s, d) }
/// C_τ(l, s, d) = min { A_τ(l, s, d),  w_σ + A_σ(l, (s, d)+τ−σ)  with σ ≠ τ },     C_τ(1, s, d) = 0
/// ```
///
/// and the least time of the chain is min_τ w_τ + C_τ(N, (s, d)−τ), plus N times that of a
/// `Reverse`. The second choice of C moves the kept state to the other tier. The programmes of
/// G. Aupy, J. Herrmann, P. Hovland and Y. Robert, Optimal multistage algorithm for adjoint
/// computation, SIAM J. Sci. Comput. 38 (2016) C232–C255, doi 10.1137/15M1019222, and of
/// J. Herrmann and G. Pallez (Aupy), H-Revolve: a framework for adjoint computation on synchronous
/// hierarchical platforms, ACM Trans. Math. Softw. 46 (2020) 12, doi 10.1145/3378672, are this one
/// restricted to slow snapshots outside the reach of fast ones, and give the same times.
///
/// What is to be done is settled by [`new`](Self::new), which takes time O(N² s d), or O(N² s)
/// where the slow slots are more than are of use.
///
/// ```
/// use costate::schedule::{TierCosts, Counts, Multistage, SlotCosts, optimum};
///
/// let slow = SlotCosts { write: 200, read: 200 };
/// let costs = TierCosts { step: 100, reverse: 300, fast: SlotCosts::default(), slow };
/// let counts = Counts::of(Multistage::new(50, 3, 10, &costs)?)?;
/// assert!(counts.advances < optimum::t(50, 3)); // 180 advances without a disk
/// # Ok::<(), costate::error::ScheduleError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Multistage {
    actions: std::vec::IntoIter<Action>,
    fast: usize,
    slow: usize,
    bytes: usize,
}

impl Multistage {
    /// Reverses `steps` steps with at most `fast` and `slow` slots, the one of step 0 among them.
    ///
    /// # Errors
    /// Where there are no slots, or the chain is too long: where it is not
    /// [`affordable`](Self::affordable) in fast and any number of slow slots, or these few do not
    /// hold that optimum and their own is not affordable.
    pub fn new(
        steps: usize,
        fast: usize,
        slow: usize,
        costs: &TierCosts,
    ) -> Result<Self, ScheduleError> {
        check_slots(fast.saturating_add(slow))?;
        let too_long = ScheduleError::TooLong { steps, fast, slow };
        let (fast, slow) = (useful_slots(steps, fast), useful_slots(steps, slow));
        let costs = costs.fitted(steps);
        if slow > 0 && affordable(steps, fast, None) {
            let found = Walk::over(Stages::new(steps, fast, None, costs), fast);
            if found.slow <= slow {
                return Ok(found);
            }
        }
        if affordable(steps, fast, Some(slow)) {
            return Ok(Walk::over(Stages::new(steps, fast, Some(slow), costs), fast));
        }
        Err(too_long)
    }

    /// Whether the optimum for these numbers is found within about a second and 64 MiB, however
    /// the costs are.
    pub fn affordable(steps: usize, fast: usize, slow: usize) -> bool {
        let (fast, slow) = (useful_slots(steps, fast), useful_slots(steps, slow));
        affordable(steps, fast, Some(slow))
    }

    /// The slots below this number are fast.
    pub fn fast_slots(&self) -> usize {
        self.fast
    }
}

fn affordable(steps: usize, fast: usize, slow: Option<usize>) -> bool {
    let entries = Stages::entries(steps, fast, slow);
    // On average l is half of all steps; the next snapshot may be in two tiers.
    entries <= MOST_ENTRIES && entries.saturating_mul(steps as u64) <= MOST_WORK
}

impl Iterator for Multistage {
    type Item = Action;

    fn next(&mut self) -> Option<Action> {
        self.actions.next()
    }
}

impl Schedule for Multistage {
    fn num_slots(&self) -> usize {
        self.fast + self.slow
    }

    /// Without what it was planned with, which is gone.
    fn bytes(&self) -> usize {
        self.bytes
    }
}

/// A state that is kept.
#[derive(Clone, Copy)]
struct TierState {
    step: usize,
    tier: SlotTier,
    slot: usize,
}

/// Steps that are to be reversed from their first state on.
struct Stage {
    kept: TierState,
    steps: usize,
    free: FreeSlots,
}

/// Writes down the actions of an optimum.
struct Walk {
    stages: Stages,
    fast: usize,
    actions: Vec<Action>,
    /// By tier: the slots that were given back.
    returned: [Vec<usize>; 2],
    /// By tier: how many slots were ever taken.
    taken: [usize; 2],
}

impl Walk {
    fn over(stages: Stages, fast: usize) -> Multistage {
        let (actions, returned) = (Vec::new(), [Vec::new(), Vec::new()]);
        let mut walk = Walk { stages, fast, actions, returned, taken: [0, 0] };
        let steps = walk.stages.steps();
        if steps == 1 {
            walk.actions.push(Action::Reverse { step: 0 });
        } else if steps > 1
            && let Some((tier, free)) = walk.stages.first()
        {
            let kept = walk.keep(0, tier);
            walk.reverse(Stage { kept, steps, free });
        }
        let slow = walk.taken[SlotTier::Slow as usize];
        let bytes = walk.actions.capacity() * size_of::<Action>();
        Multistage { actions: walk.actions.into_iter(), fast, slow, bytes }
    }

    fn keep(&mut self, step: usize, tier: SlotTier) -> TierState {
        let slot = self.returned[tier as usize].pop().unwrap_or_else(|| {
            let taken = self.taken[tier as usize];
            self.taken[tier as usize] += 1;
            if tier == SlotTier::Slow { self.fast + taken } else { taken }
        });
        self.actions.push(Action::Store { step, slot, keep: Keep::State });
        TierState { step, tier, slot }
    }

    /// Reverses all of `stage`, whose first state is current and was just kept.
    fn reverse(&mut self, stage: Stage) {
        let mut open = vec![stage];
        let mut just_kept = true;
        while let Some(stage) = open.last_mut() {
            match self.choose(stage, just_kept) {
                Some(TierChoice::Move(free)) => {
                    self.give_back(stage.kept);
                    stage.kept = self.keep(stage.kept.step, stage.kept.tier.other());
                    stage.free = free;
                    just_kept = true;
                }
                Some(TierChoice::Next { distance, tier, free }) => {
                    let steps = stage.steps - distance;
                    stage.steps = distance;
                    let step = self.advanced(stage);
                    let kept = self.keep(step, tier);
                    open.push(Stage { kept, steps, free });
                    just_kept = true;
                }
                Some(TierChoice::Last) => {
                    stage.steps -= 1;
                    let step = self.advanced(stage);
                    self.actions.push(Action::Reverse { step });
                    self.restore(stage.kept);
                    just_kept = false;
                }
                None => {
                    self.actions.push(Action::Reverse { step: stage.kept.step });
                    self.give_back(stage.kept);
                    open.pop();
                    open.last().into_iter().for_each(|stage| self.restore(stage.kept));
                    just_kept = false;
                }
            }
        }
    }

    /// Nothing where one step is left.
    fn choose(&self, stage: &Stage, just_kept: bool) -> Option<TierChoice> {
        let Stage { kept: TierState { tier, .. }, steps, free } = *stage;
        match (steps, just_kept) {
            (1, _) => None,
            (_, true) => Some(self.stages.choose_there(steps, tier, free)),
            (_, false) => Some(self.stages.choose(steps, tier, free)),
        }
    }

    /// The step behind those that are left of `stage`, now the current one.
    fn advanced(&mut self, stage: &Stage) -> usize {
        let (from, to) = (stage.kept.step, stage.kept.step + stage.steps);
        self.actions.push(Action::Advance { from, to });
        to
    }

    fn restore(&mut self, kept: TierState) {
        self.actions.push(Action::Restore { step: kept.step, slot: kept.slot });
    }

    fn give_back(&mut self, kept: TierState) {
        self.returned[kept.tier as usize].push(kept.slot);
    }
}
