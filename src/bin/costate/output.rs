//! What goes to stdout and stderr: checked, and without characters that a terminal obeys.

use std::io::{self, ErrorKind, Write};

use costate::error::printable;

use crate::failure::Failure;

/// Writes to stdout. A reader that has seen enough and left is no failure.
pub fn print(text: &str) -> Result<(), Failure> {
    put(format!("{}\n", printable(text.trim_end())).as_bytes())
}

/// Writes what no user wrote to stdout, byte by byte, and leaves nothing to print.
pub fn print_as_is(text: &[u8]) -> Result<String, Failure> {
    put(text).map(|()| String::new())
}

fn put(text: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(lost("output", &error)),
        _ => Ok(()),
    }
}

/// Writes a line to stderr that does not stop the command.
pub fn note(text: &str) -> Result<(), Failure> {
    line(&format!("note: {text}")).map_err(|error| lost("note on stderr", &error))
}

/// Writes why the command stops to stderr. Where that fails, too, the exit status still says so.
pub fn complain(failure: &Failure) {
    let _ = line(&failure.to_string());
}

fn line(text: &str) -> io::Result<()> {
    let text = text.trim_end().replace('\n', "\\u000a");
    writeln!(io::stderr(), "costate: {}", printable(&text))
}

fn lost(what: &str, error: &io::Error) -> Failure {
    Failure::new(format!(
        "the {what} could not be written ({error}); make room, or send it elsewhere"
    ))
}
