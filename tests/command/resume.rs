//! A gradient whose process was killed goes on from its directory to the same bits.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

use costate::adjoint::journal::{Phase, unfinished};

const MODEL: &str = "models/biology/lotka_volterra.json";

/// A run of about 700 thousand small steps, which is noted several times.
const LONG: [&str; 6] = ["--method", "bs3", "--rtol", "1e-15", "--atol", "1e-15"];

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
        &["--budget", "20MB"],
        &["--fixed-steps", "200000", "--budget", "16kB"],
        &["--snapshots", "30"],
        &["--fixed-steps", "200000", "--snapshots", "12"],
        &["--schedule", "revolve", "--snapshots", "15"],
        &["--method", "kvaerno3", "--rtol", "1e-12", "--snapshots", "10"],
    ];
    let options = settings.map(|setting| match setting[0] {
        "--method" | "--fixed-steps" => setting.to_vec(),
        _ => [&LONG, setting].concat(),
    });
    let expected = options.each_ref().map(|options| numbers(&output(options)));
    while kills < 50 || finished < settings.len() {
        let (options, expected) =
            (&options[finished % settings.len()], &expected[finished % settings.len()]);
        let scratch = Scratch::new("kills");
        let disk = [&options[..], &["--disk", scratch.path()]].concat();
        let mut last = killed(&disk, Duration::from_millis(random.u64(5..400)));
        // The options are in the directory, where there is one yet: all but what bounds the memory.
        let snapshots = &options[options.len() - 2..];
        let mut tries = 0;
        while last.is_none() {
            (kills, tries) = (kills + 1, tries + 1);
            let again = match has_position(&scratch) {
                true => [&["--resume", scratch.path()], snapshots].concat(),
                false => [&options[..], &["--resume", scratch.path()]].concat(),
            };
            let after = random.u64(50..400) + 100 * tries;
            last = killed(&again, Duration::from_millis(after));
        }
        if let Some(last) = last {
            assert_eq!(&numbers(&last), expected, "{options:?} after {kills} kills in all");
            // A process that was killed while it measured the disk may leave a file of 64 bytes.
            let left = scratch.files();
            let left = left.iter().filter(|path| !name(path).starts_with("bandwidth-"));
            assert_eq!(left.count(), 0, "{:?}", scratch.files());
            let report: serde_json::Value = serde_json::from_slice(&last.stdout).unwrap();
            in_reverse += usize::from(report["stats"]["resumed_at_step"].as_u64() > Some(0));
        }
        finished += 1;
    }
    println!("{kills} kills, {finished} gradients, {in_reverse} of them resumed at a later step");
    assert!(in_reverse > 0);
}

/// A directory of a run that was stopped in its reverse sweep, and its options.
fn stopped_in_reverse(scratch: &Scratch) -> Vec<&'static str> {
    let options = [&LONG[..], &["--snapshots", "30"]].concat();
    stop_in_reverse(scratch, &options);
    options
}

