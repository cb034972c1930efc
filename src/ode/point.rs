//! Names for what the functions of a model are given and add to.

/// A point of evaluation: time, state (d) and parameters (m).
#[derive(Clone, Copy, Debug)]
pub struct At<'a, S = f64> {
    /// Time t.
    pub t: f64,
    /// State y (d).
    pub y: &'a [S],
    /// Parameters p (m).
    pub p: &'a [S],
}

/// Derivatives of J by a state, the parameters and a time, to which products are added.
#[derive(Debug)]
pub struct Bars<'a, S = f64> {
    /// ∂J/∂y (d).
    pub y: &'a mut [S],
    /// ∂J/∂p (m).
    pub p: &'a mut [S],
    /// ∂J/∂t.
    pub t: &'a mut S,
}

impl<S> Bars<'_, S> {
    /// The same bars, to be added to for a shorter while.
    pub fn reborrow(&mut self) -> Bars<'_, S> {
        Bars { y: self.y, p: self.p, t: self.t }
    }
}

/// A direction in state and parameters.
#[derive(Clone, Copy, Debug)]
pub struct Dots<'a, S = f64> {
    /// Direction of the state (d).
    pub y: &'a [S],
    /// Direction of the parameters (m).
    pub p: &'a [S],
}

/// Scratch for a Jacobian that is taken row by row, each a transposed product.
pub struct Rows<'a, S = f64> {
    /// The product's direction (d).
    pub w: &'a mut [S],
    /// f_yᵀ w (d).
    pub y_bar: &'a mut [S],
    /// f_pᵀ w (m), of which nothing is used.
    pub p_bar: &'a mut [S],
}
