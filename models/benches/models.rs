//! Nanoseconds of each model's functions: `cargo bench -p costate-models`.

use std::hint::black_box;
use std::time::Instant;

use costate::numbers::linalg::Matrix;
use costate::ode::{At, Bars, Rows, Vjp};
use costate_models::{Benchmark, biology, chemistry, learning, pde};

/// The fastest of some rounds, in nanoseconds a call.
fn time(mut call: impl FnMut()) -> f64 {
    let mut round = |calls: u32| {
        let start = Instant::now();
        for _ in 0..calls {
            call();
        }
        start.elapsed().as_secs_f64() * 1e9 / f64::from(calls)
    };
    let calls = (2e6 / round(10)).max(1.0) as u32;
    (0..30).map(|_| round(calls)).fold(f64::INFINITY, f64::min)
}

fn products<M: Vjp, J>(problem: &Benchmark<M, J>) {
    let Benchmark { id, ode, y0, p, .. } = problem;
    let (mut dy, mut work) = (y0.clone(), ode.work());
    let rhs = time(|| ode.rhs(At { t: 0.0, y: black_box(y0), p }, &mut dy, &mut work));
    let (mut y_bar, mut p_bar, mut t_bar) = (vec![0.0; y0.len()], vec![0.0; p.len()], 0.0);
    let vjp = time(|| {
        let bars = Bars { y: &mut y_bar, p: &mut p_bar, t: &mut t_bar };
        ode.vjp(At { t: 0.0, y: y0, p }, black_box(&dy), bars, &mut work);
    });
    print!("{id:4}  rhs {rhs:10.1} ns  vjp {vjp:10.1} ns");
}

fn matrix<M: Vjp, J>(problem: &Benchmark<M, J>) {
    let Benchmark { ode, y0, p, .. } = problem;
    let (mut jac, mut work) = (Matrix::zeros(ode.dim(), ode.structure()).unwrap(), ode.work());
    let (w, y_bar, p_bar) = (&mut y0.clone(), &mut y0.clone(), &mut p.clone());
    let ns = time(|| {
        let rows = Rows { w: &mut *w, y_bar: &mut *y_bar, p_bar: &mut *p_bar };
        ode.jacobian(At { t: 0.0, y: black_box(y0), p }, &mut jac, rows, &mut work);
    });
    print!("  jacobian {ns:10.1} ns");
}

fn main() {
    let p1a = biology::lotka_volterra::p1a();
    products(&p1a);
    matrix(&p1a);
    println!();
    let p2 = chemistry::robertson::p2();
    products(&p2);
    matrix(&p2);
    println!();
    for problem in [pde::brusselator::p3a(), pde::brusselator::p3b()] {
        products(&problem);
        matrix(&problem);
        println!();
    }
    for problem in [learning::neural_ode::p4a(), learning::neural_ode::p4b()] {
        products(&problem);
        println!();
    }
    for problem in [pde::burgers::p6s(), pde::burgers::p6()] {
        products(&problem);
        println!();
    }
}
