//! The Jacobian of a graph's outputs with respect to the states, entry by entry.

use super::compile::Compiler;
use super::graph::Graph;
use super::node::{Id, Traits, operands};
use super::program::Program;
use super::symbol::Variable;
#[cfg(feature = "sparse")]
use crate::numbers::linalg::Pattern;
use crate::numbers::linalg::{Matrix, Structure};

impl Graph {
    /// (i, j, ∂root_i/∂y_j) for every entry that is not structurally zero, by rows.
    pub(super) fn jacobian(&mut self, roots: &[Id]) -> Vec<(usize, usize, Id)> {
        let one = self.constant(1.0);
        let mut entries = Vec::new();
        for (i, &root) in roots.iter().enumerate() {
            for (variable, id) in self.reverse(&[(root, one)], Traits::STATE) {
                if let Variable::State(j) = variable {
                    entries.push((i, j as usize, id));
                }
            }
        }
        entries
    }

    /// Of all nodes below `roots`, those that depend on parameters alone and that something else
    /// reads, or that are roots.
    pub(super) fn fixed_by_params(&mut self, roots: impl Iterator<Item = Id> + Clone) -> Vec<Id> {
        let mut list: Vec<Id> = roots.clone().collect();
        let moving = self.reachable(roots, Traits::MOVING).into_iter();
        list.extend(moving.flat_map(|id| operands(self.node(id))));
        list.retain(|&id| self.is_fixed_by_params(id));
        list.sort_unstable();
        list.dedup();
        list
    }
}

/// A program for the entries of a Jacobian.
#[derive(Clone, Debug)]
pub struct JacobianProgram {
    program: Program,
    structure: Structure,
    entries: Vec<(usize, usize)>,
    /// For each entry its place among the matrix's values, and the register that holds it.
    sources: Vec<(usize, u32)>,
}

impl JacobianProgram {
    pub(super) fn new(dim: usize, ids: &[(usize, usize, Id)], compiler: &mut Compiler) -> Self {
        let roots: Vec<Id> = ids.iter().map(|&(_, _, id)| id).collect();
        let program = compiler.compile(&roots);
        let entries: Vec<(usize, usize)> = ids.iter().map(|&(i, j, _)| (i, j)).collect();
        let structure = structure(dim, &entries);
        let source = |&(i, j, id): &(usize, usize, Id)| {
            (structure.position(dim, i, j).expect("made for it"), compiler.register(id))
        };
        let sources = ids.iter().map(source).collect();
        JacobianProgram { program, structure, entries, sources }
    }

    /// Dense; banded where the band is narrower than half the matrix; sparse where that is cheaper
    /// to factorise.
    pub fn structure(&self) -> Structure {
        self.structure.clone()
    }

    /// (row, column) of every entry that is not structurally zero, by rows.
    pub fn pattern(&self) -> impl ExactSizeIterator<Item = (usize, usize)> + '_ {
        self.entries.iter().copied()
    }

    pub(super) fn end(&self) -> usize {
        self.program.end()
    }

    pub(super) fn run(&self, jac: &mut Matrix, registers: &mut [f64]) {
        self.program.run(registers);
        let values = jac.values_mut();
        for &(place, register) in &self.sources {
            values[place] = registers[register as usize];
        }
    }
}

fn structure(dim: usize, entries: &[(usize, usize)]) -> Structure {
    let lower = entries.iter().map(|&(i, j)| i.saturating_sub(j)).max().unwrap_or(0);
    let upper = entries.iter().map(|&(i, j)| j.saturating_sub(i)).max().unwrap_or(0);
    let is_narrow = 2 * (lower + upper + 1) < dim;
    let packed = if is_narrow { Structure::Banded { lower, upper } } else { Structure::Dense };
    #[cfg(feature = "sparse")]
    if let Some(sparse) = sparse(dim, entries, &packed) {
        return sparse;
    }
    packed
}

/// The sparse structure where its factors are cheaper than those of `packed`.
#[cfg(feature = "sparse")]
fn sparse(dim: usize, entries: &[(usize, usize)], packed: &Structure) -> Option<Structure> {
    // A smaller or fuller matrix need not be analysed.
    if dim < 64 || 4 * entries.len() > dim * dim {
        return None;
    }
    let pattern = Pattern::new(dim, entries.iter().copied()).ok()?;
    let sparse = Structure::Sparse(pattern);
    (sparse.factor_cost(dim) < packed.factor_cost(dim)).then_some(sparse)
}
