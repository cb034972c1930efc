//! Loops that the compiler vectorises, to be inlined where the processor's instructions are known.

mod product;
mod tanh;

pub use product::{Left, add_product, dot};
pub use tanh::{mul_add, tanh};

/// Σ_i x_i, entry i joining partial sum i mod 8.
#[inline(always)]
pub fn sum(x: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let (chunks, rest) = x.as_chunks::<8>();
    for chunk in chunks {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane += x;
        }
    }
    for (lane, x) in lanes.iter_mut().zip(rest) {
        *lane += x;
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}
