//! The order of a program's instructions: equal opcodes side by side, as far as operands allow.

use std::collections::BTreeMap;

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

/// The same instructions, whose results ascend, each behind those it reads from, in long runs of
/// one opcode.
pub(super) fn in_runs<I: Copy + Ord>(
    instructions: &[Instruction<I>],
) -> impl Iterator<Item = Instruction<I>> + '_ {
    instructions.chunks(WINDOW).flat_map(window_in_runs)
}

fn window_in_runs<I: Copy + Ord>(window: &[Instruction<I>]) -> Vec<Instruction<I>> {
    let (mut waiting_for, readers) = readers(window);
    let mut ready: BTreeMap<Opcode, Vec<usize>> = BTreeMap::new();
    for k in (0..window.len()).filter(|&k| waiting_for[k] == 0) {
        ready.entry(window[k].opcode).or_default().push(k);
    }
    let mut ordered = Vec::with_capacity(window.len());
    while let Some(opcode) = ready.iter().max_by_key(|(_, list)| list.len()).map(|(&op, _)| op) {
        while let Some(batch) = ready.remove(&opcode) {
            for k in batch {
                ordered.push(window[k]);
                let first = readers.partition_point(|&(read, _)| read < k);
                for &(_, reader) in readers[first..].iter().take_while(|&&(read, _)| read == k) {
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

/// How many results of the window each instruction reads, and (read, reader) in order.
fn readers<I: Copy + Ord>(window: &[Instruction<I>]) -> (Vec<usize>, Vec<(usize, usize)>) {
    let mut waiting_for = vec![0; window.len()];
    let mut readers = Vec::with_capacity(3 * window.len());
    for (k, x) in window.iter().enumerate() {
        for operand in &x.operands[..x.opcode.num_operands()] {
            if let Ok(read) = window.binary_search_by_key(operand, |x| x.result) {
                readers.push((read, k));
                waiting_for[k] += 1;
            }
        }
    }
    readers.sort_unstable();
    (waiting_for, readers)
}
