//! The order of a program's instructions: equal opcodes side by side, as far as operands allow.

use std::collections::{BTreeMap, HashMap};

use super::program::Opcode;

/// Instructions are moved only inside windows of this many, so that values stay in the cache.
const WINDOW: usize = 2048;

/// An instruction whose operands are nodes, or whatever else identifies a value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Instruction<I> {
    pub result: I,
    pub opcode: Opcode,
    pub operands: [I; 3],
}

/// The same instructions, each behind those it reads from, in long runs of one opcode.
pub(super) fn in_runs<I: Copy + Eq + std::hash::Hash>(
    instructions: &[Instruction<I>],
) -> Vec<Instruction<I>> {
    instructions.chunks(WINDOW).flat_map(window_in_runs).collect()
}

fn window_in_runs<I: Copy + Eq + std::hash::Hash>(
    window: &[Instruction<I>],
) -> Vec<Instruction<I>> {
    let place: HashMap<I, usize> = window.iter().enumerate().map(|(k, x)| (x.result, k)).collect();
    let mut waiting_for = vec![0; window.len()];
    let mut readers = vec![Vec::new(); window.len()];
    for (k, x) in window.iter().enumerate() {
        for operand in &x.operands[..x.opcode.num_operands()] {
            if let Some(&from) = place.get(operand) {
                readers[from].push(k);
                waiting_for[k] += 1;
            }
        }
    }
    let mut ready: BTreeMap<Opcode, Vec<usize>> = BTreeMap::new();
    for k in (0..window.len()).filter(|&k| waiting_for[k] == 0) {
        ready.entry(window[k].opcode).or_default().push(k);
    }
    let mut ordered = Vec::with_capacity(window.len());
    while let Some(opcode) = ready.iter().max_by_key(|(_, list)| list.len()).map(|(&op, _)| op) {
        while let Some(batch) = ready.remove(&opcode) {
            for k in batch {
                ordered.push(window[k]);
                for &reader in &readers[k] {
                    waiting_for[reader] -= 1;
                    if waiting_for[reader] == 0 {
                        ready.entry(window[reader].opcode).or_default().push(reader);
                    }
                }
            }
        }
    }
    ordered
}
