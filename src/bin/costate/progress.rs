//! A progress bar on a terminal, for what takes a while.

use std::io::IsTerminal;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use costate::adjoint::Progress;
use costate::control::Event;
use indicatif::{ProgressBar, ProgressStyle};

const PATIENCE: Duration = Duration::from_millis(500);
const LENGTH: f64 = 1000.0;

pub struct Bar {
    begun: Instant,
    terminal: bool,
    bar: OnceLock<ProgressBar>,
}

impl Bar {
    pub fn new() -> Self {
        let terminal = std::io::stderr().is_terminal();
        Bar { begun: Instant::now(), terminal, bar: OnceLock::new() }
    }

    /// How far error control has come in the time span.
    pub fn on_event(&self, (start, end): (f64, f64), event: Event) {
        if let Event::Accepted { taken, .. } = event {
            self.set("forward", || (taken.t_next - start) / (end - start));
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

    pub fn set(&self, what: &'static str, done: impl Fn() -> f64) {
        if !self.terminal || self.begun.elapsed() < PATIENCE {
            return;
        }
        let bar = self.bar.get_or_init(|| {
            let style = ProgressStyle::with_template("{msg:<10} [{wide_bar}] {percent:>3} %");
            let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::new(LENGTH as u64).with_style(style)
        });
        bar.set_message(what);
        bar.set_position((done() * LENGTH) as u64);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = self.bar.get() {
            bar.finish_and_clear();
        }
    }
}
