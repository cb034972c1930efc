//! A hash-consed graph: every distinct operation once, operands before results.

use std::collections::{BTreeSet, HashMap};

use super::op::{Binary, Unary};
use super::symbol::{Expr, Term, Variable};

/// A node of a [`Graph`]. Operands have smaller ids than what is computed from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(pub(super) u32);

/// What a node computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Node {
    /// The bits of an f64, so that −0 differs from 0 and a NaN equals itself.
    Constant(u64),
    /// A number that is given.
    Variable(Variable),
    /// An operation on one node.
    Unary(Unary, Id),
    /// An operation on two nodes.
    Binary(Binary, Id, Id),
    /// The second where the first is not 0, else the third.
    Select(Id, Id, Id),
}

/// What a node's value depends on, and whether its derivative can be singular on the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Traits(u8);

impl Traits {
    pub const STATE: Traits = Traits(1);
    pub const PARAM: Traits = Traits(2);
    pub const TIME: Traits = Traits(4);
    pub const OTHER: Traits = Traits(8);
    pub const SINGULAR: Traits = Traits(16);

    pub const fn or(self, other: Traits) -> Traits {
        Traits(self.0 | other.0)
    }

    pub fn has_any(self, of: Traits) -> bool {
        self.0 & of.0 != 0
    }
}

/// Expressions that share every common part.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    traits: Vec<Traits>,
    ids: HashMap<Node, Id>,
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

    /// What every node computes, operands first.
    pub fn into_nodes(self) -> impl Iterator<Item = Node> {
        self.nodes.into_iter()
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
        !self.traits(id).has_any(Traits::STATE.or(Traits::TIME).or(Traits::OTHER))
    }

    /// The nodes of some expressions; what they share becomes one node.
    pub fn add(&mut self, exprs: &[Expr]) -> Vec<Id> {
        let mut known: HashMap<*const Term, Id> = HashMap::new();
        exprs.iter().map(|expr| self.add_one(expr, &mut known)).collect()
    }

    /// Walks with a stack of its own: a chain may be deeper than the thread's.
    fn add_one(&mut self, root: &Expr, known: &mut HashMap<*const Term, Id>) -> Id {
        let key = |e: &Expr| e.term() as *const Term;
        let mut stack = vec![(root, false)];
        while let Some((expr, expanded)) = stack.pop() {
            if known.contains_key(&key(expr)) {
                continue;
            }
            if !expanded {
                stack.push((expr, true));
                match expr.term() {
                    Term::Constant(_) | Term::Variable(_) => {}
                    Term::Unary(_, x) => stack.push((x, false)),
                    Term::Binary(_, a, b) => stack.extend([(b, false), (a, false)]),
                    Term::Select(c, a, b) => stack.extend([(b, false), (a, false), (c, false)]),
                }
                continue;
            }
            let id = match expr.term() {
                Term::Constant(x) => self.constant(*x),
                Term::Variable(v) => self.variable(*v),
                Term::Unary(op, x) => self.unary(*op, known[&key(x)]),
                Term::Binary(op, a, b) => self.binary(*op, known[&key(a)], known[&key(b)]),
                Term::Select(c, a, b) => {
                    self.select(known[&key(c)], known[&key(a)], known[&key(b)])
                }
            };
            known.insert(key(expr), id);
        }
        known[&key(root)]
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
        if let Some(&id) = self.ids.get(&node) {
            return id;
        }
        let id = Id(u32::try_from(self.nodes.len()).expect("fewer than 2³² operations"));
        self.traits.push(self.traits_of(node));
        self.nodes.push(node);
        self.ids.insert(node, id);
        id
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

    /// The nodes that the roots are computed from, themselves included, operands first.
    pub(super) fn reachable(&self, roots: impl IntoIterator<Item = Id>) -> Vec<Id> {
        let mut seen = BTreeSet::new();
        let mut stack: Vec<Id> = roots.into_iter().collect();
        while let Some(id) = stack.pop() {
            if seen.insert(id) {
                stack.extend(operands(self.node(id)));
            }
        }
        seen.into_iter().collect()
    }
}

/// The operands of a node, in order.
pub(super) fn operands(node: Node) -> impl Iterator<Item = Id> {
    let (list, len) = match node {
        Node::Constant(_) | Node::Variable(_) => ([Id(0); 3], 0),
        Node::Unary(_, x) => ([x, x, x], 1),
        Node::Binary(_, a, b) => ([a, b, b], 2),
        Node::Select(c, a, b) => ([c, a, b], 3),
    };
    list.into_iter().take(len)
}
