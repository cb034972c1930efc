//! Single precision: the gradient is that of double precision but for at most one rounding a step,
//! and its bits do not depend on which states were kept.

use costate::adjoint::{Gradient, gradient};
use costate::method::stepper::ExplicitRk;
use costate::method::tableau::{EXPLICIT, Tableau};
use costate::numbers::scalar::Scalar;
use costate::ode::grid::TimeGrid;
use costate::ode::objective::LeastSquares;
use costate::ode::{At, Bars, Ode, Vjp};
use costate::recurrence::Discretization;
use costate::schedule::{Bisection, Revolve, Schedule, StoreAll, Uniform};
use costate::snapshot::MemoryStore;

use crate::common::distance;

const STEPS: usize = 200;

/// x' = ax − bxy, y' = −cy + dxy.
struct LotkaVolterra;

impl<S: Scalar> Ode<S> for LotkaVolterra {
    type Work = ();

    fn dim(&self) -> usize {
        2
    }
    fn num_params(&self) -> usize {
        4
    }
    fn work(&self) {}
    fn work_bytes(&self) -> usize {
        0
    }
    fn rhs(&self, At { y, p, .. }: At<'_, S>, dy: &mut [S], _: &mut ()) {
        dy[0] = p[0] * y[0] - p[1] * y[0] * y[1];
        dy[1] = p[3] * y[0] * y[1] - p[2] * y[1];
    }
}

impl<S: Scalar> Vjp<S> for LotkaVolterra {
    fn vjp(
        &self,
        At { y, p, .. }: At<'_, S>,
        w: &[S],
        Bars { y: y_bar, p: p_bar, .. }: Bars<'_, S>,
        _: &mut (),
    ) {
        let met = y[0] * y[1];
        y_bar[0] += (p[0] - p[1] * y[1]) * w[0] + p[3] * y[1] * w[1];
        y_bar[1] += (p[3] * y[0] - p[2]) * w[1] - p[1] * y[0] * w[0];
        p_bar[0] += y[0] * w[0];
        p_bar[1] -= met * w[0];
        p_bar[2] -= y[1] * w[1];
        p_bar[3] += met * w[1];
    }
}

fn run<S: Scalar>(tableau: &Tableau, schedule: impl Schedule) -> Gradient<S> {
    let of = |x: &[f64]| -> Vec<S> { x.iter().map(|&x| S::of(x)).collect() };
    let (y0, p) = (of(&[1.0, 1.0]), of(&[1.5, 1.0, 3.0, 1.0]));
    let fit = LeastSquares::new(vec![0.61, 1.5, 3.0], of(&[1.0; 6]), &of(&[0.5])).unwrap();
    let grid = TimeGrid::Uniform { start: 0.0, end: 3.0, steps: STEPS };
    let stepper = ExplicitRk::<S>::new(tableau).unwrap();
    let chain = Discretization::new(&LotkaVolterra, &y0, &fit, stepper, grid).unwrap();
    gradient(&chain, &p, schedule, &mut MemoryStore::new()).unwrap()
}

/// Value and gradients in one.
fn numbers<S: Scalar>(gradient: &Gradient<S>) -> Vec<S> {
    [&[gradient.value, gradient.wrt_end_time], &gradient.wrt_y0[..], &gradient.wrt_params].concat()
}

#[test]
fn single_precision_rounds_the_gradient() {
    for tableau in EXPLICIT {
        let double = numbers(&run::<f64>(tableau, StoreAll::new(STEPS)));
        let single = numbers(&run::<f32>(tableau, StoreAll::new(STEPS)));
        let single: Vec<f64> = single.into_iter().map(f64::from).collect();
        let error = distance(&single, &double);
        println!("{} in single precision: {error:.1e}", tableau.name);
        let bound = STEPS as f64 * f64::from(f32::EPSILON);
        assert!(error > 0.0 && error < bound, "{}: {error:e}", tableau.name);
    }
}

#[test]
fn bits_in_single_precision_do_not_depend_on_the_schedule() {
    for tableau in EXPLICIT {
        let bits = |schedule: Box<dyn Schedule>| -> Vec<u32> {
            numbers(&run::<f32>(tableau, schedule)).iter().map(|x| x.to_bits()).collect()
        };
        let all = bits(Box::new(StoreAll::new(STEPS)));
        for slots in [2, 7, STEPS] {
            let schedules: [Box<dyn Schedule>; 3] = [
                Box::new(Uniform::new(STEPS, slots).unwrap()),
                Box::new(Bisection::new(STEPS, slots).unwrap()),
                Box::new(Revolve::new(STEPS, slots).unwrap()),
            ];
            for schedule in schedules {
                assert!(bits(schedule) == all, "{}, {slots} slots", tableau.name);
            }
        }
    }
}
