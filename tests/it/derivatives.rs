//! Hand-written derivatives: those of the library pass the comparison with differences, and wrong
//! ones do not; f_y without a line written for it.

use costate::error::Error;
use costate::method::Method;
use costate::method::stepper::{AdjointStepper, TangentStepper};
use costate::method::tableau::{DOP853, ESDIRK};
use costate::numbers::linalg::{Matrix, Structure};
use costate::numbers::scalar::Scalar;
use costate::ode::objective::{LeastSquares, Objective, Terminal};
use costate::ode::{At, Bars, Initial, Jvp, MAX_DENSE, Ode, Rows, Vjp, jacobian_at};
use costate::problem::Problem;
use costate::recurrence::{Adjoint, Discretization, Recurrence};
use costate::verify;
use costate_models::chemistry::robertson;

use crate::common::{Case, Law, everywhere, file};

const MODELS: [&str; 6] = [
    "biology/lotka_volterra",
    "biology/gene_expression",
    "chemistry/robertson",
    "chemistry/hires",
    "oscillators/van_der_pol",
    "aerodynamics/pitch_plunge",
];

/// What a careless hand does to a model's derivative.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Slip {
    /// `=` for `+=` in ȳ, p̄ or t̄.
    Writes(usize),
    /// A factor that is off in one entry of f_yᵀ w or f_pᵀ w.
    Scales(usize),
    /// None.
    Nothing,
}

/// A model with such a slip.
struct Careless<O>(O, Slip);

impl<O: Ode> Ode for Careless<O> {
    type Work = O::Work;
    fn dim(&self) -> usize {
        self.0.dim()
    }
    fn num_params(&self) -> usize {
        self.0.num_params()
    }
    fn work(&self) -> O::Work {
        self.0.work()
    }
    fn work_bytes(&self) -> usize {
        self.0.work_bytes()
    }
    fn rhs(&self, at: At<'_>, dy: &mut [f64], work: &mut O::Work) {
        self.0.rhs(at, dy, work);
    }
}

impl<O: Vjp> Vjp for Careless<O> {
    fn vjp(
        &self,
        At { t, y, p }: At<'_>,
        w: &[f64],
        Bars { y: y_bar, p: p_bar, t: t_bar }: Bars<'_>,
        work: &mut O::Work,
    ) {
        let (mut y_sum, mut p_sum, mut t_sum) = (vec![0.0; y.len()], vec![0.0; p.len()], 0.0);
        self.0.vjp(At { t, y, p }, w, Bars { y: &mut y_sum, p: &mut p_sum, t: &mut t_sum }, work);
        match self.1 {
            Slip::Scales(0) => y_sum[0] *= 1.001,
            Slip::Scales(_) => p_sum[0] *= 1.001,
            Slip::Writes(0) => y_bar.fill(0.0),
            Slip::Writes(1) => p_bar.fill(0.0),
            Slip::Writes(_) => *t_bar = 0.0,
            Slip::Nothing => {}
        }
        y_bar.iter_mut().zip(y_sum).for_each(|(bar, x)| *bar += x);
        p_bar.iter_mut().zip(p_sum).for_each(|(bar, x)| *bar += x);
        *t_bar += t_sum;
    }
}

#[test]
fn derivatives_of_models_are_those_of_differences() {
    for name in MODELS {
        let model = file(name);
        let (p, mut y) = (model.nominal(), vec![0.0; model.dim()]);
        model.initial(&p, &mut y);
        // Away from the zeros that states begin with.
        y.iter_mut().enumerate().for_each(|(i, y)| *y += 0.01 * (1.0 + i as f64));
        for found in [
            verify::vjp(&model, 0.1, &y, &p),
            verify::jacobian(&model, 0.1, &y, &p),
            verify::initial(&model, y.len(), &p),
            verify::objective(&model, 0.1, &y, &p),
        ] {
            let found = found.unwrap();
            assert!(found.passes(), "{name}: {found:?}");
        }
    }
}

