//! Fits the four rates of Lotka and Volterra's equations to observations, by BFGS with exact
//! gradients.
//!
//!     cargo run --release --example fit_lotka_volterra

use costate::error::Error;
use costate::model::{Model, ModelBuilder};
use costate::problem::Problem;

const TRUE: [f64; 4] = [1.5, 1.0, 3.0, 1.0];
const SPAN: (f64, f64) = (0.0, 10.0);

fn lotka_volterra() -> ModelBuilder {
    Model::trace(2, 4, |_t, y, p| {
        [&p[0] * &y[0] - &p[1] * &y[0] * &y[1], &p[3] * &y[0] * &y[1] - &p[2] * &y[1]]
    })
    .initial(|_p| [1.0.into(), 1.0.into()])
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let times: Vec<f64> = (0..=40).map(|i| 0.25 * f64::from(i)).collect();
    let model = lotka_volterra().build()?;
    let truth = Problem::new(&model, &model, &model, SPAN, &TRUE).rtol(1e-10).atol(1e-12);
    let states = truth.solve(&times)?.states;
    let data = |k: usize| states.iter().map(|y| y[k]).collect::<Vec<f64>>();

    let model = lotka_volterra()
        .observe(&times, &data(0), 0.1, |_t, y, _p| y[0].clone())
        .observe(&times, &data(1), 0.1, |_t, y, _p| y[1].clone())
        .build()?;
    let gradient = |p: &[f64]| -> Result<(f64, Vec<f64>), Error> {
        let problem = Problem::new(&model, &model, &model, SPAN, p).rtol(1e-8).atol(1e-10);
        problem.gradient().map(|g| (g.value, g.wrt_params))
    };
    let fitted = bfgs(gradient, vec![1.3, 0.8, 2.6, 1.2])?;
    println!("fitted {fitted:.6?}");
    for (fitted, truth) in fitted.iter().zip(TRUE) {
        assert!((fitted / truth - 1.0).abs() < 1e-5);
    }
    Ok(())
}

/// Minimises a function by BFGS with halved steps: `h` approximates the inverse Hessian.
fn bfgs(
    f: impl Fn(&[f64]) -> Result<(f64, Vec<f64>), Error>,
    mut x: Vec<f64>,
) -> Result<Vec<f64>, Error> {
    let n = x.len();
    let (mut value, mut g) = f(&x)?;
    let mut h: Vec<Vec<f64>> = unit(n, 0.1 / norm(&g));
    for iteration in 0..100 {
        println!("{iteration:3}  J = {value:.3e}");
        let d: Vec<f64> = h.iter().map(|row| -dot(row, &g)).collect();
        let (mut step, mut trial) = (1.0, f(&moved(&x, 1.0, &d)));
        while !matches!(&trial, Ok((v, _)) if *v <= value + 1e-4 * step * dot(&d, &g)) {
            step *= 0.5;
            if step < 1e-10 {
                return Ok(x);
            }
            trial = f(&moved(&x, step, &d));
        }
        let (new_value, new_g) = trial?;
        let s: Vec<f64> = d.iter().map(|d| step * d).collect();
        let y: Vec<f64> = new_g.iter().zip(&g).map(|(a, b)| a - b).collect();
        let sy = dot(&s, &y);
        if sy > 0.0 {
            let hy: Vec<f64> = h.iter().map(|row| dot(row, &y)).collect();
            let scale = (1.0 + dot(&y, &hy) / sy) / sy;
            for i in 0..n {
                for j in 0..n {
                    h[i][j] += scale * s[i] * s[j] - (hy[i] * s[j] + s[i] * hy[j]) / sy;
                }
            }
        }
        (x, value, g) = (moved(&x, step, &d), new_value, new_g);
    }
    Ok(x)
}

fn unit(n: usize, scale: f64) -> Vec<Vec<f64>> {
    (0..n).map(|i| (0..n).map(|j| if i == j { scale } else { 0.0 }).collect()).collect()
}

fn moved(x: &[f64], step: f64, d: &[f64]) -> Vec<f64> {
    x.iter().zip(d).map(|(x, d)| x + step * d).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}
