//! Small linear algebra of implicit steps.

mod matrix;

pub use matrix::{Matrix, Structure};
