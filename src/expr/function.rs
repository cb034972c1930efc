//! A function of (t, y, p) compiled together with its derivatives.

use super::compile::{Compiler, Shape};
use super::graph::Graph;
use super::jacobian::JacobianProgram;
use super::node::{Id, Traits};
use super::program::Program;
use super::symbol::{Expr, Variable};
use crate::numbers::linalg::Matrix;
use crate::ode::{Bars, Dots};

/// f(t, y, p) ∈ ℝᵏ with its derivative products, each a program that goes on from the registers
/// that [`value`](Function::value) left. What depends on p alone is computed again only when p
/// changes.
#[derive(Clone, Debug)]
pub struct Function {
    shape: Shape,
    num_registers: usize,
    constants: Vec<f64>,
    prelude: Program,
    value: Program,
    outputs: Vec<u32>,
    vjp: Products,
    jvp: Program,
    output_dots: Vec<(usize, u32)>,
    second_order: Products,
    jacobian: Option<JacobianProgram>,
}

/// The register file of a [`Function`].
#[derive(Clone, Debug)]
pub struct Registers {
    values: Vec<f64>,
    has_params: bool,
}

/// A program whose results are added to vectors shaped like y and p, and to one number for t.
#[derive(Clone, Debug)]
struct Products {
    program: Program,
    states: Vec<(usize, u32)>,
    params: Vec<(usize, u32)>,
    time: Option<u32>,
}

impl Products {
    fn new(results: &[(Variable, Id)], compiler: &mut Compiler) -> Self {
        let roots: Vec<Id> = results.iter().map(|&(_, id)| id).collect();
        let program = compiler.compile(&roots);
        let (mut states, mut params, mut time) = (Vec::new(), Vec::new(), None);
        for &(variable, id) in results {
            let register = compiler.register(id);
            match variable {
                Variable::State(i) => states.push((i as usize, register)),
                Variable::Param(i) => params.push((i as usize, register)),
                _ => time = Some(register),
            }
        }
        Products { program, states, params, time }
    }

    fn run(&self, registers: &mut [f64], y_bar: &mut [f64], p_bar: &mut [f64], t_bar: &mut f64) {
        self.program.run(registers);
        for &(i, register) in &self.states {
            y_bar[i] += registers[register as usize];
        }
        for &(i, register) in &self.params {
            p_bar[i] += registers[register as usize];
        }
        if let Some(register) = self.time {
            *t_bar += registers[register as usize];
        }
    }
}

impl Function {
    /// Compiles `outputs`, functions of `dim` states, `num_params` parameters and `num_data`
    /// numbers given with each evaluation.
    ///
    /// # Panics
    ///
    /// Where an output has a state, parameter or number beyond these.
    pub fn new(outputs: &[Expr], dim: usize, num_params: usize, num_data: usize) -> Self {
        Self::build(outputs, dim, num_params, num_data, false)
    }

    /// [`new`](Self::new), with the Jacobian f_y of as many outputs as states. Outputs that are
    /// given away are freed before the derivatives are made, which are several times as large.
    pub fn with_jacobian(outputs: impl AsRef<[Expr]>, num_params: usize) -> Self {
        let dim = outputs.as_ref().len();
        Self::build(outputs, dim, num_params, 0, true)
    }

