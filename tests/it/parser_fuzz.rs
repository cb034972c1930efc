//! Whatever the parser is given, it answers and does not panic.

use costate::expr::{Expr, Function, parse};
use costate::model::Model;
use proptest::prelude::*;

const TOKENS: [&str; 36] = [
    "x", "p", "t", "pi", "1", "2.5", "1e-3", ".5", "+", "-", "*", "/", "^", "(", ")", ",", "<",
    "<=", "==", "!=", "&&", "||", "!", "if(", "min(", "max(", "pow(", "exp(", "log(", "sqrt(",
    "abs(", "λ", "_", " ", "=", "**",
];

/// What a model's text is spoiled with.
const PIECES: [&str; 24] = [
    "", "(", ")", "-", "\"", ",", ":", "null", "[", "]", "{", "}", "1e999", "-1e300", "0", "\u{0}",
    "\\u001b", "\\ud800", "\\n", "/0", "^", "\u{202e}", "\u{feff}", "\"k\":",
];

/// A model with every kind of thing in it.
const MODEL: &str = include_str!("../../models/biology/gene_expression.json");

fn read(text: &str) {
    let names = &mut |name: &str| match name {
        "x" => Some(Expr::state(0)),
        "p" => Some(Expr::param(0)),
        _ => None,
    };
    match parse(text, names) {
        Ok(expr) => {
            let f = Function::new(&[expr], 1, 1, 0);
            let (mut out, mut registers) = ([0.0], f.registers());
            f.value(0.5, &[0.7], &[1.3], &mut out, &mut registers);
            let (mut y_bar, mut p_bar, mut t_bar) = ([0.0], [0.0], 0.0);
            f.vjp(&[1.0], &mut y_bar, &mut p_bar, &mut t_bar, &mut registers);
        }
        Err(error) => {
            assert!(error.position.byte <= text.len());
            assert!(text.is_char_boundary(error.position.byte));
            assert_eq!(text[..error.position.byte].chars().count() + 1, error.position.column);
            assert_eq!(error.to_string().lines().count(), 1);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        read(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn random_tokens(tokens in prop::collection::vec(prop::sample::select(&TOKENS[..]), 0..60)) {
        read(&tokens.concat());
    }

    #[test]
    fn random_text_as_a_rate(text in ".{0,40}") {
        let rate = serde_json::to_string(&text).unwrap();
        let model = format!(
            r#"{{"name": "m", "time": {{"start": 0, "end": 1}}, "states": {{"x": 1}}, "rates": {{"x": {rate}}}}}"#
        );
        if let Err(error) = Model::from_json(&model) {
            prop_assert_eq!(error.to_string().lines().count(), 1);
        }
    }

    /// A line for every fault, short and without what a terminal obeys.
    #[test]
    fn spoiled_models(
        spoils in prop::collection::vec((0..MODEL.len(), 0..20usize, prop::sample::select(&PIECES[..])), 1..4)
    ) {
        let mut text = MODEL.to_owned();
        for (place, len, piece) in spoils {
            let boundary = |k: usize| (0..=k).rev().find(|&k| text.is_char_boundary(k)).unwrap_or(0);
            let (start, end) = (boundary(place), boundary(place + len));
            text.replace_range(start..end, piece);
        }
        if let Err(error) = Model::from_json(&text) {
            let message = error.to_string();
            prop_assert!(!message.contains(char::is_control), "{message:?}");
            prop_assert!(!message.contains('\u{202e}'), "{message:?}");
            prop_assert!(message.chars().count() < 500, "{message}");
        }
    }

    #[test]
    fn random_json(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Model::from_json(&String::from_utf8_lossy(&bytes));
    }
}
