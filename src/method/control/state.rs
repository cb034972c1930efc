//! Where a controlled run stands.

/// The most by which a step may grow.
pub(super) const GROW: f64 = 10.0;

/// Where a controlled run stands.
#[derive(Clone, Debug)]
pub struct ControlState {
    /// t_n.
    pub t: f64,
    /// The step to try next; zero before the first.
    pub(super) h: f64,
    /// The length of the last step; zero before the first.
    pub(super) last_h: f64,
    /// The most by which an implicit method's next step may grow.
    pub(super) growth: f64,
    pub(super) last_error: f64,
    /// Steps accepted.
    pub accepted: usize,
    /// Attempts rejected.
    pub rejected: u64,
    pub(super) stiff_steps: u32,
    pub(super) calm_steps: u32,
}

impl ControlState {
    /// The start of a run.
    pub fn new(start: f64) -> Self {
        ControlState {
            t: start,
            h: 0.0,
            last_h: 0.0,
            growth: GROW,
            last_error: 1e-4,
            accepted: 0,
            rejected: 0,
            stiff_steps: 0,
            calm_steps: 0,
        }
    }
}

impl ControlState {
    /// The words that tell where the run stands.
    pub(crate) fn words(&self) -> Vec<u64> {
        vec![
            self.t.to_bits(),
            self.h.to_bits(),
            self.last_h.to_bits(),
            self.growth.to_bits(),
            self.last_error.to_bits(),
            self.accepted as u64,
            self.rejected,
            u64::from(self.stiff_steps),
            u64::from(self.calm_steps),
        ]
    }

    /// Reads what [`words`](Self::words) wrote.
    pub(crate) fn from_words(words: &[u64]) -> Option<Self> {
        let &[t, h, last_h, growth, last_error, ref counts @ ..] = words else { return None };
        let &[accepted, rejected, stiff_steps, calm_steps] = counts else { return None };
        Some(ControlState {
            t: f64::from_bits(t),
            h: f64::from_bits(h),
            last_h: f64::from_bits(last_h),
            growth: f64::from_bits(growth),
            last_error: f64::from_bits(last_error),
            accepted: usize::try_from(accepted).ok()?,
            rejected,
            stiff_steps: u32::try_from(stiff_steps).ok()?,
            calm_steps: u32::try_from(calm_steps).ok()?,
        })
    }
}
