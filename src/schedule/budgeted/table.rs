//! The optimum of a uniform chain with mixed storage, tabulated.

use crate::schedule::{Costs, Keep, Sizes};

/// How the steps behind an anchor are gone through first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Steps from the anchor to the state that is current when `keep` is done.
    pub distance: usize,
    /// What is kept there: the state, or the tape of the step before; nothing where the last step
    /// is reversed next.
    pub keep: Option<Keep>,
}

/// The least cost of reversing l steps in m bytes, and how it is attained.
///
/// With F, A, c_s, r and c_t the [`Costs`], w_s and w_t the [`Sizes`], let S(l, m) be the least
/// cost where y_0 is kept as a state, itself in m, and current; and T(l, m) that where the tape of
/// step 0 is kept in m and y_1 is current. With R(1, m) = A and R(j, m) = r + F + T(j, m) the cost
/// of coming back to a tape,
///
/// ```text
/// S(1, m) = F + A
/// S(l, m) = min  l F + A + r + S(l−1, m)
///                j F + c_s + S(l−j, m−w_s) + r + S(j, m)          a state; 0 < j < l − 1
///                (j+1) F + c_t + T(l−j, m−w_s) + r + S(j, m)      a tape
///                F + c_t + T(l, m)                                a tape in place of the state
/// T(l, m) = min  (l−1) F + A + R(l−1, m)
///                (j−1) F + c_s + S(l−j, m−w_t) + R(j, m)          a state
///                j F + c_t + T(l−j, m−w_t) + R(j, m)              a tape
/// ```
///
/// The m at which S and T change are sums of sizes, and only these are tabulated.
#[derive(Clone, Debug)]
pub struct MixedTable {
    longest: usize,
    /// In ascending order.
    levels: Vec<u64>,
    /// At level · (longest + 1) + l: twice the distance, plus one where a tape is kept; 0 where
    /// nothing is.
    state: Vec<u16>,
    tape: Vec<u16>,
}

/// Distances are tabulated in 15 bits.
pub const MOST_STEPS: usize = 1 << 15;

impl MixedTable {
    /// The sums of at most `items` sizes that lie within `budget`; `None` where they are more than
    /// `most`.
    pub fn levels(items: usize, budget: u64, sizes: &Sizes, most: usize) -> Option<Vec<u64>> {
        let mut levels = Vec::new();
        for tapes in 0..=sizes.tape.map_or(0, |_| items as u64) {
            let bytes = sizes.tape.unwrap_or(0).saturating_mul(tapes);
            for states in 0..=items as u64 - tapes {
                let level = bytes.saturating_add(sizes.state.saturating_mul(states));
                if level > budget {
                    break;
                }
                levels.push(level);
            }
            if levels.len() > 4 * most {
                levels.sort_unstable();
                levels.dedup();
                if levels.len() > most {
                    return None;
                }
            }
        }
        levels.sort_unstable();
        levels.dedup();
        levels.retain(|&level| level >= sizes.state);
        (!levels.is_empty() && levels.len() <= most).then_some(levels)
    }

    /// For up to `longest` < 2^15 steps; the table, and S and T in the order of `state`.
    pub fn new(
        longest: usize,
        levels: Vec<u64>,
        sizes: &Sizes,
        costs: &Costs,
    ) -> (Self, Vec<f64>, Vec<f64>) {
        let cells = levels.len() * (longest + 1);
        let mut fill = Fill {
            costs: *costs,
            width: longest + 1,
            state: vec![f64::INFINITY; cells],
            tape: vec![f64::INFINITY; cells],
        };
        let (mut state, mut tape) = (vec![0; cells], vec![0; cells]);
        for (level, &bytes) in levels.iter().enumerate() {
            let below = |size: u64| {
                let left = bytes.checked_sub(size)?;
                levels.partition_point(|&level| level <= left).checked_sub(1)
            };
            let behind_state = below(sizes.state);
            let (fits_tape, behind_tape) = match sizes.tape {
                Some(size) => (bytes >= size, below(size)),
                None => (false, None),
            };
            for l in 1..=longest {
                let cell = level * fill.width + l;
                if fits_tape && l > 1 {
                    tape[cell] = fill.tape_cell(level, l, behind_tape);
                }
                state[cell] = fill.state_cell(level, l, behind_state);
            }
        }
        (MixedTable { longest, levels, state, tape }, fill.state, fill.tape)
    }