#[test]
fn a_slip_in_a_product_is_found() {
    for name in MODELS {
        let (model, by) = (file(name), ["state", "parameter", "time"]);
        let (p, mut y) = (model.nominal(), vec![0.0; model.dim()]);
        model.initial(&p, &mut y);
        y.iter_mut().enumerate().for_each(|(i, y)| *y += 0.01 * (1.0 + i as f64));
        for (bar, by) in by.into_iter().enumerate() {
            let careless = Careless(file(name), Slip::Writes(bar));
            let Err(Error::NotAdded { what: "vjp", by: found, index: 0, .. }) =
                verify::vjp(&careless, 0.1, &y, &p)
            else {
                panic!("{name}: bar {bar}")
            };
            assert_eq!(found, by);
            // A build for debugging says so before the first step; in others it is up to the user.
            if cfg!(debug_assertions) {
                let error = Problem::new(&careless, (0.0, 0.1), &p).initial(&y).gradient();
                assert!(matches!(error, Err(Error::NotAdded { .. })), "{name}: bar {bar}");
            }
        }
        for (bar, by) in by.into_iter().take(2).enumerate() {
            let found = verify::vjp(&Careless(file(name), Slip::Scales(bar)), 0.1, &y, &p).unwrap();
            assert!(!found.passes() && found.by == by && found.index == 0, "{name}: {found:?}");
        }
    }
}

#[test]
fn an_objective_or_a_start_that_writes_is_found() {
    struct Start;
    impl Initial for Start {
        fn initial(&self, p: &[f64], y0: &mut [f64]) {
            y0.copy_from_slice(&[p[0] * p[1], 1.0]);
        }
        fn initial_vjp(&self, p: &[f64], y0_bar: &[f64], p_bar: &mut [f64]) {
            p_bar[0] += p[1] * y0_bar[0];
            p_bar[1] = p[0] * y0_bar[0];
        }
        fn initial_jvp(&self, _p: &[f64], _p_dot: &[f64], _y0_dot: &mut [f64]) {}
    }
    let (model, p) = (file("biology/lotka_volterra"), [1.5, 1.0, 3.0, 1.0]);
    let Err(Error::NotAdded { what: "initial_vjp", by: "parameter", index: 1, .. }) =
        verify::initial(&Start, 2, &p)
    else {
        panic!("not found")
    };
    let value = |y: &[f64], p: &[f64]| p[0] * y[1] * y[1];
    let right =
        Terminal::new(value, |y: &[f64], p: &[f64], y_bar: &mut [f64], p_bar: &mut [f64]| {
            y_bar[1] += 2.0 * p[0] * y[1];
            p_bar[0] += y[1] * y[1];
        });
    let writes =
        Terminal::new(value, |y: &[f64], p: &[f64], y_bar: &mut [f64], p_bar: &mut [f64]| {
            y_bar[1] += 2.0 * p[0] * y[1];
            p_bar[0] = y[1] * y[1];
        });
    let wrong =
        Terminal::new(value, |y: &[f64], p: &[f64], y_bar: &mut [f64], p_bar: &mut [f64]| {
            y_bar[1] += p[0] * y[1];
            p_bar[0] += y[1] * y[1];
        });
    let y = [0.5, 2.0];
    assert!(verify::objective(&right, 1.0, &y, &p).unwrap().passes());
    assert!(!verify::objective(&wrong, 1.0, &y, &p).unwrap().passes());
    assert!(matches!(verify::objective(&writes, 1.0, &y, &p), Err(Error::NotAdded { .. })));
    let start = y.to_vec();
    assert!(verify::added(&model, &start, &right, 0.0, &p).is_ok());
    for result in [
        verify::added(&model, &start, &writes, 0.0, &p),
        verify::added(&model, &Start, &right, 0.0, &p),
    ] {
        assert!(matches!(result, Err(Error::NotAdded { .. })), "{result:?}");
    }
}

/// A Jacobian that is not what `vjp` transposes gives implicit methods wrong adjoints in silence.
#[test]
fn a_jacobian_of_another_model_is_found() {
    struct Mixed(robertson::Robertson);
    impl Ode for Mixed {
        type Work = <robertson::Robertson as Ode>::Work;
        fn dim(&self) -> usize {
            3
        }
        fn num_params(&self) -> usize {
            3
        }
        fn work(&self) -> Self::Work {
            self.0.work()
        }
        fn work_bytes(&self) -> usize {
            self.0.work_bytes()
        }
        fn rhs(&self, at: At<'_>, dy: &mut [f64], work: &mut Self::Work) {
            self.0.rhs(at, dy, work);
        }
    }
    impl Vjp for Mixed {
        fn vjp(&self, at: At<'_>, w: &[f64], bars: Bars<'_>, work: &mut Self::Work) {
            self.0.vjp(at, w, bars, work);
        }
        fn jacobian(&self, at: At<'_>, jac: &mut Matrix, rows: Rows<'_>, work: &mut Self::Work) {
            self.0.jacobian(at, jac, rows, work);
            jac.add(1, 1, 1.0);
        }
    }
    let (mixed, y0, p) = (Mixed(robertson::Robertson), vec![1.0, 1e-5, 0.1], robertson::p2().p);
    let result = verify::added(&mixed, &y0, &(), 0.0, &p);
    assert!(matches!(result, Err(Error::JacobianNotOfVjp { index: 1, .. })), "{result:?}");
    assert!(!verify::jacobian(&mixed, 0.0, &y0, &p).unwrap().passes());
    assert!(verify::vjp(&mixed, 0.0, &y0, &p).unwrap().passes());
}

