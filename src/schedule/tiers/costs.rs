//! Two tiers of slots, fast and slow, and what they cost.

/// What keeping a state in a slot and making it current again take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SlotCosts {
    /// Of one `Store`.
    pub write: u64,
    /// Of one `Restore`.
    pub read: u64,
}

/// What the actions take, all in one unit of time that is short against each of them, such as
/// nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TierCosts {
    /// Of one step that is advanced over.
    pub step: u64,
    /// Of one `Reverse`, the step that it takes among it. Every schedule pays it once a step.
    pub reverse: u64,
    /// Of the fast slots, those in memory.
    pub fast: SlotCosts,
    /// Of the slow slots, those on disk.
    pub slow: SlotCosts,
}

/// How slow slots are written and read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transfer {
    /// No step is taken meanwhile.
    Waited,
    /// While steps are taken: a write from its `Store` on, a read from the slow `Restore` before
    /// it on.
    Overlapped {
        /// How many writes may be under way; a `Store` beyond them waits.
        writes: usize,
    },
}

/// A tier of slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotTier {
    Fast,
    Slow,
}

impl SlotTier {
    pub const ALL: [SlotTier; 2] = [SlotTier::Fast, SlotTier::Slow];

    pub fn other(self) -> SlotTier {
        match self {
            SlotTier::Fast => SlotTier::Slow,
            SlotTier::Slow => SlotTier::Fast,
        }
    }
}

impl TierCosts {
    pub(super) fn of(&self, tier: SlotTier) -> SlotCosts {
        match tier {
            SlotTier::Fast => self.fast,
            SlotTier::Slow => self.slow,
        }
    }

    /// The same proportions in a unit so long that no sum over a sweep of `steps` steps overflows.
    pub(super) fn fitted(self, steps: usize) -> TierCosts {
        let TierCosts { step, reverse, fast, slow } = self;
        let costs = [step, reverse, fast.write, fast.read, slow.write, slow.read];
        let one_of_each: u128 = costs.iter().map(|&cost| u128::from(cost)).sum();
        let most = one_of_each.saturating_mul((steps as u128).pow(2));
        let bits_beyond = most.checked_ilog2().unwrap_or(0).saturating_sub(62);
        let [step, reverse, a, b, c, d] =
            costs.map(|cost| cost.checked_shr(bits_beyond).unwrap_or(0));
        let (fast, slow) = (SlotCosts { write: a, read: b }, SlotCosts { write: c, read: d });
        TierCosts { step, reverse, fast, slow }
    }
}