    fn build(
        outputs: impl AsRef<[Expr]>,
        dim: usize,
        num_params: usize,
        num_data: usize,
        jac: bool,
    ) -> Self {
        let mut graph = Graph::new();
        let roots = graph.add(outputs.as_ref());
        drop(outputs);
        let shape = Shape { dim, num_params, num_data, num_outputs: roots.len() };
        let seeds: Vec<(Id, Id)> = (0u32..)
            .zip(&roots)
            .map(|(i, &root)| (root, graph.variable(Variable::Weight(i))))
            .collect();
        let wrt = Traits::STATE.or(Traits::PARAM).or(Traits::TIME);
        let vjp: Vec<(Variable, Id)> = graph.reverse(&seeds, wrt).into_iter().collect();
        let jvp: Vec<(usize, Id)> = present(graph.tangents(&roots)).collect();
        let adjoints: Vec<Id> = vjp.iter().map(|&(_, id)| id).collect();
        let second_order: Vec<(Variable, Id)> =
            present(graph.tangents(&adjoints)).map(|(k, id)| (vjp[k].0, id)).collect();
        let entries = if jac { graph.jacobian(&roots) } else { Vec::new() };

        let dots: Vec<Id> = jvp.iter().map(|&(_, id)| id).collect();
        let all = [&adjoints, &dots].into_iter().flatten().copied();
        let all = all.chain(second_order.iter().map(|&(_, id)| id));
        let all = all.chain(roots.iter().copied()).chain(entries.iter().map(|&(_, _, id)| id));
        let fixed = graph.fixed_by_params(all);
        let graph = graph.finished();
        let (mut compiler, constants) = Compiler::new(&graph, shape);
        let prelude = compiler.compile(&fixed);

        let jacobian = jac.then(|| JacobianProgram::new(dim, &entries, &mut compiler.clone()));
        let value = compiler.compile(&roots);
        let vjp = Products::new(&vjp, &mut compiler.clone());
        let second_order = Products::new(&second_order, &mut compiler.clone());
        let outputs = roots.iter().map(|&root| compiler.register(root)).collect();
        let jvp_program = compiler.compile(&dots);
        let output_dots = jvp.iter().map(|&(i, id)| (i, compiler.register(id))).collect();
        let ends = [&prelude, &value, &vjp.program, &second_order.program, &jvp_program];
        let mut num_registers = ends.iter().map(|program| program.end()).max().unwrap_or(0);
        num_registers = num_registers.max(jacobian.as_ref().map_or(0, JacobianProgram::end));
        Function {
            shape,
            num_registers,
            constants,
            prelude,
            value,
            outputs,
            vjp,
            jvp: jvp_program,
            output_dots,
            second_order,
            jacobian,
        }
    }

    /// A register file for this function.
    pub fn registers(&self) -> Registers {
        let mut values = vec![0.0; self.num_registers];
        let first = self.shape.end();
        values[first..first + self.constants.len()].copy_from_slice(&self.constants);
        Registers { values, has_params: false }
    }

    /// Bytes of a register file.
    pub fn register_bytes(&self) -> usize {
        size_of::<Registers>() + self.num_registers * size_of::<f64>()
    }

    /// The number of outputs.
    pub fn num_outputs(&self) -> usize {
        self.outputs.len()
    }

    /// Instructions of the value, the vjp, the jvp, and the second-order product.
    pub fn num_instructions(&self) -> [usize; 4] {
        let second_order = self.second_order.program.len();
        [self.value.len(), self.vjp.program.len(), self.jvp.len(), second_order]
    }

    /// The compiled Jacobian, where it was asked for.
    pub fn jacobian_program(&self) -> Option<&JacobianProgram> {
        self.jacobian.as_ref()
    }

    fn load(&self, t: f64, y: &[f64], p: &[f64], data: &[f64], registers: &mut Registers) {
        let values = &mut registers.values;
        values[0] = t;
        copy_in(values, self.shape.state(), y, self.shape.dim);
        if self.shape.num_data > 0 {
            copy_in(values, self.shape.data(), data, self.shape.num_data);
        }
        assert_eq!(p.len(), self.shape.num_params);
        let first = self.shape.param();
        let kept = &mut values[first..first + self.shape.num_params];
        // Without an early exit, so that it is vectorised.
        let changed = kept.iter().zip(p).fold(0, |bits, (a, b)| bits | (a.to_bits() ^ b.to_bits()));
        if changed != 0 || !registers.has_params {
            kept.copy_from_slice(p);
            self.prelude.run(values);
            registers.has_params = true;
        }
    }

