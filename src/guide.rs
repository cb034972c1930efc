//! The pages of `docs/`. Their examples are tested.
//!
//! A page names what it links to, `[text][adjoints]`, and defines the name for who reads the file.
//! Of two definitions the first counts, so those here, which are rustdoc's, stand in front.

#[doc = "[model]: crate::model"]
#[doc = include_str!("../docs/tutorial.md")]
pub mod tutorial {}
#[doc = include_str!("../docs/methods.md")]
pub mod methods {}
#[doc = include_str!("../docs/adjoints.md")]
pub mod adjoints {}
#[doc = "[budgets]: crate::guide::budgets"]
#[doc = "[disk]: crate::guide::disk"]
#[doc = "[workers]: crate::guide::workers"]
#[doc = include_str!("../docs/checkpointing.md")]
pub mod checkpointing {}
#[doc = "[adjoints]: crate::guide::adjoints"]
#[doc = "[checkpointing]: crate::guide::checkpointing"]
#[doc = "[disk]: crate::guide::disk"]
#[doc = "[workers]: crate::guide::workers"]
#[doc = include_str!("../docs/budgets.md")]
pub mod budgets {}
#[doc = include_str!("../docs/disk.md")]
pub mod disk {}
#[doc = "[figures]: crate::guide::figures"]
#[doc = include_str!("../docs/workers.md")]
pub mod workers {}
#[doc = include_str!(concat!(env!("OUT_DIR"), "/pictures.md"))]
#[doc = include_str!("../docs/wing.md")]
pub mod wing {}
#[doc = include_str!("../docs/figures.md")]
pub mod figures {}
#[doc = include_str!("../docs/notation.md")]
pub mod notation {}
#[doc = include_str!("../docs/design.md")]
pub mod design {}
#[doc = include_str!("../docs/references.md")]
pub mod references {}

/// The README's program, run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub mod readme {}