/// The adjoint of every step that the library takes is that of differences.
struct Written;

impl Law for Written {
    fn holds<O, I, J, M>(&mut self, case: &Case<O, I, J>, stepper: M)
    where
        O: Vjp + Jvp,
        I: Initial,
        J: Objective,
        M: AdjointStepper<O> + TangentStepper<O> + Clone,
    {
        let method = stepper.name();
        let Case { name, ode, initial, objective, p, .. } = case;
        let grid = case.grid.clone();
        let chain = Discretization::new(ode, initial, objective, stepper, grid).unwrap();
        let found = verify::recurrence(&chain, p).unwrap();
        assert!(found.passes(), "{name} by {method}: {found:?}");
    }
}

#[test]
fn adjoints_of_steps_are_those_of_differences() {
    everywhere(&mut Written);
}

/// y_{n+1} = p y_n (1 − y_n), with p̄ written or λ scaled wrongly.
struct Logistic<S> {
    writes: bool,
    factor: S,
}

impl<S: Scalar> Recurrence for Logistic<S> {
    type Scalar = S;
    type Tape = S;
    type Scratch = ();
    fn dim(&self) -> usize {
        1
    }
    fn num_params(&self) -> usize {
        1
    }
    fn num_steps(&self) -> usize {
        5
    }
    fn tape(&self) -> S {
        S::zero()
    }
    fn scratch(&self) {}
    fn initial(&self, _p: &[S], y0: &mut [S]) {
        y0[0] = S::of(0.4);
    }
    fn step(
        &self,
        _n: usize,
        p: &[S],
        y: &mut [S],
        tape: &mut S,
        _scratch: &mut (),
    ) -> Result<(), Error> {
        *tape = y[0];
        y[0] = p[0] * y[0] * (S::one() - y[0]);
        Ok(())
    }
    fn step_value(&self, _n: usize, _p: &[S], y_next: &[S], _tape: &mut S, _scratch: &mut ()) -> S {
        y_next[0]
    }
    fn step_adjoint(
        &self,
        _n: usize,
        p: &[S],
        _y_next: &[S],
        tape: &mut S,
        _scratch: &mut (),
        adjoint: &mut Adjoint<S>,
    ) -> Result<(), Error> {
        let (y, lambda) = (*tape, adjoint.lambda[0] + S::one());
        let p_bar = lambda * y * (S::one() - y);
        adjoint.p_bar[0] = if self.writes { p_bar } else { adjoint.p_bar[0] + p_bar };
        adjoint.lambda[0] = self.factor * lambda * p[0] * (S::one() - S::of(2.0) * y);
        Ok(())
    }
}

fn recurrences<S: Scalar>(slip: f64) {
    let found = |writes, factor: f64| {
        verify::recurrence(&Logistic { writes, factor: S::of(factor) }, &[S::of(2.5)])
    };
    assert!(found(false, 1.0).unwrap().passes());
    let wrong = found(false, 1.0 + slip).unwrap();
    assert!(!wrong.passes() && wrong.by == "state", "{wrong:?}");
    assert!(matches!(found(true, 1.0), Err(Error::NotAdded { what: "step_adjoint", .. })));
}

#[test]
fn a_slip_in_a_recurrence_is_found() {
    recurrences::<f64>(1e-4);
    recurrences::<f32>(0.02);
}

/// y_i' = −p_i y_i, of any size and scalar, its `vjp` right or with an `=`.
struct Decays {
    dim: usize,
    writes: bool,
    banded: bool,
}

