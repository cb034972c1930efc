//! The optimum of a chain whose steps differ, tabulated.

use crate::schedule::{Costs, Keep, StepCost};

/// Steps of a chain that are planned as one, or one step.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    /// Its costs; `adjoint` is what follows where all is on tape.
    pub costs: Costs,
    /// Levels that the state before it takes, at least 1.
    pub state: usize,
    /// Levels that its tapes take.
    pub tape: Option<usize>,
    /// Whether it can be reversed from a state that is current but not kept.
    pub single: bool,
    /// At m, the cost of reversing it alone from its state where m levels are left, the state among
    /// them.
    pub alone: Vec<f32>,
}

impl Segment {
    /// Of one step, sizes in units of `unit` bytes.
    pub fn single(step: &StepCost, unit: u64, levels: usize) -> Self {
        let size = |bytes: u64| usize::try_from(bytes.div_ceil(unit)).unwrap_or(usize::MAX).max(1);
        let cost = (step.costs.step + step.costs.adjoint) as f32;
        Segment {
            costs: step.costs,
            state: size(step.sizes.state),
            tape: step.sizes.tape.map(size),
            single: true,
            alone: vec![cost; levels + 1],
        }
    }
}

/// What is done first with the segments from an anchor on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FirstMove {
    /// Keep the state before this segment, or its tapes.
    Keep(usize, Keep),
    /// Go to the last segment and reverse it.
    ToLast,
}

/// Is handed what can be done first, from which m on, and its cost in three parts: at m they are
/// cost + behind[m − from] + own[m].
type Offer<'a> = dyn FnMut(FirstMove, usize, f64, &[f32], &[f32]) + 'a;

/// The least cost of reversing the segments from a to b − 1 in m levels of memory, by the
/// recurrence of [`MixedTable`](crate::schedule::budgeted::table::MixedTable) with the costs and
/// sizes of each segment.
///
/// O. Beaumont, L. Eyraud-Dubois, J. Herrmann, A. Joly and A. Shilova, Optimal re-materialization
/// strategies for heterogeneous chains, ACM Trans. Math. Softw. 50 (2024), doi 10.1145/3648633.
#[derive(Clone, Debug)]
pub(super) struct ChainTable {
    segments: Vec<Segment>,
    /// Costs of taking the segments before each.
    before: Vec<f64>,
    levels: usize,
    /// Rows of levels + 1 costs, in the order of [`row`](Self::row): with the state before segment
    /// a kept and current, and with the tapes of segment a kept and the state behind it current.
    state: Vec<f32>,
    tape: Vec<f32>,
}

impl ChainTable {
    /// Of all segments; n³/6 operations for each level.
    pub fn new(segments: Vec<Segment>, levels: usize) -> Self {
        let n = segments.len();
        let mut before = vec![0.0];
        for segment in &segments {
            before.push(before[before.len() - 1] + segment.costs.step);
        }
        let cells = n * (n + 1) / 2 * (levels + 1);
        let (state, tape) = (vec![f32::INFINITY; cells], vec![f32::INFINITY; cells]);
        let mut table = ChainTable { segments, before, levels, state, tape };
        for b in 1..=n {
            for a in (0..b).rev() {
                table.fill(a, b);
            }
        }
        table
    }

    fn row(&self, a: usize, b: usize) -> std::ops::Range<usize> {
        let from = (b * (b - 1) / 2 + a) * (self.levels + 1);
        from..from + self.levels + 1
    }

    /// The state before segment a kept, at every m.
    fn state_row(&self, a: usize, b: usize) -> &[f32] {
        &self.state[self.row(a, b)]
    }

    fn tape_row(&self, a: usize, b: usize) -> &[f32] {
        &self.tape[self.row(a, b)]
    }

    /// The cost of reversing all segments in all levels where the state before the first is kept.
    pub fn cost(&self) -> f64 {
        let n = self.segments.len();
        f64::from(self.state_row(0, n)[self.levels]) + self.segments[0].costs.store
    }

