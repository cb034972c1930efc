//! Bring your own time loop: any chain of steps is reversed in bounded memory, here leapfrog for the
//! wave equation u_tt = c(x)² u_xx, and a receiver's record is differentiated by the medium in
//! every cell.
//!
//!     cargo run --release --example own_time_loop

use costate::Error;
use costate::adjoint::{gradient, value};
use costate::recurrence::{Adjoint, Recurrence};
use costate::schedule::{Revolve, StoreAll};
use costate::snapshot::MemoryStore;
use costate::verify;

/// u^{n+1}_i = 2u^n_i − u^{n−1}_i + p_i (u^n_{i+1} − 2u^n_i + u^n_{i−1}) + source, u = 0 at both
/// ends; p_i = (c_i Δt/Δx)², y_n = (u^{n−1}, u^n), J = ½ Σ_n (u^n at the receiver)².
struct Wave {
    cells: usize,
    steps: usize,
}

impl Wave {
    const SOURCE: usize = 20;
    const RECEIVER: usize = 80;

    fn source(n: usize) -> f64 {
        let x = (n as f64 - 30.0) / 10.0;
        (1.0 - 2.0 * x * x) * (-x * x).exp()
    }

    fn second_difference(u: &[f64], i: usize) -> f64 {
        let at = |i: usize| u.get(i).copied().unwrap_or(0.0);
        at(i.wrapping_sub(1)) - 2.0 * at(i) + at(i + 1)
    }
}

impl Recurrence for Wave {
    type Scalar = f64;
    /// Nothing: y_{n+1} still holds the u^n that the step's adjoint wants.
    type Tape = ();
    type Scratch = ();

    fn dim(&self) -> usize {
        2 * self.cells
    }
    fn num_params(&self) -> usize {
        self.cells
    }
    fn num_steps(&self) -> usize {
        self.steps
    }
    fn tape(&self) {}
    fn scratch(&self) {}
    fn initial(&self, _p: &[f64], y0: &mut [f64]) {
        y0.fill(0.0);
    }

    fn step(
        &self,
        n: usize,
        p: &[f64],
        y: &mut [f64],
        _tape: &mut (),
        _scratch: &mut (),
    ) -> Result<(), Error> {
        let (before, now) = y.split_at_mut(self.cells);
        for i in 0..self.cells {
            before[i] = 2.0 * now[i] - before[i] + p[i] * Self::second_difference(now, i);
        }
        before[Self::SOURCE] += Self::source(n);
        before.swap_with_slice(now);
        Ok(())
    }

    fn step_value(
        &self,
        _n: usize,
        _p: &[f64],
        y_next: &[f64],
        _tape: &mut (),
        _scratch: &mut (),
    ) -> f64 {
        0.5 * y_next[self.cells + Self::RECEIVER].powi(2)
    }

    fn step_adjoint(
        &self,
        _n: usize,
        p: &[f64],
        y_next: &[f64],
        _tape: &mut (),
        _scratch: &mut (),
        adjoint: &mut Adjoint<f64>,
    ) -> Result<(), Error> {
        let now = &y_next[..self.cells];
        let (now_bar, next_bar) = adjoint.lambda.split_at_mut(self.cells);
        next_bar[Self::RECEIVER] += y_next[self.cells + Self::RECEIVER];
        let flux: Vec<f64> = p.iter().zip(&*next_bar).map(|(p, bar)| p * bar).collect();
        for i in 0..self.cells {
            adjoint.p_bar[i] += next_bar[i] * Self::second_difference(now, i);
            now_bar[i] += 2.0 * next_bar[i] + Self::second_difference(&flux, i);
            next_bar[i] = -next_bar[i];
        }
        now_bar.swap_with_slice(next_bar);
        Ok(())
    }
}

fn main() -> Result<(), Error> {
    let (wave, p) = (Wave { cells: 100, steps: 400 }, vec![0.25; 100]);
    let all = gradient(&wave, &p, StoreAll::new(wave.steps), &mut MemoryStore::new())?;
    let few = gradient(&wave, &p, Revolve::new(wave.steps, 8)?, &mut MemoryStore::new())?;
    for (name, g) in [("all states", &all), ("8 snapshots", &few)] {
        let stats = g.stats;
        println!("{name}: {} bytes, {} steps again", stats.peak_bytes, stats.recomputed_steps);
    }
    assert_eq!(all.wrt_params, few.wrt_params);

    // Steps and terms against differences: `=` for `+=` and every other slip shows.
    assert!(verify::recurrence(&wave, &p)?.passes());

    let shifted = |h: f64| {
        let mut p = p.clone();
        p[50] += h;
        value(&wave, &p).map(|(value, _)| value)
    };
    let difference = (shifted(1e-5)? - shifted(-1e-5)?) / 2e-5;
    println!("dJ/dp_50 = {:.9e}, by differences {difference:.9e}", few.wrt_params[50]);
    assert!((few.wrt_params[50] - difference).abs() < 1e-7 * difference.abs());
    Ok(())
}
