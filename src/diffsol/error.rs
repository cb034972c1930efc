//! Why diffsol's equations cannot be taken over.

use ::diffsol::error::DiffsolError;

/// What a diffsol problem has that a model here has not.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the messages say what the fields are")]
pub enum AdapterError {
    /// M y' = f instead of y' = f.
    #[error(
        "the diffsol problem has a mass matrix, and only y' = f(t, y, p) can be differentiated \
         here: multiply the rates by its inverse, or leave `mass` out"
    )]
    MassMatrix,
    /// Events.
    #[error(
        "the diffsol problem has a {what} function, and events are not taken over: leave `{what}` \
         out and split the time span at the events"
    )]
    Events { what: &'static str },
    /// Several problems in one.
    #[error(
        "the diffsol problem has a context of {batches} batches, and a model has 1: make an \
         adapter for each"
    )]
    Batches { batches: usize },
    /// diffsol could not build the problem.
    #[error("diffsol cannot build the problem: {0}")]
    Build(#[from] DiffsolError),
}
