//! What it costs to load a model grows as the model does, not as its square, and a long formula
//! fits into memory. Counted in bytes asked of the allocator: those do not depend on the machine.

use costate::expr::{Expr, parse};
use costate::model::Model;

use crate::counting::{alone, bytes_of};

fn joined(n: usize, separator: &str, part: impl Fn(usize) -> String) -> String {
    (0..n).map(part).collect::<Vec<_>>().join(separator)
}

/// The text of a model with `n` of something.
type Text = fn(usize) -> String;

fn model(states: &str, parameters: &str, expressions: &str, rates: &str, end: &str) -> String {
    format!(
        r#"{{ "name": "m", "time": {{ "start": 0, "end": 1 }}, "states": {{ {states} }},
             "parameters": {{ {parameters} }}, "expressions": {{ {expressions} }},
             "rates": {{ {rates} }}, "objective": {{ {end} }} }}"#
    )
}

const X: &str = r#""x": 1"#;
const K: &str = r#""k": 0.5"#;
const DECAY: &str = r#""x": "-k * x""#;
const LAST: &str = r#""terminal": "x""#;

fn terms(n: usize) -> String {
    let sum = joined(n, " + ", |i| format!("{}e-9 * x", i + 1));
    model(X, K, "", &format!(r#""x": "{sum}""#), LAST)
}

fn products(n: usize) -> String {
    let sum = joined(n, " + ", |i| format!("{}e-9 * k * x * {}", i + 1, i % 7));
    model(X, K, "", &format!(r#""x": "{sum}""#), LAST)
}

fn expressions(n: usize) -> String {
    let list = joined(n, ", ", |i| format!(r#""e{i}": "{i} * k + x""#));
    model(X, K, &list, DECAY, LAST)
}

fn chained_expressions(n: usize) -> String {
    let list = joined(n, ", ", |i| format!(r#""e{}": "e{i} * 0.5 + k""#, i + 1));
    let rate = format!(r#""x": "e{n}""#);
    model(X, K, &format!(r#""e0": "k * x", {list}"#), &rate, LAST)
}

fn states(n: usize) -> String {
    let states = joined(n, ", ", |i| format!(r#""x{i}": 1"#));
    let rates = joined(n, ", ", |i| format!(r#""x{i}": "-k * x{i}""#));
    model(&states, K, "", &rates, r#""terminal": "x0""#)
}

/// Whatever several formulas have in common is looked at once.
fn states_with_something_in_common(n: usize) -> String {
    let common = joined(n, " + ", |i| format!("k * {i}"));
    let states = joined(n, ", ", |i| format!(r#""x{i}": 1"#));
    let rates = joined(n, ", ", |i| format!(r#""x{i}": "-common * x{i}""#));
    model(&states, K, &format!(r#""common": "{common}""#), &rates, r#""terminal": "x0""#)
}

fn parameters(n: usize) -> String {
    let list = joined(n, ", ", |i| format!(r#""p{i}": 1"#));
    let rate = joined(n, " + ", |i| format!("p{i}"));
    model(X, &list, "", &format!(r#""x": "{rate}""#), LAST)
}

fn observations(n: usize) -> String {
    let list = joined(n, ", ", |i| {
        format!(r#"{{ "expression": "{i} * x", "times": [{}], "data": [1] }}"#, i as f64 / n as f64)
    });
    model(X, K, "", DECAY, &format!(r#""observations": [{list}]"#))
}

const MODELS: [(&str, Text); 8] = [
    ("terms", terms),
    ("products", products),
    ("expressions", expressions),
    ("chained expressions", chained_expressions),
    ("states", states),
    ("states with something in common", states_with_something_in_common),
    ("parameters", parameters),
    ("observations", observations),
];

/// Tables double in size, so that four times the model may take up to eight times the memory;
/// a square would take 16 times.
#[test]
fn loading_takes_memory_as_the_model_grows() {
    let _alone = alone();
    for (name, text) in MODELS {
        let (few, many) = (text(2000), text(8000));
        let load = |text: &str| bytes_of(|| Model::from_json(text).unwrap());
        let ((total, peak), (total_of_many, peak_of_many)) = (load(&few), load(&many));
        assert!(total_of_many <= 8 * total, "{name}: {total} then {total_of_many} in all");
        assert!(peak_of_many <= 8 * peak, "{name}: {peak} then {peak_of_many} at once");
    }
    let load = |n: usize| {
        let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("loading.csv");
        let rows = joined(n, "", |i| format!("{},{i}.5,,0.1\n", i as f64 / n as f64));
        std::fs::write(&path, format!("t,x,2*x,sigma(x)\n{rows}0,,1,\n")).unwrap();
        let all = r#""observations": [{ "data": "loading.csv" }]"#;
        let text = model(X, K, "", DECAY, all);
        bytes_of(|| Model::from_json_in(&text, path.parent().unwrap()).unwrap())
    };
    let ((total, peak), (total_of_many, peak_of_many)) = (load(2000), load(8000));
    assert!(total_of_many <= 8 * total, "a table: {total} then {total_of_many} in all");
    assert!(peak_of_many <= 8 * peak, "a table: {peak} then {peak_of_many} at once");
    // Not on the edge of a table's growth: the law is one of a million terms in 500 MB.
    for n in [50_000, 70_000] {
        let text = terms(n);
        let (_, peak) = bytes_of(|| Model::from_json(&text).unwrap());
        assert!(peak <= 500 * n, "{n} terms: {} bytes each", peak / n);
    }
    let text = joined(100_000, " + ", |i| format!("{i} * x"));
    let (_, peak) = bytes_of(|| parse(&text, &mut |_| Some(Expr::state(0))).unwrap());
    assert!(peak <= 300 * 100_000, "a parsed term takes {} bytes", peak / 100_000);
}
