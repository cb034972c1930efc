//! Linear algebra of implicit steps: J as a [`Matrix`], and the factors [`Lu`] of I − cJ.

mod band;
mod dense;
mod lu;
mod matrix;
#[cfg(feature = "sparse")]
mod pattern;
#[cfg(feature = "sparse")]
mod sparse;
#[cfg(feature = "sparse")]
mod symbolic;
mod vector;

pub use lu::{Lu, Singular};
pub use matrix::{Matrix, Structure};
#[cfg(feature = "sparse")]
pub use pattern::{OutOfMatrix, Pattern};
pub(crate) use vector::{combine, weighted_rms_norm, weighted_sum, worst};
