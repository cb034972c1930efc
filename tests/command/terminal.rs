//! What reaches a terminal, a pipe or a full disk: whole, or not without a word; and nothing in a
//! file can make a terminal do what it was not asked to.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

const LOTKA_VOLTERRA: &str = "models/biology/lotka_volterra.json";

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_costate"));
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null());
    command
}

fn file(name: &str, text: &str) -> String {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("terminal");
    fs::create_dir_all(&directory).unwrap();
    let path = directory.join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A file that has no room.
fn full() -> File {
    OpenOptions::new().write(true).open("/dev/full").unwrap()
}

/// Small runs of every command.
const RUNS: [&[&str]; 8] = [
    &["simulate", LOTKA_VOLTERRA],
    &["gradient", LOTKA_VOLTERRA],
    &["gradient", LOTKA_VOLTERRA, "--json"],
    &["check", LOTKA_VOLTERRA],
    &["plan", LOTKA_VOLTERRA, "--budget", "1MB"],
    &["curve", LOTKA_VOLTERRA, "--snapshots", "20"],
    &["schedule", "--steps", "9"],
    &["--help"],
];

#[test]
fn lost_output_is_no_success() {
    for arguments in RUNS {
        let output = command(arguments).stdout(full()).output().unwrap();
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {told}");
        assert_eq!(told.lines().count(), 1, "{told}");
        assert!(told.contains("could not be written (No space left"), "{told}");
    }
    let nothing = concat!(env!("CARGO_TARGET_TMPDIR"), "/terminal-nothing-to-resume");
    let note = ["gradient", LOTKA_VOLTERRA, "--resume", nothing];
    let output = command(&note).stderr(full()).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "a note that is lost");
    let output = command(&["gradient", "nowhere.json"]).stderr(full()).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "a complaint that is lost");
    for arguments in [
        &["schedule", "--steps", "9", "--svg", "/dev/full"][..],
        &["curve", LOTKA_VOLTERRA, "--snapshots", "20", "--svg", "/dev/full"],
        &["curve", LOTKA_VOLTERRA, "--snapshots", "20", "--save", "/dev/full"],
    ] {
        let output = command(arguments).output().unwrap();
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {told}");
        assert!(told.starts_with("costate: /dev/full: cannot be written"), "{told}");
    }
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    for arguments in RUNS {
        let mut child =
            command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(text(&output.stderr), "", "{arguments:?}");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    }
}

