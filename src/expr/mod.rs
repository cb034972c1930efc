//! Formulas: read, simplified, differentiated, and compiled to programs that run fast.
//!
//! A formula is an [`Expr`], made by a Rust closure or by [`parse`]. Several go into a [`Graph`],
//! which holds every common part once and differentiates; [`Function`] compiles them with their
//! derivatives into straight-line [`Program`]s.

mod lexer;
mod op;
mod program;
mod schedule;
mod suggest;
mod symbol;
mod node;
mod intern;
mod graph;
mod compile;
mod jacobian;
mod function;
mod operators;
mod parser;
mod partial;
mod reverse;
mod simplify;
mod tangent;
#[cfg(test)]
mod tests;

pub use compile::Shape;
pub use function::{Function, Registers};
pub use graph::Graph;
pub use jacobian::JacobianProgram;
pub use node::{Id, Node};
pub use op::{Binary, FUNCTIONS, Unary};
pub use parser::{is_identifier, is_reserved, parse};
pub use program::Program;
pub use suggest::nearest;
pub(crate) use symbol::Seen;
pub use symbol::{Expr, Variable};
