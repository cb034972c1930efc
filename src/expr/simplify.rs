//! Constant folding and identities that keep the bits of every finite value.
//!
//! x + 0 stays as it is, because it turns −0 into 0, and so does 0·x. Zeros of derivatives never
//! get here: a derivative that is structurally zero has no node.

use super::graph::Graph;
use super::node::{Id, Node};
use super::op::{Binary, Unary};

/// The largest whole exponent that becomes products.
const MAX_PRODUCT_EXPONENT: f64 = 32.0;

impl Graph {
    /// The node of op(x).
    pub fn unary(&mut self, op: Unary, x: Id) -> Id {
        if let Some(value) = self.constant_value(x) {
            return self.constant(op.apply(value));
        }
        match (op, self.node(x)) {
            (Unary::Neg, Node::Unary(Unary::Neg, inner)) => inner,
            (Unary::Abs, Node::Unary(Unary::Neg, inner)) => self.unary(Unary::Abs, inner),
            _ => self.intern(Node::Unary(op, x)),
        }
    }

    /// The node of op(a, b).
    pub fn binary(&mut self, op: Binary, a: Id, b: Id) -> Id {
        let (ca, cb) = (self.constant_value(a), self.constant_value(b));
        if let (Some(x), Some(y)) = (ca, cb) {
            return self.constant(op.apply(x, y));
        }
        match op {
            Binary::Add => self.sum(a, b),
            Binary::Sub => self.difference(a, b),
            Binary::Mul => self.product(a, b),
            Binary::Div => self.quotient(a, b),
            Binary::Pow => match cb {
                Some(n) if n.fract() == 0.0 && n.abs() <= MAX_PRODUCT_EXPONENT => {
                    self.whole_power(a, n)
                }
                _ => self.intern(Node::Binary(op, a, b)),
            },
            _ => self.intern_binary(op, a, b),
        }
    }

    /// The node of: a where c is not 0, else b.
    pub fn select(&mut self, c: Id, a: Id, b: Id) -> Id {
        match self.constant_value(c) {
            Some(0.0) => b,
            Some(_) => a,
            None if a == b => a,
            None => self.intern(Node::Select(c, a, b)),
        }
    }

    fn intern_binary(&mut self, op: Binary, a: Id, b: Id) -> Id {
        let (a, b) = if op.is_commutative() && b < a { (b, a) } else { (a, b) };
        self.intern(Node::Binary(op, a, b))
    }

    /// x of a node −x.
    fn negated(&self, id: Id) -> Option<Id> {
        match self.node(id) {
            Node::Unary(Unary::Neg, x) => Some(x),
            _ => None,
        }
    }

    fn sum(&mut self, a: Id, b: Id) -> Id {
        match (self.negated(a), self.negated(b)) {
            (_, Some(y)) => self.difference(a, y),
            (Some(x), None) => self.difference(b, x),
            (None, None) => self.intern_binary(Binary::Add, a, b),
        }
    }

    fn difference(&mut self, a: Id, b: Id) -> Id {
        if self.constant_value(b).is_some_and(|y| y.to_bits() == 0) {
            return a;
        }
        match self.negated(b) {
            Some(y) => self.sum(a, y),
            None => self.intern(Node::Binary(Binary::Sub, a, b)),
        }
    }

    fn product(&mut self, a: Id, b: Id) -> Id {
        for (factor, x) in [(a, b), (b, a)] {
            match self.constant_value(factor) {
                Some(1.0) => return x,
                Some(-1.0) => return self.unary(Unary::Neg, x),
                _ => {}
            }
            if let Some(y) = self.negated(factor) {
                let positive = self.product(y, x);
                return self.unary(Unary::Neg, positive);
            }
        }
        self.intern_binary(Binary::Mul, a, b)
    }

    fn quotient(&mut self, a: Id, b: Id) -> Id {
        match self.constant_value(b) {
            Some(1.0) => return a,
            Some(-1.0) => return self.unary(Unary::Neg, a),
            Some(y) if has_exact_reciprocal(y) => {
                let reciprocal = self.constant(1.0 / y);
                return self.product(a, reciprocal);
            }
            _ => {}
        }
        match self.negated(a) {
            Some(x) => {
                let positive = self.quotient(x, b);
                self.unary(Unary::Neg, positive)
            }
            None => self.intern(Node::Binary(Binary::Div, a, b)),
        }
    }

    /// xⁿ by repeated squaring, whose derivative is defined wherever the power is.
    fn whole_power(&mut self, x: Id, n: f64) -> Id {
        let mut left = n.abs() as u32;
        let mut square = x;
        let mut result = None;
        while left > 0 {
            if left & 1 == 1 {
                result = Some(result.map_or(square, |r| self.product(r, square)));
            }
            left >>= 1;
            if left > 0 {
                square = self.product(square, square);
            }
        }
        let one = self.constant(1.0);
        let power = result.unwrap_or(one);
        if n < 0.0 { self.binary(Binary::Div, one, power) } else { power }
    }
}

/// Whether x/y and x·(1/y) round alike: y is a power of two whose reciprocal is normal.
fn has_exact_reciprocal(y: f64) -> bool {
    let mantissa = y.to_bits() & ((1 << 52) - 1);
    mantissa == 0 && y.is_normal() && (1.0 / y).is_normal()
}
