//! Linear algebra of implicit steps: J as a [`Matrix`], and the factors [`Lu`] of I − cJ.

mod vector;
#[cfg(feature = "sparse")]
mod symbolic;
#[cfg(feature = "sparse")]
mod pattern;
mod packed;
#[cfg(feature = "sparse")]
mod sparse;
mod matrix;
mod dense;
mod band;
mod lu;

pub use lu::Lu;
pub use matrix::{Matrix, Structure};
pub use packed::Singular;
#[cfg(feature = "sparse")]
pub use pattern::{OutOfMatrix, Pattern};
pub(crate) use vector::{combine, weighted_rms_norm, weighted_sum, worst};
