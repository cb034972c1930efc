//! The table of the least times behind [`Multistage`](super::Multistage).

use super::costs::{SlotTier, TierCosts};

/// Free slots of both tiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FreeSlots {
    fast: usize,
    /// Zero where there are any number.
    slow: usize,
}

/// What to do where the first state of a stage is current and kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TierChoice {
    /// Keep it in the other tier instead.
    Move(FreeSlots),
    /// Advance to the last state and reverse its step.
    Last,
    /// Advance over `distance` steps and keep the state there.
    Next { distance: usize, tier: SlotTier, free: FreeSlots },
}

/// C_τ(l, s, d) for all l ≤ N, s and d: see [`Multistage`](super::Multistage).
pub(super) struct Stages {
    steps: usize,
    fast: usize,
    slow: Option<usize>,
    costs: TierCosts,
    /// By tier; l runs first, then d, then s.
    values: [Vec<u64>; 2],
}

impl Stages {
    /// How many numbers the table has.
    pub fn entries(steps: usize, fast: usize, slow: Option<usize>) -> u64 {
        let planes = (fast as u64 + 1).saturating_mul(slow.unwrap_or(0) as u64 + 1);
        planes.saturating_mul(2 * (steps as u64 + 1))
    }

    pub fn new(steps: usize, fast: usize, slow: Option<usize>, costs: TierCosts) -> Self {
        let size = Self::entries(steps, fast, slow) as usize / 2;
        let values = [vec![0; size], vec![0; size]];
        let mut stages = Stages { steps, fast, slow, costs, values };
        let all = stages.all();
        for l in 2..=steps {
            for &(tier, free) in &all {
                let place = stages.row(tier, free) + l;
                stages.values[tier as usize][place] = stages.best(l, tier, free).1;
            }
            for &(tier, free) in all.iter().filter(|(tier, _)| *tier == SlotTier::Fast) {
                stages.exchange(l, tier, free);
            }
        }
        stages
    }

    pub fn steps(&self) -> usize {
        self.steps
    }

    /// All slots.
    fn free(&self) -> FreeSlots {
        FreeSlots { fast: self.fast, slow: self.slow.unwrap_or(0) }
    }

    /// `free` without a slot of a tier that has one.
    fn without(&self, free: FreeSlots, tier: SlotTier) -> Option<FreeSlots> {
        match (tier, self.slow) {
            (SlotTier::Fast, _) => Some(FreeSlots { fast: free.fast.checked_sub(1)?, ..free }),
            (SlotTier::Slow, Some(_)) => {
                Some(FreeSlots { slow: free.slow.checked_sub(1)?, ..free })
            }
            (SlotTier::Slow, None) => Some(free),
        }
    }

    fn with(&self, free: FreeSlots, tier: SlotTier) -> FreeSlots {
        match (tier, self.slow) {
            (SlotTier::Fast, _) => FreeSlots { fast: free.fast + 1, ..free },
            (SlotTier::Slow, Some(_)) => FreeSlots { slow: free.slow + 1, ..free },
            (SlotTier::Slow, None) => free,
        }
    }

    /// `free` once the state has moved out of `tier`.
    fn moved(&self, free: FreeSlots, tier: SlotTier) -> Option<FreeSlots> {
        self.without(self.with(free, tier), tier.other())
    }

    /// Every tier that the first state may be kept in, with every number of slots left.
    fn all(&self) -> Vec<(SlotTier, FreeSlots)> {
        let planes = self.slow.unwrap_or(0);
        let frees =
            (0..=self.fast).flat_map(|fast| (0..=planes).map(move |slow| FreeSlots { fast, slow }));
        let fits = |tier, free: FreeSlots| {
            let all = self.with(free, tier);
            all.fast <= self.fast && all.slow <= planes
        };
        frees
            .flat_map(|free| SlotTier::ALL.map(|tier| (tier, free)))
            .filter(|&(tier, free)| fits(tier, free))
            .collect()
    }

    fn row(&self, tier: SlotTier, free: FreeSlots) -> usize {
        let planes = self.slow.unwrap_or(0) + 1;
        debug_assert!((tier == SlotTier::Slow || free.fast < self.fast) && free.slow < planes);
        (free.fast * planes + free.slow) * (self.steps + 1)
    }