impl Decays {
    fn right(dim: usize) -> Self {
        Decays { dim, writes: false, banded: false }
    }
}

impl<S: Scalar> Ode<S> for Decays {
    type Work = ();
    fn dim(&self) -> usize {
        self.dim
    }
    fn num_params(&self) -> usize {
        1
    }
    fn work(&self) {}
    fn work_bytes(&self) -> usize {
        0
    }
    fn rhs(&self, At { y, p, .. }: At<'_, S>, dy: &mut [S], _: &mut ()) {
        dy.iter_mut().zip(y).for_each(|(dy, &y)| *dy = -p[0] * y);
    }
}

impl<S: Scalar> Vjp<S> for Decays {
    fn vjp(
        &self,
        At { y, p, .. }: At<'_, S>,
        w: &[S],
        Bars { y: y_bar, p: p_bar, .. }: Bars<'_, S>,
        _: &mut (),
    ) {
        for i in 0..self.dim {
            y_bar[i] = if self.writes { S::zero() } else { y_bar[i] } - p[0] * w[i];
            p_bar[0] -= y[i] * w[i];
        }
    }
    fn structure(&self) -> Structure {
        match self.banded {
            true => Structure::Banded { lower: 0, upper: 0 },
            false => Structure::Dense,
        }
    }
}

#[test]
fn a_slip_in_single_precision_is_found() {
    let (y, p) = ([1.0_f32, 0.5], [2.0_f32]);
    assert!(verify::vjp(&Decays::right(2), 0.0, &y, &p).unwrap().passes());
    let writes = Decays { writes: true, ..Decays::right(2) };
    let result = verify::vjp(&writes, 0.0, &y, &p);
    assert!(matches!(result, Err(Error::NotAdded { by: "state", .. })), "{result:?}");
    let fit = LeastSquares::new(vec![1.0], vec![0.5_f32, 0.25], &[1.0]).unwrap();
    assert!(verify::objective(&fit, 0.0, &y, &p).unwrap().passes());
}

/// y' = −p y + cos(t / 5), and an integral of y that begins at 0, its bar scaled.
struct Driven {
    factor: f32,
}

impl Ode<f32> for Driven {
    type Work = ();
    fn dim(&self) -> usize {
        2
    }
    fn num_params(&self) -> usize {
        1
    }
    fn work(&self) {}
    fn work_bytes(&self) -> usize {
        0
    }
    fn rhs(&self, At { t, y, p }: At<'_, f32>, dy: &mut [f32], _: &mut ()) {
        (dy[0], dy[1]) = (-p[0] * y[0] + (t as f32 / 5.0).cos(), y[0] + y[1]);
    }
}

impl Vjp<f32> for Driven {
    fn vjp(
        &self,
        At { t, y, p }: At<'_, f32>,
        w: &[f32],
        Bars { y: y_bar, p: p_bar, t: t_bar }: Bars<'_, f32>,
        _: &mut (),
    ) {
        y_bar[0] += w[1] - p[0] * w[0];
        y_bar[1] += self.factor * w[1];
        p_bar[0] -= y[0] * w[0];
        *t_bar -= (t as f32 / 5.0).sin() / 5.0 * w[0];
    }
}

/// Rounding hides neither what is right, by a time in double precision, nor what is wrong, by a
/// state that is zero.
#[test]
fn rounding_in_single_precision_is_weighed() {
    let (y, p) = ([1.0, 0.0], [2.0]);
    for t in (0..200).map(|i| 0.05 * f64::from(i)) {
        let found = verify::vjp(&Driven { factor: 1.0 }, t, &y, &p).unwrap();
        assert!(found.passes(), "t = {t}: {found:?}");
    }
    let found = verify::vjp(&Driven { factor: 1.1 }, 0.0, &y, &p).unwrap();
    assert!(!found.passes() && found.by == "state" && found.index == 1, "{found:?}");
}

