//! Malformed models, each with the exact text of its error.

use costate::error::ModelError;
use costate::model::Model;

/// A good model, which each case spoils at one place.
const GOOD: &str = r#"{
    "name": "good",
    "time": { "start": 0, "end": 10 },
    "states": { "prey": 1, "hunter": "h0" },
    "parameters": {
        "h0": 1,
        "k": { "value": 0.5, "unit": "1/d", "scale": "lin", "bounds": [0.1, 2] }
    },
    "expressions": { "meet": "k * prey * hunter", "twice": "2 * meet" },
    "rates": { "prey": "prey - twice", "hunter": "meet - hunter" },
    "objective": {
        "terminal": "prey",
        "observations": [
            { "expression": "prey", "times": [1, 2], "data": [3, 4], "sigma": [0.5, 1] }
        ],
        "running": "hunter^2"
    }
}"#;

/// What is replaced, by what, and the message.
const CASES: &[(&str, &str, &str)] = &[
    (GOOD, "", "the file is empty; a model is a JSON object, see docs/model-format.md"),
    (GOOD, " \n ", "the file is empty; a model is a JSON object, see docs/model-format.md"),
    (
        GOOD,
        "prey = 1",
        "not JSON: expected value at line 1 column 1; check brackets, commas, quotes and numbers there",
    ),
    (
        r#""name": "good","#,
        r#""name": "good""#,
        "not JSON: expected `,` or `}` at line 3 column 5; check brackets, commas, quotes and numbers there",
    ),
    (
        r#""h0": 1,"#,
        r#""h0": NaN,"#,
        "not JSON: expected value at line 6 column 15; check brackets, commas, quotes and numbers there",
    ),
    (
        r#""h0": 1,"#,
        r#""h0": 1e999,"#,
        "not JSON: number out of range at line 6 column 19; check brackets, commas, quotes and numbers there",
    ),
    (
        r#""start": 0, "end": 10"#,
        r#""start": -1e308, "end": 1e308"#,
        "time: from -1e308 to 1e308 is too long; bring start and end closer together",
    ),
    (GOOD, "[1, 2]", "the model: expected an object, found a list"),
    (GOOD, "{}", "the model: the key `name` is missing; add it"),
    (r#""rates""#, r#""rate""#, "the model: unknown key `rate`; did you mean `rates`?"),
    (
        r#""objective""#,
        r#""loss""#,
        "the model: unknown key `loss`; the keys here are `name`, `source`, `time`, `states`, `parameters`, `expressions`, `rates`, `objective`, `$schema`",
    ),
    (r#""unit""#, r#""units""#, "parameters.k: unknown key `units`; did you mean `unit`?"),
    (r#""good""#, "3", "name: expected a text, found a number"),
    (
        r#""prey": 1,"#,
        r#""prey": null,"#,
        "states.prey: expected a number or a formula in quotes, found null",
    ),
    (r#""end": 10"#, r#""end": "10""#, "time.end: expected a number, found a text"),
    (r#""start": 0, "#, "", "time: the key `start` is missing; add it"),
    (r#""end": 10"#, r#""end": -1"#, "time: the end -1 is not after the start 0; give a later end"),
    (r#""end": 10"#, r#""end": 0"#, "time: the end 0 is not after the start 0; give a later end"),
    (
        r#""name": "good","#,
        r#""name": "good", "name": "again","#,
        "the model: `name` is given twice; remove or rename one of them",
    ),
    (
        r#""h0": 1,"#,
        r#""h0": 1, "h0": 2,"#,
        "parameters: `h0` is given twice; remove or rename one of them",
    ),
    (
        r#""h0": 1,"#,
        r#""h0": 1, "prey": 2,"#,
        "parameters.prey: `prey` is already the name of a state; rename one of them",
    ),
    (
        r#""h0": 1,"#,
        r#""h0": 1, "t": 2,"#,
        "parameters.t: `t` has a meaning of its own in formulas; choose another name",
    ),
    (
        r#""meet": "k"#,
        r#""exp": "k"#,
        "expressions.exp: `exp` has a meaning of its own in formulas; choose another name",
    ),
    (
        r#""h0": 1,"#,
        r#""h0": 1, "2k": 2,"#,
        "parameters.2k: `2k` cannot be a name; use a letter or _, then letters, digits and _",
    ),
    (
        "prey - twice",
        "prey - twise",
        "rates.prey: column 8: unknown name `twise`; did you mean `twice`?",
    ),
    ("prey - twice", "prey - zzz", "rates.prey: column 8: unknown name `zzz`"),
    (
        "k * prey",
        "k * pray",
        "expressions.meet: column 5: unknown name `pray`; did you mean `prey`?",
    ),
    ("k * prey", "K * prey", "expressions.meet: column 1: unknown name `K`; did you mean `k`?"),
    (
        "prey - twice",
        "prey - (twice",
        "rates.prey: column 14: the formula ends where `)` should follow",
    ),
    ("hunter^2", "squared(hunter)", "objective.running: column 1: unknown function `squared`"),
    (
        "k * prey * hunter",
        "k * twice",
        "expressions.meet: depends on itself: meet -> twice -> meet; break this circle",
    ),
    (
        "2 * meet",
        "2 * twice",
        "expressions.twice: depends on itself: twice -> twice; break this circle",
    ),
    (
        r#""h0" }"#,
        r#""prey" }"#,
        "states.hunter: an initial value may depend on parameters only, not on states",
    ),
    (
        r#""states": { "prey": 1, "hunter": "h0" }"#,
        r#""states": {}"#,
        "states: there are none; a model needs at least one",
    ),
    (
        r#", "hunter": "meet - hunter" }"#,
        " }",
        "rates: no rate for the state `hunter`; add one (0 if it is constant)",
    ),
    (
        r#""hunter": "meet"#,
        r#""hunters": "meet"#,
        "rates: `hunters` is no state; did you mean `hunter`?",
    ),
    (r#""lin""#, r#""log""#, "parameters.k.scale: unknown scale `log`; use `lin` or `log10`"),
    (
        r#""lin", "bounds": [0.1, 2]"#,
        r#""log10", "bounds": [0, 2]"#,
        "parameters.k: 0 has no logarithm; use a positive value or the scale `lin`",
    ),
    (
        "[0.1, 2]",
        "[2, 0.1]",
        "parameters.k.bounds: the lower bound 2 is not below the upper bound 0.1; swap them",
    ),
    ("[0.1, 2]", "[0.1]", "parameters.k.bounds: 1 numbers where 2 are needed; give one for each"),
    (
        "[0.1, 2]",
        "[0.6, 2]",
        "parameters.k: 0.5 lies outside the bounds 0.6 to 2; move it or widen them",
    ),
    (
        r#""times": [1, 2]"#,
        r#""times": [1, 12]"#,
        "objective.observations[0].times[1]: 12 lies outside the time span 0 to 10; remove it or extend the span",
    ),
    (
        r#""data": [3, 4]"#,
        r#""data": [3, 4, 5]"#,
        "objective.observations[0].data: 3 numbers where 2 are needed; give one for each",
    ),
    (
        r#""sigma": [0.5, 1]"#,
        r#""sigma": [0.5]"#,
        "objective.observations[0].sigma: 1 numbers where 2 are needed; give one for each",
    ),
    (
        r#""sigma": [0.5, 1]"#,
        r#""sigma": [0.5, 0]"#,
        "objective.observations[0].sigma[1]: 0 is no standard deviation; use a positive number",
    ),
    (
        r#""sigma": [0.5, 1]"#,
        r#""sigma": -1"#,
        "objective.observations[0].sigma: -1 is no standard deviation; use a positive number",
    ),
    (
        r#""times": [1, 2], "data": [3, 4], "sigma": [0.5, 1]"#,
        r#""times": [], "data": []"#,
        "objective.observations[0]: there are no observations; give at least one time or remove the entry",
    ),
    (
        r#""data": [3, 4]"#,
        r#""data": [3, "4"]"#,
        "objective.observations[0].data[1]: expected a number, found a text",
    ),
];

#[test]
fn the_unspoiled_model_is_read() {
    assert_eq!(Model::from_json(GOOD).map(|model| model.nominal()), Ok(vec![1.0, 0.5]));
}

#[test]
fn each_fault_has_its_message() {
    for (good, bad, message) in CASES {
        assert!(GOOD.contains(good), "{good}");
        let text = GOOD.replacen(good, bad, 1);
        let error = Model::from_json(&text).expect_err(bad).to_string();
        assert_eq!(error, *message, "with {bad}");
        assert_eq!(error.lines().count(), 1);
    }
}

#[test]
fn a_missing_file_is_named() {
    let error = Model::from_file("no/such/model.json").unwrap_err().to_string();
    assert!(error.starts_with("no/such/model.json: cannot be read ("), "{error}");
}

#[test]
fn deep_nesting_is_an_error() {
    let deep = "[".repeat(100_000);
    assert!(Model::from_json(&deep).unwrap_err().to_string().starts_with("not JSON: recursion"));
}

#[test]
fn the_start_must_be_finite() {
    let spoiled = |good: &str, bad: &str| {
        let model = Model::from_json(&GOOD.replacen(good, bad, 1)).unwrap();
        model.check_start(&model.nominal()).unwrap_err().to_string()
    };
    let advice = "check for a division by zero or a negative root";
    assert_eq!(
        spoiled("prey - twice", "prey / t"),
        format!("rates.prey: is inf at t = 0; {advice}")
    );
    assert_eq!(
        spoiled(r#""h0" }"#, r#""sqrt(-h0)" }"#),
        format!("states.hunter: is NaN at t = 0; {advice}")
    );
    assert_eq!(
        spoiled("hunter^2", "log(t)"),
        format!("objective.running: is -inf at t = 0; {advice}")
    );
    let model = Model::from_json(GOOD).unwrap();
    assert_eq!(model.check_start(&model.nominal()), Ok(()));
    assert_eq!(
        model.check_start(&[1.0, f64::NAN]).unwrap_err().to_string(),
        "parameters.k: NaN is not finite; give a finite number"
    );
    assert_eq!(
        model.check_start(&[1.0]).unwrap_err().to_string(),
        "parameters: 1 numbers where 2 are needed; give one for each"
    );
}

#[test]
fn traced_models_are_checked_too() {
    let two = |p: &[costate::expr::Expr]| [p[0].clone(), 1.0.into()];
    let start = || Model::trace(2, 1, |_t, y, p| [&y[0] * &p[0], y[1].clone()]);
    let message =
        |result: Result<Model, ModelError>| result.map_err(|e| e.to_string()).unwrap_err();
    assert_eq!(
        message(start().build()),
        "initial values: not given; call `.initial(|p| …)` before `build`"
    );
    assert_eq!(
        message(Model::trace(3, 1, |_t, y, _p| [y[0].clone()]).initial(two).build()),
        "rates: 1 rates where 3 are needed; give one for each"
    );
    assert_eq!(
        message(start().initial(|p| [p[0].clone()]).build()),
        "initial values: 1 values where 2 are needed; give one for each"
    );
    assert_eq!(
        message(start().initial(two).parameters([("a", 1.0), ("b", 2.0)]).build()),
        "parameters: 2 parameters where 1 are needed; give one for each"
    );
    assert_eq!(
        message(start().initial(two).parameters([("a", f64::NAN)]).build()),
        "parameters.a: NaN is not finite; give a finite number"
    );
    assert_eq!(
        message(start().initial(two).state_names(["a", "a"]).build()),
        "states.a: `a` is already the name of a state; rename one of them"
    );
    assert_eq!(
        message(start().initial(two).running(|_, _, _| costate::expr::Expr::state(7)).build()),
        "objective.running: uses State(7), which the model does not have; check the index"
    );
    let data = [1.0, f64::INFINITY];
    let observed = start().initial(two).observe(&[0.0, 1.0], &data, 1.0, |_, y, _| y[0].clone());
    assert_eq!(
        message(observed.build()),
        "observation 0.data[1]: inf is not finite; give a finite number"
    );
}