    /// C_τ(0, …), …, C_τ(`l`, …).
    fn times(&self, tier: SlotTier, free: FreeSlots, l: usize) -> &[u64] {
        let row = self.row(tier, free);
        &self.values[tier as usize][row..=row + l]
    }

    /// A_τ(l, s, d), and how.
    fn best(&self, l: usize, tier: SlotTier, free: FreeSlots) -> (TierChoice, u64) {
        let (step, read) = (self.costs.step, self.costs.of(tier).read);
        let before = self.times(tier, free, l - 1);
        let mut best = (TierChoice::Last, (l - 1) as u64 * step + read + before[l - 1]);
        for next in SlotTier::ALL {
            let Some(left) = self.without(free, next) else { continue };
            let behind = self.times(next, left, l - 1);
            let constant = self.costs.of(next).write + read;
            if let Some((distance, time)) = least(step, &before[1..l - 1], &behind[2..])
                && constant + time < best.1
            {
                best = (TierChoice::Next { distance, tier: next, free: left }, constant + time);
            }
        }
        best
    }

    /// Lets both of a pair of equal slots have the shorter time of theirs and of a move.
    fn exchange(&mut self, l: usize, tier: SlotTier, free: FreeSlots) {
        if let Some(moved) = self.moved(free, tier) {
            let (one, other) = (self.row(tier, free) + l, self.row(tier.other(), moved) + l);
            let here = self.values[tier as usize][one];
            let there = self.values[tier.other() as usize][other];
            let to_there = self.costs.of(tier.other()).write + there;
            let to_here = self.costs.of(tier).write + here;
            self.values[tier as usize][one] = here.min(to_there);
            self.values[tier.other() as usize][other] = there.min(to_here);
        }
    }

    /// What to do with `l` > 1 steps whose first state is kept in `tier`, and may have to move.
    pub fn choose(&self, l: usize, tier: SlotTier, free: FreeSlots) -> TierChoice {
        self.to_move(l, tier, free)
            .map_or_else(|| self.choose_there(l, tier, free), TierChoice::Move)
    }

    /// What to do with them where the state stays.
    pub fn choose_there(&self, l: usize, tier: SlotTier, free: FreeSlots) -> TierChoice {
        match self.best(l, tier, free).0 {
            TierChoice::Next { distance, tier, free } => {
                let (tier, free) = self.settled(l - distance, tier, free);
                TierChoice::Next { distance, tier, free }
            }
            choice => choice,
        }
    }

    /// Where to keep y_0 of N > 1 steps, and what is then free.
    pub fn first(&self) -> Option<(SlotTier, FreeSlots)> {
        let l = self.steps;
        let time = |&(tier, free): &(SlotTier, FreeSlots)| {
            self.costs.of(tier).write + self.times(tier, free, l)[l]
        };
        let tiers = SlotTier::ALL.map(|tier| Some((tier, self.without(self.free(), tier)?)));
        let (tier, free) = tiers.into_iter().flatten().min_by_key(time)?;
        Some(self.settled(l, tier, free))
    }

    /// The slots left by a move, where that is shorter.
    fn to_move(&self, l: usize, tier: SlotTier, free: FreeSlots) -> Option<FreeSlots> {
        let moved = self.moved(free, tier)?;
        (self.times(tier, free, l)[l] < self.best(l, tier, free).1).then_some(moved)
    }

    /// Where a state is kept at once that would be moved from `tier` before anything else.
    fn settled(&self, l: usize, tier: SlotTier, free: FreeSlots) -> (SlotTier, FreeSlots) {
        self.to_move(l, tier, free).map_or((tier, free), |free| (tier.other(), free))
    }
}

/// The distance j = 1, …, n with the least j F + `before`[j − 1] + `behind`[n − j], the longest
/// of several.
fn least(step: u64, before: &[u64], behind: &[u64]) -> Option<(usize, u64)> {
    let mut walked = 0;
    let times = before.iter().zip(behind.iter().rev()).map(|(before, behind)| {
        walked += step;
        walked + before + behind
    });
    times.enumerate().map(|(i, time)| (i + 1, time)).reduce(|a, b| if b.1 <= a.1 { b } else { a })
}