/// Stops a run with these options when it is in its reverse sweep.
fn stop_in_reverse(scratch: &Scratch, options: &[&str]) {
    let disk = [options, &["--disk", scratch.path()]].concat();
    for after in (100..).step_by(50) {
        let child = costate(MODEL, &disk).spawn().unwrap();
        sleep(Duration::from_millis(after));
        shell(&format!("kill -TERM {}", child.id()));
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(143), "never seen in its reverse sweep: {output:?}");
        let found = unfinished(&scratch.0).unwrap();
        if found.iter().any(|(_, position)| matches!(position.phase, Phase::Reverse { .. })) {
            return;
        }
        scratch.files().iter().for_each(|path| fs::remove_file(path).unwrap());
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

#[test]
fn fifty_damaged_bytes_are_all_detected() {
    let scratch = Scratch::new("damage");
    let options = stopped_in_reverse(&scratch);
    damage(&scratch, &options, 30);
    // Where states go into the file one by one, since there are more than memory is taken for.
    let scratch = Scratch::new("damage-many");
    let options = ["--fixed-steps", "3000000"];
    stop_in_reverse(&scratch, &options);
    damage(&scratch, &options, 4);
}

/// Damages some bytes of what a stopped run left, each for itself.
fn damage(scratch: &Scratch, options: &[&str], bytes: usize) {
    let resume = [&["--resume", scratch.path()], &options[options.len() - 2..]].concat();
    let content: Vec<(PathBuf, Vec<u8>)> = scratch
        .files()
        .into_iter()
        .map(|path| (path.clone(), fs::read(&path).unwrap()))
        .filter(|(path, bytes)| path.extension().unwrap() == "costate" && !bytes.is_empty())
        .collect();
    assert!(content.iter().any(|(path, _)| name(path).starts_with("slot")), "{content:?}");
    let mut random = fastrand::Rng::with_seed(5);
    for _ in 0..bytes {
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
    assert_eq!(numbers(&output(&resume)), numbers(&self::output(options)));
}

#[test]
fn what_lies_behind_the_position_is_cut_off() {
    let scratch = Scratch::new("torn");
    let options = stopped_in_reverse(&scratch);
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
    stopped_in_reverse(&scratch);
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
    // Nothing was lost by it.
    let found = numbers(&output(&["--resume", scratch.path(), "--snapshots", "30"]));
    assert_eq!(found, numbers(&output(&[&LONG[..], &["--snapshots", "30"]].concat())));
}

/// One command line serves a job that is started again and again.
#[test]
fn a_run_begins_where_there_is_nothing_to_resume() {
    let (empty, options) = (Scratch::new("empty"), ["--snapshots", "9"]);
    let expected = numbers(&output(&options));
    let below = empty.0.join("below");
    for directory in [empty.path(), below.to_str().unwrap()] {
        let begun = output(&[&options[..], &["--resume", directory]].concat());
        assert_eq!(numbers(&begun), expected);
        let note = format!("costate: note: {directory} holds no unfinished run: this one begins\n");
        assert_eq!(String::from_utf8_lossy(&begun.stderr), note);
    }
    let long = [&LONG[..], &["--snapshots", "30", "--resume", empty.path()]].concat();
    assert!(killed(&long, Duration::from_millis(40)).is_none());
    assert_eq!(numbers(&output(&long)), numbers(&output(&long[..8])));
    // What cannot be a directory is refused.
    let refused = output(&["--resume", MODEL]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("Not a directory"), "{refused:?}");
}

/// The words after `go on with: `.
fn told_to_go_on(output: &Output) -> String {
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(message.lines().count(), 1, "{message}");
    let (_, line) = message.trim_end().split_once("go on with: ").expect(&message);
    line.to_owned()
}

/// Runs a line as a user would.
fn shell(line: &str) -> Output {
    let mut shell = Command::new("sh");
    shell.current_dir(env!("CARGO_MANIFEST_DIR")).args(["-c", line]).output().unwrap()
}

#[test]
fn a_run_beyond_its_budget_goes_on_with_more() {
    let scratch = Scratch::new("it's over");
    let run = ["--method", "bs3", "--rtol", "1e-10"];
    let expected = numbers(&output(&run));
    let over = output(&[&run[..], &["--budget", "200kB", "--disk", scratch.path()]].concat());
    assert_eq!(over.status.code(), Some(2));
    let report = String::from_utf8_lossy(&over.stderr).into_owned();
    assert!(report.contains("the budget of 200000 bytes is too small"), "{report}");
    let found = shell(&told_to_go_on(&over));
    assert_eq!(numbers(&found), expected);
    let report: serde_json::Value = serde_json::from_slice(&found.stdout).unwrap();
    assert!(report["stats"]["resumed_at_step"].as_u64() > Some(18_000), "{report}");
    assert_eq!(report["schedule"], "resumed");
    assert!(scratch.files().is_empty());
    // In the same budget the way back may be possible, with the states that are in files.
    let scratch = Scratch::new("over again");
    let budget = [&run[..], &["--budget", "200kB"]].concat();
    let over = output(&[&budget[..], &["--disk", scratch.path()]].concat());
    assert_eq!(over.status.code(), Some(2));
    let found = output(&[&budget[..], &["--resume", scratch.path()]].concat());
    assert_eq!(numbers(&found), expected);
    let report: serde_json::Value = serde_json::from_slice(&found.stdout).unwrap();
    assert!(report["stats"]["peak_bytes"].as_u64() <= Some(200_000), "{report}");
}

#[test]
fn a_run_that_tried_too_many_steps_goes_on_with_more() {
    let scratch = Scratch::new("limit");
    let run = [&LONG[..], &["--snapshots", "30"]].concat();
    let limited = [&run[..], &["--max-steps", "600000", "--disk", scratch.path()]].concat();
    let limited = output(&limited);
    assert_eq!(limited.status.code(), Some(2), "{limited:?}");
    let more = ["--max-steps", "2000000", "--snapshots", "30", "--resume", scratch.path()];
    let found = output(&more);
    assert_eq!(numbers(&found), numbers(&output(&run)));
    let report: serde_json::Value = serde_json::from_slice(&found.stdout).unwrap();
    assert!(report["stats"]["resumed_at_step"].as_u64() > Some(0), "{report}");
}

#[cfg(target_os = "linux")]
#[test]
fn signals_note_the_position_and_say_how_to_go_on() {
    let run = [&LONG[..], &["--snapshots", "30"]].concat();
    let expected = numbers(&output(&run));
    let start = |how: &str, disk: &str| {
        let mut command = Command::new("env");
        command.current_dir(env!("CARGO_MANIFEST_DIR"));
        command.args([how, env!("CARGO_BIN_EXE_costate"), "gradient", MODEL, "--json"]);
        command.args(&run).args(["--disk", disk]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    for (signal, what, status) in [("INT", "Ctrl-C", 130), ("TERM", "SIGTERM", 143)] {
        let scratch = Scratch::new("signal $1");
        let child = start("--default-signal=INT,TERM", scratch.path());
        // Long enough for it to listen, and not for its first note.
        sleep(Duration::from_millis(60));
        assert!(shell(&format!("kill -{signal} {}", child.id())).status.success());
        let stopped = child.wait_with_output().unwrap();
        assert_eq!(stopped.status.code(), Some(status), "{stopped:?}");
        assert!(stopped.stdout.is_empty());
        let begin = format!("costate: stopped by {what}; go on with: ");
        assert!(String::from_utf8_lossy(&stopped.stderr).starts_with(&begin), "{stopped:?}");
        assert!(has_position(&scratch));
        assert_eq!(numbers(&shell(&told_to_go_on(&stopped))), expected);
        assert!(scratch.files().is_empty());
    }
    // What is ignored in the background stays so.
    let scratch = Scratch::new("ignored");
    let child = start("--ignore-signal=INT", scratch.path());
    sleep(Duration::from_millis(60));
    assert!(shell(&format!("kill -INT {}", child.id())).status.success());
    assert_eq!(numbers(&child.wait_with_output().unwrap()), expected);
}

#[test]
fn the_schedule_that_was_followed_is_named() {
    let scratch = Scratch::new("named");
    let schedule = |options: &[&str]| {
        let output = output(&[&["--disk", scratch.path()], options].concat());
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        report["schedule"].as_str().unwrap().to_owned()
    };
    let fixed = ["--fixed-steps", "100"];
    assert_eq!(schedule(&[]), "store-all");
    assert_eq!(schedule(&["--disk-budget", "1kB"]), "online");
    assert_eq!(schedule(&["--snapshots", "5"]), "online");
    assert_eq!(schedule(&fixed), "store-all");
    assert_eq!(schedule(&[&fixed[..], &["--disk-budget", "1kB"]].concat()), "revolve");
    assert_eq!(schedule(&[&fixed[..], &["--budget", "16kB"]].concat()), "mixed");
    assert_eq!(schedule(&["--snapshots", "5", "--schedule", "bisection"]), "bisection");
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
        message
    };
    let scratch = Scratch::new("full");
    let options = [&LONG[..], &["--snapshots", "30"]].concat();
    let expected = numbers(&output(&options));
    // The times of the steps come to more than this on the way to the end.
    let told = full(4500, &[&options[..], &["--disk", scratch.path()]].concat());
    let resume = ["--resume", scratch.path(), "--snapshots", "30"];
    assert!(told.ends_with(&format!("--snapshots 30 --resume {}\n", scratch.path())), "{told}");
    full(4500, &resume);
    assert_eq!(numbers(&output(&resume)), expected);
    // And a position does on the way back.
    stopped_in_reverse(&scratch);
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

/// Runs until its position is noted, and is killed then.
fn noted(scratch: &Scratch, options: &[&str]) {
    let before = positions(scratch);
    let mut child = costate(MODEL, options).spawn().unwrap();
    while positions(scratch) == before {
        assert!(child.try_wait().unwrap().is_none(), "the run was never seen before its end");
        sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

fn positions(scratch: &Scratch) -> usize {
    let is_position = |path: &&PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.starts_with("position-") && name.ends_with(".costate")
    };
    scratch.files().iter().filter(is_position).count()
}

/// A run goes on by the line that began it, though a later one of the same model lies beside it.
#[test]
fn of_several_runs_the_one_with_the_options_goes_on() {
    let scratch = Scratch::new("several");
    let plain = [&LONG[..], &["--snapshots", "30"]].concat();
    let other = [&plain[..], &["--param", "a=1.4"]].concat();
    let steps = ["--method", "bs3", "--fixed-steps", "600000", "--snapshots", "12"];
    let disk = ["--disk", scratch.path()];
    for options in [&plain[..], &other, &steps] {
        noted(&scratch, &[options, &disk].concat());
    }
    let ambiguous = output(&["--resume", scratch.path(), "--method", "bs3"]);
    let told = String::from_utf8_lossy(&ambiguous.stderr).into_owned();
    assert_eq!(ambiguous.status.code(), Some(2), "{told}");
    for options in ["--rtol 1e-15 --atol 1e-15", "--param a=1.4", "--fixed-steps 600000"] {
        assert!(told.contains(options), "{told}");
    }
    for options in [&plain[..], &steps] {
        let found = output(&[options, &["--resume", scratch.path()]].concat());
        assert_eq!(numbers(&found), numbers(&output(options)));
    }
    // What is left is the only one.
    let last = output(&["--resume", scratch.path(), "--snapshots", "30"]);
    let told = String::from_utf8_lossy(&last.stderr).into_owned();
    assert!(told.contains("goes on: --method bs3 --rtol 1e-15 --atol 1e-15 --param"), "{told}");
    assert_eq!(numbers(&last), numbers(&output(&other)));
    assert!(scratch.files().is_empty());
}

/// The lists of all states that a run without bounds kept count, and the message says so.
#[test]
fn a_budget_that_the_states_found_exceed_is_refused_with_what_suffices() {
    let scratch = Scratch::new("found");
    // Its way back takes much longer than its way there, with all states in the file.
    let run = ["--method", "bs3", "--rtol", "1e-12", "--adjoint", "continuous"];
    noted(&scratch, &[&run[..], &["--disk", scratch.path()]].concat());
    let over = output(&["--resume", scratch.path(), "--budget", "2MB"]);
    assert_eq!(over.status.code(), Some(2), "{over:?}");
    let report = String::from_utf8_lossy(&over.stderr).into_owned();
    let least = report.split_once("give at least ").expect(&report).1;
    let least: u64 = least.split(',').next().unwrap().parse().unwrap();
    assert!(least > 2_000_000, "{report}");
    let (_, line) = report.trim_end().split_once("go on with: ").expect(&report);
    assert_eq!(numbers(&shell(line)), numbers(&output(&run)));
    assert!(scratch.files().is_empty());
}
