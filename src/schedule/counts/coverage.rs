//! How often steps are advanced over.

/// The number of ranges that cover each step, of the steps that may still be covered: where it
/// changes, and by how much. A schedule's ranges begin and end at few places at a time, whatever
/// the number of steps.
#[derive(Default)]
pub(super) struct Coverage {
    /// In ascending order of steps.
    changes: Vec<(usize, i64)>,
    /// The sum of the changes that were dropped; with those that are left they come to nothing.
    dropped: i64,
    /// The most ranges that cover a step.
    pub most: u64,
}

impl Coverage {
    /// Covers the steps `from`, …, `to`−1.
    pub fn add(&mut self, from: usize, to: usize) {
        self.change(from, 1);
        self.change(to, -1);
    }

    fn change(&mut self, step: usize, by: i64) {
        let place = self.changes.partition_point(|&(other, _)| other < step);
        match self.changes.get_mut(place) {
            Some((other, change)) if *other == step => {
                *change += by;
                if *change == 0 {
                    self.changes.remove(place);
                }
            }
            _ => self.changes.insert(place, (step, by)),
        }
    }

    /// Nothing is added from `end` on any more.
    pub fn end_at(&mut self, end: usize) {
        while let Some((_, change)) = self.changes.pop_if(|(step, _)| *step >= end) {
            // What covers the steps before a change ends there or later.
            self.dropped += change;
            self.most = self.most.max(self.dropped.unsigned_abs());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_most_ranges_that_share_a_step() {
        let mut random = fastrand::Rng::with_seed(1);
        for _ in 0..300 {
            let (mut coverage, mut counts, mut end) = (Coverage::default(), [0_u64; 30], 30);
            while end > 0 {
                let from = random.usize(..end);
                let to = random.usize(from + 1..=end);
                coverage.add(from, to);
                counts[from..to].iter_mut().for_each(|count| *count += 1);
                if random.u8(..3) == 0 {
                    end -= 1;
                    coverage.end_at(end);
                }
            }
            coverage.end_at(0);
            assert_eq!(coverage.most, counts.into_iter().max().unwrap());
        }
    }
}
