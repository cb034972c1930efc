//! Laws that hold for every model: its products are each other's transposes and agree with
//! differences, and the model files say what their documents say.

use costate::model::{Model, Scale};
use costate::numbers::linalg::Structure;
use costate::ode::objective::{AT_END, Objective};
use costate::ode::{At, Bars, Dots, Initial, Jvp, Ode, Vjp, jacobian_at};

const FILES: [&str; 7] = [
    "models/biology/lotka_volterra.json",
    "models/biology/gene_expression.json",
    "models/biology/hare_lynx.json",
    "models/chemistry/robertson.json",
    "models/chemistry/hires.json",
    "models/oscillators/van_der_pol.json",
    "models/aerodynamics/pitch_plunge.json",
];

fn all_models() -> Vec<Model> {
    let mut models: Vec<Model> = FILES.iter().map(|file| load(file)).collect();
    models.push(diffusion(12));
    models
}

fn load(file: &str) -> Model {
    Model::from_file(file).unwrap_or_else(|error| panic!("{error}"))
}

/// Heat with a source that depends on time, ends at p₀; traced, banded.
fn diffusion(n: usize) -> Model {
    Model::trace(n, 3, |t, y, p| {
        let wall = &p[0];
        let at = |i: usize| y.get(i).unwrap_or(wall);
        (0..n)
            .map(|i| {
                let left = if i == 0 { wall } else { at(i - 1) };
                &p[1] * (left - 2.0 * at(i) + at(i + 1)) + (&p[2] * t).sin() * y[i].tanh()
            })
            .collect::<Vec<_>>()
    })
    .initial(|p| (0..n).map(|i| &p[0] * (i as f64).cos() + p[1].exp()).collect::<Vec<_>>())
    .parameters([("wall", 0.5), ("conductivity", 0.3), ("frequency", 1.2)])
    .observe(&[2.0, 1.0, 2.0], &[0.1, 0.2, 0.3], 0.5, |_t, y, p| &y[3] * &p[0])
    .observe(&[1.0], &[0.7], 2.0, |t, y, _p| y[0].exp() * t)
    .running(|t, y, p| y[1].powi(2) * &p[1] * t)
    .terminal(|y, p| &y[0] * &y[1] / &p[2])
    .span(0.0, 3.0)
    .name("diffusion")
    .build()
    .unwrap()
}

/// Numbers in (0.5, 1.5) that differ from index to index.
fn vector(n: usize, seed: u64) -> Vec<f64> {
    (0..n as u64).map(|i| 1.0 + 0.5 * ((i * 7 + seed * 13 + 1) as f64).sin()).collect()
}

