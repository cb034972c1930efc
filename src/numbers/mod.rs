//! Numbers and what is made of them: scalars, vectors and matrices, bytes and seconds as texts.

pub(crate) mod bytes;
pub mod scalar;
pub mod units;

pub mod linalg;
