//! Kværnø 5(4).

use super::{Dense, Tableau};

/// Kværnø's ESDIRK pair of order 5(4) in seven stages, stiffly accurate and L-stable.
///
/// The abscissae follow from γ = 0.26 and a_31 = 0.13: c_3 = (3 + √3)γ. The printed decimals were
/// corrected in 50 digits by Newton's method on the order conditions of both solutions, the
/// stages' order 2, the row sums and R(∞) = 0, which moved none by more than 1e-17. The embedded
/// solution is A-stable with R̂(∞) = -0.748.
///
/// The interpolant is derived here: of order 4, its slope at θ = 1 is the last stage, and
/// Σ b_i(θ) r_i = 0 with r_i the limit of Y_i/y_n on y' = λy as hλ → −∞, so that it stays bounded
/// by |y_n| there, which Hermite's does not since f(t_n, y_n) grows with λ. Its slope at θ = 0 is
/// f(t_n, y_n) to O(h⁴) alone. Two parameters are left, set to minimise the error at order 5.
///
/// A. Kværnø, Singly diagonally implicit Runge–Kutta methods with an explicit first stage,
/// BIT 44 (2004) 489–502, [doi:10.1023/B:BITN.0000046811.70614.38](https://doi.org/10.1023/B:BITN.0000046811.70614.38).
pub const KVAERNO5: Tableau = Tableau {
    name: "kvaerno5",
    order: 5,
    embedded_order: 4,
    c: &[0.0, 0.52, 1.230333209967908, 0.8957659843500759, 0.43639360985864756, 1.0, 1.0],
    a: &[
        &[0.0],
        &[0.26, 0.26],
        &[0.13, 0.8403332099679081, 0.26],
        &[0.22371961478320507, 0.476755323197997, -0.06470895363112615, 0.26],
        &[0.16648564323248322, 0.1045001884159172, 0.03631482272098715, -0.13090704451073998, 0.26],
        &[
            0.13855640231268224,
            0.0,
            -0.04245337201752043,
            0.02446657898003142,
            0.6194303907248068,
            0.26,
        ],
        &[
            0.13659751177640292,
            0.0,
            -0.054969087965383766,
            -0.04118626728321047,
            0.629933048990164,
            0.06962479448202728,
            0.26,
        ],
    ],
    b: &[
        0.13659751177640292,
        0.0,
        -0.054969087965383766,
        -0.04118626728321047,
        0.629933048990164,
        0.06962479448202728,
        0.26,
    ],
    error: &[
        -0.001958890536279335,
        0.0,
        -0.012515715947863337,
        -0.06565284626324189,
        0.01050265826535727,
        -0.1903752055179727,
        0.26,
    ],
    error_lower: &[],
    dense: Dense::Polynomials {
        order: 4,
        extra_c: &[],
        extra_a: &[],
        polynomials: &[
            &[0.9843908938820172, -2.072264126477416, 1.7377456184143927, -0.5132748740425906],
            &[0.0, 0.0, 0.0, 0.0],
            &[-0.09972948194634111, 0.8412769276819136, -1.603241761386339, 0.8067252276853828],
            &[-0.5231442111191149, -0.674178196895503, 2.7530439580155086, -1.5969078172841014],
            &[0.08368875358203962, 3.258143403888356, -4.247620872562175, 1.535721764081943],
            &[-0.18060863670952285, -0.2626004550942751, 1.345525998245228, -0.8326921119594026],
            &[0.735402682310922, -1.090377553103075, 0.014547059273384169, 0.6004278115187689],
        ],
    },
};
