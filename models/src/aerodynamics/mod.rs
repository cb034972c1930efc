//! Flow and the structures in it.

pub mod checks;
pub mod euler;
pub mod pitch_plunge;
pub mod wing;
pub mod typical_section;
