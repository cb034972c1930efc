//! Trains a neural ODE of 4482 parameters to follow a spiral, by Adam.
//!
//!     cargo run --release --example neural_ode_spiral

use costate::{Error, Problem};
use costate_models::learning::neural_ode;

const STEPS: i32 = 200;
const RATE: f64 = 1e-3;

fn main() -> Result<(), Error> {
    let spiral = neural_ode::p4a();
    let mut p = spiral.p.clone();
    let (mut mean, mut square) = (vec![0.0; p.len()], vec![0.0; p.len()]);
    let mut losses = Vec::new();
    for step in 1..=STEPS {
        let problem = Problem::new(&spiral.ode, spiral.span, &p)
            .initial(&spiral.y0)
            .objective(&spiral.objective);
        let gradient = problem.rtol(1e-5).atol(1e-7).gradient()?;
        losses.push(gradient.value);
        if step % 20 == 1 {
            println!("{step:4}  loss = {:.3e}", gradient.value);
        }
        for (i, g) in gradient.wrt_params.iter().enumerate() {
            mean[i] = 0.9 * mean[i] + 0.1 * g;
            square[i] = 0.999 * square[i] + 0.001 * g * g;
            let unbiased = square[i] / (1.0 - 0.999_f64.powi(step));
            p[i] -= RATE * mean[i] / (1.0 - 0.9_f64.powi(step)) / (unbiased.sqrt() + 1e-8);
        }
    }
    let (first, last) = (losses[0], losses[losses.len() - 1]);
    println!("the loss fell {:.0} times", first / last);
    assert!(last < first / 50.0);
    Ok(())
}
