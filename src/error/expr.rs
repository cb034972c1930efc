//! What is wrong with a formula.

use thiserror::Error;

use super::shown;

/// A place in a formula.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Bytes before it.
    pub byte: usize,
    /// Characters before it, plus one.
    pub column: usize,
}

/// A formula that cannot be read: where, and why.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("column {}: {problem}", position.column)]
pub struct ParseError {
    /// Where.
    pub position: Position,
    /// Why.
    pub problem: ParseProblem,
}

/// Why a formula cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[allow(missing_docs, reason = "the messages say what the fields are")]
pub enum ParseProblem {
    /// A character that no formula has.
    #[error("unexpected character {0:?}")]
    Character(char),
    /// `=` where `==` is meant.
    #[error("`=` alone is no operator; write `==` to compare")]
    SingleEquals,
    /// A number that is too large or malformed.
    #[error("`{}` is no finite number", shown(.0))]
    Number(String),
    /// The formula ends too early.
    #[error("the formula ends where {expected} should follow")]
    End { expected: &'static str },
    /// Something else stands where one thing must.
    #[error("found `{found}` where {expected} should be", found = shown(.found))]
    Unexpected { found: String, expected: &'static str },
    /// `a < b < c`.
    #[error("comparisons do not chain; write `a < b && b < c`")]
    ChainedComparison,
    /// A name that is not defined.
    #[error("unknown name `{name}`{}", did_you_mean(suggestion), name = shown(.name))]
    UnknownName { name: String, suggestion: Option<String> },
    /// A function that is not there.
    #[error("unknown function `{name}`{}", did_you_mean(suggestion), name = shown(.name))]
    UnknownFunction { name: String, suggestion: Option<String> },
    /// A function's name without brackets.
    #[error("`{name}` is a function; write `{name}(…)`", name = shown(.name))]
    FunctionWithoutArguments { name: String },
    /// Too many or too few arguments.
    #[error("`{name}` takes {expected}, not {found}", name = shown(.name))]
    ArgumentCount { name: String, expected: &'static str, found: usize },
    /// Brackets or signs nested too deep.
    #[error("nested more than {limit} deep; name parts of it under `expressions`")]
    TooDeep { limit: usize },
}

/// "; did you mean `x`?", or nothing.
pub(crate) fn did_you_mean(suggestion: &Option<String>) -> String {
    suggestion
        .as_ref()
        .map_or_else(String::new, |name| format!("; did you mean `{}`?", shown(name)))
}
