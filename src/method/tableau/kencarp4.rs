//! Kennedy–Carpenter 4(3).

use super::{Dense, Tableau};

/// The implicit part of Kennedy and Carpenter's ARK4(3)6L\[2\]SA: an ESDIRK pair of order 4(3) in
/// six stages, stiffly accurate and L-stable. The embedded solution is A-stable with
/// R̂(∞) = -0.15.
///
/// The interpolant is derived here: the one of order 4 with Σ b_i(θ) r_i = 0, where r_i is the
/// limit of Y_i/y_n on y' = λy as hλ → −∞, so that it stays within 3.3 |y_n| there, where Hermite's
/// grows with λ as f(t_n, y_n) does. Its slope at θ = 1 is the last stage; at θ = 0 it is
/// f(t_n, y_n) to O(h⁴) alone.
///
/// C. A. Kennedy, M. H. Carpenter, Additive Runge–Kutta schemes for
/// convection–diffusion–reaction equations, Appl. Numer. Math. 44 (2003) 139–181,
/// [doi:10.1016/S0168-9274(02)00138-1](https://doi.org/10.1016/S0168-9274(02)00138-1).
pub const KENCARP4: Tableau = Tableau {
    name: "kencarp4",
    order: 4,
    embedded_order: 3,
    c: &[0.0, 0.5, 0.332, 0.62, 0.85, 1.0],
    a: &[
        &[0.0],
        &[0.25, 0.25],
        &[8611.0 / 62500.0, -1743.0 / 31250.0, 0.25],
        &[5012029.0 / 34652500.0, -654441.0 / 2922500.0, 174375.0 / 388108.0, 0.25],
        &[
            15267082809.0 / 155376265600.0,
            -71443401.0 / 120774400.0,
            730878875.0 / 902184768.0,
            2285395.0 / 8070912.0,
            0.25,
        ],
        &[82889.0 / 524892.0, 0.0, 15625.0 / 83664.0, 69875.0 / 102672.0, -2260.0 / 8211.0, 0.25],
    ],
    b: &[82889.0 / 524892.0, 0.0, 15625.0 / 83664.0, 69875.0 / 102672.0, -2260.0 / 8211.0, 0.25],
    error: &[
        31666707.0 / 9881966720.0,
        0.0,
        -256875.0 / 105007616.0,
        -2768025.0 / 128864768.0,
        169839.0 / 3864644.0,
        -5247.0 / 225920.0,
    ],
    error_lower: &[],
    dense: Dense::Polynomials {
        order: 4,
        extra_c: &[],
        extra_a: &[],
        polynomials: &[
            &[2.080893593348727, -10.387222137878286, 15.163428676357077, -6.6991838366658465],
            &[8.994708994708995, -62.260336469917306, 97.53654595570764, -44.27091848049932],
            &[-7.611464376022609, 58.030587920544455, -92.47974695092508, 42.24738234692723],
            &[1.6123080186310668, -14.648494910599558, 27.182326946543256, -13.465574759265428],
            &[-7.376446230666179, 52.12923805294052, -83.23009953786253, 38.20206718459318],
            &[3.3, -22.86377245508982, 35.82754491017964, -16.01377245508982],
        ],
    },
};
