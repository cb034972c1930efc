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
    /// A program that writes the registers from `first` on. Every operand must be written before,
    /// by this program or below `first`.
    pub(super) fn new(first: usize, instructions: &[(Opcode, [u32; 3])]) -> Self {
        let mut program = Program { first, len: 0, runs: Vec::new(), operands: Vec::new() };
        for &(opcode, operands) in instructions {
            let operands = &operands[..opcode.num_operands()];
            let register = first + program.len;
            assert!(operands.iter().all(|&r| (r as usize) < register), "operands come first");
            program.operands.extend_from_slice(operands);
            match program.runs.last_mut() {
                Some((last, count)) if *last == opcode => *count += 1,
                _ => program.runs.push((opcode, 1)),
            }
            program.len += 1;
        }
        program
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
        let mut machine = Machine {
            registers: registers.as_mut_ptr(),
            target: registers[self.first..].as_mut_ptr(),
            operands: self.operands.as_ptr(),
        };
        for &(opcode, count) in &self.runs {
            match opcode {
                Opcode::Add => machine.binary(count, |a, b| a + b),
                Opcode::Sub => machine.binary(count, |a, b| a - b),
                Opcode::Mul => machine.binary(count, |a, b| a * b),
                Opcode::Div => machine.binary(count, |a, b| a / b),
                Opcode::Neg => machine.unary(count, |a| -a),
                Opcode::MulAdd => machine.ternary(count, |a, b, c| a * b + c),
                Opcode::MulSub => machine.ternary(count, |a, b, c| a * b - c),
                Opcode::SubMul => machine.ternary(count, |a, b, c| c - a * b),
                Opcode::Select => machine.ternary(count, |c, a, b| if c != 0.0 { a } else { b }),
                Opcode::Unary(op) => machine.unary(count, |a| op.apply(a)),
                Opcode::Binary(op) => machine.binary(count, |a, b| op.apply(a, b)),
            }
        }
    }
}

/// Where the next result goes, and the operands not used yet.
struct Machine {
    registers: *mut f64,
    target: *mut f64,
    operands: *const u32,
}

// SAFETY of the functions below: `Program::new` made as many operands as its runs take, and
// checked that each is below the register that its instruction writes; `Program::run` checked
// that the last register written exists. Instructions of a run may read what earlier ones of the
// same run wrote, so registers are reached by one pointer, in order.
impl Machine {
    #[inline(always)]
    fn operand(&mut self) -> f64 {
        unsafe {
            let register = *self.operands as usize;
            self.operands = self.operands.add(1);
            *self.registers.add(register)
        }
    }

    #[inline(always)]
    fn result(&mut self, value: f64) {
        unsafe {
            *self.target = value;
            self.target = self.target.add(1);
        }
    }

    #[inline(always)]
    fn unary(&mut self, count: u32, f: impl Fn(f64) -> f64) {
        for _ in 0..count {
            let a = self.operand();
            self.result(f(a));
        }
    }

    #[inline(always)]
    fn binary(&mut self, count: u32, f: impl Fn(f64, f64) -> f64) {
        for _ in 0..count {
            let (a, b) = (self.operand(), self.operand());
            self.result(f(a, b));
        }
    }

    #[inline(always)]
    fn ternary(&mut self, count: u32, f: impl Fn(f64, f64, f64) -> f64) {
        for _ in 0..count {
            let (a, b, c) = (self.operand(), self.operand(), self.operand());
            self.result(f(a, b, c));
        }
    }
}