    /// The longest chain that it knows.
    pub fn bytes(&self) -> usize {
        let (levels, cells) = (self.levels.capacity(), self.state.len() + self.tape.len());
        size_of::<u64>() * levels + size_of::<u16>() * cells
    }

    pub fn longest(&self) -> usize {
        self.longest
    }

    /// The place of `steps` ≤ longest steps in `bytes`.
    pub fn cell(&self, steps: usize, bytes: u64) -> Option<usize> {
        let level = self.levels.partition_point(|&level| level <= bytes).checked_sub(1)?;
        Some(level * (self.longest + 1) + steps)
    }

    /// The optimal choice for the 1 < `steps` ≤ longest steps behind an anchor.
    pub fn choice(&self, anchor: Keep, steps: usize, bytes: u64) -> Choice {
        let cell = self.cell(steps, bytes);
        let moves = if anchor == Keep::Tape { &self.tape } else { &self.state };
        match cell.map_or(0, |cell| moves[cell]) {
            0 => Choice { distance: steps - 1, keep: None },
            code => {
                let keep = if code % 2 == 1 { Keep::Tape } else { Keep::State };
                Choice { distance: usize::from(code / 2), keep: Some(keep) }
            }
        }
    }
}

/// S and T as far as they are known.
struct Fill {
    costs: Costs,
    width: usize,
    state: Vec<f64>,
    tape: Vec<f64>,
}

impl Fill {
    fn row<'a>(&self, values: &'a [f64], level: usize) -> &'a [f64] {
        &values[level * self.width..(level + 1) * self.width]
    }

    /// Sets S(l, m), and says how it is attained.
    fn state_cell(&mut self, level: usize, l: usize, behind: Option<usize>) -> u16 {
        let c = self.costs;
        let own = self.row(&self.state, level);
        if l == 1 {
            self.state[level * self.width + 1] = c.step + c.adjoint;
            return 0;
        }
        let mut best = Best::new(l as f64 * c.step + c.adjoint + c.restore + own[l - 1]);
        best.offer(c.step + c.keep_tape + self.row(&self.tape, level)[l], 1, Keep::Tape);
        if let Some(behind) = behind {
            let (states, tapes) = (self.row(&self.state, behind), self.row(&self.tape, behind));
            for j in 1..l - 1 {
                let cost = j as f64 * c.step + c.restore + own[j];
                best.offer(cost + c.store + states[l - j], j, Keep::State);
                best.offer(cost + c.step + c.keep_tape + tapes[l - j], j + 1, Keep::Tape);
            }
        }
        self.state[level * self.width + l] = best.cost;
        best.code
    }

    /// Sets T(l, m) for l > 1, and says how it is attained.
    fn tape_cell(&mut self, level: usize, l: usize, behind: Option<usize>) -> u16 {
        let c = self.costs;
        let own = self.row(&self.tape, level);
        let back = |j: usize| if j == 1 { c.adjoint } else { c.restore + c.step + own[j] };
        let mut best = Best::new((l - 1) as f64 * c.step + c.adjoint + back(l - 1));
        if let Some(behind) = behind {
            let (states, tapes) = (self.row(&self.state, behind), self.row(&self.tape, behind));
            for j in 1..l - 1 {
                let cost = (j - 1) as f64 * c.step + back(j);
                best.offer(cost + c.store + states[l - j], j, Keep::State);
                best.offer(cost + c.step + c.keep_tape + tapes[l - j], j + 1, Keep::Tape);
            }
        }
        self.tape[level * self.width + l] = best.cost;
        best.code
    }
}

struct Best {
    cost: f64,
    code: u16,
}

impl Best {
    fn new(cost: f64) -> Self {
        Best { cost, code: 0 }
    }

    fn offer(&mut self, cost: f64, distance: usize, keep: Keep) {
        if cost < self.cost {
            let tape = u16::from(keep == Keep::Tape);
            (self.cost, self.code) = (cost, 2 * distance as u16 + tape);
        }
    }
}