/// `rhs` and `vjp` alone: the same matrix, and a stiff run by the library's own choice.
#[test]
fn products_alone_make_a_stiff_method() {
    let p2 = robertson::p2();
    let alone = Careless(p2.ode, Slip::Nothing);
    let (y, p) = ([0.9, 2e-5, 0.1], &p2.p);
    let (given, found) = (
        jacobian_at(&p2.ode, At { t: 0.0, y: &y, p }).unwrap(),
        jacobian_at(&alone, At { t: 0.0, y: &y, p }).unwrap(),
    );
    for (i, j) in (0..3).flat_map(|i| (0..3).map(move |j| (i, j))) {
        let (given, found) = (given.get(i, j), found.get(i, j));
        assert!((given - found).abs() <= 1e-14 * given.abs(), "{i} {j}: {given} {found}");
    }
    let reference = Problem::new(&p2.ode, p2.span, p)
        .initial(&p2.y0)
        .objective(&p2.objective)
        .rtol(1e-8)
        .atol(1e-13);
    let problem = Problem::new(&alone, p2.span, p)
        .initial(&p2.y0)
        .objective(&p2.objective)
        .rtol(1e-8)
        .atol(1e-13);
    let (reference, solved) = (reference.solved().unwrap(), problem.solved().unwrap());
    assert_eq!((reference.method, solved.method), ("esdirk547", "esdirk547"));
    let (g, exact) = (&solved.gradient.wrt_params, &reference.gradient.wrt_params);
    for (g, exact) in g.iter().zip(exact) {
        assert!((g - exact).abs() <= 1e-7 * exact.abs(), "{g} {exact}");
    }
}

#[test]
fn a_dense_matrix_has_its_limit() {
    let large = Decays::right(MAX_DENSE + 1);
    let (y0, calm, stiff) = (vec![1.0; MAX_DENSE + 1], [1.0], [1e5]);
    let end = Terminal::new(
        |y: &[f64], _p: &[f64]| y[0],
        |_y: &[f64], _p: &[f64], y_bar: &mut [f64], _p_bar: &mut [f64]| y_bar[0] += 1.0,
    );
    // Where nothing is stiff no matrix is asked for.
    let problem =
        Problem::new(&large, (0.0, 1.0), &calm).initial(&y0).objective(&end).rtol(1e-4).atol(1e-6);
    let gradient = problem.gradient().unwrap();
    assert!((gradient.wrt_params[0] + (-1.0_f64).exp()).abs() < 1e-3);
    let error = problem.method(Method::Named(ESDIRK[0])).gradient().unwrap_err();
    assert!(matches!(error, Error::DenseJacobian { stiff: false, .. }), "{error}");
    let problem =
        Problem::new(&large, (0.0, 1.0), &stiff).initial(&y0).objective(&end).rtol(1e-4).atol(1e-6);
    let error = problem.clone().snapshots(2).gradient().unwrap_err();
    assert!(matches!(error, Error::DenseJacobian { stiff: true, .. }), "{error}");
    // What the message says to try: a structure, or an explicit method by name.
    let banded = Decays { banded: true, ..Decays::right(5) };
    let jac = jacobian_at(&banded, At { t: 0.0, y: &[1.0; 5], p: &stiff }).unwrap();
    assert!((0..5).all(|i| jac.get(i, i) == -1e5));
    let named = problem.method(Method::Named(&DOP853)).fixed_steps(3).value();
    assert!(!matches!(named, Err(Error::DenseJacobian { .. })));
}

/// A structure that leaves entries out is no matrix to step with.
#[test]
fn a_structure_that_is_too_narrow_stops_the_run() {
    struct Narrow(robertson::Robertson);
    impl Ode for Narrow {
        type Work = <robertson::Robertson as Ode>::Work;
        fn dim(&self) -> usize {
            3
        }
        fn num_params(&self) -> usize {
            3
        }
        fn work(&self) -> Self::Work {
            self.0.work()
        }
        fn work_bytes(&self) -> usize {
            self.0.work_bytes()
        }
        fn rhs(&self, at: At<'_>, dy: &mut [f64], work: &mut Self::Work) {
            self.0.rhs(at, dy, work);
        }
    }
    impl Vjp for Narrow {
        fn vjp(&self, at: At<'_>, w: &[f64], bars: Bars<'_>, work: &mut Self::Work) {
            self.0.vjp(at, w, bars, work);
        }
        fn structure(&self) -> Structure {
            Structure::Banded { lower: 0, upper: 0 }
        }
    }
    let (narrow, y0, p) = (Narrow(robertson::Robertson), vec![1.0, 0.0, 0.0], robertson::p2().p);
    for tableau in ESDIRK {
        let problem =
            Problem::new(&narrow, (0.0, 1.0), &p).initial(&y0).method(Method::Named(tableau));
        assert!(problem.fixed_steps(4).value().is_err(), "{}", tableau.name);
    }
}
