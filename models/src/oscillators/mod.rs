//! Oscillators.

pub mod van_der_pol;
