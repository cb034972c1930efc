//! The derivative of each operation with respect to its operands, as nodes.

use super::graph::Graph;
use super::node::{Id, Node};
use super::op::{Binary, Unary};

/// What a tangent or an adjoint is multiplied or divided by.
#[derive(Clone, Copy, Debug)]
pub(super) enum Factor {
    One,
    MinusOne,
    Times(Id),
    Over(Id),
    MinusOver(Id),
}

/// A node that passes on one of two operands: the condition, the first and the second.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice {
    pub condition: Id,
    pub then: Id,
    pub otherwise: Id,
}

impl Graph {
    /// x times or over the factor.
    pub(super) fn scaled(&mut self, x: Id, factor: Factor) -> Id {
        match factor {
            Factor::One => x,
            Factor::MinusOne => self.unary(Unary::Neg, x),
            Factor::Times(f) => self.binary(Binary::Mul, x, f),
            Factor::Over(f) => self.binary(Binary::Div, x, f),
            Factor::MinusOver(f) => {
                let positive = self.binary(Binary::Div, x, f);
                self.unary(Unary::Neg, positive)
            }
        }
    }

    /// The choice that `if`, `min` and `max` make. Where the two are equal, the first is taken.
    pub(super) fn choice(&mut self, id: Id) -> Option<Choice> {
        let (condition, then, otherwise) = match self.node(id) {
            Node::Select(c, a, b) => (c, a, b),
            Node::Binary(Binary::Min, a, b) => (self.binary(Binary::LessEqual, a, b), a, b),
            Node::Binary(Binary::Max, a, b) => (self.binary(Binary::LessEqual, b, a), a, b),
            _ => return None,
        };
        Some(Choice { condition, then, otherwise })
    }

    /// The derivatives by those operands that are `wanted`, where they are not zero everywhere,
    /// for a node that is no [`Choice`].
    pub(super) fn partials(
        &mut self,
        id: Id,
        wanted: &dyn Fn(&Graph, Id) -> bool,
    ) -> Vec<(Id, Factor)> {
        match self.node(id) {
            Node::Unary(op, x) if wanted(self, x) => {
                self.unary_partial(op, x, id).map(|f| (x, f)).into_iter().collect()
            }
            Node::Binary(op, a, b) => {
                let mut list = Vec::with_capacity(2);
                if wanted(self, a) {
                    list.extend(self.partial_by_first(op, a, b).map(|factor| (a, factor)));
                }
                if wanted(self, b) {
                    list.extend(self.partial_by_second(op, a, b, id).map(|factor| (b, factor)));
                }
                list
            }
            _ => Vec::new(),
        }
    }

    fn unary_partial(&mut self, op: Unary, x: Id, value: Id) -> Option<Factor> {
        let factor = match op {
            Unary::Neg => Factor::MinusOne,
            Unary::Exp => Factor::Times(value),
            Unary::Log => Factor::Over(x),
            Unary::Log10 => {
                let ln10 = self.constant(std::f64::consts::LN_10);
                Factor::Over(self.binary(Binary::Mul, x, ln10))
            }
            Unary::Sqrt => {
                let two = self.constant(2.0);
                Factor::Over(self.binary(Binary::Mul, two, value))
            }
            Unary::Sin => Factor::Times(self.unary(Unary::Cos, x)),
            Unary::Cos => {
                let sin = self.unary(Unary::Sin, x);
                Factor::Times(self.unary(Unary::Neg, sin))
            }
            Unary::Tan => Factor::Times(self.one_and_square(Binary::Add, value)),
            Unary::Asin => Factor::Over(self.root_of_product(x, Unary::Asin)),
            Unary::Acos => Factor::MinusOver(self.root_of_product(x, Unary::Asin)),
            Unary::Atan => Factor::Over(self.one_and_square(Binary::Add, x)),
            Unary::Sinh => Factor::Times(self.unary(Unary::Cosh, x)),
            Unary::Cosh => Factor::Times(self.unary(Unary::Sinh, x)),
            Unary::Tanh => Factor::Times(self.one_and_square(Binary::Sub, value)),
            Unary::Asinh => {
                let radicand = self.one_and_square(Binary::Add, x);
                Factor::Over(self.unary(Unary::Sqrt, radicand))
            }
            Unary::Acosh => Factor::Over(self.root_of_product(x, Unary::Acosh)),
            Unary::Atanh => Factor::Over(self.two_factors(x, Unary::Atanh)),
            Unary::Abs => {
                let (zero, one) = (self.constant(0.0), self.constant(1.0));
                let minus_one = self.constant(-1.0);
                let negative = self.binary(Binary::Less, x, zero);
                Factor::Times(self.select(negative, minus_one, one))
            }
            Unary::Floor | Unary::Ceil | Unary::Sign | Unary::Not => return None,
        };
        Some(factor)
    }

    /// 1 ± x².
    fn one_and_square(&mut self, op: Binary, x: Id) -> Id {
        let square = self.binary(Binary::Mul, x, x);
        let one = self.constant(1.0);
        self.binary(op, one, square)
    }

    /// (1 − x)(1 + x), or (x − 1)(x + 1) for acosh: right to rounding near |x| = 1, as 1 − x² is not.
    fn two_factors(&mut self, x: Id, of: Unary) -> Id {
        let one = self.constant(1.0);
        let (a, b) = if of == Unary::Acosh { (x, one) } else { (one, x) };
        let difference = self.binary(Binary::Sub, a, b);
        let sum = self.binary(Binary::Add, one, x);
        self.binary(Binary::Mul, difference, sum)
    }

    fn root_of_product(&mut self, x: Id, of: Unary) -> Id {
        let product = self.two_factors(x, of);
        self.unary(Unary::Sqrt, product)
    }

    fn partial_by_first(&mut self, op: Binary, a: Id, b: Id) -> Option<Factor> {
        match op {
            Binary::Add | Binary::Sub => Some(Factor::One),
            Binary::Mul => Some(Factor::Times(b)),
            Binary::Div => Some(Factor::Over(b)),
            Binary::Pow => Some(Factor::Times(self.slope_of_base(a, b))),
            _ => None,
        }
    }

    fn partial_by_second(&mut self, op: Binary, a: Id, b: Id, value: Id) -> Option<Factor> {
        match op {
            Binary::Add => Some(Factor::One),
            Binary::Sub => Some(Factor::MinusOne),
            Binary::Mul => Some(Factor::Times(a)),
            Binary::Div => {
                let slope = self.binary(Binary::Div, value, b);
                Some(Factor::Times(self.unary(Unary::Neg, slope)))
            }
            Binary::Pow => Some(Factor::Times(self.slope_of_exponent(a, value))),
            _ => None,
        }
    }

    /// b a^(b−1), and 0 where b is 0 whatever a is.
    fn slope_of_base(&mut self, a: Id, b: Id) -> Id {
        let (zero, one) = (self.constant(0.0), self.constant(1.0));
        let less = self.binary(Binary::Sub, b, one);
        let power = self.binary(Binary::Pow, a, less);
        let slope = self.binary(Binary::Mul, b, power);
        let flat = self.binary(Binary::Equal, b, zero);
        self.select(flat, zero, slope)
    }

    /// a^b log a, and 0 where a ≤ 0: the limit at 0 for b > 0.
    fn slope_of_exponent(&mut self, a: Id, value: Id) -> Id {
        let zero = self.constant(0.0);
        let log = self.unary(Unary::Log, a);
        let slope = self.binary(Binary::Mul, value, log);
        let positive = self.binary(Binary::Less, zero, a);
        self.select(positive, slope, zero)
    }
}
