//! The real numbers that states and parameters are made of: `f64`, or `f32` with explicit methods.

use std::fmt::{Debug, Display, LowerExp};

use num_traits::{Float, NumAssign};

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// `f32` or `f64`.
pub trait Scalar:
    sealed::Sealed
    + Float
    + NumAssign
    + std::iter::Sum
    + Default
    + Debug
    + Display
    + LowerExp
    + Send
    + Sync
    + 'static
{
    /// Bytes of one number in memory and in a snapshot file.
    const BYTES: usize;
    /// The nearest number of this type.
    fn of(x: f64) -> Self;
    /// The same number as `f64`.
    fn to_f64(self) -> f64;
    /// The bit pattern, so that equality of bits can be asked for (-0 differs from 0).
    fn bits(self) -> u64;
    /// Writes the number, little endian, to the first [`BYTES`](Self::BYTES) bytes of `out`.
    fn write_le(self, out: &mut [u8]);
    /// Reads what [`write_le`](Self::write_le) wrote.
    fn read_le(bytes: &[u8]) -> Self;
}

impl Scalar for f64 {
    const BYTES: usize = 8;
    fn of(x: f64) -> Self {
        x
    }
    fn to_f64(self) -> f64 {
        self
    }
    fn bits(self) -> u64 {
        self.to_bits()
    }
    fn write_le(self, out: &mut [u8]) {
        out[..8].copy_from_slice(&self.to_le_bytes());
    }
    fn read_le(bytes: &[u8]) -> Self {
        let mut b = [0; 8];
        b.copy_from_slice(&bytes[..8]);
        f64::from_le_bytes(b)
    }
}

impl Scalar for f32 {
    const BYTES: usize = 4;
    fn of(x: f64) -> Self {
        x as f32
    }
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
    fn bits(self) -> u64 {
        u64::from(self.to_bits())
    }
    fn write_le(self, out: &mut [u8]) {
        out[..4].copy_from_slice(&self.to_le_bytes());
    }
    fn read_le(bytes: &[u8]) -> Self {
        let mut b = [0; 4];
        b.copy_from_slice(&bytes[..4]);
        f32::from_le_bytes(b)
    }
}

/// Whether two slices hold the same bits (a NaN equals itself, -0 differs from 0).
pub fn same_bits<S: Scalar>(a: &[S], b: &[S]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(x, y)| x.bits() == y.bits())
}
