//! Forward-mode derivatives as new nodes of the graph.

use super::graph::Graph;
use super::node::{Id, Node, Traits, operands};
use super::op::Binary;
use super::symbol::Variable;

impl Graph {
    /// The directional derivative of each root along (`StateDot`, `ParamDot`), with the time and
    /// everything else held; nothing where it is structurally zero.
    pub(super) fn tangents(&mut self, roots: &[Id]) -> Vec<Option<Id>> {
        // No tangent of a node made here is asked for.
        let mut dots = Dots(vec![None; self.len()]);
        for node in self.reachable(roots.iter().copied(), Traits::STATE.or(Traits::PARAM)) {
            dots.0[node.0 as usize] = self.tangent(node, &dots);
        }
        roots.iter().map(|&root| dots.of(root)).collect()
    }

    fn tangent(&mut self, node: Id, dots: &Dots) -> Option<Id> {
        match self.node(node) {
            Node::Variable(Variable::State(i)) => {
                return Some(self.variable(Variable::StateDot(i)));
            }
            Node::Variable(Variable::Param(i)) => {
                return Some(self.variable(Variable::ParamDot(i)));
            }
            _ => {}
        }
        let is_moving = operands(self.node(node)).any(|id| dots.of(id).is_some());
        if !is_moving {
            return None;
        }
        if let Some(choice) = self.choice(node) {
            let (then, otherwise) = (dots.of(choice.then), dots.of(choice.otherwise));
            if then.is_none() && otherwise.is_none() {
                return None;
            }
            let zero = self.constant(0.0);
            let (then, otherwise) = (then.unwrap_or(zero), otherwise.unwrap_or(zero));
            return Some(self.select(choice.condition, then, otherwise));
        }
        let mut sum = None;
        for (operand, factor) in self.partials(node, &|_, id| dots.of(id).is_some()) {
            let Some(dot) = dots.of(operand) else { continue };
            let part = self.scaled(dot, factor);
            sum = Some(sum.map_or(part, |s| self.binary(Binary::Add, s, part)));
        }
        sum
    }
}

/// The tangents of the nodes that there are, where they are not zero everywhere.
struct Dots(Vec<Option<Id>>);

impl Dots {
    fn of(&self, id: Id) -> Option<Id> {
        self.0.get(id.0 as usize).copied().flatten()
    }
}
