//! A gradient whose process was killed goes on from its directory to the same bits.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

const MODEL: &str = "models/biology/lotka_volterra.json";

/// A run of about twenty thousand small steps.
const LONG: [&str; 4] = ["--method", "bs3", "--rtol", "1e-10"];

struct Scratch(PathBuf);

impl Scratch {
    fn new(test: &str) -> Self {
        let name = format!("costate-resume-{test}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Scratch(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }

    fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.0).unwrap();
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn costate(model: &str, options: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_costate"));
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command.args(["gradient", model, "--json"]).args(options);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn output(options: &[&str]) -> Output {
    costate(MODEL, options).output().unwrap()
}

/// What of the report does not tell what it cost; numbers are printed to the last bit.
fn numbers(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let keys = ["objective", "gradient", "initial_state_gradient", "method"];
    let steps = [&report["stats"]["steps"], &report["stats"]["rejected"]];
    format!("{:?} {steps:?}", keys.map(|key| report[key].to_string()))
}

/// Starts a run and kills it after a while. Returns its output where it was faster.
fn killed(options: &[&str], after: Duration) -> Option<Output> {
    let mut child = costate(MODEL, options).spawn().unwrap();
    sleep(after);
    let ended = child.try_wait().unwrap().is_some();
    let _ = child.kill();
    let output = child.wait_with_output().unwrap();
    ended.then_some(output)
}

/// Whether a killed run left a position.
fn has_position(scratch: &Scratch) -> bool {
    let starts = |path: &PathBuf, name: &str| {
        path.file_name().unwrap().to_string_lossy().starts_with(name)
            && path.extension().unwrap() == "costate"
    };
    scratch.files().iter().any(|path| starts(path, "position-"))
}

#[test]
fn fifty_kills_change_no_bit() {
    let mut random = fastrand::Rng::with_seed(11);
    let (mut kills, mut in_reverse, mut finished) = (0, 0, 0);
    let settings: [&[&str]; 6] = [
        &["--budget", "600kB"],
        &["--fixed-steps", "12000", "--budget", "12kB"],
        &["--snapshots", "30"],
        &["--fixed-steps", "12000", "--snapshots", "12"],
        &["--schedule", "revolve", "--snapshots", "15"],
        &["--method", "kvaerno3", "--rtol", "1e-9", "--snapshots", "10"],
    ];
    while kills < 50 || finished < settings.len() {
        let setting = settings[finished % settings.len()];
        let options = match setting[0] {
            "--method" => setting.to_vec(),
            "--fixed-steps" => [&LONG[..2], setting].concat(),
            _ => [&LONG, setting].concat(),
        };
        let expected = numbers(&output(&options));
        let scratch = Scratch::new("kills");
        let mut last = killed(
            &[&options, &["--disk", scratch.path()][..]].concat(),
            Duration::from_millis(random.u64(5..200)),
        );
        // The options are in the directory: all but what bounds the memory.
        let snapshots = &options[options.len() - 2..];
        while last.is_none() {
            kills += 1;
            if !has_position(&scratch) {
                break;
            }
            let again = [&["--resume", scratch.path()], snapshots].concat();
            last = killed(&again, Duration::from_millis(random.u64(20..400)));
        }
        if let Some(last) = last {
            assert_eq!(numbers(&last), expected, "{options:?} after {kills} kills in all");
            assert!(scratch.files().is_empty(), "{:?}", scratch.files());
            let report: serde_json::Value = serde_json::from_slice(&last.stdout).unwrap();
            in_reverse += usize::from(report["stats"]["resumed_at_step"].as_u64() > Some(0));
        }
        finished += 1;
    }
    println!("{kills} kills, {finished} gradients, {in_reverse} of them resumed at a later step");
    assert!(in_reverse > 0);
}

/// A directory of a run that was killed in its reverse sweep, and its options.
fn killed_in_reverse(scratch: &Scratch) -> Vec<&'static str> {
    let options = [&LONG[..], &["--snapshots", "30"]].concat();
    for after in (100..).step_by(100) {
        let disk = [&options[..], &["--disk", scratch.path()]].concat();
        let ended = killed(&disk, Duration::from_millis(after)).is_some();
        assert!(!ended, "the run was never seen in its reverse sweep");
        let log = scratch.files().into_iter().find(|path| name(path).starts_with("log-"));
        if log.is_some_and(|log| fs::metadata(log).unwrap().len() > 8 * 17_000) {
            return options;
        }
        scratch.files().iter().for_each(|path| fs::remove_file(path).unwrap());
    }
    unreachable!()
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

#[test]
fn fifty_damaged_bytes_are_all_detected() {
    let scratch = Scratch::new("damage");
    let options = killed_in_reverse(&scratch);
    let resume = ["--resume", scratch.path(), "--snapshots", "30"];
    let content: Vec<(PathBuf, Vec<u8>)> = scratch
        .files()
        .into_iter()
        .map(|path| (path.clone(), fs::read(&path).unwrap()))
        .filter(|(path, bytes)| path.extension().unwrap() == "costate" && !bytes.is_empty())
        .collect();
    let mut random = fastrand::Rng::with_seed(5);
    for _ in 0..50 {
        let (path, bytes) = &content[random.usize(..content.len())];
        let mut damaged = bytes.clone();
        damaged[random.usize(..bytes.len())] ^= 1 << random.u8(..8);
        fs::write(path, damaged).unwrap();
        let output = output(&resume);
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{path:?}: {message}");
        assert!(message.contains(&name(path)), "{path:?}: {message}");
        fs::write(path, bytes).unwrap();
    }
    // Without the files of some states the others will do.
    let slots: Vec<&PathBuf> = content
        .iter()
        .map(|(path, _)| path)
        .filter(|path| name(path).starts_with("slot"))
        .collect();
    slots.iter().step_by(3).for_each(|path| fs::remove_file(path).unwrap());
    assert_eq!(numbers(&output(&resume)), numbers(&self::output(&options)));
}

#[test]
fn what_lies_behind_the_position_is_cut_off() {
    let scratch = Scratch::new("torn");
    let options = killed_in_reverse(&scratch);
    let log = scratch.files().into_iter().find(|path| name(path).starts_with("log-")).unwrap();
    let mut bytes = fs::read(&log).unwrap();
    bytes.extend([1, 2, 3]);
    fs::write(&log, bytes).unwrap();
    let resumed = output(&["--resume", scratch.path(), "--snapshots", "30"]);
    assert_eq!(numbers(&resumed), numbers(&output(&options)));
}

#[test]
fn another_problem_is_refused() {
    let scratch = Scratch::new("other");
    killed_in_reverse(&scratch);
    let refused = |model: &str, more: &[&str], what: &str| {
        let resume = [&["--resume", scratch.path()], more].concat();
        let output = costate(model, &resume).output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.contains(what), "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    };
    let other = "holds no unfinished run of this problem";
    refused(MODEL, &["--rtol", "1e-9"], other);
    refused(MODEL, &["--param", "a=1.25"], other);
    refused(MODEL, &["--fixed-steps", "10"], other);
    refused(MODEL, &["--method", "tsit5"], "the run was by bs3, not tsit5");
    refused("models/biology/gene_expression.json", &[], other);
    // A model that differs where the start does not tell.
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(MODEL)).unwrap();
    let near = scratch.0.join("near.json");
    fs::write(&near, format!("{text} ")).unwrap();
    refused(near.to_str().unwrap(), &[&LONG[..], &[]].concat(), other);
    let empty = Scratch::new("empty");
    let nothing = output(&["--resume", empty.path()]);
    let message = String::from_utf8_lossy(&nothing.stderr);
    assert!(message.contains("holds no unfinished run: run the gradient"), "{message}");
    let absent = output(&["--resume", "/no/such/directory"]);
    assert!(String::from_utf8_lossy(&absent.stderr).contains("/no/such/directory: No such file"));
}

/// A file that may not grow beyond a bound is what a full disk is to its writer.
#[cfg(unix)]
#[test]
fn a_full_disk_in_either_sweep() {
    let full = |blocks: usize, arguments: &[&str]| {
        let binary = env!("CARGO_BIN_EXE_costate");
        let script =
            format!("trap '' XFSZ; ulimit -f {blocks}; exec {binary} gradient {MODEL} \"$@\"");
        let mut shell = Command::new("bash");
        shell.current_dir(env!("CARGO_MANIFEST_DIR")).args(["-c", &script, "bash"]);
        let output = shell.args(arguments).output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.contains("has room"), "{message}");
    };
    let scratch = Scratch::new("full");
    let options = [&LONG[..], &["--snapshots", "30"]].concat();
    let expected = numbers(&output(&options));
    // The times of the steps come to more than this on the way to the end.
    full(64, &[&options[..], &["--disk", scratch.path()]].concat());
    let resume = ["--resume", scratch.path(), "--snapshots", "30"];
    full(64, &resume);
    assert_eq!(numbers(&output(&resume)), expected);
    // And a position does on the way back.
    killed_in_reverse(&scratch);
    full(1, &resume);
    assert_eq!(numbers(&output(&resume)), expected);
    assert!(scratch.files().is_empty());
}

/// What the first run held in memory does not count for the one that goes on.
#[test]
fn a_resumed_run_keeps_to_its_own_budget() {
    const FIXED: [&str; 4] = ["--method", "bs3", "--fixed-steps", "600000"];
    let expected = numbers(&output(&[&FIXED[..], &["--budget", "20kB"]].concat()));
    let scratch = Scratch::new("less");
    let first = [&FIXED[..], &["--budget", "20MB", "--disk", scratch.path()]].concat();
    let mut child = costate(MODEL, &first).spawn().unwrap();
    while !has_position(&scratch) {
        assert!(child.try_wait().unwrap().is_none(), "the run was never seen before its end");
        sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let resumed = output(&["--resume", scratch.path(), "--budget", "20kB"]);
    assert_eq!(numbers(&resumed), expected);
    let report: serde_json::Value = serde_json::from_slice(&resumed.stdout).unwrap();
    assert!(report["stats"]["peak_bytes"].as_u64() <= Some(20_000), "{report}");
    assert!(scratch.files().is_empty(), "{:?}", scratch.files());
}
