//! Reverse-mode derivatives as new nodes of the graph.
//!
//! A branch that `if`, `min` or `max` does not take may be singular, and 0 · ∞ is NaN. So an
//! adjoint carries the condition under which it counts, its *guard*, and is put behind an `if`
//! only where it leaves the singular part.

use std::collections::{BTreeMap, HashMap};

use super::graph::Graph;
use super::node::{Id, Node, Traits};
use super::op::{Binary, Unary};
use super::symbol::Variable;

/// An adjoint that counts where `guard` is true; everywhere without one.
#[derive(Clone, Copy)]
struct Adjoint {
    guard: Option<Id>,
    value: Id,
}

impl Graph {
    /// Σ_k seed_k ∂node_k/∂v for every variable v of the kinds in `wrt` that there is a path to.
    pub(super) fn reverse(&mut self, seeds: &[(Id, Id)], wrt: Traits) -> BTreeMap<Variable, Id> {
        let order = self.reachable(seeds.iter().map(|&(node, _)| node), wrt);
        let mut pending: HashMap<Id, Vec<Adjoint>> = HashMap::new();
        for &(node, seed) in seeds {
            if self.traits(node).has_any(wrt) {
                pending.entry(node).or_default().push(Adjoint { guard: None, value: seed });
            }
        }
        let mut result = BTreeMap::new();
        for node in order.into_iter().rev() {
            let Some(parts) = pending.remove(&node) else { continue };
            let adjoint = self.merge(&parts);
            if let Node::Variable(v) = self.node(node) {
                let value = self.behind_guard(adjoint);
                result.insert(v, value);
                continue;
            }
            for (operand, part) in self.pull_back(node, adjoint, wrt) {
                let part = self.settled(operand, part);
                pending.entry(operand).or_default().push(part);
            }
        }
        result
    }

    /// The sum of what reached a node. Under different guards each is put behind its own, and the
    /// sum counts where one of them does.
    fn merge(&mut self, parts: &[Adjoint]) -> Adjoint {
        let same_guard = parts.iter().all(|part| part.guard == parts[0].guard);
        if same_guard {
            let values: Vec<Id> = parts.iter().map(|part| part.value).collect();
            let value = self.total(&values);
            return Adjoint { guard: parts[0].guard, value };
        }
        let values: Vec<Id> = parts.iter().map(|&part| self.behind_guard(part)).collect();
        let value = self.total(&values);
        let guard = if parts.iter().any(|part| part.guard.is_none()) {
            None
        } else {
            parts.iter().filter_map(|part| part.guard).reduce(|a, b| self.binary(Binary::Or, a, b))
        };
        Adjoint { guard, value }
    }

    /// Four partial sums where there are many terms: one chain would wait for each addition.
    fn total(&mut self, values: &[Id]) -> Id {
        let lanes = if values.len() < 8 { 1 } else { 4 };
        let mut sums = values[..lanes].to_vec();
        for (k, &value) in values.iter().enumerate().skip(lanes) {
            sums[k % lanes] = self.binary(Binary::Add, sums[k % lanes], value);
        }
        let (first, others) = (sums[0], &sums[1..]);
        others.iter().fold(first, |sum, &lane| self.binary(Binary::Add, sum, lane))
    }

    fn behind_guard(&mut self, adjoint: Adjoint) -> Id {
        match adjoint.guard {
            Some(guard) => {
                let zero = self.constant(0.0);
                self.select(guard, adjoint.value, zero)
            }
            None => adjoint.value,
        }
    }

    /// Drops the guard where nothing below is singular.
    fn settled(&mut self, node: Id, adjoint: Adjoint) -> Adjoint {
        if self.traits(node).has_any(Traits::SINGULAR) {
            return adjoint;
        }
        Adjoint { guard: None, value: self.behind_guard(adjoint) }
    }

    /// What a node's adjoint gives to those of its operands that depend on what is in `wrt`.
    fn pull_back(&mut self, node: Id, adjoint: Adjoint, wrt: Traits) -> Vec<(Id, Adjoint)> {
        let Some(choice) = self.choice(node) else {
            let partials = self.partials(node, &|graph, id| graph.traits(id).has_any(wrt));
            let give = |(operand, factor)| {
                (operand, Adjoint { value: self.scaled(adjoint.value, factor), ..adjoint })
            };
            return partials.into_iter().map(give).collect();
        };
        let negation = self.unary(Unary::Not, choice.condition);
        let mut given = Vec::with_capacity(2);
        for (operand, taken) in [(choice.then, choice.condition), (choice.otherwise, negation)] {
            if self.traits(operand).has_any(wrt) {
                let guard = match adjoint.guard {
                    Some(outer) => self.binary(Binary::And, outer, taken),
                    None => taken,
                };
                given.push((operand, Adjoint { guard: Some(guard), ..adjoint }));
            }
        }
        given
    }
}
