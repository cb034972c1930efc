//! What a gradient cost.

use serde::Serialize;

/// What a gradient cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Stats {
    /// N, the steps of the run.
    pub steps: u64,
    /// Attempts that error control rejected.
    pub rejected: u64,
    /// Evaluations of f.
    pub rhs: u64,
    /// Transposed derivative products.
    pub vjp: u64,
    /// Jacobians.
    pub jacobians: u64,
    /// Factorisations.
    pub factorizations: u64,
    /// Steps taken beyond the N accepted ones: those of the reverse sweep, and of a separate
    /// controller pass.
    pub recomputed_steps: u64,
    /// Steps that were reversed from a kept tape, without being taken again.
    pub from_tape: u64,
    /// Segments that backsolve lost its way in and replayed.
    pub replayed_segments: u64,
    /// The most slots that held a state or a tape at once.
    pub snapshots_peak: u64,
    /// The most bytes that slots held at once, in memory and in files.
    pub snapshot_bytes_peak: u64,
    /// The most bytes of memory held in all: snapshots, tapes, the times of the steps, and the
    /// vectors of the sweep.
    pub peak_bytes: u64,
    /// The most bytes of files held at once.
    pub disk_bytes_peak: u64,
    /// Where a resumed run went on: n of the step, in its first sweep, or the number of steps that
    /// were left to reverse.
    pub resumed_at_step: Option<u64>,
    /// Seconds until the first step was reversed.
    pub seconds_forward: f64,
    /// Seconds after that.
    pub seconds_reverse: f64,
}

impl Stats {
    /// Adds what another gradient cost; peaks become the larger of both.
    pub(crate) fn add_member(&mut self, other: &Stats) {
        self.steps += other.steps;
        self.rejected += other.rejected;
        self.rhs += other.rhs;
        self.vjp += other.vjp;
        self.jacobians += other.jacobians;
        self.factorizations += other.factorizations;
        self.recomputed_steps += other.recomputed_steps;
        self.snapshots_peak = self.snapshots_peak.max(other.snapshots_peak);
        self.snapshot_bytes_peak = self.snapshot_bytes_peak.max(other.snapshot_bytes_peak);
        self.peak_bytes = self.peak_bytes.max(other.peak_bytes);
        self.disk_bytes_peak = self.disk_bytes_peak.max(other.disk_bytes_peak);
        self.from_tape += other.from_tape;
        self.replayed_segments += other.replayed_segments;
        self.seconds_forward += other.seconds_forward;
        self.seconds_reverse += other.seconds_reverse;
    }

    /// Adds an attempt with another method, whose steps all count as recomputed.
    pub(crate) fn add_abandoned(&mut self, steps: u64, seconds: f64) {
        self.recomputed_steps += steps;
        self.seconds_forward += seconds;
    }

    /// Adds what a separate controller pass cost.
    pub(crate) fn add_pass(&mut self, pass: &Stats) {
        self.rejected += pass.rejected;
        self.rhs += pass.rhs;
        self.jacobians += pass.jacobians;
        self.factorizations += pass.factorizations;
        self.recomputed_steps += pass.steps;
        self.seconds_forward += pass.seconds_forward;
    }
}
