//! The classical Runge–Kutta method.

use super::{Dense, Tableau};

/// The classical method of order 4.
///
/// W. Kutta, Beitrag zur näherungsweisen Integration totaler Differentialgleichungen, Z. Math.
/// Phys. 46 (1901) 435–453; E. Hairer, S. P. Nørsett, G. Wanner, Solving Ordinary Differential
/// Equations I (1993), §II.1, [doi:10.1007/978-3-540-78862-1](https://doi.org/10.1007/978-3-540-78862-1).
pub const RK4: Tableau = Tableau {
    name: "rk4",
    order: 4,
    embedded_order: 0,
    c: &[0.0, 0.5, 0.5, 1.0],
    a: &[&[], &[0.5], &[0.0, 0.5], &[0.0, 0.0, 1.0]],
    b: &[1.0 / 6.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 6.0],
    error: &[],
    error_lower: &[],
    dense: Dense::Hermite,
};
