//! Butcher coefficients as constants, each with its reference.
//!
//! ```
//! use costate::method::tableau::{self, TSIT5};
//!
//! let tableau = tableau::by_name("tsit5").unwrap();
//! assert_eq!(tableau.order, TSIT5.order);
//!
//! // y(t_n + θh) = y_n + h Σ b_i(θ) k_i is y_{n+1} at θ = 1.
//! let mut b = vec![0.0; tableau.dense_stages()];
//! tableau.dense_weights(1.0, &mut b);
//! approx::assert_abs_diff_eq!(b[..], tableau.b[..], epsilon = 1e-14);
//! ```

mod check;
mod dense;
mod structure;

mod bs3;
mod dop853;
mod dopri5;
mod euler;
mod heun;
mod rk4;
mod ssprk3;
mod tsit5;

mod esdirk547;
mod kencarp4;
mod kvaerno3;
mod kvaerno5;

#[cfg(test)]
mod rooted_trees;
#[cfg(test)]
mod stability_tests;
#[cfg(test)]
mod tests;

pub use bs3::BS3;
pub(crate) use check::MAX_STAGES;
pub use dop853::DOP853;
pub use dopri5::DOPRI5;
pub use esdirk547::ESDIRK547;
pub use euler::EULER;
pub use heun::HEUN;
pub use kencarp4::KENCARP4;
pub use kvaerno3::KVAERNO3;
pub use kvaerno5::KVAERNO5;
pub use rk4::RK4;
pub use ssprk3::SSPRK3;
pub use tsit5::TSIT5;

/// The explicit methods, by order.
pub const EXPLICIT: &[&Tableau] = &[&EULER, &HEUN, &BS3, &SSPRK3, &RK4, &DOPRI5, &TSIT5, &DOP853];

/// The diagonally implicit methods with an explicit first stage and one γ, by order. All are
/// stiffly accurate and L-stable; no embedded solution is L-stable, so its error wants a filter.
pub const ESDIRK: &[&Tableau] = &[&KVAERNO3, &KENCARP4, &KVAERNO5, &ESDIRK547];

/// The method of that name, or none.
pub fn by_name(name: &str) -> Option<&'static Tableau> {
    EXPLICIT.iter().chain(ESDIRK).copied().find(|tableau| tableau.name == name)
}

/// How a method reads its solution inside a step: y(t_n + θh) = y_n + h Σ b_i(θ) k_i.
#[derive(Clone, Copy, Debug)]
pub enum Dense {
    /// The cubic Hermite interpolant through both ends and their slopes, k_0 and the slope at
    /// t_{n+1}, which is the last stage where that is f(t_{n+1}, y_{n+1}) and an extra one else.
    Hermite,
    /// b_i(θ) = Σ_k `polynomials[i][k]` θ^{k+1}, over the stages and the `extra` ones behind them.
    Polynomials {
        /// The order of the interpolant: its error inside a step is O(h^{order+1}).
        order: u32,
        /// Abscissae of the stages that only the interpolant needs.
        extra_c: &'static [f64],
        /// Their rows of a, each as long as the stages before it.
        extra_a: &'static [&'static [f64]],
        /// One row for each stage, the extra ones last.
        polynomials: &'static [&'static [f64]],
    },
}

/// A Runge–Kutta method Y_i = y_n + h Σ_j a_ij k_j, k_i = f(t_n + c_i h, Y_i),
/// y_{n+1} = y_n + h Σ b_i k_i.
#[derive(Clone, Copy, Debug)]
pub struct Tableau {
    /// The method's name in commands and files.
    pub name: &'static str,
    /// The order of y_{n+1}.
    pub order: u32,
    /// The order of the embedded solution; 0 where there is none. The error estimate is
    /// O(h^{embedded_order+1}), with `error_lower` joined to it where that is given.
    pub embedded_order: u32,
    /// s abscissae.
    pub c: &'static [f64],
    /// Row i holds a_ij for j < i (explicit) or j ≤ i (diagonally implicit, row 0 being the single 0).
    pub a: &'static [&'static [f64]],
    /// s weights.
    pub b: &'static [f64],
    /// b_i − b̂_i, whose h Σ (b_i − b̂_i) k_i estimates the local error; empty where there is none.
    pub error: &'static [f64],
    /// A second, lower-order estimate that DOP853 combines with the first; empty elsewhere.
    pub error_lower: &'static [f64],
    /// The interpolant.
    pub dense: Dense,
}
