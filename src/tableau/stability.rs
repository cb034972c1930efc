//! The stability function R(z) of a method and of its embedded one.

use super::Tableau;

/// So far to the left that R(z) is R(−∞) to six digits.
const FAR_LEFT: f64 = -1e7;

impl Tableau {
    /// Whether the embedded solution damps the stiffest components: R̂(−∞) = 0. Where it does not,
    /// the error estimate is filtered by (I − hγJ)⁻¹.
    pub fn embedded_l_stable(&self) -> bool {
        let weights: Vec<f64> = self.b.iter().zip(self.error).map(|(b, e)| b - e).collect();
        self.stability(&weights, FAR_LEFT).abs() < 1e-3
    }

    /// R(z) = 1 + z bᵀ(I − zA)⁻¹𝟙 for the weights b (Hairer & Wanner, Solving ODEs II, eq. IV.3.2).
    fn stability(&self, weights: &[f64], z: f64) -> f64 {
        let mut g: Vec<f64> = Vec::with_capacity(self.stages());
        for (i, row) in self.a.iter().enumerate() {
            let sum: f64 = row.iter().zip(&g).map(|(a, g)| a * g).sum();
            let diagonal = row.get(i).copied().unwrap_or(0.0);
            g.push((1.0 + z * sum) / (1.0 - z * diagonal));
        }
        1.0 + z * weights.iter().zip(&g).map(|(b, g)| b * g).sum::<f64>()
    }
}
