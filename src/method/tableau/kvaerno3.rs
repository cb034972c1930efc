//! Kværnø 3(2).

use super::{Dense, Tableau};

/// Kværnø's ESDIRK pair of order 3(2) in four stages, stiffly accurate and L-stable.
///
/// γ is the root 0.4358… of 6γ³ − 18γ² + 9γ − 1, from which the rest follows. The embedded
/// solution is A-stable with R̂(∞) = -0.957.
///
/// The interpolant is derived here: the one of order 3 with Σ b_i(θ) r_i = 0, where r_i is the
/// limit of Y_i/y_n on y' = λy as hλ → −∞, so that it stays bounded by |y_n| there, which
/// Hermite's does not since f(t_n, y_n) grows with λ. Its slope at θ = 1 is the last stage; at
/// θ = 0 it is f(t_n, y_n) to O(h³) alone.
///
/// A. Kværnø, Singly diagonally implicit Runge–Kutta methods with an explicit first stage,
/// BIT 44 (2004) 489–502, [doi:10.1023/B:BITN.0000046811.70614.38](https://doi.org/10.1023/B:BITN.0000046811.70614.38).
pub const KVAERNO3: Tableau = Tableau {
    name: "kvaerno3",
    order: 3,
    embedded_order: 2,
    c: &[0.0, 0.871733043016918, 1.0, 1.0],
    a: &[
        &[0.0],
        &[0.435866521508459, 0.435866521508459],
        &[0.49056338842178054, 0.07357009006976042, 0.435866521508459],
        &[0.30880996997674653, 1.4905633884217806, -1.2352398799069861, 0.435866521508459],
    ],
    b: &[0.30880996997674653, 1.4905633884217806, -1.2352398799069861, 0.435866521508459],
    error: &[-0.18175341844503404, 1.4169932983520201, -1.671106401415445, 0.435866521508459],
    error_lower: &[],
    dense: Dense::Polynomials {
        order: 3,
        extra_c: &[],
        extra_a: &[],
        polynomials: &[
            &[1.0, -1.0735700900697605, 0.38238006004650693],
            &[0.0, 4.471690165265342, -2.981126776843561],
            &[1.0452602553351023, -5.796240150391163, 3.5157400151490745],
            &[-1.0452602553351023, 2.3981200751955813, -0.9169932983520201],
        ],
    },
};
