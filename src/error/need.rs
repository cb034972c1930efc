//! What a gradient cannot do without.

use std::fmt;

/// Bytes of memory that a gradient cannot do without.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Need {
    /// The tape of a step, with the scratch of the model and of the objective.
    pub tape: u64,
    /// The state, its adjoint, that of the parameters, and lists.
    pub vectors: u64,
    /// The times of the steps; none where these are equally long.
    pub times: u64,
    /// How many steps.
    pub steps: u64,
    /// States on their way to files and back, and notes.
    pub files: u64,
    /// The state that is kept; more where files are written beside the times, and where a run that is
    /// gone on with finds many.
    pub kept: u64,
}

impl Need {
    /// All of it.
    pub fn bytes(&self) -> u64 {
        let Need { tape, vectors, times, files, kept, .. } = *self;
        [tape, vectors, times, files, kept].into_iter().fold(0, u64::saturating_add)
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Need { tape, vectors, times, steps, files, kept } = self;
        write!(f, "{}, which are {tape} for the tape of a step", self.bytes())?;
        write!(f, ", {vectors} for the vectors and lists of the sweep")?;
        if *times > 0 {
            write!(f, ", {times} for the times of {steps} steps")?;
        }
        if *files > 0 {
            write!(f, ", {files} for states on their way to files")?;
            return write!(f, " and {kept} for kept states and their lists");
        }
        write!(f, " and {kept} for a kept state")
    }
}
