//! Flow and the structures in it.

pub mod pitch_plunge;
pub mod typical_section;
