//! Explicit Euler.

use super::{Dense, Tableau};

/// The explicit Euler method y_{n+1} = y_n + h f(t_n, y_n).
///
/// L. Euler, Institutionum calculi integralis I (1768), §650; E. Hairer, S. P. Nørsett, G. Wanner,
/// Solving Ordinary Differential Equations I (1993), §I.7,
/// [doi:10.1007/978-3-540-78862-1](https://doi.org/10.1007/978-3-540-78862-1).
pub const EULER: Tableau = Tableau {
    name: "euler",
    order: 1,
    embedded_order: 0,
    c: &[0.0],
    a: &[&[]],
    b: &[1.0],
    error: &[],
    error_lower: &[],
    dense: Dense::Hermite,
};
