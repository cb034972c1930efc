//! How far ahead of its need lane 1 works.

/// When a gap is opened. Lane 1 works on a gap of l steps as soon as lane 0 will be there within
/// `per_step` (l − 1) + `at_least` steps' time; the longer ahead, the surer it is done in time, and
/// the longer it holds slots.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// In tenths.
    pub per_step: u64,
    pub at_least: u64,
    /// The slots that the first snapshot in a gap is placed for, in tenths of those that are left.
    pub slots: u64,
    /// The most steps that lane 1 hands over on tapes at once; gaps are not opened further. 0: none
    /// are handed over.
    pub block: usize,
}

impl Pace {
    /// What a dry run chooses from. Found by a search over N from 100 to 50 000, 4 to 200 slots,
    /// and adjoints of ½ to 10 steps' cost: the best of these is within 2 % of the best found for
    /// each.
    const ALONE: [Pace; 4] = [
        Pace { per_step: 40, at_least: 14, slots: 9, block: 0 },
        Pace { per_step: 12, at_least: 8, slots: 8, block: 0 },
        Pace { per_step: 12, at_least: 3, slots: 8, block: 0 },
        Pace { per_step: 60, at_least: 14, slots: 8, block: 0 },
    ];

    /// The same with blocks of half the tapes, or all; within 3 % of the best found for each of
    /// twelve with 2 and with 4 tapes.
    const WITH_TAPES: [Pace; 3] = [
        Pace { per_step: 25, at_least: 14, slots: 8, block: 0 },
        Pace { per_step: 12, at_least: 14, slots: 8, block: 0 },
        Pace { per_step: 60, at_least: 14, slots: 8, block: 0 },
    ];

    pub fn all(tapes: usize) -> impl Iterator<Item = Pace> {
        let half = tapes.div_ceil(2);
        let blocks = [tapes, half].into_iter().take(if half < tapes { 2 } else { tapes });
        let with_tapes =
            blocks.flat_map(|block| Pace::WITH_TAPES.map(|pace| Pace { block, ..pace }));
        with_tapes.chain(Pace::ALONE)
    }
}
