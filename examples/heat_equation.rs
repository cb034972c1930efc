//! The heat equation u_t = p u_xx on 2000 points, traced: an implicit method and its adjoint solve with
//! the sparse Jacobian, and no derivative is written.
//!
//!     cargo run --release --example heat_equation

use std::f64::consts::PI;
use std::time::Instant;

use costate::{Error, Method, Model, Problem};

const POINTS: usize = 2000;
const END: f64 = 0.1;

fn main() -> Result<(), Error> {
    let (begun, dx) = (Instant::now(), 1.0 / (POINTS + 1) as f64);
    let heat = Model::trace(POINTS, 1, |_t, u, p| {
        let at = |i: usize| u.get(i).cloned().unwrap_or(0.into());
        let rate = |i: usize| &p[0] * (at(i.wrapping_sub(1)) - 2 * &u[i] + at(i + 1)) / (dx * dx);
        (0..POINTS).map(rate).collect::<Vec<_>>()
    })
    .initial(|_p| (1..=POINTS).map(|i| (PI * dx * i as f64).sin().into()))
    .terminal(|u, _p| u[POINTS / 4].clone())
    .build()?;
    println!("traced in {:.3} s", begun.elapsed().as_secs_f64());

    let kvaerno5 = Method::by_name("kvaerno5")?;
    let problem = Problem::new(&heat, (0.0, END), &[1.0]).method(kvaerno5).rtol(1e-6).atol(1e-9);
    let gradient = problem.gradient()?;
    let (stats, slope) = (gradient.stats, gradient.wrt_params[0]);
    let seconds = stats.seconds_forward + stats.seconds_reverse;
    println!("dJ/dp = {slope:.6} in {} steps, {seconds:.3} s", stats.steps);

    // The first wave decays by e^{−pκT}, κ = (2 sin(π dx / 2) / dx)².
    let kappa = (2.0 * (PI * dx / 2.0).sin() / dx).powi(2);
    assert!((slope / gradient.value + END * kappa).abs() < 1e-4);
    Ok(())
}
