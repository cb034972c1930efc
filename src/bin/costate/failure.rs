//! Why a command gave up, in one line.

use std::fmt;
use std::fs;
use std::path::Path;

use clap::error::ErrorKind;
use costate::error::{Error, JournalError, ModelError, SnapshotError, shown};
use costate::model::Model;

/// What, where, and what to try.
#[derive(Debug)]
pub struct Failure(String);

impl Failure {
    pub fn new(message: impl Into<String>) -> Self {
        Failure(message.into())
    }

    /// The same, and more.
    pub fn and(self, more: &str) -> Self {
        Failure(format!("{}; {more}", self.0))
    }

    /// What is wrong with the model in the file `path`.
    pub fn in_model(path: &Path, error: ModelError) -> Self {
        Failure(ModelError::InFile { path: named(path), error: Box::new(error) }.to_string())
    }

    /// Why the run of the model in the file `path` stopped.
    pub fn in_run(path: &Path, model: &Model, error: &Error) -> Self {
        let text = error.to_string();
        let state = |text: &str, index: usize| {
            let name = shown(model.states().get(index).map_or("", String::as_str));
            text.replacen(&format!("state {index}"), &format!("state `{name}`"), 1)
        };
        let parameter = |text: &str, index: usize| {
            let name = shown(model.parameters().get(index).map_or("", |p| p.name.as_str()));
            text.replacen(&format!("parameter {index}"), &format!("parameter `{name}`"), 1)
        };
        let text = match *error {
            Error::BadSetting { .. }
            | Error::UnknownMethod { .. }
            | Error::NoErrorEstimate { .. }
            | Error::Schedule(_)
            | Error::Journal(_)
            | Error::Snapshot(_) => return Failure(text).with_option(error),
            Error::NotFinite { component, .. } | Error::StepSizeTooSmall { component, .. } => {
                state(&text, component)
            }
            Error::ParameterNotFinite { index, .. } => parameter(&text, index),
            Error::GradientNotFinite { what: "state", index } => state(&text, index),
            Error::GradientNotFinite { index, .. } => parameter(&text, index),
            _ => text,
        };
        Failure(format!("{}: {text}", named(path))).with_option(error)
    }

    /// With the option that sets what the error speaks of, where its name does not give it away.
    fn with_option(self, error: &Error) -> Self {
        let option = match error {
            Error::Snapshot(SnapshotError::DiskBudget { .. }) => "--disk-budget",
            Error::Journal(JournalError::OtherMethod { .. }) => "--method",
            Error::NoErrorEstimate { .. } => "--fixed-steps",
            Error::StepLimit { stiff: false, .. } => "--max-steps",
            _ => return self,
        };
        Failure(format!("{} ({option})", self.0))
    }
}

/// What a model comes from.
fn named(path: &Path) -> String {
    if path.as_os_str() == "-" { "stdin".to_owned() } else { path.display().to_string() }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The paragraphs of clap's message as one line.
impl From<clap::Error> for Failure {
    fn from(error: clap::Error) -> Self {
        if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
            return Failure::new("what is to be done is missing: see `costate --help`");
        }
        let text = error.to_string();
        let text = text.strip_prefix("error: ").unwrap_or(&text);
        let told = |line: &&str| !line.is_empty() && !line.starts_with("Usage: ");
        let mut line = String::new();
        for part in text.lines().map(str::trim).filter(told) {
            let part = match part {
                "For more information, try '--help'." => "see '--help'",
                part => part,
            };
            match line.chars().last() {
                None => {}
                Some(':') => line.push(' '),
                Some(_) => line.push_str("; "),
            }
            line.push_str(part);
        }
        Failure(line)
    }
}

/// Fails where a file cannot be written, before the work that it is to hold is done.
pub fn expect_writable(path: &Path) -> Result<(), Failure> {
    let was_there = path.exists();
    fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .map_err(|e| unwritable(path, &e))?;
    if !was_there {
        fs::remove_file(path).map_err(|e| unwritable(path, &e))?;
    }
    Ok(())
}

/// Writes a file.
pub fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(|e| unwritable(path, &e))
}

/// Why a file cannot be written.
pub fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    let path = path.display();
    Failure(format!(
        "{path}: cannot be written ({error}); give a file in a directory that can be written"
    ))
}
