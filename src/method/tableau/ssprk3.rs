//! The strong-stability-preserving method of order 3.

use super::{Dense, Tableau};

/// The three-stage method of order 3 that is a convex combination of Euler steps, so that it keeps
/// every convex bound that a step of Euler's keeps, up to the same step size.
///
/// C.-W. Shu, S. Osher, Efficient implementation of essentially non-oscillatory shock-capturing
/// schemes, J. Comput. Phys. 77 (1988) 439–471,
/// [doi:10.1016/0021-9991(88)90177-5](https://doi.org/10.1016/0021-9991(88)90177-5).
pub const SSPRK3: Tableau = Tableau {
    name: "ssprk3",
    order: 3,
    embedded_order: 0,
    c: &[0.0, 1.0, 0.5],
    a: &[&[], &[1.0], &[0.25, 0.25]],
    b: &[1.0 / 6.0, 1.0 / 6.0, 2.0 / 3.0],
    error: &[],
    error_lower: &[],
    dense: Dense::Hermite,
};
