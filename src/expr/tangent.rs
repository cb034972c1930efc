//! Forward-mode derivatives as new nodes of the graph.

use std::collections::HashMap;

use super::graph::{Graph, Id, Node};
use super::op::Binary;
use super::symbol::Variable;

impl Graph {
    /// The directional derivative of each root along (`StateDot`, `ParamDot`), with the time and
    /// everything else held; nothing where it is structurally zero.
    pub(super) fn tangents(&mut self, roots: &[Id]) -> Vec<Option<Id>> {
        let mut dots: HashMap<Id, Id> = HashMap::new();
        for node in self.reachable(roots.iter().copied()) {
            if let Some(dot) = self.tangent(node, &dots) {
                dots.insert(node, dot);
            }
        }
        roots.iter().map(|root| dots.get(root).copied()).collect()
    }

    fn tangent(&mut self, node: Id, dots: &HashMap<Id, Id>) -> Option<Id> {
        match self.node(node) {
            Node::Variable(Variable::State(i)) => {
                return Some(self.variable(Variable::StateDot(i)));
            }
            Node::Variable(Variable::Param(i)) => {
                return Some(self.variable(Variable::ParamDot(i)));
            }
            _ => {}
        }
        let is_moving = super::graph::operands(self.node(node)).any(|id| dots.contains_key(&id));
        if !is_moving {
            return None;
        }
        if let Some(choice) = self.choice(node) {
            let (then, otherwise) = (dots.get(&choice.then), dots.get(&choice.otherwise));
            if then.is_none() && otherwise.is_none() {
                return None;
            }
            let zero = self.constant(0.0);
            let (then, otherwise) = (*then.unwrap_or(&zero), *otherwise.unwrap_or(&zero));
            return Some(self.select(choice.condition, then, otherwise));
        }
        let mut sum = None;
        for (operand, factor) in self.partials(node) {
            let Some(&dot) = dots.get(&operand) else { continue };
            let part = self.scaled(dot, factor);
            sum = Some(sum.map_or(part, |s| self.binary(Binary::Add, s, part)));
        }
        sum
    }
}
