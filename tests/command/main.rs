//! The command, in processes of its own.
//!
//! They are started from a binary apart: between fork and exec a child holds its parent's locks, and
//! the tests of resumed gradients in `tests/it` must find theirs free.
#![cfg(feature = "cli")]

mod command;
mod flags;
mod resume;
#[cfg(target_os = "linux")]
mod terminal;
