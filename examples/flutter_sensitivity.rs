//! At which velocity an airfoil begins to flutter, and what moves that velocity.
//!
//! The energy of an oscillation e^{στ} grows from one window of time to the next by
//! g = ln (E₂/E₁) = 2σΔτ, E = ∫ (α² + ξ²) dτ over the window. Flutter begins at g(U, p) = 0, which
//! Newton's method finds from ∂g/∂U; by the implicit function U* then moves with every other
//! parameter as dU*/dp = −(∂g/∂p)/(∂g/∂U). One reverse sweep gives all derivatives of an E.
//!
//!     cargo run --release --example flutter_sensitivity

use costate::adjoint::Gradient;
use costate::error::Error;
use costate::model::Model;
use costate::problem::Problem;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/models/aerodynamics/pitch_plunge.json");
    let model = Model::from_file(file)?;
    let mut p = model.nominal();
    let velocity = model.parameter_index("U").ok_or("the model has a velocity")?;
    p[model.parameter_index("ba").ok_or("the model has a cubic stiffness")?] = 0.0;

    let mut slopes = Vec::new();
    for window in [400.0, 400.0, 1600.0, 1600.0] {
        let (growth, gradient) = growth(&model, &p, window)?;
        println!("U = {:.6}  g = {growth:+.2e}", p[velocity]);
        p[velocity] -= growth / gradient[velocity];
        slopes = gradient;
    }
    println!("flutter begins at U* = {:.5}", p[velocity]);
    for (parameter, slope) in model.parameters().iter().zip(&slopes) {
        if !["U", "bx", "ba"].contains(&parameter.name.as_str()) {
            println!("  dU*/d{:<3} = {:+.4}", parameter.name, -slope / slopes[velocity]);
        }
    }
    // Lee, Jiang and Wong, J. Fluids Struct. 13 (1999) 75–101, give 6.2851.
    assert!((p[velocity] - 6.2851).abs() < 2e-4);
    Ok(())
}

/// g and its derivatives, from the second and the third window.
fn growth(model: &Model, p: &[f64], window: f64) -> Result<(f64, Vec<f64>), Error> {
    let until = |end: f64| -> Result<Gradient, Error> {
        Problem::new(model, model, model, (0.0, end), p).rtol(1e-9).atol(1e-12).gradient()
    };
    let [a, b, c] = [until(window)?, until(2.0 * window)?, until(3.0 * window)?];
    let (first, second) = (b.value - a.value, c.value - b.value);
    let slopes = (0..p.len()).map(|i| {
        let [a, b, c] = [&a, &b, &c].map(|g| g.wrt_params[i]);
        (c - b) / second - (b - a) / first
    });
    Ok(((second / first).ln(), slopes.collect()))
}
