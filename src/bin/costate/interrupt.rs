//! What a user or a system that stops the command is told: how to go on.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use costate::error::{Error, JournalError, SnapshotError};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// The signals that end a run once its position is noted, with what they mean to a user.
const SIGNALS: [(i32, &str); 2] = [(SIGINT, "Ctrl-C"), (SIGTERM, "SIGTERM")];

/// The signal that came, if any.
static CAUGHT: OnceLock<Arc<AtomicUsize>> = OnceLock::new();

/// From now on the first signal is only remembered. A second one ends the process at once. What the
/// process was started to ignore it ignores.
pub fn listen() -> io::Result<()> {
    let (caught, seen) = (Arc::clone(CAUGHT.get_or_init(Arc::default)), Arc::default());
    let ignored = ignored();
    for (signal, _) in SIGNALS.into_iter().filter(|(signal, _)| ignored & (1 << (signal - 1)) == 0)
    {
        // In this order, so that it takes two.
        flag::register_conditional_default(signal, Arc::<AtomicBool>::clone(&seen))?;
        flag::register_usize(signal, Arc::clone(&caught), signal as usize)?;
        flag::register(signal, Arc::clone(&seen))?;
    }
    Ok(())
}

/// A bit for each signal that is ignored, where the system says so: Ctrl-C is by what a script runs in
/// the background.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

/// The number of the signal that came.
fn caught() -> Option<i32> {
    let signal = CAUGHT.get()?.load(Ordering::Relaxed);
    (signal != 0).then_some(signal as i32)
}

/// Whether a signal came.
pub fn told() -> bool {
    caught().is_some()
}

/// The exit status of a command that a signal ended.
pub fn status() -> Option<u8> {
    u8::try_from(128 + caught()?).ok()
}

/// What ended the run, where that was a signal.
pub fn cause() -> &'static str {
    let caught = caught();
    SIGNALS.iter().find(|(signal, _)| caught == Some(*signal)).map_or("a signal", |(_, name)| name)
}

/// The command line that goes on with a run of this one that stopped, where that is of use.
pub fn go_on(directory: &Path, error: &Error) -> Option<String> {
    let setting = match error {
        Error::Stopped
        | Error::Snapshot(SnapshotError::Io { .. })
        | Error::Journal(JournalError::Io { .. }) => None,
        Error::OverBudget { need, .. } => Some(("--budget", need.bytes().to_string())),
        Error::Snapshot(SnapshotError::DiskBudget { needed, .. }) => {
            Some(("--disk-budget", needed.to_string()))
        }
        _ => return None,
    };
    directory.is_dir().then(|| command_line(std::env::args_os(), setting))
}

/// The words as a shell takes them, with `--resume` for `--disk`, and another value of an option.
fn command_line(words: impl Iterator<Item = OsString>, setting: Option<(&str, String)>) -> String {
    let mut line = Vec::new();
    let mut replaced = None;
    for word in words {
        let word = replaced.take().unwrap_or_else(|| word.to_string_lossy().into_owned());
        let (option, value) = match word.split_once('=') {
            Some((option, value)) if option.starts_with("--") => (option, Some(value)),
            _ => (&word[..], None),
        };
        let renamed = if option == "--disk" { "--resume" } else { option };
        let new = setting.as_ref().filter(|(name, _)| *name == option).map(|(_, new)| new);
        line.push(quoted(&match value {
            Some(value) => format!("{renamed}={}", new.map_or(value, |new| new)),
            None => renamed.to_owned(),
        }));
        replaced = if value.is_none() { new.cloned() } else { None };
    }
    line.join(" ")
}

/// The word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_a_shell_takes() {
        let line =
            |words: &[&str], setting| command_line(words.iter().map(OsString::from), setting);
        let words = ["costate", "gradient", "it's a model.json", "--disk", "my disk", "--json"];
        let expected = r"costate gradient 'it'\''s a model.json' --resume 'my disk' --json";
        assert_eq!(line(&words, None), expected);
        let words = ["costate", "gradient", "m", "--disk=d$", "--budget", "4kB", "--param", "a=1"];
        let setting = Some(("--budget", "8000".to_owned()));
        let expected = "costate gradient m '--resume=d$' --budget 8000 --param a=1";
        assert_eq!(line(&words, setting), expected);
        let setting = Some(("--disk-budget", "7".to_owned()));
        assert_eq!(
            line(&["c", "--disk-budget=1", "--resume", ""], setting),
            "c --disk-budget=7 --resume ''"
        );
    }
}
