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

/// Longer ones first, so that `<=` is not read as `<`.
const SYMBOLS: [&str; 19] = [
    "<=", ">=", "==", "!=", "&&", "||", "**", "+", "-", "*", "/", "^", "(", ")", ",", "<", ">",
    "!", "−",
];

/// The tokens of `text`, the last one being [`Token::End`], and the text that each is.
pub(super) fn tokens(text: &str) -> Result<Vec<(Token<'_>, Position, &str)>, ParseError> {
    let mut list = Vec::new();
    let mut position = Position { byte: 0, column: 1 };
    loop {
        let rest = &text[position.byte..];
        let Some(c) = rest.chars().next() else {
            list.push((Token::End, position, ""));
            return Ok(list);
        };
        let fail = |problem| Err(ParseError { position, problem });
        let len = if c.is_whitespace() {
            c.len_utf8()
        } else if c.is_ascii_digit() || c == '.' {
            let len = number_len(rest);
            match rest[..len].parse() {
                Ok(x) if f64::is_finite(x) => list.push((Token::Number(x), position, &rest[..len])),
                _ => return fail(ParseProblem::Number(rest[..len].to_owned())),
            }
            len
        } else if c.is_alphabetic() || c == '_' {
            let len = rest.find(|c: char| !is_name_part(c)).unwrap_or(rest.len());
            list.push((Token::Name(&rest[..len]), position, &rest[..len]));
            len
        } else if let Some(symbol) = SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol)) {
            let meaning = match symbol {
                "−" => "-",
                "**" => "^",
                other => other,
            };
            list.push((Token::Symbol(meaning), position, &rest[..symbol.len()]));
            symbol.len()
        } else if c == '=' {
            return fail(ParseProblem::SingleEquals);
        } else {
            return fail(ParseProblem::Character(c));
        };
        position.column += rest[..len].chars().count();
        position.byte += len;
    }
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
