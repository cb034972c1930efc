//! What a step of the wing costs, against what the machine can do:
//! `cargo bench -p costate-models --bench wing`.

use std::f64::consts::PI;
use std::hint::black_box;
use std::ops::{Add, Div, Mul, Neg, Sub};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use costate::method::Method;
use costate::method::tableau::{KVAERNO3, RK4, SSPRK3};
use costate::ode::{At, Bars, Ode, Vjp};
use costate::problem::Problem;
use costate_models::aerodynamics::checks::march;
use costate_models::aerodynamics::euler::{Inner, Metrics, Number, Scratch, residual};
use costate_models::aerodynamics::wing::ogrid::Rings;
use costate_models::aerodynamics::wing::parameters::{self, ALPHA, FREQUENCY, MACH, PITCH, SHAPE};
use costate_models::aerodynamics::wing::{Coefficients, Mean, Wing, motion};
use multiversion::multiversion;

static OPERATIONS: AtomicU64 = AtomicU64::new(0);

/// A number that counts what is done with it; a division or a root is one operation.
#[derive(Clone, Copy)]
struct Counted(f64);

fn counted(x: f64) -> Counted {
    OPERATIONS.fetch_add(1, Ordering::Relaxed);
    Counted(x)
}

impl Add for Counted {
    type Output = Self;
    fn add(self, b: Self) -> Self {
        counted(self.0 + b.0)
    }
}

impl Sub for Counted {
    type Output = Self;
    fn sub(self, b: Self) -> Self {
        counted(self.0 - b.0)
    }
}

impl Mul for Counted {
    type Output = Self;
    fn mul(self, b: Self) -> Self {
        counted(self.0 * b.0)
    }
}

impl Div for Counted {
    type Output = Self;
    fn div(self, b: Self) -> Self {
        counted(self.0 / b.0)
    }
}

impl Neg for Counted {
    type Output = Self;
    fn neg(self) -> Self {
        Counted(-self.0)
    }
}

impl Number for Counted {
    fn of(x: f64) -> Self {
        Counted(x)
    }
    fn value(self) -> f64 {
        self.0
    }
    fn sqrt(self) -> Self {
        counted(self.0.sqrt())
    }
    fn exp(self) -> Self {
        counted(self.0.exp())
    }
    fn ln(self) -> Self {
        counted(self.0.ln())
    }
    fn sin_cos(self) -> (Self, Self) {
        let (sin, cos) = self.0.sin_cos();
        (counted(sin), counted(cos))
    }
    fn atan2(self, x: Self) -> Self {
        counted(self.0.atan2(x.0))
    }
}

/// Operations of the rates, for each cell.
fn operations(rings: &Rings, y: &[f64], p: &[f64]) -> f64 {
    let (ni, nj) = (rings.around, rings.rings);
    let all = |x: &[f64]| -> Vec<Counted> { x.iter().copied().map(Counted).collect() };
    let (y, p) = (all(y), all(p));
    let metrics = Metrics::new(ni, nj, rings.nodes(&p[SHAPE]));
    let frame = motion::frame(Counted(1.0), &p);
    let (mut dy, mut scratch) = (y.clone(), Scratch::new(ni, nj));
    OPERATIONS.store(0, Ordering::Relaxed);
    residual(&metrics, Inner::Wall, &frame, &y, &mut dy, &mut scratch);
    OPERATIONS.load(Ordering::Relaxed) as f64 / (ni * nj) as f64
}

/// The fastest of some rounds, in seconds a call.
fn time(mut call: impl FnMut()) -> f64 {
    let mut round = || {
        let start = Instant::now();
        (0..10).for_each(|_| call());
        start.elapsed().as_secs_f64() / 10.0
    };
    (0..60).map(|_| round()).fold(f64::INFINITY, f64::min)
}

/// Enough numbers to keep the units busy, few enough for registers.
const NUMBERS: usize = 96;
const TIMES: usize = 20_000;

/// x ← x a + b, two operations, for numbers that do not wait for each other.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq", "x86_64+avx2+fma", "aarch64+neon"))]
fn multiply_and_add(numbers: &mut [f64; NUMBERS], a: f64, b: f64) {
    let mut x = *numbers;
    for _ in 0..TIMES {
        for x in &mut x {
            *x = *x * a + b;
        }
    }
    *numbers = x;
}

/// Operations of the vector units in a second.
fn peak() -> f64 {
    let mut x = [1.0; NUMBERS];
    let seconds = time(|| multiply_and_add(black_box(&mut x), black_box(0.5), black_box(0.25)));
    (2 * NUMBERS * TIMES) as f64 / seconds
}

/// Bytes read and written in a second by b ← b + a over `bytes` of memory.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq", "x86_64+avx2+fma", "aarch64+neon"))]
fn add(b: &mut [f64], a: &[f64]) {
    for (b, a) in b.iter_mut().zip(a) {
        *b += a;
    }
}

fn bandwidth(bytes: usize) -> f64 {
    let n = bytes / 16;
    let (a, mut b) = (vec![1.0; n], vec![1.0; n]);
    24.0 * n as f64 / time(|| add(black_box(&mut b), black_box(&a)))
}

