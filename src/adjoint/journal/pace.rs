//! When it is time for a note.

use std::time::{Duration, Instant};

/// The share of a run's time that may go into noting its position.
const SHARE: u32 = 100;
/// The least time between two notes, and the time before the first: what a shorter run would lose is
/// not worth a file.
const LEAST: Duration = Duration::from_millis(100);
/// About how often the clock is read.
const GLANCE: Duration = Duration::from_millis(1);
/// At most so many steps go by between.
const MOST: u32 = 64;

/// Notes take a hundredth of a run's time, and so does asking for the time where steps are short.
#[derive(Debug)]
pub(super) struct Pace {
    due: Instant,
    /// When the clock was read.
    read: Instant,
    /// Steps until it is read again, and in all from one reading to the next.
    left: u32,
    apart: u32,
}

impl Pace {
    pub fn new() -> Self {
        let now = Instant::now();
        Pace { due: now + LEAST, read: now, left: 1, apart: 1 }
    }

    /// Whether a note is due after another step.
    pub fn is_due(&mut self) -> bool {
        self.left -= 1;
        if self.left > 0 {
            return false;
        }
        let now = Instant::now();
        let slow = now - self.read > GLANCE;
        self.apart = if slow { 1 } else { (2 * self.apart).min(MOST) };
        (self.read, self.left) = (now, self.apart);
        now >= self.due
    }

    /// Takes notice of a note that was begun then.
    pub fn noted(&mut self, begun: Instant) {
        let now = Instant::now();
        self.due = now + (SHARE * (now - begun)).max(LEAST);
        (self.read, self.left, self.apart) = (now, 1, 1);
    }
}
