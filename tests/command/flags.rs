//! Every option of every command: what it changes, or why it is refused.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

const MODEL: &str = "models/biology/lotka_volterra.json";

/// What an option does.
enum Does {
    /// What the JSON says at this place is another.
    Changes(&'static str),
    /// What the JSON says at this place is this.
    Says(&'static str, &'static str),
    /// A file is written.
    Writes(&'static str),
    /// The line on stderr says this.
    Refused(&'static str),
}
use Does::{Changes, Refused, Says, Writes};

/// Where steps have one length: --fixed-steps and tolerances.
const FIXED: &str = "must be left out where steps have one length";

/// A command's own arguments, without which it does nothing, behind a `:` those that an option is
/// compared with; and the option as given, DIR being a directory.
const RUN: &[(&str, Does)] = &[
    ("--method dopri5", Changes("/method")),
    ("--rtol 1e-3", Changes(STEPS)),
    ("--atol 1e-1", Changes(STEPS)),
    ("--fixed-steps 321", Changes(STEPS)),
    ("--fixed-steps 321 --rtol 1e-3", Refused(FIXED)),
    ("--fixed-steps 321 --atol 1e-3", Refused(FIXED)),
    ("--fixed-steps 321 --max-steps 500", Refused("cannot be used with")),
    ("--max-steps 3", Refused("3 steps did not reach the end")),
    ("--param a=0.5", Changes(VALUE)),
];
/// Places in JSON that differ from command to command.
const STEPS: &str = "STEPS";
const VALUE: &str = "VALUE";

struct Tested {
    command: &'static str,
    base: &'static str,
    steps: &'static str,
    value: &'static str,
    method: Option<&'static str>,
    own: &'static [(&'static str, Does)],
}

const COMMANDS: &[Tested] = &[
    Tested {
        command: "simulate",
        base: MODEL,
        steps: "/stats/steps",
        value: "/states/x/5",
        method: Some("/method"),
        own: &[
            ("--times 1,2", Changes("/times/1")),
            ("--points 5", Changes("/times/1")),
            ("--points 5 --times 1,2", Refused("cannot be used with")),
            ("--svg DIR/states.svg", Writes("states.svg")),
            ("--csv DIR/states.csv", Writes("states.csv")),
            ("--svg - --csv -", Refused("only one of --json, --svg - and --csv - can have stdout")),
            ("--svg DIR/states.svg --time-axis log", Changes("/times/1")),
            ("--time-axis log", Refused("required arguments were not provided")),
        ],
    },
    Tested {
        command: "gradient",
        base: MODEL,
        steps: "/stats/steps",
        value: "/objective",
        method: Some("/method"),
        own: &[
            ("--snapshots 3", Changes("/stats/snapshots_peak")),
            ("--snapshots 3 --schedule uniform", Says("/schedule", "uniform")),
            ("--schedule store-all --snapshots 3", Refused("where every state is kept")),
            ("--schedule revolve --threads 2", Refused("where several threads take steps")),
            ("--adjoint continuous", Changes("/stats/peak_bytes")),
            ("--adjoint backsolve --budget 1MB", Refused("must be left out with backsolve")),
            ("--disk Cargo.toml", Refused("Cargo.toml")),
            ("--disk DIR --disk-budget 2kB", Changes("/stats/recomputed_steps")),
            ("--disk-budget 2kB", Refused("must be left out without a directory")),
            ("--budget 100kB", Says("/stats/budget_bytes", "100000")),
            ("--budget 100kB --snapshots 3", Refused("cannot be used with")),
            ("--budget 100kB --schedule revolve", Refused("cannot be used with")),
            ("--threads 0", Refused("must be at least 1")),
            ("--threads 2", Says("/stats/threads", "1")),
            ("--resume DIR --disk DIR", Refused("cannot be used with")),
        ],
    },
    Tested {
        command: "plan",
        base: "models/biology/lotka_volterra.json --budget 100kB",
        steps: "/steps",
        value: "",
        method: None,
        own: &[
            ("--budget 200kB", Refused("cannot be used multiple times")),
            ("--disk DIR", Changes("/assumed/disk")),
            ("--disk-budget 1MB", Refused("required arguments were not provided")),
            ("--adjoint continuous", Changes("/assumed/sweep_bytes")),
            ("--adjoint backsolve", Refused("must be discrete or continuous")),
            ("--threads 0", Refused("must be at least 1")),
            ("--steps 10 --state-bytes 8", Refused("cannot be used with")),
        ],
    },
    Tested {
        command: "plan",
        base: "--steps 1000 --state-bytes 8kB --budget 1MB --step-seconds 1",
        steps: "",
        value: "",
        method: None,
        own: &[
            ("--tape-bytes 16kB", Changes("/assumed/tape_bytes")),
            ("--adjoint-seconds 7", Changes("/assumed/adjoint_seconds")),
            ("--disk DIR --disk-budget 1MB", Changes("/candidates/1/on_disk")),
            ("--threads 2", Changes("/threads")),
            ("--adjoint continuous", Refused("cannot be used with")),
        ],
    },
    Tested {
        command: "check",
        base: MODEL,
        steps: "/steps",
        value: "",
        method: Some("/method"),
        own: &[("--seed 3", Changes("/dot_product/tangent"))],
    },
    Tested {
        command: "curve",
        base: MODEL,
        steps: "/snapshots",
        value: "",
        method: None,
        own: &[
            ("--snapshots 9 --schedule uniform", Writes("")),
            ("--schedule online", Refused("must be revolve, uniform or bisection")),
            ("--adjoint continuous", Changes("/peak_bytes")),
            ("--adjoint backsolve", Refused("must be discrete or continuous")),
            ("--disk DIR", Changes("/disk_bytes_peak")),
            ("--budgets 100kB", Says("/budget_bytes", "100000")),
            ("--budgets 100kB --snapshots 3", Refused("cannot be used with")),
            ("--budgets 100kB --threads 0", Refused("must be at least 1")),
            ("--threads 2", Refused("required arguments were not provided")),
            ("--budgets 100kB --disk-budget 1MB", Refused("required arguments were not provided")),
            ("--svg DIR/curve.svg", Writes("curve.svg")),
            ("--save DIR/curve.jsonl", Writes("curve.jsonl")),
        ],
    },
    Tested {
        command: "schedule",
        base: "--steps 40",
        steps: "",
        value: "",
        method: None,
        own: &[
            ("--snapshots 3", Changes("/advances")),
            ("--snapshots 3 --schedule uniform", Says("/snapshots_peak", "3")),
            ("--schedule store-all --snapshots 3", Refused("store-all keeps every state")),
            ("--svg DIR/schedule.svg", Writes("schedule.svg")),
        ],
    },
];

fn directory() -> PathBuf {
    let directory = std::env::temp_dir().join(format!("costate-flags-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    directory
}

fn costate(command: &str, words: &str) -> Output {
    let words = words.replace("DIR", directory().to_str().unwrap());
    let mut costate = Command::new(env!("CARGO_BIN_EXE_costate"));
    costate.arg(command).args(words.split_whitespace());
    costate.output().unwrap()
}

/// The first object that was printed.
fn json(command: &str, words: &str) -> Value {
    let output = costate(command, &format!("{words} --json"));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command} {words}: {told}");
    let text = String::from_utf8(output.stdout).unwrap();
    serde_json::from_str(text.lines().next().unwrap()).unwrap()
}

#[test]
fn every_option_has_an_effect_or_is_refused() {
    for Tested { command, base, steps, value, method, own } in COMMANDS {
        let plain = json(command, base);
        let has_run = !steps.is_empty();
        for (option, does) in RUN.iter().filter(|_| has_run).chain(*own) {
            let words = format!("{base} {option}");
            let what = format!("{command} {words}");
            let at = |place: &'static str| match place {
                "STEPS" => steps,
                "VALUE" => value,
                "/method" => method.unwrap_or(""),
                place => place,
            };
            match does {
                Changes(place) if at(place).is_empty() => {
                    assert!(costate(command, &words).status.success(), "{what}");
                }
                Changes(place) => {
                    let found = json(command, &words);
                    assert_ne!(found.pointer(at(place)), plain.pointer(at(place)), "{what}");
                }
                Says(place, text) => {
                    let found = json(command, &words);
                    let said = found.pointer(place).unwrap_or_else(|| panic!("{what}: {found}"));
                    assert_eq!(said.to_string().trim_matches('"'), *text, "{what}");
                }
                Writes(file) => {
                    json(command, &words);
                    assert!(directory().join(file).exists(), "{what}");
                }
                Refused(text) => {
                    let output = costate(command, &words);
                    let told = String::from_utf8_lossy(&output.stderr).into_owned();
                    assert_eq!(output.status.code(), Some(2), "{what}: {told}");
                    assert!(told.contains(text) && told.lines().count() == 1, "{what}: {told}");
                }
            }
        }
    }
    std::fs::remove_dir_all(directory()).unwrap();
}

/// No option in a command's help is missing above.
#[test]
fn the_tables_are_whole() {
    for Tested { command, .. } in COMMANDS {
        let help = String::from_utf8(costate(command, "--help").stdout).unwrap();
        let lines = help.lines().filter(|line| line.starts_with("      --"));
        let of = |tested: &&Tested| tested.command == *command;
        let all = COMMANDS.iter().filter(of).flat_map(|tested| {
            let run = RUN.iter().filter(|_| !tested.steps.is_empty());
            let options = run.chain(tested.own).map(|(option, _)| *option);
            options.chain([tested.base, "--json"]).flat_map(str::split_whitespace)
        });
        let all: Vec<&str> = all.collect();
        for line in lines {
            let option = line.split_whitespace().next().unwrap();
            assert!(all.contains(&option), "{command} {option}");
        }
    }
}