/// The seconds of a step and of a gradient, with as many states kept, 19 of 200, as lets no step be
/// taken more than three times; so do 140 of 10 000.
fn gradient(wing: &Wing, y0: &Vec<f64>, p: &[f64]) -> [f64; 2] {
    const STEPS: usize = 200;
    let lift = Mean::at_end(wing, Coefficients { lift: 1.0, drag: 0.0, moment: 0.0 });
    let end = 0.8 * STEPS as f64 * wing.largest_step(&SSPRK3, 0.0, y0, p).0;
    let problem = Problem::new(wing, (0.0, end), p)
        .initial(y0)
        .objective(&lift)
        .method(Method::Named(&SSPRK3))
        .fixed_steps(STEPS)
        .snapshots(19);
    let seconds = |run: &dyn Fn() -> f64| {
        let start = Instant::now();
        black_box(run());
        start.elapsed().as_secs_f64()
    };
    let fastest =
        |run: &dyn Fn() -> f64| (0..3).map(|_| seconds(run)).fold(f64::INFINITY, f64::min);
    let forward = fastest(&|| problem.value().expect("the run is stable").0);
    let both = fastest(&|| problem.gradient().expect("the run is stable").value);
    println!(
        "{STEPS} steps {forward:.2} s, {:.2} ms each; gradient {both:.2} s, {:.2} of the run",
        1e3 * forward / STEPS as f64,
        both / forward
    );
    [forward / STEPS as f64, both]
}

/// The same on two cores, which share every evaluation.
fn gradient_on_two_cores(wing: &Wing, y0: &Vec<f64>, p: &[f64], alone: f64) {
    let wing = wing.clone().on_cores(2);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("two threads");
    let [_, both] = pool.install(|| gradient(&wing, y0, p));
    println!("on two cores {:.2} times faster", alone / both);
}

/// What a long implicit step costs in explicit ones: a 24th of a period of slow pitching.
fn implicit() {
    let (wing, steps) = (Wing::new(64, 16, 50.0).expect("the grid fits"), 12);
    let mut p = parameters::symmetric(0.5, 0.0175, 0.06);
    let start = march(&wing, &p, wing.free_stream(&p), 1e-6, 20_000).expect("it is subsonic").y;
    (p[ALPHA], p[PITCH], p[FREQUENCY]) = (0.0, 0.0175, 0.02);
    let omega = 2.0 * p[FREQUENCY] * p[MACH];
    let (begin, h) = (0.5 * PI / omega, 2.0 * PI / omega / 24.0);
    let seconds = |method: Method, h: f64, steps: usize| {
        let span = (begin, begin + h * steps as f64);
        let problem = Problem::new(&wing, span, &p).initial(&start);
        let run = || {
            let run = problem.clone().method(method).fixed_steps(steps).solve(&[span.1]);
            black_box(run.expect("the run is stable"));
        };
        let began = Instant::now();
        run();
        began.elapsed().as_secs_f64() / steps as f64
    };
    let short = 0.8 * wing.largest_step(&RK4, begin, &start, &p).0;
    let (long, explicit) =
        (seconds(Method::Named(&KVAERNO3), h, steps), seconds(Method::Named(&RK4), short, 2000));
    println!(
        "kvaerno3 on 64 x 16 cells: {:.0} ms a step of {:.0} explicit ones, which take {:.0} ms",
        1e3 * long,
        h / short,
        1e3 * explicit * h / short
    );
}

fn main() {
    let rings = Rings { around: 256, rings: 96, radius: 50.0 };
    let wing = Wing::new(rings.around, rings.rings, rings.radius).expect("the grid fits");
    let mut p = parameters::symmetric(0.63, 0.03, 0.12);
    (p[PITCH], p[FREQUENCY]) = (0.02, 0.2);
    let (y, cells) = (wing.free_stream(&p), rings.around * rings.rings);
    let (mut dy, mut work) = (y.clone(), wing.work());
    let rhs = time(|| wing.rhs(At { t: 1.0, y: black_box(&y), p: &p }, &mut dy, &mut work))
        / cells as f64;
    let (mut y_bar, mut p_bar, mut t_bar) = (y.clone(), p.clone(), 0.0);
    let vjp = time(|| {
        let bars = Bars { y: &mut y_bar, p: &mut p_bar, t: &mut t_bar };
        wing.vjp(At { t: 1.0, y: &y, p: &p }, black_box(&dy), bars, &mut work);
    }) / cells as f64;
    let [step, alone] = gradient(&wing, &y, &p);
    gradient_on_two_cores(&wing, &y, &p, alone);
    implicit();
    let (operations, peak) = (operations(&rings, &y, &p), peak());
    // y, what is written of it by primitive variables and read again, the rates twice, the metrics.
    let bytes = 8.0 * (4.0 + 8.0 + 8.0 + 9.0);
    let moved = bandwidth(cells * bytes as usize);
    println!("{cells} cells, {} states", 4 * cells);
    println!("rhs {:.1} ns a cell, vjp {:.1} ns, {:.2} of rhs", rhs * 1e9, vjp * 1e9, vjp / rhs);
    println!(
        "rhs: {operations:.0} operations a cell, {:.1} of {:.1} GFlop/s: {:.2}",
        operations / rhs * 1e-9,
        peak * 1e-9,
        operations / rhs / peak
    );
    // Three evaluations, and sums of two, three and four terms for each of a cell's four numbers.
    let in_step = 3.0 * operations + 4.0 * (2.0 + 4.0 + 6.0);
    println!(
        "a step of ssprk3: {in_step:.0} operations a cell, {:.2} of {:.1} GFlop/s",
        in_step * cells as f64 / step / peak,
        peak * 1e-9
    );
    println!(
        "rhs: {bytes} bytes a cell, {:.1} of {:.1} GB/s: {:.2}",
        bytes / rhs * 1e-9,
        moved * 1e-9,
        bytes / rhs / moved
    );
}
