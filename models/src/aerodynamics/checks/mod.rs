//! What a flow solver is checked by: a uniform flow, a vortex, a steady flow, slow pitching.

mod free_stream;
mod patch;
mod slow_pitching;
mod steady;
mod vortex;

pub use free_stream::free_stream_residual;
pub use patch::{Patch, nodes};
pub use slow_pitching::{slow_pitching, thin_aerofoil};
pub use steady::{Steady, march, refined};
pub use vortex::vortex_order;
