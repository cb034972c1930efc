//! The undisturbed stream, in which a run starts.

use costate::error::Error;
use costate::ode::Initial;

use super::Wing;
use super::check::check_lengths;
use super::parameters::MACH;

/// y₀(p) is [`Wing::free_stream`]: as if the section were put into the stream at once.
impl Initial for Wing {
    fn initial(&self, p: &[f64], y0: &mut [f64]) {
        y0.copy_from_slice(&self.free_stream(p));
    }

    fn initial_vjp(&self, p: &[f64], y0_bar: &[f64], p_bar: &mut [f64]) {
        let cells = y0_bar.len() / 4;
        let sum = |k: usize| y0_bar[k * cells..(k + 1) * cells].iter().sum::<f64>();
        // ρu = M, ρE = 1/(γ(γ−1)) + M²/2.
        p_bar[MACH] += sum(1) + p[MACH] * sum(3);
    }

    fn initial_jvp(&self, p: &[f64], p_dot: &[f64], y0_dot: &mut [f64]) {
        let cells = y0_dot.len() / 4;
        y0_dot.fill(0.0);
        y0_dot[cells..2 * cells].fill(p_dot[MACH]);
        y0_dot[3 * cells..].fill(p[MACH] * p_dot[MACH]);
    }

    fn check(&self, dim: usize, num_params: usize) -> Result<(), Error> {
        check_lengths(self, dim, num_params)
    }
}
