//! Fits the four rates of Lotka and Volterra's equations to observations: an optimiser from
//! elsewhere asks for J and dJ/dp, and has them.
//!
//!     cargo run --release --example fit_lotka_volterra

use costate::model::ModelBuilder;
use costate::{Error, Model, Problem};
use slsqp::{Func, StopTols, minimize};

const TRUE: [f64; 4] = [1.5, 1.0, 3.0, 1.0];
const SPAN: (f64, f64) = (0.0, 10.0);

fn lotka_volterra() -> ModelBuilder {
    Model::trace(2, 4, |_t, y, p| {
        [&p[0] * &y[0] - &p[1] * &y[0] * &y[1], &p[3] * &y[0] * &y[1] - &p[2] * &y[1]]
    })
    .initial(|_p| [1.0.into(), 1.0.into()])
}

fn main() -> Result<(), Error> {
    let times: Vec<f64> = (0..=40).map(|i| 0.25 * f64::from(i)).collect();
    let model = lotka_volterra().build()?;
    let truth = Problem::new(&model, SPAN, &TRUE).rtol(1e-10).atol(1e-12);
    let states = truth.solve(&times)?.states;
    let data = |k: usize| states.iter().map(|y| y[k]).collect::<Vec<f64>>();

    let model = lotka_volterra()
        .observe(&times, &data(0), 0.1, |_t, y, _p| y[0].clone())
        .observe(&times, &data(1), 0.1, |_t, y, _p| y[1].clone())
        .build()?;
    let cost = |p: &[f64], slope: Option<&mut [f64]>, _: &mut ()| {
        let gradient = Problem::new(&model, SPAN, p).rtol(1e-8).atol(1e-10).gradient();
        // Where the model cannot be solved the fit is as bad as can be.
        let Ok(gradient) = gradient else { return f64::INFINITY };
        println!("J = {:.3e}", gradient.value);
        if let Some(slope) = slope {
            slope.copy_from_slice(&gradient.wrt_params);
        }
        gradient.value
    };
    let (start, bounds, constraints) =
        ([1.3, 0.8, 2.6, 1.2], [(0.1, 10.0); 4], [] as [&dyn Func<()>; 0]);
    let stop = StopTols { xtol_rel: 1e-8, ..StopTols::default() };
    let (Ok((_, fitted, _)) | Err((_, fitted, _))) =
        minimize(cost, &start, &bounds, &constraints, (), 100, Some(stop));
    println!("fitted {fitted:.6?}");
    for (fitted, truth) in fitted.iter().zip(TRUE) {
        assert!((fitted / truth - 1.0).abs() < 1e-5);
    }
    Ok(())
}
