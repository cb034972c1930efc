//! Numbers, and texts that somebody else wrote, as messages and tables show them.

use std::borrow::Cow;

/// The most characters that are shown of a name.
pub const LONGEST_NAME: usize = 60;

/// The number x in as few digits as give it back, with an exponent where it is very large or small.
///
/// ```
/// use costate::error::number;
/// assert_eq!([number(&0.25), number(&-1e300), number(&1e-9)], ["0.25", "-1e300", "1e-9"]);
/// ```
pub fn number(x: &f64) -> String {
    match x.abs() {
        0.0 | 1e-5..1e16 => x.to_string(),
        size if size.is_finite() => format!("{x:e}"),
        _ => x.to_string(),
    }
}

/// A text whose characters that control a terminal, or the direction of writing, are written as
/// JSON writes them, `\u001b`; lines stay lines.
pub fn printable(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c != '\n' && is_hidden(c))
}

/// A name as messages show it: on one line, [printable], and cut short with … where it is long.
pub fn shown(name: &str) -> Cow<'_, str> {
    match name.char_indices().nth(LONGEST_NAME) {
        None => escaped(name, is_hidden),
        Some(_) => {
            let end = name.char_indices().nth(LONGEST_NAME - 1).map_or(name.len(), |(end, _)| end);
            Cow::Owned(format!("{}…", escaped(&name[..end], is_hidden)))
        }
    }
}

fn escaped(text: &str, hide: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(&hide) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if hide(c) {
            let units = &mut [0; 2];
            c.encode_utf16(units).iter().for_each(|unit| escaped += &format!("\\u{unit:04x}"));
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

/// Control characters, and the marks of Unicode that turn the direction of writing, break lines or
/// cannot be seen (Unicode Technical Report 36). The joiners that scripts need are not among them.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}')
        || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        || matches!(c, '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every finite number comes back from what is shown, which is never long.
    #[test]
    fn numbers_are_short_and_exact() {
        let mut random = fastrand::Rng::with_seed(5);
        let some = (0..100_000).map(|_| f64::from_bits(random.u64(..)));
        let special = [0.0, -0.0, 1e-5, 1e16, 9.9e15, f64::MAX, f64::MIN_POSITIVE, 5e-324];
        for x in some.chain(special).filter(|x| x.is_finite()) {
            let text = number(&x);
            assert!(text.len() <= 24, "{text}");
            assert_eq!(text.parse::<f64>().map(f64::to_bits), Ok(x.to_bits()), "{text}");
        }
        assert_eq!([number(&f64::NAN), number(&-f64::INFINITY)], ["NaN", "-inf"]);
    }

    #[test]
    fn nothing_hidden_is_left() {
        for c in ('\0'..=char::MAX).filter(|&c| is_hidden(c)) {
            let text = format!("a{c}b");
            let shown = shown(&text);
            assert!(!shown.chars().any(is_hidden), "{shown}");
            assert_eq!(serde_json::from_str::<String>(&format!("\"{shown}\"")).unwrap(), text);
        }
        assert_eq!(shown("λ_prey"), "λ_prey");
        assert_eq!(printable("a\tb\n\u{1b}[2J"), "a\\u0009b\n\\u001b[2J");
        assert_eq!(shown(&"k".repeat(100_000)).chars().count(), LONGEST_NAME);
    }
}
