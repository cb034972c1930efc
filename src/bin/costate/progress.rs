//! A progress bar on a terminal, for what takes a while.

use std::io::IsTerminal;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use costate::adjoint::Progress;
use costate::method::control::StepReport;
use indicatif::{HumanDuration, ProgressBar, ProgressStyle};

const PATIENCE: Duration = Duration::from_millis(500);
const LENGTH: f64 = 1000.0;
/// Time and part of the work after which the rest of it is foretold.
const SOME_TIME: Duration = Duration::from_secs(2);
const SOME_WORK: f64 = 0.05;

pub struct Bar {
    begun: Instant,
    terminal: bool,
    bar: OnceLock<ProgressBar>,
    phase: Mutex<Option<Phase>>,
}

/// What is being done, since when, and how much of it was done then.
struct Phase {
    what: &'static str,
    since: Instant,
    from: f64,
}

/// The time that the rest of a phase takes if it goes on as it did for `elapsed`.
fn remaining(from: f64, done: f64, elapsed: Duration) -> Option<Duration> {
    let part = done - from;
    if elapsed < SOME_TIME || !(part >= SOME_WORK && done <= 1.0) {
        return None;
    }
    let rest = Duration::try_from_secs_f64(elapsed.as_secs_f64() * (1.0 - done) / part).ok();
    rest.filter(|rest| rest.as_secs() > 0)
}

impl Bar {
    pub fn new() -> Self {
        let terminal = std::io::stderr().is_terminal();
        let (bar, phase) = (OnceLock::new(), Mutex::new(None));
        Bar { begun: Instant::now(), terminal, bar, phase }
    }

    /// How far error control has come in the time span, which tells nothing of the time it takes.
    pub fn on_step(&self, (start, end): (f64, f64), report: StepReport) {
        if let StepReport::Accepted { taken, .. } = report {
            self.show("forward", (taken.t_next - start) / (end - start), None);
        }
    }

    /// How far the reverse sweep has come.
    pub fn on_progress(&self, progress: Progress) {
        if progress.reversed > 0 {
            self.set("reverse", || progress.reversed as f64 / progress.forward as f64);
        }
    }

    /// Lets what `write` puts on the terminal stand above the bar.
    pub fn aside(&self, write: impl FnOnce()) {
        match self.bar.get() {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    /// How far something has come that takes time evenly.
    pub fn set(&self, what: &'static str, done: impl Fn() -> f64) {
        if !self.terminal {
            return;
        }
        let done = done();
        let mut phase = self.phase.lock().unwrap_or_else(PoisonError::into_inner);
        let begun = Phase { what, since: Instant::now(), from: done };
        let Phase { since, from, .. } = match &mut *phase {
            Some(phase) if phase.what == what => phase,
            other => other.insert(begun),
        };
        let rest = remaining(*from, done, since.elapsed());
        drop(phase);
        self.show(what, done, rest);
    }

    fn show(&self, what: &'static str, done: f64, rest: Option<Duration>) {
        if !self.terminal || self.begun.elapsed() < PATIENCE {
            return;
        }
        let bar = self.bar.get_or_init(|| {
            let style =
                ProgressStyle::with_template("{prefix:<8} [{wide_bar}] {percent:>3} %{msg}");
            let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::new(LENGTH as u64).with_style(style)
        });
        bar.set_prefix(what);
        let left = |rest| format!(", about {} left", HumanDuration(rest));
        bar.set_message(rest.map_or_else(String::new, left));
        bar.set_position((done * LENGTH) as u64);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = self.bar.get() {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_is_foretold_once_some_work_took_some_time() {
        let seconds = Duration::from_secs;
        assert_eq!(remaining(0.0, 0.25, seconds(10)), Some(seconds(30)));
        assert_eq!(remaining(0.5, 0.75, seconds(10)), Some(seconds(10)), "a run that was resumed");
        assert_eq!(remaining(0.0, 0.25, seconds(1)), None);
        assert_eq!(remaining(0.5, 0.51, seconds(10)), None);
        assert_eq!(remaining(0.5, f64::NAN, seconds(10)), None);
        assert_eq!(remaining(0.0, 0.99, seconds(10)), None, "less than a second");
    }
}