    /// Evaluates without handing out the result: the derivative products may follow.
    pub fn evaluate(&self, t: f64, y: &[f64], p: &[f64], data: &[f64], registers: &mut Registers) {
        self.load(t, y, p, data, registers);
        self.value.run(&mut registers.values);
    }

    /// Output i of the last evaluation.
    pub fn output(&self, i: usize, registers: &Registers) -> f64 {
        registers.values[self.outputs[i] as usize]
    }

    /// Writes f(t, y, p) to `out`.
    pub fn value(&self, t: f64, y: &[f64], p: &[f64], out: &mut [f64], registers: &mut Registers) {
        self.evaluate(t, y, p, &[], registers);
        for (x, &register) in out.iter_mut().zip(&self.outputs) {
            *x = registers.values[register as usize];
        }
    }

    /// Adds f_yᵀ w, f_pᵀ w and f_tᵀ w, at the point of the last evaluation.
    pub fn vjp(
        &self,
        w: &[f64],
        y_bar: &mut [f64],
        p_bar: &mut [f64],
        t_bar: &mut f64,
        registers: &mut Registers,
    ) {
        copy_in(&mut registers.values, self.shape.weight(), w, self.outputs.len());
        self.vjp.run(&mut registers.values, y_bar, p_bar, t_bar);
    }

    /// Writes f_y `y_dot` + f_p `p_dot`, at the point of the last evaluation.
    pub fn jvp(
        &self,
        y_dot: &[f64],
        p_dot: &[f64],
        out_dot: &mut [f64],
        registers: &mut Registers,
    ) {
        self.load_dots(y_dot, p_dot, registers);
        self.jvp.run(&mut registers.values);
        out_dot.fill(0.0);
        for &(i, register) in &self.output_dots {
            out_dot[i] = registers.values[register as usize];
        }
    }

    /// Adds d/dε of f_yᵀ w, f_pᵀ w and f_tᵀ w along (y + ε `dots.y`, p + ε `dots.p`), with w held,
    /// at the point of the last evaluation.
    pub fn second_order(
        &self,
        w: &[f64],
        dots: Dots<'_>,
        bar_dots: Bars<'_>,
        registers: &mut Registers,
    ) {
        copy_in(&mut registers.values, self.shape.weight(), w, self.outputs.len());
        self.load_dots(dots.y, dots.p, registers);
        self.second_order.run(&mut registers.values, bar_dots.y, bar_dots.p, bar_dots.t);
    }

    /// Writes f_y(t, y, p) to `jac`; overwrites what an evaluation left. Does nothing where the
    /// Jacobian was not asked for.
    pub fn jacobian(
        &self,
        t: f64,
        y: &[f64],
        p: &[f64],
        jac: &mut Matrix,
        registers: &mut Registers,
    ) {
        self.load(t, y, p, &[], registers);
        if let Some(jacobian) = &self.jacobian {
            jacobian.run(jac, &mut registers.values);
        }
    }

    fn load_dots(&self, y_dot: &[f64], p_dot: &[f64], registers: &mut Registers) {
        copy_in(&mut registers.values, self.shape.state_dot(), y_dot, self.shape.dim);
        copy_in(&mut registers.values, self.shape.param_dot(), p_dot, self.shape.num_params);
    }
}

/// A plain loop: for the few numbers of a small model a call of memcpy costs more.
#[inline]
fn copy_in(values: &mut [f64], first: usize, from: &[f64], len: usize) {
    assert_eq!(from.len(), len);
    for (x, y) in values[first..first + len].iter_mut().zip(from) {
        *x = *y;
    }
}

fn present(list: Vec<Option<Id>>) -> impl Iterator<Item = (usize, Id)> {
    list.into_iter().enumerate().filter_map(|(k, id)| Some((k, id?)))
}