    fn fill(&mut self, a: usize, b: usize) {
        let mut tapes = vec![f32::INFINITY; self.levels + 1];
        let mut states = tapes.clone();
        if b - a > 1 {
            self.offer(a, b, Keep::Tape, &mut |_, from, cost, behind, own| {
                add(&mut tapes, from, cost, behind, own);
            });
            let from = self.row(a, b).start;
            self.tape[from..from + tapes.len()].copy_from_slice(&tapes);
        }
        if b - a == 1 {
            let least = self.segments[a].state;
            for (m, cost) in states.iter_mut().enumerate().skip(least) {
                *cost = self.segments[a].alone[m];
            }
        } else {
            self.offer(a, b, Keep::State, &mut |_, from, cost, behind, own| {
                add(&mut states, from, cost, behind, own);
            });
        }
        let from = self.row(a, b).start;
        self.state[from..from + states.len()].copy_from_slice(&states);
    }

    /// Hands over all that can be done first with the segments from a to b − 1 > a.
    fn offer(&self, a: usize, b: usize, anchor: Keep, take: &mut Offer) {
        let segment = &self.segments[a];
        let c = segment.costs;
        let zeros = vec![0.0; self.levels + 1];
        let adjoint = vec![0.0; self.levels + 1];
        let (size, start, back) = match anchor {
            Keep::State => (segment.state, a, c.restore),
            Keep::Tape => (segment.tape.unwrap_or(usize::MAX), a + 1, c.restore + c.step),
        };
        if size > self.levels {
            return;
        }
        // What is before segment k is reversed from the anchor at last.
        let own = |k: usize| match anchor {
            Keep::State => (back, self.state_row(a, k)),
            Keep::Tape if k == a + 1 => (c.adjoint, &adjoint[..]),
            Keep::Tape => (back, self.tape_row(a, k)),
        };
        let last = &self.segments[b - 1];
        if last.single {
            let (back, own) = own(b - 1);
            let cost = self.before[b] - self.before[start] + last.costs.adjoint + back;
            take(FirstMove::ToLast, size, cost, &zeros, own);
        }
        if anchor == Keep::State && segment.tape.is_some() {
            let cost = c.step + c.keep_tape;
            take(FirstMove::Keep(a, Keep::Tape), size, cost, &zeros, self.tape_row(a, b));
        }
        for k in a + 1..b {
            let (back, own) = own(k);
            let cost = self.before[k] - self.before[start] + back;
            let next = &self.segments[k].costs;
            take(
                FirstMove::Keep(k, Keep::State),
                size,
                cost + next.store,
                self.state_row(k, b),
                own,
            );
            if self.segments[k].tape.is_some() && k + 1 < b {
                let cost = cost + next.step + next.keep_tape;
                take(FirstMove::Keep(k, Keep::Tape), size, cost, self.tape_row(k, b), own);
            }
        }
    }

    /// The best that can be done first with the segments from a to b − 1 > a in m levels.
    pub fn best(&self, a: usize, b: usize, anchor: Keep, m: usize) -> FirstMove {
        let m = m.min(self.levels);
        let (mut best, mut least) = (FirstMove::ToLast, f64::INFINITY);
        self.offer(a, b, anchor, &mut |step, from, cost, behind, own| {
            if m >= from {
                let cost = cost + f64::from(behind[m - from]) + f64::from(own[m]);
                if cost < least {
                    (best, least) = (step, cost);
                }
            }
        });
        best
    }

    /// How the chain begins: with its first state or its first tapes.
    pub fn first(&self) -> Keep {
        let (n, c) = (self.segments.len(), self.segments[0].costs);
        let state = f64::from(self.state_row(0, n)[self.levels]) + c.store;
        let tape = f64::from(self.tape_row(0, n)[self.levels]) + c.step + c.keep_tape;
        if tape < state { Keep::Tape } else { Keep::State }
    }
}

/// Takes the lesser of each cost and the one offered.
fn add(least: &mut [f32], from: usize, cost: f64, behind: &[f32], own: &[f32]) {
    let cost = cost as f32;
    for ((least, behind), own) in least[from..].iter_mut().zip(behind).zip(&own[from..]) {
        *least = least.min(cost + behind + own);
    }
}
