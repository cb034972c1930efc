//! The laws of the library, a module a subject, in one binary that is linked
//! once: `cargo test --release --test it bits::` runs one of them.

mod common;

mod adjoints;
mod allocations;
mod backsolve;
mod bits;
mod budget_schedules;
mod convergence;
mod derivatives;
mod ensemble;
mod events;
mod failures;
mod heterogeneous;
#[cfg(feature = "plot")]
mod hostile;
#[cfg(feature = "sparse")]
mod linalg;
mod model_errors;
mod models;
mod multistage;
mod parser_fuzz;
mod plans;
mod references;
mod schedules;
mod schema;
mod settings;
mod snapshots;
#[cfg(feature = "sparse")]
mod sparse;
mod stepping;
mod tiers;
mod workers;
