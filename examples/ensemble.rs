//! One gradient of a sum over many runs, on all cores and with the same bits on one.
//!
//!     cargo run --release --example ensemble

use costate::ensemble::{self, Sum};
use costate::error::Error;
use costate::model::Model;
use costate::problem::Problem;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pendulum =
        Model::trace(2, 2, |_t, y, p| [y[1].clone(), -(&p[0] * y[0].sin()) - &p[1] * &y[1]])
            .initial(|_p| [0.0.into(), 0.0.into()])
            .terminal(|y, _p| y[0].powi(2))
            .build()?;
    let starts: Vec<Vec<f64>> = (1..=64).map(|i| vec![0.04 * f64::from(i), 0.0]).collect();
    let total = || -> Result<Sum, Error> {
        let members = ensemble::gradients(&starts, |y0| {
            Problem::new(&pendulum, y0, &pendulum, (0.0, 10.0), &[1.0, 0.1]).rtol(1e-8).gradient()
        })?;
        ensemble::sum(&members)
    };
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build()?.install(total)?;
    let many = rayon::ThreadPoolBuilder::new().num_threads(4).build()?.install(total)?;
    println!("J = {:.6}, dJ/dp = {:.6?}, {} steps", many.value, many.wrt_params, many.stats.steps);
    assert_eq!((one.value, one.wrt_params), (many.value, many.wrt_params));
    Ok(())
}
