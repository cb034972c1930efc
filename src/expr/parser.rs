//! The infix parser.
//!
//! From loose to tight: `||`, `&&`, comparisons, `+ −`, `* /`, unary `− + !`, `^` (to the right).

use super::lexer::{Lexeme, Lexer, Token, is_name_part};
use super::op::{FUNCTIONS, Unary};
use super::suggest::nearest;
use super::symbol::Expr;
use crate::error::{ParseError, ParseProblem, Position};

/// Levels of brackets, signs and exponents.
const MAX_DEPTH: usize = 100;
const OTHER_FUNCTIONS: [&str; 4] = ["if", "min", "max", "pow"];

/// Reads a formula. `names` gives what a name stands for; `t` and `pi` are known already.
///
/// ```
/// use costate::expr::{Expr, parse};
/// let expr = parse("k * x^2", &mut |name| (name == "x").then(|| Expr::state(0)));
/// assert_eq!(expr.unwrap_err().to_string(), "column 1: unknown name `k`");
/// ```
///
/// # Errors
///
/// Where the text is no formula or has a name that nobody knows: what and where.
pub fn parse(text: &str, names: &mut dyn FnMut(&str) -> Option<Expr>) -> Result<Expr, ParseError> {
    let mut lexer = Lexer::new(text);
    let mut parser = Parser { current: lexer.next()?, lexer, unreadable: None, depth: 0, names };
    let outcome = parser.whole();
    match parser.unreadable {
        Some(error) => Err(error),
        None => outcome,
    }
}

/// Whether formulas give this name a meaning of their own.
pub fn is_reserved(name: &str) -> bool {
    matches!(name, "t" | "pi") || is_function(name)
}

/// Whether formulas can hold this as a name: a letter or `_`, then letters, digits and `_`.
pub fn is_identifier(name: &str) -> bool {
    name.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && name.chars().all(is_name_part)
}

fn is_function(name: &str) -> bool {
    OTHER_FUNCTIONS.contains(&name) || unary_function(name).is_some()
}

fn unary_function(name: &str) -> Option<Unary> {
    FUNCTIONS.iter().find(|(known, _)| *known == name).map(|&(_, op)| op)
}

struct Parser<'a, 'n> {
    lexer: Lexer<'a>,
    current: Lexeme<'a>,
    /// Why the text behind the current token is none; the current one is then the end.
    unreadable: Option<ParseError>,
    depth: usize,
    names: &'n mut dyn FnMut(&str) -> Option<Expr>,
}

