//! What steps and their adjoints cost.

use std::ops::{Add, Sub};

/// What steps and their adjoints cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Evaluations of f.
    pub rhs: u64,
    /// Transposed derivative products.
    pub vjp: u64,
    /// Jacobians.
    pub jacobians: u64,
    /// Factorisations of I − hγJ.
    pub factorizations: u64,
}

impl Add for Counts {
    type Output = Counts;

    fn add(self, other: Counts) -> Counts {
        Counts {
            rhs: self.rhs + other.rhs,
            vjp: self.vjp + other.vjp,
            jacobians: self.jacobians + other.jacobians,
            factorizations: self.factorizations + other.factorizations,
        }
    }
}

impl Sub for Counts {
    type Output = Counts;

    fn sub(self, other: Counts) -> Counts {
        Counts {
            rhs: self.rhs - other.rhs,
            vjp: self.vjp - other.vjp,
            jacobians: self.jacobians - other.jacobians,
            factorizations: self.factorizations - other.factorizations,
        }
    }
}
