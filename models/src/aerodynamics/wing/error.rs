//! Why a wing cannot be computed.

/// What is wrong with a grid, a parameter or a run, and what to try.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the messages say what the fields are")]
pub enum WingError {
    /// A grid that the scheme cannot be run on.
    #[error(
        "{around} x {rings} cells to {radius} chords: take a multiple of 8 around the section, at \
         least 2 rings, and a far field at 2 chords or more"
    )]
    Rings { around: usize, rings: usize, radius: f64 },
    /// A parameter vector of another length.
    #[error("{given} parameters were given: the wing has {required}")]
    NumParams { given: usize, required: usize },
    /// A parameter that is infinite or NaN.
    #[error("parameter {index}, {name}, is not a finite number")]
    NotFinite { index: usize, name: String },
    /// A parameter outside of its range.
    #[error("{name} = {value}: it must be {required}")]
    Parameter { name: &'static str, value: f64, required: &'static str },
    /// The far field is not subsonic.
    #[error(
        "the far field meets the stream at Mach number {mach}: it takes one Riemann invariant from \
         either side and must be subsonic; lower the Mach number or the plunging velocity"
    )]
    Supersonic { mach: f64 },
    /// A section whose surfaces cross.
    #[error(
        "the section is not closed: at {place} chords its upper surface is {gap:e} chords below \
         the lower one; take lower bumps or a thicker section"
    )]
    Crossed { place: f64, gap: f64 },
    /// A cell of the grid is folded.
    #[error(
        "cell {i} of ring {j} is folded at ({x:.4}, {y:.4}): take smaller bumps or less camber, \
         or another number of cells"
    )]
    Folded { i: usize, j: usize, x: f64, y: f64 },
    /// A step beyond the limit of stability.
    #[error(
        "the step {h:e} is too long for {method}: at t = {t} cell {i} of ring {j} allows {largest:e}; \
         take {steps} steps or more"
    )]
    StepTooLong {
        h: f64,
        method: &'static str,
        t: f64,
        i: usize,
        j: usize,
        largest: f64,
        steps: usize,
    },
    /// A steady flow was asked for and not found.
    #[error(
        "no steady flow after {iterations} steps: the density of a cell still changes by {change:e} \
         in a step, where {tolerance:e} was asked for; allow more steps, or start from the flow on \
         a coarser grid or at a lower Mach number or angle"
    )]
    NotSteady { change: f64, iterations: usize, tolerance: f64 },
    /// The run became infinite or NaN.
    #[error(
        "{variable} is not finite in cell {i} of ring {j} at ({x:.4}, {y:.4}), in step {step} at \
         t = {t}: take more steps, a lower Mach number or angle, or smaller amplitudes"
    )]
    BlewUp { variable: &'static str, i: usize, j: usize, x: f64, y: f64, step: usize, t: f64 },
}
