//! A formula's tokens, with their positions.

use crate::error::{ParseError, ParseProblem, Position};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Token<'a> {
    Number(f64),
    Name(&'a str),
    /// An operator, a bracket or a comma.
    Symbol(&'static str),
    End,
}

/// A token, where it stands, and the text that it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lexeme<'a> {
    pub token: Token<'a>,
    pub position: Position,
    pub text: &'a str,
}

/// Longer ones first, so that `<=` is not read as `<`.
const SYMBOLS: [&str; 19] = [
    "<=", ">=", "==", "!=", "&&", "||", "**", "+", "-", "*", "/", "^", "(", ")", ",", "<", ">",
    "!", "−",
];

/// Reads one token after the other: a list of them takes more memory than a long formula does.
pub(super) struct Lexer<'a> {
    text: &'a str,
    position: Position,
}

impl<'a> Lexer<'a> {
    pub fn new(text: &'a str) -> Self {
        Lexer { text, position: Position { byte: 0, column: 1 } }
    }

    /// The next token; [`Token::End`] behind the last one, as often as it is asked for.
    pub fn next(&mut self) -> Result<Lexeme<'a>, ParseError> {
        let rest = &self.text[self.position.byte..];
        let rest = self.step_over(rest.len() - rest.trim_start().len());
        let position = self.position;
        let Some(c) = rest.chars().next() else {
            return Ok(Lexeme { token: Token::End, position, text: "" });
        };
        let (token, len) = token(rest, c).map_err(|problem| ParseError { position, problem })?;
        self.step_over(len);
        Ok(Lexeme { token, position, text: &rest[..len] })
    }

    /// Goes `len` bytes on; gives what is left.
    fn step_over(&mut self, len: usize) -> &'a str {
        let (passed, rest) = self.text[self.position.byte..].split_at(len);
        self.position.column += passed.chars().count();
        self.position.byte += len;
        rest
    }
}

/// The token that `rest` begins with, its first character being `c`, and its length.
fn token(rest: &str, c: char) -> Result<(Token<'_>, usize), ParseProblem> {
    if c.is_ascii_digit() || c == '.' {
        let len = number_len(rest);
        return match rest[..len].parse() {
            Ok(x) if f64::is_finite(x) => Ok((Token::Number(x), len)),
            _ => Err(ParseProblem::Number(rest[..len].to_owned())),
        };
    }
    if c.is_alphabetic() || c == '_' {
        let len = rest.find(|c: char| !is_name_part(c)).unwrap_or(rest.len());
        return Ok((Token::Name(&rest[..len]), len));
    }
    if let Some(symbol) = SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol)) {
        let meaning = match symbol {
            "−" => "-",
            "**" => "^",
            other => other,
        };
        return Ok((Token::Symbol(meaning), symbol.len()));
    }
    Err(if c == '=' { ParseProblem::SingleEquals } else { ParseProblem::Character(c) })
}

/// Whether a name may go on with this character.
pub(super) fn is_name_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The length of digits, a point, digits, and an exponent where digits follow its sign.
fn number_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |mut k: usize| {
        while bytes.get(k).is_some_and(u8::is_ascii_digit) {
            k += 1;
        }
        k
    };
    let mut len = digits(0);
    if bytes.get(len) == Some(&b'.') {
        len = digits(len + 1);
    }
    if matches!(bytes.get(len), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(len + 1), Some(b'+' | b'-')));
        let start = len + 1 + sign;
        if digits(start) > start {
            len = digits(start);
        }
    }
    len
}
