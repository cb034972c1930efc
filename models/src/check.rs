//! Laws that every model is held to.

use costate::numbers::linalg::Matrix;
use costate::ode::objective::{AT_END, Objective};
use costate::ode::{At, Bars, Dots, Jvp, Ode, Rows, Vjp};

use crate::Benchmark;

/// Numbers in (−1, 1), the same in every run.
pub fn numbers(n: usize, seed: u64) -> Vec<f64> {
    let mut random = fastrand::Rng::with_seed(seed);
    (0..n).map(|_| 2.0 * random.f64() - 1.0).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

fn rhs<M: Ode>(model: &M, y: &[f64], p: &[f64]) -> (Vec<f64>, M::Work) {
    let (mut dy, mut work) = (vec![f64::NAN; model.dim()], model.work());
    model.rhs(At { t: 0.0, y, p }, &mut dy, &mut work);
    (dy, work)
}

fn jvp<M: Jvp>(model: &M, y: &[f64], p: &[f64], y_dot: &[f64], p_dot: &[f64]) -> Vec<f64> {
    let (mut dy_dot, mut work) = rhs(model, y, p);
    model.jvp(At { t: 0.0, y, p }, Dots { y: y_dot, p: p_dot }, &mut dy_dot, &mut work);
    dy_dot
}

/// The tangent is the limit of differences, the adjoint its transpose; the adjoint adds, and may be
/// asked for twice.
pub fn derivative_products<M: Vjp + Jvp>(model: &M, y: &[f64], p: &[f64]) {
    let (d, m) = (model.dim(), model.num_params());
    assert_eq!((y.len(), p.len()), (d, m));
    for seed in 0..4 {
        let scaled = |n, seed, x: &[f64]| -> Vec<f64> {
            numbers(n, seed).iter().zip(x).map(|(r, x)| r * (0.1 + x.abs())).collect()
        };
        let (y_dot, p_dot) = (scaled(d, 3 * seed + 1, y), scaled(m, 3 * seed + 2, p));
        let dy_dot = jvp(model, y, p, &y_dot, &p_dot);

        // Richardson extrapolation of central differences, of error O(h⁴).
        let shifted = |h: f64| {
            let along = |x: &[f64], v: &[f64]| -> Vec<f64> {
                x.iter().zip(v).map(|(x, v)| x + h * v).collect()
            };
            rhs(model, &along(y, &y_dot), &along(p, &p_dot)).0
        };
        let central = |h: f64| -> Vec<f64> {
            shifted(h).iter().zip(shifted(-h)).map(|(a, b)| (a - b) / (2.0 * h)).collect()
        };
        let difference: Vec<f64> =
            central(1e-3).iter().zip(central(2e-3)).map(|(a, b)| (4.0 * a - b) / 3.0).collect();
        let error: Vec<f64> = dy_dot.iter().zip(&difference).map(|(a, b)| a - b).collect();
        assert!(norm(&error) <= 1e-9 * norm(&difference), "{}", norm(&error) / norm(&difference));

        let w = numbers(d, 3 * seed + 3);
        let (_, mut work) = rhs(model, y, p);
        let mut transpose = || {
            let (mut y_bar, mut p_bar, mut t_bar) = (vec![0.0; d], vec![0.0; m], 0.0);
            let bars = Bars { y: &mut y_bar, p: &mut p_bar, t: &mut t_bar };
            model.vjp(At { t: 0.0, y, p }, &w, bars, &mut work);
            (y_bar, p_bar, t_bar)
        };
        let (y_bar, p_bar, t_bar) = transpose();
        assert_eq!(transpose(), (y_bar.clone(), p_bar.clone(), t_bar));
        let gap = dot(&w, &dy_dot) - dot(&y_bar, &y_dot) - dot(&p_bar, &p_dot);
        let scale =
            norm(&w) * norm(&dy_dot) + norm(&y_bar) * norm(&y_dot) + norm(&p_bar) * norm(&p_dot);
        assert!(gap.abs() <= 1e-13 * scale, "{}", gap / scale);

        let (mut y_sum, mut p_sum) = (vec![1.0; d], vec![-1.0; m]);
        let bars = Bars { y: &mut y_sum, p: &mut p_sum, t: &mut 0.0 };
        model.vjp(At { t: 0.0, y, p }, &w, bars, &mut work);
        for (sum, part) in y_sum.iter().zip(&y_bar) {
            assert!((sum - 1.0 - part).abs() <= 1e-14 * (1.0 + part.abs()) * 10.0);
        }
        for (sum, part) in p_sum.iter().zip(&p_bar) {
            assert!((sum + 1.0 - part).abs() <= 1e-14 * (1.0 + part.abs()) * 10.0);
        }
    }
}

/// The matrix has the columns that the tangent gives, also where it is written a second time, and
/// is zero outside of its structure.
pub fn jacobian<M: Vjp + Jvp>(model: &M, y: &[f64], p: &[f64]) {
    let (d, m) = (model.dim(), model.num_params());
    let mut matrix = Matrix::zeros(d, model.structure()).unwrap();
    for at in [numbers(d, 77), y.to_vec()] {
        let (w, y_bar, p_bar) = (&mut vec![0.0; d], &mut vec![0.0; d], &mut vec![0.0; m]);
        let rows = Rows { w, y_bar, p_bar };
        model.jacobian(At { t: 0.0, y: &at, p }, &mut matrix, rows, &mut model.work());
    }
    let mut largest = 0.0_f64;
    let mut gap = 0.0_f64;
    for j in 0..d {
        let mut unit = vec![0.0; d];
        unit[j] = 1.0;
        let column = jvp(model, y, p, &unit, &vec![0.0; m]);
        for (i, entry) in column.iter().enumerate() {
            largest = largest.max(entry.abs());
            gap = gap.max((entry - matrix.get(i, j)).abs());
        }
    }
    assert!(gap <= 1e-14 * largest, "{gap} of {largest}");
}

/// J by the classical Runge–Kutta method with equal steps, whose ends the observations must meet,
/// and the final state.
pub fn rk4<M: Ode, J: Objective>(problem: &Benchmark<M, J>, steps: usize) -> (f64, Vec<f64>) {
    let Benchmark { ode, objective, y0, p, span, .. } = problem;
    let h = (span.1 - span.0) / steps as f64;
    let step_of = |t: f64| if t == AT_END { steps } else { ((t - span.0) / h).round() as usize };
    let (mut work, mut scratch) = (ode.work(), objective.scratch());
    let mut y = y0.clone();
    let mut k = vec![vec![0.0; y.len()]; 4];
    let (mut value, mut point) = (0.0, 0);
    let times = objective.times();
    for n in 0..=steps {
        let t = span.0 + n as f64 * h;
        while point < times.len() && step_of(times[point]) == n {
            value += objective.point(point, At { t, y: &y, p }, &mut scratch);
            point += 1;
        }
        if n == steps {
            break;
        }
        for (stage, c) in [0.0, 0.5, 0.5, 1.0].into_iter().enumerate() {
            let at: Vec<f64> = match stage {
                0 => y.clone(),
                _ => y.iter().zip(&k[stage - 1]).map(|(y, k)| y + c * h * k).collect(),
            };
            ode.rhs(At { t: t + c * h, y: &at, p }, &mut k[stage], &mut work);
        }
        for (i, y) in y.iter_mut().enumerate() {
            *y += h / 6.0 * (k[0][i] + 2.0 * k[1][i] + 2.0 * k[2][i] + k[3][i]);
        }
    }
    assert_eq!(point, times.len());
    (value, y)
}

/// A file beside the project. What reads one is `#[ignore = "reads ../shared"]`.
pub fn shared(path: &str) -> String {
    let full = format!("{}/../../shared/{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&full).unwrap_or_else(|error| panic!("this test needs {full}: {error}"))
}

/// A number of the reference results beside the project.
pub fn reference(id: &str, key: &str) -> Vec<f64> {
    let text = shared(&format!("reference/{id}.json"));
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let number =
        |x: &serde_json::Value| x.as_f64().unwrap_or_else(|| x.as_str().unwrap().parse().unwrap());
    match &json[key] {
        serde_json::Value::Array(list) => list.iter().map(number).collect(),
        single => vec![number(single)],
    }
}

/// Whether the loss by `steps` steps of [`rk4`] is the reference's.
pub fn loss<M: Ode, J: Objective>(problem: &Benchmark<M, J>, steps: usize, tolerance: f64) {
    let expected = reference(problem.id, "loss");
    let (value, _) = rk4(problem, steps);
    let error = (value - expected[0]).abs() / expected[0].abs();
    assert!(error <= tolerance, "{}: {value} has relative error {error:e}", problem.id);
}

/// The objective's derivative at y against differences of its terms.
pub fn objective<J: Objective>(objective: &J, y: &[f64], p: &[f64]) {
    let mut scratch = objective.scratch();
    let v: Vec<f64> = numbers(y.len(), 5).iter().zip(y).map(|(r, y)| r * (0.1 + y.abs())).collect();
    for (i, &t) in objective.times().iter().enumerate() {
        let (mut y_bar, mut p_bar, mut t_bar) = (vec![0.0; y.len()], vec![0.0; p.len()], 0.0);
        let bars = Bars { y: &mut y_bar, p: &mut p_bar, t: &mut t_bar };
        objective.point_vjp(i, At { t, y, p }, bars, &mut scratch);
        let mut shifted = |h: f64| {
            let y: Vec<f64> = y.iter().zip(&v).map(|(y, v)| y + h * v).collect();
            objective.point(i, At { t, y: &y, p }, &mut scratch)
        };
        let difference = (shifted(1e-3) - shifted(-1e-3)) / 2e-3;
        let scale = norm(&y_bar) * norm(&v);
        assert!((difference - dot(&y_bar, &v)).abs() <= 1e-8 * scale, "term {i}");
    }
}
