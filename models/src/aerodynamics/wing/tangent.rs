//! The tangent of the rates, by dual numbers through the grid, the motion and the finite volumes.

use costate::ode::{At, Dots, Jvp};

use super::parameters::SHAPE;
use super::{Wing, Work, motion};
use crate::aerodynamics::euler::{Dual, Inner, Metrics, Scratch, residual};

impl Jvp for Wing {
    fn jvp(
        &self,
        At { t, y, p }: At<'_>,
        Dots { y: y_dot, p: p_dot }: Dots<'_>,
        dy_dot: &mut [f64],
        _: &mut Work,
    ) {
        let (ni, nj) = self.size();
        let dual = |x: &[f64], dot: &[f64]| -> Vec<Dual<1>> {
            x.iter().zip(dot).map(|(&value, &dot)| Dual { value, dot: [dot] }).collect()
        };
        let (y, p) = (dual(y, y_dot), dual(p, p_dot));
        let metrics = Metrics::new(ni, nj, self.rings.nodes(&p[SHAPE]));
        let frame = motion::frame(Dual { value: t, dot: [0.0] }, &p);
        let mut dy = y.clone();
        residual(&metrics, Inner::Wall, &frame, &y, &mut dy, &mut Scratch::new(ni, nj));
        for (out, dy) in dy_dot.iter_mut().zip(dy) {
            *out = dy.dot[0];
        }
    }
}
