//! A bar with the time left, where there is a terminal.

use std::io::IsTerminal;
use std::time::Duration;

use costate::adjoint::Progress;
use indicatif::{ProgressBar, ProgressStyle};

pub struct Bar(ProgressBar);

impl Bar {
    pub fn new(what: &'static str, steps: usize) -> Self {
        if !std::io::stderr().is_terminal() {
            return Bar(ProgressBar::hidden());
        }
        let template = "{msg:<22} [{wide_bar}] {pos} of {len}, {eta} left";
        let style = ProgressStyle::with_template(template);
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(steps as u64).with_style(style).with_message(what);
        // A step may take minutes.
        bar.enable_steady_tick(Duration::from_secs(1));
        Bar(bar)
    }

    /// Of a gradient: about three of four parts of its time are behind the first sweep.
    pub fn on_progress(&self, progress: Progress) {
        self.0.set_position((progress.forward as u64 + 3 * progress.reversed as u64) / 4);
    }

    pub fn increase(&self) {
        self.0.inc(1);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
