//! How many slots hold something that is still needed.

/// The steps of what is kept, in ascending order.
#[derive(Clone, Debug, Default)]
pub struct InUse {
    steps: Vec<usize>,
    /// The most that were kept at once.
    pub peak: u64,
}

impl InUse {
    /// Takes note of what is kept of a step.
    pub fn add(&mut self, step: usize) {
        self.steps.insert(self.place(step), step);
        self.peak = self.peak.max(self.steps.len() as u64);
    }

    /// Takes note of what is kept no more.
    pub fn remove(&mut self, step: usize) {
        let place = self.place(step);
        if self.steps.get(place) == Some(&step) {
            self.steps.remove(place);
        }
    }

    /// Nothing of the steps from `end` on is needed any more.
    pub fn end_at(&mut self, end: usize) {
        while self.steps.pop_if(|step| *step >= end).is_some() {}
    }

    fn place(&self, step: usize) -> usize {
        self.steps.partition_point(|&kept| kept < step)
    }
}
