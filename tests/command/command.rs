//! The command as a user meets it: what it prints, and how it refuses.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use costate::model::Model;
use costate::problem::Problem;
use costate::schedule::optimum;
use serde_json::{Map, Value};

const LOTKA_VOLTERRA: &str = "models/biology/lotka_volterra.json";
const HARES: &str = "models/biology/hare_lynx.json";
const GENE: &str = "models/biology/gene_expression.json";
const ROBERTSON: &str = "models/chemistry/robertson.json";

fn costate(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_costate"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap()
}

/// What a successful run prints.
fn stdout(arguments: &[&str]) -> String {
    let output = costate(arguments);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), error.as_str()), (Some(0), ""), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The object that a run prints with `--json`: one line, and nothing else.
fn json(arguments: &[&str]) -> Map<String, Value> {
    let text = stdout(&[arguments, &["--json"]].concat());
    assert_eq!(text.lines().count(), 1, "{arguments:?}: {text}");
    serde_json::from_str(&text).unwrap()
}

fn keys(object: &Value) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

/// Whether the keys of an object are these, in whatever order.
fn has_keys(object: &Value, expected: &[&str]) -> bool {
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    let mut found = keys(object);
    found.sort_unstable();
    found == expected
}

/// A directory of this test's own.
fn directory(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("command-{name}"));
    fs::create_dir_all(&path).unwrap();
    path
}

