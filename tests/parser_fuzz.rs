//! Whatever the parser is given, it answers and does not panic.

use costate::expr::{Expr, Function, parse};
use costate::model::Model;
use proptest::prelude::*;

const TOKENS: [&str; 36] = [
    "x", "p", "t", "pi", "1", "2.5", "1e-3", ".5", "+", "-", "*", "/", "^", "(", ")", ",", "<",
    "<=", "==", "!=", "&&", "||", "!", "if(", "min(", "max(", "pow(", "exp(", "log(", "sqrt(",
    "abs(", "λ", "_", " ", "=", "**",
];

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

    #[test]
    fn random_json(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Model::from_json(&String::from_utf8_lossy(&bytes));
    }
}
