//! Nanoseconds per instruction of compiled formulas, at several sizes.
//!
//! `cargo bench --bench expr`

use std::hint::black_box;
use std::time::Instant;

use costate::expr::{Expr, Function};

fn main() {
    println!(
        "{:<28}{:>8}{:>10}{:>9}{:>8}{:>10}{:>9}",
        "rates", "instr.", "ns/call", "ns/op", "vjp", "ns/call", "ns/op"
    );
    report("Lotka-Volterra", &lotka_volterra(), 2, 4);
    report("coupled cells, 8", &brusselator(8), 16, 3);
    report("coupled cells, 128", &brusselator(128), 256, 3);
    report("coupled cells, 512", &brusselator(512), 1024, 3);
    report("polynomial chain, 5000", &chain(2500), 4, 4);
    report("random, 5000", &random(5000), 16, 4);
}

fn report(name: &str, rates: &[Expr], dim: usize, num_params: usize) {
    let f = Function::new(rates, dim, num_params, 0);
    let mut registers = f.registers();
    let y: Vec<f64> = (0..dim).map(|i| 0.5 + 0.4 * (i as f64).sin()).collect();
    let p: Vec<f64> = (0..num_params).map(|i| 1.0 + 0.1 * i as f64).collect();
    let mut dy = vec![0.0; rates.len()];
    let [value, vjp, ..] = f.num_instructions();
    let forward = median_ns(value, || {
        f.value(0.0, black_box(&y), &p, &mut dy, &mut registers);
        black_box(&dy);
    });
    let (mut y_bar, mut p_bar, mut t_bar) = (vec![0.0; dim], vec![0.0; num_params], 0.0);
    let backward = median_ns(vjp, || {
        f.vjp(black_box(&dy), &mut y_bar, &mut p_bar, &mut t_bar, &mut registers);
        black_box(&y_bar);
    });
    println!(
        "{name:<28}{value:>8}{forward:>10.1}{:>9.2}{vjp:>8}{backward:>10.1}{:>9.2}",
        forward / value as f64,
        backward / vjp as f64
    );
}

/// The median over 15 batches of about 2 million instructions.
fn median_ns(instructions: usize, mut call: impl FnMut()) -> f64 {
    let calls = 2_000_000 / instructions.max(1) + 1;
    let mut times: Vec<f64> = (0..15)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..calls {
                call();
            }
            start.elapsed().as_secs_f64() * 1e9 / calls as f64
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn symbols(dim: u32, num_params: u32) -> (Vec<Expr>, Vec<Expr>) {
    ((0..dim).map(Expr::state).collect(), (0..num_params).map(Expr::param).collect())
}

fn lotka_volterra() -> Vec<Expr> {
    let (y, p) = symbols(2, 4);
    let xy = &y[0] * &y[1];
    vec![&p[0] * &y[0] - &p[1] * &xy, &p[3] * &xy - &p[2] * &y[1]]
}

/// Brusselator cells with diffusion between neighbours.
fn brusselator(cells: u32) -> Vec<Expr> {
    let (y, p) = symbols(2 * cells, 3);
    let at = |cell: i64, k: usize, outside: f64| match usize::try_from(cell) {
        Ok(cell) if cell < cells as usize => y[2 * cell + k].clone(),
        _ => outside.into(),
    };
    let diffusion = &p[2] * f64::from((cells + 1) * (cells + 1));
    let mut rates = Vec::new();
    for cell in 0..i64::from(cells) {
        let (u, v) = (&at(cell, 0, 1.0), &at(cell, 1, 3.0));
        let spread = |k, outside| {
            let neighbours = at(cell - 1, k, outside) + at(cell + 1, k, outside);
            &diffusion * (neighbours - 2.0 * at(cell, k, outside))
        };
        let reaction = u * u * v;
        rates.push(&p[0] + &reaction - (&p[1] + 1.0) * u + spread(0, 1.0));
        rates.push(&p[1] * u - &reaction + spread(1, 3.0));
    }
    rates
}

/// Every operation waits for the one before it: the worst case.
fn chain(len: usize) -> Vec<Expr> {
    let (y, p) = symbols(4, 4);
    let last = (0..len).fold(y[0].clone(), |x, k| (x * &p[k % 4] + &y[k % 4]) * 0.5);
    vec![last, y[1].clone(), y[2].clone(), y[3].clone()]
}

/// Operations on random earlier values.
fn random(len: usize) -> Vec<Expr> {
    let (mut values, p) = symbols(16, 4);
    values.extend(p);
    let mut random = fastrand::Rng::with_seed(12345);
    let mut below = |n: usize| random.usize(..n);
    for _ in 0..len {
        let recent = values.len() - 20;
        let (a, b) = (&values[recent + below(20)], &values[below(values.len())]);
        values.push(match below(4) {
            0 => a + b,
            1 => a - b,
            2 => a * b * 0.25,
            _ => 0.5 * a + b,
        });
    }
    let len = values.len();
    values.split_off(len - 16)
}