fn file(directory: &str, name: &str, text: &str) -> String {
    let path = self::directory(directory).join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn gradient_prints_names_and_costs() {
    let text = stdout(&["gradient", LOTKA_VOLTERRA]);
    for part in
        ["Lotka–Volterra", "dJ/da", "dJ/dy(0)", "dJ/dT", "dop853", "recomputed", "rhs", "seconds"]
    {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    assert!(stdout(&["gradient", GENE]).contains("dJ/dlog10(transcription)"));
}

#[test]
fn gradient_json_is_the_librarys_gradient_to_the_bit() {
    let options = ["--rtol", "1e-8", "--param", "a=1.6", "--param", "c=2.9"];
    let found = json(&[&["gradient", LOTKA_VOLTERRA], &options[..]].concat());

    let model = Model::from_file(format!("{}/{LOTKA_VOLTERRA}", env!("CARGO_MANIFEST_DIR")));
    let model = model.unwrap();
    let mut p = model.nominal();
    model.set_parameter(&mut p, "a", 1.6).unwrap();
    model.set_parameter(&mut p, "c", 2.9).unwrap();
    let solved = Problem::of_model(&model, &p).unwrap().rtol(1e-8).solved().unwrap();
    let gradient = &solved.gradient;

    assert_eq!(found["model"], "Lotka–Volterra");
    assert_eq!(found["objective"].as_f64(), Some(gradient.value));
    for (parameter, bar) in model.parameters().iter().zip(&gradient.wrt_params) {
        assert_eq!(found["gradient"][&parameter.name].as_f64(), Some(*bar));
    }
    for (state, bar) in model.states().iter().zip(&gradient.wrt_y0) {
        assert_eq!(found["initial_state_gradient"][state].as_f64(), Some(*bar));
    }
    assert_eq!(found["end_time_gradient"].as_f64(), Some(gradient.wrt_end_time));
    assert_eq!(found["method"], solved.method);
    assert_eq!(found["stats"]["steps"].as_u64(), Some(gradient.stats.steps));
    assert_eq!(found["stats"]["rhs"].as_u64(), Some(gradient.stats.rhs));
}

#[test]
fn gradient_json_has_its_keys_and_digits() {
    let found = Value::from(json(&["gradient", GENE, "--snapshots", "4"]));
    let expected = [
        "model",
        "objective",
        "gradient",
        "initial_state_gradient",
        "end_time_gradient",
        "observations",
        "method",
        "schedule",
        "stats",
    ];
    assert!(has_keys(&found, &expected), "{:?}", keys(&found));
    let expected = [
        "steps",
        "rejected",
        "rhs",
        "vjp",
        "jacobians",
        "factorizations",
        "recomputed_steps",
        "replayed_segments",
        "snapshots_peak",
        "snapshot_bytes_peak",
        "peak_bytes",
        "disk_bytes_peak",
        "from_tape",
        "resumed_at_step",
        "budget_bytes",
        "threads",
        "predicted_seconds",
        "seconds_forward",
        "seconds_reverse",
    ];
    assert!(has_keys(&found["stats"], &expected), "{:?}", keys(&found["stats"]));
    assert_eq!(found["schedule"], "online");
    assert_eq!(found["stats"]["snapshots_peak"], 4);
    assert_eq!(found["stats"]["snapshot_bytes_peak"], 4 * 2 * 8);

    let text = stdout(&["gradient", GENE, "--json"]);
    let objective = text.split("\"objective\":").nth(1).unwrap().split(',').next().unwrap();
    let digits = objective.split('e').next().unwrap().chars().filter(char::is_ascii_digit).count();
    assert_eq!(digits, 17, "{objective}");
}

#[test]
fn the_gradient_is_the_same_in_every_bit_however_it_is_scheduled() {
    let disk = directory("disk").join("states");
    let disk = disk.to_str().unwrap();
    for model in [LOTKA_VOLTERRA, ROBERTSON] {
        let expected = json(&["gradient", model, "--rtol", "1e-4"]);
        for options in [
            &["--snapshots", "1"][..],
            &["--snapshots", "5"],
            &["--snapshots", "1000000"],
            &["--snapshots", "5", "--schedule", "revolve"],
            &["--snapshots", "5", "--schedule", "uniform"],
            &["--snapshots", "5", "--schedule", "bisection", "--disk", disk],
            &["--schedule", "revolve"],
        ] {
            let arguments = [&["gradient", model, "--rtol", "1e-4"], options].concat();
            let found = json(&arguments);
            for key in ["objective", "gradient", "initial_state_gradient", "method"] {
                assert_eq!(found[key], expected[key], "{arguments:?}");
            }
        }
    }
    assert_eq!(fs::read_dir(disk).unwrap().count(), 0, "the states are removed");
}

#[test]
fn the_method_that_ran_is_named() {
    for (arguments, method) in [
        (&["gradient", LOTKA_VOLTERRA][..], "dop853"),
        (&["gradient", LOTKA_VOLTERRA, "--rtol", "1e-3"], "tsit5"),
        (&["gradient", ROBERTSON], "esdirk547"),
        (&["gradient", ROBERTSON, "--method", "kvaerno3"], "kvaerno3"),
        (&["gradient", LOTKA_VOLTERRA, "--method", "rk4", "--fixed-steps", "400"], "rk4"),
        (&["simulate", ROBERTSON], "esdirk547"),
    ] {
        assert_eq!(json(arguments)["method"], method, "{arguments:?}");
    }
}

/// √(T − t) is not differentiable at T: dJ/dT is null, and all else is what it is.
#[test]
fn a_derivative_by_the_end_time_that_is_not_finite_is_null() {
    let model = r#"{ "name": "Root of time left", "time": { "start": 0, "end": 0.3 },
        "states": { "y": 1 }, "parameters": { "p": 2 }, "rates": { "y": "p*y*sqrt(0.3 - t)" },
        "objective": { "terminal": "y" } }"#;
    let path = file("root_of_time_left", "model.json", model);
    let found = json(&["gradient", &path, "--method", "dop853"]);
    assert_eq!(found["end_time_gradient"], Value::Null);
    let area = 2.0 / 3.0 * 0.3_f64.powf(1.5);
    let exact = area * (2.0 * area).exp();
    let by_p = found["gradient"]["p"].as_f64().unwrap();
    assert!((by_p - exact).abs() < 1e-5 * exact, "{by_p} {exact}");
}

#[test]
fn the_continuous_adjoint_comes_near_the_discrete_one() {
    let of = |adjoint| {
        json(&["gradient", LOTKA_VOLTERRA, "--rtol", "1e-9", "--adjoint", adjoint])["gradient"]["b"]
            .as_f64()
            .unwrap()
    };
    let (discrete, continuous) = (of("discrete"), of("continuous"));
    assert!((discrete / continuous - 1.0).abs() < 1e-6, "{discrete} {continuous}");
    assert_ne!(discrete, continuous);
}

#[test]
fn backsolve_says_what_it_replayed() {
    let run = |model| {
        let arguments = ["gradient", model, "--rtol", "1e-9", "--adjoint", "backsolve"];
        (json(&arguments), stdout(&arguments))
    };
    let (gentle, text) = run(LOTKA_VOLTERRA);
    assert_eq!(gentle["stats"]["replayed_segments"], 0);
    assert_eq!(gentle["schedule"], "sparse");
    assert!(text.contains("backsolve adjoint") && !text.contains("replayed"), "{text}");
    let discrete = json(&["gradient", LOTKA_VOLTERRA, "--rtol", "1e-9"])["gradient"].clone();
    let (b, exact) = (gentle["gradient"]["b"].as_f64(), discrete["b"].as_f64());
    assert!((b.unwrap() / exact.unwrap() - 1.0).abs() < 1e-6);

    let (stiff, text) = run(ROBERTSON);
    let replayed = stiff["stats"]["replayed_segments"].as_u64().unwrap();
    assert!(replayed > 0);
    assert!(text.contains(&format!("replayed       {replayed} segments, from t = ")), "{text}");
    let discrete = json(&["gradient", ROBERTSON, "--rtol", "1e-9"]);
    assert_eq!(stiff["gradient"], discrete["gradient"]);
}

#[test]
fn simulate_reads_states_at_times() {
    let found = json(&["simulate", LOTKA_VOLTERRA, "--times", "2,0,10"]);
    let expected = ["model", "times", "states", "outputs", "method", "stats"];
    assert!(has_keys(&Value::from(found.clone()), &expected));
    assert_eq!(found["times"], serde_json::json!([0.0, 2.0, 10.0]));
    assert_eq!(found["states"]["x"][0], 1.0);
    assert_eq!(found["states"]["y"].as_array().unwrap().len(), 3);
    let points = json(&["simulate", LOTKA_VOLTERRA, "--points", "6"]);
    assert_eq!(points["times"], serde_json::json!([0.0, 2.0, 4.0, 6.0, 8.0, 10.0]));
    let same = |a: &Value, b: &Value| (a.as_f64().unwrap() - b.as_f64().unwrap()).abs() < 1e-5;
    assert!(same(&points["states"]["x"][1], &found["states"]["x"][1]));
    assert_eq!(stdout(&["simulate", LOTKA_VOLTERRA]).lines().count(), 2 + 1 + 11 + 2);
}

/// The cells of a table with commas.
fn cells(text: &str) -> Vec<Vec<&str>> {
    text.lines().map(|line| line.split(',').collect()).collect()
}

#[test]
fn simulate_writes_a_table_of_all_that_changes() {
    let (text, found) = (stdout(&["simulate", GENE, "--csv", "-"]), json(&["simulate", GENE]));
    let table = cells(&text);
    assert_eq!(table[0], ["t", "mrna", "protein", "log(protein)"]);
    let times: Vec<f64> = table[1..].iter().map(|row| row[0].parse().unwrap()).collect();
    assert_eq!((times[0], times[times.len() - 1], times.len()), (0.0, 100.0, 201));
    assert!(times.windows(2).all(|pair| pair[0] < pair[1]));
    for row in &table[1..] {
        let numbers: Vec<f64> = row.iter().map(|cell| cell.parse().unwrap()).collect();
        assert_eq!(numbers[3], numbers[2].ln());
    }
    assert_eq!(keys(&found["outputs"]), ["log(protein)"]);
    let robertson = stdout(&["simulate", ROBERTSON, "--csv", "-", "--times", "0,40"]);
    let table = cells(&robertson);
    assert_eq!((table[0].len(), table.len()), (1 + 3 + 3, 1 + 2));
    assert_eq!(table[0][4..], ["k1", "k2", "k3"]);
}

#[test]
fn simulate_draws_lines_and_dots() {
    let path = directory("simulate").join("picture.svg");
    let draw = |model: &str, more: &[&str]| {
        let words = [&["simulate", model, "--svg", path.to_str().unwrap()], more].concat();
        let text = stdout(&words);
        assert_eq!(text.lines().count(), 2, "{text}");
        fs::read_to_string(&path).unwrap()
    };
    let dots = |svg: &str, color: &str| {
        svg.lines().filter(|l| l.starts_with("<circle") && l.contains(color)).count()
    };
    let svg = draw(LOTKA_VOLTERRA, &[]);
    // Of x in blue and of y in orange, one of each in the legend.
    assert_eq!([dots(&svg, "#0062B1"), dots(&svg, "#DE7000")], [101 + 1; 2]);
    // By logarithms where most happens early, unless told; constants are not drawn.
    let svg = draw(ROBERTSON, &[]);
    assert!(svg.contains("t (logarithmic)") && svg.contains("1e−4") && !svg.contains("k1"));
    assert!(!draw(ROBERTSON, &["--time-axis", "linear"]).contains("logarithmic"));
    assert!(draw(LOTKA_VOLTERRA, &["--time-axis", "log"]).contains("logarithmic"));
    let both = costate(&["simulate", GENE, "--svg", "-", "--csv", "-"]);
    assert_eq!(both.status.code(), Some(2));
    assert!(stdout(&["simulate", GENE, "--svg", "-"]).starts_with("<svg"));
}

#[test]
fn gradient_json_has_predictions_whose_residuals_are_the_objective() {
    for (model, count) in [(LOTKA_VOLTERRA, 202), (GENE, 20), (HARES, 42)] {
        for options in [&[][..], &["--method", "rk4", "--fixed-steps", "777"], &["--rtol", "1e-3"]]
        {
            let found = json(&[&["gradient", model], options].concat());
            let list = found["observations"].as_array().unwrap();
            assert_eq!(list.len(), count);
            let number = |one: &Value, key: &str| one[key].as_f64().unwrap();
            let mut sum = 0.0;
            for one in list {
                let away = number(one, "prediction") - number(one, "data");
                assert_eq!(number(one, "residual"), away / number(one, "sigma"));
                sum += number(one, "residual").powi(2);
            }
            let value = found["objective"].as_f64().unwrap();
            assert!((sum - value).abs() <= 1e-12 * value, "{model} {options:?}: {sum} {value}");
            assert!(list.windows(2).all(|pair| number(&pair[0], "t") <= number(&pair[1], "t")));
        }
    }
    let list = &json(&["gradient", GENE])["observations"];
    assert_eq!(list[1]["observable"], "log(protein)");
    assert_eq!(json(&["gradient", ROBERTSON])["observations"], serde_json::json!([]));
    let disk = directory("predictions").join("states");
    let found = json(&["gradient", GENE, "--disk", disk.to_str().unwrap()]);
    assert!(found["observations"].is_null());
}

#[test]
fn keys_say_what_is_differentiated_by_a_logarithm() {
    let found = json(&["gradient", GENE]);
    let expected = ["mrna_decay", "protein_decay", "transcription", "translation"];
    let expected = expected.map(|name| format!("log10({name})"));
    let expected: Vec<&str> = expected.iter().map(String::as_str).chain(["basal"]).collect();
    assert!(has_keys(&found["gradient"], &expected), "{:?}", keys(&found["gradient"]));
}

/// A model whose data are in the table `data.csv` beside it.
fn with_table(directory: &str, observation: &str, table: &str) -> String {
    let model = format!(
        r#"{{ "name": "Decay", "time": {{ "start": 0, "end": 4 }}, "states": {{ "x": 1, "y": 0 }},
            "parameters": {{ "k": 0.5 }}, "expressions": {{ "flux": "k * x" }},
            "rates": {{ "x": "-flux", "y": "flux" }},
            "objective": {{ "observations": [{observation}] }} }}"#
    );
    file(directory, "data.csv", table);
    file(directory, "model.json", &model)
}

