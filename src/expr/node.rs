//! A node of a graph of expressions.

use super::op::{Binary, Unary};
use super::symbol::Variable;

/// A node of a [`Graph`](super::Graph). Operands have smaller ids than what is computed from them.
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
    /// What may change while the parameters do not.
    pub const MOVING: Traits = Traits::STATE.or(Traits::TIME).or(Traits::OTHER);

    pub const fn or(self, other: Traits) -> Traits {
        Traits(self.0 | other.0)
    }

    pub fn has_any(self, of: Traits) -> bool {
        self.0 & of.0 != 0
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