/// What turns a terminal's state or the direction of its text.
fn obeyed(c: char) -> bool {
    c != '\n' && c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn expect_harmless(output: &Output, what: &str) {
    for bytes in [&output.stdout, &output.stderr] {
        let text = text(bytes);
        assert!(!text.contains(obeyed), "{what}: {text:?}");
    }
    assert!(text(&output.stderr).lines().count() <= 1, "{what}: {}", text(&output.stderr));
}

const HOSTILE: &str = "\u{1b}[2J\u{9b}31m\u{7}\u{202e}live\u{2066}\r\nK\u{0}\u{7f}\u{2028}";

fn decay() -> Value {
    json!({ "name": "decay", "time": { "start": 0, "end": 1 }, "states": { "x": 1 },
        "parameters": { "k": 0.5 }, "rates": { "x": "-k * x" }, "objective": { "terminal": "x" } })
}

#[test]
fn a_terminal_obeys_no_file() {
    let mut model = decay();
    model["name"] = HOSTILE.into();
    let path = file("name.json", &model.to_string());
    for command_line in [
        &["simulate", &path][..],
        &["gradient", &path],
        &["check", &path],
        &["curve", &path],
        &["plan", &path, "--budget", "1MB"],
    ] {
        let output = command(command_line).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        expect_harmless(&output, command_line[0]);
        // A name is one line.
        assert!(text(&output.stdout).lines().all(|line| !line.starts_with('K')));
    }
    for arguments in [["gradient", &path, "--json"], ["simulate", &path, "--json"]] {
        let output = command(&arguments).output().unwrap();
        expect_harmless(&output, "JSON");
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(found["model"], HOSTILE);
    }
    let svg = file("hostile.svg", "");
    command(&["curve", &path, "--svg", &svg]).output().unwrap();
    let drawn = fs::read_to_string(&svg).unwrap();
    assert!(!drawn.contains(|c: char| obeyed(c) && c != '\t'), "XML has no such characters");
}

#[test]
fn errors_obey_no_file() {
    let hostile_key = |section: &str| {
        let mut model = decay();
        model[section] = json!({ HOSTILE: 1 });
        model
    };
    let mut models: Vec<Value> =
        ["states", "parameters", "expressions", "rates", "objective", "time"]
            .map(hostile_key)
            .into();
    for (section, key) in [("rates", "x"), ("states", "x"), ("objective", "terminal")] {
        let mut model = decay();
        model[section][key] = HOSTILE.into();
        models.push(model);
    }
    let mut model = decay();
    model[HOSTILE] = 1.into();
    models.push(model);
    let mut model = decay();
    model["parameters"]["k"] = json!({ "value": 1, "scale": HOSTILE });
    models.push(model);
    for model in &models {
        let path = file("key.json", &model.to_string());
        let output = command(&["gradient", &path]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{model}");
        expect_harmless(&output, &model.to_string());
    }
    let printable = HOSTILE.replace('\0', "");
    let words = [
        &["gradient", &printable][..],
        &["gradient", LOTKA_VOLTERRA, "--param", &format!("{printable}=1")],
        &["gradient", LOTKA_VOLTERRA, "--param", &format!("a={printable}")],
        &["gradient", LOTKA_VOLTERRA, "--method", &printable],
        &["gradient", LOTKA_VOLTERRA, "--disk", &format!("/proc/{printable}")],
        &[&printable],
    ];
    for arguments in words {
        let output = command(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        expect_harmless(&output, "argument");
    }
}

/// Tables and messages show the beginning of a name of any length; JSON has it whole.
#[test]
fn names_may_be_long() {
    let (state, parameter) = ("x".repeat(100_000), "k".repeat(100_000));
    let model = json!({ "name": "n".repeat(100_000), "time": { "start": 0, "end": 1 },
        "states": { &state: 1 }, "parameters": { &parameter: { "value": 0.5, "scale": "log10" } },
        "rates": { &state: format!("-{parameter} * {state}") }, "objective": { "terminal": state } });
    let path = file("long.json", &model.to_string());
    let long = format!("{parameter}=nan");
    let unknown = format!("{parameter}k=1");
    for (code, arguments) in [
        (0, &["gradient", &path][..]),
        (0, &["simulate", &path]),
        (0, &["check", &path]),
        (0, &["plan", &path, "--budget", "1MB"]),
        (2, &["gradient", &path, "--param", &long]),
        (2, &["gradient", &path, "--param", &unknown]),
    ] {
        let output = command(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{}", text(&output.stderr));
        for bytes in [&output.stdout, &output.stderr] {
            assert!(text(bytes).lines().all(|line| line.chars().count() < 400), "{}", text(bytes));
        }
    }
    let output = command(&["gradient", &path, "--json"]).output().unwrap();
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(found["gradient"][format!("log10({parameter})")].is_number());
}

/// Numbers of any size take the room of a number.
#[test]
fn no_number_is_written_with_hundreds_of_zeros() {
    let mut models = Vec::new();
    for (section, key, value) in [
        ("time", "end", json!(1e300)),
        ("time", "end", json!(1e-300)),
        ("time", "start", json!(-1e300)),
        ("time", "start", json!(1e300)),
        ("parameters", "k", json!(1e300)),
        ("parameters", "k", json!({ "value": -1e300, "scale": "log10" })),
        ("parameters", "k", json!({ "value": 1e300, "bounds": [1e-300, 1e299] })),
        ("parameters", "k", json!({ "value": 1, "bounds": [1e300, 1e-300] })),
        ("states", "x", json!(1e300)),
        ("states", "x", json!(1e-300)),
        (
            "objective",
            "observations",
            json!([{ "expression": "x", "times": [1e300], "data": [1] }]),
        ),
        (
            "objective",
            "observations",
            json!([{ "expression": "x", "times": [1], "data": [1], "sigma": -1e300 }]),
        ),
    ] {
        let mut model = decay();
        model[section][key] = value;
        models.push(model);
    }
    let lines = [
        &["--fixed-steps", "4", "--method", "rk4"][..],
        &["--max-steps", "50"],
        &["--rtol", "1e300"],
        &["--rtol", "-1e-300"],
        &["--atol", "-1e300"],
        &["--param", "k=-1e300"],
    ];
    let chain = ["plan", "--steps", "9", "--state-bytes", "8", "--budget", "1kB"];
    for seconds in ["1e300", "1e-300", "-1e300"] {
        let seconds = ["--step-seconds", seconds, "--adjoint-seconds", seconds];
        let output = command(&[&chain[..], &seconds].concat()).output().unwrap();
        expect_short_numbers(&output, "plan");
    }
    for model in &models {
        let path = file("size.json", &model.to_string());
        for line in lines {
            for subcommand in ["gradient", "simulate"] {
                let output = command(&[&[subcommand, &path], line].concat()).output().unwrap();
                expect_short_numbers(&output, &format!("{subcommand} {model} {line:?}"));
            }
        }
        let times = command(&["simulate", &path, "--times", "1e301"]).output().unwrap();
        expect_short_numbers(&times, "--times");
    }
}

fn expect_short_numbers(output: &Output, what: &str) {
    assert_ne!(output.status.code(), Some(101), "{what}");
    for bytes in [&output.stdout, &output.stderr] {
        let text = text(bytes);
        let longest = text.split(|c: char| !c.is_ascii_digit()).map(str::len).max();
        assert!(longest <= Some(20), "{what}: {text}");
    }
}

/// `arguments` with the text of a model on stdin.
fn with_stdin(arguments: &[&str], model: &str) -> Output {
    let mut command = command(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(model.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn a_model_may_come_by_stdin() {
    let model = fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(LOTKA_VOLTERRA));
    let model = model.unwrap();
    let of = |output: Output| -> Value {
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let expected = of(command(&["gradient", LOTKA_VOLTERRA, "--json"]).output().unwrap());
    for path in ["-", "/dev/stdin"] {
        let found = of(with_stdin(&["gradient", path, "--json"], &model));
        assert_eq!(found["gradient"], expected["gradient"], "{path}");
        for arguments in [
            &["simulate", path][..],
            &["check", path],
            &["plan", path, "--budget", "1MB"],
            &["curve", path, "--snapshots", "20"],
        ] {
            let output = with_stdin(arguments, &model);
            assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stderr));
        }
    }
    let output = with_stdin(&["gradient", "-"], "prey = 1");
    assert!(text(&output.stderr).starts_with("costate: stdin: not JSON"), "{output:?}");
    let output = with_stdin(&["gradient", "-"], "");
    assert!(text(&output.stderr).starts_with("costate: stdin: the file is empty"), "{output:?}");
    // A device without an end is not read until memory is full.
    let output = command(&["gradient", "/dev/zero"]).output().unwrap();
    assert!(text(&output.stderr).contains("more than"), "{output:?}");
}

/// The library says which setting, the command which option.
#[test]
fn errors_name_the_option_that_sets_what_they_speak_of() {
    let disk = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("terminal/options");
    let disk = disk.to_str().unwrap();
    let run = ["gradient", LOTKA_VOLTERRA, "--fixed-steps", "50"];
    let arguments = [&run[..], &["--disk", disk, "--disk-budget", "100"]].concat();
    let output = command(&arguments).output().unwrap();
    assert!(text(&output.stderr).trim_end().ends_with("(--disk-budget)"), "{output:?}");
    let output = command(&["gradient", LOTKA_VOLTERRA, "--max-steps", "3"]).output().unwrap();
    assert!(text(&output.stderr).trim_end().ends_with("(--max-steps)"), "{output:?}");
}
