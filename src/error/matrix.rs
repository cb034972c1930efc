//! What is wrong with a matrix.

use thiserror::Error;

/// A structure that a d × d matrix cannot have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the messages say what the fields are")]
pub enum MatrixError {
    /// The pattern is that of other matrices.
    #[error(
        "the pattern of {found} x {found} matrices does not fit a {dim} x {dim} matrix: build it for {dim}"
    )]
    Pattern { dim: usize, found: usize },
    /// The entries or the factors take more memory than there is.
    #[error(
        "there is no memory for a {dim} x {dim} matrix of this structure and its factors: give a sparser one"
    )]
    TooLarge { dim: usize },
}
