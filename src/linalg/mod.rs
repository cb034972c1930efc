//! Small linear algebra of implicit steps: J as a [`Matrix`], and the factors [`Lu`] of I − cJ.

mod band;
mod dense;
mod lu;
mod matrix;
mod vector;

pub use lu::{Lu, Singular};
pub use matrix::{Matrix, Structure};
pub use vector::{combine, weighted_rms_norm, weighted_sum, worst};