impl<'a> Parser<'a, '_> {
    fn whole(&mut self) -> Result<Expr, ParseError> {
        let expr = self.expression()?;
        match self.peek() {
            Token::End => Ok(expr),
            _ => Err(self.unexpected("an operator or the end")),
        }
    }

    fn peek(&self) -> Token<'a> {
        self.current.token
    }

    fn position(&self) -> Position {
        self.current.position
    }

    /// Steps over the token, unless it is the end.
    fn advance(&mut self) {
        match self.lexer.next() {
            Ok(lexeme) => self.current = lexeme,
            Err(error) => {
                self.current = Lexeme { token: Token::End, position: error.position, text: "" };
                self.unreadable.get_or_insert(error);
            }
        }
    }

    fn accept(&mut self, symbol: &'static str) -> bool {
        let found = self.peek() == Token::Symbol(symbol);
        if found {
            self.advance();
        }
        found
    }

    fn expect(&mut self, symbol: &'static str, expected: &'static str) -> Result<(), ParseError> {
        if self.accept(symbol) { Ok(()) } else { Err(self.unexpected(expected)) }
    }

    fn unexpected(&self, expected: &'static str) -> ParseError {
        let Lexeme { token, position, text } = self.current;
        let problem = match token {
            Token::End => ParseProblem::End { expected },
            _ => ParseProblem::Unexpected { found: text.to_owned(), expected },
        };
        ParseError { position, problem }
    }

    /// Counts a level of nesting around `inner`.
    fn nested<T>(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<T, ParseError>,
    ) -> Result<T, ParseError> {
        if self.depth == MAX_DEPTH {
            let problem = ParseProblem::TooDeep { limit: MAX_DEPTH };
            return Err(ParseError { position: self.position(), problem });
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    fn expression(&mut self) -> Result<Expr, ParseError> {
        self.nested(|parser| {
            let mut left = parser.conjunction()?;
            while parser.accept("||") {
                left = left.or(parser.conjunction()?);
            }
            Ok(left)
        })
    }

    fn conjunction(&mut self) -> Result<Expr, ParseError> {
        let mut left = self.comparison()?;
        while self.accept("&&") {
            left = left.and(self.comparison()?);
        }
        Ok(left)
    }

    fn comparison(&mut self) -> Result<Expr, ParseError> {
        let left = self.sum()?;
        let Some(compare) = self.comparison_operator() else { return Ok(left) };
        self.advance();
        let right = self.sum()?;
        if self.comparison_operator().is_some() {
            let problem = ParseProblem::ChainedComparison;
            return Err(ParseError { position: self.position(), problem });
        }
        Ok(compare(&left, right))
    }

    fn comparison_operator(&self) -> Option<fn(&Expr, Expr) -> Expr> {
        let Token::Symbol(symbol) = self.peek() else { return None };
        match symbol {
            "<" => Some(Expr::less),
            "<=" => Some(Expr::less_equal),
            ">" => Some(Expr::greater),
            ">=" => Some(Expr::greater_equal),
            "==" => Some(Expr::equal),
            "!=" => Some(Expr::not_equal),
            _ => None,
        }
    }

    fn sum(&mut self) -> Result<Expr, ParseError> {
        let mut left = self.product()?;
        loop {
            if self.accept("+") {
                left = left + self.product()?;
            } else if self.accept("-") {
                left = left - self.product()?;
            } else {
                return Ok(left);
            }
        }
    }

    fn product(&mut self) -> Result<Expr, ParseError> {
        let mut left = self.signed()?;
        loop {
            if self.accept("*") {
                left = left * self.signed()?;
            } else if self.accept("/") {
                left = left / self.signed()?;
            } else {
                return Ok(left);
            }
        }
    }

    /// A sign binds less than `^` on its right, so that −x^2 is −(x^2).
    fn signed(&mut self) -> Result<Expr, ParseError> {
        if self.accept("-") {
            Ok(-self.nested(Self::signed)?)
        } else if self.accept("+") {
            self.nested(Self::signed)
        } else if self.accept("!") {
            Ok(self.nested(Self::signed)?.not())
        } else {
            self.power()
        }
    }

    fn power(&mut self) -> Result<Expr, ParseError> {
        let base = self.atom()?;
        if self.accept("^") {
            let exponent = self.nested(Self::signed)?;
            return Ok(base.pow(exponent));
        }
        Ok(base)
    }

    fn atom(&mut self) -> Result<Expr, ParseError> {
        match self.peek() {
            Token::Number(x) => {
                self.advance();
                Ok(Expr::from(x))
            }
            Token::Name(name) => {
                let position = self.position();
                self.advance();
                if self.accept("(") { self.call(name, position) } else { self.name(name, position) }
            }
            Token::Symbol("(") => {
                self.advance();
                let inner = self.expression()?;
                self.expect(")", "`)`")?;
                Ok(inner)
            }
            _ => Err(self.unexpected("a number, a name or `(`")),
        }
    }

    fn name(&mut self, name: &str, position: Position) -> Result<Expr, ParseError> {
        match name {
            "t" => return Ok(Expr::time()),
            "pi" => return Ok(Expr::from(std::f64::consts::PI)),
            _ => {}
        }
        if let Some(expr) = (self.names)(name) {
            return Ok(expr);
        }
        let name = name.to_owned();
        let problem = if is_function(&name) {
            ParseProblem::FunctionWithoutArguments { name }
        } else {
            ParseProblem::UnknownName { name, suggestion: None }
        };
        Err(ParseError { position, problem })
    }

    fn call(&mut self, name: &str, position: Position) -> Result<Expr, ParseError> {
        let fail = |problem| Err(ParseError { position, problem });
        if !is_function(name) {
            let known = FUNCTIONS.iter().map(|&(name, _)| name).chain(OTHER_FUNCTIONS);
            let suggestion = nearest(name, known);
            return fail(ParseProblem::UnknownFunction { name: name.to_owned(), suggestion });
        }
        let arguments = self.arguments()?;
        let expected = match (name, arguments.as_slice()) {
            ("if", [condition, a, b]) => return Ok(condition.if_then_else(a, b)),
            ("pow", [a, b]) => return Ok(a.pow(b)),
            ("min", [a, rest @ ..]) if !rest.is_empty() => {
                return Ok(rest.iter().fold(a.clone(), |least, x| least.min(x)));
            }
            ("max", [a, rest @ ..]) if !rest.is_empty() => {
                return Ok(rest.iter().fold(a.clone(), |most, x| most.max(x)));
            }
            ("if", _) => "three arguments (condition, then, otherwise)",
            ("pow", _) => "two arguments",
            ("min" | "max", _) => "two arguments or more",
            (_, [x]) => {
                let op = unary_function(name).unwrap_or(Unary::Neg);
                return Ok(Expr::unary(op, x));
            }
            _ => "one argument",
        };
        let (name, found) = (name.to_owned(), arguments.len());
        fail(ParseProblem::ArgumentCount { name, expected, found })
    }

    /// What stands between the brackets, the first of which is already read.
    fn arguments(&mut self) -> Result<Vec<Expr>, ParseError> {
        let mut list = Vec::new();
        if self.accept(")") {
            return Ok(list);
        }
        loop {
            list.push(self.expression()?);
            if self.accept(")") {
                return Ok(list);
            }
            self.expect(",", "`,` or `)`")?;
        }
    }
}
