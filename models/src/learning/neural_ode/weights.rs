//! The parameter vector's parts.

/// Units of each hidden layer.
pub const HIDDEN: usize = 64;
/// Parameters in all.
pub const NUM_PARAMS: usize = HIDDEN * HIDDEN + 6 * HIDDEN + 2;

/// W₁ (64×2), b₁, W₂ (64×64), b₂, W₃ (2×64), b₃, matrices by rows.
pub struct Weights<'a> {
    pub w1: &'a [f64],
    pub b1: &'a [f64],
    pub w2: &'a [f64],
    pub b2: &'a [f64],
    pub w3: &'a [f64],
    pub b3: &'a [f64],
}

impl<'a> Weights<'a> {
    #[inline]
    pub fn of(p: &'a [f64]) -> Self {
        let (w1, p) = p.split_at(2 * HIDDEN);
        let (b1, p) = p.split_at(HIDDEN);
        let (w2, p) = p.split_at(HIDDEN * HIDDEN);
        let (b2, p) = p.split_at(HIDDEN);
        let (w3, b3) = p.split_at(2 * HIDDEN);
        Weights { w1, b1, w2, b2, w3, b3 }
    }
}

/// The same parts of the derivative.
pub struct WeightsBar<'a> {
    pub w1: &'a mut [f64],
    pub b1: &'a mut [f64],
    pub w2: &'a mut [f64],
    pub b2: &'a mut [f64],
    pub w3: &'a mut [f64],
    pub b3: &'a mut [f64],
}

impl<'a> WeightsBar<'a> {
    #[inline]
    pub fn of(p: &'a mut [f64]) -> Self {
        let (w1, p) = p.split_at_mut(2 * HIDDEN);
        let (b1, p) = p.split_at_mut(HIDDEN);
        let (w2, p) = p.split_at_mut(HIDDEN * HIDDEN);
        let (b2, p) = p.split_at_mut(HIDDEN);
        let (w3, b3) = p.split_at_mut(2 * HIDDEN);
        WeightsBar { w1, b1, w2, b2, w3, b3 }
    }
}
