//! A hash-consed graph: every distinct operation once, operands before results.

use std::collections::HashMap;

use super::intern::Interned;
use super::node::{Id, Node, Traits, operands};
use super::symbol::{Expr, Term, Variable};

/// Expressions that share every common part.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    traits: Vec<Traits>,
    ids: Interned,
    /// A bit for each node; clear between walks.
    marks: Marks,
}

impl Graph {
    /// A graph without nodes.
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of nodes.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there are no nodes.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// What a node computes.
    pub fn node(&self, id: Id) -> Node {
        self.nodes[id.0 as usize]
    }

    /// The graph without what finds its nodes again: nothing is to be added.
    pub(super) fn finished(mut self) -> Self {
        self.ids = Interned::default();
        self
    }

    pub(super) fn traits(&self, id: Id) -> Traits {
        self.traits[id.0 as usize]
    }

    /// The number, where the node is one.
    pub fn constant_value(&self, id: Id) -> Option<f64> {
        match self.node(id) {
            Node::Constant(bits) => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    /// Every number in the graph, with its node.
    pub(super) fn constants(&self) -> impl Iterator<Item = (Id, f64)> + '_ {
        (0..self.nodes.len() as u32)
            .filter_map(|i| self.constant_value(Id(i)).map(|value| (Id(i), value)))
    }

    /// Every variable of the graph.
    pub(super) fn variables(&self) -> impl Iterator<Item = Id> + '_ {
        (0..self.nodes.len() as u32)
            .map(Id)
            .filter(|&id| matches!(self.node(id), Node::Variable(_)))
    }

    /// The nodes that depend on parameters and constants alone.
    pub(super) fn is_fixed_by_params(&self, id: Id) -> bool {
        !self.traits(id).has_any(Traits::MOVING)
    }

    /// The nodes of some expressions; what they share becomes one node.
    pub fn add(&mut self, exprs: &[Expr]) -> Vec<Id> {
        let mut known: HashMap<*const Term, Id> = HashMap::new();
        exprs.iter().map(|expr| self.add_one(expr, &mut known)).collect()
    }

    /// Walks with a stack of its own: a chain may be deeper than the thread's.
    fn add_one(&mut self, root: &Expr, known: &mut HashMap<*const Term, Id>) -> Id {
        let mut stack = vec![(root, false)];
        let mut results = Vec::new();
        while let Some((expr, expanded)) = stack.pop() {
            let key: *const Term = expr.term();
            let shared = expr.is_shared();
            if !expanded {
                if let Some(&id) = known.get(&key).filter(|_| shared) {
                    results.push(id);
                    continue;
                }
                stack.push((expr, true));
                match expr.term() {
                    Term::Constant(_) | Term::Variable(_) => {}
                    Term::Unary(_, x) => stack.push((x, false)),
                    Term::Binary(_, a, b) => stack.extend([(b, false), (a, false)]),
                    Term::Select(choice) => {
                        stack.extend(choice.iter().rev().map(|part| (part, false)));
                    }
                }
                continue;
            }
            let id = self.add_term(expr.term(), &mut results);
            if shared {
                known.insert(key, id);
            }
            results.push(id);
        }
        results[0]
    }

    /// The node of a term whose operands' nodes are the last of `results`, which it takes.
    fn add_term(&mut self, term: &Term, results: &mut Vec<Id>) -> Id {
        let mut next = || results.pop().expect("operands come first");
        match term {
            Term::Constant(x) => self.constant(*x),
            Term::Variable(v) => self.variable(*v),
            Term::Unary(op, _) => self.unary(*op, next()),
            Term::Binary(op, ..) => {
                let (b, a) = (next(), next());
                self.binary(*op, a, b)
            }
            Term::Select(_) => {
                let (b, a, c) = (next(), next(), next());
                self.select(c, a, b)
            }
        }
    }

    /// A number.
    pub fn constant(&mut self, x: f64) -> Id {
        self.intern(Node::Constant(x.to_bits()))
    }

    /// A variable.
    pub fn variable(&mut self, v: Variable) -> Id {
        self.intern(Node::Variable(v))
    }

    /// The node of this operation, as it stands.
    pub(super) fn intern(&mut self, node: Node) -> Id {
        let index = self.nodes.len();
        assert!(index < u32::MAX as usize, "fewer than 2³² operations");
        if let Some(known) = self.ids.find_or_put(&node, &self.nodes) {
            return Id(known);
        }
        self.traits.push(self.traits_of(node));
        self.nodes.push(node);
        Id(index as u32)
    }

    fn traits_of(&self, node: Node) -> Traits {
        let own = match node {
            Node::Constant(_) | Node::Select(..) => Traits::default(),
            Node::Variable(Variable::State(_)) => Traits::STATE,
            Node::Variable(Variable::Param(_)) => Traits::PARAM,
            Node::Variable(Variable::Time) => Traits::TIME,
            Node::Variable(_) => Traits::OTHER,
            Node::Unary(op, _) if op.is_singular() => Traits::SINGULAR,
            Node::Binary(op, ..) if op.is_singular() => Traits::SINGULAR,
            Node::Unary(..) | Node::Binary(..) => Traits::default(),
        };
        operands(node).fold(own, |all, id| all.or(self.traits(id)))
    }

    /// Of the nodes that the roots are computed from, themselves included, those that depend on
    /// something in `of`, operands first.
    pub(super) fn reachable(&mut self, roots: impl IntoIterator<Item = Id>, of: Traits) -> Vec<Id> {
        let mut marks = std::mem::take(&mut self.marks);
        let mut found = Vec::new();
        let mut stack: Vec<Id> = roots.into_iter().collect();
        while let Some(id) = stack.pop() {
            if self.traits(id).has_any(of) && marks.mark(id) {
                found.push(id);
                stack.extend(operands(self.node(id)));
            }
        }
        marks.clear(&found);
        self.marks = marks;
        found.sort_unstable();
        found
    }
}

/// A set of nodes, as bits.
#[derive(Clone, Debug, Default)]
pub(super) struct Marks(Vec<u64>);

impl Marks {
    /// Puts a node in; whether it was not there.
    pub fn mark(&mut self, id: Id) -> bool {
        let (word, bit) = (id.0 as usize / 64, 1 << (id.0 % 64));
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        let is_new = self.0[word] & bit == 0;
        self.0[word] |= bit;
        is_new
    }

    /// Whether a node is in.
    pub fn has(&self, id: Id) -> bool {
        self.0.get(id.0 as usize / 64).is_some_and(|word| word >> (id.0 % 64) & 1 == 1)
    }

    /// The nodes that are in, in order.
    pub fn iter(&self) -> impl Iterator<Item = Id> + '_ {
        let bits = |(k, &word): (usize, &u64)| {
            (0..64u32)
                .filter(move |bit| word >> bit & 1 == 1)
                .map(move |bit| Id(64 * k as u32 + bit))
        };
        self.0.iter().enumerate().flat_map(bits)
    }

    /// Takes out these nodes, which are all that are in.
    fn clear(&mut self, ids: &[Id]) {
        for id in ids {
            self.0[id.0 as usize / 64] = 0;
        }
    }
}
