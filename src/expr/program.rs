//! Straight-line programs over a register file, and their interpreter.

use super::op::{Binary, Unary};

/// What an instruction computes. A product with a sum is one instruction, rounded twice as two are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Opcode {
    Add,
    Sub,
    Mul,
    Div,
    Neg,
    /// a·b + c
    MulAdd,
    /// a·b − c
    MulSub,
    /// c − a·b
    SubMul,
    Select,
    Unary(Unary),
    Binary(Binary),
}

impl Opcode {
    pub fn num_operands(self) -> usize {
        match self {
            Opcode::Neg | Opcode::Unary(_) => 1,
            Opcode::Add | Opcode::Sub | Opcode::Mul | Opcode::Div | Opcode::Binary(_) => 2,
            Opcode::MulAdd | Opcode::MulSub | Opcode::SubMul | Opcode::Select => 3,
        }
    }
}

/// A straight-line program. Instruction k writes register `first` + k, so results need no
/// addresses; neighbours that do the same share one dispatch, which is what makes it fast.
#[derive(Clone, Debug)]
pub struct Program {
    first: usize,
    len: usize,
    runs: Vec<(Opcode, u32)>,
    operands: Vec<u32>,
}

impl Program {
    /// A program that will write the registers from `first` on.
    pub(super) fn new(first: usize) -> Self {
        Program { first, len: 0, runs: Vec::new(), operands: Vec::new() }
    }

    /// Adds an instruction. Its operands must be written before, by this program or below `first`.
    pub(super) fn push(&mut self, opcode: Opcode, operands: [u32; 3]) {
        let operands = &operands[..opcode.num_operands()];
        let register = self.first + self.len;
        assert!(operands.iter().all(|&r| (r as usize) < register), "operands come first");
        self.operands.extend_from_slice(operands);
        match self.runs.last_mut() {
            Some((last, count)) if *last == opcode => *count += 1,
            _ => self.runs.push((opcode, 1)),
        }
        self.len += 1;
    }

    /// Gives back the memory kept for further instructions.
    pub(super) fn shrink(mut self) -> Self {
        self.runs.shrink_to_fit();
        self.operands.shrink_to_fit();
        self
    }

    /// The number of instructions.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no instructions.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// One more than the last register written.
    pub fn end(&self) -> usize {
        self.first + self.len
    }

    /// Runs the program.
    ///
    /// # Panics
    ///
    /// Where `registers` is shorter than [`end`](Self::end).
    pub fn run(&self, registers: &mut [f64]) {
        assert!(registers.len() >= self.end());
        let mut machine = Machine { registers, target: self.first, operands: &self.operands };
        for &(opcode, count) in &self.runs {
            match opcode {
                Opcode::Add => machine.each(count, |[a, b]| a + b),
                Opcode::Sub => machine.each(count, |[a, b]| a - b),
                Opcode::Mul => machine.each(count, |[a, b]| a * b),
                Opcode::Div => machine.each(count, |[a, b]| a / b),
                Opcode::Neg => machine.each(count, |[a]| -a),
                Opcode::MulAdd => machine.each(count, |[a, b, c]| a * b + c),
                Opcode::MulSub => machine.each(count, |[a, b, c]| a * b - c),
                Opcode::SubMul => machine.each(count, |[a, b, c]| c - a * b),
                Opcode::Select => machine.each(count, |[c, a, b]| if c != 0.0 { a } else { b }),
                Opcode::Unary(op) => machine.each(count, |[a]| op.apply(a)),
                Opcode::Binary(op) => machine.each(count, |[a, b]| op.apply(a, b)),
            }
        }
    }
}

/// The registers, the next one to write, and the operands not used yet. Bounds are checked:
/// without, programs are a tenth faster at best, which is not worth unsafe code.
struct Machine<'a> {
    registers: &'a mut [f64],
    target: usize,
    operands: &'a [u32],
}

impl Machine<'_> {
    /// Takes N operands for each of `count` instructions.
    #[inline(always)]
    fn each<const N: usize>(&mut self, count: u32, f: impl Fn([f64; N]) -> f64) {
        let (now, later) = self.operands.split_at(N * count as usize);
        self.operands = later;
        for operands in now.as_chunks::<N>().0 {
            let value = f(operands.map(|register| self.registers[register as usize]));
            self.registers[self.target] = value;
            self.target += 1;
        }
    }
}
