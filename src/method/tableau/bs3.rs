//! Bogacki–Shampine 3(2).

use super::{Dense, Tableau};

/// Bogacki and Shampine's pair of order 3(2), whose last stage is the next step's first.
///
/// P. Bogacki, L. F. Shampine, A 3(2) pair of Runge–Kutta formulas, Appl. Math. Lett. 2 (1989)
/// 321–325, [doi:10.1016/0893-9659(89)90079-7](https://doi.org/10.1016/0893-9659(89)90079-7).
pub const BS3: Tableau = Tableau {
    name: "bs3",
    order: 3,
    embedded_order: 2,
    c: &[0.0, 0.5, 0.75, 1.0],
    a: &[&[], &[0.5], &[0.0, 0.75], &[2.0 / 9.0, 1.0 / 3.0, 4.0 / 9.0]],
    b: &[2.0 / 9.0, 1.0 / 3.0, 4.0 / 9.0, 0.0],
    error: &[-5.0 / 72.0, 1.0 / 12.0, 1.0 / 9.0, -1.0 / 8.0],
    error_lower: &[],
    dense: Dense::Hermite,
};
