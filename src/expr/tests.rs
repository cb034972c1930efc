//! Laws of values and derivatives, over every function of the language.

use super::*;
use crate::ode::{Bars, Dots};

/// Formulas in x = y₀, z = y₁, a = p₀, b = p₁, t; good near every point of `POINTS`.
const FORMULAS: [&str; 40] = [
    "a * x - b * x * z",
    "x / z + a / b",
    "exp(-a * x) * t",
    "log(x + b) * z",
    "ln(1 + x * x)",
    "log10(x + a)",
    "sqrt(x * a + z)",
    "sin(x * a)",
    "cos(z - b)",
    "tan(x / 3)",
    "asin(x / 4)",
    "acos(z / 5)",
    "atan(x * b)",
    "sinh(x - a)",
    "cosh(x * z)",
    "tanh(a * x + b * z)",
    "asinh(x * a)",
    "acosh(2 + x * z)",
    "atanh(x / 5)",
    "abs(x - 10) * abs(z)",
    "min(x, z * 7, a * 40) * b",
    "max(x, z * 7, a / 40) * b",
    "floor(x / 9) * z + x",
    "ceil(x / 9) * z",
    "sign(x) * z",
    "x^2 + z^3 - x^5",
    "x^-2 * z",
    "x^1.5",
    "x^a * z^b",
    "pow(a, x)",
    "2^x",
    "if(x < 10, x * z, sqrt(x - 10))",
    "if(x > 10 || !(z < 9), log(x - 10), z^2 * a)",
    "if(x >= 0 && z <= 9, a * x, b)",
    "(x == 3) * z + (x != 3) * x^2",
    "x^a / (b^a + x^a)",
    "-x - -z * (-a) / -b",
    "1 / (1 + exp(-(x - a) / b)) * t",
    "(x + z) * (x + z) * (x + z) / 8",
    "not(x) + x * t * t",
];

const POINTS: [[f64; 5]; 3] =
    [[0.7, 1.3, 0.9, 2.1, 0.4], [1.9, 0.6, 1.7, 0.3, 2.5], [0.31, 2.2, 2.4, 1.1, -0.7]];

