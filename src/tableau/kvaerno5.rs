//! Kværnø 5(4).

use super::{Dense, Tableau};

/// Kværnø's ESDIRK pair of order 5(4) in seven stages, stiffly accurate and L-stable.
///
/// The abscissae follow from γ = 0.26 and a_31 = 0.13: c_3 = (3 + √3)γ. The printed decimals were
/// corrected in 50 digits by Newton's method on the order conditions of both solutions, the
/// stages' order 2 and the row sums, which moved none by more than 1e-17.
///
/// A. Kværnø, Singly diagonally implicit Runge–Kutta methods with an explicit first stage,
/// BIT 44 (2004) 489–502, [doi:10.1023/B:BITN.0000046811.70614.38](https://doi.org/10.1023/B:BITN.0000046811.70614.38).
pub const KVAERNO5: Tableau = Tableau {
    name: "kvaerno5",
    order: 5,
    embedded_order: 4,
    c: &[0.0, 0.52, 1.230333209967908, 0.8957659843500759, 0.4363936098586476, 1.0, 1.0],
    a: &[
        &[0.0],
        &[0.26, 0.26],
        &[0.13, 0.8403332099679081, 0.26],
        &[0.22371961478320507, 0.476755323197997, -0.06470895363112615, 0.26],
        &[
            0.16648564323248322,
            0.10450018841591721,
            0.03631482272098715,
            -0.13090704451073998,
            0.26,
        ],
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
    dense: Dense::Hermite,
};
