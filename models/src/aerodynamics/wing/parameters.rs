//! The places of the parameters in p.

use std::ops::Range;

/// M, the Mach number of the free stream.
pub const MACH: usize = 0;
/// α, the mean angle of attack, in radians.
pub const ALPHA: usize = 1;
/// A, the amplitude of pitching, in radians.
pub const PITCH: usize = 2;
/// k = ωc/2U, the reduced frequency of both motions.
pub const FREQUENCY: usize = 3;
/// The amplitude of plunging, in chords.
pub const PLUNGE: usize = 4;
/// The largest thickness, in chords.
pub const THICKNESS: usize = 5;
/// The largest camber, in chords.
pub const CAMBER: usize = 6;
/// Where the largest camber is, in chords behind the leading edge.
pub const CAMBER_PLACE: usize = 7;
/// Bumps on each surface.
pub const BUMPS: usize = 11;
/// The heights of the bumps on the upper surface, upward, in chords.
pub const UPPER: Range<usize> = 8..8 + BUMPS;
/// The heights of the bumps on the lower surface, downward, in chords.
pub const LOWER: Range<usize> = UPPER.end..UPPER.end + BUMPS;
/// m
pub const NUM_PARAMS: usize = LOWER.end;
/// Those that the shape depends on.
pub const SHAPE: Range<usize> = THICKNESS..NUM_PARAMS;
/// How many the shape depends on.
pub const NUM_SHAPE: usize = SHAPE.end - SHAPE.start;

/// The name of each parameter, in the order of p.
pub fn names() -> Vec<String> {
    let mut names: Vec<String> =
        ["mach", "alpha", "pitch", "frequency", "plunge", "thickness", "camber", "camber_place"]
            .map(String::from)
            .into();
    for surface in ["upper", "lower"] {
        names.extend((1..=BUMPS).map(|k| format!("{surface}_{k}")));
    }
    names
}

/// A section of thickness `thickness` without camber and bumps at rest.
pub fn symmetric(mach: f64, alpha: f64, thickness: f64) -> Vec<f64> {
    let mut p = vec![0.0; NUM_PARAMS];
    (p[MACH], p[ALPHA], p[THICKNESS], p[CAMBER_PLACE]) = (mach, alpha, thickness, 0.4);
    p
}
