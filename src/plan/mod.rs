//! Plans: what a gradient costs in memory, on disk and on cores, and what it costs against them.

pub mod budget;

pub mod curve;
