//! Heun's method of order 2 with Euler embedded.

use super::{Dense, Tableau};

/// Heun's method, the explicit trapezoidal rule, whose first stage alone is Euler's.
///
/// E. Hairer, S. P. Nørsett, G. Wanner, Solving Ordinary Differential Equations I (1993), §II.1,
/// [doi:10.1007/978-3-540-78862-1](https://doi.org/10.1007/978-3-540-78862-1).
pub const HEUN: Tableau = Tableau {
    name: "heun",
    order: 2,
    embedded_order: 1,
    c: &[0.0, 1.0],
    a: &[&[], &[1.0]],
    b: &[0.5, 0.5],
    error: &[-0.5, 0.5],
    error_lower: &[],
    dense: Dense::Hermite,
};