fn formula(text: &str) -> Expr {
    let symbol = |name: &str| match name {
        "x" => Some(Expr::state(0)),
        "z" => Some(Expr::state(1)),
        "a" => Some(Expr::param(0)),
        "b" => Some(Expr::param(1)),
        _ => None,
    };
    parse(text, &mut { symbol }).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn all_formulas() -> Function {
    let exprs: Vec<Expr> = FORMULAS.iter().map(|text| formula(text)).collect();
    Function::new(&exprs, 2, 2, 0)
}

fn values(f: &Function, v: [f64; 5]) -> Vec<f64> {
    let mut out = vec![0.0; f.num_outputs()];
    f.value(v[4], &v[..2], &v[2..4], &mut out, &mut f.registers());
    out
}

/// Sixth-order central differences: the error is near 1e-12 of the values here.
fn differences(v: [f64; 5], k: usize, f: impl Fn([f64; 5]) -> Vec<f64>) -> Vec<f64> {
    let h = 2f64.powi(-8);
    let at = |c: f64| {
        let mut moved = v;
        moved[k] += c * h;
        f(moved)
    };
    let mut slope = vec![0.0; f(v).len()];
    for (c, weight) in [(1.0, 0.8), (2.0, -0.2), (3.0, 4.0 / 105.0), (4.0, -1.0 / 280.0)] {
        for ((s, up), down) in slope.iter_mut().zip(at(c)).zip(at(-c)) {
            *s += weight * (up - down) / h;
        }
    }
    slope
}

fn unit(n: usize, i: usize) -> Vec<f64> {
    (0..n).map(|k| f64::from(u8::from(k == i))).collect()
}

fn assert_near(found: f64, expected: f64, tolerance: f64, what: &str) {
    let scale = 1.0 + expected.abs();
    assert!((found - expected).abs() <= tolerance * scale, "{what}: {found} is not {expected}");
}

/// f_yᵀ w, f_pᵀ w, f_tᵀ w in one vector ordered as the points are.
fn vjp(f: &Function, v: [f64; 5], w: &[f64]) -> Vec<f64> {
    let mut registers = f.registers();
    let (mut y, mut p, mut t) = ([0.0; 2], [0.0; 2], 0.0);
    f.evaluate(v[4], &v[..2], &v[2..4], &[], &mut registers);
    f.vjp(w, &mut y, &mut p, &mut t, &mut registers);
    vec![y[0], y[1], p[0], p[1], t]
}

#[test]
fn vjp_equals_differences_for_every_formula() {
    let f = all_formulas();
    for v in POINTS {
        for k in 0..5 {
            let slopes = differences(v, k, |v| values(&f, v));
            for (i, slope) in slopes.iter().enumerate() {
                let found = vjp(&f, v, &unit(FORMULAS.len(), i))[k];
                assert_near(found, *slope, 2e-10, &format!("{} at {v:?} by {k}", FORMULAS[i]));
            }
        }
    }
}

#[test]
fn jvp_and_vjp_are_transposes() {
    let f = all_formulas();
    for v in POINTS {
        for k in 0..4 {
            let mut registers = f.registers();
            f.evaluate(v[4], &v[..2], &v[2..4], &[], &mut registers);
            let dot = unit(4, k);
            let mut out = vec![f64::NAN; FORMULAS.len()];
            f.jvp(&dot[..2], &dot[2..], &mut out, &mut registers);
            for (i, text) in FORMULAS.iter().enumerate() {
                let adjoint = vjp(&f, v, &unit(FORMULAS.len(), i))[k];
                assert_near(out[i], adjoint, 4e-15, text);
            }
        }
    }
}

#[test]
fn second_order_equals_differences_of_vjp() {
    let f = all_formulas();
    for v in POINTS {
        for (i, text) in FORMULAS.iter().enumerate() {
            let w = unit(FORMULAS.len(), i);
            for k in 0..4 {
                let slopes = differences(v, k, |v| vjp(&f, v, &w));
                let mut registers = f.registers();
                f.evaluate(v[4], &v[..2], &v[2..4], &[], &mut registers);
                let dot = unit(4, k);
                let (mut y, mut p, mut t) = ([0.0; 2], [0.0; 2], 0.0);
                let (y_dot, p_dot) = dot.split_at(2);
                let dots = Dots { y: y_dot, p: p_dot };
                let bar_dots = Bars { y: &mut y, p: &mut p, t: &mut t };
                f.second_order(&w, dots, bar_dots, &mut registers);
                for (found, slope) in [y[0], y[1], p[0], p[1], t].into_iter().zip(slopes) {
                    assert_near(found, slope, 1e-9, &format!("{text} at {v:?} by {k}"));
                }
            }
        }
    }
}

#[test]
fn values_equal_rust() {
    let f = all_formulas();
    for v @ [x, z, a, b, t] in POINTS {
        let found = values(&f, v);
        let expected = [
            (0, a * x - b * x * z),
            (2, (-a * x).exp() * t),
            (9, (x / 3.0).tan()),
            (16, (x * a).asinh()),
            (20, x.min(z * 7.0).min(a * 40.0) * b),
            (28, x.powf(a) * z.powf(b)),
            (31, x * z),
            (33, a * x),
            (36, -x - -z * (-a) / -b),
        ];
        for (i, value) in expected {
            assert_eq!(found[i].to_bits(), value.to_bits(), "{} at {v:?}", FORMULAS[i]);
        }
    }
}

/// Value and derivative by x of a formula at x, with z = 2, a = 1, b = 2.
fn value_and_slope(text: &str, x: f64) -> (f64, f64) {
    let f = Function::new(&[formula(text)], 2, 2, 0);
    let v = [x, 2.0, 1.0, 2.0, 0.0];
    (values(&f, v)[0], vjp(&f, v, &[1.0])[0])
}

#[test]
fn derivatives_are_finite_where_they_exist() {
    let inner = "if(x > 0, if(x > 1, log(x - 1), sqrt(x)), 0)";
    let shared = "if(x > 0, sqrt(x), 1) + if(x < 0, sqrt(-x), x)";
    let cases = [
        ("if(x > 0, sqrt(x), 0)", 0.0, 0.0, 0.0),
        ("if(x > 0, log(x), x)", 0.0, 0.0, 1.0),
        ("if(x == 0, 1, sin(x) / x)", 0.0, 1.0, 0.0),
        ("if(x < 700, 1, exp(x * x))", 50.0, 1.0, 0.0),
        ("max(x, sqrt(x))", 0.0, 0.0, 1.0),
        (inner, 0.0, 0.0, 0.0),
        (inner, 1.0, 1.0, 0.5),
        (shared, 0.0, 1.0, 1.0),
        ("x^2", 0.0, 0.0, 0.0),
        ("x^1", 0.0, 0.0, 1.0),
        ("x^0", 0.0, 1.0, 0.0),
        ("x^3", -2.0, -8.0, 12.0),
        ("x^1.5", 0.0, 0.0, 0.0),
        ("x^a", 0.0, 0.0, 1.0),
        ("x^b", 0.0, 0.0, 0.0),
        ("abs(x)", 0.0, 0.0, 1.0),
        ("min(x, 0)", 0.0, 0.0, 1.0),
        ("max(0, x)", 0.0, 0.0, 0.0),
        ("sign(x) + floor(x)", 0.0, 0.0, 0.0),
    ];
    for (text, x, value, slope) in cases {
        assert_eq!(value_and_slope(text, x), (value, slope), "{text} at {x}");
    }
}

#[test]
fn derivative_by_an_exponent_exists_at_zero() {
    let f = Function::new(&[formula("x^b")], 2, 2, 0);
    assert_eq!(vjp(&f, [0.0, 1.0, 1.0, 2.0, 0.0], &[1.0])[3], 0.0);
}

#[test]
fn whole_numbers_are_numbers() {
    let x = || Expr::state(0);
    let whole =
        [2 + x(), &x() + 2, 3 - &x(), x() - 3, 2 * &x(), x() * 2, 5 / x(), &x() / 5, x().max(1)];
    let real = [
        2.0 + x(),
        &x() + 2.0,
        3.0 - &x(),
        x() - 3.0,
        2.0 * &x(),
        x() * 2.0,
        5.0 / x(),
        &x() / 5.0,
        x().max(1.0),
    ];
    let by = |formulas: &[Expr]| values(&Function::new(formulas, 2, 2, 0), POINTS[0]);
    assert_eq!(by(&whole), by(&real));
}

#[test]
fn precedence() {
    let cases = [
        ("2 + 3 * 4", 14.0),
        ("-2^2", -4.0),
        ("2^-1", 0.5),
        ("2^3^2", 512.0),
        ("2 ** 3", 8.0),
        ("8 / 4 / 2", 1.0),
        ("8 - 4 - 2", 2.0),
        ("1 < 2 && 3 < 2 || 1", 1.0),
        ("!0 + !3", 1.0),
        ("--3", 3.0),
        ("1e-3 * .5e+3", 0.5),
        ("max(1, 2, 3) - min(3, 2)", 1.0),
        ("cos(pi)", -1.0),
        ("if(2 >= 2, 5, 6)", 5.0),
        ("3 − 1", 2.0),
        ("1 + 1 == 2", 1.0),
    ];
    for (text, value) in cases {
        let f = Function::new(&[formula(text)], 0, 0, 0);
        let mut out = [0.0];
        f.value(0.0, &[], &[], &mut out, &mut f.registers());
        assert_eq!(out[0], value, "{text}");
        assert_eq!(f.num_instructions()[0], 0, "{text} folds to a number");
    }
}

#[test]
fn a_sum_of_many_terms_needs_no_deep_stack() {
    let n = 100_000;
    let f = Function::new(&[formula(&vec!["x"; n].join(" + "))], 2, 2, 0);
    assert_eq!((f.num_instructions()[0], values(&f, [1.0; 5])[0]), (n - 1, n as f64));
    let chain = (0..n).fold(Expr::state(0), |sum, _| (sum * 0.5 + 1.0).sin());
    let mut graph = Graph::new();
    graph.add(&[chain]);
    assert_eq!(graph.len(), 3 * n + 3);
}

#[test]
fn identities_keep_the_bits() {
    let same = |a: &str, b: &str| {
        let mut graph = Graph::new();
        let ids = graph.add(&[formula(a), formula(b)]);
        ids[0] == ids[1]
    };
    for (a, b) in [
        ("x * 1", "x"),
        ("-(-x)", "x"),
        ("x - 0", "x"),
        ("x + -z", "x - z"),
        ("x / 4", "x * 0.25"),
        ("x * z", "z * x"),
        ("(-x) * z", "-(x * z)"),
        ("x^3", "x * (x * x)"),
        ("if(1, x, z)", "x"),
    ] {
        assert!(same(a, b), "{a} is {b}");
    }
    for (a, b) in [("x + 0", "x"), ("0 * x", "0"), ("x / 3", "x * (1 / 3)"), ("x - x", "0")] {
        assert!(!same(a, b), "{a} is not always {b}");
    }
}

#[test]
fn equal_parts_are_computed_once() {
    let f = Function::new(&[formula("sin(x * z) + a"), formula("sin(x * z) * a")], 2, 2, 0);
    assert_eq!(f.num_instructions()[0], 4);
}

#[test]
fn what_parameters_fix_is_not_computed_again() {
    let f = Function::new(&[formula("exp(a) * sin(b) * x")], 2, 2, 0);
    assert_eq!(f.num_instructions()[0], 1);
    let mut registers = f.registers();
    let mut out = [0.0];
    for (a, b) in [(0.5, 0.2), (0.1, 0.2), (0.1, -0.4)] {
        f.value(0.0, &[3.0, 0.0], &[a, b], &mut out, &mut registers);
        assert_eq!(out[0], a.exp() * b.sin() * 3.0);
    }
}

#[test]
fn jacobian_has_only_the_entries_that_exist() {
    let f = Function::with_jacobian(&[formula("a * x"), formula("x * z")], 2);
    let entries: Vec<_> = f.jacobian_program().unwrap().pattern().collect();
    assert_eq!(entries, [(0, 0), (1, 0), (1, 1)]);
}

#[test]
fn errors_say_where() {
    for (text, message) in [
        ("", "column 1: the formula ends where a number, a name or `(` should follow"),
        ("1 +", "column 4: the formula ends where a number, a name or `(` should follow"),
        ("λ + 1", "column 1: unknown name `λ`"),
        ("x + $", "column 5: unexpected character '$'"),
        ("x = 1", "column 3: `=` alone is no operator; write `==` to compare"),
        ("2x", "column 2: found `x` where an operator or the end should be"),
        ("(x", "column 3: the formula ends where `)` should follow"),
        ("x)", "column 2: found `)` where an operator or the end should be"),
        ("1 < 2 < 3", "column 7: comparisons do not chain; write `a < b && b < c`"),
        ("sine(x)", "column 1: unknown function `sine`; did you mean `sin`?"),
        ("x(z)", "column 1: unknown function `x`"),
        ("exp", "column 1: `exp` is a function; write `exp(…)`"),
        ("exp()", "column 1: `exp` takes one argument, not 0"),
        ("min(x)", "column 1: `min` takes two arguments or more, not 1"),
        ("if(x, 1)", "column 1: `if` takes three arguments (condition, then, otherwise), not 2"),
        ("1e999", "column 1: `1e999` is no finite number"),
        ("1.2.3", "column 4: found `.3` where an operator or the end should be"),
        (".", "column 1: `.` is no finite number"),
    ] {
        let error = parse(text, &mut |name| (name == "x").then(|| Expr::state(0))).unwrap_err();
        assert_eq!(error.to_string(), message, "{text}");
    }
    let deep = "(".repeat(100_000);
    let error = parse(&deep, &mut |_| None).unwrap_err();
    let advice = "nested more than 100 deep; name parts of it under `expressions`";
    assert_eq!(error.to_string(), format!("column 101: {advice}"));
}
