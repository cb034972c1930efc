//! The symbols that a Rust closure or a parsed formula computes with.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use super::op::{Binary, Unary};

/// A number that an expression depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Variable {
    /// t.
    Time,
    /// y_i.
    State(u32),
    /// p_i.
    Param(u32),
    /// A number given with each evaluation that nothing is differentiated by: a measurement.
    Data(u32),
    /// w_i of a product with the transposed derivative.
    Weight(u32),
    /// The tangent of y_i.
    StateDot(u32),
    /// The tangent of p_i.
    ParamDot(u32),
}

impl Variable {
    /// A number of its own for each variable.
    pub(super) fn code(self) -> u64 {
        let (kind, i) = match self {
            Variable::Time => (0, 0),
            Variable::State(i) => (1, i),
            Variable::Param(i) => (2, i),
            Variable::Data(i) => (3, i),
            Variable::Weight(i) => (4, i),
            Variable::StateDot(i) => (5, i),
            Variable::ParamDot(i) => (6, i),
        };
        kind << 32 | u64::from(i)
    }
}

/// A symbolic number, cheap to clone; operators and methods build larger ones.
///
/// ```
/// use costate::expr::Expr;
/// let (x, k) = (Expr::state(0), Expr::param(0));
/// let rate = -(&k * &x) / (1 + x.exp());
/// assert!(rate.constant_value().is_none());
/// ```
#[derive(Clone)]
pub struct Expr(Arc<Term>);

pub(super) enum Term {
    Constant(f64),
    Variable(Variable),
    Unary(Unary, Expr),
    Binary(Binary, Expr, Expr),
    /// Boxed, so that the many other terms are smaller.
    Select(Box<[Expr; 3]>),
}

/// The shared parts of expressions that a walk has come by.
#[derive(Default)]
pub(crate) struct Seen(HashSet<*const Term>);

impl Expr {
    /// t.
    pub fn time() -> Self {
        Variable::Time.into()
    }

    /// y_i.
    pub fn state(i: u32) -> Self {
        Variable::State(i).into()
    }

    /// p_i.
    pub fn param(i: u32) -> Self {
        Variable::Param(i).into()
    }

    /// The number, where the expression is just one.
    pub fn constant_value(&self) -> Option<f64> {
        match *self.0 {
            Term::Constant(x) => Some(x),
            _ => None,
        }
    }

    pub(super) fn term(&self) -> &Term {
        &self.0
    }

    /// Whether several expressions may read this one.
    pub(super) fn is_shared(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    /// Every variable that it depends on. `seen` holds the shared parts that need no second visit,
    /// among them those of earlier calls.
    pub(crate) fn variables(&self, seen: &mut Seen) -> Vec<Variable> {
        let (mut found, mut stack) = (Vec::new(), vec![self]);
        while let Some(expr) = stack.pop() {
            if expr.is_shared() && !seen.0.insert(expr.term()) {
                continue;
            }
            match expr.term() {
                Term::Constant(_) => {}
                Term::Variable(v) => found.push(*v),
                Term::Unary(_, x) => stack.push(x),
                Term::Binary(_, a, b) => stack.extend([b, a]),
                Term::Select(choice) => stack.extend(choice.iter().rev()),
            }
        }
        found
    }

    pub(super) fn unary(op: Unary, x: &Expr) -> Self {
        Expr(Arc::new(Term::Unary(op, x.clone())))
    }

    pub(super) fn binary(op: Binary, a: impl Into<Expr>, b: impl Into<Expr>) -> Self {
        Expr(Arc::new(Term::Binary(op, a.into(), b.into())))
    }

    /// `then` where this is true (not 0), else `otherwise`. What is not chosen may be infinite or
    /// undefined: neither the value nor the derivative sees it.
    pub fn if_then_else(&self, then: impl Into<Expr>, otherwise: impl Into<Expr>) -> Expr {
        let choice = [self.clone(), then.into(), otherwise.into()];
        Expr(Arc::new(Term::Select(Box::new(choice))))
    }
}

impl From<f64> for Expr {
    fn from(x: f64) -> Self {
        Expr(Arc::new(Term::Constant(x)))
    }
}

impl From<i32> for Expr {
    fn from(x: i32) -> Self {
        f64::from(x).into()
    }
}

impl From<&Expr> for Expr {
    fn from(x: &Expr) -> Self {
        x.clone()
    }
}

impl From<Variable> for Expr {
    fn from(x: Variable) -> Self {
        Expr(Arc::new(Term::Variable(x)))
    }
}

impl fmt::Debug for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.term() {
            Term::Constant(x) => write!(f, "{x}"),
            Term::Variable(x) => write!(f, "{x:?}"),
            Term::Unary(op, _) => write!(f, "{op:?}(…)"),
            Term::Binary(op, _, _) => write!(f, "{op:?}(…, …)"),
            Term::Select(..) => write!(f, "Select(…, …, …)"),
        }
    }
}

/// A sum of 10⁵ terms is a chain 10⁵ deep, which a recursive drop would overflow the stack on.
impl Drop for Expr {
    fn drop(&mut self) {
        let mut orphans = Vec::new();
        release(self, &mut orphans);
        while let Some(mut orphan) = orphans.pop() {
            release(&mut orphan, &mut orphans);
        }
    }
}

/// Moves the operands out of a term that nobody else holds.
fn release(expr: &mut Expr, orphans: &mut Vec<Expr>) {
    let Some(term) = Arc::get_mut(&mut expr.0) else { return };
    if matches!(term, Term::Constant(_) | Term::Variable(_)) {
        return;
    }
    match std::mem::replace(term, Term::Constant(0.0)) {
        Term::Constant(_) | Term::Variable(_) => {}
        Term::Unary(_, x) => orphans.push(x),
        Term::Binary(_, a, b) => orphans.extend([a, b]),
        Term::Select(choice) => orphans.extend(*choice),
    }
}
