//! Pictures, as SVG text. They need no fonts or libraries of the system.

mod canvas;
mod ticks;
mod linear;
mod look;
mod bars;
mod lines;
mod memory;
mod schedule;
mod trajectory;

pub use bars::{Bar, bars_svg};
pub use lines::{Panel, Series, lines_svg};
pub use memory::curve_svg;
pub use schedule::schedule_svg;
pub use trajectory::{Quantity, TimeAxis, trajectory_svg};

/// Why a picture could not be drawn.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlotError {
    /// More steps than a reader can tell apart.
    #[error("a picture of {steps} steps cannot be read: draw at most {limit}")]
    TooManySteps {
        /// The steps that were to be drawn.
        steps: usize,
        /// The most that can be.
        limit: usize,
    },
    /// Nothing to draw.
    #[error("there is nothing to draw: the run has no steps")]
    Nothing,
    /// A line or a bar of nothing, or of what is not a number.
    #[error(
        "{what} cannot be drawn: give at least one number, all of them finite, one for each kind"
    )]
    NotFinite {
        /// Its name.
        what: String,
    },
    /// The drawing library's reason.
    #[error("the picture could not be drawn: {0}")]
    Drawing(String),
}
