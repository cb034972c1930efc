//! The Jacobian of a graph's outputs with respect to the states, entry by entry.

use super::compile::Compiler;
use super::graph::{Graph, Id, Traits};
use super::program::Program;
use super::symbol::Variable;
use crate::linalg::{Matrix, Structure};

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
    pub(super) fn fixed_by_params(&self, roots: impl Iterator<Item = Id> + Clone) -> Vec<Id> {
        let mut list: Vec<Id> = roots.clone().collect();
        let moving = self.reachable(roots).into_iter().filter(|&id| !self.is_fixed_by_params(id));
        list.extend(moving.flat_map(|id| super::graph::operands(self.node(id))));
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
    entries: Vec<(usize, usize, u32)>,
}

impl JacobianProgram {
    pub(super) fn new(dim: usize, ids: &[(usize, usize, Id)], compiler: &mut Compiler) -> Self {
        let roots: Vec<Id> = ids.iter().map(|&(_, _, id)| id).collect();
        let program = compiler.compile(&roots);
        let entries = ids.iter().map(|&(i, j, id)| (i, j, compiler.register(id))).collect();
        JacobianProgram { program, structure: structure(dim, ids), entries }
    }

    /// Dense, or banded where the band is narrower than half the matrix.
    pub fn structure(&self) -> Structure {
        self.structure
    }

    /// (row, column) of every entry that is not structurally zero, by rows.
    pub fn pattern(&self) -> impl ExactSizeIterator<Item = (usize, usize)> + '_ {
        self.entries.iter().map(|&(i, j, _)| (i, j))
    }

    pub(super) fn end(&self) -> usize {
        self.program.end()
    }

    pub(super) fn run(&self, jac: &mut Matrix, registers: &mut [f64]) {
        self.program.run(registers);
        for &(i, j, register) in &self.entries {
            jac.set(i, j, registers[register as usize]);
        }
    }
}

fn structure(dim: usize, entries: &[(usize, usize, Id)]) -> Structure {
    let lower = entries.iter().map(|&(i, j, _)| i.saturating_sub(j)).max().unwrap_or(0);
    let upper = entries.iter().map(|&(i, j, _)| j.saturating_sub(i)).max().unwrap_or(0);
    let is_narrow = 2 * (lower + upper + 1) < dim;
    if is_narrow { Structure::Banded { lower, upper } } else { Structure::Dense }
}
