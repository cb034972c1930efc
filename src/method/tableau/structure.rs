//! What a tableau's shape says about its method.

use super::{Dense, Tableau};

impl Tableau {
    /// Bound on the negative real axis up to which |hλ| is taken for stable: DOP853's, and below
    /// that of every pair of order 5 here (Hairer & Wanner, Solving ODEs II, section IV.2).
    pub(crate) fn real_stability(&self) -> f64 {
        if self.order >= 8 { 6.1 } else { 3.25 }
    }

    /// The number s of stages a step takes, an evaluation at its end included where it has one.
    pub const fn stages(&self) -> usize {
        self.b.len()
    }

    /// Stages beyond [`stages`](Self::stages) that only the interpolant needs. For
    /// [`Dense::Hermite`] without a stage at t_{n+1} it is f(t_{n+1}, y_{n+1}), whose row is b.
    pub fn extra_stages(&self) -> usize {
        match self.dense {
            Dense::Hermite => usize::from(!self.ends_in_solution()),
            Dense::Polynomials { extra_c, .. } => extra_c.len(),
        }
    }

    /// The number of weights b_i(θ): [`stages`](Self::stages) + [`extra_stages`](Self::extra_stages).
    pub fn dense_stages(&self) -> usize {
        self.stages() + self.extra_stages()
    }

    /// Whether all stages lie inside the step: 0 ≤ c_i ≤ 1.
    pub fn stays_inside(&self) -> bool {
        self.c.iter().all(|c| (0.0..=1.0).contains(c))
    }

    /// Row `i` of a, over the stages and the extra ones behind them.
    ///
    /// # Panics
    /// Where `i` is not below [`dense_stages`](Self::dense_stages).
    pub fn row(&self, i: usize) -> &'static [f64] {
        match (i.checked_sub(self.stages()), self.dense) {
            (None, _) => self.a.get(i).copied().unwrap_or_default(),
            (Some(e), Dense::Polynomials { extra_a, .. }) => extra_a[e],
            (Some(e), Dense::Hermite) => [self.b][..self.extra_stages()][e],
        }
    }

    /// c_i, over the stages and the extra ones behind them.
    ///
    /// # Panics
    /// Where `i` is not below [`dense_stages`](Self::dense_stages).
    pub fn abscissa(&self, i: usize) -> f64 {
        match (i.checked_sub(self.stages()), self.dense) {
            (None, _) => self.c.get(i).copied().unwrap_or(f64::NAN),
            (Some(e), Dense::Polynomials { extra_c, .. }) => extra_c[e],
            (Some(e), Dense::Hermite) => [1.0][..self.extra_stages()][e],
        }
    }

    /// Whether no stage depends on itself.
    pub fn is_explicit(&self) -> bool {
        self.a.iter().enumerate().all(|(i, row)| row.len() <= i)
    }

    /// The coefficient γ on the diagonal of a diagonally implicit method; none for an explicit one.
    pub fn gamma(&self) -> Option<f64> {
        let last = self.stages().checked_sub(1)?;
        self.a.get(last)?.get(last).copied()
    }

    /// Whether an explicit method's last stage is f(t_{n+1}, y_{n+1}), the next step's first.
    pub fn first_same_as_last(&self) -> bool {
        self.is_explicit() && self.ends_in_solution()
    }

    /// Whether an implicit method's last stage is y_{n+1}: a_{s,j} = b_j.
    pub fn stiffly_accurate(&self) -> bool {
        !self.is_explicit() && self.ends_in_solution()
    }

    /// The order q of the interpolant, whose error inside a step is O(h^{q+1}).
    pub fn dense_order(&self) -> u32 {
        match self.dense {
            Dense::Hermite => self.order.min(3),
            Dense::Polynomials { order, .. } => order,
        }
    }

    /// Whether the last stage is y_{n+1}: its row is b.
    fn ends_in_solution(&self) -> bool {
        let (Some(row), Some(&c)) = (self.a.last(), self.c.last()) else { return false };
        let (head, tail) = self.b.split_at(row.len().min(self.b.len()));
        c == 1.0 && *row == head && tail.iter().all(|&b| b == 0.0)
    }
}