/// What was simulated is what is measured: nothing is left to explain.
#[test]
fn a_table_that_was_written_can_be_read() {
    let whole = with_table("round", r#"{ "data": "data.csv" }"#, "t,x\n1,1\n");
    let table = directory("round").join("data.csv");
    let options = ["--rtol", "1e-10"];
    stdout(&[&["simulate", &whole, "--csv", table.to_str().unwrap()], &options[..]].concat());
    let found = json(&[&["gradient", &whole], &options[..]].concat());
    assert_eq!(found["observations"].as_array().unwrap().len(), 3 * 201);
    assert!(found["objective"].as_f64().unwrap() < 1e-15, "{}", found["objective"]);
}

#[test]
fn tables_are_read_as_they_come() {
    let listed = r#"{ "expression": "x", "times": [1, 2], "data": [0.5, 0.25], "sigma": [0.1, 0.2] },
        { "expression": "flux", "times": [3, 2], "data": [0.1, 0.2] }"#;
    let expected = json(&["gradient", &with_table("tables", listed, "")]);
    let rows = [
        "t,x,sigma(x),flux\n3,,,0.1\n1,0.5,0.1,\n2,0.25,0.2,0.2\n",
        "\u{feff}t,x,sigma(x),flux\r\n3,NaN,NaN,0.1\r\n1,0.5,0.1,NA\r\n2,0.25,0.2,0.2",
        "# made up\n\n t ; x ; sigma(x) ; flux \n3;;;1e-1\n\n#\n1;.5;1e-1;\n2;0.25;0.2;+0.2\n;;;\n",
        "\"t\"\t\"x\"\t\"sigma(x)\"\t\"flux\"\n3\t\t\t0.1\n1\t0.5\t0.1\t\n2\t\"0.25\"\t0.2\t0.2\n",
    ];
    for table in rows {
        let found = json(&["gradient", &with_table("tables", r#"{ "data": "data.csv" }"#, table)]);
        for key in ["objective", "gradient"] {
            assert_eq!(found[key], expected[key], "{table}");
        }
    }
    let one = r#"{ "data": "data.csv", "name": "x in %, measured", "expression": "100 * x", "sigma": 2 },
        { "data": "data.csv", "expression": "min(x, y)" }"#;
    let table = "t,\"min(x, y)\",unused,\"x in %, measured\"\n1,0.4,oops,60\n";
    let output = costate(&["gradient", &with_table("tables", one, table)]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("data.csv, line 2, column `unused`: `oops` is not a number"), "{told}");
    let found = json(&["gradient", &with_table("tables", one, &table.replace("oops", "7"))]);
    let names: Vec<_> =
        found["observations"].as_array().unwrap().iter().map(|one| &one["observable"]).collect();
    assert_eq!(names, ["x in %, measured", "min(x, y)"]);
}

/// The table, what observes it, and what is said behind the path of the table or of the model.
const TABLES: &[(&str, &str, &str)] = &[
    (
        "",
        ALL,
        "data.csv: there is no header; write one, such as t,x,y, and a line for each time below it",
    ),
    (
        "# t,x\n",
        ALL,
        "data.csv: there is no header; write one, such as t,x,y, and a line for each time below it",
    ),
    (
        "time,x\n1,2\n",
        ALL,
        "data.csv, line 1: the first column is `time`; call it `t` and put the times there",
    ),
    (
        "t\n1\n",
        ALL,
        "data.csv, line 1: there is no column but `t`; add one for each observable, with commas between them",
    ),
    (
        "t x\n1 2\n",
        ALL,
        "data.csv, line 1: the first column is `t x`; call it `t` and put the times there",
    ),
    (
        "t,x,\n1,2,\n",
        ALL,
        "data.csv, line 1: column 3 has no name; name it in the header or remove it",
    ),
    (
        "t,x,x\n1,2,3\n",
        ALL,
        "data.csv, line 1: two columns are named `x`; rename or remove one of them",
    ),
    (
        "t,x,t\n1,2,3\n",
        ALL,
        "data.csv, line 1: two columns are named `t`; rename or remove one of them",
    ),
    (
        "t,x,sigma(y)\n1,2,3\n",
        ALL,
        "data.csv, line 1: `sigma(y)` belongs to no column; name the column between its brackets",
    ),
    ("t,x,z\n1,2,3\n", ALL, "data.csv, line 1, column `z`: column 1: unknown name `z`"),
    (
        "\n\nt,x\n\n1,2\n2\n",
        ALL,
        "data.csv, line 6: 1 cells under a header of 2; leave a cell empty where nothing was measured",
    ),
    (
        "t,x\n1,\"2\n",
        ALL,
        "data.csv, line 2: a quotation mark is not closed; close it on the same line",
    ),
    (
        "t,x\n# c\n1,abc\n",
        ALL,
        "data.csv, line 3, column `x`: `abc` is not a number; write one, or leave the cell empty where nothing was measured",
    ),
    (
        "t;x\n1;0,5\n",
        ALL,
        "data.csv, line 2, column `x`: `0,5` is not a number; write a point, not a comma, before the decimals",
    ),
    ("t,x\n1,inf\n", ALL, "data.csv, line 2, column `x`: inf is not finite; give a finite number"),
    (
        "t,x\n,1\n",
        ALL,
        "data.csv, line 2, column `t`: the time is missing; write it, or remove the line",
    ),
    (
        "t,x\nNaN,1\n",
        ALL,
        "data.csv, line 2, column `t`: the time is missing; write it, or remove the line",
    ),
    (
        "t,x\n1,1\n5,1\n",
        ALL,
        "data.csv, line 3, column `t`: 5 lies outside the time span 0 to 4; remove it or extend the span",
    ),
    (
        "t,x\n1,\n2,NaN\n",
        ALL,
        "data.csv, line 1, column `x`: there are no observations; give at least one time or remove the entry",
    ),
    (
        "t,x\n",
        ALL,
        "data.csv, line 1, column `x`: there are no observations; give at least one time or remove the entry",
    ),
    (
        "t,x,sigma(x)\n1,1,\n",
        ALL,
        "data.csv, line 2, column `sigma(x)`: the standard deviation of a measurement is missing; write a positive number",
    ),
    (
        "t,x,sigma(x)\n1,1,0\n",
        ALL,
        "data.csv, line 2, column `sigma(x)`: 0 is no standard deviation; use a positive number",
    ),
    (
        "t,x,sigma(x)\n1,1,1\n",
        r#"{ "data": "data.csv", "sigma": 1 }"#,
        "data.csv, line 1, column `sigma(x)`: gives sigma, as the model's observation does; leave one of them out",
    ),
    (
        "t,hares\n1,1\n",
        r#"{ "data": "data.csv", "name": "hare", "expression": "x" }"#,
        "data.csv, line 1: there is no column `hare`; did you mean `hares`?",
    ),
    (
        "t,x\n1,1\n",
        r#"{ "data": "data.csv", "times": [1] }"#,
        "objective.observations[0]: the times are in the table; leave `times` out, or write the data as a list",
    ),
    (
        "t,x\n1,1\n",
        r#"{ "data": "data.csv", "sigma": [1] }"#,
        "objective.observations[0].sigma: expected a number or a formula, as the data are in a table, found a list",
    ),
    (
        "t,y\n1,1\n",
        r#"{ "data": "data.csv", "name": "y", "expression": "x" }"#,
        "data.csv, line 1, column `y`: `y` is already the name of a state, a parameter or an expression; rename one of them",
    ),
    (
        "t,a\n1,1\n",
        r#"{ "data": "data.csv", "name": "a", "expression": "x" },
           { "data": "data.csv", "name": "a", "expression": "2 * x" }"#,
        "data.csv, line 1, column `a`: `a` is given twice; remove or rename one of them",
    ),
    (
        "t,x\n",
        r#"{ "data": "other.csv" }"#,
        "other.csv: cannot be read (No such file or directory (os error 2)); check the path",
    ),
    (
        "t,x\n",
        r#"{ "data": "." }"#,
        ".: cannot be read (Is a directory (os error 21)); check the path",
    ),
];
const ALL: &str = r#"{ "data": "data.csv" }"#;

#[test]
fn bad_tables_are_refused_in_one_line() {
    for (table, observation, expected) in TABLES {
        let model = with_table("bad-tables", observation, table);
        let output = costate(&["gradient", &model]);
        let line = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{table:?}: {line}");
        assert!(
            line.starts_with(&format!("costate: {model}: ")) && line.lines().count() == 1,
            "{line}"
        );
        let told = line.replace(&format!("{}/", directory("bad-tables").display()), "");
        let told = told.split_once(": ").unwrap().1.split_once(": ").unwrap().1;
        assert!(told.starts_with(expected), "{table:?}\n{told}\n{expected}");
    }
    // A text has no directory.
    let text = fs::read_to_string(with_table("bad-tables", ALL, "t,x\n1,1\n")).unwrap();
    let told = Model::from_json(&text).unwrap_err().to_string();
    assert_eq!(
        told,
        "objective.observations[0]: names the file `data.csv`, but this model is a text without a \
         directory; read the model from a file, or write the numbers here"
    );
}

/// Other data are another problem, though the model's text is the same.
#[test]
fn a_run_is_not_resumed_with_another_table() {
    let disk = directory("other-table").join("run");
    let _ = fs::remove_dir_all(&disk);
    let run = |table: &str, option: &str| {
        let model = with_table("other-table", r#"{ "data": "data.csv", "sigma": 0.1 }"#, table);
        let mut command = Command::new(env!("CARGO_BIN_EXE_costate"));
        command.args(["gradient", &model, "--method", "rk4", "--fixed-steps", "4000000"]);
        command.args(["--snapshots", "30", option, disk.to_str().unwrap()]);
        command
    };
    let mut child = run("t,x\n1,0.6\n", "--disk").stdout(Stdio::null()).spawn().unwrap();
    let is_position = |entry: std::io::Result<fs::DirEntry>| {
        let name = entry.unwrap().file_name().into_string().unwrap();
        name.starts_with("position-") && name.ends_with(".costate")
    };
    let noted = || fs::read_dir(&disk).is_ok_and(|mut files| files.any(is_position));
    while !noted() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(noted(), "the run ended too early to be killed");
    let output = run("t,x\n1,0.7\n", "--resume").output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("holds no unfinished run of this problem"), "{told}");
}

#[test]
fn check_passes_on_every_kind_of_method() {
    for arguments in [
        &["check", LOTKA_VOLTERRA][..],
        &["check", LOTKA_VOLTERRA, "--method", "rk4", "--fixed-steps", "300", "--seed", "3"],
        &["check", ROBERTSON, "--seed", "1"],
        &["check", "models/chemistry/hires.json", "--rtol", "1e-3", "--seed", "9"],
        &["check", "models/oscillators/van_der_pol.json", "--rtol", "1e-4", "--method", "kvaerno3"],
    ] {
        let text = stdout(arguments);
        assert_eq!(text.matches("passed").count(), 2, "{arguments:?}\n{text}");
        let found = json(arguments);
        assert_eq!(found["passed"], true);
        assert!((found["taylor"]["rate"].as_f64().unwrap() - 2.0).abs() < 0.1, "{arguments:?}");
        let (error, limit) = (&found["dot_product"]["error"], &found["dot_product"]["limit"]);
        let (error, limit) = (error.as_f64().unwrap(), limit.as_f64().unwrap());
        assert!(error <= limit && limit < 1e-5, "{arguments:?}: {error} {limit}");
    }
}

#[test]
fn another_seed_draws_other_directions() {
    let tangent =
        |seed| json(&["check", LOTKA_VOLTERRA, "--seed", seed])["dot_product"]["tangent"].clone();
    assert_eq!(tangent("1"), tangent("1"));
    assert_ne!(tangent("1"), tangent("2"));
}

#[test]
fn curve_goes_from_one_snapshot_to_all_states() {
    let directory = directory("curve");
    let (svg, points) = (directory.join("curve.svg"), directory.join("curve.jsonl"));
    let (svg, points) = (svg.to_str().unwrap(), points.to_str().unwrap());
    let all = ["curve", LOTKA_VOLTERRA, "--snapshots", "1", "--svg", svg, "--save", points];
    let text = stdout(&all);
    assert!(text.contains("equal") && !text.contains("DIFFER"), "{text}");

    let points = lines(&fs::read_to_string(points).unwrap());
    let steps = json(&["gradient", LOTKA_VOLTERRA])["stats"]["steps"].as_u64().unwrap();
    for point in &points {
        assert!(has_keys(point, POINT), "{point}");
        assert!(point["budget_bytes"].is_null() && point["left_out"].is_null());
        let (predicted, least) = (&point["predicted_seconds"], &point["lower_bound_seconds"]);
        assert!(least.as_f64() <= predicted.as_f64() && least.as_f64() > Some(0.0), "{point}");
        assert_eq!(point["bits_equal"], true);
        assert_eq!(point["recomputed_steps"], point["optimum"]);
        let bytes = 2 * 8 * point["snapshots"].as_u64().unwrap();
        assert_eq!(point["snapshot_bytes_peak"].as_u64(), Some(bytes));
    }
    // The first is what the others are compared with.
    let (first, last) = (&points[0], &points[points.len() - 1]);
    assert_eq!(first["snapshots"].as_u64(), Some(steps - 1));
    assert_eq!(first["optimum"].as_u64(), Some(steps - 1));
    assert_eq!(last["snapshots"], 1);
    assert_eq!(last["optimum"].as_u64(), Some(steps * (steps - 1) / 2));

    let svg = fs::read_to_string(svg).unwrap();
    for part in ["<svg", "Lotka–Volterra", "least possible", "predicted", "KiB", "</svg>"] {
        assert!(svg.contains(part), "{part}");
    }
    let uniform = ["curve", LOTKA_VOLTERRA, "--snapshots", "8", "--schedule", "uniform", "--json"];
    let fewest = lines(&stdout(&uniform));
    assert_eq!(fewest[fewest.len() - 1]["snapshots"], 8);
    assert_eq!(fewest[fewest.len() - 1]["schedule"], "uniform");
}

/// The objects of JSON lines.
fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A thousand steps with one snapshot are half a million, where 999 snapshots are two thousand.
#[test]
fn curve_leaves_out_what_takes_over_twenty_times_as_long() {
    let run = ["curve", LOTKA_VOLTERRA, "--method", "rk4", "--fixed-steps", "1000", "--json"];
    let found = lines(&stdout(&run));
    let (slow, points): (Vec<_>, Vec<_>) =
        found.iter().partition(|point| !point["left_out"].is_null());
    let seconds = |point: &Value| point["predicted_seconds"].as_f64().unwrap();
    let fastest = points.iter().map(|point| seconds(point)).fold(f64::MAX, f64::min);
    assert!(slow.iter().any(|point| point["snapshots"] == 1 && point["left_out"] == "slow"));
    assert!(slow.iter().all(|point| seconds(point) > 20.0 * fastest), "{slow:?}");
    assert!(points.iter().all(|point| seconds(point) <= 20.0 * fastest), "{points:?}");
    let told = stdout(&run[..6]);
    assert!(told.contains("left out: 1 snapshot: would take"), "{told}");
    let asked = lines(&stdout(&[&run[..], &["--snapshots", "1"]].concat()));
    assert!(asked.iter().all(|point| point["left_out"].is_null()));
    assert_eq!(asked[asked.len() - 1]["snapshots"], 1);
}

/// A curve that is stopped keeps what it has measured.
#[test]
fn curve_saves_each_point_when_it_is_measured() {
    let points = directory("stopped-curve").join("curve.jsonl");
    let mut command = Command::new(env!("CARGO_BIN_EXE_costate"));
    command.args(["curve", LOTKA_VOLTERRA, "--method", "rk4", "--fixed-steps", "200000"]);
    command.args(["--snapshots", "1", "--json", "--save"]).arg(&points);
    // With one snapshot it would take over an hour.
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut printed = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = printed.next().unwrap().unwrap();
    let saved = fs::read_to_string(&points).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let first: Value = serde_json::from_str(&first).unwrap();
    assert_eq!(first["snapshots"], 199_999);
    assert_eq!(lines(&saved)[0], first);
}

/// The keys of a curve's point.
const POINT: &[&str] = &[
    "left_out",
    "snapshots",
    "snapshot_bytes_peak",
    "budget_bytes",
    "peak_bytes",
    "disk_bytes_peak",
    "schedule",
    "threads",
    "seconds",
    "predicted_seconds",
    "lower_bound_seconds",
    "recomputed_steps",
    "optimum",
    "bits_equal",
];

#[test]
fn curve_sweeps_budgets_cores_and_a_disk() {
    let directory = directory("budget-curve");
    let name = |file: &str| directory.join(file).to_str().unwrap().to_owned();
    let (svg, points, disk) = (name("curve.svg"), name("curve.json"), name("states"));
    let arguments = ["curve", ROBERTSON, "--threads", "1,2", "--svg", &svg, "--save", &points];
    let sweep = ["--budgets", "sweep", "--disk", &disk];
    let text = stdout(&[&arguments[..], &sweep].concat());
    assert!(text.contains("predicted") && !text.contains("DIFFER"), "{text}");
    let read = || -> Vec<Value> {
        let found = lines(&fs::read_to_string(&points).unwrap());
        found.into_iter().filter(|point| point["left_out"].is_null()).collect()
    };
    let found = read();
    let of = |schedule: &str| found.iter().filter(|point| point["schedule"] == schedule).count();
    assert!(of("mixed") >= 2, "{text}");
    for point in &found {
        assert!(has_keys(point, POINT), "{point}");
        assert_eq!(point["bits_equal"], true);
        assert!(point["peak_bytes"].as_u64() <= point["budget_bytes"].as_u64(), "{point}");
        let (predicted, least) = (&point["predicted_seconds"], &point["lower_bound_seconds"]);
        assert!(least.as_f64().unwrap() <= 1.000001 * predicted.as_f64().unwrap(), "{point}");
        if point["schedule"] == "mixed" {
            assert!(point["recomputed_steps"].as_u64() >= point["optimum"].as_u64(), "{point}");
        }
        let on_disk = point["disk_bytes_peak"].as_u64() > Some(0);
        // Files that cost more than the steps they save are not written.
        assert!(!on_disk || point["schedule"] == "periodic", "{point}");
    }
    assert_eq!(fs::read_dir(&disk).unwrap().count(), 0, "the states are removed");
    let svg = fs::read_to_string(&svg).unwrap();
    for part in ["least possible", "one core", "predicted", "memory allowed"] {
        assert!(svg.contains(part), "{part}");
    }
    stdout(&[&arguments[..], &["--budgets", "1MB,16kB"]].concat());
    let found = read();
    let one_core = found.iter().filter(|point| point["threads"] == 1);
    let given: Vec<_> = one_core.map(|point| point["budget_bytes"].as_u64()).collect();
    assert_eq!(given, [Some(1_000_000), Some(16_000)]);
}

#[test]
fn the_gradient_is_the_same_in_every_bit_in_every_budget() {
    let directory = directory("budgets");
    let burgers = burgers("budgets", 60);
    let disk = directory.join("states").to_str().unwrap().to_owned();
    for (model, least) in [(LOTKA_VOLTERRA, "24kB"), (ROBERTSON, "24kB"), (&burgers, "200kB")] {
        let expected = json(&["gradient", model, "--rtol", "1e-4"]);
        for budget in [least, "500kB", "1GiB"] {
            for options in [
                &["--threads", "1"][..],
                &["--threads", "2"],
                &["--disk", &disk],
                &["--disk", &disk, "--disk-budget", "1MB"],
            ] {
                let asked = ["gradient", model, "--rtol", "1e-4", "--budget", budget];
                let arguments = [&asked[..], options].concat();
                let found = json(&arguments);
                for key in ["objective", "gradient", "initial_state_gradient", "method"] {
                    assert_eq!(found[key], expected[key], "{arguments:?}");
                }
                let stats = &found["stats"];
                assert!(stats["peak_bytes"].as_u64() <= stats["budget_bytes"].as_u64(), "{stats}");
            }
        }
    }
}

/// Burgers' equation on a ring, with the viscosity as its parameter.
fn burgers(directory: &str, points: usize) -> String {
    let mut states = Map::new();
    let mut rates = Map::new();
    for i in 0..points {
        let (left, right) = ((i + points - 1) % points, (i + 1) % points);
        let x = std::f64::consts::TAU * i as f64 / points as f64;
        states.insert(format!("u{i}"), Value::from(1.0 + 0.5 * x.sin()));
        let rate = format!(
            "-u{i} * (u{right} - u{left}) * {} + nu * (u{right} - 2 * u{i} + u{left})",
            0.5 * points as f64
        );
        rates.insert(format!("u{i}"), Value::from(rate));
    }
    let text = serde_json::json!({
        "name": "burgers", "time": { "start": 0, "end": 0.2 }, "states": states,
        "parameters": { "nu": 20 }, "rates": rates, "objective": { "terminal": "u3^2 + u7" }
    });
    file(directory, "burgers.json", &text.to_string())
}

const PLAN: &[&str] = &[
    "candidates",
    "assumed",
    "steps",
    "schedule",
    "threads",
    "budget_bytes",
    "memory_bytes",
    "disk_bytes",
    "recomputed_steps",
    "predicted_seconds",
    "lower_bound_seconds",
];

/// Without tapes and with copies that cost little the plan is Revolve's: t(l, s).
#[test]
fn plans_of_chains_are_those_of_their_schedules() {
    for (steps, slots) in [(1000, 10), (1000, 50), (1000, 2000), (7, 3)] {
        let budget = format!("{}", 8000 * (slots + 4));
        let (steps_given, step) = (steps.to_string(), "1e3");
        let found = json(&[
            "plan",
            "--steps",
            &steps_given,
            "--state-bytes",
            "8000",
            "--budget",
            &budget,
            "--step-seconds",
            step,
            "--adjoint-seconds",
            "2e3",
        ]);
        assert!(has_keys(&Value::from(found.clone()), PLAN));
        let recomputed = optimum::t(steps, slots);
        assert_eq!(found["recomputed_steps"].as_u64(), Some(recomputed), "{steps} {slots}");
        let seconds = 1e3 * (3 * steps + recomputed) as f64;
        let predicted = found["predicted_seconds"].as_f64().unwrap();
        assert!((predicted / seconds - 1.0).abs() < 1e-3, "{predicted} {seconds}");
        assert!(found["memory_bytes"].as_u64() <= found["budget_bytes"].as_u64());
        assert!(found["lower_bound_seconds"].as_f64().unwrap() <= predicted);
    }
}

#[test]
fn plans_of_models_are_what_gradients_do() {
    let disk = directory("plans").join("states").to_str().unwrap().to_owned();
    let fixed = ["--method", "rk4", "--fixed-steps", "3000"];
    for options in [
        &[LOTKA_VOLTERRA, "--budget", "13kB"][..],
        &[LOTKA_VOLTERRA, "--budget", "200kB", fixed[0], fixed[1], fixed[2], fixed[3]],
        &[ROBERTSON, "--budget", "20kB", "--rtol", "1e-4", "--method", "kvaerno5"],
        &[LOTKA_VOLTERRA, "--budget", "30kB", "--disk", &disk, "--method", "tsit5"],
    ] {
        let plan = json(&[&["plan"], options].concat());
        assert!(has_keys(&Value::from(plan.clone()), PLAN));
        let gradient = json(&[&["gradient"], options].concat());
        let stats = &gradient["stats"];
        assert_eq!(plan["steps"], stats["steps"], "{options:?}");
        assert_eq!(plan["schedule"], gradient["schedule"], "{options:?}");
        assert!(stats["peak_bytes"].as_u64() <= plan["budget_bytes"].as_u64(), "{options:?}");
        assert!(plan["memory_bytes"].as_u64() <= plan["budget_bytes"].as_u64(), "{options:?}");
        assert!(stats["disk_bytes_peak"].as_u64() <= plan["disk_bytes"].as_u64(), "{options:?}");
        assert!(plan["lower_bound_seconds"].as_f64() <= plan["predicted_seconds"].as_f64());
    }
}

/// Griewank and Walther (2000): t(10, 3) = 2·10 − C(5, 1) = 15; Revolve prints t(50, 7) = 105.
#[test]
fn schedule_counts_are_the_published_ones() {
    for (steps, snapshots, advances) in [("10", "3", 15), ("50", "7", 105), ("1", "1", 0)] {
        let found = json(&["schedule", "--steps", steps, "--snapshots", snapshots]);
        let expected = ["advances", "reverses", "stores", "restores", "snapshots_peak", "optimum"];
        assert!(has_keys(&Value::from(found.clone()), &expected));
        assert_eq!(found["advances"], advances);
        assert_eq!(found["optimum"], advances);
        assert_eq!(found["reverses"].to_string(), steps);
    }
}

#[test]
fn every_schedule_is_counted_and_drawn() {
    let directory = directory("schedule");
    for kind in ["revolve", "online", "uniform", "bisection", "store-all"] {
        let svg = directory.join(format!("{kind}.svg"));
        let svg = svg.to_str().unwrap();
        let few: &[&str] = if kind == "store-all" { &[] } else { &["--snapshots", "6"] };
        let arguments =
            [&["schedule", "--steps", "40", "--schedule", kind, "--svg", svg], few].concat();
        let found = json(&arguments);
        assert_eq!(found["reverses"], 40, "{kind}");
        let optimum = if kind == "store-all" { 39 } else { 84 };
        assert_eq!(found["optimum"], optimum, "{kind}");
        let picture = fs::read_to_string(svg).unwrap();
        let reversals = picture.matches("#C41E3A").count();
        assert_eq!(reversals, 40 + 1, "{kind}: one tick for each, and one in the legend");
        assert!(stdout(&arguments).contains(kind));
    }
    let beyond = json(&["schedule", "--steps", "5", "--snapshots", "100"]);
    assert_eq!((&beyond["advances"], &beyond["snapshots_peak"]), (&4.into(), &4.into()));
}

#[test]
fn help_and_version_are_no_failures() {
    assert!(stdout(&["--version"]).starts_with("costate 0."));
    let help = stdout(&["--help"]);
    for command in ["simulate", "gradient", "plan", "check", "curve", "schedule"] {
        assert!(help.contains(command));
        assert!(stdout(&[command, "--help"]).contains("--json"), "{command}");
    }
}

/// Each is run as it stands, but for what a shell does with its output.
#[test]
fn the_examples_in_help_work() {
    let directory = directory("examples");
    let commands =
        ["simulate", "gradient", "plan", "check", "curve", "schedule", "completions", "man"];
    for command in commands.map(Some).into_iter().chain([Some("schema"), None]) {
        let help = stdout(&command.into_iter().chain(["--help"]).collect::<Vec<_>>());
        let example = help.split("Example: costate ").nth(1).unwrap_or_else(|| panic!("{help}"));
        let words: Vec<&str> = example.split_whitespace().collect();
        let words = words.split(|word| ["|", ">"].contains(word)).next().unwrap();
        let in_directory = |word: &&str| match word.ends_with(".svg") {
            true => directory.join(word).to_str().unwrap().to_owned(),
            false => (*word).to_owned(),
        };
        let words: Vec<String> = words.iter().map(in_directory).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        assert_eq!(command.unwrap_or(words[0]), words[0], "{example}");
        assert!(!stdout(&words).is_empty(), "{example}");
    }
}

#[test]
fn shells_and_manuals_know_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let text = stdout(&["completions", shell]);
        for word in ["simulate", "gradient", "snapshots", "kvaerno5", "backsolve", "curve"] {
            assert!(text.contains(word), "{shell}: {word}");
        }
    }
    assert!(stdout(&["man"]).starts_with(".ie \\n(.g .ds Aq"));
    assert!(stdout(&["man"]).contains("gradient"));
    assert!(stdout(&["man", "gradient"]).contains("snapshots"));
    let schema: Value = serde_json::from_str(&stdout(&["schema"])).unwrap();
    assert_eq!(schema["type"], "object");
}

/// Arguments, with LV, GENE, ROBERTSON, EMPTY, TEXT, LATIN, BLOW and NONE standing for models, and the
/// line on stderr behind `costate: `.
const REFUSED: &[(&str, &str)] = &[
    (
        "gradient LV --adjoint backsolve --schedule online",
        "the schedule of a backsolve is online: it must be left to it: give no more than the number of snapshots",
    ),
    (
        "curve LV --adjoint backsolve",
        "the adjoint of a curve is backsolve: it must be discrete or continuous",
    ),
    ("", "what is to be done is missing: see `costate --help`"),
    ("frobnicate", "unrecognized subcommand 'frobnicate'; see '--help'"),
    ("gradient", "the following required arguments were not provided: <MODEL>; see '--help'"),
    (
        "gradient nowhere.json",
        "nowhere.json: cannot be read (No such file or directory (os error 2)); check the path",
    ),
    ("gradient LATIN", "LATIN: not UTF-8 text; check the path, or save the file in this encoding"),
    ("gradient models", "models: cannot be read (Is a directory (os error 21)); check the path"),
    (
        "gradient EMPTY",
        "EMPTY: the file is empty; a model is a JSON object, see docs/model-format.md",
    ),
    (
        "simulate TEXT",
        "TEXT: not JSON: expected value at line 1 column 1; check brackets, commas, quotes and \
         numbers there",
    ),
    ("gradient NONE", "NONE: there is no objective to differentiate; add `objective` to the model"),
    ("check NONE", "NONE: there is no objective to differentiate; add `objective` to the model"),
    (
        "gradient GENE --param transcripton=2",
        "GENE: there is no parameter `transcripton`; did you mean `transcription`?",
    ),
    ("gradient LV --param rate=2", "LV: there is no parameter `rate`; the model has a, b, c, d"),
    ("gradient LV --param a=nan", "LV: parameters.a: NaN is not finite; give a finite number"),
    (
        "gradient BLOW --param k=0",
        "BLOW: parameters.k: 0 has no logarithm; use a positive value or the scale `lin`",
    ),
    (
        "gradient LV --param a",
        "invalid value 'a' for '--param <NAME=VALUE>': write a name, `=`, and a number, such as \
         k=0.5; see '--help'",
    ),
    (
        "gradient LV --param a=much",
        "invalid value 'a=much' for '--param <NAME=VALUE>': `much` is not a number; write one, \
         such as a=0.5; see '--help'",
    ),
    ("gradient LV --rtol -1e-3", "rtol is -0.001: it must be at least 0 and less than 1"),
    ("gradient LV --atol -1", "atol is -1: it must be a finite number that is not negative"),
    (
        "gradient LV --rtol tight",
        "invalid value 'tight' for '--rtol <R>': write a number, such as 1e-6; see '--help'",
    ),
    (
        "gradient LV --fixed-steps 9 --max-steps 5",
        "the argument '--fixed-steps <N>' cannot be used with '--max-steps <N>'; see '--help'",
    ),
    (
        "gradient LV --budget -5",
        "invalid value '-5' for '--budget <SIZE>': write a number of bytes, with a unit such as kB, \
         MiB or GiB if you like; see '--help'",
    ),
    ("gradient LV --snapshots 0", "the number of snapshots is 0: it must be at least 1"),
    (
        "gradient LV --snapshots -3",
        "invalid value '-3' for '--snapshots <K>': write a whole number that is not negative, such \
         as 10; see '--help'",
    ),
    ("gradient LV --fixed-steps 0", "the number of steps is 0: it must be at least 1"),
    ("gradient LV --max-steps 0", "the step limit is 0: it must be at least 1"),
    (
        "gradient LV --method rk5",
        "invalid value 'rk5' for '--method <NAME>'; [possible values: auto, euler, heun, bs3, ssprk3, \
         rk4, dopri5, tsit5, dop853, kvaerno3, kencarp4, kvaerno5, \
         esdirk547]; tip: a similar value exists: \
         'rk4'; see '--help'",
    ),
    (
        "gradient LV --method rk4",
        "rk4 has no error estimate to control steps by: give a number of fixed steps, or take \
         another method, such as tsit5 (--fixed-steps)",
    ),
    (
        "gradient LV --snapshot 3",
        "unexpected argument '--snapshot' found; tip: a similar argument exists: '--snapshots'; see \
         '--help'",
    ),
    (
        "gradient BLOW --method rk4 --fixed-steps 100",
        "BLOW: state `y` is not finite in step 52 at t = 1.06: the solution blows up or the model \
         is undefined there; end the run earlier, or check the parameters",
    ),
    (
        "gradient LV --disk models/biology/lotka_volterra.json",
        "LV: File exists (os error 17); give a directory that can be written and has room, then \
         resume",
    ),
    (
        "curve LV --svg nowhere/curve.svg",
        "nowhere/curve.svg: cannot be written (No such file or directory (os error 2)); give a \
         file in a directory that can be written",
    ),
    (
        "curve LV --save models",
        "models: cannot be written (Is a directory (os error 21)); give a file in a directory that \
         can be written",
    ),
    (
        "curve LV --schedule online",
        "the schedule of a curve is online: it must be revolve, uniform or bisection",
    ),
    (
        "gradient LV --budget 4kB",
        "models/biology/lotka_volterra.json: the budget of 4000 bytes is too small: give at least \
         12688, which are 8608 for the tape of a step, 2640 for the vectors and lists of the sweep, \
         1168 for the times of 73 steps and 272 for a kept state",
    ),
    (
        "plan LV --budget much",
        "invalid value 'much' for '--budget <SIZE>': write a number of bytes, with a unit such as \
         kB, MiB or GiB if you like; see '--help'",
    ),
    (
        "plan LV --budget 1MiB --steps 10 --state-bytes 8",
        "the argument '--steps <N>' cannot be used with: <MODEL>; --method <NAME>; --rtol <R>; \
         --atol <A>; --fixed-steps <N>; --max-steps <N>; --param <NAME=VALUE>; see '--help'",
    ),
    ("plan --steps 0 --state-bytes 8 --budget 1kB", "--steps is 0: it must be from 1 to 100000000"),
    (
        "plan --steps 5 --state-bytes 0 --budget 1kB",
        "the bytes of a state is 0: it must be at least 1",
    ),
    (
        "plan --steps 5 --state-bytes 80 --tape-bytes 8 --budget 1kB",
        "the bytes of a tape is 8: it must be at least those of the state it holds",
    ),
    (
        "plan --steps 5 --state-bytes 80 --step-seconds 0 --budget 1kB",
        "the seconds of a step is 0: it must be positive and finite",
    ),
    (
        "plan --steps 5 --state-bytes 80 --budget 100",
        "a budget of 100 bytes for what is kept cannot hold one state: give at least 400",
    ),
    (
        "plan --steps 5 --state-bytes 80 --budget 1kB --threads 0",
        "the number of threads is 0: it must be at least 1",
    ),
    ("curve LV --budgets sweep --threads 0", "the number of threads is 0: it must be at least 1"),
    ("curve LV --budgets sweep,1MB", "--budgets: `sweep` stands alone"),
    (
        "curve LV --budgets 1kB",
        "a budget of 1000 bytes for what is kept cannot hold one state: give at least 12580",
    ),
    ("schedule --steps 0", "--steps is 0: it must be from 1 to 10000000"),
    (
        "schedule --steps 5 --snapshots 0",
        "--snapshots: zero snapshots cannot reverse a run: give at least 1",
    ),
    (
        "schedule --steps 6000 --svg nowhere.svg",
        "--svg: a picture of 5001 steps cannot be read: draw at most 5000",
    ),
    (
        "schedule --steps 5 --svg nowhere/schedule.svg",
        "nowhere/schedule.svg: cannot be written (No such file or directory (os error 2)); give a \
         file in a directory that can be written",
    ),
    (
        "simulate LV --times 1,50",
        "--times: 50 lies outside the time span 0 to 10; take a time in it, or extend the span in \
         the model",
    ),
    ("simulate LV --svg states --csv states", "--svg and --csv name one file; give each its own"),
    (
        "man gradent",
        "there is no command gradent: take one of simulate, gradient, plan, check, curve, schedule, \
         completions, man, schema",
    ),
    ("simulate LV --points 0", "--points is 0: it must be from 1 to 1000000"),
    (
        "check LV --seed -1",
        "invalid value '-1' for '--seed <N>': write a whole number that is not negative, such as 1; \
         see '--help'",
    ),
];

/// The bytes that a message asks for.
fn asked_for(output: &Output) -> u64 {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let behind = text.split("give at least ").nth(1);
    let digits = behind.and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next());
    digits.and_then(|digits| digits.parse().ok()).unwrap_or_else(|| panic!("{text}"))
}

/// The times of Heun's many steps are more than a small budget leaves for them; what they need is
/// known at once.
#[test]
fn a_budget_that_is_asked_for_will_do() {
    let disk = directory("asked").join("disk");
    let (disk, run) = (disk.to_str().unwrap(), ["--method", "heun", "--rtol", "1e-5"]);
    for more in [&[][..], &["--threads", "2"], &["--disk", disk]] {
        for command in ["gradient", "plan"] {
            let with = |budget: u64| -> Vec<String> {
                let budget = budget.to_string();
                let words =
                    [&[command, LOTKA_VOLTERRA, "--json", "--budget", &budget], &run[..], more];
                words.concat().into_iter().map(str::to_owned).collect()
            };
            let costate = |budget| {
                let words = with(budget);
                costate(&words.iter().map(String::as_str).collect::<Vec<_>>())
            };
            let needed = asked_for(&costate(0));
            let output = costate(needed);
            assert!(output.status.success(), "{command} {more:?}: {output:?}");
            let found: Value = serde_json::from_slice(&output.stdout).unwrap();
            let held = match command {
                "plan" => &found["memory_bytes"],
                _ => &found["stats"]["peak_bytes"],
            };
            assert!(held.as_u64().unwrap() <= needed, "{command} {more:?}: {held} of {needed}");
        }
    }
}

#[test]
fn bad_input_is_refused_in_one_line() {
    let model = |name: &str, rate: &str, objective: &str| {
        let text = format!(
            r#"{{ "name": "{name}", "time": {{ "start": 0, "end": 2 }}, "states": {{ "y": 1 }},
                 "parameters": {{ "k": {{ "value": 1, "scale": "log10" }} }},
                 "rates": {{ "y": "{rate}" }} {objective} }}"#
        );
        file("refused", &format!("{name}.json"), &text)
    };
    let latin = file("refused", "latin.json", "");
    fs::write(&latin, b"{ \"name\": \"K\xf6nig\" }").unwrap();
    let names = [
        ("LV", LOTKA_VOLTERRA.to_owned()),
        ("GENE", GENE.to_owned()),
        ("ROBERTSON", ROBERTSON.to_owned()),
        ("EMPTY", file("refused", "empty.json", "")),
        ("TEXT", file("refused", "text.json", "prey = 1")),
        ("LATIN", latin),
        ("BLOW", model("blow", "k * y^2", r#", "objective": { "terminal": "y" }"#)),
        ("NONE", model("none", "-k * y", "")),
    ];
    for (arguments, expected) in REFUSED {
        let full = |word: &str| {
            let name = names.iter().find(|(name, _)| *name == word);
            name.map_or(word.to_owned(), |(_, path)| path.clone())
        };
        let words: Vec<String> = arguments.split_whitespace().map(full).collect();
        let output = costate(&words.iter().map(String::as_str).collect::<Vec<_>>());
        let expected = match expected.split_once(':') {
            Some((first, rest)) => format!("costate: {}:{rest}\n", full(first)),
            None => format!("costate: {expected}\n"),
        };
        assert_eq!(String::from_utf8(output.stderr).unwrap(), expected, "{arguments}");
        assert_eq!(output.status.code(), Some(2), "{arguments}");
        assert!(output.stdout.is_empty(), "{arguments}");
    }
    assert!(REFUSED.len() >= 15);
}

/// The digits of t depend on how the processor rounds, so these lines are not held whole.
#[test]
fn runs_that_stop_say_where() {
    let text = r#"{ "name": "blow", "time": { "start": 0, "end": 2 }, "states": { "y": 1 },
        "rates": { "y": "y^2" }, "objective": { "terminal": "y" } }"#;
    let blow = file("blow-up", "blow.json", text);
    for (arguments, start, middle, end) in [
        (
            &["gradient", ROBERTSON, "--method", "tsit5", "--max-steps", "2000"][..],
            format!("costate: {ROBERTSON}: 2000 steps did not reach the end"),
            "the run stopped at t = 3.",
            "the problem is stiff: take an implicit method such as kvaerno5\n",
        ),
        (
            &["gradient", &blow],
            format!("costate: {blow}: the step size fell to"),
            "at t = 1.0000000",
            "(worst: state `y`): the solution blows up or is not smooth there; end the run earlier, \
             loosen the tolerances, or take an implicit method such as kvaerno5\n",
        ),
    ] {
        let output = costate(arguments);
        let line = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(line.starts_with(&start), "{line}");
        assert!(line.contains(middle), "{line}");
        assert!(line.ends_with(end), "{line}");
        assert_eq!(line.lines().count(), 1);
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn the_readme_shows_what_the_command_prints() {
    let readme = include_str!("../../README.md");
    let shown = readme.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let printed = stdout(&["gradient", LOTKA_VOLTERRA]);
    assert!(readme.contains(&format!("\ncargo run --release -- gradient {LOTKA_VOLTERRA}\n")));
    assert!(printed.starts_with(shown), "{printed}");
    let picture = stdout(&["simulate", HARES, "--svg", "-"]);
    assert!(picture == include_str!("../../docs/pictures/hare_lynx.svg"), "draw it anew");
}
