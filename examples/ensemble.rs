//! One gradient of a sum over many runs, on all cores and with the same bits as on one.
//!
//!     cargo run --release --example ensemble

use costate::problem::ensemble;
use costate::{Error, Gradient, Model, Problem};

fn main() -> Result<(), Error> {
    let pendulum =
        Model::trace(2, 2, |_t, y, p| [y[1].clone(), -(&p[0] * y[0].sin()) - &p[1] * &y[1]])
            .initial(|_p| [0.0.into(), 0.0.into()])
            .terminal(|y, _p| y[0].powi(2))
            .build()?;
    let starts: Vec<[f64; 2]> = (1..=64).map(|i| [0.04 * f64::from(i), 0.0]).collect();
    let gradient = |y0: &[f64; 2]| {
        Problem::new(&pendulum, (0.0, 10.0), &[1.0, 0.1]).initial(y0).rtol(1e-8).gradient()
    };
    let sum = ensemble::sum(&ensemble::gradients(&starts, gradient)?)?;
    println!("J = {:.6}, dJ/dp = {:.6?}, {} steps", sum.value, sum.wrt_params, sum.stats.steps);

    let one_by_one: Vec<Gradient> = starts.iter().map(gradient).collect::<Result<_, _>>()?;
    let alone = ensemble::sum(&one_by_one)?;
    assert_eq!((alone.value, alone.wrt_params), (sum.value, sum.wrt_params));
    Ok(())
}