fn point(model: &Model) -> (f64, Vec<f64>, Vec<f64>) {
    let nominal = model.nominal();
    let p = nominal.iter().zip(vector(nominal.len(), 3)).map(|(p, v)| p * v + 0.01).collect();
    (0.8, vector(model.dim(), 1), p)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

/// The derivative of `f` at 0, to eighth order.
fn slope(h: f64, f: impl Fn(f64) -> Vec<f64>) -> Vec<f64> {
    let mut sum = vec![0.0; f(0.0).len()];
    for (c, weight) in [(1.0, 0.8), (2.0, -0.2), (3.0, 4.0 / 105.0), (4.0, -1.0 / 280.0)] {
        for ((s, up), down) in sum.iter_mut().zip(f(c * h)).zip(f(-c * h)) {
            *s += weight * (up - down) / h;
        }
    }
    sum
}

fn moved(x: &[f64], step: f64, along: &[f64]) -> Vec<f64> {
    x.iter().zip(along).map(|(x, d)| x + step * d).collect()
}

fn assert_near(found: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    let scale = 1.0 + norm(expected);
    let difference: Vec<f64> = found.iter().zip(expected).map(|(a, b)| a - b).collect();
    assert!(norm(&difference) <= tolerance * scale, "{what}: {found:?} is not {expected:?}");
}

/// f_yᵀ w, f_pᵀ w and f_tᵀ w in one vector.
fn products(model: &Model, t: f64, y: &[f64], p: &[f64], w: &[f64]) -> Vec<f64> {
    let mut work = model.work();
    let (mut y_bar, mut p_bar) = (vec![0.0; y.len()], vec![0.0; p.len()]);
    let mut t_bar = 0.0;
    model.rhs(At { t, y, p }, &mut vec![0.0; y.len()], &mut work);
    model.vjp(At { t, y, p }, w, Bars { y: &mut y_bar, p: &mut p_bar, t: &mut t_bar }, &mut work);
    [y_bar, p_bar, vec![t_bar]].concat()
}

#[test]
fn vjp_and_jvp_are_transposes_and_equal_differences() {
    for model in all_models() {
        let (d, m) = (model.dim(), model.num_params());
        let (t, y, p) = point(&model);
        let (w, y_dot, p_dot) = (vector(d, 5), vector(d, 6), vector(m, 7));
        let mut work = model.work();
        model.rhs(At { t, y: &y, p: &p }, &mut vec![0.0; d], &mut work);
        let mut dy_dot = vec![f64::NAN; d];
        model.jvp(At { t, y: &y, p: &p }, Dots { y: &y_dot, p: &p_dot }, &mut dy_dot, &mut work);
        let bars = products(&model, t, &y, &p, &w);
        let (left, right) =
            (dot(&dy_dot, &w), dot(&bars[..d], &y_dot) + dot(&bars[d..d + m], &p_dot));
        let scale = norm(&dy_dot) * norm(&w) + norm(&bars) * (norm(&y_dot) + norm(&p_dot));
        assert!((left - right).abs() <= 1e-15 * scale, "{}: {left} {right}", model.name());

        let rates = |e: f64| {
            let (mut dy, mut work) = (vec![0.0; d], model.work());
            model.rhs(
                At { t, y: &moved(&y, e, &y_dot), p: &moved(&p, e, &p_dot) },
                &mut dy,
                &mut work,
            );
            dy
        };
        assert_near(&dy_dot, &slope(1e-3, rates), 1e-10, model.name());
        let by_time = slope(1e-3, |e| {
            let mut dy = vec![0.0; d];
            model.rhs(At { t: t + e, y: &y, p: &p }, &mut dy, &mut model.work());
            vec![dot(&dy, &w)]
        });
        assert_near(&bars[d + m..], &by_time, 1e-10, model.name());
    }
}

#[test]
fn a_second_vjp_at_the_same_point_gives_the_same_bits() {
    for model in all_models() {
        let (d, m) = (model.dim(), model.num_params());
        let (t, y, p) = point(&model);
        let mut work = model.work();
        model.rhs(At { t, y: &y, p: &p }, &mut vec![0.0; d], &mut work);
        let once = |w: &[f64], work: &mut _| {
            let (mut y_bar, mut p_bar, mut t_bar) = (vec![0.0; d], vec![0.0; m], 0.0);
            let bars = Bars { y: &mut y_bar, p: &mut p_bar, t: &mut t_bar };
            model.vjp(At { t, y: &y, p: &p }, w, bars, work);
            (y_bar, p_bar, t_bar)
        };
        let first = once(&vector(d, 2), &mut work);
        once(&vector(d, 3), &mut work);
        assert_eq!(once(&vector(d, 2), &mut work), first);
    }
}

#[test]
fn jacobian_stands_alone_and_equals_the_products() {
    for model in all_models() {
        let d = model.dim();
        let (t, y, p) = point(&model);
        let jac = jacobian_at(&model, At { t, y: &y, p: &p }).unwrap();
        let sparsity = model.sparsity();
        for i in 0..d {
            let mut w = vec![0.0; d];
            w[i] = 1.0;
            let row: Vec<f64> = (0..d).map(|j| jac.get(i, j)).collect();
            assert_near(&row, &products(&model, t, &y, &p, &w)[..d], 1e-14, model.name());
            for (j, entry) in row.iter().enumerate() {
                assert!(*entry == 0.0 || sparsity.contains(&(i, j)));
            }
        }
    }
}

#[test]
fn a_narrow_jacobian_is_banded() {
    let structure = |n| diffusion(n).structure();
    assert_eq!(structure(12), Structure::Banded { lower: 1, upper: 1 });
    assert_eq!(structure(6), Structure::Dense);
}

/// y_k' = y_k² + Σ y_j over the neighbours j of k on a torus of n × n points.
fn torus(n: usize) -> Model {
    Model::trace(n * n, 0, |_t, y, _p| {
        let at = |i: usize, j: usize| &y[(j % n) * n + i % n];
        let rate = |k: usize| {
            let (i, j) = (k % n + n, k / n + n);
            at(i, j) * at(i, j) + at(i + 1, j) + at(i - 1, j) + at(i, j + 1) + at(i, j - 1)
        };
        (0..n * n).map(rate).collect::<Vec<_>>()
    })
    .initial(|_p| vec![1.0.into(); n * n])
    .terminal(|y, _p| y[0].clone())
    .build()
    .unwrap()
}

#[test]
fn a_jacobian_without_a_narrow_band_is_sparse_where_that_pays() {
    let Structure::Sparse(pattern) = torus(12).structure() else { panic!("not sparse") };
    assert_eq!((pattern.dim(), pattern.num_entries()), (144, 5 * 144));
    assert_eq!(torus(5).structure(), Structure::Dense);
    let (model, y) = (torus(12), vector(144, 3));
    let jac = jacobian_at(&model, At { t: 0.0, y: &y, p: &[] }).unwrap();
    for (i, j) in (0..144).flat_map(|i| (0..144).map(move |j| (i, j))) {
        let off = f64::from(u8::from(jac.contains(i, j)));
        assert_eq!(jac.get(i, j), if i == j { 2.0 * y[i] } else { off });
    }
}

#[test]
fn second_order_equals_differences_of_vjp() {
    for model in all_models() {
        let (d, m) = (model.dim(), model.num_params());
        let (t, y, p) = point(&model);
        let (w, y_dot, p_dot) = (vector(d, 5), vector(d, 6), vector(m, 7));
        let mut work = model.work();
        model.rhs(At { t, y: &y, p: &p }, &mut vec![0.0; d], &mut work);
        let (mut y_bar, mut p_bar, mut t_bar) = (vec![0.0; d], vec![0.0; m], 0.0);
        let bar_dots = Bars { y: &mut y_bar, p: &mut p_bar, t: &mut t_bar };
        model.second_order(&w, Dots { y: &y_dot, p: &p_dot }, bar_dots, &mut work);
        let expected =
            slope(1e-3, |e| products(&model, t, &moved(&y, e, &y_dot), &moved(&p, e, &p_dot), &w));
        assert_near(&[y_bar, p_bar, vec![t_bar]].concat(), &expected, 1e-10, model.name());
    }
}

#[test]
fn initial_products_equal_differences() {
    for model in all_models() {
        let (d, m) = (model.dim(), model.num_params());
        let (_, w, p) = point(&model);
        let p_dot = vector(m, 4);
        let at = |e: f64| {
            let mut y0 = vec![0.0; d];
            model.initial(&moved(&p, e, &p_dot), &mut y0);
            y0
        };
        let vjp_at = |e: f64| {
            let mut p_bar = vec![0.0; m];
            model.initial_vjp(&moved(&p, e, &p_dot), &w, &mut p_bar);
            p_bar
        };
        let mut y0_dot = vec![f64::NAN; d];
        model.initial_jvp(&p, &p_dot, &mut y0_dot);
        assert_near(&y0_dot, &slope(1e-3, at), 1e-10, model.name());
        assert_near(&[dot(&vjp_at(0.0), &p_dot)], &[dot(&y0_dot, &w)], 1e-14, model.name());
        let mut second = vec![0.0; m];
        model.initial_second_order(&p, &w, &p_dot, &mut second);
        assert_near(&second, &slope(1e-3, vjp_at), 1e-10, model.name());
    }
}

#[test]
fn objective_products_equal_differences() {
    for model in all_models() {
        let (d, m) = (model.dim(), model.num_params());
        let (_, y, p) = point(&model);
        let (y_dot, p_dot) = (vector(d, 6), vector(m, 7));
        let count = model.times().len();
        for i in (0..count.min(4)).chain(count.saturating_sub(1)..count).chain([usize::MAX]) {
            let is_running = i == usize::MAX;
            if is_running && !model.has_integrand() {
                continue;
            }
            let value = |t: f64, y: &[f64], p: &[f64]| {
                let mut s = model.scratch();
                vec![if is_running {
                    3.0 * model.integrand(At { t, y, p }, &mut s)
                } else {
                    model.point(i, At { t, y, p }, &mut s)
                }]
            };
            let bars = |y: &[f64], p: &[f64]| {
                let mut s = model.scratch();
                let (mut yb, mut pb, mut tb) = (vec![0.0; d], vec![0.0; m], 0.0);
                let (at, bars) = (At { t: 0.8, y, p }, Bars { y: &mut yb, p: &mut pb, t: &mut tb });
                if is_running {
                    model.integrand_vjp(at, 3.0, bars, &mut s);
                } else {
                    model.point_vjp(i, at, bars, &mut s);
                }
                [yb, pb, vec![tb]].concat()
            };
            let at = |e: f64| (moved(&y, e, &y_dot), moved(&p, e, &p_dot));
            let found = bars(&y, &p);
            let along = dot(&found[..d], &y_dot) + dot(&found[d..d + m], &p_dot);
            let expected = slope(1e-3, |e| value(0.8, &at(e).0, &at(e).1));
            assert_near(&[along], &expected, 1e-10, model.name());
            let expected = slope(1e-3, |e| value(0.8 + e, &y, &p));
            assert_near(&found[d + m..], &expected, 1e-10, model.name());

            let mut s = model.scratch();
            let (mut yb, mut pb, mut tb) = (vec![0.0; d], vec![0.0; m], 0.0);
            let (point, dots) = (At { t: 0.8, y: &y, p: &p }, Dots { y: &y_dot, p: &p_dot });
            let bar_dots = Bars { y: &mut yb, p: &mut pb, t: &mut tb };
            if is_running {
                model.integrand_second_order(point, 3.0, dots, bar_dots, &mut s);
            } else {
                model.point_second_order(i, point, dots, bar_dots, &mut s);
            }
            let expected = slope(1e-3, |e| bars(&at(e).0, &at(e).1));
            assert_near(&[yb, pb, vec![tb]].concat(), &expected, 1e-10, model.name());
        }
    }
}

#[test]
fn point_terms_are_sorted_and_joined() {
    let model = diffusion(12);
    assert_eq!(model.times(), [1.0, 2.0, AT_END]);
    let (y, p) = (vector(12, 1), model.nominal());
    let square = |x: f64| x * x;
    let g = y[3] * p[0];
    let mut s = model.scratch();
    let first = square((g - 0.2) / 0.5) + square((y[0].exp() - 0.7) / 2.0);
    assert_eq!(model.point(0, At { t: 1.0, y: &y, p: &p }, &mut s), first);
    let second = square((g - 0.1) / 0.5) + square((g - 0.3) / 0.5);
    assert_eq!(model.point(1, At { t: 2.0, y: &y, p: &p }, &mut s), second);
    assert_eq!(model.point(2, At { t: 3.0, y: &y, p: &p }, &mut s), y[0] * y[1] / p[2]);
}

#[test]
fn lotka_volterra_is_problem_p1a() {
    let model = load(FILES[0]);
    assert_eq!((model.nominal(), model.span()), (vec![1.5, 1.0, 3.0, 1.0], Some((0.0, 10.0))));
    assert_eq!(model.states(), ["x", "y"]);
    let times: Vec<f64> = (0..=100).map(|i| 10.0 * f64::from(i) / 100.0).collect();
    assert_eq!(model.times(), times);
    let mut s = model.scratch();
    let y = [0.3, 2.2];
    for (i, &t) in times.iter().enumerate() {
        let d = [1.0 + 0.5 * t.sin(), 1.0 + 0.5 * t.cos()];
        let expected = (y[0] - d[0]).powi(2) + (y[1] - d[1]).powi(2);
        let found = model.point(i, At { t, y: &y, p: &[0.0; 4] }, &mut s);
        assert!((found - expected).abs() <= 1e-15 * expected.max(1.0), "{t}");
    }
}

#[test]
fn a_logarithmic_parameter_is_its_exponent() {
    let model = load(FILES[1]);
    let rate = &model.parameters()[0];
    assert_eq!((rate.name.as_str(), rate.scale, rate.value), ("transcription", Scale::Log10, 15.0));
    assert_eq!(rate.theta(), 15f64.log10());
    assert_eq!(rate.scale.to_value(2.0), 100.0);
    let mut p = model.nominal();
    p[model.parameter_index("transcription").unwrap()] = 2.0;
    let mut dy = [0.0; 2];
    model.rhs(At { t: 0.0, y: &[0.0, 0.0], p: &p }, &mut dy, &mut model.work());
    assert_eq!(dy[0], 100.0);
}

#[test]
fn every_file_can_start() {
    for model in all_models() {
        assert_eq!(model.check_start(&model.nominal()), Ok(()), "{}", model.name());
        assert!(model.source().is_some() || model.name() == "diffusion");
    }
}

#[test]
fn expressions_may_come_in_any_order_and_script() {
    let model = Model::from_json(
        r#"{ "name": "Größen", "time": { "start": 0, "end": 1 }, "states": { "größe": "2 * λ + t" },
             "parameters": { "λ": 3 }, "rates": { "größe": "_last" },
             "expressions": { "_last": "middle + λ", "middle": "first^2", "first": "größe - 1" } }"#,
    )
    .unwrap();
    let (p, mut y, mut dy) = (model.nominal(), [0.0], [0.0]);
    model.initial(&p, &mut y);
    model.rhs(At { t: 0.0, y: &y, p: &p }, &mut dy, &mut model.work());
    assert_eq!((y, dy), ([6.0], [28.0]));
}

#[test]
fn ten_thousand_expressions_in_a_row_are_no_circle() {
    let n = 10_000;
    let rows: Vec<String> = (0..n).map(|i| format!(r#""e{i}": "e{} + 1""#, i + 1)).collect();
    let text = format!(
        r#"{{ "name": "chain", "time": {{ "start": 0, "end": 1 }}, "states": {{ "x": 0 }},
             "rates": {{ "x": "e0" }}, "expressions": {{ {}, "e{n}": "x" }} }}"#,
        rows.join(", ")
    );
    let model = Model::from_json(&text).unwrap();
    let mut dy = [0.0];
    model.rhs(At { t: 0.0, y: &[0.5], p: &[] }, &mut dy, &mut model.work());
    assert_eq!(dy, [n as f64 + 0.5]);
}
