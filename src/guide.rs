//! The pages of `docs/`: tutorial, adjoints, checkpointing, choosing a method, the wing, notation,
//! design, references. Their examples are tested.
//!
//! A page names what it links to, `[text][adjoints]`, and defines the name for who reads the file.
//! Of two definitions the first counts, so those here, which are rustdoc's, stand in front.

#[doc = include_str!("../docs/tutorial.md")]
pub mod tutorial {}
#[doc = include_str!("../docs/adjoints.md")]
pub mod adjoints {}
#[doc = "[adjoints]: crate::guide::adjoints"]
#[doc = include_str!("../docs/checkpointing.md")]
pub mod checkpointing {}
#[doc = include_str!("../docs/methods.md")]
pub mod methods {}
#[doc = include_str!(concat!(env!("OUT_DIR"), "/pictures.md"))]
#[doc = include_str!("../docs/wing.md")]
pub mod wing {}
#[doc = include_str!("../docs/notation.md")]
pub mod notation {}
#[doc = include_str!("../docs/design.md")]
pub mod design {}
#[doc = include_str!("../docs/references.md")]
pub mod references {}

/// The README's example, run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub mod readme {}
