//! Laws of the flow around a section, in one binary that is linked once.

mod euler;
mod wing;
mod wing_implicit;
mod wing_pitching;
mod wing_steady;
