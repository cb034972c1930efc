//! From a graph to programs over one register file.
//!
//! Registers: t, y, p, data, w, y_dot, p_dot, the graph's constants, then what programs write.

use super::graph::{Graph, Marks};
use super::node::{Id, Node, operands};
use super::op::{Binary, Unary};
use super::program::{Opcode, Program};
use super::schedule::{Instruction, in_runs};
use super::symbol::Variable;

/// The lengths of the vectors that a function reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// d, the number of states.
    pub dim: usize,
    /// m, the number of parameters.
    pub num_params: usize,
    /// The numbers of [`Variable::Data`].
    pub num_data: usize,
    /// The numbers that the function gives.
    pub num_outputs: usize,
}

impl Shape {
    pub(super) fn state(&self) -> usize {
        1
    }
    pub(super) fn param(&self) -> usize {
        self.state() + self.dim
    }
    pub(super) fn data(&self) -> usize {
        self.param() + self.num_params
    }
    pub(super) fn weight(&self) -> usize {
        self.data() + self.num_data
    }
    pub(super) fn state_dot(&self) -> usize {
        self.weight() + self.num_outputs
    }
    pub(super) fn param_dot(&self) -> usize {
        self.state_dot() + self.dim
    }
    /// The first register behind the inputs.
    pub(super) fn end(&self) -> usize {
        self.param_dot() + self.num_params
    }

    /// The register of a variable, where the shape has it.
    fn register(&self, v: Variable) -> Option<usize> {
        let (first, i, count) = match v {
            Variable::Time => (0, 0, 1),
            Variable::State(i) => (self.state(), i, self.dim),
            Variable::Param(i) => (self.param(), i, self.num_params),
            Variable::Data(i) => (self.data(), i, self.num_data),
            Variable::Weight(i) => (self.weight(), i, self.num_outputs),
            Variable::StateDot(i) => (self.state_dot(), i, self.dim),
            Variable::ParamDot(i) => (self.param_dot(), i, self.num_params),
        };
        ((i as usize) < count).then_some(first + i as usize)
    }
}

/// Knows in which register each value is.
#[derive(Clone)]
pub(super) struct Compiler<'g> {
    graph: &'g Graph,
    /// For each node its register, or `NONE`.
    registers: Vec<u32>,
    next: usize,
}

const NONE: u32 = u32::MAX;

impl<'g> Compiler<'g> {
    /// Inputs and constants have their registers; also gives the constants in order.
    pub fn new(graph: &'g Graph, shape: Shape) -> (Self, Vec<f64>) {
        let registers = vec![NONE; graph.len()];
        let mut compiler = Compiler { graph, registers, next: shape.end() };
        let mut constants = Vec::new();
        for (id, value) in graph.constants() {
            compiler.place(id);
            constants.push(value);
        }
        for id in graph.variables() {
            if let Node::Variable(v) = graph.node(id) {
                let register = shape.register(v);
                let register = register.unwrap_or_else(|| panic!("{v:?} is not in {shape:?}"));
                compiler.registers[id.0 as usize] = register as u32;
            }
        }
        (compiler, constants)
    }

    /// The register of a value that is an input, a constant, or was compiled.
    pub fn register(&self, id: Id) -> u32 {
        let register = self.registers[id.0 as usize];
        assert_ne!(register, NONE, "what is read was compiled");
        register
    }

    /// A program for every one of `roots` that has no register yet.
    pub fn compile(&mut self, roots: &[Id]) -> Program {
        let mut program = Program::new(self.next);
        for instruction in in_runs(&self.fuse(roots)) {
            let mut registers = [0; 3];
            let count = instruction.opcode.num_operands();
            for (register, &operand) in registers.iter_mut().zip(&instruction.operands[..count]) {
                *register = self.register(operand);
            }
            program.push(instruction.opcode, registers);
            self.place(instruction.result);
        }
        program.shrink()
    }

    fn place(&mut self, id: Id) {
        let register = u32::try_from(self.next).expect("fewer than 2³² registers");
        self.registers[id.0 as usize] = register;
        self.next += 1;
    }

    /// The nodes that the roots still need.
    fn missing(&self, roots: &[Id]) -> Marks {
        let mut missing = Marks::default();
        let mut stack: Vec<Id> = roots.to_vec();
        while let Some(id) = stack.pop() {
            if self.registers[id.0 as usize] == NONE && missing.mark(id) {
                stack.extend(operands(self.graph.node(id)));
            }
        }
        missing
    }

    /// One instruction for each missing node, operands first, but a product that is only added or
    /// subtracted once goes with the sum.
    fn fuse(&self, roots: &[Id]) -> Vec<Instruction<Id>> {
        let missing = self.missing(roots);
        let reads = missing.iter().flat_map(|id| operands(self.graph.node(id)));
        let (mut read, mut read_again) = (Marks::default(), Marks::default());
        for id in reads.chain(roots.iter().copied().flat_map(|root| [root, root])) {
            if !read.mark(id) {
                read_again.mark(id);
            }
        }
        let product = |id: Id| match self.graph.node(id) {
            Node::Binary(Binary::Mul, a, b) if missing.has(id) && !read_again.has(id) => {
                Some([a, b])
            }
            _ => None,
        };
        let mut gone = Marks::default();
        for id in missing.iter() {
            if let Some((.., product)) = self.with_product(id, product) {
                gone.mark(product);
            }
        }
        let instruction = |id: Id| {
            let (opcode, operands) = match self.with_product(id, product) {
                Some((opcode, operands, _)) => (opcode, operands),
                None => plain(self.graph.node(id)),
            };
            Instruction { result: id, opcode, operands }
        };
        missing.iter().filter(|&id| !gone.has(id)).map(instruction).collect()
    }

    /// The instruction of a sum or difference together with that of a product that it reads, and
    /// this product.
    fn with_product(
        &self,
        id: Id,
        product: impl Fn(Id) -> Option<[Id; 2]>,
    ) -> Option<(Opcode, [Id; 3], Id)> {
        let Node::Binary(op @ (Binary::Add | Binary::Sub), a, b) = self.graph.node(id) else {
            return None;
        };
        let (opcode, [x, y], z, gone) = match (product(a), product(b)) {
            (Some(factors), _) if op == Binary::Add => (Opcode::MulAdd, factors, b, a),
            (Some(factors), _) => (Opcode::MulSub, factors, b, a),
            (None, Some(factors)) if op == Binary::Add => (Opcode::MulAdd, factors, a, b),
            (None, Some(factors)) => (Opcode::SubMul, factors, a, b),
            (None, None) => return None,
        };
        Some((opcode, [x, y, z], gone))
    }
}

fn plain(node: Node) -> (Opcode, [Id; 3]) {
    match node {
        Node::Unary(Unary::Neg, x) => (Opcode::Neg, [x, x, x]),
        Node::Unary(op, x) => (Opcode::Unary(op), [x, x, x]),
        Node::Binary(op, a, b) => {
            let opcode = match op {
                Binary::Add => Opcode::Add,
                Binary::Sub => Opcode::Sub,
                Binary::Mul => Opcode::Mul,
                Binary::Div => Opcode::Div,
                other => Opcode::Binary(other),
            };
            (opcode, [a, b, b])
        }
        Node::Select(c, a, b) => (Opcode::Select, [c, a, b]),
        Node::Constant(_) | Node::Variable(_) => unreachable!("inputs have registers"),
    }
}
