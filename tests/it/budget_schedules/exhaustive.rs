//! The least cost of reversing a chain by any sequence of actions, by exhaustive search.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use costate::schedule::{Keep, StepCost};

/// Where a sweep stands. Bit n of `states` and `tapes` says that y_n, or the tape of step n, is kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Stand {
    current: Option<usize>,
    on_tape: Option<usize>,
    end: usize,
    states: u32,
    tapes: u32,
}

/// Dijkstra's algorithm over all stands; costs must be whole numbers. Where nothing `may_drop`, what
/// is kept stays until its step is reversed.
pub fn least_cost(places: &[StepCost], budget: u64, may_drop: bool) -> f64 {
    let start = Stand { current: Some(0), on_tape: None, end: places.len(), states: 0, tapes: 0 };
    let mut least = HashMap::from([(start, 0)]);
    let mut open = BinaryHeap::from([Reverse((0, start))]);
    while let Some(Reverse((cost, at))) = open.pop() {
        if at.end == 0 {
            return cost as f64;
        }
        if cost > least[&at] {
            continue;
        }
        for (next, more) in moves(at, places, may_drop) {
            let total = cost + more as u64;
            if bytes(next, places) <= budget && least.get(&next).is_none_or(|&old| total < old) {
                least.insert(next, total);
                open.push(Reverse((total, next)));
            }
        }
    }
    f64::INFINITY
}

fn bytes(at: Stand, places: &[StepCost]) -> u64 {
    let size = |(n, place): (usize, &StepCost)| {
        let state = if at.states >> n & 1 == 1 { place.sizes.of(Keep::State) } else { 0 };
        let tape = if at.tapes >> n & 1 == 1 { place.sizes.of(Keep::Tape) } else { 0 };
        state.saturating_add(tape)
    };
    places.iter().enumerate().map(size).fold(0, u64::saturating_add)
}

fn moves(at: Stand, places: &[StepCost], may_drop: bool) -> Vec<(Stand, f64)> {
    let mut moves = Vec::new();
    if let Some(n) = at.current
        && n < at.end
    {
        let costs = places[n].costs;
        if n + 1 == at.end {
            let (states, tapes) = (at.states & !(1 << n), at.tapes & !(1 << n));
            let next = Stand { current: None, on_tape: Some(n), end: n, states, tapes };
            moves.push((next, costs.step + costs.adjoint));
        } else {
            moves.push((Stand { current: Some(n + 1), on_tape: Some(n), ..at }, costs.step));
            let (states, tapes) = (at.states & !(1 << n), at.tapes | 1 << n);
            let next = Stand { current: Some(n + 1), on_tape: None, states, tapes, ..at };
            moves.push((next, costs.step + costs.keep_tape));
        }
        if at.states >> n & 1 == 0 {
            moves.push((Stand { states: at.states | 1 << n, ..at }, costs.store));
        }
    }
    // The step just taken led to the current state.
    if let (Some(current), Some(taken)) = (at.current, at.on_tape)
        && taken + 1 == current
        && at.tapes >> taken & 1 == 0
    {
        let next = Stand { tapes: at.tapes | 1 << taken, on_tape: None, ..at };
        moves.push((next, places[taken].costs.keep_tape));
    }
    for (n, place) in places.iter().enumerate().take(at.end) {
        let bit = 1 << n;
        if (at.states | at.tapes) & bit != 0 {
            moves.push((Stand { current: Some(n), ..at }, place.costs.restore));
        }
        if may_drop {
            moves.push((Stand { states: at.states & !bit, ..at }, 0.0));
            moves.push((Stand { tapes: at.tapes & !bit, ..at }, 0.0));
        }
        if at.tapes & bit != 0 && n + 1 == at.end && at.on_tape == Some(at.end) {
            let (states, tapes) = (at.states & !bit, at.tapes & !bit);
            let next = Stand { current: None, on_tape: Some(n), end: n, states, tapes };
            moves.push((next, place.costs.adjoint));
        }
    }
    moves
}
